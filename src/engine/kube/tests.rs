//! Questions and answers, with a service in the place of a cluster.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::{BoxError, service_fn};

use super::add::No;
use super::*;
use crate::activity::Journal;
use crate::engine::logs::LogOptions;
use crate::exit::{Exit, Explain as _};
use crate::target::TargetName;

/// A question as it came: method, path with query, body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// What was asked so far.
pub(crate) type Record = Arc<Mutex<Vec<Asked>>>;

/// A cluster that answers as it is told.
pub(crate) fn cluster(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> (Cluster, Record) {
    let record = Record::default();
    let (seen, answer) = (Arc::clone(&record), Arc::new(answer));
    let service = service_fn(move |request: Request<Body>| {
        let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let asked = Asked {
                method: parts.method.to_string(),
                path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            seen.lock().unwrap().push(asked.clone());
            let (status, document) = answer(&asked);
            let text = match document {
                Value::String(text) => text,
                document => document.to_string(),
            };
            Ok::<_, BoxError>(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
        }
    });
    let terms = Terms { patience: Duration::from_secs(5), ..Terms::default() };
    let client = kube::Client::new(service, "shop");
    (Cluster::over(client, "https://test".to_owned(), "shop", terms, &Journal::default()).unwrap(), record)
}

/// A pod with one container that runs as 65532:0.
pub(crate) fn pod() -> Value {
    json!({
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u-1"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "acme/shop:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app",
            "containerID": format!("containerd://{}", "3f".repeat(32)),
            "state": {"running": {"startedAt": "2026-11-23T08:00:00Z"}},
            "user": {"linux": {"uid": 65532, "gid": 0, "supplementalGroups": [0]}},
        }]},
    })
}

fn status(message: &str, name: &str) -> Value {
    json!({"kind": "Status", "message": message, "details": {"name": name}})
}

fn name(text: &str) -> crate::target::PodName {
    match text.parse().unwrap() {
        TargetName::Pod(name) => name,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_pod_by_its_name_is_one_question() {
    let (cluster, record) = cluster(|_| (200, pod()));
    let found = cluster.find(&name("pod/web-1"), None).await.unwrap();
    assert_eq!((found.container.name.as_str(), found.container.id.len()), ("shop/web-1/app", 64));
    cluster.find(&name("k8s://prod/web-1"), None).await.unwrap();
    let paths: Vec<_> = record.lock().unwrap().iter().map(|asked| asked.path.clone()).collect();
    assert_eq!(paths, ["/api/v1/namespaces/shop/pods/web-1", "/api/v1/namespaces/prod/pods/web-1"]);
}

#[tokio::test]
async fn a_deployment_leads_to_one_of_its_pods() {
    let (cluster, record) = cluster(|asked| match asked.path.as_str() {
        "/apis/apps/v1/namespaces/shop/deployments/web" => {
            (200, json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}}))
        }
        _ => (200, json!({"items": [pod()]})),
    });
    let found = cluster.find(&name("deploy/web"), None).await.unwrap();
    assert_eq!(found.pod, "web-1");
    assert_eq!(record.lock().unwrap()[1].path, "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb");
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is_near() {
    let (cluster, _) = cluster(|asked| match asked.path.as_str() {
        "/api/v1/namespaces/shop/pods" => (200, json!({"items": [pod()]})),
        _ => (404, status("pods \"web-2\" not found", "web-2")),
    });
    let error = cluster.find(&name("pod/web-2"), None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no pod/web-2 in namespace shop");
    assert_eq!((error.hint().as_deref(), error.exit()), (Some("there is: web-1"), Exit::NoTarget));
}

#[tokio::test]
async fn refusals_are_in_the_servers_words() {
    let answer = Arc::new(Mutex::new((403, status("pods \"web-1\" is forbidden: no", "web-1"))));
    let given = Arc::clone(&answer);
    let (cluster, _) = cluster(move |_| given.lock().unwrap().clone());
    let error = cluster.find(&name("pod/web-1"), None).await.unwrap_err();
    assert!(error.to_string().ends_with("pods \"web-1\" is forbidden: no"), "{error}");
    assert!(error.hint().unwrap().contains("kube rbac"));
    assert_eq!(error.exit(), Exit::NotPermitted);
    for (code, document, exit, words) in [
        (401, status("Unauthorized", ""), Exit::NotPermitted, "does not know who asks"),
        (500, json!("kaputt"), Exit::No, "kaputt"),
        (200, json!("<html>"), Exit::Unreachable, "makes no sense"),
    ] {
        *answer.lock().unwrap() = (code, document);
        let error = cluster.find(&name("pod/web-1"), None).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.exit(), exit);
    }
}

#[tokio::test]
async fn what_may_be_done_is_asked_as_the_server_asks_it() {
    let (cluster, record) = cluster(|asked| {
        let is_exec = asked.body["spec"]["resourceAttributes"]["subresource"] == "exec";
        (201, json!({"status": {"allowed": is_exec}}))
    });
    assert!(cluster.may("shop", Right::EXEC_GET).await.unwrap());
    assert!(!cluster.may("shop", Right::ADD).await.unwrap());
    let attributes = &record.lock().unwrap()[1].body["spec"]["resourceAttributes"];
    let expected =
        json!({"namespace": "shop", "verb": "patch", "resource": "pods", "subresource": "ephemeralcontainers"});
    assert_eq!(*attributes, expected);
}

#[tokio::test]
async fn a_container_is_tried_before_it_is_added() {
    let (cluster, record) = cluster(|_| (200, pod()));
    let found = cluster.find(&name("pod/web-1"), None).await.unwrap();
    let addition = Addition {
        name: "sdbg-app-1".into(),
        image: "tool:1".into(),
        command: vec!["/scratchdbg-shim".into(), "hold".into()],
        kept: true,
        security: Security { uid: 65532, gid: 0, add: Vec::new(), drop: vec!["ALL".into()] },
    };
    cluster.try_add(&found, &addition).await.unwrap();
    cluster.add(&found, &addition).await.unwrap();
    let asked = record.lock().unwrap();
    let place = "/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers";
    assert_eq!((asked[1].method.as_str(), asked[1].path.clone()), ("PATCH", format!("{place}?dryRun=All")));
    assert_eq!((asked[2].method.as_str(), asked[2].path.as_str()), ("PATCH", place));
    assert_eq!(asked[1].body, asked[2].body);
    let expected = json!({"spec": {"ephemeralContainers": [{
        "name": "sdbg-app-1",
        "image": "tool:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/scratchdbg-shim", "hold"],
        "env": [{"name": "SCRATCHDBG_KEPT", "value": "1"}],
        "targetContainerName": "app",
        "terminationMessagePolicy": "File",
        // Nothing less satisfies the policy "restricted".
        "securityContext": {
            "runAsUser": 65532,
            "runAsGroup": 0,
            "runAsNonRoot": true,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"add": [], "drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }]}});
    assert_eq!(asked[2].body, expected);
}

#[tokio::test]
async fn why_a_container_cannot_be_added() {
    let answer = Arc::new(Mutex::new((200, pod())));
    let given = Arc::clone(&answer);
    let (cluster, _) = cluster(move |_| given.lock().unwrap().clone());
    let found = cluster.find(&name("pod/web-1"), None).await.unwrap();
    let security = Security { uid: 0, gid: 0, add: Vec::new(), drop: Vec::new() };
    let addition = Addition { name: "a".into(), image: "b".into(), command: Vec::new(), kept: false, security };
    let psa = "pods \"web-1\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities";
    let rbac = "pods \"web-1\" is forbidden: User \"ann\" cannot patch resource \"pods/ephemeralcontainers\"";
    let kyverno = "admission webhook \"validate.kyverno.svc-fail\" denied the request: no";
    let changed =
        "Pod \"web-1\" is invalid: spec.ephemeralContainers: existing ephemeral containers may not be changed";
    for (code, message, about, expected) in [
        (403, psa, "web-1", No::Policy(psa.into())),
        (400, kyverno, "", No::Policy(kyverno.into())),
        (403, rbac, "web-1", No::Right(rbac.into())),
        (404, "the server could not find the requested resource", "", No::TooOld),
        (422, changed, "web-1", No::Taken(changed.into())),
    ] {
        *answer.lock().unwrap() = (code, status(message, about));
        assert_eq!(cluster.try_add(&found, &addition).await, Err(expected), "{message}");
    }
    *answer.lock().unwrap() = (404, status("pods \"web-1\" not found", "web-1"));
    assert!(matches!(cluster.try_add(&found, &addition).await, Err(No::Failed(Error::Refused { status: 404, .. }))));
}

#[tokio::test]
async fn logs_and_the_log_of_the_run_before() {
    let (cluster, record) = cluster(|asked| match asked.path.contains("/log?") {
        true if asked.path.contains("previous=true") => (400, status("previous terminated container not found", "")),
        true => (200, json!("2026-11-23T08:27:40Z one\n2026-11-23T08:27:41Z two\n")),
        false => (200, pod()),
    });
    let found = cluster.find(&name("pod/web-1"), None).await.unwrap();
    let since = Some(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let options = LogOptions { tail: Some(5), timestamps: true, since, ..LogOptions::default() };
    let mut log = cluster.logs(&found, &options, false).await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = log.next().await {
        pieces.push(piece.unwrap());
    }
    assert_eq!(pieces.iter().map(|piece| piece.start).collect::<Vec<_>>(), [true, true]);
    let path = record.lock().unwrap()[1].path.clone();
    let query = "container=app&timestamps=true&tailLines=5&sinceTime=2023-11-14T22%3A13%3A20Z";
    assert_eq!(path, format!("/api/v1/namespaces/shop/pods/web-1/log?{query}"));
    let error = cluster.logs(&found, &options, true).await.err().unwrap();
    assert!(error.to_string().contains("previous terminated container not found"), "{error}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_told() {
    let connect = async |kubeconfig: &str, context: Option<&str>| {
        let context = context.map(str::to_owned);
        let options = Options { kubeconfig: Some(kubeconfig.into()), context, ..Options::default() };
        Cluster::connect(&options, &Journal::default()).await.unwrap_err()
    };
    let error = connect("/nonexistent/config", None).await;
    assert!(error.to_string().contains("/nonexistent/config"), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n").unwrap();
    let error = connect(file.to_str().unwrap(), Some("prod")).await;
    assert!(error.to_string().contains("prod"), "{error}");
}

/// A server that has so many pods, and knows of limits or not.
fn many(count: usize, limits: bool) -> (Cluster, Record) {
    cluster(move |asked| {
        let value = |name: &str| {
            let query = asked.path.split_once('?').map_or("", |(_, query)| query);
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.and_then(|text| text.parse::<usize>().ok())
        };
        let from = value("continue").unwrap_or(0);
        let limit = if limits { value("limit").unwrap_or(count) } else { count };
        let to = (from + limit).min(count);
        let mut list = json!({"metadata": {}, "items": vec![pod(); to - from]});
        if to < count {
            list["metadata"] = json!({"continue": to.to_string(), "remainingItemCount": count - to});
        }
        (200, list)
    })
}

#[tokio::test]
async fn pods_are_asked_for_in_parts_and_no_more_than_are_kept() {
    for (count, limits, most, kept, more, questions) in [
        (3, true, 5000, 3, None, 1),
        (1200, true, 5000, 1200, None, 3),
        (1200, true, 700, 700, Some(500), 2),
        (1200, false, 700, 700, Some(500), 1),
        (0, true, 5000, 0, None, 1),
    ] {
        let (cluster, record) = many(count, limits);
        let listed = cluster.list_some(Some("shop"), None, most).await.unwrap();
        let seen = (listed.pods, listed.rows.len(), listed.cut.then_some(listed.more.unwrap_or_default()));
        assert_eq!(seen, (kept, kept, more), "{kept} of {count}");
        assert_eq!(record.lock().unwrap().len(), questions, "{kept} of {count}");
    }
    let (cluster, record) = many(600, true);
    cluster.list_some(None, Some("app=web"), 5000).await.unwrap();
    let paths: Vec<_> = record.lock().unwrap().iter().map(|asked| asked.path.clone()).collect();
    let first = "/api/v1/pods?limit=500&labelSelector=app%3Dweb";
    assert_eq!(paths, [first.to_owned(), format!("{first}&continue=500")]);
}

#[tokio::test]
async fn pods_without_end_are_cut() {
    let (cluster, _) = cluster(|_| {
        let mut pod = pod();
        let container = pod["spec"]["containers"][0].clone();
        pod["spec"]["containers"] = json!(vec![container; 100]);
        (200, json!({"metadata": {"continue": "more"}, "items": [pod]}))
    });
    let listed = cluster.list_some(None, None, 5).await.unwrap();
    assert_eq!((listed.rows.len(), listed.cut, listed.more), (40, true, None));
}

#[tokio::test]
async fn how_a_container_is_in_a_list() {
    let (cluster, _) = cluster(|_| {
        let mut ended = pod();
        ended["metadata"]["creationTimestamp"] = json!("2026-11-23T07:00:00Z");
        ended["metadata"]["deletionTimestamp"] = json!("2026-11-23T09:00:00Z");
        ended["status"]["containerStatuses"][0]["restartCount"] = json!(7);
        ended["status"]["containerStatuses"][0]["state"] =
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off \u{1b}[2J 5m0s"}});
        ended["status"]["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T08:30:00Z"}});
        (200, json!({"items": [ended]}))
    });
    let listed = cluster.list_some(None, None, 10).await.unwrap();
    let row = &listed.rows[0];
    assert_eq!((row.status.as_str(), row.restarts, row.leaving), ("CrashLoopBackOff", 7, true));
    let last = row.last.as_ref().unwrap();
    assert_eq!((last.code, last.reason.as_str(), last.at.is_some()), (137, "OOMKilled", true));
    assert_eq!((row.message.as_str(), row.created.is_some()), ("back-off \u{1b}[2J 5m0s", true));
}

#[tokio::test]
async fn namespaces_are_names() {
    let (cluster, record) = cluster(|_| (200, json!({"items": [{"metadata": {"name": "shop"}}, {"metadata": {}}]})));
    assert_eq!(cluster.namespaces().await.unwrap(), ["shop", ""]);
    assert_eq!(record.lock().unwrap()[0].path, "/api/v1/namespaces?limit=5000");
}

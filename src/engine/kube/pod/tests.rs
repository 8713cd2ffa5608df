use serde_json::{Value, json};

use super::*;
use crate::exit::{Exit, Explain as _};

fn read(document: Value, named: Option<&str>) -> Result<Pod, Error> {
    Pod::of(&serde_json::from_value(document).unwrap(), named)
}

fn document(containers: &[&str], statuses: &Value) -> Value {
    let containers: Vec<Value> = containers.iter().map(|name| json!({"name": name, "image": "shop:1"})).collect();
    json!({
        "metadata": {"name": "web", "namespace": "prod", "uid": "u"},
        "spec": {"containers": containers, "initContainers": [{"name": "setup"}]},
        "status": {"phase": "Running", "containerStatuses": statuses},
    })
}

#[test]
fn which_container() {
    let chosen = |document, named| read(document, named).map(|pod| pod.name);
    assert_eq!(chosen(document(&["app"], &json!([])), None).unwrap(), "app");
    assert_eq!(chosen(document(&["app", "proxy"], &json!([])), Some("proxy")).unwrap(), "proxy");
    assert_eq!(chosen(document(&["app"], &json!([])), Some("setup")).unwrap(), "setup");
    let mut annotated = document(&["app", "proxy"], &json!([]));
    annotated["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "proxy"});
    assert_eq!(chosen(annotated.clone(), None).unwrap(), "proxy");
    assert_eq!(chosen(annotated, Some("app")).unwrap(), "app");
    let error = chosen(document(&["app", "proxy"], &json!([])), None).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit()),
        ("pod prod/web has several containers: app, proxy", Exit::Usage)
    );
    let error = chosen(document(&["app"], &json!([])), Some("ap")).unwrap_err();
    assert_eq!((error.hint().as_deref(), error.exit()), (Some("there is: app"), Exit::NoTarget));
}

#[test]
fn as_whom_it_runs() {
    let user = |user: Value, of_container: Value, of_pod: Value| {
        let mut document = document(&["app"], &json!([{"name": "app", "user": user}]));
        document["spec"]["containers"][0]["securityContext"] = of_container;
        document["spec"]["securityContext"] = of_pod;
        read(document, None).unwrap().user
    };
    let told = json!({"linux": {"uid": 65532, "gid": 0, "supplementalGroups": null}});
    // What is told counts, whatever was asked for: the image's group is not used.
    assert_eq!(user(told, json!({"runAsGroup": 7}), json!({})), User::Told { uid: 65532, gid: 0 });
    assert_eq!(
        user(json!({}), json!({"runAsUser": 5}), json!({"runAsUser": 6, "runAsGroup": 7})),
        User::Asked { uid: 5, gid: 7 }
    );
    assert_eq!(user(json!({}), json!({}), json!({"runAsUser": 6})), User::Asked { uid: 6, gid: 0 });
    assert_eq!(user(json!({}), json!({}), json!({"runAsGroup": 6})), User::OfImage);
}

#[test]
fn what_became_of_it() {
    let of = |phase: &str, status: Value| {
        let mut document = document(&["app"], &json!([status]));
        document["status"]["phase"] = phase.into();
        let pod = read(document, None).unwrap();
        (pod.container.state, pod.running().err().map(|error| (error.to_string(), error.hint().unwrap_or_default())))
    };
    let running = json!({"name": "app", "state": {"running": {}}});
    assert_eq!(of("Running", running.clone()), (State::Running, None));
    let (state, error) = of("Failed", running);
    assert_eq!((state, error.unwrap().0.as_str()), (State::Exited, "prod/web/app does not run: its pod has failed"));
    let loops = json!({
        "name": "app",
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
    });
    let (state, error) = of("Running", loops);
    let (message, hint) = error.unwrap();
    assert_eq!(state, State::Restarting);
    let words = "prod/web/app does not run: CrashLoopBackOff: back-off 10s; its last run ended with status 2 (Error)";
    let how = "see how it ended: scratchdbg logs --previous k8s://prod/web/app\n\
        see its files, its user and its variables in a copy in which it does not run: add --copy";
    assert_eq!((message.as_str(), hint.as_str()), (words, how));
    let (state, error) = of("Pending", json!({"name": "app", "state": {"waiting": {"reason": "ErrImagePull"}}}));
    let (message, hint) = error.unwrap();
    assert_eq!((state, message.as_str()), (State::Created, "prod/web/app does not run: ErrImagePull"));
    assert_eq!(hint, "see why: kubectl describe pod -n prod web");
}

#[test]
fn what_closes_a_pod() {
    let closed = |change: fn(&mut Value)| {
        let mut document = document(&["app"], &json!([]));
        change(&mut document);
        read(document, None).unwrap().closed
    };
    assert_eq!(closed(|_| {}), None);
    assert_eq!(closed(|pod| pod["spec"]["os"] = json!({"name": "windows"})), Some(Closed::Windows));
    assert_eq!(
        closed(|pod| pod["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z".into()),
        Some(Closed::Deleted)
    );
    let mirror = |pod: &mut Value| pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    assert_eq!(closed(mirror), Some(Closed::Static));
}

#[test]
fn what_was_added_before() {
    let mut document = document(&["app"], &json!([]));
    document["spec"]["ephemeralContainers"] = json!([
        {"name": "sdbg-app-1", "image": "tool:1", "targetContainerName": "app"},
        {"name": "sdbg-app-2", "image": "tool:1"},
        {"name": "sdbg-app-3", "image": "tool:1"},
    ]);
    document["status"]["ephemeralContainerStatuses"] = json!([
        {"name": "sdbg-app-1", "state": {"running": {}}},
        {"name": "sdbg-app-2", "state": {"terminated": {"exitCode": 137, "reason": "Error"}}},
    ]);
    document["spec"]["shareProcessNamespace"] = true.into();
    let pod = read(document, None).unwrap();
    assert_eq!(pod.processes, Processes::OfPod);
    assert_eq!(pod.added("sdbg-app-1").unwrap().target.as_deref(), Some("app"));
    let states: Vec<_> = pod.ephemeral.iter().map(|one| one.state.clone()).collect();
    assert_eq!(states, [Standing::Running, Standing::Ended { code: 137, why: "Error".into() }, Standing::Untold]);
}

#[test]
fn quantities() {
    for (text, expected) in [
        ("1024", Some(1024)),
        ("64Mi", Some(64 << 20)),
        ("1G", Some(1_000_000_000)),
        ("1.5Gi", None),
        ("", None),
        ("99999999999999999999", None),
        ("20000000Ti", None),
    ] {
        assert_eq!(bytes(text), expected, "{text}");
    }
}

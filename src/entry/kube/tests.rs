//! The way in, with a service in the place of a cluster. What a helper does inside is tested on containers.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::engine::kube::tests::{Asked, Record, cluster, pod as document};
use crate::engine::kube::wire;
use crate::entry::Identity;
use crate::exit::{Exit, Explain as _};

fn pod(change: impl FnOnce(&mut Value)) -> Pod {
    let mut document = document();
    change(&mut document);
    Pod::of(&serde_json::from_value::<wire::Pod>(document).unwrap(), None).unwrap()
}

fn uid(document: &mut Value, uid: u32) {
    document["status"]["containerStatuses"][0]["user"]["linux"]["uid"] = uid.into();
}

fn rights(document: &mut Value, rights: Value) {
    document["spec"]["containers"][0]["securityContext"] = rights;
}

fn ladder(pod: &Pod, identity: Identity) -> Vec<String> {
    level::ladder(pod, identity).unwrap_or_default().iter().map(Level::identity).collect()
}

#[test]
fn never_more_than_looking_takes() {
    let of = |change: fn(&mut Value)| ladder(&pod(change), Identity::Target);
    // Group 0: what the cluster tells, not what the image says.
    assert_eq!(of(|_| {}), ["65532:0, no capabilities"]);
    // What is added to a user who is not root is not effective.
    assert_eq!(of(|pod| rights(pod, json!({"capabilities": {"add": ["NET_ADMIN"]}}))), ["65532:0, no capabilities"]);
    assert_eq!(of(|pod| uid(pod, 0)), ["0:0, SYS_PTRACE", "0:0, the runtime's usual capabilities"]);
    let bare = |pod: &mut Value| {
        uid(pod, 0);
        rights(pod, json!({"capabilities": {"drop": ["ALL"]}}));
    };
    assert_eq!(of(bare), ["0:0, no capabilities"]);
    let some = |pod: &mut Value| {
        uid(pod, 0);
        rights(pod, json!({"capabilities": {"drop": ["ALL"], "add": ["CAP_NET_BIND_SERVICE"]}}));
    };
    assert_eq!(of(some), ["0:0, SYS_PTRACE", "0:0, NET_BIND_SERVICE"]);
    for all in [json!({"privileged": true}), json!({"capabilities": {"add": ["SYS_ADMIN"]}})] {
        let pod = pod(|pod| {
            uid(pod, 0);
            rights(pod, all);
        });
        assert_eq!(ladder(&pod, Identity::Target), ["0:0, SYS_PTRACE"]);
    }
    let plain = pod(|_| {});
    assert_eq!(ladder(&plain, Identity::Root), ["0:0, SYS_PTRACE"]);
    assert_eq!(ladder(&plain, Identity::User { uid: 7, gid: 8 }), ["7:8, no capabilities"]);
    let untold = pod(|pod| pod["status"]["containerStatuses"][0]["user"] = json!({}));
    assert_eq!(level::ladder(&untold, Identity::Target), None);
    for level in level::ladder(&pod(|pod| uid(pod, 0)), Identity::Target).unwrap() {
        assert!(!level.security.add.iter().any(|one| one == "DAC_READ_SEARCH"), "{level:?}");
    }
}

#[test]
fn names_that_are_free() {
    let of = |names: &[&str], target: &str| {
        let mut one = pod(|pod| {
            pod["spec"]["ephemeralContainers"] = names.iter().map(|name| json!({"name": name})).collect();
        });
        target.clone_into(&mut one.name);
        holder::free_name(&one)
    };
    assert_eq!(of(&[], "app"), "sdbg-app-1");
    assert_eq!(of(&["sdbg-app-1", "other"], "app"), "sdbg-app-2");
    assert_eq!(of(&["sdbg-app-2"], "app"), "sdbg-app-1");
    let long = of(&[], &"a".repeat(63));
    assert!(long.len() <= 63 && long.ends_with("a-1"), "{long}");
}

/// A cluster with one pod: `answer` says what becomes of dry runs and of additions; the kubelet makes of the latter what `state` says.
fn with(answer: impl Fn(&Asked) -> Option<(u16, Value)> + Send + Sync + 'static, state: Value) -> (Cluster, Record) {
    let added: Mutex<Option<Value>> = Mutex::new(None);
    cluster(move |asked| {
        if let Some(answer) = answer(asked) {
            return answer;
        }
        let mut pod = document();
        match asked.path.split('?').next().unwrap_or_default() {
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
                return (201, json!({"status": {"allowed": true}}));
            }
            path if path.ends_with("/ephemeralcontainers") && path == asked.path => {
                *added.lock().unwrap() = Some(asked.body["spec"]["ephemeralContainers"][0].clone());
            }
            _ => {}
        }
        if let Some(one) = added.lock().unwrap().as_ref() {
            pod["spec"]["ephemeralContainers"] = json!([one]);
            if !state.is_null() {
                pod["status"]["ephemeralContainerStatuses"] = json!([{"name": one["name"], "state": state}]);
            }
        }
        (200, pod)
    })
}

fn refused(message: &str) -> (u16, Value) {
    (403, json!({"message": message, "details": {"name": "web-1"}}))
}

async fn entered(cluster: &Cluster, pod: &Pod) -> Error {
    enter(cluster, pod, &Access::default(), &Journal::default()).await.unwrap_err()
}

fn additions(record: &Record) -> usize {
    let record = record.lock().unwrap();
    record.iter().filter(|asked| asked.method == "PATCH" && !asked.path.contains("dryRun")).count()
}

#[tokio::test]
async fn what_cannot_be_done_is_told_before_anything_is_added() {
    let (cluster, record) = with(|_| None, json!({"running": {}}));
    for (change, access, words, exit) in [
        (
            (|pod| pod["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z".into()) as fn(&mut Value),
            Access::default(),
            "it is being deleted",
            Exit::No,
        ),
        (
            |pod| pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"}),
            Access::default(),
            "static pod",
            Exit::No,
        ),
        (|_| {}, Access { write: true, ..Access::default() }, "only reads", Exit::NotPermitted),
        (|_| {}, Access { via: Via::Sidecar, ..Access::default() }, "through its cluster alone", Exit::Usage),
        (
            |pod| pod["status"]["containerStatuses"][0]["user"] = json!({}),
            Access::default(),
            "nobody tells as whom",
            Exit::Usage,
        ),
    ] {
        let error = enter(&cluster, &pod(change), &access, &Journal::default()).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.hint().is_some() && error.exit() == exit, "{error}");
    }
    assert_eq!(record.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_node_that_does_not_run_what_is_made_here_is_told_before_anything_is_added() {
    let node = |asked: &Asked| {
        let info = json!({"nodeInfo": {"architecture": "riscv64"}});
        (asked.path == "/api/v1/nodes/n1").then(|| (200, json!({"metadata": {"name": "n1"}, "status": info})))
    };
    let (cluster, record) = with(node, json!({"running": {}}));
    let error = entered(&cluster, &pod(|_| {})).await;
    assert!(error.to_string().starts_with("node n1 is riscv64, and scratchdbg-toolkit:"), "{error}");
    assert!(error.hint().unwrap().contains("--image") && error.exit() == Exit::No);
    assert_eq!(additions(&record), 0);
}

#[tokio::test]
async fn each_missing_right_is_named() {
    for (right, subresource) in [("patch pods/ephemeralcontainers", "ephemeralcontainers"), ("get pods/exec", "exec")] {
        let denies = move |asked: &Asked| {
            let denied = asked.body["spec"]["resourceAttributes"]["subresource"] == subresource;
            denied.then(|| (201, json!({"status": {"allowed": false}})))
        };
        let (cluster, record) = with(denies, Value::Null);
        let error = entered(&cluster, &pod(|_| {})).await;
        let words = format!("RBAC does not let you look into pods of namespace shop: missing {right}");
        assert_eq!((error.to_string(), error.exit()), (words, Exit::NotPermitted));
        assert!(error.hint().unwrap().contains("scratchdbg kube rbac"));
        assert_eq!(additions(&record), 0);
    }
}

#[tokio::test]
async fn the_best_that_is_allowed_is_found_by_dry_runs_alone() {
    let no_ptrace = |asked: &Asked| {
        let add = &asked.body["spec"]["ephemeralContainers"][0]["securityContext"]["capabilities"]["add"];
        (*add == json!(["SYS_PTRACE"])).then(|| refused("violates PodSecurity \"baseline:latest\": SYS_PTRACE"))
    };
    let (cluster, record) = with(no_ptrace, json!({"waiting": {"reason": "ErrImagePull"}}));
    let root = pod(|pod| uid(pod, 0));
    let plan = plan(&cluster, &root, &Access::default()).await.unwrap();
    assert_eq!((plan.ids.uid, plan.keep, additions(&record)), (0, 0, 0));
    let error = entered(&cluster, &root).await;
    assert!(matches!(error, Error::Stuck { .. }), "{error}");
    // Of the two ways only the one that is allowed was added, and once.
    let record = record.lock().unwrap();
    let added: Vec<_> =
        record.iter().filter(|asked| asked.method == "PATCH" && !asked.path.contains("dryRun")).collect();
    assert_eq!(added.len(), 1);
    let rights = &added[0].body["spec"]["ephemeralContainers"][0]["securityContext"]["capabilities"];
    assert_eq!(*rights, json!({"add": [], "drop": []}));
}

#[tokio::test]
async fn a_policy_that_forbids_every_way_speaks_for_itself() {
    let never = |asked: &Asked| (asked.method == "PATCH").then(|| refused("violates PodSecurity \"restricted\": x"));
    let (cluster, record) = with(never, Value::Null);
    let error = entered(&cluster, &pod(|pod| uid(pod, 0))).await;
    let words = error.to_string();
    assert!(words.contains("as root with the right to look: violates PodSecurity"), "{words}");
    assert!(words.contains("as root with the target's own capabilities: violates PodSecurity"), "{words}");
    assert!(error.hint().unwrap().contains("Pod Security Admission"));
    assert_eq!((error.exit(), additions(&record)), (Exit::NotPermitted, 0));
}

#[tokio::test(start_paused = true)]
async fn whatever_kubectl_waits_for_without_end_ends_here_with_advice() {
    for (state, words, advice) in [
        (
            json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}}),
            "ErrImagePull: not found",
            "image push",
        ),
        (json!({"waiting": {"reason": "ImagePullBackOff"}}), "ImagePullBackOff", "image save"),
        (json!({"waiting": {"reason": "InvalidImageName"}}), "InvalidImageName", "REGISTRY/NAME:TAG"),
        (json!({"waiting": {"reason": "ErrImageNeverPull"}}), "ErrImageNeverPull", "image push"),
        (
            json!({"waiting": {"reason": "CreateContainerConfigError", "message": "will run as root"}}),
            "will run as root",
            "image build",
        ),
        (json!({"waiting": {"reason": "CreateContainerError"}}), "CreateContainerError", "image build"),
        (json!({"waiting": {"reason": "RunContainerError", "message": "no such file"}}), "no such file", "image build"),
        (json!({"waiting": {"reason": "ContainerCreating"}}), "within 5 s: ContainerCreating", "--timeout"),
        (Value::Null, "within 5 s: nothing is told of it", "kubelet of n1"),
        (json!({"terminated": {"exitCode": 2, "reason": "Error"}}), "with status 2: Error", "image build"),
        (
            json!({"terminated": {"exitCode": 137, "reason": "Error"}}),
            "with status 137",
            "logs --previous k8s://shop/web-1/app",
        ),
    ] {
        let (cluster, record) = with(|_| None, state.clone());
        let begun = tokio::time::Instant::now();
        let error = entered(&cluster, &pod(|_| {})).await;
        assert!(error.to_string().contains(words), "{state}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(advice)), "{state}: {:?}", error.hint());
        assert!(begun.elapsed() <= std::time::Duration::from_secs(6), "{state}");
        assert_eq!(additions(&record), 1, "{state}");
    }
}

/// A deadline of somebody's own, say: what was added is told to end, whenever it comes to run.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_one_and_gives_up_has_it_ended() {
    let (cluster, record) = with(|_| None, json!({"waiting": {"reason": "ContainerCreating"}}));
    let target = pod(|_| {});
    let (access, journal) = (Access::default(), Journal::default());
    let entering = enter(&cluster, &target, &access, &journal);
    let given_up = tokio::time::timeout(std::time::Duration::from_secs(2), entering).await;
    assert!(given_up.is_err() && additions(&record) == 1);
    crate::engine::kube::holding::settle().await;
    let stops = |asked: &&Asked| asked.path.contains("/exec?") && asked.path.contains("command=stop");
    assert!(record.lock().unwrap().iter().filter(stops).count() > 0, "{:#?}", record.lock().unwrap());
    // That is what is asked about before many are added.
    assert!(would_add(&cluster, &target, &Access::default()));
    let closed = pod(|pod| pod["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z".into());
    assert!(!would_add(&cluster, &closed, &Access::default()));
}

#[tokio::test]
async fn one_that_runs_is_used_again() {
    let holder = |name: &str, gid: u32, image: &str, target: &str| {
        // Whoever added it for one command is about to end it.
        let kept = if name == "sdbg-app-4" { json!([]) } else { json!([{"name": "SCRATCHDBG_KEPT", "value": "1"}]) };
        json!({
            "name": name, "image": image, "targetContainerName": target, "env": kept,
            "securityContext": {
                "runAsUser": 65532, "runAsGroup": gid, "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
            },
        })
    };
    let image = crate::engine::kube::Terms::default().image;
    let with_holders = |state: &Value| {
        pod(|pod| {
            pod["spec"]["ephemeralContainers"] = json!([
                holder("debugger-x", 0, &image, "app"),
                holder("sdbg-app-1", 7, &image, "app"),
                holder("sdbg-app-2", 0, "another", "app"),
                holder("sdbg-app-4", 0, &image, "app"),
                holder("sdbg-proxy-1", 0, &image, "proxy"),
                holder("sdbg-app-3", 0, &image, "app"),
            ]);
            let names = ["debugger-x", "sdbg-app-1", "sdbg-app-2", "sdbg-app-4", "sdbg-proxy-1", "sdbg-app-3"];
            pod["status"]["ephemeralContainerStatuses"] =
                names.iter().map(|name| json!({"name": name, "state": state})).collect();
        })
    };
    let (cluster, record) = with(|_| None, Value::Null);
    let there = with_holders(&json!({"running": {}}));
    let levels = level::ladder(&there, Identity::Target).unwrap();
    let (_, name) = holder::choose(&cluster, &there, &levels, None).await.unwrap();
    assert_eq!((name.as_deref(), record.lock().unwrap().len()), (Some("sdbg-app-3"), 0));
    assert!(!would_add(&cluster, &there, &Access::default()));
    let ended = with_holders(&json!({"terminated": {"exitCode": 0}}));
    let (_, name) = holder::choose(&cluster, &ended, &levels, None).await.unwrap();
    // A dry run, and a look at the node.
    assert_eq!((name, record.lock().unwrap().len()), (None, 2));
    // Then nothing is added, and whoever may not may use it.
    let denies = |asked: &Asked| {
        let denied = asked.body["spec"]["resourceAttributes"]["subresource"] == "ephemeralcontainers";
        denied.then(|| (201, json!({"status": {"allowed": false}})))
    };
    let (other, _) = with(denies, Value::Null);
    assert_eq!(addition(&other, &there, &Access::default()).await.unwrap(), None);
    let missing = addition(&other, &ended, &Access::default()).await.unwrap_err();
    assert!(matches!(missing, Error::Rights { .. }), "{missing}");
    // One that was found to have ended is not found again, whatever is told of it.
    let (_, name) = holder::choose(&cluster, &there, &levels, Some("sdbg-app-3")).await.unwrap();
    assert_eq!(name, None);
}

/// Its helper is there already.
#[tokio::test]
async fn nothing_is_added_to_a_copy() {
    use crate::engine::kube::copy::{COPY_OF, INSTALLER};
    let (cluster, record) = with(|_| Some(refused("nobody may do anything")), Value::Null);
    let copy = pod(|pod| {
        pod["metadata"]["labels"] = json!({COPY_OF: "u-0"});
        pod["spec"]["initContainers"] = json!([{"name": INSTALLER, "image": "t:1"}]);
    });
    assert!(!would_add(&cluster, &copy, &Access::default()));
    assert_eq!(addition(&cluster, &copy, &Access::default()).await.unwrap(), None);
    assert_eq!(record.lock().unwrap().len(), 0);
}

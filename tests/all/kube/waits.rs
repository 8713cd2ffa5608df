//! Whatever kubectl waits for without end ends here inside its deadline, with advice.

use std::time::{Duration, Instant};

use fakekube::{FakeKube, Fault, User};
use serde_json::{Value, json};

use super::looker::{Looker, added, pod, restricted};
use crate::require_engine;
use crate::support::command::run;

#[test]
fn what_never_starts_is_given_up_with_advice() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    for (number, (fault, words)) in (1..).zip([
        (Fault::ErrImagePull, ["ErrImagePull", "image push"]),
        (Fault::CreateContainerConfigError, ["CreateContainerConfigError", "image build"]),
        (Fault::NeverStarts, ["within 2 s: ContainerCreating", "--timeout"]),
    ]) {
        kube.breaks(&format!("shop/web/sdbg-app-{number}"), fault);
        let begun = Instant::now();
        let told = jane.runs(&["ls", "k8s://shop/web:/", "--timeout", "2s", "-q"]);
        assert!(begun.elapsed() < Duration::from_secs(15), "{fault:?}");
        told.fails_with(1, &words);
    }
}

/// A server that is in trouble for a moment has done what it was asked all the same, and what was added stays in the pod for good.
#[test]
fn a_server_in_trouble_is_asked_again() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    kube.breaks("shop/web", Fault::LostAnswer);
    // After it has been added, and while it starts.
    for _ in 0..3 {
        kube.breaks("shop/web/sdbg-app-1", Fault::Unwell);
    }
    kube.breaks("shop/web", Fault::SlowStatus(Duration::from_millis(500)));
    let done = jane.runs(&["ls", "k8s://shop/web:/", "-v"]).ok();
    assert!(done.text().contains("shop"));
    for words in ["sdbg-app-1 was added to pod shop/web", "undone: "] {
        assert!(done.stderr.contains(words), "no {words:?} in:\n{}", done.stderr);
    }
    assert_eq!(added(&kube, "shop", "web").len(), 1);
}

#[test]
fn an_image_that_is_nowhere_or_is_another() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let told = jane.runs(&["ls", "k8s://shop/web:/", "--image", "scratchdbg-test/nothing:0", "-q"]);
    told.fails_with(1, &["scratchdbg-test/nothing:0", "image push", "image save"]);
    // There is no helper in it.
    let told = jane.runs(&["ls", "k8s://shop/web:/", "--image", "scratchdbg-test/shop", "-q"]);
    told.fails_with(1, &["/scratchdbg-shim", "image build"]);
}

/// Whoever may read nodes is told what the pod's node has already.
#[test]
fn an_image_that_is_on_the_node() {
    require_engine!();
    let kube = restricted();
    let images = json!([
        {"names": ["r.example/tools/scratchdbg-toolkit@sha256:0", "r.example/tools/scratchdbg-toolkit:0.1.0"]},
        {"names": ["docker.io/library/nginx:1"]},
    ]);
    kube.apply(
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"images": images}}),
    );
    let jane = Looker::new(&kube, User::debugger("jane"));
    let joe = Looker::new(&kube, User::debugger("joe").may(&["get"], &["nodes"]));
    let looks = |who: &Looker| who.runs(&["ls", "k8s://shop/web:/", "--image", "scratchdbg-test/nothing:0", "-q"]);
    looks(&joe)
        .fails_with(1, &["its node has another one", "--image r.example/tools/scratchdbg-toolkit:0.1.0", "image push"]);
    let told = looks(&jane).fails_with(1, &["image push"]);
    assert!(!told.stderr.contains("r.example"), "{}", told.stderr);
}

/// Of an image that was named nobody knows for which machines it is.
#[test]
fn a_node_that_is_another_kind_of_machine() {
    require_engine!();
    let kube = restricted();
    let status = json!({"nodeInfo": {"architecture": "riscv64"}});
    kube.apply(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": status}));
    let joe = Looker::new(&kube, User::debugger("joe").may(&["get"], &["nodes"]));
    let mut unnamed = joe.command(&["ls", "k8s://shop/web:/"]);
    unnamed.env_remove("SCRATCHDBG_IMAGE");
    run(unnamed).fails_with(1, &["node node-1 is riscv64", "image push", "nothing was added"]);
    assert!(added(&kube, "shop", "web").is_empty());
    joe.runs(&["ls", "k8s://shop/web:/", "-q"]).quietly();
}

#[test]
fn a_status_that_comes_late_and_a_kubelet_that_is_late() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    kube.breaks("shop/web/sdbg-app-1", Fault::SlowStatus(Duration::from_millis(1500)));
    jane.runs(&["ls", "k8s://shop/web:/", "-q"]).quietly();
    kube.breaks("shop/web/sdbg-app-2", Fault::PlainText500);
    let told = jane.runs(&["ls", "k8s://shop/web:/", "-q"]);
    told.fails_with(1, &["the helper does not begin in sdbg-app-2", "container not found"]);
}

#[test]
fn a_pod_that_has_done_its_work_is_told_at_once() {
    require_engine!();
    let kube = FakeKube::start();
    let done = json!({"image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", "exit 0"]});
    kube.apply(pod("default", "done", done, &json!({"restartPolicy": "Never"})));
    kube.wait_for_pod("default", "done", "its end", |pod: &Value| pod["status"]["phase"] == "Succeeded");
    let jane = Looker::new(&kube, User::debugger("jane"));
    jane.runs(&["ps", "pod/done"]).fails_with(4, &["default/done/app does not run", "ended with status 0"]);
}

//! Whatever forbids it says so in its own words, with what to do, and before anything is added.

use fakekube::{FakeKube, User};
use serde_json::json;

use super::looker::{Looker, added, namespace, pod, restricted, shop};
use crate::require_engine;

#[test]
fn each_missing_right_is_named_with_the_role_to_ask_for() {
    require_engine!();
    let kube = restricted();
    for (verb, resource, words) in [
        ("patch", "pods/ephemeralcontainers", "missing patch pods/ephemeralcontainers"),
        ("get", "pods/exec", "missing get pods/exec"),
        ("get", "pods", "cannot get resource \"pods\""),
    ] {
        let without = Looker::new(&kube, User::debugger("joe").but_not(verb, resource));
        without.runs(&["ls", "k8s://shop/web:/"]).fails_with(3, &[words, "scratchdbg kube rbac"]);
        assert_eq!(added(&kube, "shop", "web").len(), 0, "{resource}");
    }
    let without = Looker::new(&kube, User::debugger("joe").but_not("get", "pods/log"));
    without.runs(&["logs", "k8s://shop/web"]).fails_with(3, &["cannot get resource \"pods/log\"", "kube rbac"]);
    let without = Looker::new(&kube, User::debugger("joe").but_not("list", "pods"));
    without.runs(&["list", "--pods", "-n", "shop"]).fails_with(3, &["cannot list resource \"pods\"", "kube rbac"]);
    // The built-in role lacks just this, on purpose.
    let editor = Looker::new(&kube, User::editor("ed"));
    editor.runs(&["ls", "k8s://shop/web:/"]).fails_with(3, &["pods/ephemeralcontainers", "edit and admin lack"]);
    assert_eq!(added(&kube, "shop", "web").len(), 0);
}

/// From Kubernetes 1.35 on a connection takes `create` as well, which older ones do not ask for: so it is tried.
#[test]
fn a_right_that_only_newer_clusters_ask_for_is_told_when_it_is_asked_for() {
    require_engine!();
    let kube = restricted();
    let without = Looker::new(&kube, User::debugger("joe").but_not("create", "pods/exec"));
    let told = without.runs(&["ls", "k8s://shop/web:/", "-q"]);
    told.fails_with(3, &["begin a program in the container that was added", "scratchdbg kube rbac"]);
}

/// A pod that is older than the policy of its namespace is judged as a whole.
#[test]
fn a_policy_speaks_for_itself() {
    require_engine!();
    let kube = FakeKube::start();
    namespace(&kube, "old", "privileged");
    kube.run(pod("old", "box", json!({"image": "scratchdbg-test/toolbox", "args": ["sleep"]}), &json!({})));
    namespace(&kube, "old", "restricted");
    let jane = Looker::new(&kube, User::debugger("jane"));
    let told = jane.runs(&["ls", "k8s://old/box:/"]);
    told.fails_with(
        3,
        &["violates PodSecurity \"restricted", "Pod Security Admission", "as root with the right to look"],
    );
    assert_eq!(added(&kube, "old", "box").len(), 0);
}

#[test]
fn what_this_door_cannot_do_is_said_with_what_can() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let web = "k8s://shop/web";
    jane.runs(&["ps", web, "--via", "sidecar"]).fails_with(2, &["through its cluster alone", "leave out --via"]);
    jane.runs(&["cp", "--write", "/etc/hostname", "k8s://shop/web:/tmp/x"]).fails_with(3, &["only reads", "cri://"]);
    jane.runs(&["ls", "k8s://shop/other:/"])
        .fails_with(4, &["there is no pod/other in namespace shop", "there is: web"]);
    jane.runs(&["ls", "k8s://shop/web/ap:/"]).fails_with(4, &["no container \"ap\"", "there is: app"]);
    jane.runs(&["ls", "k8s://shop/web:/", "--as", "7:7", "-q"])
        .fails_with(3, &["7:7, no capabilities", "--as 65532:0"]);
}

/// The kernel wants the group to be the same, too: this is what others get wrong.
#[test]
fn the_group_counts() {
    require_engine!();
    let kube = FakeKube::start();
    kube.run(pod("default", "web", shop(), &json!({})));
    let jane = Looker::new(&kube, User::debugger("jane"));
    let told = jane.runs(&["ls", "pod/web:/", "--as", "65532:65532", "-q"]);
    told.fails_with(3, &["65532:65532", "runs as 65532:0 with no capabilities", "--as 65532:0"]);
    jane.runs(&["ls", "pod/web:/", "--as", "65532:0", "-q"]).quietly();
}

#[test]
fn nobody_and_nowhere() {
    require_engine!();
    let kube = FakeKube::start();
    let jane = Looker::new(&kube, User::new("jane"));
    jane.runs(&["ps", "pod/web"]).fails_with(3, &["is forbidden", "kube rbac"]);
    jane.runs(&["ps", "pod/web", "--context", "prod"]).fails_with(2, &["prod", "--context"]);
    jane.runs(&["ps", "pod/web", "--kubeconfig", "/nonexistent"]).fails_with(2, &["/nonexistent", "--kubeconfig"]);
    jane.runs(&["ps", "pod/web", "-n", "../secrets"]).fails_with(2, &["is no namespace"]);
    let role = jane.runs(&["kube", "rbac", "-n", "shop"]).quietly().text();
    assert!(role.contains("namespace: shop") && role.contains("pods/ephemeralcontainers"), "{role}");
    // The same user as somebody else, if they may.
    let boss = Looker::new(&kube, User::admin("boss"));
    let asked = boss.runs(&["ps", "pod/web", "--impersonate", "jane"]);
    asked.fails_with(3, &["User \"jane\" cannot get resource \"pods\""]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::copy(kube.user(User::new("jane")), &file).unwrap();
    drop(kube);
    let asked = jane.runs(&["ps", "pod/web", "--kubeconfig", file.to_str().unwrap()]);
    asked.fails_with(5, &["does not answer", "kubectl version"]);
}

//! What cannot be copied is refused before anything is made; what cannot begin is deleted, and told why.

use std::time::{Duration, Instant};

use fakekube::{FakeKube, Fault, User};
use serde_json::json;

use super::{COPIES, CRASHES, copier, copies, crashing, no_copy};
use crate::kube::looker::{Looker, namespace, pod, shop};
use crate::require_engine;

#[test]
fn rights_are_asked_for_before_anything_is_made() {
    require_engine!();
    let kube = crashing();
    let place = format!("{CRASHES}:/");
    for (verb, resource, words) in [
        ("create", "pods", "missing create pods"),
        // Whoever could not delete it does not make it.
        ("delete", "pods", "missing delete pods"),
        ("get", "pods/exec", "missing get pods/exec"),
    ] {
        let joe = Looker::new(&kube, copier().but_not(verb, resource));
        let told = joe.runs(&["ls", &place, "--copy", "--yes"]);
        told.fails_with(3, &[words, "scratchdbg kube rbac --copy"]);
        assert!(copies(&joe).is_empty(), "{verb} {resource}");
    }
    let jane = Looker::new(&kube, User::debugger("jane"));
    let role = jane.runs(&["kube", "rbac", "-n", "shop", "--copy"]).quietly().text();
    assert!(role.contains("[\"create\", \"delete\"]"), "{role}");
}

#[test]
fn nothing_is_made_without_a_yes() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let place = format!("{CRASHES}:/");
    let told = jane.runs(&["ls", &place, "--copy", "-q"]).ends_with(2);
    for words in [
        "a copy of pod shop/web would be made",
        "no terminal to ask on",
        "--yes",
        "init containers (migrate)",
        "cpu 10m",
    ] {
        assert!(told.stderr.contains(words), "no {words:?} in:\n{}", told.stderr);
    }
    jane.runs(&["ls", &place, "--copy", "--yes", "--read-only"]).fails_with(3, &["--read-only"]);
    jane.runs(&["goroutines", CRASHES, "--copy", "--yes"]).fails_with(2, &["it does not run"]);
    jane.runs(&["logs", CRASHES, "--copy"]).fails_with(2, &["commands that look into a pod"]);
    jane.runs(&["ps", "pid://1", "--copy", "--yes"]).fails_with(2, &["only pods are copied"]);
    assert!(copies(&jane).is_empty());
}

#[test]
fn the_clusters_own_words_are_told_and_nothing_is_made() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let looks = || jane.runs(&["ls", &format!("{CRASHES}:/"), "--copy", "--yes"]);
    kube.breaks(COPIES, Fault::Refused("exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4"));
    looks().fails_with(3, &["lets no copy of pod shop/web be", "exceeded quota: small", "nothing was made"]);
    // By a dry run: it is told before anybody is asked.
    jane.runs(&["ls", &format!("{CRASHES}:/"), "--copy", "-q"]).fails_with(3, &["exceeded quota: small"]);
    kube.mend(COPIES);

    // A pod that is older than the policy of its namespace.
    namespace(&kube, "old", "privileged");
    kube.run(pod("old", "box", json!({"image": "scratchdbg-test/toolbox", "args": ["sleep"]}), &json!({})));
    namespace(&kube, "old", "restricted");
    let told = jane.runs(&["ls", "k8s://old/box:/", "--copy", "--yes"]);
    told.fails_with(3, &["violates PodSecurity \"restricted", "container \"app\"", "nothing was made"]);
    assert!(copies(&jane).is_empty());
}

#[test]
fn what_does_not_begin_is_deleted_and_told() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let looks = |more: &[&str]| {
        let begun = Instant::now();
        let args = ["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-q", "--timeout", "2s"];
        let ended = jane.runs(&[&args, more].concat());
        assert!(begun.elapsed() < Duration::from_secs(20));
        ended
    };
    for (fault, words) in [
        (Fault::Unschedulable, ["Unschedulable: 0/1 nodes are available: 1 Insufficient memory", "--same-node"]),
        (Fault::ErrImagePull, ["sdbg-helper cannot start in pod shop/sdbg-copy-web-", "image push"]),
        (Fault::NeverStarts, ["within 2 s: ContainerCreating", "--timeout"]),
    ] {
        kube.breaks(COPIES, fault);
        looks(&[]).fails_with(1, &words);
        kube.mend(COPIES);
        no_copy(&jane);
    }
    // One without a helper that can be put elsewhere: another image, or one of an older version.
    looks(&["--image", "scratchdbg-test/toolbox"]).fails_with(1, &["sdbg-helper", "image build"]);
    no_copy(&jane);
    looks(&["--same-node"]).quietly();
}

/// What a node says of a volume is in the events alone, which may be read or not.
#[test]
fn events_tell_what_a_status_does_not() {
    require_engine!();
    let kube = crashing();
    kube.breaks(COPIES, Fault::NeverStarts);
    let jane = Looker::new(&kube, copier().may(&["list"], &["events"]));
    let args = ["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-q", "--timeout", "4s"];
    let child = jane.command(&args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let name = super::copy(&jane);
    kube.apply(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "attach", "namespace": "shop"}, "type": "Warning",
        "reason": "FailedAttachVolume", "message": "Multi-Attach error for volume \"pvc-1\"",
        "involvedObject": {"kind": "Pod", "name": name},
    }));
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("FailedAttachVolume: Multi-Attach error") && told.contains("--same-node"), "{told}");
    no_copy(&jane);
}

#[test]
fn one_that_runs_can_be_copied_as_well() {
    require_engine!();
    let kube = FakeKube::start();
    namespace(&kube, "shop", "restricted");
    kube.run(pod("shop", "web", shop(), &json!({})));
    let jane = Looker::new(&kube, copier());
    let all = jane.runs(&["ps", CRASHES, "--copy", "--yes", "-q", "--json"]).quietly().json();
    assert_eq!(all["processes"][0]["name"], "scratchdbg-shim");
    no_copy(&jane);
    assert!(kube.pod("shop", "web")["spec"]["ephemeralContainers"].is_null());
}

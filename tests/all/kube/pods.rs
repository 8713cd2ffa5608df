//! The pods of our API server are what a kubelet makes of them: users, processes and network by the kernel's own rules.

use fakekube::{FakeKube, Fault, User};
use serde_json::{Value, json};

use super::sample::{pod, shell, strict, web};
use crate::support::engine::try_docker;
use crate::support::kubectl::run_kubectl;
use crate::{require_engine, require_kubectl};

/// Adds a container of this name with a shell, as this user and group, beside the app of a pod.
fn add(kube: &FakeKube, admin: &std::path::Path, pod: &str, name: &str, context: &Value) {
    let custom = kube.folder().join(format!("{name}.json"));
    std::fs::write(&custom, json!({ "securityContext": context }).to_string()).unwrap();
    let custom = format!("--custom={}", custom.display());
    let image = "--image=scratchdbg-test/shell";
    run_kubectl(admin, &["debug", pod, image, "--target=app", "-q", "--profile=baseline", &custom, "-c", name]).ok();
}

fn runs(kube: &FakeKube, pod: &str, name: &'static str) -> Value {
    let pod = kube.wait_for_pod("default", pod, "it to run", move |pod| {
        let all = pod["status"]["ephemeralContainerStatuses"].as_array();
        all.is_some_and(|all| {
            all.iter().any(|status| status["name"] == name && status["state"].get("running").is_some())
        })
    });
    let all = pod["status"]["ephemeralContainerStatuses"].as_array().unwrap();
    all.iter().find(|status| status["name"] == name).unwrap().clone()
}

#[test]
fn who_may_look_is_for_the_kernel_to_say() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let admin = kube.user(User::admin("admin"));
    kube.run(web());
    assert_eq!(
        kube.pod("default", "web")["status"]["containerStatuses"][0]["user"]["linux"],
        json!({ "uid": 65532, "gid": 0, "supplementalGroups": [0] })
    );
    for (name, group) in [("same", 0), ("other", 65532)] {
        let mut context = strict();
        context["runAsGroup"] = json!(group);
        add(&kube, &admin, "web", name, &context);
    }
    let user = &runs(&kube, "web", "other")["user"]["linux"];
    assert_eq!((&user["uid"], &user["gid"]), (&json!(65532), &json!(65532)));
    runs(&kube, "web", "same");
    let look = |name: &str| run_kubectl(&admin, &["exec", "web", "-c", name, "--", "/bin/ls", "/proc/1/root/"]);
    assert!(look("same").quietly().text().contains("shop"), "the same user and group see the files");
    let refused = look("other").ends_with(1);
    assert!(refused.stderr.contains("Permission denied"), "{refused:?}");
    // And as the API server's own words have it, it has no capability and gains none.
    let status = run_kubectl(&admin, &["exec", "web", "-c", "same", "--", "/bin/cat", "/proc/self/status"]);
    let status = status.quietly().text();
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "no {line:?} in:\n{status}");
    }
}

#[test]
fn a_shared_process_namespace_is_that_of_the_pause() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let admin = kube.user(User::admin("admin"));
    let mut shared = pod("web", &web()["spec"]["containers"][0], &json!({ "shareProcessNamespace": true }));
    shared["spec"]["containers"].as_array_mut().unwrap().push(shell()["spec"]["containers"][0].clone());
    shared["spec"]["containers"][1]["name"] = json!("side");
    kube.run(shared);
    let ps = run_kubectl(&admin, &["exec", "web", "-c", "side", "--", "/bin/ps"]).quietly().text();
    let first = ps.lines().find(|line| line.trim_start().starts_with("1 ")).unwrap();
    assert!(!first.contains("/shop") && ps.contains("/shop"), "{ps}");
    let unnamed = run_kubectl(&admin, &["get", "--raw", "/api/v1/namespaces/default/pods/web/log"]).ends_with(1);
    assert!(unnamed.stderr.contains("choose one of: [app side]"), "{unnamed:?}");
}

#[test]
fn what_is_added_ends_with_its_target_and_is_not_started_again() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let admin = kube.user(User::admin("admin"));
    kube.run(web());
    add(&kube, &admin, "web", "dbg", &strict());
    runs(&kube, "web", "dbg");
    let target = kube.container_id("default", "web", "app").unwrap();
    try_docker(&["kill", &target]).unwrap();
    let pod = kube.wait_for_pod("default", "web", "both ends", |pod| {
        let app = &pod["status"]["containerStatuses"][0];
        let state = &pod["status"]["ephemeralContainerStatuses"][0]["state"];
        app["restartCount"] == 1 && app["state"].get("running").is_some() && state.get("terminated").is_some()
    });
    let ended = &pod["status"]["ephemeralContainerStatuses"][0]["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&json!(137), &json!("Error")));
    assert_ne!(kube.container_id("default", "web", "app").unwrap(), target, "a new container, as a kubelet has it");
}

#[test]
fn nothing_of_a_pod_stays() {
    require_engine!();
    let kube = FakeKube::start();
    kube.run(web());
    kube.apply(pod("late", &json!({ "image": "scratchdbg-test/shell" }), &json!({})));
    let owner = format!("label=scratchdbg-test.owner={}", std::process::id());
    let folder = kube.folder().to_owned();
    let list = ["ps", "--all", "--quiet", "--filter", &owner, "--filter", "name=scratchdbg-test-kube"];
    assert!(try_docker(&list).unwrap().lines().count() >= 2);
    drop(kube);
    assert!(!folder.exists());
    assert_eq!(try_docker(&list).unwrap(), "");
}

#[test]
fn what_goes_wrong_is_told_as_a_kubelet_tells_it() {
    require_engine!();
    let kube = FakeKube::start();
    let reason = |wanted: &'static str| {
        move |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == wanted
    };
    for (name, fault, wanted) in [
        ("image", Fault::ErrImagePull, "ImagePullBackOff"),
        ("config", Fault::CreateContainerConfigError, "CreateContainerConfigError"),
        ("never", Fault::NeverStarts, "ContainerCreating"),
    ] {
        kube.breaks(&format!("default/{name}"), fault);
        kube.apply(pod(name, &json!({ "image": "scratchdbg-test/shell" }), &json!({})));
        kube.wait_for_pod("default", name, wanted, reason(wanted));
    }
    let missing = json!({ "image": "scratchdbg-test/shop", "command": ["/bin/sh"] });
    kube.apply(pod("missing", &missing, &json!({})));
    let pod = kube.wait_for_pod("default", "missing", "its trouble", reason("RunContainerError"));
    let words = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap().to_owned();
    assert!(words.contains("exec: \"/bin/sh\": stat /bin/sh: no such file or directory"), "{words}");
    // What goes wrong no more, is tried again.
    kube.mend("default/image");
    kube.wait_for_pod("default", "image", "it to run", |pod| pod["status"]["phase"] == "Running");
}

#[test]
fn a_pod_ends_at_its_deadline_and_says_so() {
    require_engine!();
    let kube = FakeKube::start();
    kube.run(pod("brief", &json!({ "image": "scratchdbg-test/shell" }), &json!({ "activeDeadlineSeconds": 2 })));
    let id = kube.container_id("default", "brief", "app").unwrap();
    let pod = kube.wait_for_pod("default", "brief", "its end", |pod| pod["status"]["phase"] == "Failed");
    assert_eq!(pod["status"]["reason"], "DeadlineExceeded");
    assert!(try_docker(&["inspect", &id]).is_err(), "the container is still there");
    assert_eq!(kube.container_id("default", "brief", "app"), None, "nothing of it is started again");
}

#[test]
fn what_comes_first_ends_before_the_rest_begins() {
    require_engine!();
    let kube = FakeKube::start();
    let mount = json!([{ "name": "work", "mountPath": "/work" }]);
    let shell = "scratchdbg-test/shell";
    let first = json!({ "name": "first", "image": shell, "volumeMounts": mount,
        "command": ["/bin/sh", "-c", "echo coins > /work/word"] });
    let app = json!({ "image": shell, "volumeMounts": mount,
        "command": ["/bin/sh", "-c", "/bin/cat /work/word; exec /bin/sleep 600"] });
    let volumes = json!([{ "name": "work", "emptyDir": {} }]);
    kube.run(pod("box", &app, &json!({ "initContainers": [first], "volumes": volumes })));
    kube.wait_for_log("default", "box", "app", "coins");
    let init = &kube.pod("default", "box")["status"]["initContainerStatuses"][0];
    assert_eq!((&init["state"]["terminated"]["exitCode"], &init["ready"]), (&json!(0), &json!(true)));
}

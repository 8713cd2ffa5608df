//! `kubectl debug`: what it adds, what it is refused, and what it waits for.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use fakekube::{FakeKube, User};
use serde_json::json;

use crate::kube::sample::{namespace, pod, web, within};
use crate::support::kubectl::{kubectl, run_kubectl, run_kubectl_with};
use crate::{require_engine, require_kubectl};

/// How `kubectl debug` begins that adds a container beside the app.
const DEBUG: [&str; 7] = ["debug", "web", "--image=scratchdbg-test/shell", "--target=app", "-c", "dbg", "-q"];

#[test]
fn nothing_becomes_of_what_is_added_to_a_pod_that_has_ended() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    let container = json!({ "image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", "exit 0"] });
    kube.apply(pod("web", &container, &json!({ "restartPolicy": "Never" })));
    kube.wait_for_pod("default", "web", "its end", |pod| pod["status"]["phase"] == "Succeeded");
    run_kubectl(&user, &[&DEBUG[..], &["--", "/bin/sh"]].concat()).ok();
    let pod = kube.pod("default", "web");
    assert_eq!(pod["spec"]["ephemeralContainers"][0]["name"], "dbg");
    assert_eq!(pod["status"]["ephemeralContainerStatuses"], json!(null));
}

#[test]
fn a_container_is_added_and_attached() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(web());
    let script = "read word; echo got $word; /bin/ps; exit 7";
    let args = [&DEBUG[..], &["-i", "--profile=general", "--", "/bin/sh", "-c", script]].concat();
    let ended = run_kubectl_with(&user, &args, "coins\n").ok();
    let text = ended.text();
    assert!(text.contains("got coins"), "{ended:?}");
    // It shares the processes of the app.
    assert!(text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == ["1", "65532", "/shop"]), "{text}");
    let pod = kube.wait_for_pod("default", "web", "its end", |pod| {
        pod["status"]["ephemeralContainerStatuses"][0]["state"].get("terminated").is_some()
    });
    let state = &pod["status"]["ephemeralContainerStatuses"][0]["state"]["terminated"];
    assert_eq!((&state["exitCode"], &state["reason"]), (&json!(7), &json!("Error")), "{state}");
    let attached = run_kubectl(&user, &["logs", "web", "-c", "dbg"]).quietly().text();
    assert!(attached.contains("got coins"), "what is typed and seen through attach is logged: {attached}");
}

#[test]
fn what_a_namespace_forbids_is_said() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    for level in ["baseline", "restricted"] {
        kube.apply(namespace(level, level));
        kube.run(within(level, web()));
        let args = [&DEBUG[..], &["-n", level, "--profile=general", "--", "/bin/sh"]].concat();
        let refused = run_kubectl(&user, &args).ends_with(1);
        let words = format!("pods \"web\" is forbidden: violates PodSecurity \"{level}:latest\": ");
        assert!(refused.stderr.contains(&words), "{refused:?}");
        assert!(refused.stderr.contains("must not include \"SYS_PTRACE\""), "{refused:?}");
        assert_eq!(kube.pod(level, "web")["spec"]["ephemeralContainers"], json!(null), "nothing of it stays");
    }
    // kubectl's own answer to that cannot start: the image would run as root.
    let args = [&DEBUG[..], &["-n", "restricted", "--profile=restricted", "--", "/bin/sh"]].concat();
    run_kubectl(&user, &args).ok();
    kube.wait_for_pod("restricted", "web", "the kubelet's word", |pod| {
        let waiting = &pod["status"]["ephemeralContainerStatuses"][0]["state"]["waiting"];
        let words = waiting["message"].as_str().unwrap_or_default();
        waiting["reason"] == "CreateContainerConfigError" && words.contains("image will run as root")
    });
}

#[test]
fn missing_rights_are_said() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let editor = kube.user(User::editor("jane"));
    kube.run(web());
    let refused = run_kubectl(&editor, &DEBUG).ends_with(1);
    let words = "pods \"web\" is forbidden: User \"jane\" cannot patch resource \"pods/ephemeralcontainers\" in API group \
                 \"\" in the namespace \"default\"";
    assert!(refused.stderr.contains(words), "{refused:?}");
    let reader = kube.user(User::debugger("reader").but_not("create", "pods/exec"));
    let refused = run_kubectl(&reader, &["exec", "web", "--", "/shop"]).ends_with(1);
    assert!(refused.stderr.contains("pods \"web\" is forbidden: "), "{refused:?}");
    let admin = kube.user(User::admin("admin"));
    let as_jane = [&DEBUG[..], &["--as", "jane"]].concat();
    let refused = run_kubectl(&admin, &as_jane).ends_with(1);
    assert!(refused.stderr.contains(words), "{refused:?}");
    let refused = run_kubectl(&editor, &["get", "pods", "--as", "admin"]).ends_with(1);
    let may_not = "users \"admin\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" at \
                   the cluster scope";
    assert!(refused.stderr.contains(may_not), "{refused:?}");
    let nobody = kube.user(User::new("nobody"));
    let refused = run_kubectl(&nobody, &["get", "pods"]).ends_with(1);
    let words = "pods is forbidden: User \"nobody\" cannot list resource \"pods\" in API group \"\" in the namespace \
                 \"default\"";
    assert!(refused.stderr.contains(words), "{refused:?}");
}

#[test]
fn kubectl_waits_for_ever_for_an_image() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(web());
    let args = ["debug", "web", "-i", "--image=scratchdbg-test/no-such", "--target=app", "-c", "dbg", "--", "/x"];
    let mut command = kubectl(&user, &args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It says what it sees, and waits on.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("container dbg: ") && line.contains("scratchdbg-test/no-such"));
    kube.wait_for_pod("default", "web", "a back-off", |pod| {
        pod["status"]["ephemeralContainerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    });
    let ended = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.is_some() && ended.is_none(), "it said {said:?} and ended: {ended:?}");
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let admin = kube.user(User::admin("admin"));
    kube.apply(namespace("strict", "restricted"));
    let mut strict_web = within("strict", web());
    strict_web["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = json!(true);
    kube.run(strict_web);
    let before = kube.pod("strict", "web");
    let mut context = before["spec"]["containers"][0]["securityContext"].clone();
    let mut patch = |name: &str, escalation: bool, dry: bool| {
        context["allowPrivilegeEscalation"] = json!(escalation);
        let list = json!([{ "name": name, "image": "scratchdbg-test/shell", "targetContainerName": "app",
            "securityContext": context }]);
        let patch = json!({ "spec": { "ephemeralContainers": list } }).to_string();
        let dry = if dry { "--dry-run=server" } else { "--dry-run=none" };
        let args = ["patch", "pod", "web", "-n", "strict", "--subresource=ephemeralcontainers", "-p", &patch, dry];
        run_kubectl(&admin, &[&args[..], &["-o", "name"]].concat())
    };
    assert_eq!(patch("good", false, true).ok().text(), "pod/web\n");
    let refused = patch("bad", true, true).ends_with(1).stderr;
    assert!(refused.contains("container \"bad\" must set securityContext.allowPrivilegeEscalation=false"), "{refused}");
    let refused = patch("app", false, true).ends_with(1).stderr;
    assert!(refused.contains("spec.ephemeralContainers[0].name: Duplicate value: \"app\""), "{refused}");
    assert_eq!(kube.pod("strict", "web"), before, "nothing of it stays");
    patch("good", false, false).ok();
    kube.wait_for_pod("strict", "web", "it to run", |pod| {
        pod["status"]["ephemeralContainerStatuses"][0]["state"].get("running").is_some()
    });
    let write = ["exec", "web", "-n", "strict", "-c", "good", "--", "/bin/sh", "-c", "echo > /new"];
    let refused = run_kubectl(&admin, &write).ends_with(1).stderr;
    assert!(refused.contains("Read-only file system"), "{refused}");
}

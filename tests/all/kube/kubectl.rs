//! Our API server is held against the real kubectl: what it does here, it does in a cluster.

mod debug;
mod forward;

use fakekube::{FakeKube, Fault, User};
use serde_json::json;

use super::sample::{pod, shell, web};
use crate::support::kubectl::{program, run_kubectl, run_kubectl_with};
use crate::support::pty::Setup;
use crate::{require_engine, require_kubectl};

#[test]
fn pods_are_listed_awaited_and_deleted() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let admin = kube.user(User::admin("admin"));
    kube.apply(web());
    run_kubectl(&admin, &["wait", "--for=condition=Ready", "pod/web", "--timeout=20s"]).ok();
    let table = run_kubectl(&admin, &["get", "pods", "-l", "app in (web)"]).quietly().text();
    let words: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(&words[..9], ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "web", "1/1", "Running", "0"], "{table}");
    let none = run_kubectl(&admin, &["get", "pods", "-l", "app=other"]).ok();
    assert!(none.stderr.contains("No resources found in default namespace."), "{none:?}");
    let absent = run_kubectl(&admin, &["get", "pod", "other"]).ends_with(1);
    assert_eq!(absent.stderr, "Error from server (NotFound): pods \"other\" not found\n");
    let id = kube.container_id("default", "web", "app").unwrap();
    run_kubectl(&admin, &["delete", "pod", "web"]).ok();
    assert!(crate::support::engine::try_docker(&["inspect", &id]).is_err(), "the container is still there");
}

#[test]
fn logs_are_read() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(web());
    kube.wait_for_log("default", "web", "app", "shop open");
    let log = run_kubectl(&user, &["logs", "web", "--tail=1"]).quietly().text();
    assert!(log.contains("\"shop open\"") && log.lines().count() == 1, "{log}");
    let other = run_kubectl(&user, &["logs", "web", "-c", "other"]).ends_with(1);
    assert!(other.stderr.contains("container other is not valid for pod web"), "{other:?}");
    let before = run_kubectl(&user, &["logs", "web", "--previous"]).ends_with(1);
    assert!(before.stderr.contains("previous terminated container \"app\" in pod \"web\" not found"), "{before:?}");
}

#[test]
fn the_log_before_a_restart_is_read() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    let container =
        json!({ "image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", "echo no more coins; exit 3"] });
    kube.apply(pod("crash", &container, &json!({})));
    kube.wait_for_pod("default", "crash", "a back-off", |pod| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    });
    assert_eq!(run_kubectl(&user, &["logs", "crash", "--previous"]).quietly().text(), "no more coins\n");
    let last = "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}";
    assert_eq!(run_kubectl(&user, &["get", "pod", "crash", "-o", last]).quietly().text(), "3");
}

#[test]
fn commands_are_executed() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(shell());
    let script = "read word; echo got $word; echo oh >&2; exit 7";
    let ended = run_kubectl_with(&user, &["exec", "-i", "box", "--", "/bin/sh", "-c", script], "coins\n").ends_with(7);
    assert_eq!(ended.text(), "got coins\n");
    assert_eq!(ended.stderr, "oh\ncommand terminated with exit code 7\n");
    // The end of the input gets through.
    let input = "a line\n".repeat(20_000);
    let copied = run_kubectl_with(&user, &["exec", "-i", "box", "--", "/bin/cat"], &input).quietly();
    assert_eq!(copied.text().len(), input.len());
    let missing = run_kubectl(&user, &["exec", "box", "--", "/nothing"]).ends_with(1);
    assert!(missing.stderr.contains("exec: \"/nothing\": stat /nothing: no such file or directory"), "{missing:?}");
    kube.breaks("default/box/app", Fault::PlainText500);
    let late = run_kubectl(&user, &["exec", "box", "--", "/bin/ls"]).ends_with(1);
    assert!(late.stderr.contains("container not found (\"app\")"), "{late:?}");
}

#[test]
fn the_right_to_create_alone_is_enough_for_kubectl() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane").but_not("get", "pods/exec").but_not("get", "pods/attach"));
    kube.run(shell());
    // It is refused a WebSocket, and takes SPDY.
    let script = "read word; echo got $word; echo oh >&2; exit 7";
    let args = ["exec", "-i", "box", "--", "/bin/sh", "-c", script];
    let ended = run_kubectl_with(&user, &args, "coins\n").ends_with(7);
    assert_eq!(ended.text(), "got coins\n");
    assert_eq!(ended.stderr, "oh\ncommand terminated with exit code 7\n");
    let input = "a line\n".repeat(20_000);
    let copied = run_kubectl_with(&user, &["exec", "-i", "box", "--", "/bin/cat"], &input).quietly();
    assert_eq!(copied.text().len(), input.len());
    // As it does where the server knows no newer protocol.
    let other = kube.user(User::debugger("other"));
    kube.breaks("default/box", Fault::V4Only);
    run_kubectl_with(&other, &args, "coins\n").ends_with(7);
    let image = "--image=scratchdbg-test/shell";
    let debug = ["debug", "box", image, "-i", "-q", "--", "/bin/sh", "-c", "read word; echo got $word"];
    assert!(run_kubectl_with(&user, &debug, "coins\n").ok().text().contains("got coins"));
}

#[test]
fn a_watch_that_is_too_late_is_begun_again() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.breaks("default/web", Fault::WatchExpired);
    let watch = "/api/v1/namespaces/default/pods?watch=true&resourceVersion=7";
    let told = run_kubectl(&user, &["get", "--raw", watch]).quietly().json_lines();
    assert_eq!((told.len(), &told[0]["type"]), (1, &json!("ERROR")), "{told:?}");
    assert_eq!((&told[0]["object"]["code"], &told[0]["object"]["reason"]), (&json!(410), &json!("Expired")));
    kube.breaks("default/web", Fault::WatchExpired);
    kube.apply(web());
    run_kubectl(&user, &["wait", "--for=condition=Ready", "pod/web", "--timeout=20s"]).ok();
}

#[test]
fn a_deployment_leads_to_its_pods() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane").may(&["get"], &["deployments"]));
    kube.run(web());
    kube.wait_for_log("default", "web", "app", "shop open");
    kube.apply(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "front" },
        "spec": { "selector": { "matchLabels": { "app": "web" } } } }));
    let log = run_kubectl(&user, &["logs", "deploy/front"]).ok().text();
    assert!(log.contains("\"shop open\""), "{log}");
    let other = run_kubectl(&user, &["logs", "deploy/back"]).ends_with(1);
    assert!(other.stderr.contains("(NotFound): deployments.apps \"back\" not found"), "{other:?}");
}

#[test]
fn a_terminal_gets_through() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(shell());
    let (program, folder) = (program().unwrap(), kube.folder().to_owned());
    let mut terminal = Setup::program(program.to_str().unwrap(), &["exec", "-it", "box", "--", "/bin/sh"])
        .env("KUBECONFIG", user.to_str().unwrap())
        .env("HOME", folder.to_str().unwrap())
        .size(90, 30)
        .start();
    // Its size may come after the first answer: it is asked until it is there.
    for (columns, rows) in [(90, 30), (70, 20)] {
        terminal.resize(columns, rows);
        terminal.press("until /bin/busybox stty size | /bin/busybox grep -q '");
        terminal.press(&format!("{rows} {columns}'; do /bin/sleep 0.1; done; echo size $((columns = {columns}))\r"));
        terminal.wait_for(&format!("size {columns}"));
    }
    terminal.press("exit 7\r");
    assert_eq!(terminal.wait_exit().exit_code(), 7);
}

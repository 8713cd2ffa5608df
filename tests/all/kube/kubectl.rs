//! Our API server is held against the real kubectl: what it does here, it does in a cluster.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use fakekube::{FakeKube, Fault, User};
use serde_json::json;

use super::sample::{namespace, pod, shell, web, within};
use crate::support::kubectl::{kubectl, program, run_kubectl, run_kubectl_with};
use crate::support::pty::Setup;
use crate::support::wait;
use crate::{require_engine, require_kubectl};

/// How `kubectl debug` begins that adds a container beside the app.
const DEBUG: [&str; 7] = ["debug", "web", "--image=scratchdbg-test/shell", "--target=app", "-c", "dbg", "-q"];

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
fn a_port_of_the_loopback_is_forwarded() {
    require_engine!();
    require_kubectl!();
    crate::require_root!();
    let kube = FakeKube::start();
    let user = kube.user(User::debugger("jane"));
    kube.run(web());
    kube.wait_for_log("default", "web", "app", "shop open");
    // What nobody outside can reach: its page of figures listens on its own loopback.
    let forward = Forward::start(&user, "web", 6060);
    let mut page = ask(forward.port, "/metrics");
    assert!(page.contains("shop_orders_placed_total"), "{page}");
    page = ask(forward.port, "/metrics");
    assert!(page.contains("go_goroutines"), "a second connection: {page}");
    let closed = Forward::start(&user, "web", 1);
    assert_eq!(ask(closed.port, "/"), "");
    assert!(closed.says("connect: connection refused"), "nobody listens there");
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

/// `kubectl port-forward`, as long as this lives.
struct Forward {
    child: Child,
    port: u16,
    errors: Arc<Mutex<String>>,
}

impl Forward {
    fn start(kubeconfig: &Path, pod: &str, port: u16) -> Self {
        let mut command = kubectl(kubeconfig, &["port-forward", pod, &format!(":{port}")]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.next().expect("where it listens");
        let local = line.strip_prefix("Forwarding from 127.0.0.1:").and_then(|rest| rest.split(' ').next());
        let local = local.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        let errors = Arc::new(Mutex::new(String::new()));
        let (said, stderr) = (Arc::clone(&errors), child.stderr.take().unwrap());
        thread::spawn(move || {
            // It tells of every connection, and ends when nobody reads that.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                said.lock().unwrap().push_str(&line);
            }
        });
        thread::spawn(move || lines.for_each(drop));
        Self { child, port: local, errors }
    }

    fn says(&self, words: &str) -> bool {
        wait::ask_within(wait::PATIENCE, || self.errors.lock().unwrap().contains(words).then_some(())).is_some()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a web server on a port of this host answers; nothing if the connection just ends.
fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

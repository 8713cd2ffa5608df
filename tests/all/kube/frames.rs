//! The frames of exec and port-forward, as a real API server was seen to send them.

use fakekube::{FakeKube, Fault, Refused, Sent, User};
use serde_json::{Value, json};

use super::sample::{shell, strict, web};
use crate::require_engine;
use crate::support::kubectl::run_kubectl;
use crate::support::{engine, wait};

const BOTH: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
const EXEC: &str = "/api/v1/namespaces/default/pods/box/exec?container=app&stdin=true&stdout=true&stderr=true";

/// The path that executes a script.
fn script(text: &str) -> String {
    let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("{EXEC}&command=/bin/sh&command=-c&command={}", encoded.concat())
}

fn started() -> FakeKube {
    let kube = FakeKube::start();
    kube.user(User::debugger("jane"));
    kube.run(shell());
    kube
}

fn frame(channel: u8, bytes: &[u8]) -> Sent {
    Sent::Frame(channel, bytes.to_vec())
}

#[track_caller]
fn status(sent: &Sent) -> Value {
    match sent {
        Sent::Frame(3, bytes) => serde_json::from_slice(bytes).unwrap(),
        other => panic!("no status: {other:?}"),
    }
}

#[test]
fn a_command_in_frames() {
    require_engine!();
    let kube = started();
    for (offer, protocol) in [(BOTH, "v5.channel.k8s.io"), ("v4.channel.k8s.io", "v4.channel.k8s.io")] {
        let exec = kube.frames("jane", &script("read word; echo got $word; exit 7"), offer).ok().unwrap();
        assert_eq!(exec.protocol, protocol);
        assert_eq!(exec.receive(), frame(1, b""));
        exec.send(0, b"coins\n");
        assert_eq!(exec.receive(), frame(1, b"got coins\n"));
        let status = status(&exec.receive());
        assert_eq!((&status["status"], &status["reason"]), (&json!("Failure"), &json!("NonZeroExitCode")));
        assert_eq!(status["details"]["causes"], json!([{ "reason": "ExitCode", "message": "7" }]));
        assert_eq!(exec.receive(), Sent::Closed(1000));
    }
    let exec = kube.frames("jane", &script("/bin/cat; echo oh >&2"), BOTH).ok().unwrap();
    exec.send(255, &[0]);
    assert_eq!(exec.receive(), frame(1, b""));
    assert_eq!(exec.receive(), frame(2, b"oh\n"), "the end of its input was seen");
    assert_eq!(status(&exec.receive()), json!({ "metadata": {}, "status": "Success" }));
}

#[test]
fn what_can_go_wrong_with_a_connection() {
    require_engine!();
    let kube = started();
    let path = script("echo hello; read word");
    kube.breaks("default/box", Fault::V4Only);
    let Err(refused) = kube.frames("jane", &path, "v5.channel.k8s.io") else { panic!("it agreed") };
    assert_eq!(refused.0, 403);
    assert_eq!(kube.frames("jane", &path, BOTH).ok().unwrap().protocol, "v4.channel.k8s.io");
    kube.mend("default/box");
    kube.breaks("default/box", Fault::Dropped(3));
    let exec = kube.frames("jane", &path, BOTH).ok().unwrap();
    assert_eq!((exec.receive(), exec.receive(), exec.receive()), (frame(1, b""), frame(1, b"hel"), Sent::Broken));
    kube.mend("default/box");
    kube.breaks("default/box/app", Fault::PlainText500);
    let words = "container not found (\"app\")".to_owned();
    let refused = kube.frames("jane", &path, BOTH).err();
    assert_eq!(refused, Some(Refused(500, "text/plain; charset=utf-8".to_owned(), words)));
}

#[test]
fn a_websocket_wants_two_rights() {
    require_engine!();
    let kube = started();
    let path = script("echo hello");
    let refusal = |user: User, words: &str| {
        kube.user(user.clone());
        let Err(Refused(code, _, body)) = kube.frames(&user.name, &path, BOTH) else { panic!("it agreed") };
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((code, &body["reason"], &body["message"]), (403, &json!("Forbidden"), &json!(words)));
    };
    let scope = "in API group \"\" in the namespace \"default\"";
    let words = format!("pods \"box\" is forbidden: User \"get\" cannot get resource \"pods/exec\" {scope}");
    refusal(User::debugger("get").but_not("get", "pods/exec"), &words);
    refusal(User::debugger("create").but_not("create", "pods/exec"), "pods \"box\" is forbidden: ");
    let missing = path.replace("container=app", "container=other");
    let Err(Refused(code, _, body)) = kube.frames("jane", &missing, BOTH) else { panic!("it agreed") };
    assert!(code == 400 && body.contains("container other is not valid for pod box"), "{code} {body}");
}

#[test]
fn a_port_in_frames() {
    require_engine!();
    crate::require_root!();
    let kube = FakeKube::start();
    kube.user(User::debugger("jane"));
    kube.run(web());
    kube.wait_for_log("default", "web", "app", "shop open");
    let path = "/api/v1/namespaces/default/pods/web/portforward?ports=6060&ports=1";
    let ports = kube.frames("jane", path, "v4.channel.k8s.io").ok().unwrap();
    let heads: Vec<Sent> = (0..4).map(|_| ports.receive()).collect();
    let (open, closed) = (6060_u16.to_le_bytes(), 1_u16.to_le_bytes());
    assert_eq!(heads, [frame(0, &open), frame(1, &open), frame(2, &closed), frame(3, &closed)]);
    let Sent::Frame(3, words) = ports.receive() else { panic!("no word of the closed port") };
    assert!(String::from_utf8_lossy(&words).contains("127.0.0.1:1: connect: connection refused"));
    ports.send(0, b"GET /metrics HTTP/1.0\r\n\r\n");
    let mut page = Vec::new();
    while let Sent::Frame(0, bytes) = ports.receive() {
        page.extend(bytes);
    }
    assert!(String::from_utf8_lossy(&page).contains("shop_orders_placed_total"));
}

#[test]
fn a_status_may_be_late() {
    require_engine!();
    crate::require_kubectl!();
    let kube = FakeKube::start();
    let user = kube.user(User::admin("admin"));
    kube.run(web());
    kube.breaks("default/web/dbg", Fault::SlowStatus(wait::PATIENCE * 30));
    let custom = kube.folder().join("custom.json");
    std::fs::write(&custom, json!({ "securityContext": strict() }).to_string()).unwrap();
    let custom = format!("--custom={}", custom.display());
    let image = "--image=scratchdbg-test/shell";
    run_kubectl(&user, &["debug", "web", image, "--target=app", "-c", "dbg", "--profile=baseline", &custom]).ok();
    let id = wait::until("the container", || kube.container_id("default", "web", "dbg"));
    wait::until("it to run", || (engine::inspect(&id)["State"]["Running"] == true).then_some(()));
    let state = &kube.pod("default", "web")["status"]["ephemeralContainerStatuses"][0]["state"];
    assert_eq!(*state, json!({ "waiting": { "reason": "ContainerCreating" } }));
}

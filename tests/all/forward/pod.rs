//! Through a cluster, for which nothing is added to a pod.

use std::io::{Read as _, Write as _};

use fakekube::{FakeKube, Fault, User};
use nix::sys::signal::Signal;
use serde_json::json;

use super::forwarded::Forwarded;
use super::traffic;
use crate::kube::looker::{Looker, added, namespace, pod, strict};
use crate::support::kubectl::run_kubectl;
use crate::support::wait;
use crate::{require_engine, require_kubectl, require_root};

const WEB: &str = "k8s://shop/web";

/// A cluster with `tests/fixtures/ports` in a namespace that enforces `restricted`.
fn cluster() -> FakeKube {
    let kube = FakeKube::start();
    namespace(&kube, "shop", "restricted");
    let ports = json!([{"containerPort": 7100}, {"containerPort": 53, "protocol": "UDP"}]);
    let container = json!({"image": "scratchdbg-test/ports", "securityContext": strict(), "ports": ports});
    kube.run(pod("shop", "web", container, &json!({})));
    kube.wait_for_log("shop", "web", "app", "ready");
    kube
}

fn start(jane: &Looker, ports: &[&str]) -> Forwarded {
    Forwarded::start(jane.command(&[&["forward", WEB], ports].concat()), ports.len())
}

/// Who may forward ports and nothing else.
fn forwarder() -> User {
    User::new("jane").may(&["get"], &["pods"]).may(&["get", "create"], &["pods/portforward"])
}

#[test]
fn a_cluster_carries_everything_and_nothing_is_added() {
    require_engine!();
    require_root!();
    let kube = cluster();
    let jane = Looker::new(&kube, forwarder());
    let mut forward = start(&jane, &traffic::PORTS);
    assert!(forward.lines[0].ends_with(" -> shop/web/app:7100"), "{:?}", forward.lines);
    traffic::many_at_once(&forward);
    traffic::large_both_ways(&forward);
    traffic::an_answer_outlives_its_question(&forward);
    traffic::a_slow_one_is_alone(&forward);
    traffic::nobody_listens(&forward);
    assert_eq!(forward.ends_by(Signal::SIGINT), 0);
    assert_eq!(added(&kube, "shop", "web"), Vec::<serde_json::Value>::new());
}

#[test]
fn rights_that_are_missing_are_told_with_the_role_to_ask_for() {
    require_engine!();
    require_root!();
    let kube = cluster();
    let joe = Looker::new(&kube, forwarder().but_not("get", "pods/portforward"));
    let refused = joe.runs(&["forward", WEB, ":7100"]).fails_with(3, &["get pods/portforward", "kube rbac"]);
    assert!(refused.stdout.is_empty());
    // The second look is seen when it is made.
    let jim = Looker::new(&kube, forwarder().but_not("create", "pods/portforward"));
    let mut forward = start(&jim, &[":7100"]);
    let _ = forward.connect(0).read(&mut [0]);
    assert_eq!(forward.ends(), 3, "{}", forward.said());
    forward.wait_to_say("RBAC does not let you forward ports of the pod");
    jim.runs(&["forward", WEB]).fails_with(2, &["[LOCAL:]PORT", "there is: 7100 (as the pod tells)"]);
    jim.runs(&["forward", WEB, ":7100", "--via", "sidecar"]).fails_with(2, &["leave out --via"]);
}

#[test]
fn a_connection_that_breaks_is_told_and_the_next_one_is_carried() {
    require_engine!();
    require_root!();
    let kube = cluster();
    let jane = Looker::new(&kube, forwarder());
    let forward = start(&jane, &[":7104"]);
    kube.breaks("shop/web", Fault::Dropped(100_000));
    let mut stream = forward.connect(0);
    stream.write_all(b"5000000\n").unwrap();
    let end = stream.read_to_end(&mut Vec::new());
    // It does not look whole.
    assert!(end.is_err(), "{end:?}");
    forward.wait_to_say("a connection to port 7104 in shop/web/app was lost");
    kube.mend("shop/web");
    assert_eq!(forward.ask(0, "5000000\n").len(), 5_000_000);
}

#[test]
fn it_ends_with_the_pod() {
    require_engine!();
    require_kubectl!();
    require_root!();
    let kube = cluster();
    let jane = Looker::new(&kube, forwarder());
    // One that is asked for, and one that nobody uses.
    let (mut used, mut unused) = (start(&jane, &[":7104"]), start(&jane, &[":7104"]));
    assert_eq!(used.ask(0, "5\n").len(), 5);
    let admin = kube.user(User::admin("root"));
    run_kubectl(&admin, &["delete", "pod", "web", "-n", "shop", "--wait=false"]).ok();
    wait::until("the forward to notice", || {
        let _ = std::net::TcpStream::connect(("127.0.0.1", used.port(0))).map(|mut stream| stream.read(&mut [0]));
        used.said().contains("its pod is gone").then_some(())
    });
    assert_eq!((used.ends(), unused.ends()), (4, 4), "{}", used.said());
    unused.wait_to_say("shop/web/app has ended, and with it what was forwarded: its pod is gone");
}

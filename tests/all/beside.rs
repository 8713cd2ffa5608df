//! The debugger through the sidecar door: for who may use the engine and nothing more.

mod killed;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::core::{delve_says, runs_on};
use crate::guarded::session::{self, Session};
use crate::guarded::{changed_text, is_as_before};
use crate::support::client::{asked_for, asked_meanwhile};
use crate::support::command::{Ended, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::engine::{docker, has_no_cgroups, inspect, is_docker, is_podman, try_docker};
use crate::support::process::{parent, read, state, status};
use crate::support::pty::{Setup, key};
use crate::support::residue::Residue;
use crate::support::skip;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// What every request to buy goes through.
const HIT: &str = "main.(*store).buy";
/// How long a request may take that waits while somebody looks.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who may use the engine and nothing more: a member of its group, or whose it is. On a Podman of root's it is root, who
/// is told to take a sidecar.
struct Somebody(Option<Unprivileged>);

impl Somebody {
    fn new() -> Self {
        Self(if is_docker() { Some(Unprivileged::of_the_engines_group()) } else { Unprivileged::owner_of_the_engine() })
    }

    fn runs(&self, args: &[&str]) -> Ended {
        let beside = [args, &["--via", "sidecar"]].concat();
        self.0.as_ref().map_or_else(|| scratchdbg(&beside), |somebody| somebody.runs(args))
    }
}

/// The sidecar whose first process has started the guard over this Delve.
fn sidecar_of(delve: i32) -> String {
    let first = parent(parent(delve).unwrap()).unwrap();
    let all = docker(&["ps", "--quiet", "--no-trunc", "--filter", "label=io.scratchdbg.owner=scratchdbg"]);
    let is_it = |id: &&str| inspect(id)["State"]["Pid"] == first;
    all.lines().find(is_it).expect("a sidecar").to_owned()
}

#[test]
fn a_member_of_the_engines_group_gets_a_core() {
    require_engine!();
    require_root!();
    require_delve!();
    let member = Somebody::new();
    let all_rights = Run::shop().flag("--publish=127.0.0.1::8080");
    for (kind, run) in [("hardened", Run::public_shop()), ("root", all_rights)] {
        let container = run.start();
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let (core, program) = (folder.path().join("core"), folder.path().join("shop"));
        let before = Residue::of(&container).but_for_memory();
        let requests = asked_meanwhile(&container, Duration::ZERO, || {
            let told = member.runs(&["core", container.name(), "-o", core.to_str().unwrap(), "--json"]).ok();
            let json = told.json();
            assert_eq!((&json["pid"], &json["host_pid"]), (&1.into(), &container.pid().into()), "{kind}");
            assert_eq!(
                (&json["left_out_bytes"], &json["unreadable_bytes"]),
                (&0.into(), &0.into()),
                "{kind}: {json:#}"
            );
            assert_eq!(json["size"], fs::metadata(&core).unwrap().len());
            println!("{kind}: stopped for {} ms", json["pause_ms"]);
        });
        assert_eq!(requests.failed, 0, "{kind}");
        runs_on(container.pid());
        assert_eq!(fs::metadata(&core).unwrap().permissions().mode() & 0o7777, 0o600);
        member.runs(&["cp", &container.at("/shop"), program.to_str().unwrap()]).quietly();
        let commands = "goroutines\ngoroutines -with userloc watchHealth -exec frame 2 args\nprint main.errUnknown";
        let said = delve_says(&program, &core, commands);
        let (stacks, local) =
            (["main.(*store).packOrders", "main.run", "[select"], "url = \"http://127.0.0.1:8080/healthz\"");
        for words in stacks.into_iter().chain([local, "no such product"]) {
            assert!(said.contains(words), "{kind}: no {words} in:\n{said}");
        }
        before.assert_unchanged(&container);
    }
}

#[test]
fn what_it_costs_is_told_without_a_sidecar_for_it() {
    require_engine!();
    require_root!();
    let container = Run::shop().start();
    let member = Somebody::new();
    let args = ["core", container.name(), "--dry-run", "--json"];
    let (beside, here) = (member.runs(&args).ok().json(), scratchdbg(&args).ok().json());
    assert_eq!((&beside["pid"], &beside["go"]), (&here["pid"], &here["go"]));
    let here_go = here["go"].clone();
    let [beside, here] = [beside, here].map(|json| json["writable_bytes"].as_u64().unwrap());
    assert!(beside > here / 4 && beside < here * 4, "{beside} is far from {here}");
    let filter = format!("label=io.scratchdbg.target={}", container.id());
    // The engine tells of whole seconds that are over.
    let made = wait::until("it to be told", || {
        let made = docker(&["events", "--since=10m", "--until=0s", "--filter", &filter, "--filter", "event=create"]);
        (!made.is_empty()).then_some(made)
    });
    assert_eq!(made.lines().count(), 1, "the one that looks, and no other:\n{made}");
    // Who has no other way need not ask for this one.
    if let Some(somebody) = &member.0 {
        assert_eq!(somebody.runs(&args).ok().json()["go"], here_go);
    }
}

#[test]
fn a_core_that_cannot_be_had_says_why() {
    require_engine!();
    require_root!();
    let container = Run::shop().start();
    let folder = tempfile::tempdir().unwrap();
    let core = folder.path().join("core").display().to_string();
    let asks =
        |args: &[&str]| scratchdbg(&[&["core", container.name(), "-o", &core, "--via", "sidecar"], args].concat());
    asks(&["--pid", "999"]).fails_with(4, &["process 999", "has ended"]);
    asks(&["--read-only"]).fails_with(2, &["--read-only forbids"]);
    assert!(!Path::new(&core).exists());
    let little = asks(&["--most", "64K"]).ok();
    assert!(little.stderr.contains("left out: ") && little.stderr.contains("--most"), "{}", little.stderr);
    if is_podman() {
        // It starts no sidecar then, or cannot pause it at all.
        return;
    }
    container.engine_does("pause");
    let paused = asks(&["--yes"]).ends_with(1);
    assert!(paused.stderr.contains("is paused"), "{}", paused.stderr);
    container.engine_does("unpause");
}

/// A session beside the target that stands at a breakpoint which a request has hit, and what was seen there.
fn stands_at_a_breakpoint(session: &mut Session) -> session::Debugger {
    let mut debugger = session.connect();
    let breakpoint = format!(r#"{{"Breakpoint":{{"functionName":"{HIT}","line":-1}}}}"#);
    debugger.asks("CreateBreakpoint", &breakpoint);
    let state = debugger.asks("Command", r#"{"name":"continue"}"#);
    assert_eq!(state["State"]["currentThread"]["function"]["name"], HIT, "{state:#}");
    let scope = r#"{"Scope":{"GoroutineID":-1,"Frame":0},"Cfg":{"MaxStringLen":64,"MaxArrayValues":64}}"#;
    let arguments = debugger.asks("ListFunctionArgs", scope);
    let names: Vec<_> = arguments["Args"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&"s".into()), "{arguments:#}");
    debugger
}

fn is_debugged_beside(shop: &Container, capabilities: &str) {
    let uid = status(shop.pid(), "Uid").swap_remove(1);
    let before = Residue::of(shop).but_for_memory();
    let requests = asked_for("/buy", PATIENCE, shop, Duration::from_millis(1), || {
        let mut session = Session::start(shop, &["--via", "sidecar"]);
        let mut debugger = stands_at_a_breakpoint(&mut session);
        assert_eq!(state(shop.pid()), Some('t'));
        // Delve, its guard, and who carries: with the rights of who they are, in a container that is none of the target's.
        let delve = session::delve_of(shop.pid()).unwrap();
        let (guard, carrier) = (parent(delve).unwrap(), parent(parent(delve).unwrap()).unwrap());
        for pid in [delve, guard, carrier] {
            assert_eq!((&status(pid, "Uid")[1], status(pid, "CapPrm")[0].as_str()), (&uid, capabilities));
            assert_eq!(status(pid, "NoNewPrivs"), ["1"]);
            let cgroup = |pid| read(format!("/proc/{pid}/cgroup"));
            assert!(has_no_cgroups() || cgroup(pid) != cgroup(shop.pid()));
        }
        let made = inspect(&sidecar_of(delve));
        let host = &made["HostConfig"];
        assert_eq!(
            (&host["NetworkMode"], &host["ReadonlyRootfs"], &host["Privileged"]),
            (&"none".into(), &true.into(), &false.into())
        );
        assert!(is_podman() || host["CapDrop"] == serde_json::json!(["ALL"]), "{host:#}");
        debugger.asks("Command", r#"{"name":"next"}"#);
        drop(debugger);
        is_as_before(shop);
        let said = session.end();
        assert!(said.contains("docker rm -f") && said.contains("it runs on"), "{said}");
    });
    assert_eq!(requests.failed, 0);
    assert!(changed_text(shop.pid()).is_empty());
    before.assert_unchanged(shop);
}

#[test]
fn a_live_process_is_debugged_from_beside_it() {
    require_engine!();
    require_root!();
    require_delve!();
    is_debugged_beside(&Run::public_shop().start(), "0000000000000000");
    is_debugged_beside(&Run::shop().flag("--publish=127.0.0.1::8080").start(), "0000000000080000");
}

#[test]
fn a_user_with_rights_is_debugged_as_that_user() {
    require_engine!();
    require_root!();
    require_delve!();
    if is_docker() {
        return skip::not_to_be_had("Docker gives rights to user 0 alone");
    }
    let run = Run::shop().by_podman().flag("--publish=127.0.0.1::8080");
    let shop = run.flag("--user=65532:65532").flag("--cap-add=net_bind_service").start();
    assert_ne!(status(shop.pid(), "CapPrm"), ["0000000000000000"]);
    is_debugged_beside(&shop, "0000000000080000");
}

#[test]
fn a_member_of_the_engines_group_sees_both_on_the_screen() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let before = Residue::of(&container).but_for_memory();
    let setup = Setup::scratchdbg(&["attach", container.name(), "--via", "sidecar"]).size(150, 45);
    let mut terminal = setup.start();
    terminal.wait_for("scratch: no shell");
    terminal.press("7");
    terminal.wait_for("takes a snapshot");
    let requests = asked_meanwhile(&container, Duration::ZERO, || {
        terminal.press("s");
        terminal.wait_for("Take a snapshot of process 1");
        terminal.press("y");
        terminal.wait_for("SNAPSHOT ");
        terminal.wait_for("Stack of goroutine");
        terminal.press("/");
        terminal.press("watchHealth\r");
        terminal.wait_for("url \"http://127.0.0.1:8080/healthz\"");
    });
    assert_eq!(requests.failed, 0);
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.wait_for("docker rm -f");
    terminal.press("y");
    terminal.wait_for("attached");
    assert_eq!(state(container.pid()), Some('t'));
    terminal.press("D");
    is_as_before(&container);
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    before.assert_unchanged(&container);
}

#[test]
fn its_command_does_nothing_by_hand() {
    let ended = scratchdbg(&["beside"]).ends_with(2);
    assert!(ended.stderr.contains("nobody types it"), "{ended:?}");
    // It has said which version it is, for whoever may be there, and nothing else.
    assert_eq!(ended.text(), format!("scratchdbg beside {} 1\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_engine_that_stops_the_sidecar_has_the_process_let_go() {
    require_engine!();
    require_root!();
    require_delve!();
    let shop = Run::public_shop().start();
    let mut session = Session::start(&shop, &["--via", "sidecar"]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    assert!(!changed_text(shop.pid()).is_empty(), "Delve has breakpoints of its own");
    docker(&["stop", &sidecar_of(session::delve_of(shop.pid()).unwrap())]);
    is_as_before(&shop);
    drop(debugger);
    session.end();
    // And the worst: all of it is killed at once, while nobody comes to a breakpoint.
    let mut session = Session::start(&shop, &["--via", "sidecar"]);
    let driver = session.connect().drive("main.api", 0);
    wait::until("it to run", || (driver.has_attached() && state(shop.pid()) != Some('t')).then_some(()));
    let _ = try_docker(&["rm", "--force", &sidecar_of(session::delve_of(shop.pid()).unwrap())]);
    is_as_before(&shop);
    driver.hang_up();
    session.end();
}

//! The debugger through a pod, by somebody who has no node and no engine, in a namespace that enforces `restricted`.

mod killed;
mod screen;
mod stranger;

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use fakekube::{FakeKube, User};
use serde_json::{Value, json};

use super::looker::{Looker, added, all_ended, namespace, pod, restricted};
use crate::core::{delve_says, runs_on};
use crate::guarded::session::{self, Debugger, Session};
use crate::guarded::{changed_text, is_as_before};
use crate::support::client::{asked_for, asked_meanwhile};
use crate::support::container::Container;
use crate::support::editor::Editor;
use crate::support::process::{parent, read, state, status};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

const WEB: &str = "k8s://shop/web";
/// What every request to buy goes through.
const HIT: &str = "main.(*store).buy";
/// How long a request may take that waits while somebody looks.
const PATIENCE: Duration = Duration::from_secs(20);

/// The sample web server in a pod, and who debugs it.
struct Pod {
    kube: FakeKube,
    jane: Looker,
    app: Container,
}

impl Pod {
    /// One in a namespace that enforces `restricted`.
    fn strict() -> Self {
        let kube = restricted();
        let jane = Looker::with_debugger(&kube, User::debugger("jane"));
        let app = app(&kube);
        Self { kube, jane, app }
    }

    /// With a container in it that stays, so that nothing more is added later.
    fn kept() -> Self {
        let pod = Self::strict();
        pod.jane.runs(&["ps", WEB, "--keep=10m", "-q"]).quietly();
        pod
    }

    fn session(&self, flags: &[&str]) -> Session {
        Session::of(self.jane.command(&[&["dlv", WEB], flags].concat()))
    }

    /// The number of what keeps the place in the pod, on this host.
    fn holder(&self) -> i32 {
        let id = self.kube.container_id("shop", "web", "sdbg-app-1").unwrap();
        Container::of_pod(id, "sdbg-app-1", String::new()).pid()
    }

    /// All is as it was: nobody of ours is in the pod but what keeps the place, if that stays, and nothing is in what the pod
    /// shares.
    #[track_caller]
    fn has_nothing_of_ours(&self, before: &Residue) {
        before.assert_unchanged(&self.app);
        let shared = format!("/proc/{}/root/dev/shm", self.app.pid());
        assert_eq!(fs::read_dir(shared).unwrap().count(), 0);
        assert!(!sockets(&self.app).contains("scratchdbg"), "{}", sockets(&self.app));
    }
}

/// The container of that pod.
fn app(kube: &FakeKube) -> Container {
    let address = kube.pod("shop", "web")["status"]["podIP"].as_str().unwrap().to_owned();
    Container::of_pod(kube.container_id("shop", "web", "app").unwrap(), "web", format!("{address}:8080"))
}

/// The sockets of a container's network that have names.
fn sockets(app: &Container) -> String {
    read(format!("/proc/{}/net/unix", app.pid()))
}

/// Sets a breakpoint and runs into it.
fn runs_into_it(debugger: &mut Debugger) {
    debugger.asks("CreateBreakpoint", &format!(r#"{{"Breakpoint":{{"functionName":"{HIT}","line":-1}}}}"#));
    let state = debugger.asks("Command", r#"{"name":"continue"}"#);
    assert_eq!(state["State"]["currentThread"]["function"]["name"], HIT, "{state:#}");
}

#[test]
fn a_core_is_had_where_nothing_can_be_written() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let (core, program) = (pod.kube.folder().join("core"), pod.kube.folder().join("shop"));
    let requests = asked_meanwhile(&pod.app, Duration::ZERO, || {
        let told = pod.jane.runs(&["core", WEB, "-o", core.to_str().unwrap(), "--json", "--keep=10m"]).ok().json();
        assert_eq!((&told["pid"], &told["host_pid"]), (&1.into(), &Value::Null));
        assert_eq!((&told["left_out_bytes"], &told["unreadable_bytes"]), (&0.into(), &0.into()), "{told:#}");
        assert_eq!(told["size"], fs::metadata(&core).unwrap().len());
        println!("stopped for {} ms", told["pause_ms"]);
    });
    assert_eq!(requests.failed, 0);
    runs_on(pod.app.pid());
    pod.jane.runs(&["cp", "k8s://shop/web:/shop", program.to_str().unwrap(), "--keep=10m"]).quietly();
    let said = delve_says(&program, &core, "goroutines\nprint main.errUnknown");
    for words in ["main.(*store).packOrders", "main.run", "no such product"] {
        assert!(said.contains(words), "no {words} in:\n{said}");
    }
    // Where a thread is that runs, at the price of a moment.
    let threads = pod.jane.runs(&["threads", WEB, "--registers", "--json", "--keep=10m"]).ok().json();
    assert!(threads["pause_ms"].as_f64().is_some_and(|pause| pause > 0.0), "{threads:#}");
    assert!(threads["threads"].as_array().unwrap().iter().all(|one| one["spot"].is_object()), "{threads:#}");
    // What it would take is told without anything being begun.
    let weighed = pod.jane.runs(&["core", WEB, "--dry-run", "--json", "--keep=10m"]).ok().json();
    assert!(weighed["writable_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 16), "{weighed:#}");
    assert_eq!(added(&pod.kube, "shop", "web").len(), 1, "one container does for all of it");
    pod.has_nothing_of_ours(&before);
}

#[test]
fn a_live_process_is_debugged_with_no_right_at_all() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let requests = asked_for("/buy", PATIENCE, &pod.app, Duration::from_millis(1), || {
        let mut session = pod.session(&["--keep=10m"]);
        let mut debugger = session.connect();
        runs_into_it(&mut debugger);
        assert_eq!(state(pod.app.pid()), Some('t'));
        let scope = r#"{"Scope":{"GoroutineID":-1,"Frame":0},"Cfg":{"MaxStringLen":64,"MaxArrayValues":64}}"#;
        let arguments = debugger.asks("ListFunctionArgs", scope);
        assert!(arguments["Args"].as_array().unwrap().iter().any(|one| one["name"] == "s"), "{arguments:#}");
        // Delve, its guard, and who carries: the target's own user, in a container that is none of the target's.
        let delve = session::delve_of(pod.app.pid()).unwrap();
        let (guard, carrier) = (parent(delve).unwrap(), parent(parent(delve).unwrap()).unwrap());
        for pid in [delve, guard, carrier] {
            assert_eq!(
                (&*status(pid, "Uid")[1], &*status(pid, "Gid")[1], &*status(pid, "CapPrm")[0]),
                ("65532", "0", "0000000000000000")
            );
            assert_eq!(
                (status(pid, "NoNewPrivs"), status(pid, "Seccomp")),
                (vec!["1".to_owned()], vec!["2".to_owned()])
            );
        }
        // When memory runs out it is to go before the target does, whose limit it shares.
        assert_eq!(read(format!("/proc/{delve}/oom_score_adj")).trim(), "1000");
        assert_eq!(
            read(format!("/proc/{guard}/oom_score_adj")),
            read(format!("/proc/{}/oom_score_adj", pod.app.pid()))
        );
        debugger.asks("Command", r#"{"name":"next"}"#);
        drop(debugger);
        is_as_before(&pod.app);
        // And once more, by the next client.
        let mut debugger = session.connect();
        debugger.asks("State", "{}");
        drop(debugger);
        is_as_before(&pod.app);
        let said = session.end();
        assert!(said.contains("for want of memory") && said.contains("it runs on"), "{said}");
    });
    assert_eq!(requests.failed, 0);
    assert!(changed_text(pod.app.pid()).is_empty());
    pod.has_nothing_of_ours(&before);
}

/// Delve over a copy is one of this host; an editor gets the one in the pod.
#[test]
fn a_copy_and_an_editor() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let mut session = pod.session(&["--snapshot", "--keep=10m"]);
    let mut debugger = session.connect();
    let all = debugger.asks("ListGoroutines", r#"{"Start":0,"Count":100}"#);
    assert!(all["Goroutines"].as_array().is_some_and(|all| all.len() > 5), "{all:#}");
    is_as_before(&pod.app);
    drop(debugger);
    assert!(session.wait().contains("stopped for about"));

    let mut command = pod.jane.command(&["dlv", WEB, "--dap", "--json", "--keep=10m"]);
    let mut served = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = serde_json::Deserializer::from_reader(served.stdout.take().unwrap()).into_iter::<Value>().next();
    let told = told.expect("it tells where it listens").unwrap();
    let mut editor = Editor::connect(told["address"].as_str().unwrap());
    let requests = asked_for("/buy", PATIENCE, &pod.app, Duration::from_millis(1), || {
        editor.attaches(json!({ "mode": "remote", "stopOnEntry": false }));
        editor.gets("setFunctionBreakpoints", json!({ "breakpoints": [{ "name": HIT }] }));
        editor.gets("configurationDone", json!({}));
        let stopped = editor.hears("stopped");
        let stack = editor.gets("stackTrace", json!({ "threadId": stopped["threadId"] }));
        assert_eq!(stack["stackFrames"][0]["name"], HIT, "{stack:#}");
        editor.gets("disconnect", json!({}));
        is_as_before(&pod.app);
    });
    assert_eq!(requests.failed, 0);
    wait::until("scratchdbg to end", || served.try_wait().unwrap());
    pod.has_nothing_of_ours(&before);
}

#[test]
fn what_was_added_for_a_command_ends_with_it() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::strict();
    let mut session = pod.session(&[]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    assert_eq!(state(pod.app.pid()), Some('t'));
    // While it is stopped the command is told to end.
    session.end();
    assert_eq!((state(pod.app.pid()) == Some('t'), status(pod.app.pid(), "TracerPid")), (false, vec!["0".to_owned()]));
    assert!(changed_text(pod.app.pid()).is_empty());
    let ended = all_ended(&pod.kube, "shop", "web");
    assert_eq!((ended.len(), &ended[0]["exitCode"]), (1, &0.into()), "{ended:?}");
    runs_on(pod.app.pid());
}

/// Root, in a namespace that lets nobody add a right: with just those of the target.
#[test]
fn root_is_debugged_with_the_rights_of_the_target() {
    require_engine!();
    require_root!();
    require_delve!();
    for (level, rights) in [("baseline", "00000000a80425fb"), ("privileged", "0000000000080000")] {
        let kube = FakeKube::start();
        namespace(&kube, "shop", level);
        let security = json!({"runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}});
        kube.run(pod("shop", "web", json!({"image": "scratchdbg-test/shop", "securityContext": security}), &json!({})));
        kube.wait_for_log("shop", "web", "app", "shop open");
        let jane = Looker::with_debugger(&kube, User::debugger("jane"));
        let pod = Pod { app: app(&kube), kube, jane };
        let mut session = pod.session(&["--keep=10m"]);
        let mut debugger = session.connect();
        debugger.asks("State", "{}");
        let delve = session::delve_of(pod.app.pid()).unwrap();
        assert_eq!((&*status(delve, "Uid")[1], &*status(delve, "CapEff")[0]), ("0", rights), "{level}");
        drop(debugger);
        is_as_before(&pod.app);
        session.end();
        let core = pod.kube.folder().join("core");
        pod.jane.runs(&["core", WEB, "-o", core.to_str().unwrap(), "-q", "--keep=10m"]).ok();
        if level == "privileged" {
            // Another user's memory belongs to that user.
            let other = json!({"image": "scratchdbg-test/shop", "securityContext": {"runAsUser": 7}});
            pod.kube.run(super::looker::pod("shop", "other", other, &json!({})));
            let asks = ["core", "k8s://shop/other", "--as", "root", "-o", "/nonexistent/core", "-q"];
            let core = pod.kube.folder().join("other");
            let asks: Vec<_> = asks
                .iter()
                .map(|&word| if word == "/nonexistent/core" { core.to_str().unwrap() } else { word })
                .collect();
            pod.jane.runs(&asks).fails_with(3, &["another user's", "without --as"]);
            assert!(!core.exists());
        }
    }
}

#[test]
fn what_cannot_be_done_is_said_before_the_target_is_touched() {
    require_engine!();
    require_root!();
    let kube = restricted();
    let app = app(&kube);
    let plain = Looker::new(&kube, User::debugger("jane"));
    let core = kube.folder().join("core");
    // Also by one that is there already.
    plain.runs(&["ps", WEB, "--keep=10m", "-q"]).quietly();
    let before = Residue::of(&app).but_for_memory();
    for debugs in [&["core", WEB, "-o", core.to_str().unwrap()][..], &["dlv", WEB], &["threads", WEB, "--registers"]] {
        let told = plain.runs(&[debugs, &["--keep=10m", "-q"]].concat());
        told.fails_with(2, &["has no debugger: there is no /scratchdbg in it", "image build --with-debugger"]);
    }
    assert!(!core.exists());
    before.assert_unchanged(&app);
    drop(plain);
    require_delve!();
    let jane = Looker::with_debugger(&kube, User::debugger("jane"));
    for (flags, words) in [
        (&["--debug-file", "/nonexistent"][..], &["takes no debug file", "--snapshot"][..]),
        (&["--dlv", "/nonexistent"], &["no other can be named", "leave out --dlv"]),
        (&["--read-only"], &["--read-only forbids"]),
    ] {
        let told = jane.runs(&[&["dlv", WEB, "-q"], flags].concat());
        told.fails_with(2, words);
    }
    runs_on(app.pid());
}

/// An image that was made by another version says so, and is not spoken with.
#[test]
fn another_version_is_not_spoken_with() {
    require_engine!();
    require_root!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.c"), OTHER).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-static", "-nostdlib", "-O2", "-o", "scratchdbg", "other.c"]).current_dir(folder.path());
    assert!(compile.status().unwrap().success());
    let file = format!("FROM {}\nCOPY scratchdbg /scratchdbg\n", jane.image());
    fs::write(folder.path().join("Dockerfile"), file).unwrap();
    let image = crate::support::engine::docker(&["build", "--quiet", folder.path().to_str().unwrap()]);
    let image = image.trim();
    let core = kube.folder().join("core");
    let told = jane.runs(&["core", WEB, "--image", image, "-o", core.to_str().unwrap(), "-q"]);
    told.fails_with(2, &["is not of this version", "scratchdbg beside 0.0.9 1", "image build --with-debugger"]);
    let _ = crate::support::engine::try_docker(&["rmi", "--force", image]);
}

/// Says hello as an older one would.
const OTHER: &str = r#"
static long call(long n, long a, long b, long c) {
#if defined(__x86_64__)
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
#else
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}
#if defined(__x86_64__)
enum { WRITE = 1, READ = 0, EXIT = 60 };
#else
enum { WRITE = 64, READ = 63, EXIT = 93 };
#endif
void _start(void) {
    char room[64];
    call(WRITE, 1, (long)"scratchdbg beside 0.0.9 1\n", 26);
    call(READ, 0, (long)room, sizeof room);
    call(EXIT, 0, 0, 0);
}
"#;

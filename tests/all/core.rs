//! A core file of a process that runs on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, iter};

use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::client::asked_meanwhile;
use crate::support::command::{binary, run, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::process::{all_pids, parent, state, status};
use crate::support::residue::Residue;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// Neither stopped nor traced.
#[track_caller]
pub fn runs_on(pid: i32) {
    assert!(!matches!(state(pid), Some('T' | 't')), "it is stopped");
    assert_eq!(status(pid, "TracerPid"), ["0"]);
}

/// What Delve says of a core, to these commands.
#[track_caller]
pub fn delve_says(program: &Path, core: &Path, commands: &str) -> String {
    let script = program.with_extension("dlv");
    fs::write(&script, format!("{commands}\nexit\n")).unwrap();
    let mut command = Command::new("dlv");
    command
        .arg("core")
        .args([program, core])
        .args(["--check-go-version=false", "--allow-non-terminal-interactive=true"]);
    command.arg("--init").arg(script).stdin(Stdio::null()).env("HOME", program.parent().unwrap()).env("TERM", "dumb");
    run(command).ok().text()
}

#[test]
fn it_opens_in_delve_and_the_process_serves_on() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let folder = tempfile::tempdir().unwrap();
    let (core, program) = (folder.path().join("core"), folder.path().join("shop"));
    let before = Residue::of(&container).but_for_memory();
    let requests = asked_meanwhile(&container, Duration::ZERO, || {
        let told = scratchdbg(&["core", container.name(), "-o", core.to_str().unwrap(), "--json"]).ok();
        let json = told.json();
        assert_eq!(json["host_pid"], container.pid());
        assert_eq!((&json["left_out_bytes"], &json["unreadable_bytes"]), (&0.into(), &0.into()));
        assert!(json["pause_ms"].as_f64().is_some_and(|pause| pause > 0.0), "{json:#}");
        assert_eq!(json["size"], fs::metadata(&core).unwrap().len());
        assert!(told.stderr.contains("stopped for about"), "{}", told.stderr);
    });
    assert_eq!(requests.failed, 0);
    runs_on(container.pid());
    assert_eq!(fs::metadata(&core).unwrap().permissions().mode() & 0o7777, 0o600);

    scratchdbg(&["cp", &container.at("/shop"), program.to_str().unwrap()]).quietly();
    let commands = "goroutines\ngoroutines -with userloc watchHealth -exec frame 2 args\nprint main.errUnknown";
    let said = delve_says(&program, &core, commands);
    let (stacks, local) =
        (["main.(*store).packOrders", "main.run", "[select]"], "url = \"http://127.0.0.1:8080/healthz\"");
    for words in stacks.into_iter().chain([local, "no such product"]) {
        assert!(said.contains(words), "no {words} in:\n{said}");
    }
    before.assert_unchanged(&container);
}

#[test]
fn whoever_is_killed_it_runs_on() {
    require_engine!();
    require_root!();
    let container = Run::shop().flag("--publish=127.0.0.1::8080").start();
    let folder = tempfile::tempdir().unwrap();
    let before = Residue::of(&container).but_for_memory();
    let (mut held, pid) = (0, container.pid());
    let requests = asked_meanwhile(&container, Duration::ZERO, || {
        for round in 0..30_u64 {
            let core = folder.path().join(round.to_string());
            let mut command = binary(&["core", container.name(), "-o", core.to_str().unwrap()]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let main = i32::try_from(child.id()).unwrap();
            // Killed while it holds the process, which it does for some milliseconds; or at any time.
            let end = Instant::now() + Duration::from_millis(if round % 3 == 0 { 3 * round } else { 5000 });
            let going_on = |_: &i32| Instant::now() < end && child.try_wait().unwrap().is_none();
            let tracer = || status(pid, "TracerPid")[0].parse().unwrap();
            let holder = iter::repeat_with(tracer).take_while(going_on).find(|&tracer| tracer != 0);
            held += usize::from(holder.is_some());
            let ours = all_pids().filter(|&pid| parent(pid).and_then(parent) == Some(main));
            let victim =
                holder.filter(|_| round % 2 == 0).or_else(|| ours.last().filter(|_| round % 3 == 0)).unwrap_or(main);
            let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
            let _ = child.kill();
            child.wait().unwrap();
            wait::until("it to be let go", || (status(pid, "TracerPid") == ["0"]).then_some(()));
            runs_on(pid);
        }
    });
    println!("killed while it was held: {held} of 30 times");
    assert!(requests.failed == 0 && held > 0, "{requests:?}; it was held {held} times");
    before.assert_unchanged(&container);
    // And then it can be had.
    let core = folder.path().join("core");
    scratchdbg(&["core", container.name(), "-o", core.to_str().unwrap()]).ok();
}

#[test]
fn nothing_is_done_that_was_not_asked_for() {
    require_engine!();
    require_root!();
    let container = Run::shop().start();
    let name = container.name();
    let folder = tempfile::tempdir().unwrap();
    let core = folder.path().join("core").display().to_string();
    let weighed = scratchdbg(&["core", name, "--dry-run", "--json"]).ok().json();
    assert!(weighed["writable_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 16), "{weighed:#}");
    assert!(weighed["pause_ms"].is_null() && weighed["threads"].as_u64().is_some_and(|threads| threads > 2));
    scratchdbg(&["core", name, "-o", &core, "--read-only"]).fails_with(2, &["--read-only forbids"]);
    let member = Unprivileged::of_the_engines_group();
    let forced = member.runs(&["core", name, "--dry-run", "--via", "local"]);
    forced.fails_with(3, &["CAP_SYS_PTRACE", "run it with sudo"]);
    scratchdbg(&["core", name, "-o", &core, "--pid", "999"]).fails_with(4, &["process 999", "has ended"]);
    assert!(!Path::new(&core).exists());
    fs::write(&core, "mine").unwrap();
    let refused = scratchdbg(&["core", name, "-o", &core]).ends_with(1);
    assert!(refused.stderr.contains("is there already") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&core).unwrap(), "mine");
    // With less room than it takes there is less of it, and that is said.
    let little = scratchdbg(&["core", name, "-o", &core, "--yes", "--most", "64K"]).ok();
    assert!(little.stderr.contains("left out: ") && little.stderr.contains("--most"), "{}", little.stderr);
    // What is there of each thread always goes in: how much that is the processor says.
    let (took, all) = (fs::metadata(&core).unwrap().len(), weighed["writable_bytes"].as_u64().unwrap());
    assert!(took < all / 4, "{took} of {all}");
}

#[test]
fn a_process_that_cannot_be_held_says_why() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    let core = folder.path().join("core").display().to_string();
    let ends = |code, words: &[&str]| {
        let ended = scratchdbg(&["core", container.name(), "-o", &core]).ends_with(code);
        assert!(words.iter().all(|words| ended.stderr.contains(words)), "{}", ended.stderr);
        assert!(!Path::new(&core).exists());
    };
    container.engine_does("pause");
    ends(1, &["is paused", "unpause it"]);
    container.engine_does("unpause");
    // Somebody else has it.
    let pid = Pid::from_raw(container.pid());
    ptrace::seize(pid, ptrace::Options::empty()).unwrap();
    ends(1, &["traced already, by process", "a debugger holds it"]);
    ptrace::interrupt(pid).unwrap();
    wait::until("it to stop", || (state(pid.as_raw()) == Some('t')).then_some(()));
    ptrace::detach(pid, None).unwrap();
    // A process that somebody has stopped is still stopped afterwards.
    kill(pid, Signal::SIGSTOP).unwrap();
    wait::until("it to be stopped", || (state(pid.as_raw()) == Some('T')).then_some(()));
    scratchdbg(&["core", container.name(), "-o", &core]).ok();
    assert_eq!((state(pid.as_raw()), status(pid.as_raw(), "TracerPid")), (Some('T'), vec!["0".to_owned()]));
    kill(pid, Signal::SIGCONT).unwrap();
}

/// The process of which a core would be taken.
fn chosen(container: &Container) -> serde_json::Value {
    scratchdbg(&["core", container.name(), "--dry-run", "--json"]).ok().json()
}

#[test]
fn the_right_process_is_picked() {
    require_engine!();
    require_root!();
    // Behind an init, which Go did not make.
    let behind = Run::toolbox(&["sleep"]).flag("--init").start();
    let json = chosen(&behind);
    assert!(json["pid"] != 1 && json["go"].is_string(), "{json:#}");
    // Not made by Go at all.
    let other = Run::dynamic().start();
    let json = chosen(&other);
    assert!(json["pid"] == 1 && json["go"].is_null(), "{json:#}");
    // The first one, though its children are made by Go, too; and any other, if asked for.
    let tree = Run::toolbox(&["tree"]).start();
    assert_eq!(chosen(&tree)["pid"], 1);
    let ps = scratchdbg(&["ps", tree.name(), "--json"]).quietly().json();
    let worker = ps["processes"].as_array().unwrap().iter().find(|one| one["command"][0] == "worker").unwrap().clone();
    let pid = worker["pid"].to_string();
    let json = scratchdbg(&["core", tree.name(), "--dry-run", "--json", "--pid", &pid]).ok().json();
    assert_eq!(json["host_pid"], worker["host_pid"]);
    // Several, and none of them first: one has to be named.
    let both = Run::toolbox(&["tree"]).flag("--init").start();
    scratchdbg(&["core", both.name(), "--dry-run"]).fails_with(2, &["more than one Go program", "--pid N"]);
}

//! Nothing is left behind and nothing is changed, whatever is done and however it ends.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::signal::Signal;

use crate::support::command::{binary, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::engine::docker;
use crate::support::held::{Held, helper_of};
use crate::support::process::{all_pids, command_line, has_ended, state};
use crate::support::pty::Terminal;
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_engine, require_root};

/// Every command that looks into a container.
fn commands(container: &Container, to: &Path) -> Vec<Vec<String>> {
    let name = container.name();
    let to = to.display();
    let lines = [
        "list --json".to_owned(),
        format!("ps {name}"),
        format!("proc {name} --json"),
        format!("net {name}"),
        format!("goroutines {name} --json"),
        format!("go {name}"),
        format!("check {name} --fail-on never"),
        format!("ls {name}:/"),
        format!("ls {name}:/proc/1 --as root"),
        format!("cat {name}:/toolbox"),
        format!("cp {name}:/etc {to}"),
        format!("cp {name}:/toolbox {to} --as 1000"),
        format!("logs {name} --json"),
        "clean".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

fn leaves_nothing(container: &Container) {
    let folder = tempfile::tempdir().unwrap();
    let before = Residue::of(container);
    for command in commands(container, folder.path()) {
        scratchdbg(&command).ok();
        before.assert_unchanged(container);
    }
    let missing = container.at("/missing");
    scratchdbg(&["cat", &missing]).ends_with(1);
    scratchdbg(&["ps", container.name(), "4194300"]).ends_with(2);
    before.assert_unchanged(container);
}

#[test]
fn commands_leave_nothing() {
    require_engine!();
    require_root!();
    leaves_nothing(&Run::toolbox(&["sleep"]).start());
}

#[test]
fn commands_leave_nothing_in_the_strictest_container() {
    require_engine!();
    require_root!();
    leaves_nothing(&Run::toolbox(&["sleep"]).hardened().flag("--pids-limit=20").flag("--memory=64m").start());
}

/// The numbers in the container's own `/proc`, as a program in it sees them.
fn seen_inside(container: &Container) -> Vec<String> {
    let all = docker(&["exec", container.id(), "/toolbox", "ls", "/proc"]);
    all.lines().filter(|name| name.parse::<u32>().is_ok()).map(str::to_owned).collect()
}

#[test]
fn the_container_sees_no_process_of_ours() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["tree"]).start();
    // Those that were there, and the one that looks, whose number is the next one each time.
    let before = seen_inside(&container).len();
    assert_eq!(before, 5);
    for options in [&[] as &[&str], &["--as", "root"]] {
        let held = Held::cat(&container.at("/toolbox"), options);
        assert_eq!(seen_inside(&container).len(), before);
        held.let_go();
        assert_eq!(seen_inside(&container).len(), before);
    }
    let terminal = Terminal::scratchdbg(&["attach", container.name()]);
    terminal.wait_for("scratch: no shell");
    assert_eq!(seen_inside(&container).len(), before);
    assert_eq!(container.diff(), "");
}

#[test]
fn who_ends_leaves_no_zombie() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let held = Held::cat(&container.at("/toolbox"), &[]);
    let (broker, helper) = (held.broker(), held.helper());
    held.let_go();
    are_gone(broker, helper);

    let mut terminal = Terminal::scratchdbg(&["attach", container.name()]);
    terminal.wait_for("scratch: no shell");
    let (broker, helper) = helper_of(terminal.pid()).expect("a helper inside");
    terminal.press("q");
    assert!(terminal.wait_exit().success());
    are_gone(broker, helper);
}

/// At once: nobody else has to clean up after us.
#[track_caller]
fn are_gone(broker: i32, helper: i32) {
    for pid in [broker, helper] {
        let there = Path::new(&format!("/proc/{pid}")).exists();
        assert!(!there, "process {pid} is still there, state {:?}", state(pid));
    }
}

#[test]
fn who_is_killed_leaves_nothing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut held = Held::cat(&container.at("/toolbox"), &[]);
        held.signal(signal);
        held.wait_for_helpers_to_end();
        held.kill();
    }
    // The broker, and the helper, by somebody else.
    for of in [Held::broker, Held::helper] {
        let mut held = Held::cat(&container.at("/toolbox"), &[]);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(of(&held)), Signal::SIGKILL).unwrap();
        wait::until("the helper to end", || has_ended(held.helper()).then_some(()));
        held.kill();
        held.wait_for_helpers_to_end();
    }
    let terminal = Terminal::scratchdbg(&["attach", container.name()]);
    terminal.wait_for("scratch: no shell");
    let (broker, helper) = helper_of(terminal.pid()).expect("a helper inside");
    terminal.signal(Signal::SIGKILL);
    drop(terminal);
    wait::until("all of it to end", || (has_ended(broker) && has_ended(helper)).then_some(()));
    before.assert_unchanged(&container);
}

#[test]
fn who_is_killed_on_the_way_in_leaves_nothing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    // It takes some 20 ms in all, more on a busy machine.
    for step in 0..80 {
        let mut child = binary(&["ps", container.name()]).stdout(std::process::Stdio::null()).spawn().unwrap();
        wait::exactly(Duration::from_micros(step * 400));
        let _ = child.kill();
        child.wait().unwrap();
    }
    before.assert_unchanged(&container);
    wait::until("every process of ours to end", || {
        let ours = |&pid: &i32| {
            let line = command_line(pid);
            line.contains("\0ps\0") && line.contains(container.name())
        };
        all_pids().find(ours).is_none().then_some(())
    });
}

#[test]
fn access_times_stay() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["plant", "/data/files"]).flag("--mount=type=tmpfs,dst=/data").start();
    let root = format!("/proc/{}/root", container.pid());
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let (file, folder, link) = ("/data/files/mode-0777", "/data/files", "/data/files/dangling");
    let set = |path: &str| {
        let status = std::process::Command::new("touch")
            .args(["--no-dereference", "--time=access", "--date=@1000000000", &format!("{root}{path}")])
            .status();
        assert!(status.unwrap().success());
    };
    let accessed = |path: &str| fs::symlink_metadata(format!("{root}{path}")).unwrap().accessed().unwrap();
    for path in [file, folder, link] {
        set(path);
    }
    let to = tempfile::tempdir().unwrap();
    scratchdbg(&["cat", &container.at(file)]).quietly();
    scratchdbg(&["ls", &container.at(folder)]).quietly();
    scratchdbg(&["cat", &container.at(link)]).ends_with(1);
    scratchdbg(&["cp", "--as", "root", &container.at(folder), to.path().to_str().unwrap()]).ok();
    for path in [file, folder, link] {
        assert_eq!(accessed(path), old, "{path}");
    }
    // On this mount a time does move when somebody else reads: 2001 is more than a day ago (relatime, mount(8)).
    fs::read(format!("{root}{file}")).unwrap();
    assert!(accessed(file) > old);
}

#[test]
fn what_is_read_is_not_charged_to_the_container() {
    require_engine!();
    require_root!();
    const SIZE: usize = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let mut file = File::create(&path).unwrap();
    file.write_all(&vec![7; SIZE]).unwrap();
    file.sync_all().unwrap();
    // Whoever reads it from the disk is charged for the memory that holds it.
    let forget = || posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
    let container = Run::toolbox(&["sleep"]).flag(&format!("--volume={}:/data:ro", folder.path().display())).start();
    let before = Residue::of(&container);
    forget();
    assert_eq!(scratchdbg(&["cat", &container.at("/data/large")]).quietly().stdout.len(), SIZE);
    before.assert_unchanged(&container);
    // A program inside is charged, so it would have been noticed.
    if fs::metadata(&path).unwrap().dev() != fs::metadata("/dev/shm").unwrap().dev() {
        forget();
        docker(&["exec", container.id(), "/toolbox", "cat", "/data/large"]);
        let difference = before.difference(&Residue::of(&container));
        assert!(difference.contains("memory charged"), "{difference}");
    }
}

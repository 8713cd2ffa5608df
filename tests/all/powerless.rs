//! What the helper is while it is inside: `docs/security.md`, asked of the kernel.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::fs::SealFlags;

use crate::support::command::{binary, run};
use crate::support::container::{Container, Run};
use crate::support::held::Held;
use crate::support::process::{has_ended, namespace, read, state, status};
use crate::support::wait;
use crate::{require_engine, require_root};

const DAC_READ_SEARCH: u64 = 1 << 2;
const SYS_PTRACE: u64 = 1 << 19;

/// Who the helper shall be: all four user ids, all four group ids, supplementary groups, capabilities.
struct Expected<'a> {
    uid: &'a str,
    gid: &'a str,
    groups: &'a [&'a str],
    keeps: u64,
    locked: bool,
}

#[track_caller]
fn check(container: &Container, held: &Held, expected: &Expected<'_>) {
    let helper = held.helper();
    assert_eq!(status(helper, "Uid"), [expected.uid; 4]);
    assert_eq!(status(helper, "Gid"), [expected.gid; 4]);
    assert_eq!(status(helper, "Groups"), expected.groups);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(helper, set), [format!("{:016x}", expected.keeps)], "{set}");
    }
    assert_eq!(status(helper, "NoNewPrivs"), ["1"]);
    assert_eq!(status(helper, "Seccomp"), ["2"]);
    assert_eq!(status(helper, "Threads"), ["1"]);
    assert_eq!(read(format!("/proc/{helper}/environ")), "");
    nobody_may_look(helper);
    nobody_may_look(held.broker());
    holds_nothing(held);
    is_beside(container, helper);
    let read_only = ["ro", "nosuid", "nodev", "noexec"];
    let mounts = read(format!("/proc/{helper}/mountinfo"));
    assert!(mounts.lines().count() > 3, "{mounts}");
    for mount in mounts.lines() {
        // The sixth column: what is allowed at this mount, whatever the file system itself allows (proc(5)).
        let options: Vec<_> = mount.split(' ').nth(5).unwrap().split(',').collect();
        let locked = read_only.iter().all(|option| options.contains(option));
        assert!(locked || !expected.locked, "{mount}");
    }
}

/// The kernel gives what `/proc` has of a non-dumpable process to root, whoever it runs as (proc(5)).
#[track_caller]
fn nobody_may_look(pid: i32) {
    let owner = fs::metadata(format!("/proc/{pid}/status")).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (0, 0));
}

/// Three descriptors, a program that has no name in any file system, and nothing of ours.
#[track_caller]
fn holds_nothing(held: &Held) {
    let helper = held.helper();
    let link = |name: &str| fs::read_link(format!("/proc/{helper}/{name}")).unwrap().display().to_string();
    let descriptors = || {
        let folder = fs::read_dir(format!("/proc/{helper}/fd")).unwrap();
        let mut all: Vec<_> = folder.flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
        all.sort();
        all
    };
    // A file that it has just passed on may be open for a moment more.
    wait::until("no descriptor but three", || (descriptors() == ["0", "1", "2"]).then_some(()));
    assert!(link("fd/0").starts_with("socket:["), "{}", link("fd/0"));
    assert_eq!(link("fd/1"), "anon_inode:[pidfd]");
    assert_eq!(link("fd/2"), "/dev/null");
    assert_eq!(link("exe"), "/memfd:scratchdbg-shim (deleted)");
    // Nobody may read it, so that it was non-dumpable from its first instruction, and nobody can change it.
    let program = fs::File::open(format!("/proc/{helper}/exe")).unwrap();
    assert_eq!(program.metadata().unwrap().mode() & 0o7777, 0o111);
    let seals = rustix::fs::fcntl_get_seals(&program).unwrap();
    let sealed = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    assert!(seals.contains(sealed), "{seals:?}");
    assert_eq!(link("cwd"), "/");
    // Neither the terminal's nor the user's session.
    let session = status(helper, "NSsid");
    assert_eq!(session, [held.broker().to_string()]);
}

/// In the container's namespaces but for its processes, and in none of its cgroups.
#[track_caller]
fn is_beside(container: &Container, helper: i32) {
    let (target, own) = (container.pid(), std::process::id());
    for kind in ["net", "ipc", "uts"] {
        assert_eq!(namespace(helper, kind), namespace(target, kind), "{kind}");
    }
    assert_eq!(namespace(helper, "pid"), namespace(own, "pid"));
    assert_ne!(namespace(helper, "pid"), namespace(target, "pid"));
    assert_eq!(status(helper, "NSpid").len(), status(i32::try_from(own).unwrap(), "NSpid").len());
    let cgroups = read(format!("/proc/{helper}/cgroup"));
    assert_eq!(cgroups, read("/proc/self/cgroup"));
    assert_ne!(cgroups, read(format!("/proc/{target}/cgroup")));
}

#[test]
fn of_a_root_target_it_keeps_one_right() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).flag("--group-add=27").flag("--group-add=4242").start();
    let file = container.at("/toolbox");
    let groups = status(container.pid(), "Groups");
    let groups: Vec<_> = groups.iter().map(String::as_str).collect();
    assert!(groups.contains(&"4242"), "{groups:?}");

    let held = Held::cat(&file, &[]);
    check(&container, &held, &Expected { uid: "0", gid: "0", groups: &groups, keeps: SYS_PTRACE, locked: true });
    let held = Held::cat(&file, &["--as", "root"]);
    let keeps = SYS_PTRACE | DAC_READ_SEARCH;
    check(&container, &held, &Expected { uid: "0", gid: "0", groups: &[], keeps, locked: true });
    let held = Held::cat(&file, &["--as", "1000:50"]);
    check(&container, &held, &Expected { uid: "1000", gid: "50", groups: &[], keeps: 0, locked: true });
}

#[test]
fn of_a_target_without_rights_it_keeps_none() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().flag("--user=65532:65533").flag("--group-add=4242").start();
    let groups = status(container.pid(), "Groups");
    let groups: Vec<_> = groups.iter().map(String::as_str).collect();
    let held = Held::cat(&container.at("/toolbox"), &[]);
    check(&container, &held, &Expected { uid: "65532", gid: "65533", groups: &groups, keeps: 0, locked: true });
    let held = Held::cat(&container.at("/toolbox"), &["--as", "root"]);
    let keeps = SYS_PTRACE | DAC_READ_SEARCH;
    check(&container, &held, &Expected { uid: "0", gid: "0", groups: &[], keeps, locked: true });
}

#[test]
fn a_session_that_may_write_is_no_more_powerful() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    // It waits for what to write.
    let mut command = binary(&["cp", "--write", "-", &container.at("/new")]);
    command.stdin(Stdio::piped());
    let held = Held::command(command);
    wait::until("the file to be made", || container.diff().contains("/new").then_some(()));
    let groups = status(container.pid(), "Groups");
    let groups: Vec<_> = groups.iter().map(String::as_str).collect();
    check(&container, &held, &Expected { uid: "0", gid: "0", groups: &groups, keeps: SYS_PTRACE, locked: false });
}

#[test]
fn it_ends_with_its_target() {
    require_engine!();
    require_root!();
    for verb in ["kill", "stop", "restart"] {
        let container = Run::toolbox(&["sleep"]).start();
        let held = Held::cat(&container.at("/toolbox"), &[]);
        container.engine_does(verb);
        wait::until("the helper to end", || has_ended(held.helper()).then_some(()));
    }
}

/// Stops a process of ours, so that it can do nothing about anything.
pub fn freeze(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    wait::until("the process to be stopped", || (state(pid) == Some('T')).then_some(()));
}

#[test]
fn it_never_holds_up_the_end_of_its_target() {
    require_engine!();
    require_root!();
    type Choice = fn(&Held) -> Vec<i32>;
    let nobody: Choice = |_| vec![];
    let command: Choice = |held| vec![held.main()];
    let all: Choice = |held| vec![held.main(), held.broker(), held.helper()];
    let cases: [(&[&str], Choice); 4] =
        [(&["stop"], nobody), (&["kill"], command), (&["stop"], all), (&["rm", "--force"], all)];
    for (ending, freezes) in cases {
        let container = Run::toolbox(&["sleep"]).flag("--mount=type=tmpfs,dst=/scratch").start();
        let mut held = Held::cat(&container.at("/toolbox"), &[]);
        freezes(&held).into_iter().for_each(freeze);
        ends_in_time(&container, ending);
        if ending[0] != "rm" {
            container.wait_for_state("exited");
            ends_in_time(&container, &["rm"]);
        }
        held.kill();
        held.wait_for_helpers_to_end();
    }
}

/// Long before the engine loses its patience: that of `docker stop` is 10 s, then it kills.
#[track_caller]
pub fn ends_in_time(container: &Container, verb: &[&str]) {
    let mut command = Command::new("docker");
    command.args(verb).arg(container.id()).stdin(Stdio::null());
    let start = std::time::Instant::now();
    run(command).ok();
    let took = start.elapsed();
    assert!(took.as_secs() < 8, "docker {verb:?} took {took:?}");
}

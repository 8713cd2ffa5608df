//! The holder, and sessions beside it, in a root directory of their own: no engine has a part in it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scratchdbg::wire::{Body, Op};
use serde_json::Value;
use tempfile::TempDir;

use super::session::Session;
use crate::require_root;
use crate::support::command::run;
use crate::support::process::{self, has_ended, status};
use crate::support::wait;

#[path = "../../../shim/src/numbers.rs"]
#[allow(dead_code)]
mod numbers;

/// A root directory with nothing in it but the helper.
struct Root(TempDir);

/// A holder that has said who it is.
struct Holder {
    child: Child,
    said: Value,
}

impl Root {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scratchdbg-shim");
        fs::write(&path, scratchdbg::entry::SHIM).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o111)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// Somebody who is nobody in there, started by `before`.
    fn command(&self, before: &[&str], arguments: &[&str]) -> Command {
        let path: PathBuf = self.0.path().into();
        let words = before.iter().copied().chain(["chroot", "--userspec=65532:65532", "--groups="]);
        let words: Vec<_> = words.collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(path).arg("/scratchdbg-shim").args(arguments).stdin(Stdio::null());
        command
    }

    fn hold(&self, arguments: &[&str]) -> Holder {
        self.hold_within(&[], arguments)
    }

    fn hold_within(&self, before: &[&str], arguments: &[&str]) -> Holder {
        let mut command = self.command(before, &[&["hold"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        Holder { child, said }
    }

    /// Locks what who debugs has locked, until that is dropped. Without a number: nobody is sent a signal.
    fn is_debugged_from(&self) -> fs::File {
        let root = fs::File::open(self.0.path()).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "small numbers of the kernel's")]
        let lock = libc::flock {
            l_type: libc::F_RDLCK as i16,
            l_whence: libc::SEEK_SET as i16,
            l_start: scratchdbg::wire::DEBUGGER,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&root, FcntlArg::F_OFD_SETLK(&lock)).unwrap();
        root
    }

    fn session(&self) -> Session {
        Session::begin(self.command(&[], &[]))
    }

    fn stop(&self) -> i32 {
        run(self.command(&[], &["stop"])).code()
    }
}

impl Holder {
    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Waits until it has limited itself: it does so only after it has said who it is.
    fn is_limited(&self) {
        wait::until("the holder to limit itself", || (status(self.pid(), "Seccomp") == ["2"]).then_some(()));
    }

    fn end(&mut self) -> ExitStatus {
        wait::until("the holder to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_who_it_is_and_ends_when_told() {
    require_root!();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let root = Root::new();
        let mut holder = root.hold(&["--ttl", "60", "--idle", "50"]);
        let said = &holder.said;
        assert_eq!(said["scratchdbg"], env!("CARGO_PKG_VERSION"));
        assert_eq!(said["protocol"], scratchdbg::wire::VERSION);
        assert_eq!(said["pid"], holder.pid());
        assert_eq!((&said["uid"], &said["gid"]), (&65532.into(), &65532.into()));
        assert_eq!((&said["capabilities"], &said["ptrace_scope"]), (&0.into(), &Value::Null));
        assert_eq!((&said["ttl"], &said["idle"]), (&60.into(), &50.into()));
        kill(Pid::from_raw(holder.pid()), signal).unwrap();
        assert_eq!(holder.end().code(), Some(0), "{signal}");
    }
}

#[test]
fn its_time_is_over_when_it_was_told_or_nobody_came() {
    require_root!();
    for limits in [["--ttl", "1", "--idle", "100"], ["--idle", "1", "--ttl", "100"]] {
        let mut holder = Root::new().hold(&limits);
        assert_eq!(holder.end().code(), Some(0), "{limits:?}");
    }
    // Not at once, either: whoever has started it needs a moment to come.
    let began = Instant::now();
    let mut holder = Root::new().hold(&["--idle", "2"]);
    holder.end();
    assert!(began.elapsed().as_millis() > 1000, "{:?}", began.elapsed());
    assert_eq!(holder.said["ttl"], 3600);
}

#[test]
fn a_session_keeps_it_until_its_time_is_over() {
    require_root!();
    let root = Root::new();
    let mut busy = root.hold(&["--idle", "1", "--ttl", "100"]);
    let session = root.session();
    // Two that begin later, with the same patience: when they are gone, this one's would be over, too.
    let mut others = [Root::new(), Root::new()].map(|root| {
        let mut holder = root.hold(&["--idle", "1", "--ttl", "100"]);
        (holder.end(), root)
    });
    assert!(others.iter_mut().all(|(end, _)| end.success()));
    let mut later = Root::new().hold(&["--idle", "1"]);
    later.end();
    assert!(busy.child.try_wait().unwrap().is_none(), "it ended under a session");
    // One that has come and gone leaves it to its patience.
    assert!(session.end().success());
    assert_eq!(busy.end().code(), Some(0));
    // No session keeps it longer than it was told to live.
    let root = Root::new();
    let mut holder = root.hold(&["--ttl", "1"]);
    let session = root.session();
    assert_eq!(holder.end().code(), Some(0));
    drop(session);
}

/// Who debugs from its container is given the time to let go of the target: with the holder all that is there is killed.
#[test]
fn it_ends_after_whoever_debugs() {
    require_root!();
    let idle = || Root::new().hold(&["--idle", "1"]).end();
    for ends in ["--idle", "--ttl", "a signal"] {
        let root = Root::new();
        let limits = if ends == "--ttl" { ["--ttl", "2", "--idle", "100"] } else { ["--idle", "1", "--ttl", "100"] };
        let debugger = root.is_debugged_from();
        let mut holder = root.hold(&limits);
        for _ in 0..3 {
            assert!(idle().success());
        }
        if ends == "a signal" {
            kill(Pid::from_raw(holder.pid()), Signal::SIGTERM).unwrap();
            assert!(idle().success());
        }
        assert!(holder.child.try_wait().unwrap().is_none(), "{ends}: it ended under a debugger");
        drop(debugger);
        assert_eq!(holder.end().code(), Some(0), "{ends}");
    }
}

#[test]
fn it_is_stopped_by_those_of_its_own_container_alone() {
    require_root!();
    let (root, other) = (Root::new(), Root::new());
    assert_eq!(root.stop(), 1, "there is none");
    let (mut holder, mut neighbour) = (root.hold(&[]), other.hold(&[]));
    assert_eq!(root.stop(), 0);
    assert_eq!(holder.end().code(), Some(0));
    assert!(neighbour.child.try_wait().unwrap().is_none());
    assert_eq!((other.stop(), root.stop()), (0, 1));
    assert_eq!(neighbour.end().code(), Some(0));
}

#[test]
fn others_of_its_user_may_look_into_it_only_where_it_is_told_so() {
    require_root!();
    let root = Root::new();
    let (closed, open) = (root.hold(&[]), root.hold(&["--idle", "50", "--open"]));
    // Whose a process's files in /proc are says whether it is dumpable (proc(5)).
    let owner = |holder: &Holder| fs::metadata(format!("/proc/{}/environ", holder.pid())).unwrap().uid();
    assert_eq!((owner(&closed), owner(&open)), (0, 65532));
    assert_eq!(open.said["idle"], 50);
    // It limits itself all the same.
    for holder in [&closed, &open] {
        holder.is_limited();
    }
    assert_eq!((owner(&closed), owner(&open)), (0, 65532));
}

/// As the first container of a copy of a pod does.
#[test]
fn it_puts_itself_where_another_container_finds_it() {
    require_root!();
    let root = Root::new();
    let path = |name: &str| root.0.path().join(name);
    for folder in ["proc", "there"] {
        fs::create_dir(path(folder)).unwrap();
    }
    fs::set_permissions(path("there"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(path("scratchdbg-shim"), fs::Permissions::from_mode(0o555)).unwrap();
    let script = "umask 077; mount --bind /proc \"$0/proc\" && exec \"$@\"";
    let before = ["unshare", "--mount", "sh", "-c", script, root.0.path().to_str().unwrap()];
    let install = |words: &[&str]| run(root.command(&before, &[&["install"], words].concat()));
    // Also where it is already.
    for _ in 0..2 {
        install(&["/there"]).quietly();
        let there = path("there/scratchdbg-shim");
        assert!(fs::read(&there).unwrap() == scratchdbg::entry::SHIM);
        assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o555);
    }
    assert_eq!(fs::read_dir(path("there")).unwrap().count(), 1);
    let failed = install(&["/elsewhere"]).ends_with(1);
    assert!(failed.stderr.contains("cannot be put there"), "{failed:?}");
    for words in [&[][..], &["/there", "more"]] {
        install(words).ends_with(2);
    }
    // What nobody may read cannot be copied.
    fs::set_permissions(path("scratchdbg-shim"), fs::Permissions::from_mode(0o111)).unwrap();
    install(&["/there"]).ends_with(1);
}

#[test]
fn a_wrong_call_is_told() {
    require_root!();
    let root = Root::new();
    for words in [
        &["hold", "--ttl"][..],
        &["hold", "--ttl", "0"],
        &["hold", "--ttl", "-1"],
        &["hold", "--ttl", "1s"],
        &["hold", "--idle", "99999999999999999999"],
        &["hold", "--idle", "31536001"],
        &["hold", "on"],
        &["hold", "--open", "1"],
        &["--help"],
        &["shell"],
    ] {
        let ended = run(root.command(&[], words)).ends_with(2);
        assert!(ended.stderr.contains("hold [--ttl SECONDS]") && ended.text().is_empty(), "{words:?}: {ended:?}");
    }
}

/// What nobody else limits, they do themselves.
#[test]
fn they_can_do_little() {
    require_root!();
    let root = Root::new();
    let (holder, session) = (root.hold(&[]), root.session());
    holder.is_limited();
    for pid in [holder.pid(), session.pid()] {
        assert_eq!(status(pid, "NoNewPrivs"), ["1"]);
        assert_eq!(status(pid, "Seccomp"), ["2"]);
        let limits = process::read(format!("/proc/{pid}/limits"));
        for name in ["Max core file size", "Max file size"] {
            let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            assert_eq!(line.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "{name}");
        }
        // Not dumpable: what is there of it belongs to root.
        assert_eq!(fs::metadata(format!("/proc/{pid}/environ")).map(|meta| owner(&meta)).unwrap(), 0);
    }
    // Who talks nonsense is not talked to any more.
    assert_eq!((session.hello.passes, session.hello.writes, session.hello.caps), (false, false, 0));
    assert!(session.end().success());
}

fn owner(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(meta)
}

#[test]
fn a_session_reads_and_does_nothing_else() {
    require_root!();
    let root = Root::new();
    fs::write(root.0.path().join("file"), "hello").unwrap();
    let mut session = root.session();
    assert_eq!(session.read("/file"), b"hello");
    let refused = |session: &mut Session, op| {
        session.ask(op, |body| assert!(matches!(body, Body::Failed(_)), "{body:?}")).unwrap();
    };
    refused(&mut session, Op::Open { path: b"/file", kind: scratchdbg::wire::OpenKind::File });
    refused(&mut session, Op::Connect { addr: scratchdbg::wire::Addr::V4([127, 0, 0, 1], 1) });
    refused(&mut session, Op::Watch);
    // Of a program that is not readable not even its own user reads a byte.
    refused(&mut session, Op::Read { path: b"/scratchdbg-shim", offset: 0, len: 1, credit: 1 });
    assert!(session.end().success());
}

#[test]
fn who_is_first_buries_the_dead() {
    require_root!();
    let root = Root::new();
    let mut holder = root.hold_within(&["unshare", "--pid", "--fork", "--kill-child"], &[]);
    assert_eq!(holder.said["pid"], 1);
    let first = process::all_pids().find(|&pid| process::parent(pid) == Some(holder.pid())).unwrap();
    // A child that waits for its input, whose parent has gone.
    let target = first.to_string();
    let mut script = Command::new("nsenter");
    script.args(["--target", &target, "--pid", "sh", "-c", "cat <&3 3<&- & exit 0"]);
    let mut orphan = Command::new("sh");
    orphan.args(["-c", "exec 3<&0; exec \"$@\"", "sh"]).arg(script.get_program()).args(script.get_args());
    let mut orphan = orphan.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let input = orphan.stdin.take().unwrap();
    assert!(orphan.wait().unwrap().success());
    let adopted = wait::until("the orphan to be adopted", || {
        process::all_pids().find(|&pid| process::parent(pid) == Some(first))
    });
    drop(input);
    wait::until("the orphan to be buried", || process::state(adopted).is_none().then_some(()));
    // As the first process it gets the signals that it waits for, and no others.
    kill(Pid::from_raw(first), Signal::SIGTERM).unwrap();
    assert_eq!(holder.end().code(), Some(0));
    assert!(has_ended(first));
}

#[test]
fn numbers_of_calls_are_the_kernels() {
    use numbers as ours;
    for (ours, theirs) in [
        (ours::CAPGET, libc::SYS_capget),
        (ours::CLOCK_GETTIME, libc::SYS_clock_gettime),
        (ours::CLOSE, libc::SYS_close),
        (ours::EXIT_GROUP, libc::SYS_exit_group),
        (ours::FCHDIR, libc::SYS_fchdir),
        (ours::FCHMOD, libc::SYS_fchmod),
        (ours::FCNTL, libc::SYS_fcntl),
        (ours::FSTATFS, libc::SYS_fstatfs),
        (ours::GETDENTS64, libc::SYS_getdents64),
        (ours::GETGID, libc::SYS_getgid),
        (ours::GETUID, libc::SYS_getuid),
        (ours::KILL, libc::SYS_kill),
        (ours::OPENAT, libc::SYS_openat),
        (ours::OPENAT2, libc::SYS_openat2),
        (ours::PIDFD_OPEN, libc::SYS_pidfd_open),
        #[cfg(target_arch = "x86_64")]
        (ours::POLL, libc::SYS_poll),
        (ours::PPOLL, libc::SYS_ppoll),
        (ours::PREAD64, libc::SYS_pread64),
        (ours::PROCESS_VM_READV, libc::SYS_process_vm_readv),
        (ours::READ, libc::SYS_read),
        (ours::READLINKAT, libc::SYS_readlinkat),
        (ours::RESTART_SYSCALL, libc::SYS_restart_syscall),
        (ours::RT_SIGPROCMASK, libc::SYS_rt_sigprocmask),
        (ours::RT_SIGRETURN, libc::SYS_rt_sigreturn),
        (ours::RT_SIGTIMEDWAIT, libc::SYS_rt_sigtimedwait),
        (ours::SECCOMP, libc::SYS_seccomp),
        (ours::STATX, libc::SYS_statx),
        (ours::UNLINKAT, libc::SYS_unlinkat),
        (ours::WAIT4, libc::SYS_wait4),
        (ours::WRITE, libc::SYS_write),
    ] {
        assert_eq!(i64::try_from(ours).unwrap(), theirs);
    }
}

//! The holder: keeps a container that others enter by an exec, and ends by itself.
//!
//! It, the sessions of its container and who debugs from there know of each other by locks on the container's own root directory, of which every
//! container has another. Nothing is written for that, and nobody else can hold one: the target has its own root. In a copy of a pod, where the
//! holder stands in the place of the program, whoever is begun in that container shares it.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions, kill_process, set_dumpable_behavior, wait};

use crate::filter;
use crate::sys::{self, Arguments, LockOwner, clock, signals};
use crate::wire::{DEBUGGER, VERSION};

/// Seconds a holder lives, and may be without a session, unless it is told otherwise.
const LIFE: u64 = 3600;
const IDLE: u64 = 900;
/// The most that may be asked for: a year.
const MOST: u64 = 31_536_000;
/// How often it looks whether there is a session, in seconds.
const LOOK: u64 = 1;
/// Which byte stands for the holder, which for sessions, and which for who stops the holder.
const HOLDER: i64 = 0;
const SESSION: i64 = 1;
const STOPPER: i64 = 2;
/// How long who stops it is given to end first, how often that is looked for, and how long a runtime may take to notice it,
/// in milliseconds. A runtime whose container is gone may never tell what became of an exec.
const GRACE: u64 = 2000;
const STEP: u64 = 20;
const NOTICE: u64 = 200;
/// How long who debugs is given to let go of the target, in milliseconds. It takes a moment; a runtime that ends a container kills
/// all that is in it some 30 s later.
const LETTING_GO: u64 = 20_000;

/// What a wrong call is told.
const USAGE: &[u8] = b"scratchdbg-shim: hold [--ttl SECONDS] [--idle SECONDS] [--open], stop, install DIRECTORY, or nothing for a session\n";
/// What whoever looks into its log is told where it cannot begin.
const NO_ROOT: &[u8] = b"scratchdbg-shim: the root directory of its container cannot be opened\n";
const UNLIMITED: &[u8] = b"scratchdbg-shim: the kernel, or the filter of its container, does not let it limit itself (seccomp)\n";

/// How long, in seconds.
struct Limits {
    life: u64,
    idle: u64,
    /// Whether others of its user may look into it: where it holds the place of the program that they want to look at.
    open: bool,
}

/// Keeps the container. The result is the exit status.
pub fn hold(arguments: Arguments) -> i32 {
    let Some(limits) = Limits::of(arguments) else { return usage() };
    let began = clock::seconds();
    let Some(root) = root() else { return tell(NO_ROOT, 1) };
    if !signals::hold_back() {
        return 1;
    }
    // Where there are no such locks it cannot be stopped by `stop`, and ends by itself even so.
    let _ = sys::share_lock(root.as_fd(), HOLDER, LockOwner::Process);
    if limits.open && set_dumpable_behavior(DumpableBehavior::Dumpable).is_err() {
        return 1;
    }
    introduce(&limits);
    // Only now: what it has said may have gone into a file.
    if !crate::be_limited() || !filter::of_holder() {
        return unlimited();
    }
    let mut last = began;
    loop {
        // What is orphaned to the first process of a pid namespace is its own to bury.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let now = clock::seconds();
        if [SESSION, DEBUGGER].into_iter().any(|byte| sys::lock_holder(root.as_fd(), byte).is_some()) {
            last = now;
        }
        let end = (began + limits.life).min(last + limits.idle);
        if now >= end {
            have_the_target_let_go(root.as_fd());
            return 0;
        }
        match signals::next(LOOK.min(end - now) * 1000) {
            Some(signals::HANGUP | signals::INTERRUPT | signals::TERMINATE) => {
                have_the_target_let_go(root.as_fd());
                let_go_first(root.as_fd());
                return 0;
            }
            _ => {}
        }
    }
}

/// Asks all who debug from inside of this container to end, and waits until they have. With the container a runtime kills them:
/// then nobody would take their breakpoints out of the target.
fn have_the_target_let_go(root: BorrowedFd<'_>) {
    let mut asked = None;
    for _ in 0..LETTING_GO / STEP {
        let Some(debugger) = sys::lock_holder(root, DEBUGGER) else { return };
        if asked != Some(debugger)
            && let Some(pid) = Some(debugger).filter(|&pid| pid > 0).and_then(Pid::from_raw)
        {
            // It may have ended just now.
            let _ = kill_process(pid, Signal::TERM);
            asked = Some(debugger);
        }
        signals::next(STEP);
    }
}

/// Waits for whoever stops the holder to have ended, if there is somebody.
fn let_go_first(root: BorrowedFd<'_>) {
    for step in 0..GRACE / STEP {
        match sys::lock_holder(root, STOPPER) {
            Some(_) => _ = signals::next(STEP),
            None if step == 0 => return,
            None => break,
        }
    }
    signals::next(NOTICE);
}

/// Ends the holder of this container. Status 1 if there is none.
pub fn stop() -> i32 {
    let Some(root) = root() else { return 1 };
    // Without it the holder ends at once.
    let _ = sys::share_lock(root.as_fd(), STOPPER, LockOwner::Descriptor);
    let holder = sys::lock_holder(root.as_fd(), HOLDER).filter(|&pid| pid > 0).and_then(Pid::from_raw);
    let stopped = holder.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
    // Held to the end.
    core::mem::forget(root);
    (!stopped).into()
}

/// Tells the holder that there is a session, for as long as what this gives is kept.
pub fn be_noticed() -> Option<OwnedFd> {
    let root = root()?;
    // A runtime without such locks has a holder that ends when it has been idle for long, and no worse.
    let _ = sys::share_lock(root.as_fd(), SESSION, LockOwner::Descriptor);
    Some(root)
}

/// Says how it is called. The exit status.
pub fn usage() -> i32 {
    tell(USAGE, 2)
}

/// Says that it will not go on without what keeps it from doing more than it should. The exit status.
pub fn unlimited() -> i32 {
    tell(UNLIMITED, 1)
}

fn tell(words: &[u8], status: i32) -> i32 {
    // Nobody may be reading it.
    let _ = rustix::io::write(sys::errors(), words);
    status
}

/// The container's own root directory.
fn root() -> Option<OwnedFd> {
    openat(CWD, c"/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

impl Limits {
    /// `None` if they are not understood.
    fn of(mut arguments: Arguments) -> Option<Self> {
        let mut limits = Self { life: LIFE, idle: IDLE, open: false };
        while let Some(name) = arguments.next() {
            let limit = match name {
                b"--ttl" => &mut limits.life,
                b"--idle" => &mut limits.idle,
                b"--open" => {
                    limits.open = true;
                    continue;
                }
                _ => return None,
            };
            let seconds = core::str::from_utf8(arguments.next()?).ok()?.parse().ok()?;
            *limit = Some(seconds).filter(|seconds| (1..=MOST).contains(seconds))?;
        }
        Some(limits)
    }
}

/// Says who it is, in one line.
fn introduce(limits: &Limits) {
    let capabilities = rustix::thread::capabilities(None).map_or(0, |sets| sets.effective.bits());
    let mut line = Line { room: [0; 512], used: 0 };
    line.text(b"{\"scratchdbg\":\"");
    line.text(option_env!("SCRATCHDBG_VERSION").unwrap_or("unknown").as_bytes());
    line.text(b"\"");
    line.number(b"protocol", Some(u64::from(VERSION)));
    line.number(b"pid", Some(rustix::process::getpid().as_raw_nonzero().get() as u64));
    line.number(b"uid", Some(rustix::process::getuid().as_raw().into()));
    line.number(b"gid", Some(rustix::process::getgid().as_raw().into()));
    line.number(b"capabilities", Some(capabilities));
    line.number(b"ptrace_scope", ptrace_scope());
    line.number(b"ttl", Some(limits.life));
    line.number(b"idle", Some(limits.idle));
    line.text(b"}\n");
    // Nobody may be reading it. It holds even so.
    let _ = rustix::io::write(sys::replies(), &line.room[..line.used]);
}

/// What Yama asks of who traces, if it is there.
fn ptrace_scope() -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = openat(CWD, c"/proc/sys/kernel/yama/ptrace_scope", flags, Mode::empty()).ok()?;
    let mut digit = [0; 1];
    let got = rustix::io::read(&file, &mut digit).ok()?;
    (got == 1 && digit[0].is_ascii_digit()).then(|| u64::from(digit[0] - b'0'))
}

/// A line in the making. What does not fit is left out.
struct Line {
    room: [u8; 512],
    used: usize,
}

impl Line {
    fn text(&mut self, text: &[u8]) {
        if let Some(room) = self.room.get_mut(self.used..self.used + text.len()) {
            room.copy_from_slice(text);
            self.used += text.len();
        }
    }

    fn number(&mut self, name: &[u8], number: Option<u64>) {
        self.text(b",\"");
        self.text(name);
        self.text(b"\":");
        match number {
            Some(number) => self.text(rustix::path::DecInt::new(number).as_bytes()),
            None => self.text(b"null"),
        }
    }
}

//! The shim: the tiny static program that goes inside and answers questions.
//!
//! It only lists, stats, reads, opens and connects (and, beside a target, carries what goes through a connection). It has no libc, allocates nothing, never forks and never
//! parses what it reads. By the time its first instruction runs, the broker has taken away every
//! right it does not need (see `src/entry` of the host). It holds three descriptors: 0 the
//! connection, 1 the target's pidfd (or `/dev/null`), 2 `/dev/null`.
//!
//! In a sidecar it is the engine that starts it, as its own program in a container of its own: descriptors 0 and 1 are
//! then two pipes, requests in and replies out, and it first has to be told whose root to go to.
//!
//! In a pod's ephemeral container it is started by an exec, without an argument: a session, which is as in a sidecar, but gives
//! itself the filter that nobody else gave it. What keeps such a container is the same program: the [`hold`]er. In a copy of a pod it
//! holds the place of the target's own program, where it was [`install`]ed.
//!
//! Its working directory is the root of everything: every path is resolved from there with
//! `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod connection;
mod files;
mod filter;
mod hold;
mod install;
mod numbers;
mod parts;
mod serve;
mod stream;
mod sys;
mod tunnel;
#[expect(dead_code, reason = "some of it is for the host alone")]
mod wire;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

/// What it was started for, as the second argument: one letter each.
#[derive(Clone, Copy)]
struct Allowed {
    /// `p`: descriptors may be passed.
    passes: bool,
    /// `w`: files may be created and written.
    writes: bool,
    /// `t`: descriptor 1 is the target's pidfd.
    watches: bool,
    /// `s`: a sidecar, with pipes, and free to go to one process's root.
    sidecar: bool,
    /// No letter: as in a sidecar, but nobody else limits what it may call.
    session: bool,
}

impl Allowed {
    const SESSION: Self = Self { passes: false, writes: false, watches: false, sidecar: true, session: true };

    fn from_letters(letters: &[u8]) -> Option<Self> {
        let has = |letter| letters.contains(&letter);
        let known = letters.iter().all(|letter| b"pwts".contains(letter));
        let (passes, writes, watches, sidecar) = (has(b'p'), has(b'w'), has(b't'), has(b's'));
        known.then_some(Self { passes, writes, watches, sidecar, session: false })
    }
}

/// Called by `_start` with the arguments. Its result is the exit status.
fn run(mut arguments: sys::Arguments) -> i32 {
    // The program file is unreadable, which makes the process non-dumpable from its first
    // instruction, except where it may read every file; then this is the second line.
    if rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        return 1;
    }
    let allowed = match arguments.next() {
        None => Some(Allowed::SESSION),
        Some(b"hold") => return hold::hold(arguments),
        Some(b"stop") => return hold::stop(),
        Some(b"install") => return install::install(arguments),
        Some(letters) => Allowed::from_letters(letters),
    };
    let Some(allowed) = allowed else { return hold::usage() };
    let settled = if allowed.session {
        // Not tied to its parent: that is the runtime's own program, which ends as soon as it has started this one.
        be_limited()
    } else {
        // Should the broker die by SIGKILL, so does the shim. The broker set this too; exec may have cleared it.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).is_ok()
    };
    if !settled {
        return 1;
    }
    let _noticed = if allowed.session { hold::be_noticed() } else { None };
    serve::serve(allowed, &mut sys::buffers())
}

/// No core file, nothing written to any file, and no rights by any other program: what the broker sees to elsewhere.
fn be_limited() -> bool {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = [Resource::Core, Resource::Fsize].into_iter().all(|what| rustix::process::setrlimit(what, none.clone()).is_ok());
    limited && rustix::thread::set_no_new_privs(true).is_ok()
}

//! The shim: the tiny static program that goes inside and answers questions.
//!
//! It only lists, stats, reads, opens and connects. It has no libc, allocates nothing, never forks and never
//! parses what it reads. By the time its first instruction runs, the broker has taken away every
//! right it does not need (see `src/entry` of the host). It holds three descriptors: 0 the
//! connection, 1 the target's pidfd (or `/dev/null`), 2 `/dev/null`.
//!
//! In a sidecar it is the engine that starts it, as its own program in a container of its own: descriptors 0 and 1 are
//! then two pipes, requests in and replies out, and it first has to be told whose root to go to.
//!
//! Its working directory is the root of everything: every path is resolved from there with
//! `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod connection;
mod files;
mod parts;
mod serve;
mod stream;
mod sys;
#[expect(dead_code, reason = "some of it is for the host alone")]
mod wire;

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
}

impl Allowed {
    fn from_letters(letters: &[u8]) -> Self {
        let has = |letter| letters.contains(&letter);
        Self { passes: has(b'p'), writes: has(b'w'), watches: has(b't'), sidecar: has(b's') }
    }
}

/// Called by `_start` with the arguments. Its result is the exit status.
fn run(letters: &[u8]) -> i32 {
    // Should the broker die by SIGKILL, so does the shim. The broker set this too; exec may have cleared it.
    let parent = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // The broker made the program file unreadable, which makes the process non-dumpable from its first
    // instruction, except where it may read every file; then this is the second line.
    let dumpable = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if parent.is_err() || dumpable.is_err() {
        return 1;
    }
    serve::serve(Allowed::from_letters(letters), &mut sys::buffers())
}

//! What this program is in a sidecar, or in a pod's container: the broker beside the target, for one core or one session.
//!
//! It is the first process of a sidecar, or was begun by an exec in a container that is kept by another one; and none of the target's,
//! though it is among them. It can be seen there, not looked
//! into: its program cannot be read, so it is not dumpable from its first instruction on. It starts a worker or a guard as the broker
//! does, and carries what is said between it and whoever has started it. If a guard is killed, it starts another one, which
//! takes over. It ends the session when its input ends or it gets a signal that ends programs, and ends with it.

mod carry;
mod core;
mod live;
mod noticed;

use std::io::{IsTerminal as _, Read as _, Write as _};

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use self::carry::Carrier;
use super::wire::{self, Frame, Job, Refusal, Say, Work};
use crate::entry::broker::{message, rights};
use crate::exit::{Exit, Failure};
use crate::sys;

/// Its life.
///
/// # Errors
/// If nobody is there who has made a sidecar of it.
pub fn run() -> Result<(), Failure> {
    let typed = || Failure::new(Exit::Usage, "beside is for a sidecar, which is told what to do; nobody types it");
    if std::io::stdin().is_terminal() {
        return Err(typed());
    }
    let signals = settle().map_err(|errno| Failure::new(Exit::No, format!("cannot settle in a sidecar: {errno}")))?;
    // Before anything is begun: who keeps the container waits for it.
    let _noticed = noticed::be_noticed();
    let (job, received) = begin().ok_or_else(typed)?;
    let carrier = Carrier::new(signals, received);
    match ready(&job) {
        Ok(()) => match job.work {
            Work::Core(order) => core::run(order, job.keep, carrier),
            Work::Live(order) => live::run(order, job.keep, carrier),
        },
        Err(refusal) => carrier.refuse(refusal),
    }
    Ok(())
}

/// Says who it is, and hears the first word, and what came behind it.
fn begin() -> Option<(Job, Vec<u8>)> {
    let mut out = std::io::stdout().lock();
    out.write_all(wire::HELLO.as_bytes()).and_then(|()| out.flush()).ok()?;
    let (mut received, mut room) = (Vec::new(), [0; 4096]);
    loop {
        match wire::first::<Say>(&received) {
            Ok(Some((Frame::Message(Say::Begin(job)), length))) => return Some((*job, received.split_off(length))),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return None,
        }
        match std::io::stdin().lock().read(&mut room) {
            Ok(got @ 1..) => received.extend_from_slice(&room[..got]),
            Ok(0) | Err(_) => return None,
        }
    }
}

/// Nobody can look into it; who loses their parent becomes its own child and not the target's; and signals are told.
fn settle() -> Result<SignalFd, Errno> {
    let errno = |error: rustix::io::Errno| Errno::from_raw(error.raw_os_error());
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(errno)?;
    // A Delve that has lost its guard would be adopted by the target's first process, which may never look after it.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(errno)?;
    sys::ignore_children()?;
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        mask.add(signal);
    }
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Becomes who it is to be, and sees whether it can do anything at all.
fn ready(job: &Job) -> Result<(), Refusal> {
    if let Some(ids) = &job.ids {
        rights::become_another(ids).map_err(|errno| Refusal::Ids(errno as i32))?;
        rights::had(job.keep).and_then(rights::reduce).map_err(|errno| Refusal::Ids(errno as i32))?;
    }
    // Nobody has this number: the kernel says so, unless a filter answers before it.
    let nobody = Pid::from_raw(i32::MAX);
    match ptrace::seize(nobody, ptrace::Options::empty()) {
        Err(Errno::ESRCH) => Ok(()),
        _ => Err(Refusal::Filter),
    }
}

/// A worker or a guard that could not be started.
fn refused(refusal: &message::Refusal) -> Refusal {
    Refusal::Means(match refusal {
        message::Refusal::Stopped(stopped) => stopped.errno,
        message::Refusal::Gone | message::Refusal::NoPlan(_) => libc::ESRCH,
    })
}

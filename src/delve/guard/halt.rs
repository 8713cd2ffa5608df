//! Stopping every thread of a traced process, while its tracer does nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::look::Look;
use crate::corefile::threads;
use crate::sys;
use crate::target::HostPid;

/// How long that may take, on a host with much else to do: a thread stops when it is its turn to run.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a thread may wait for a disk. Until it has what it waits for it does not stop, and hits no breakpoint either.
const FOR_A_DISK: Duration = Duration::from_millis(100);
/// Between two looks.
const BREATH: Duration = Duration::from_micros(50);

/// The first process of a pid namespace. From in there it gets no signal that it does not want, not even SIGSTOP, unless
/// somebody traces it (pid_namespaces(7)).
const FIRST: HostPid = HostPid(1);

/// Has every thread stop, each by a SIGSTOP of its own, which its tracer is told of and does not answer.
///
/// A thread of the first process here, which is what a sidecar sees of most targets, cannot be stopped if nobody traces it. It has
/// none only while Delve attaches, and has not written any breakpoint: it may run on.
pub fn all(pid: HostPid) {
    let began = Instant::now();
    let mut told: Vec<Pid> = Vec::new();
    while began.elapsed() < PATIENCE {
        // Threads that are made meanwhile stop with the next look.
        let Ok(all) = threads::list(pid) else { return };
        let is_waited_for = |&thread: &Pid| match state(pid, thread) {
            None | Some(b't' | b'T' | b'Z' | b'X') => false,
            Some(b'D') => began.elapsed() < FOR_A_DISK,
            Some(_) if pid == FIRST => Look::at_thread(pid, thread.as_raw()).is_ok_and(|look| look.tracer != 0),
            Some(_) => true,
        };
        let running: Vec<_> = all.into_iter().filter(is_waited_for).collect();
        if running.is_empty() {
            return;
        }
        for thread in running {
            if !told.contains(&thread) {
                told.push(thread);
                // It may have ended.
                let _ = sys::signal_thread(pid.0, thread.as_raw(), Signal::SIGSTOP);
            }
        }
        std::thread::sleep(BREATH);
    }
}

/// `PF_EXITING` (include/linux/sched.h): the thread is about to end. The first one of a container waits then until all others
/// have been reaped, by Delve too: to wait for it would be to wait for ourselves.
const EXITING: u64 = 4;

/// What a thread does. `None` if it has ended, or is about to.
fn state(pid: HostPid, thread: Pid) -> Option<u8> {
    parse(&std::fs::read(format!("/proc/{pid}/task/{thread}/stat")).ok()?)
}

/// proc_pid_stat(5), fields 3 and 9. Before them is the name, which may have anything in it.
fn parse(text: &[u8]) -> Option<u8> {
    let end = memchr::memrchr(b')', text)?;
    let mut fields = std::str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let flags: u64 = fields.nth(9 - 4)?.parse().ok()?;
    (flags & EXITING == 0).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_is_not_waited_for() {
        assert_eq!(parse(b"7 (a) t 0) R 1 7 7 0 -1 4194560 1 2"), Some(b'R'));
        assert_eq!(parse(b"7 (a) S 1 7 7 0 -1 4194564 1 2"), None);
        for bad in [&b""[..], b"7 (a)", b"7 (a) R", b"7 (a) R 1 7 7 0 -1 x", b"7 a R 1 7 7 0 -1 4"] {
            assert_eq!(parse(bad), None);
        }
    }
}

//! Stopping every thread of a traced process, while its tracer does nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::corefile::threads;
use crate::sys;
use crate::target::HostPid;

/// How long that may take, on a host with much else to do: a thread stops when it is its turn to run.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a thread may wait for a disk. Until it has what it waits for it does not stop, and hits no breakpoint either.
const FOR_A_DISK: Duration = Duration::from_millis(100);
/// Between two looks.
const BREATH: Duration = Duration::from_micros(50);

/// Has every thread stop, each by a SIGSTOP of its own, which its tracer is told of and does not answer.
pub fn all(pid: HostPid) {
    let began = Instant::now();
    let mut told: Vec<Pid> = Vec::new();
    while began.elapsed() < PATIENCE {
        // Threads that are made meanwhile stop with the next look.
        let Ok(all) = threads::list(pid) else { return };
        let is_waited_for = |&thread: &Pid| match state(pid, thread) {
            None | Some(b't' | b'T' | b'Z' | b'X') => false,
            Some(b'D') => began.elapsed() < FOR_A_DISK,
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

/// What a thread does (proc_pid_stat(5), field 3). `None` if it has ended.
fn state(pid: HostPid, thread: Pid) -> Option<u8> {
    let text = std::fs::read(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
    // Behind the name, which may have anything in it.
    memchr::memrchr(b')', &text).and_then(|end| text.get(end + 2)).copied()
}

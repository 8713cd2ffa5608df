//! Stopping every thread of a traced process, while its tracer does nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::corefile::threads;
use crate::sys;
use crate::target::HostPid;

/// How long that may take. A thread that waits for a disk does not stop, and hits no breakpoint either.
const PATIENCE: Duration = Duration::from_millis(100);
/// Between two looks.
const BREATH: Duration = Duration::from_micros(50);

/// Has every thread stop, each by a SIGSTOP of its own, which its tracer is told of and does not answer.
pub fn all(pid: HostPid) {
    let deadline = Instant::now() + PATIENCE;
    let mut told: Vec<Pid> = Vec::new();
    while Instant::now() < deadline {
        // Threads that are made meanwhile stop with the next look.
        let Ok(all) = threads::list(pid) else { return };
        let running: Vec<_> = all.into_iter().filter(|&thread| runs(pid, thread)).collect();
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

/// Whether a thread is not stopped (proc_pid_stat(5), field 3). One that has ended is.
fn runs(pid: HostPid, thread: Pid) -> bool {
    let Ok(text) = std::fs::read(format!("/proc/{pid}/task/{thread}/stat")) else { return false };
    // Behind the name, which may have anything in it.
    let state = memchr::memrchr(b')', &text).and_then(|end| text.get(end + 2));
    !matches!(state, Some(b't' | b'T' | b'Z' | b'X'))
}

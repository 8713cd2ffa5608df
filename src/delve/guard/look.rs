//! How a process is, by the kernel's word: `/proc/PID/status` (proc_pid_status(5)).

use std::io;

use crate::target::HostPid;

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// One letter: `R`, `S`, `t` of one that a debugger has stopped, `T` of one that a signal has.
    pub state: char,
    /// The thread that traces it, or 0.
    pub tracer: i32,
    /// The signals that wait for the process, whichever thread takes them: bit 0 is signal 1.
    pub waiting: u64,
    /// The signals that wait for this thread.
    pub own: u64,
}

/// Signals that end a program, or ask it to.
const ENDING: [i32; 5] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGKILL, libc::SIGTERM];

impl Look {
    /// Looks at a process, and its first thread.
    pub fn at(pid: HostPid) -> io::Result<Self> {
        Self::at_thread(pid, pid.0)
    }

    /// Looks at one of its threads.
    pub fn at_thread(pid: HostPid, thread: i32) -> io::Result<Self> {
        let text = std::fs::read(format!("/proc/{pid}/task/{thread}/status"))?;
        parse(&text).ok_or_else(|| io::Error::other("its status makes no sense"))
    }

    /// Whether a debugger has stopped it.
    pub fn is_held(&self) -> bool {
        self.state == 't' || (self.state == 'T' && self.tracer != 0)
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// A signal that waits for it and would end it.
    pub fn is_to_end(&self) -> Option<i32> {
        ENDING.into_iter().find(|signal| self.waiting & (1 << (signal - 1)) != 0)
    }
}

/// The kernel escapes line ends in `Name`, so no name can forge another line.
fn parse(text: &[u8]) -> Option<Look> {
    let field = |name: &[u8]| {
        let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok().map(str::trim)
    };
    Some(Look {
        state: field(b"State:")?.chars().next()?,
        tracer: field(b"TracerPid:")?.parse().ok()?,
        // Of the process, not of its first thread: that is where kill(2) puts them.
        waiting: u64::from_str_radix(field(b"ShdPnd:")?, 16).ok()?,
        own: u64::from_str_radix(field(b"SigPnd:")?, 16).ok()?,
    })
}

/// Parses arbitrary bytes. For fuzzing: must not panic.
pub fn fuzz(bytes: &[u8]) {
    let _ = parse(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read() {
        let text = b"Name:\tState:\\nT\nState:\tt (tracing stop)\nTracerPid:\t449\nSigPnd:\t0000000000000001\nShdPnd:\t0000000000004000\n";
        let look = parse(text).unwrap();
        assert_eq!(look, Look { state: 't', tracer: 449, waiting: 1 << 14, own: 1 });
        assert!(look.is_held() && !look.has_ended());
        assert_eq!(look.is_to_end(), Some(libc::SIGTERM));
        assert_eq!(Look { waiting: 1 << (libc::SIGCHLD - 1), ..look }.is_to_end(), None);
        // Stopped by a signal and by nobody else.
        assert!(!Look { state: 'T', tracer: 0, ..look }.is_held());
        for bad in [
            &b""[..],
            b"State:\t\n",
            b"State:\tS\nTracerPid:\tx\nSigPnd:\t0\nShdPnd:\t0\n",
            b"State:\tS\nTracerPid:\t1\n",
        ] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn this_process_runs() {
        let look = Look::at(HostPid(std::process::id().cast_signed())).unwrap();
        assert!(!look.is_held() && !look.has_ended() && look.is_to_end().is_none());
    }
}

//! The system call that a thread is in: `/proc/PID/syscall` (proc_pid_syscall(5)).

use serde::Serialize;

use crate::inspect::fetch;

/// What a thread is doing in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its number on this machine. `None`: it waits in the kernel without having called it, as in a page fault.
    pub number: Option<u64>,
    /// Its name, of those that threads are usually found in.
    pub name: Option<&'static str>,
    /// Where its stack is.
    #[serde(serialize_with = "address")]
    pub sp: u64,
    /// Where it goes on.
    #[serde(serialize_with = "address")]
    pub pc: u64,
}

/// An address as JSON has it: hexadecimal, because its numbers are not exact above 2⁵³.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
pub(crate) fn address<S: serde::Serializer>(address: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{address:#018x}"))
}

/// Calls in which threads wait.
const NAMES: [(libc::c_long, &str); 36] = [
    (libc::SYS_accept, "accept"),
    (libc::SYS_accept4, "accept4"),
    (libc::SYS_clock_nanosleep, "clock_nanosleep"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_epoll_pwait, "epoll_pwait"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_futex, "futex"),
    (libc::SYS_io_getevents, "io_getevents"),
    (libc::SYS_io_uring_enter, "io_uring_enter"),
    (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_msgrcv, "msgrcv"),
    (libc::SYS_nanosleep, "nanosleep"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_ppoll, "ppoll"),
    (libc::SYS_pread64, "pread64"),
    (libc::SYS_pselect6, "pselect6"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_read, "read"),
    (libc::SYS_readv, "readv"),
    (libc::SYS_recvfrom, "recvfrom"),
    (libc::SYS_recvmmsg, "recvmmsg"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_restart_syscall, "restart_syscall"),
    (libc::SYS_rt_sigsuspend, "rt_sigsuspend"),
    (libc::SYS_rt_sigtimedwait, "rt_sigtimedwait"),
    (libc::SYS_sched_yield, "sched_yield"),
    (libc::SYS_semop, "semop"),
    (libc::SYS_semtimedop, "semtimedop"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_sendto, "sendto"),
    (libc::SYS_wait4, "wait4"),
    (libc::SYS_waitid, "waitid"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
];
/// Older calls, which newer machines do without.
#[cfg(target_arch = "x86_64")]
const OLDER: [(libc::c_long, &str); 4] = [
    (libc::SYS_epoll_wait, "epoll_wait"),
    (libc::SYS_pause, "pause"),
    (libc::SYS_poll, "poll"),
    (libc::SYS_select, "select"),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [(libc::c_long, &str); 0] = [];

impl Call {
    /// Its name, or its number; or that there is none.
    #[must_use]
    pub fn word(&self) -> String {
        match (self.name, self.number) {
            (Some(name), _) => name.to_owned(),
            (None, Some(number)) => format!("call {number}"),
            (None, None) => "no call".to_owned(),
        }
    }
}

/// Parses it. `None` if the thread runs, or the text makes no sense.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Call> {
    let words: Vec<_> = fetch::words(text).take(10).collect();
    let word = |at: usize| fetch::number(words.get(at)?.strip_prefix(b"0x")?, 16);
    match (words.first().copied()?, words.len()) {
        (b"-1", 3) => Some(Call { number: None, name: None, sp: word(1)?, pc: word(2)? }),
        // Its number, six arguments, and then the two.
        (number, 9) => {
            let number: u64 = fetch::decimal(number)?;
            let mut names = NAMES.iter().chain(&OLDER);
            let name = names.find(|(known, _)| u64::try_from(*known) == Ok(number)).map(|(_, name)| *name);
            Some(Call { number: Some(number), name, sp: word(7)?, pc: word(8)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        let line = format!("{} 0x1 0x80 0x0 0x0 0x0 0x0 0x7ffe1000 0x4640b0\n", libc::SYS_futex);
        let call = parse(line.as_bytes()).unwrap();
        assert_eq!((call.name, call.sp, call.pc), (Some("futex"), 0x7ffe_1000, 0x46_40b0));
        assert_eq!(call.word(), "futex");
        let unknown = parse(b"9999 0x0 0x0 0x0 0x0 0x0 0x0 0x1 0x2").unwrap();
        assert_eq!((unknown.word(), unknown.pc), ("call 9999".to_owned(), 2));
        let none = parse(b"-1 0x7ffe1000 0x4640b0").unwrap();
        assert_eq!((none.number, none.sp, none.word()), (None, 0x7ffe_1000, "no call".to_owned()));
        for text in ["running\n", "", "202 0x1", "-1 1 2", "-2 0x1 0x2", "202 0x1 0x80 0x0 0x0 0x0 0x0 0x7ffe1000 464"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}

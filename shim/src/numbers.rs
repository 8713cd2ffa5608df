//! Numbers of system calls (syscalls(2)). A test of the host compares them with its libc's.

#[cfg(target_arch = "x86_64")]
macro_rules! number {
    ($x86_64:literal, $aarch64:literal) => {
        $x86_64
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! number {
    ($x86_64:literal, $aarch64:literal) => {
        $aarch64
    };
}

pub const CAPGET: usize = number!(125, 90);
pub const CLOCK_GETTIME: usize = number!(228, 113);
pub const CLOSE: usize = number!(3, 57);
pub const EXIT_GROUP: usize = number!(231, 94);
pub const FCHDIR: usize = number!(81, 50);
pub const FCHMOD: usize = number!(91, 52);
pub const FCNTL: usize = number!(72, 25);
pub const FSTATFS: usize = number!(138, 44);
pub const GETDENTS64: usize = number!(217, 61);
pub const GETGID: usize = number!(104, 176);
pub const GETUID: usize = number!(102, 174);
pub const KILL: usize = number!(62, 129);
pub const OPENAT: usize = number!(257, 56);
pub const OPENAT2: usize = number!(437, 437);
pub const PIDFD_OPEN: usize = number!(434, 434);
#[cfg(target_arch = "x86_64")]
pub const POLL: usize = 7;
pub const PPOLL: usize = number!(271, 73);
pub const PREAD64: usize = number!(17, 67);
pub const PROCESS_VM_READV: usize = number!(310, 270);
pub const READ: usize = number!(0, 63);
pub const READLINKAT: usize = number!(267, 78);
pub const RESTART_SYSCALL: usize = number!(219, 128);
pub const RT_SIGPROCMASK: usize = number!(14, 135);
pub const RT_SIGRETURN: usize = number!(15, 139);
pub const RT_SIGTIMEDWAIT: usize = number!(128, 137);
pub const SECCOMP: usize = number!(317, 277);
pub const STATX: usize = number!(332, 291);
pub const UNLINKAT: usize = number!(263, 35);
pub const WAIT4: usize = number!(61, 260);
pub const WRITE: usize = number!(1, 64);

//! Every `unsafe` of the host: system calls that no well-kept crate wraps safely.
#![expect(unsafe_code, reason = "the only place of the host where it is allowed")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::unistd::ForkResult;

/// Forks (fork(2)). Only to be called while this process has one thread: then the child may use the heap and
/// everything else.
///
/// # Errors
/// As fork(2); `EBUSY` if there is more than one thread.
pub fn fork() -> nix::Result<ForkResult> {
    if !single_threaded() {
        return Err(Errno::EBUSY);
    }
    // SAFETY: there is one thread, checked above, so no lock can be held by a thread that the child lacks.
    unsafe { nix::unistd::fork() }
}

/// Makes a program end with the thread that starts it, and gives it some of our descriptors under their own numbers
/// (prctl(2), `PR_SET_PDEATHSIG`; fcntl(2), `F_SETFD`). They stay closed to every other program.
pub fn tie(command: &mut std::process::Command, kept: Vec<OwnedFd>) {
    let tie = move || {
        // SAFETY: the call reads no memory.
        Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
        for fd in &kept {
            // SAFETY: the descriptor is open, and this is the child's copy of it.
            Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) })?;
        }
        Ok(())
    };
    // SAFETY: what is called between fork and exec takes no lock and no memory: two system calls.
    unsafe { std::os::unix::process::CommandExt::pre_exec(command, tie) };
}

/// Whether this process has one thread only.
fn single_threaded() -> bool {
    // Without /proc it cannot be told; then there is nothing to enter either.
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

/// Lets children vanish without being waited for (signal(7), `SIGCHLD` ignored): an unreaped child in a pid
/// namespace would keep its container from ending.
///
/// # Errors
/// As sigaction(2).
pub fn ignore_children() -> nix::Result<()> {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe { nix::sys::signal::signal(nix::sys::signal::Signal::SIGCHLD, nix::sys::signal::SigHandler::SigIgn) }
        .map(drop)
}

/// A descriptor that can be waited for.
///
/// # Errors
/// As epoll_ctl(2). Outside of a runtime it panics.
pub fn watched(fd: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor is open, and its number the same, until it is dropped.
    unsafe { tokio::io::unix::AsyncFd::register(fd) }.map_err(io::Error::from)
}

/// Who sent a signal (sigaction(2), `si_pid`). Means something only for those that a process has sent.
#[must_use]
pub fn signal_sender(info: &libc::siginfo_t) -> i32 {
    // SAFETY: it reads a number of a struct that the kernel has filled whole.
    unsafe { info.si_pid() }
}

/// Reads a set of registers of a thread that is stopped (ptrace(2), `PTRACE_GETREGSET`; `kind` as in elf(5): `NT_PRFPREG`).
/// Gives how many bytes of it there are; of more than there is room for, the first.
///
/// # Errors
/// As ptrace(2): `EINVAL` if this machine has no such set, `ESRCH` if the thread is not stopped.
pub fn register_set(thread: nix::unistd::Pid, kind: u32, room: &mut [u8]) -> nix::Result<usize> {
    let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    // SAFETY: the kernel writes no more than `iov_len` bytes to where there is room for them, and their number to `part`.
    let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, thread.as_raw(), u64::from(kind), &raw mut part) };
    Errno::result(result).map(|_| part.iov_len)
}

/// Sends a signal to one thread (tgkill(2)).
///
/// # Errors
/// As tgkill(2).
pub fn signal_thread(process: i32, thread: i32, signal: nix::sys::signal::Signal) -> nix::Result<()> {
    // SAFETY: it touches no memory of this process.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal as i32) }).map(drop)
}

/// Lets signals do what they do by themselves, or nothing at all (signal(7)). For a forked child that is about to exec or
/// to wait for children of its own.
///
/// # Errors
/// As sigaction(2).
pub fn set_signals(default: &[nix::sys::signal::Signal], ignored: &[nix::sys::signal::Signal]) -> nix::Result<()> {
    use nix::sys::signal::SigHandler::{SigDfl, SigIgn};
    for (signals, handler) in [(default, SigDfl), (ignored, SigIgn)] {
        for &one in signals {
            // SAFETY: no handler is installed that could run.
            unsafe { nix::sys::signal::signal(one, handler) }?;
        }
    }
    Ok(())
}

/// Makes `from` the descriptor number `to`, open across exec (dup2(2)). For a process about to exec, whose own
/// descriptors no longer matter.
///
/// # Errors
/// As dup2(2).
pub fn place(from: BorrowedFd<'_>, to: RawFd) -> nix::Result<()> {
    // SAFETY: dup2 cannot break memory; the number that is replaced belongs to no object that is used again,
    // which the callers see to: they are forked children that exec or exit.
    Errno::result(unsafe { libc::dup2(from.as_raw_fd(), to) }).map(drop)
}

/// Moves a descriptor to a number of at least `least`, closed on exec (fcntl(2), `F_DUPFD_CLOEXEC`).
///
/// # Errors
/// As fcntl(2).
#[expect(clippy::needless_pass_by_value, reason = "the old number is closed by being dropped here")]
pub fn lift(fd: OwnedFd, least: RawFd) -> nix::Result<OwnedFd> {
    // SAFETY: the descriptor is open; the new one is owned by nobody else.
    let new = Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) })?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

/// Closes every descriptor from `first` on (close_range(2)). For a forked child that keeps only what it placed
/// below: objects that still own such a descriptor must not be dropped afterwards, so they are
/// leaked by `_exit` or exec.
///
/// # Errors
/// As close_range(2).
pub fn close_from(first: RawFd) -> nix::Result<()> {
    let first = libc::c_uint::try_from(first).map_err(|_| Errno::EINVAL)?;
    // SAFETY: closing descriptors cannot break memory.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) }).map(drop)
}

/// Makes every mount below the root read-only, without devices, programs and set-user-id, and keeps changes of
/// it to this mount namespace (mount_setattr(2), Linux 5.12).
///
/// # Errors
/// As mount_setattr(2): `ENOSYS` on older kernels, `EINVAL` if the root is not a mount.
pub fn lock_view(root: &CStr) -> nix::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: libc::MS_SLAVE,
        userns_fd: 0,
    };
    // SAFETY: the path is NUL-terminated and the struct is as large as said.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            root.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// Ends this process at once, running nothing (_exit(2)).
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit does not return and runs no destructor.
    unsafe { libc::_exit(status) }
}

/// Makes `from` the descriptor number `to`, closed on exec (dup3(2)). As [`place`].
///
/// # Errors
/// As dup3(2).
pub fn place_for_exec(from: BorrowedFd<'_>, to: RawFd) -> nix::Result<()> {
    // SAFETY: as in `place`.
    Errno::result(unsafe { libc::dup3(from.as_raw_fd(), to, libc::O_CLOEXEC) }).map(drop)
}

/// Takes over a descriptor that the kernel has just put at this number.
#[must_use]
pub fn own(number: RawFd) -> OwnedFd {
    // SAFETY: the callers pass numbers that `place_for_exec` or recvmsg(2) have just filled and nobody owns.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Borrows a descriptor by the number it was placed at.
#[must_use]
pub fn borrow_number(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the callers are forked children that placed a descriptor there and keep it until exec or exit.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Executes the file behind the descriptor `program` with two arguments and an empty environment (execveat(2)).
/// Allocates nothing. Returns only if it fails.
#[must_use]
pub fn execute(program: RawFd, name: &CStr, argument: &CStr) -> Errno {
    let arguments = [name.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let environment = [std::ptr::null::<libc::c_char>()];
    // SAFETY: the strings are NUL-terminated and both arrays end with a null pointer.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program,
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    Errno::last()
}

/// Joins the namespaces `kinds` (`CLONE_NEW*`) of the process behind a pidfd, in one step (setns(2), Linux 5.8).
///
/// # Errors
/// As setns(2).
pub fn join(pidfd: BorrowedFd<'_>, kinds: libc::c_int) -> nix::Result<()> {
    // SAFETY: changes only which namespaces the kernel uses for this process.
    Errno::result(unsafe { libc::setns(pidfd.as_raw_fd(), kinds) }).map(drop)
}

/// Raises SIGTSTP for this process, as the terminal would at ^Z.
///
/// # Errors
/// As raise(3).
pub fn stop_self() -> io::Result<()> {
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP).map_err(io::Error::from)
}

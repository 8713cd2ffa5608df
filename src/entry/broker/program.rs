//! The shim as a file nobody can write or read, and the filter it runs under.

use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, memfd_create, open};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::errno;

/// The shim, as `build.rs` built it.
pub static ELF: &[u8] = include_bytes!(env!("SCRATCHDBG_SHIM_ELF"));

/// The shim, ready to be executed any number of times.
pub struct Program {
    /// A handle on the sealed memory file that can only be executed.
    pub file: OwnedFd,
    /// System call filter of a session that may not write.
    pub reader: BpfProgram,
    /// System call filter of a session that may.
    pub writer: BpfProgram,
}

impl Program {
    /// Copies the shim into a memory file, takes everyone's right to read it, and seals it.
    ///
    /// Mode 0111 is a guard: the kernel makes a process non-dumpable from its first instruction if its
    /// program cannot be read by it (exec(2), `BINPRM_FLAGS_ENFORCE_NONDUMP`), so nothing inside
    /// can look into it in the moment before it could protect itself.
    pub fn new() -> Result<Self, Errno> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // MFD_EXEC (Linux 6.3) says that it is meant to be executed; older kernels do not know it.
        let memfd = memfd_create("scratchdbg-shim", flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create("scratchdbg-shim", flags))
            .map_err(errno)?;
        let mut file = std::fs::File::from(memfd);
        file.write_all(ELF).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
        fchmod(&file, Mode::from_raw_mode(0o111)).map_err(errno)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        // F_SEAL_EXEC (Linux 6.3) also fixes the mode.
        let exec = SealFlags::from_bits_retain(libc::F_SEAL_EXEC.cast_unsigned());
        fcntl_add_seals(&file, seals | exec).or_else(|_| fcntl_add_seals(&file, seals)).map_err(errno)?;
        fcntl_add_seals(&file, SealFlags::SEAL).map_err(errno)?;
        // A file that is open for writing cannot be executed (ETXTBSY): keep a handle on the path alone.
        let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
        let file = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(errno)?;
        Ok(Self { file, reader: filter(READER)?, writer: filter(WRITER)? })
    }
}

/// What the shim calls: nothing that writes, forks, signals, traces, maps or opens by handle.
const READER: &[libc::c_long] = &[
    libc::SYS_close,
    libc::SYS_connect,
    libc::SYS_exit_group,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_getgid,
    libc::SYS_getuid,
    libc::SYS_capget,
    libc::SYS_openat2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_readlinkat,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_statx,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
];

/// The same, and emptying a file that was opened for writing. The writing itself is done by the host,
/// through the descriptor it is passed.
const WRITER: &[libc::c_long] = &[libc::SYS_ftruncate];

fn filter(more: &[libc::c_long]) -> Result<BpfProgram, Errno> {
    build(more).map_err(|_| Errno::EINVAL)
}

fn build(more: &[libc::c_long]) -> Result<BpfProgram, seccompiler::BackendError> {
    let only = |argument, value| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let mut rules: std::collections::BTreeMap<_, Vec<SeccompRule>> =
        READER.iter().chain(more).map(|&call| (call, Vec::new())).collect();
    // One exec, of the descriptor it is; see `worker.rs`.
    let fd = u64::try_from(super::worker::PROGRAM).unwrap_or(u64::MAX);
    let empty_path = u64::try_from(libc::AT_EMPTY_PATH).unwrap_or(u64::MAX);
    rules.insert(libc::SYS_execveat, vec![SeccompRule::new(vec![only(0, fd)?, only(4, empty_path)?])?]);
    // Only TCP sockets, which cannot reach anything but the target's own network.
    let (inet, inet6) = (libc::AF_INET.cast_unsigned().into(), libc::AF_INET6.cast_unsigned().into());
    rules.insert(
        libc::SYS_socket,
        vec![SeccompRule::new(vec![only(0, inet)?])?, SeccompRule::new(vec![only(0, inet6)?])?],
    );
    // Only what it protects itself with.
    let death = u64::try_from(libc::PR_SET_PDEATHSIG).unwrap_or(u64::MAX);
    let dumpable = u64::try_from(libc::PR_SET_DUMPABLE).unwrap_or(u64::MAX);
    rules.insert(
        libc::SYS_prctl,
        vec![SeccompRule::new(vec![only(0, death)?])?, SeccompRule::new(vec![only(0, dumpable)?, only(1, 0)?])?],
    );
    let arch = std::env::consts::ARCH.try_into()?;
    // A call outside the list means that somebody else has taken the shim over.
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()
}

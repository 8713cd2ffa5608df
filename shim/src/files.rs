//! Paths, and what may be opened.

use core::ffi::CStr;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat2, statx};
use rustix::io::Errno;
use rustix::path::DecInt;
use rustix::process::{Pid, PidfdFlags, fchdir, pidfd_open};

use crate::wire::{Failure, MAX_PATH, Stat, Statfs};

/// Bits of `st_mode` that say what a file is (inode(7)).
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// A path with the NUL the kernel wants.
pub struct Path([u8; MAX_PATH + 1]);

impl Path {
    pub fn new() -> Self {
        Self([0; MAX_PATH + 1])
    }

    fn set(&mut self, path: &[u8]) -> Result<&CStr, Failure> {
        let room = self.0.get_mut(..=path.len()).ok_or(Failure::Errno(Errno::NAMETOOLONG.raw_os_error()))?;
        room[..path.len()].copy_from_slice(path);
        room[path.len()] = 0;
        CStr::from_bytes_with_nul(room).map_err(|_| Failure::Errno(Errno::INVAL.raw_os_error()))
    }
}

pub fn errno(errno: Errno) -> Failure {
    Failure::Errno(errno.raw_os_error())
}

/// Opens inside the root, following no magic link: `/proc/PID/root` of a process that shares the host's pid
/// namespace would lead out.
fn open(scratch: &mut Path, path: &[u8], flags: OFlags, mode: u32) -> Result<OwnedFd, Failure> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let path = scratch.set(path)?;
    loop {
        // IN_ROOT answers EAGAIN when a rename elsewhere could have misled it (openat2(2)).
        match openat2(CWD, path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode), resolve) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            result => return result.map_err(errno),
        }
    }
}

/// Holds a process of our own pid namespace.
pub fn pidfd(pid: i32) -> Result<OwnedFd, Failure> {
    let pid = Some(pid).filter(|&pid| pid > 0).and_then(Pid::from_raw);
    let pid = pid.ok_or(Failure::Errno(Errno::SRCH.raw_os_error()))?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(errno)
}

/// Makes the root of a process the place all paths start from, and gives its stat. The one magic link that is ever
/// followed, and only by a sidecar, of which the engine made sure that there is nothing else to be reached.
pub fn enter_root(scratch: &mut Path, pid: i32) -> Result<Stat, Failure> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // As openat(2) would, which a session's filter has no need to let through.
    let (mode, freely) = (Mode::empty(), ResolveFlags::empty());
    let proc = openat2(CWD, c"/proc", flags, mode, freely).map_err(errno)?;
    let process = openat2(&proc, DecInt::new(pid), flags, mode, freely).map_err(errno)?;
    let root = openat2(&process, c"root", flags, mode, freely).map_err(errno)?;
    fchdir(&root).map_err(errno)?;
    stat(&handle(scratch, b"/", true)?)
}

/// A handle on a file that opens nothing: a FIFO does not block, a device does not act.
pub fn handle(scratch: &mut Path, path: &[u8], follow: bool) -> Result<OwnedFd, Failure> {
    open(scratch, path, if follow { OFlags::PATH } else { OFlags::PATH | OFlags::NOFOLLOW }, 0)
}

/// Opens a regular file for reading.
pub fn regular(scratch: &mut Path, path: &[u8]) -> Result<(OwnedFd, Stat), Failure> {
    // Looked at first: opening a FIFO would wake its writer, and opening a device may do anything.
    expect(stat(&handle(scratch, path, true)?)?, REGULAR)?;
    let file = open(scratch, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, 0)?;
    let stat = expect(stat(&file)?, REGULAR)?;
    Ok((file, stat))
}

/// Opens a directory for reading.
pub fn directory(scratch: &mut Path, path: &[u8]) -> Result<(OwnedFd, Stat), Failure> {
    expect(stat(&handle(scratch, path, true)?)?, DIRECTORY)?;
    let file = open(scratch, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK, 0)?;
    let stat = expect(stat(&file)?, DIRECTORY)?;
    Ok((file, stat))
}

/// Creates or empties a regular file.
pub fn create(scratch: &mut Path, path: &[u8], mode: u32) -> Result<(OwnedFd, Stat), Failure> {
    match handle(scratch, path, false) {
        Ok(there) => drop(expect(stat(&there)?, REGULAR)?),
        Err(Failure::Errno(number)) if number == Errno::NOENT.raw_os_error() => {}
        Err(failure) => return Err(failure),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(scratch, path, flags, mode & 0o777)?;
    let stat = expect(stat(&file)?, REGULAR)?;
    // Emptied only now that it is known to be a regular file.
    rustix::fs::ftruncate(&file, 0).map_err(errno)?;
    Ok((file, stat))
}

/// The text of a symlink, magic or not, into `text`.
pub fn readlink<'t>(scratch: &mut Path, path: &[u8], text: &'t mut [u8]) -> Result<&'t [u8], Failure> {
    let link = handle(scratch, path, false)?;
    let len = rustix::fs::readlinkat_raw(&link, c"", &mut *text).map_err(errno)?;
    Ok(&text[..len.min(MAX_PATH)])
}

fn expect(stat: Stat, kind: u32) -> Result<Stat, Failure> {
    if stat.mode & KIND == kind { Ok(stat) } else { Err(Failure::WrongKind(stat.mode)) }
}

/// Stats an open file.
pub fn stat(file: &OwnedFd) -> Result<Stat, Failure> {
    at(file, c"", AtFlags::EMPTY_PATH)
}

/// Stats a name in a directory, following nothing.
pub fn stat_at(dir: &OwnedFd, name: &CStr) -> Result<Stat, Failure> {
    at(dir, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)
}

fn at(dir: &OwnedFd, name: &CStr, flags: AtFlags) -> Result<Stat, Failure> {
    let from = statx(dir, name, flags, StatxFlags::BASIC_STATS).map_err(errno)?;
    Ok(Stat {
        mode: from.stx_mode.into(),
        uid: from.stx_uid,
        gid: from.stx_gid,
        nlink: from.stx_nlink,
        size: from.stx_size,
        allocated: from.stx_blocks.saturating_mul(512),
        mtime: from.stx_mtime.tv_sec,
        mtime_ns: from.stx_mtime.tv_nsec,
        ino: from.stx_ino,
        dev_major: from.stx_dev_major,
        dev_minor: from.stx_dev_minor,
        rdev_major: from.stx_rdev_major,
        rdev_minor: from.stx_rdev_minor,
    })
}

/// Tells of a file system.
#[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)] // The kernel's types differ between processors.
pub fn statfs(scratch: &mut Path, path: &[u8]) -> Result<Statfs, Failure> {
    let from = rustix::fs::fstatfs(handle(scratch, path, true)?).map_err(errno)?;
    Ok(Statfs {
        kind: from.f_type as u64,
        block: from.f_bsize as u64,
        blocks: from.f_blocks,
        available: from.f_bavail,
        files: from.f_files,
        files_free: from.f_ffree,
    })
}

//! Puts this program into a directory, so that another container of the pod can run it from there: an image with nothing else in
//! it has nothing to wait with.

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, openat, unlinkat};
use rustix::io::{Errno, read, write};

use crate::filter;
use crate::sys::{self, Arguments};

/// What is written, and its name there.
const SELF: &core::ffi::CStr = c"/proc/self/exe";
const NAME: &core::ffi::CStr = c"scratchdbg-shim";
/// Everybody may run it and look into it: whoever runs it there has nobody to hide from.
const MODE: u32 = 0o555;

/// What whoever looks into its log is told where it fails.
const FAILED: &[u8] = b"scratchdbg-shim: it cannot be put there\n";

/// Copies this program. The result is the exit status.
pub fn install(mut arguments: Arguments) -> i32 {
    let (Some(folder), None) = (arguments.next(), arguments.next()) else { return crate::hold::usage() };
    if rustix::thread::set_no_new_privs(true).is_err() || !filter::of_installer() {
        return crate::hold::unlimited();
    }
    if copy(folder).is_ok() {
        return 0;
    }
    // Nobody may be reading it.
    let _ = write(sys::errors(), FAILED);
    1
}

fn copy(folder: &[u8]) -> Result<(), Errno> {
    let none = Mode::empty();
    let folder = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, none)?;
    let from = openat(CWD, SELF, OFlags::RDONLY | OFlags::CLOEXEC, none)?;
    // A pod whose sandbox is made anew runs this again.
    let _ = unlinkat(&folder, NAME, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let to: OwnedFd = openat(&folder, NAME, flags, Mode::from_raw_mode(MODE))?;
    let room = &mut sys::buffers().payload;
    loop {
        match read(&from, &mut room[..])? {
            0 => break,
            got => all(&to, &room[..got])?,
        }
    }
    // Whatever was left of it by the umask.
    fchmod(&to, Mode::from_raw_mode(MODE))
}

fn all<'f>(to: &'f OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    let to: BorrowedFd<'f> = rustix::fd::AsFd::as_fd(to);
    while !bytes.is_empty() {
        let done = write(to, bytes)?;
        bytes = &bytes[done..];
    }
    Ok(())
}

//! Writing on this host what came from a container: never through a symlink, never half a file under its name.
//!
//! Every name is resolved in a directory that is held open, without following symlinks. A file is written without a name
//! (`O_TMPFILE`) or under a temporary one, and gets its name when it is complete.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Permission bits that are kept: not setuid and setgid.
const KEPT: u32 = 0o1777;
/// How often another temporary name is tried.
const TRIES: u32 = 64;

/// Opens a directory the user named. Symlinks in it are the user's own.
///
/// # Errors
/// If it is none.
pub fn open_named(path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    Ok(fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Splits what the user named into the directory and the name in it.
///
/// # Errors
/// If it ends in no name (`/`, `..`), or the directory cannot be opened.
pub fn parent(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it has no name at its end");
    let Some(Component::Normal(name)) = path.components().next_back() else { return Err(no_name()) };
    Ok((open_named(path.parent().ok_or_else(no_name)?)?, name))
}

/// Makes a directory that only its owner can use for now, and opens it. One that is there already is opened; then
/// the second is false.
///
/// # Errors
/// If it cannot be made, or something else has its name.
pub fn directory(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<(OwnedFd, bool)> {
    let made = match fs::mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(error.into()),
    };
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat(parent, name, flags, Mode::empty()) {
        Ok(fd) => Ok((fd, made)),
        Err(Errno::NOTDIR | Errno::LOOP) => Err(taken("it is there already and is no directory")),
        Err(error) => Err(error.into()),
    }
}

/// Gives a finished file or directory the permissions it had.
///
/// # Errors
/// If the file system refuses.
pub fn set_mode(fd: impl AsFd, mode: u32) -> io::Result<()> {
    Ok(fs::fchmod(fd, Mode::from_raw_mode(mode & KEPT))?)
}

/// Makes a symlink, in place of a file of that name.
///
/// # Errors
/// If a directory has its name, or it cannot be made.
pub fn symlink(parent: BorrowedFd<'_>, name: &OsStr, target: &OsStr) -> io::Result<()> {
    replaceable(parent, name)?;
    let temporary = under_new_name(|temporary| fs::symlinkat(target, parent, temporary))?;
    rename(parent, &temporary, name)
}

/// Whether a file may take this name: nothing has it, or a regular file or a symlink, which is replaced and not followed.
fn replaceable(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile | FileType::Symlink => Ok(()),
            FileType::Directory => Err(taken("it is there already and is a directory")),
            _ => Err(taken("it is there already and is no regular file")),
        },
    }
}

fn taken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, why)
}

/// A file being written. Dropped before [`Staged::keep`], it is gone.
#[derive(Debug)]
pub struct Staged<'d> {
    parent: BorrowedFd<'d>,
    file: File,
    /// Where the file system knows no files without a name.
    temporary: Option<String>,
}

impl<'d> Staged<'d> {
    /// Begins a file that shall be called `name`.
    ///
    /// # Errors
    /// If that name is taken by something that is no file, or the directory cannot be written.
    pub fn new(parent: BorrowedFd<'d>, name: &OsStr) -> io::Result<Self> {
        replaceable(parent, name)?;
        let mode = Mode::from_raw_mode(0o600);
        // Even a killed process leaves nothing of a file without a name.
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        if let Ok(fd) = fs::openat(parent, c".", flags, mode) {
            return Ok(Self { parent, file: File::from(fd), temporary: None });
        }
        Self::named(parent)
    }

    fn named(parent: BorrowedFd<'d>) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let mut file = None;
        let temporary = under_new_name(|temporary| {
            file = Some(fs::openat(parent, temporary, flags, Mode::from_raw_mode(0o600))?);
            Ok(())
        })?;
        let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Self { parent, file: File::from(file), temporary: Some(temporary) })
    }

    /// Where its bytes go.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the complete file its permissions and its name, in place of a file or symlink that has it.
    ///
    /// # Errors
    /// If the name was taken meanwhile, or the file system refuses.
    pub fn keep(mut self, name: &OsStr, mode: u32) -> io::Result<()> {
        set_mode(&self.file, mode)?;
        let temporary = if let Some(temporary) = self.temporary.take() {
            temporary
        } else {
            let here = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            let link = |to: &OsStr| fs::linkat(CWD, here.as_str(), self.parent, to, AtFlags::SYMLINK_FOLLOW);
            match link(name) {
                Ok(()) => return Ok(()),
                Err(Errno::EXIST) => under_new_name(|temporary| link(OsStr::new(temporary)))?,
                Err(error) => return Err(error.into()),
            }
        };
        rename(self.parent, &temporary, name)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::unlinkat(self.parent, temporary.as_str(), AtFlags::empty());
        }
    }
}

/// Moves a finished file to its name; it is removed if that fails.
fn rename(parent: BorrowedFd<'_>, temporary: &str, name: &OsStr) -> io::Result<()> {
    fs::renameat(parent, temporary, parent, name).map_err(|error| {
        let _ = fs::unlinkat(parent, temporary, AtFlags::empty());
        match error {
            Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY => taken("it is there already and is a directory"),
            error => error.into(),
        }
    })
}

/// Does something under a name that nothing has, and gives that name.
fn under_new_name(mut work: impl FnMut(&str) -> rustix::io::Result<()>) -> io::Result<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..TRIES {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".scratchdbg-{}-{count}", std::process::id());
        match work(&name) {
            Ok(()) => return Ok(name),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(taken("all temporary names are taken"))
}

/// Whether a symlink `depth` directories below the root of a copy stays in that copy wherever it is followed: it is
/// relative, goes up only at its beginning, and not above the root. What follows may pass through other symlinks of the
/// copy, of which the same is true; going up behind one of them could lead anywhere.
#[must_use]
pub fn stays_inside(target: &[u8], depth: usize) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let mut parts = target.split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let up = parts.by_ref().take_while(|part| *part == b"..").count();
    // `take_while` has taken one part more; it is no `..`.
    up <= depth && !parts.any(|part| part == b"..")
}

#[cfg(test)]
mod tests;

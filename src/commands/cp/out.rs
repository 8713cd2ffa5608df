//! Copying out of a target.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::local::{self, Staged};
use super::progress::Progress;
use super::tree::{self, Report};
use super::{Place, bytes, here};
use crate::commands::{Context, cat, output};
use crate::exit::{Exit, Failure};
use crate::inspect::Error;
use crate::inspect::files::{self, Kind};
use crate::shim::{Bulk, Shim};
use crate::target::TargetPath;
use crate::text;

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, the destination not written, or not everything copied.
pub async fn run(context: &Context, from: &TargetPath, to: &Place) -> Result<(), Failure> {
    let (_, entered) = context.enter(&from.target).await?;
    let shim = &entered.shim;
    let path = from.path.as_slice();
    let progress = Arc::new(Progress::new(context.global.quiet));
    let report = match (files::list::kind_of(shim, path).await?, to) {
        (Kind::File, Place::Standard) => return cat::print(shim, path, 0, None).await,
        (Kind::Directory, Place::Standard) => {
            return Err(Failure::new(Exit::Usage, "only a single file can be copied to standard output"));
        }
        (Kind::File, Place::Local(to)) => {
            let copied = async {
                let bytes = one(shim, path, to, &progress).await?;
                Ok(Report { files: 1, bytes, ..Report::default() })
            };
            recorded(context, to, copied).await?
        }
        (Kind::Directory, Place::Local(to)) => {
            let copied = async {
                let (root, made) = root(path, to).map_err(|error| writing(to, &error))?;
                tree::copy(shim, path, root, made, &progress).await
            };
            recorded(context, to, copied).await?
        }
        (kind, _) => return Err(Error::of(path, crate::shim::Error::WrongKind(kind)).into()),
    };
    progress.clear();
    if context.global.json {
        let mut out = Vec::new();
        output::document(&mut out, &report)?;
        io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    }
    report.verdict()
}

/// Records that something is written on this host.
async fn recorded(
    context: &Context,
    to: &Path,
    copy: impl Future<Output = Result<Report, Failure>>,
) -> Result<Report, Failure> {
    let to = text::escape(to.as_os_str().as_bytes());
    let step = context.journal.begin(None, &format!("write {to} on this host"), Some("removing it"));
    let result = copy.await;
    let verdict = result.as_ref().map_err(Clone::clone).and_then(Report::verdict);
    step.end(&verdict.map_err(|failure| failure.message));
    result
}

async fn one(shim: &Shim, path: &[u8], to: &Path, progress: &Arc<Progress>) -> Result<u64, Failure> {
    let (parent, name) = place(path, to).map_err(|error| writing(to, &error))?;
    let copied = file(shim, path, &Arc::new(parent), &name, progress).await;
    copied.map_err(|trouble| match trouble {
        Trouble::Inside(error) => error.into(),
        Trouble::Copying(error) => writing(to, &error),
    })
}

/// The directory and the name for a file: in `to` if that is a directory.
fn place(path: &[u8], to: &Path) -> io::Result<(OwnedFd, OsString)> {
    if to.is_dir() {
        let name = files::file_name(path).ok_or_else(|| io::Error::other("the file has no name"))?;
        return Ok((local::open_named(to)?, OsStr::from_bytes(name).to_owned()));
    }
    if to.as_os_str().as_bytes().ends_with(b"/") {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such directory"));
    }
    let (parent, name) = local::parent(to)?;
    Ok((parent, name.to_owned()))
}

/// The directory a tree goes to, and whether it was made for that: below `to` if that is a directory, as `cp -r` does.
/// Of `/`, which has no name, the contents go to `to` itself.
fn root(path: &[u8], to: &Path) -> io::Result<(OwnedFd, bool)> {
    match (to.is_dir(), files::file_name(path)) {
        (true, Some(name)) => local::directory(local::open_named(to)?.as_fd(), OsStr::from_bytes(name)),
        (true, None) => Ok((local::open_named(to)?, false)),
        (false, _) => {
            let (parent, name) = local::parent(to)?;
            local::directory(parent.as_fd(), name)
        }
    }
}

fn writing(to: &Path, error: &io::Error) -> Failure {
    here(&format!("cannot copy to {}", text::escape(to.as_os_str().as_bytes())), error)
}

/// Why one file was not copied.
#[derive(Debug)]
pub enum Trouble {
    /// It could not be opened.
    Inside(Error),
    /// One of the two sides failed on the way.
    Copying(io::Error),
}

/// Copies one regular file and gives its bytes.
///
/// # Errors
/// See [`Trouble`].
pub async fn file(
    shim: &Shim,
    path: &[u8],
    parent: &Arc<OwnedFd>,
    name: &OsStr,
    progress: &Arc<Progress>,
) -> Result<u64, Trouble> {
    match shim.bulk(path).await.map_err(|error| Trouble::Inside(Error::of(path, error)))? {
        Bulk::File(from, stat) => {
            let (parent, name, progress) = (Arc::clone(parent), name.to_owned(), Arc::clone(progress));
            let work = tokio::task::spawn_blocking(move || {
                let mut staged = Staged::new(parent.as_fd(), &name)?;
                let copied = bytes::copy(&from, staged.file(), stat.size, stat.allocated, &progress)?;
                staged.keep(&name, stat.mode)?;
                Ok(copied)
            });
            work.await.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Trouble::Copying)
        }
        Bulk::Stream(mut stream, stat) => {
            let mut staged = Staged::new(parent.as_fd(), name).map_err(Trouble::Copying)?;
            let mut copied = 0;
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|error| Trouble::Inside(Error::of(path, error)))?;
                staged.file().write_all(&chunk).map_err(Trouble::Copying)?;
                copied += chunk.len() as u64;
                progress.add(chunk.len() as u64);
            }
            staged.keep(name, stat.mode).map_err(Trouble::Copying)?;
            Ok(copied)
        }
    }
}

//! Copying one file into a target. Only `--write` sessions can.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;

use super::{Place, here};
use crate::commands::words::reason;
use crate::commands::{Context, output};
use crate::entry::Access;
use crate::exit::{Exit, Failure};
use crate::inspect::Error;
use crate::inspect::files::{self, Kind, join};
use crate::shim::{self, Shim};
use crate::target::TargetPath;
use crate::text::{self, Untrusted};

/// The JSON document.
#[derive(Serialize)]
struct Document {
    path: Untrusted,
    bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// If the file cannot be read here or written there.
pub async fn run(context: &Context, from: &Place, to: &TargetPath) -> Result<(), Failure> {
    // Before anything is entered: the local side may be wrong already.
    let (source, name, mode): (Box<dyn Read + Send>, _, _) = match from {
        Place::Local(path) => {
            let (file, mode) = open(path)?;
            (Box::new(file), path.file_name().map(OsStrExt::as_bytes), mode)
        }
        _ => (Box::new(io::stdin()), None, 0o644),
    };
    let access = Access { write: true, ..context.global.access() };
    let (_, entered) = context.enter_with(&to.target, &access).await?;
    let path = place(&entered.shim, &to.path, name).await?;
    let what = format!("make or empty {} in {} (--write)", text::escape(&path), to.target);
    let step = context.journal.begin(Some(entered.door), &what, Some("nobody: what was in it is gone"));
    let created = entered.shim.create(&path, mode).await;
    step.end(&created);
    let created = created.map_err(|error| refused(&path, &error))?;
    let bytes = copy(source, created).await.map_err(|error| {
        Failure::new(Exit::No, format!("cannot write {} in the target: {}", text::escape(&path), reason(&error)))
    })?;
    if context.global.json {
        let mut out = Vec::new();
        output::document(&mut out, &Document { path: Untrusted::new(path), bytes })?;
        io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    }
    Ok(())
}

/// Opens a local file, and tells its permissions without setuid and setgid.
fn open(path: &Path) -> Result<(File, u32), Failure> {
    let what = || format!("cannot copy {}", text::escape(path.as_os_str().as_bytes()));
    let failed = |why: &str| Failure::new(Exit::No, format!("{}: {why}", what()));
    let meta = std::fs::metadata(path).map_err(|error| here(&what(), &error))?;
    if meta.is_dir() {
        return Err(failed("it is a directory").try_this("only single files are copied in"));
    }
    if !meta.is_file() {
        return Err(failed("it is no regular file"));
    }
    let file = File::open(path).map_err(|error| here(&what(), &error))?;
    Ok((file, meta.permissions().mode() & 0o777))
}

/// Where the file goes: below `path` if that is a directory.
async fn place(shim: &Shim, path: &[u8], name: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    match (files::list::kind_of(shim, path).await, name) {
        (Ok(Kind::Directory), Some(name)) => Ok(join(path, name)),
        (Ok(Kind::Directory), None) => {
            Err(Failure::new(Exit::Usage, "standard input has no name").try_this("name a file, not a directory"))
        }
        (Ok(Kind::File) | Err(Error::NoFile { .. }), _) => Ok(path.to_owned()),
        (Ok(kind), _) => Err(Error::of(path, shim::Error::WrongKind(kind)).into()),
        (Err(error), _) => Err(error.into()),
    }
}

fn refused(path: &[u8], error: &shim::Error) -> Failure {
    let message = format!("cannot write {} in the target: {error}", text::escape(path));
    match error {
        shim::Error::Errno(nix::errno::Errno::EACCES | nix::errno::Errno::EPERM) => {
            Failure::new(Exit::NotPermitted, message).try_this("try --as root")
        }
        shim::Error::Errno(nix::errno::Errno::EROFS) => {
            Failure::new(Exit::NotPermitted, message).try_this("the container was started with --read-only")
        }
        shim::Error::NotAllowed => Failure::new(Exit::NotPermitted, message),
        shim::Error::TargetGone => Failure::new(Exit::NoTarget, message),
        _ => Failure::new(Exit::No, message),
    }
}

async fn copy(mut source: Box<dyn Read + Send>, mut created: File) -> io::Result<u64> {
    let work = tokio::task::spawn_blocking(move || io::copy(&mut source, &mut created));
    work.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

//! Debug files: what was stripped from a program, in a file of this host. With one, Delve shows everything of it.
//!
//! It must be of the very same build. That is told by the build id, which is in both, and looked at before anything is touched.
//! A debug file is opened by whoever asked for it, with their own rights, and only this open file is handed on:
//! Delve, which has more rights, reads no other.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Explain};
use crate::golang::debuginfo::{self, DebugInfo};
use crate::golang::{self, BuildId};
use crate::text;

/// Where distributions put them, as `DIR/.build-id/ab/cdef.debug`.
pub const USUAL: &str = "/usr/lib/debug";
/// The flags that name one, for a person.
const FLAGS: &str = "give it by --debug-file FILE, or the folder with its .build-id by --debug-dir DIR";

/// Why a debug file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened.
    #[error("the debug file {} cannot be opened: {error}", shown(.path))]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no program.
    #[error("the debug file {} is none: {error}", shown(.path))]
    Other {
        /// Which.
        path: PathBuf,
        /// What it is.
        error: golang::Error,
    },
    /// It is stripped itself.
    #[error("the debug file {} has no debug information", shown(.path))]
    Stripped {
        /// Which.
        path: PathBuf,
    },
    /// It is of another build.
    #[error("the debug file {} is of another build: its build id is {}, the program's is {ours}", shown(.path), words(.theirs.as_ref()))]
    AnotherBuild {
        /// Which.
        path: PathBuf,
        /// What it has.
        theirs: Option<BuildId>,
        /// What the program has.
        ours: BuildId,
    },
    /// The program has no build id.
    #[error("the program has no build id, so nobody can tell which debug file is its own")]
    NoBuildId,
    /// There is none where one was to be.
    #[error("there is no debug file for the build id {0} in the folders that were given")]
    Nowhere(BuildId),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBuildId => "Go writes one since 1.24; older ones with -ldflags=-B 0xNUMBER".to_owned(),
            Self::Nowhere(id) => format!("its name would be DIR/{}", id.path().join("/")),
            Self::Open { .. } => FLAGS.to_owned(),
            Self::Other { .. } | Self::Stripped { .. } | Self::AnotherBuild { .. } => {
                "take it from the file that was stripped then: objcopy --only-keep-debug APP APP.debug".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Open { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => Exit::NotPermitted,
            _ => Exit::Usage,
        }
    }
}

/// Where somebody wants it to be looked for, besides the usual place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// This very file: a debug file, or the program as it was before it was stripped.
    pub file: Option<&'a Path>,
    /// Folders that have `.build-id/ab/cdef.debug`.
    pub directories: &'a [PathBuf],
}

/// A program's debug file, open.
#[derive(Debug)]
pub struct DebugFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it shares with the program.
    pub build_id: BuildId,
    /// Bytes of it.
    pub size: u64,
    file: File,
}

/// Finds the one of a program. One that was named must be right, needed or not; the others are looked for if the program has no
/// debug information of its own.
///
/// # Errors
/// If one that was named is not the program's. None in the usual place is no error.
pub async fn find(program: &DebugInfo, wanted: Wanted<'_>) -> Result<Option<DebugFile>, Error> {
    let asked = wanted.file.is_some() || (program.stripped && !wanted.directories.is_empty());
    let Some(id) = program.build_id else { return if asked { Err(Error::NoBuildId) } else { Ok(None) } };
    if let Some(path) = wanted.file {
        return open(path, id).await.map(Some);
    }
    if !program.stripped {
        return Ok(None);
    }
    for directory in wanted.directories {
        match open(&place_in(directory, &id), id).await {
            Err(Error::Open { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(Some),
        }
    }
    match open(&place_in(Path::new(USUAL), &id), id).await {
        Ok(found) => Ok(Some(found)),
        Err(_) if asked => Err(Error::Nowhere(id)),
        Err(_) => Ok(None),
    }
}

async fn open(path: &Path, ours: BuildId) -> Result<DebugFile, Error> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let failed = |error| Error::Open { path: path.clone(), error };
    // Not blocking: a FIFO would have us wait.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(&path);
    let file = file.map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    let size = metadata.len();
    let found = debuginfo::of_file(&file, size).await;
    let found = found.map_err(|error| Error::Other { path: path.clone(), error })?;
    match found.build_id {
        theirs if theirs != Some(ours) => Err(Error::AnotherBuild { path, theirs, ours }),
        _ if found.stripped => Err(Error::Stripped { path }),
        _ => Ok(DebugFile { path, build_id: ours, size, file }),
    }
}

fn place_in(directory: &Path, id: &BuildId) -> PathBuf {
    id.path().iter().fold(directory.to_owned(), |path, part| path.join(part))
}

fn shown(path: &Path) -> String {
    text::escape(path.as_os_str().as_encoded_bytes())
}

fn words(id: Option<&BuildId>) -> String {
    id.map_or_else(|| "none".to_owned(), BuildId::to_string)
}

/// Delve's settings, to find debug files below these folders. JSON is YAML.
#[must_use]
pub fn settings(directories: &[PathBuf]) -> String {
    let dirs = directories.iter().map(|dir| dir.join(".build-id").to_string_lossy().into_owned());
    serde_json::json!({ "debug-info-directories": dirs.collect::<Vec<_>>() }).to_string()
}

impl DebugFile {
    /// What Delve has to read of the program and of this.
    #[must_use]
    pub fn with(&self, program: &DebugInfo) -> DebugInfo {
        DebugInfo { size: program.size.saturating_add(self.size), stripped: false, build_id: program.build_id }
    }

    /// The open file, once more.
    ///
    /// # Errors
    /// If there are no more descriptors.
    pub fn open(&self) -> io::Result<OwnedFd> {
        self.file.try_clone().map(OwnedFd::from)
    }

    /// The folder of debug files that it lies in as Delve looks for it, if it does.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        let place = self.build_id.path();
        if self.path.ends_with(place.iter().collect::<PathBuf>()) {
            self.path.ancestors().nth(place.len())
        } else {
            None
        }
    }

    /// Puts a link to it into a folder, below which Delve finds it then.
    ///
    /// # Errors
    /// If it cannot be made there.
    pub fn link_into(&self, directory: &Path) -> io::Result<()> {
        let place = place_in(directory, &self.build_id);
        let folder = place.parent().unwrap_or(directory);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        std::os::unix::fs::symlink(&self.path, place)
    }
}

//! Where files are read: inside a target, or in an image.

use nix::errno::Errno;

use crate::check::facts::{File, Seen, User};
use crate::golang::{self, Error, Inside, Ranges};
use crate::image::{Blob, Image};
use crate::inspect::fetch;
use crate::inspect::files::Kind;
use crate::shim::{self, Shim};

/// Where files are read.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// Inside a target, with the eyes of whoever was asked for.
    Inside(&'a Shim),
    /// In an image, where nothing is hidden from us.
    Image(&'a Image),
}

/// A file that is read in parts.
pub(super) enum Bytes<'a> {
    Inside(Inside<'a>),
    Image(Option<Blob>),
}

impl Ranges for Bytes<'_> {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        match self {
            Self::Inside(inside) => inside.read_at(offset, length).await,
            Self::Image(Some(blob)) => golang::Ranges::read_at(blob, offset, length).await,
            Self::Image(None) => Err(Error::Io(std::io::ErrorKind::NotFound)),
        }
    }
}

fn meant(error: &shim::Error) -> Seen {
    match error {
        shim::Error::Errno(Errno::ENOENT | Errno::ENOTDIR) => Seen::Missing,
        shim::Error::Errno(Errno::EACCES | Errno::EPERM) => Seen::Denied,
        other => Seen::Unknown(other.to_string()),
    }
}

impl<'a> Source<'a> {
    /// What is at a path.
    pub(super) async fn stat(&self, path: &[u8]) -> Seen {
        match self {
            Self::Inside(shim) => match shim.stat(path, true).await {
                Ok(stat) => Seen::There(File {
                    kind: Kind::of_mode(stat.mode),
                    mode: stat.mode & 0o7777,
                    uid: stat.uid,
                    gid: stat.gid,
                    size: stat.size,
                }),
                Err(error) => meant(&error),
            },
            Self::Image(image) => image.tree.find(path, true).map_or(Seen::Missing, |found| {
                Seen::There(File {
                    kind: found.kind,
                    mode: found.mode,
                    uid: found.uid,
                    gid: found.gid,
                    size: found.size,
                })
            }),
        }
    }

    /// At most so much of a file, from its beginning. What was seen instead, if it cannot be read.
    pub(super) async fn read(&self, path: &[u8], most: u64) -> Result<Vec<u8>, Seen> {
        match self {
            Self::Inside(shim) => {
                fetch::prefix(shim, path, most).await.map(|(text, _)| text).map_err(|error| meant(&error))
            }
            Self::Image(image) => {
                let found = image.tree.find(path, true).ok_or(Seen::Missing)?;
                let blob = found.data.ok_or_else(|| Seen::Unknown("it is no regular file".to_owned()))?;
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                blob.bytes(0, most).map_err(|error| Seen::Unknown(error.to_string()))
            }
        }
    }

    /// The names in a directory, at most so many.
    pub(super) async fn names(&self, path: &[u8], most: usize) -> Result<Vec<Vec<u8>>, Seen> {
        match self {
            Self::Inside(shim) => {
                let _slot = fetch::slot().await;
                let (mut names, mut stream) = (Vec::new(), shim.list(path, false));
                while let Some(batch) = stream.next().await {
                    names.extend(batch.map_err(|error| meant(&error))?.into_iter().map(|entry| entry.name));
                    if names.len() >= most {
                        break;
                    }
                }
                names.truncate(most);
                names.sort_unstable();
                Ok(names)
            }
            Self::Image(image) => image.tree.names(path, most).ok_or(Seen::Missing),
        }
    }

    /// A file, to be read in parts.
    pub(super) fn file(&self, path: &[u8]) -> Bytes<'a> {
        match self {
            Self::Inside(shim) => Bytes::Inside(Inside { shim, path: path.to_vec() }),
            Self::Image(image) => Bytes::Image(image.tree.find(path, true).and_then(|found| found.data)),
        }
    }

    /// Whether a user may read a file, by what all on the way to it says. Inside it is the kernel that says it, when it is
    /// read with that user's eyes.
    pub(super) async fn may_read(&self, user: &User, path: &[u8]) -> bool {
        let mut at = 0;
        while let Some(slash) = path.iter().skip(at + 1).position(|&byte| byte == b'/') {
            at += 1 + slash;
            let folder = self.stat(path.get(..at).unwrap_or_default()).await;
            if folder.file().is_some_and(|folder| user.may(1, folder) == Some(false)) {
                return false;
            }
        }
        self.stat(path).await.file().is_none_or(|file| user.may(4, file) != Some(false))
    }
}

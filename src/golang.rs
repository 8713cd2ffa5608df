//! What a Go program says of itself, read from its file: nothing of it runs, nothing of it is stopped.

pub mod buildid;
pub mod buildinfo;
pub mod debuginfo;
mod elf;

use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt;

pub use buildid::BuildId;
pub use buildinfo::BuildInfo;

use crate::exit::{Exit, Explain};
use crate::shim::{self, Shim};
use crate::target::ContainerPid;

/// Why nothing can be said of a program.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not in the format of Linux programs.
    #[error("it is no ELF file")]
    NotElf,
    /// The Go linker did not make it.
    #[error("it is no Go program")]
    NotGo,
    /// Made by a Go older than 1.18, which kept the version elsewhere.
    #[error("it was built by a Go older than 1.18")]
    TooOld,
    /// What it says of itself contradicts itself.
    #[error("its {0} makes no sense")]
    Malformed(&'static str),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Shim(#[from] shim::Error),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Io(std::io::ErrorKind),
}

impl Error {
    /// Whether it is known that Go did not make it.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::NotElf | Self::NotGo)
    }
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::No
    }
}

/// A file that is read in parts.
pub trait Ranges {
    /// At most `length` bytes from `offset` on; fewer only at the end of the file.
    fn read_at(&self, offset: u64, length: usize) -> impl Future<Output = Result<Vec<u8>, Error>>;
}

/// A file inside a container.
#[derive(Debug)]
pub struct Inside<'a> {
    /// Who reads it.
    pub shim: &'a Shim,
    /// Where it is.
    pub path: Vec<u8>,
}

impl Ranges for Inside<'_> {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut stream = self.shim.read_range(&self.path, offset, length as u64);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl Ranges for File {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        let mut have = 0;
        while have < length {
            match FileExt::read_at(self, &mut bytes[have..], offset.saturating_add(have as u64)) {
                Ok(0) => break,
                Ok(read) => have += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error.kind())),
            }
        }
        bytes.truncate(have);
        Ok(bytes)
    }
}

/// What the program that a process runs says of itself.
///
/// # Errors
/// See [`Error`].
pub async fn of_process(shim: &Shim, pid: ContainerPid) -> Result<BuildInfo, Error> {
    let path = shim.readlink(format!("/proc/{pid}/exe").as_bytes()).await?;
    buildinfo::read(&Inside { shim, path }).await
}

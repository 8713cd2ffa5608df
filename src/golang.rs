//! What a Go program says of itself, read from its file: nothing of it runs, nothing of it is stopped.

pub mod about;
pub mod buildid;
pub mod buildinfo;
pub mod debuginfo;
pub mod dwarf;
pub mod functions;
pub mod image;
pub mod layout;
pub mod linkage;
pub mod moduledata;
pub mod outline;
pub mod pclntab;
pub mod symbols;
pub mod window;

use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt;

pub use about::About;
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
    /// It is for a processor that is not read for.
    #[error("it is for another processor than x86_64 and aarch64")]
    Processor,
    /// It has no table of functions, or one that is not known.
    #[error("it has no table of functions where one is looked for")]
    NoTable,
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

/// Bytes of a larger part that are read at once.
const CHUNK: usize = 1 << 20;

/// A part of a file that may be large, at most `length` bytes.
///
/// # Errors
/// That the file cannot be read.
pub async fn read_all(file: &impl Ranges, start: u64, length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let part = file.read_at(start.saturating_add(bytes.len() as u64), CHUNK.min(length - bytes.len())).await?;
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
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

/// What is in memory already.
impl Ranges for &[u8] {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
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

/// For the fuzzer: a file that somebody says is a program.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    struct Whole<'a>(&'a [u8]);
    impl Ranges for Whole<'_> {
        async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
            let end = start.saturating_add(length).min(self.0.len());
            Ok(self.0.get(start..end).unwrap_or_default().to_vec())
        }
    }
    let file = Whole(bytes);
    let reading = async {
        let _ = about::read(&file).await;
        let Ok(outline) = outline::read(&file).await else { return };
        let _ = (linkage::read(&file, &outline).await, dwarf::version(&file, &outline).await);
        if let Ok(Some(functions)) = functions::read(&file, &outline).await {
            let _ = functions.names().count();
        }
    };
    // It waits for nothing.
    let _ = futures_util::FutureExt::now_or_never(reading);
    functions::fuzz(bytes);
}

//! Part of a file that is read as if it was one, and files without a name to keep what is unpacked.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use rustix::fs::{Mode, OFlags};

use super::Error;
use crate::golang::{self, Ranges};

/// The most that is kept of one image outside of memory, in bytes. A few bytes can be unpacked to any number.
/// Less in the tests: they go beyond it.
const MOST: u64 = if cfg!(test) { 32 << 20 } else { 16 << 30 };
/// How gzip (RFC 1952) and Zstandard (RFC 8878) begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Part of a file.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    start: u64,
    length: u64,
}

impl Blob {
    /// The whole of a regular file.
    ///
    /// # Errors
    /// If it is none, or cannot be asked for its length.
    pub fn whole(file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Self { file: Arc::new(file), start: 0, length: meta.len() })
    }

    /// Bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A part of it; what lies beyond its end is left out.
    #[must_use]
    pub fn part(&self, offset: u64, length: u64) -> Self {
        let offset = offset.min(self.length);
        Self { file: Arc::clone(&self.file), start: self.start + offset, length: length.min(self.length - offset) }
    }

    /// At most `length` bytes from `offset` on.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bytes(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = self.length.saturating_sub(offset);
        let mut bytes = vec![0; usize::try_from(left).unwrap_or(length).min(length)];
        let mut have = 0;
        while have < bytes.len() {
            match FileExt::read_at(&*self.file, &mut bytes[have..], self.start + offset + have as u64) {
                Ok(0) => break,
                Ok(read) => have += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(have);
        Ok(bytes)
    }

    /// The same as it was before it was packed: itself if it was not.
    ///
    /// # Errors
    /// If it is packed in another way than with gzip, wrongly, or to more than is kept.
    pub fn unpacked(&self) -> Result<Self, Error> {
        let head = self.bytes(0, 4).map_err(|error| Error::io("read the image", &error))?;
        if head.starts_with(&ZSTD) {
            return Err(Error::Packed("Zstandard"));
        }
        if !head.starts_with(&GZIP) {
            return Ok(self.clone());
        }
        let mut spool = Spool::new()?;
        let mut unpacking = MultiGzDecoder::new(Reader { blob: self, at: 0 });
        let mut chunk = vec![0; 64 << 10];
        loop {
            match unpacking.read(&mut chunk) {
                Ok(0) => return spool.finish(),
                Ok(read) => spool.write(&chunk[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Error::Malformed("packing")),
            }
        }
    }
}

impl Ranges for Blob {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, golang::Error> {
        self.bytes(offset, length).map_err(|error| golang::Error::Io(error.kind()))
    }
}

struct Reader<'a> {
    blob: &'a Blob,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.blob.bytes(self.at, into.len().min(64 << 10))?;
        into[..bytes.len()].copy_from_slice(&bytes);
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }
}

/// A file without a name: however we end, nothing of it stays.
#[derive(Debug)]
pub struct Spool {
    file: File,
    length: u64,
}

impl Spool {
    /// An empty one, in the folder for temporary files.
    ///
    /// # Errors
    /// If none can be made there.
    pub fn new() -> Result<Self, Error> {
        let folder = std::env::temp_dir();
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&folder, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(file.into()),
            // Not every file system has files without names: one is taken away at once.
            Err(_) => named(&folder),
        };
        file.map(|file| Self { file, length: 0 }).map_err(|error| Error::io("keep the image", &error))
    }

    /// Adds to its end.
    ///
    /// # Errors
    /// If there is no room, or it would be more than is kept of one image.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.length += bytes.len() as u64;
        if self.length > MOST {
            return Err(Error::TooLarge("16 GiB"));
        }
        self.file.write_all(bytes).map_err(|error| Error::io("keep the image", &error))
    }

    /// All that was written.
    ///
    /// # Errors
    /// If it cannot be asked for its length.
    pub fn finish(self) -> Result<Blob, Error> {
        Blob::whole(self.file).map_err(|error| Error::io("keep the image", &error))
    }
}

fn named(folder: &std::path::Path) -> io::Result<File> {
    let (descriptor, path) = nix::unistd::mkstemp(&folder.join("scratchdbg-XXXXXX"))?;
    let _ = std::fs::remove_file(path);
    Ok(descriptor.into())
}

//! The client of the shim: asks, waits, gives up in time.
//!
//! One connection, many requests in flight. Dropping a future or a stream cancels its request.
//! Nothing here knows which door the connection came through.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::inspect::files::Kind;
use crate::wire;

/// How long one answer may take before the shim counts as stuck.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A handle on one shim. Cheap to clone; the shim ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Shim {}

/// Why a request was not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A system call failed inside.
    #[error("{0}")]
    Errno(nix::errno::Errno),
    /// The file is of a kind that cannot be used that way.
    #[error("it is a {0:?}")]
    WrongKind(Kind),
    /// This connection may not do that.
    #[error("this session may not do that")]
    NotAllowed,
    /// The answer did not come in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The target has ended.
    #[error("the target has ended")]
    TargetGone,
    /// The shim has ended, or was cut off.
    #[error("the helper has ended")]
    Closed,
    /// The shim sent what the protocol does not allow; the connection was cut.
    #[error("the helper broke the protocol: {0}")]
    Protocol(&'static str),
    /// The reply would be larger than the caller allows.
    #[error("more than {0} bytes")]
    TooLarge(u64),
}

/// One name of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name, without `/` or NUL, never `.` or `..`.
    pub name: Vec<u8>,
    /// `d_type` of readdir(3).
    pub kind: u8,
    /// Where it was asked for and could be had.
    pub stat: Option<wire::Stat>,
}

/// A file's bytes, the fastest way this door has.
pub enum Bulk {
    /// An open descriptor of a regular file, checked. Blocking reads: keep them off the runtime.
    File(std::fs::File, wire::Stat),
    /// A stream of chunks.
    Stream(DataStream, wire::Stat),
}

/// Chunks of one file.
pub struct DataStream {}
/// Batches of one directory.
pub struct EntryStream {}

impl DataStream {
    /// The next chunk; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Error>> {
        todo!()
    }
}
impl EntryStream {
    /// The next batch; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Vec<DirEntry>, Error>> {
        todo!()
    }
}

#[allow(unused_variables)]
impl Shim {
    /// What the shim said of itself when it started.
    #[must_use]
    pub fn hello(&self) -> wire::Hello {
        todo!()
    }
    /// Streams a directory.
    pub fn list(&self, path: &[u8], stat: bool) -> EntryStream {
        todo!()
    }
    /// Stats a file.
    pub async fn stat(&self, path: &[u8], follow: bool) -> Result<wire::Stat, Error> {
        todo!()
    }
    /// Reads a whole small file, e.g. of `/proc`; [`Error::TooLarge`] above `max` bytes.
    pub async fn read(&self, path: &[u8], max: u64) -> Result<Vec<u8>, Error> {
        todo!()
    }
    /// Streams part of a file.
    pub fn read_range(&self, path: &[u8], offset: u64, len: u64) -> DataStream {
        todo!()
    }
    /// The text of a symlink.
    pub async fn readlink(&self, path: &[u8]) -> Result<Vec<u8>, Error> {
        todo!()
    }
    /// The file system a file is on.
    pub async fn statfs(&self, path: &[u8]) -> Result<wire::Statfs, Error> {
        todo!()
    }
    /// A file's bytes, the fastest way this door has.
    pub async fn bulk(&self, path: &[u8]) -> Result<Bulk, Error> {
        todo!()
    }
    /// Opens a file for writing (`--write` sessions only).
    pub async fn create(&self, path: &[u8], mode: u32) -> Result<std::fs::File, Error> {
        todo!()
    }
    /// A TCP socket connected inside the target's network.
    pub async fn connect(&self, addr: SocketAddr) -> Result<OwnedFd, Error> {
        todo!()
    }
    /// Returns when the target has ended.
    pub async fn gone(&self) -> Result<(), Error> {
        todo!()
    }
}

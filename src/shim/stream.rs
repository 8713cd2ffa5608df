//! Streams: directories and files, chunk by chunk, no faster than they are taken.

use std::sync::Arc;

use super::connection::{Chunk, Chunks, Connection, WINDOW};
use super::{DirEntry, Error, PATIENCE};
use crate::wire::Op;

/// Chunks are acknowledged in lots of so many.
const LOT: u32 = WINDOW / 2;

/// Chunks of one file. Dropping it ends the transfer.
#[derive(Debug)]
pub struct DataStream(Stream, u64);

/// Batches of one directory. Dropping it ends the listing.
#[derive(Debug)]
pub struct EntryStream(Stream);

#[derive(Debug)]
enum Stream {
    Open { connection: Arc<Connection>, id: u32, chunks: Chunks, owed: u32 },
    Failed(Error),
    Ended,
}

impl DataStream {
    pub(super) fn new(connection: &Arc<Connection>, path: &[u8], offset: u64, len: u64) -> Self {
        Self(Stream::open(connection, Op::Read { path, offset, len, credit: WINDOW }), len)
    }

    /// The next chunk; `None` at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Error>> {
        match self.0.next().await? {
            Ok(Chunk::Data(bytes)) => {
                match u64::try_from(bytes.len()).ok().and_then(|len| self.1.checked_sub(len)) {
                    Some(left) => self.1 = left,
                    None => return Some(Err(self.0.broke("more bytes than were asked for"))),
                }
                Some(Ok(bytes))
            }
            Ok(Chunk::Entries(_)) => Some(Err(self.0.broke("a directory where a file was asked for"))),
            Err(error) => Some(Err(error)),
        }
    }
}

impl EntryStream {
    pub(super) fn new(connection: &Arc<Connection>, path: &[u8], stat: bool) -> Self {
        Self(Stream::open(connection, Op::List { path, stat, credit: WINDOW }))
    }

    /// The next batch; `None` at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Vec<DirEntry>, Error>> {
        match self.0.next().await? {
            Ok(Chunk::Entries(entries)) => Some(Ok(entries)),
            Ok(Chunk::Data(_)) => Some(Err(self.0.broke("a file where a directory was asked for"))),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Stream {
    fn open(connection: &Arc<Connection>, op: Op<'_>) -> Self {
        match connection.open(op) {
            Ok((id, chunks)) => Self::Open { connection: Arc::clone(connection), id, chunks, owed: 0 },
            Err(error) => Self::Failed(error),
        }
    }

    async fn next(&mut self) -> Option<Result<Chunk, Error>> {
        let Self::Open { connection, id, chunks, owed } = self else {
            let failed = if let Self::Failed(error) = self { Some(Err(error.clone())) } else { None };
            *self = Self::Ended;
            return failed;
        };
        let event = match connection.within(PATIENCE, chunks.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => Some(Err(connection.error())),
            Err(error) => Some(Err(error)),
        };
        if matches!(event, Some(Ok(_))) {
            *owed += 1;
            if *owed == LOT {
                connection.grant(*id, LOT);
                *owed = 0;
            }
        } else {
            *self = Self::Ended;
        }
        event
    }

    fn broke(&mut self, how: &'static str) -> Error {
        let error = if let Self::Open { connection, .. } = self { connection.broke(how) } else { Error::Protocol(how) };
        *self = Self::Ended;
        error
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Self::Open { connection, id, .. } = self {
            connection.cancel(*id);
        }
    }
}

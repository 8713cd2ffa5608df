//! Streams: a directory or a file sent chunk by chunk, as fast as the host grants credit.

use rustix::fd::OwnedFd;
use rustix::fs::RawDir;
use rustix::io::{Errno, pread};

use crate::files;
use crate::sys::DIRENTS;
use crate::wire::{Body, Entry, Failure, MAX_STREAMS};

/// One open stream.
pub struct Stream {
    /// The request that opened it.
    pub id: u32,
    /// Chunks it may still send.
    pub credit: u32,
    file: OwnedFd,
    what: What,
}

enum What {
    Directory { stat: bool },
    File { offset: u64, left: u64 },
}

/// What one step of a stream gave.
pub enum Step<'b> {
    /// A chunk; more may follow.
    More(Body<'b>),
    /// A chunk, if any, and then the end.
    Last(Option<Body<'b>>),
    /// It cannot go on.
    Failed(Failure),
}

impl Stream {
    pub fn directory(id: u32, credit: u32, file: OwnedFd, stat: bool) -> Self {
        Self { id, credit, file, what: What::Directory { stat } }
    }

    pub fn file(id: u32, credit: u32, file: OwnedFd, offset: u64, left: u64) -> Self {
        Self { id, credit, file, what: What::File { offset, left } }
    }

    /// Makes the next chunk in `payload`.
    pub fn step<'b>(&mut self, payload: &'b mut [u8], dirents: &mut [core::mem::MaybeUninit<u8>; DIRENTS]) -> Step<'b> {
        match &mut self.what {
            What::Directory { stat } => entries(&self.file, *stat, payload, dirents),
            What::File { offset, left } => data(&self.file, offset, left, payload),
        }
    }
}

/// Packs what one `getdents64` gives.
fn entries<'b>(
    dir: &OwnedFd,
    with_stat: bool,
    payload: &'b mut [u8],
    dirents: &mut [core::mem::MaybeUninit<u8>; DIRENTS],
) -> Step<'b> {
    let mut raw = RawDir::new(dir, dirents);
    let mut used = 0;
    let mut any = false;
    while let Some(next) = raw.next() {
        let next = match next {
            Ok(next) => next,
            Err(error) => return Step::Failed(files::errno(error)),
        };
        any = true;
        let name = next.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            let stat = if with_stat { files::stat_at(dir, name).ok() } else { None };
            let entry = Entry { name: name.to_bytes(), kind: next.file_type() as u8, stat };
            match entry.encode(&mut payload[used..]) {
                Some(len) => used += len,
                // Cannot happen: DIRENTS is chosen so that it fits.
                None => return Step::Failed(Failure::Errno(Errno::OVERFLOW.raw_os_error())),
            }
        }
        if raw.is_buffer_empty() {
            break;
        }
    }
    match (any, used) {
        (false, _) => Step::Last(None),
        (true, used) => Step::More(Body::Entries(&payload[..used])),
    }
}

/// Fills the payload from the file. `EAGAIN` (a file of `/proc` that would wait for news) ends the stream.
fn data<'b>(file: &OwnedFd, offset: &mut u64, left: &mut u64, payload: &'b mut [u8]) -> Step<'b> {
    let want = usize::try_from(*left).unwrap_or(usize::MAX).min(payload.len());
    let mut used = 0;
    let mut ended = false;
    while used < want {
        match pread(file, &mut payload[used..want], *offset) {
            Ok(0) | Err(Errno::AGAIN) => {
                ended = true;
                break;
            }
            Ok(got) => {
                used += got;
                *offset += got as u64;
                *left -= got as u64;
            }
            Err(Errno::INTR) => {}
            // What was read before the failure is sent first; the next step meets the failure again.
            Err(_) if used > 0 => break,
            Err(error) => return Step::Failed(files::errno(error)),
        }
    }
    let chunk = (used > 0).then_some(Body::Data(&payload[..used]));
    match chunk {
        Some(chunk) if !ended && *left > 0 => Step::More(chunk),
        chunk => Step::Last(chunk),
    }
}

/// The open streams of a connection, served in turn.
pub struct Streams {
    slots: [Option<Stream>; MAX_STREAMS],
    turn: usize,
}

impl Streams {
    pub fn new() -> Self {
        Self { slots: [const { None }; MAX_STREAMS], turn: 0 }
    }

    /// Takes a stream in, unless there are too many.
    pub fn open(&mut self, stream: Stream) -> Result<(), Failure> {
        let slot = self.slots.iter_mut().find(|slot| slot.is_none()).ok_or(Failure::Busy)?;
        *slot = Some(stream);
        Ok(())
    }

    /// Grants credit. An unknown stream has just ended: nothing to do.
    pub fn credit(&mut self, id: u32, chunks: u32) {
        for stream in self.slots.iter_mut().flatten().filter(|stream| stream.id == id) {
            stream.credit = stream.credit.saturating_add(chunks);
        }
    }

    /// Ends a stream. Says whether there was one.
    pub fn close(&mut self, id: u32) -> bool {
        let slot = self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|stream| stream.id == id));
        slot.is_some_and(|slot| slot.take().is_some())
    }

    /// The next stream that may send, in turn.
    pub fn ready(&mut self) -> Option<&mut Stream> {
        let may = |slot: &Option<Stream>| slot.as_ref().is_some_and(|stream| stream.credit > 0);
        let at = (1..=MAX_STREAMS).map(|step| (self.turn + step) % MAX_STREAMS).find(|&at| may(&self.slots[at]))?;
        self.turn = at;
        self.slots[at].as_mut()
    }

    /// Whether any stream may send.
    pub fn busy(&self) -> bool {
        self.slots.iter().flatten().any(|stream| stream.credit > 0)
    }
}

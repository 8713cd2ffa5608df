//! Beginning what debugs beside a target, and speaking with it: in a sidecar that is [made](maker) for it, or in the container of
//! a pod that the helper is [in](crate::entry::kube::Debugger).

pub mod maker;
pub mod session;

use std::time::Duration;

use nix::errno::Errno;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use self::maker::Maker;
use super::DELVE;
use super::identity::Who;
use super::wire::{self, Core, Frame, Job, Refusal, Said, Say, Work};
use crate::corefile::{self, Weight};
use crate::entry::Error;
use crate::entry::kube::Debugger;
use crate::entry::plan::Ids;
use crate::entry::status::Status;
use crate::entry::tracer::Tracee;
use crate::entry::yama;
use crate::shim::{self, Shim};
use crate::target::ContainerPid;

/// Bytes read of a file of `/proc` at most.
const LARGEST: u64 = 64 << 10;
/// What a sidecar takes of memory beside the copy of a process, in bytes.
const ROOM: u64 = 256 << 20;
/// What Delve takes at most: 70 to 260 MiB were measured, and what a large program has of debug information comes on top.
const DELVE_ROOM: u64 = 2 << 30;
/// How long its first line may take to come.
const GREETING: Duration = Duration::from_secs(20);
/// Bytes that its first line may have.
const LINE: usize = 128;

/// Where this program is begun that debugs.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The target's name.
    pub target: String,
    /// In what.
    pub place: Place,
    /// Who looks: the helper that is beside the target already.
    pub shim: Shim,
}

/// In what this program debugs.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a sidecar that is made for it.
    Sidecar(Box<Maker>),
    /// In the container of a pod that the helper is in.
    Pod(Box<Debugger>),
}

/// This program, begun beside a target.
pub struct Begun {
    /// What it reads and writes.
    pub socket: UnixStream,
    /// Comes with the end of that: why it could not be begun, if that is known.
    pub why: Option<oneshot::Receiver<Option<String>>>,
    /// Whom it is to become.
    pub ids: Option<Ids>,
    /// The capabilities that it is to keep, as bits.
    pub keep: u64,
}

/// The programs of a session: open files.
pub struct Programs {
    /// Delve's. None if it is to end what another one has left.
    pub delve: Option<std::os::fd::OwnedFd>,
    /// The program's debug file.
    pub debug_file: Option<std::os::fd::OwnedFd>,
}

/// A connection to a sidecar.
pub struct Stream {
    reader: Reader,
    writer: OwnedWriteHalf,
}

/// What comes from it, frame by frame.
pub struct Reader {
    half: OwnedReadHalf,
    received: Vec<u8>,
}

impl Beside {
    /// What there is to be copied of a process, by what everybody may see of it. Nothing is made for that.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn weigh(&self, process: &Tracee) -> Result<Weight, corefile::Error> {
        let text = self.status(process.pid).await.map_err(|error| match error {
            shim::Error::Errno(Errno::ENOENT | Errno::ESRCH) => corefile::Error::Gone,
            shim::Error::Errno(errno) => corefile::Error::Proc { file: "status".to_owned(), errno: errno as i32 },
            _ => corefile::Error::Proc { file: "status".to_owned(), errno: libc::EIO },
        })?;
        weight(&text).ok_or_else(|| corefile::Error::Malformed { file: "status".to_owned() })
    }

    async fn status(&self, pid: ContainerPid) -> Result<Vec<u8>, shim::Error> {
        self.shim.read(format!("/proc/{pid}/status").as_bytes(), LARGEST).await
    }

    /// Begins what takes a core.
    ///
    /// # Errors
    /// If it cannot be begun.
    pub async fn take(&self, process: &Tracee, order: Core) -> Result<Stream, Error> {
        let writable = self.weigh(process).await.map_or(order.most, |weight| weight.writable);
        // It may grow until then.
        let room = ROOM + writable.min(order.most).saturating_mul(2);
        self.begin(process, Work::Core(order), None, room).await
    }

    /// Begins a session of Delve.
    ///
    /// # Errors
    /// If it cannot be begun.
    pub async fn debug(&self, process: &Tracee, mut order: wire::Live, programs: &Programs) -> Result<Stream, Error> {
        order.scratch = matches!(self.place, Place::Sidecar(_));
        self.begin(process, Work::Live(order), Some(programs), ROOM + DELVE_ROOM).await
    }

    async fn begin(
        &self,
        process: &Tracee,
        work: Work,
        programs: Option<&Programs>,
        room: u64,
    ) -> Result<Stream, Error> {
        let cause = |cause| Error::Shim { target: self.target.clone(), cause };
        let status = self.status(process.pid).await.map_err(cause)?;
        let status = Status::parse(&status).ok_or_else(|| Error::Gone { target: self.target.clone() })?;
        let scope = self.shim.read(yama::SCOPE.as_bytes(), 64).await.ok();
        let restricted = yama::is_restricted(scope.as_deref());
        let pod = |error| Error::Pod(Box::new(error));
        let begun = match &self.place {
            Place::Sidecar(maker) => maker.begin(&Who::of(&status, restricted), programs, room).await?,
            Place::Pod(debugger) => debugger.begin(&status, restricted, programs).await.map_err(pod)?,
        };
        let Begun { socket, why, ids, keep } = begun;
        let (half, writer) = socket.into_split();
        let mut stream = Stream { reader: Reader { half, received: Vec::new() }, writer };
        let greeted = timeout(GREETING, stream.reader.is_greeted()).await;
        if greeted != Ok(true) {
            // Who has said anything, or nothing in all that time, may be there still.
            let why = match why {
                Some(why) if greeted.is_ok() && stream.reader.received.is_empty() => why.await.ok().flatten(),
                _ => None,
            };
            return Err(match &self.place {
                Place::Sidecar(_) => self.ended(),
                Place::Pod(debugger) => pod(debugger.not_greeted(&stream.reader.received, why)),
            });
        }
        say(&mut stream.writer, &Say::Begin(Box::new(Job { ids, keep, work }))).await.map_err(|_| self.ended())?;
        Ok(stream)
    }

    /// In what it is, in words.
    fn words(&self) -> String {
        match &self.place {
            Place::Sidecar(_) => format!("the sidecar beside {}", self.target),
            Place::Pod(debugger) => format!("{} beside {}", debugger.holder(), self.target),
        }
    }

    /// It ended without its last word.
    pub fn ended(&self) -> Error {
        Error::BesideEnded { beside: self.words() }
    }

    /// It would not begin.
    pub fn refused(&self, refusal: Refusal) -> Error {
        let beside = self.words();
        match (refusal, &self.place) {
            (Refusal::Filter, _) => Error::Filtered { beside },
            (Refusal::NoDelve, Place::Pod(debugger)) => Error::Pod(Box::new(debugger.without(DELVE))),
            (Refusal::NoDelve, Place::Sidecar(_)) => Error::NotReady { beside, errno: Errno::ENOENT },
            (Refusal::Ids(errno) | Refusal::Means(errno), _) => {
                Error::NotReady { beside, errno: Errno::from_raw(errno) }
            }
        }
    }
}

impl Stream {
    /// The next frame. `None` at the end, or when it is none: who sends that is not listened to any more.
    pub async fn next(&mut self) -> Option<Frame<Said>> {
        self.reader.next().await
    }
}

impl Reader {
    /// Whether the first line is that of this very program. What was said instead stays there to be read.
    async fn is_greeted(&mut self) -> bool {
        let hello = wire::HELLO.as_bytes();
        while self.received.len() < hello.len() && !self.received.contains(&b'\n') {
            let mut room = [0; LINE];
            match self.half.read(&mut room[..LINE - self.received.len()]).await {
                Ok(got @ 1..) => self.received.extend_from_slice(&room[..got]),
                Ok(0) | Err(_) => return false,
            }
        }
        let is_it = self.received.starts_with(hello);
        if is_it {
            self.received.drain(..hello.len());
        }
        is_it
    }

    /// As [`Stream::next`]. Nothing is lost if it is no longer waited for.
    pub async fn next(&mut self) -> Option<Frame<Said>> {
        loop {
            match wire::first(&self.received) {
                Ok(Some((frame, length))) => {
                    self.received.drain(..length);
                    return Some(frame);
                }
                Ok(None) => {}
                Err(wire::Malformed) => return None,
            }
            // Bounded: a frame that is larger than may be is none.
            if self.half.read_buf(&mut self.received).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// Says something.
async fn say<T: Serialize>(writer: &mut OwnedWriteHalf, message: &T) -> std::io::Result<()> {
    let mut out = Vec::new();
    wire::message(message, &mut out).map_err(std::io::Error::other)?;
    writer.write_all(&out).await
}

/// proc_pid_status(5): memory of its own, and of files, in KiB.
fn weight(status: &[u8]) -> Option<Weight> {
    let field = |name: &[u8]| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let bytes = |name: &[u8]| field(name).map(|kibibytes| kibibytes.saturating_mul(1 << 10));
    Some(Weight {
        writable: bytes(b"RssAnon:")?.saturating_add(bytes(b"RssShmem:")?).saturating_add(bytes(b"VmSwap:")?),
        constant: bytes(b"RssFile:")?,
        threads: field(b"Threads:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_program_is_spoken_to() {
        for (line, is_it) in [
            (wire::HELLO, true),
            ("scratchdbg beside 0.0.9 1\n", false),
            ("scratchdbg beside is for a sidecar", false),
            (&"x".repeat(4096), false),
            ("", false),
        ] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (_, mut says) = theirs.into_split();
            says.write_all(line.as_bytes()).await.unwrap();
            drop(says);
            let mut reader = Reader { half: ours.into_split().0, received: Vec::new() };
            assert_eq!(reader.is_greeted().await, is_it, "{line}");
            assert!(reader.received.len() <= if is_it { 0 } else { 128 });
        }
    }

    #[test]
    fn what_there_is_to_be_copied() {
        let text = b"Name:\tVmSwap: 9\nVmSwap:\t       4 kB\nRssAnon:\t    3000 kB\nRssFile:\t 5000 kB\nRssShmem:\t 1 kB\nThreads:\t7\n";
        let weight = weight(text).unwrap();
        assert_eq!((weight.writable, weight.constant, weight.threads), (3005 << 10, 5000 << 10, 7));
        // A kernel thread has no memory.
        assert_eq!(super::weight(b"Name:\tkthreadd\nThreads:\t1\n"), None);
    }
}

//! What the two sides say to each other: a line that says which program it is, and then frames of a length, a kind, and either a
//! message or plain bytes. In a sidecar both are the very same program. In a pod's container it is one that somebody has put into
//! an image, perhaps long ago: so nothing is asked of one that does not say [`HELLO`].

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::corefile;
use crate::delve::guard;
use crate::entry::plan::Ids;
use crate::golang::BuildId;
use crate::target::ContainerPid;

/// The first line, from inside. Its last number is raised whenever the meaning of a frame changes.
pub const HELLO: &str = concat!("scratchdbg beside ", env!("CARGO_PKG_VERSION"), " 1\n");
/// The largest frame in bytes, without what is before it. The largest message lists 65,536 groups, which nobody has.
pub const MAX: usize = 1 << 20;
/// How often that is said.
pub const BEAT: Duration = Duration::from_secs(5);
/// How long nothing may be heard in a session until it is ended: a connection that carries nothing any more may stay open for hours.
pub const SILENCE: Duration = Duration::from_secs(20);
/// Bytes before it: its length, and its kind.
const PREFIX: usize = 5;

/// What the sidecar is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Say {
    /// What it is there for. The first word.
    Begin(Box<Job>),
    /// End the session.
    End,
    /// Somebody is there. Said every [`BEAT`] of a session.
    Here,
}

/// What a sidecar is there for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// As whom, if not as whoever it was started as.
    pub ids: Option<Ids>,
    /// The capabilities that it keeps, as bits, of those that it has.
    pub keep: u64,
    /// What it does.
    pub work: Work,
}

/// What a sidecar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Take a core, and give it as bytes.
    Core(Core),
    /// Start Delve and a guard over it. Bytes are Delve's connection from then on.
    Live(Live),
}

/// As [`corefile::Order`], in the numbers of the pid namespace that is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// The process.
    pub pid: ContainerPid,
    /// When it began, in clock ticks after boot.
    pub start_ticks: u64,
    /// The most bytes of memory that are taken.
    pub most: u64,
    /// How long its threads may be stopped.
    pub pause: Duration,
}

/// As [`guard::Order`], in the numbers of the pid namespace that is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The process.
    pub pid: ContainerPid,
    /// When it began, in clock ticks after boot.
    pub start_ticks: u64,
    /// How long it may stand still at a time. `None`: for ever.
    pub pause: Option<Duration>,
    /// A Delve whose sidecar was killed: it is not started, but what it has left is taken away.
    pub delve: Option<guard::Running>,
    /// The program's build id, if a debug file of it is in the image.
    pub debug_file: Option<BuildId>,
    /// Whether it has a file system in memory, for Delve's socket and settings.
    pub scratch: bool,
}

/// What the sidecar tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// Of a core.
    Core(corefile::Told),
    /// Of a session.
    Guard(guard::Told),
    /// Who did the work was killed. The last word.
    GivenUp,
    /// It was not begun. The last word.
    Refused(Refusal),
}

/// Why a sidecar does not do what it is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The engine's system call filter (seccomp(2)) forbids to trace.
    Filter,
    /// It may not become who it should be: errno(3).
    Ids(i32),
    /// What it takes cannot be had: errno(3).
    Means(i32),
    /// There is no Delve in its image.
    NoDelve,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<T> {
    /// A message.
    Message(T),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

/// It is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no frame")]
pub struct Malformed;

/// Adds a message as a frame.
///
/// # Errors
/// If it is too large.
pub fn message<T: Serialize>(message: &T, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let body = postcard::to_allocvec(message).map_err(|_| Malformed)?;
    frame(0, &body, out)
}

/// Adds bytes as a frame.
///
/// # Errors
/// If they are too many.
pub fn bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    frame(1, bytes, out)
}

fn frame(kind: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX).ok_or(Malformed)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    Ok(())
}

/// The first frame of what was received, and how many bytes of that it was. `None` if there is not all of it yet.
///
/// # Errors
/// If it cannot become one.
pub fn first<T: DeserializeOwned>(received: &[u8]) -> Result<Option<(Frame<T>, usize)>, Malformed> {
    let Some((prefix, rest)) = received.split_at_checked(PREFIX) else { return Ok(None) };
    let [a, b, c, d, kind] = *prefix else { return Err(Malformed) };
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(|_| Malformed)?;
    if length > MAX || kind > 1 {
        return Err(Malformed);
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    let frame = match kind {
        0 => match postcard::take_from_bytes(body) {
            Ok((message, [])) => Frame::Message(message),
            _ => return Err(Malformed),
        },
        _ => Frame::Bytes(body.to_vec()),
    };
    Ok(Some((frame, PREFIX + length)))
}

/// Parses arbitrary bytes, as either side does. For fuzzing: must not panic.
pub fn fuzz(received: &[u8]) {
    fn all<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(mut rest: &[u8]) {
        while let Ok(Some((frame, length))) = first::<T>(rest) {
            let mut again = Vec::new();
            let written = match &frame {
                Frame::Message(told) => message(told, &mut again),
                Frame::Bytes(plain) => bytes(plain, &mut again),
            };
            // What was understood can be said, and is understood the same.
            if written.is_ok() {
                assert_eq!(first::<T>(&again).map(|read| read.map(|(frame, _)| frame)), Ok(Some(frame)));
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    all::<Say>(received);
    all::<Said>(received);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let core = Core { pid: ContainerPid(7), start_ticks: 9, most: 1 << 40, pause: Duration::from_secs(1) };
        let begin = Say::Begin(Box::new(Job { ids: Some(Ids::default()), keep: 1 << 19, work: Work::Core(core) }));
        let mut out = Vec::new();
        message(&begin, &mut out).unwrap();
        let end = out.len();
        bytes(b"what dlv gets", &mut out).unwrap();
        message(&Say::End, &mut out).unwrap();
        let (frame, length) = first::<Say>(&out).unwrap().unwrap();
        assert_eq!((frame, length), (Frame::Message(begin), end));
        let (frame, length) = first::<Say>(&out[end..]).unwrap().unwrap();
        assert_eq!(frame, Frame::Bytes(b"what dlv gets".to_vec()));
        assert_eq!(first::<Say>(&out[end + length..]).unwrap().unwrap().0, Frame::Message(Say::End));
        // Not all there yet, whatever is missing.
        assert!((0..end).all(|length| first::<Say>(&out[..length]) == Ok(None)));
    }

    #[test]
    fn what_is_no_frame_is_refused_before_it_is_waited_for() {
        assert!(bytes(&vec![0; MAX], &mut Vec::new()).is_ok());
        assert_eq!(bytes(&vec![0; MAX + 1], &mut Vec::new()), Err(Malformed));
        for bad in [&[0xff; 5][..], &[1, 0, 0, 0, 2], &[1, 0, 0, 0, 0, 9], &[2, 0, 0, 0, 0, 1, 0]] {
            assert_eq!(first::<Say>(bad), Err(Malformed), "{bad:?}");
        }
        fuzz(b"\x01\0\0\0\x00\x01\x02\0\0\0\x01ab\xff");
    }
}

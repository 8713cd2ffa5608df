//! A file that is read here and there: the memory of a process, a program of which little is wanted.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::thread;

use futures_util::stream::{self, StreamExt as _};
use tokio::runtime::Handle;

use super::{Error, Shim};
use crate::target::ContainerPid;
use crate::wire::{CHUNK, MAX_PARTS, PART_PREFIX, Part};

/// Requests that are under way at once.
const IN_FLIGHT: usize = 8;
/// The longest part that is asked for at once, in bytes: several fit an answer.
const LONGEST: usize = CHUNK / 4;
/// Below so many bytes a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 256 << 10;
/// Threads that read at once.
const MOST_THREADS: usize = 4;

/// A file to be read here and there. It blocks: for a thread that is none of the runtime's.
#[derive(Debug)]
pub struct Parts(Way);

#[derive(Debug)]
enum Way {
    File(File),
    Asked { shim: Shim, of: Asked, runtime: Handle },
}

/// What the helper is asked for parts of.
#[derive(Debug)]
pub(super) enum Asked {
    /// A file, by its path.
    File(Vec<u8>),
    /// The memory of a process.
    Memory(ContainerPid),
}

impl Parts {
    pub(super) fn of_file(file: File) -> Self {
        Self(Way::File(file))
    }

    /// The runtime is the one that this is called on; it has to go on meanwhile.
    pub(super) fn asked(shim: Shim, of: Asked) -> Self {
        Self(Way::Asked { shim, of, runtime: Handle::current() })
    }

    /// Reads the parts into `into`, one behind another, each in room of its own length; says how many bytes of each there
    /// were. A part that cannot be read is a short one.
    ///
    /// # Errors
    /// If the helper does not answer. A file that was passed has no errors.
    pub fn read(&self, parts: &[Part], into: &mut Vec<u8>) -> Result<Vec<u32>, Error> {
        into.clear();
        into.resize(parts.iter().map(|part| part.len as usize).sum(), 0);
        match &self.0 {
            Way::File(file) => Ok(in_turns(file, parts, into)),
            Way::Asked { shim, of, runtime } => runtime.block_on(ask(shim, of, parts, into)),
        }
    }
}

/// Shares them out among threads, if there is much to read.
fn in_turns(file: &File, parts: &[Part], into: &mut [u8]) -> Vec<u32> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let share = into.len().div_ceil(threads).max(WORTH_A_THREAD);
    let mut got = vec![0; parts.len()];
    thread::scope(|scope| {
        let (mut parts, mut into, mut told) = (parts, into, got.as_mut_slice());
        while !parts.is_empty() {
            let mut bytes = 0;
            let count = parts.iter().take_while(|part| {
                let more = bytes < share;
                bytes += if more { part.len as usize } else { 0 };
                more
            });
            let count = count.count();
            let (mine, rest) = parts.split_at(count);
            let (room, rest_of_room) = std::mem::take(&mut into).split_at_mut(bytes);
            let (tell, rest_of_told) = std::mem::take(&mut told).split_at_mut(count);
            (parts, into, told) = (rest, rest_of_room, rest_of_told);
            if parts.is_empty() {
                read_all(file, mine, room, tell);
            } else {
                scope.spawn(move || read_all(file, mine, room, tell));
            }
        }
    });
    got
}

fn read_all(file: &File, parts: &[Part], mut into: &mut [u8], got: &mut [u32]) {
    for (part, got) in parts.iter().zip(got) {
        let (room, rest) = std::mem::take(&mut into).split_at_mut(part.len as usize);
        into = rest;
        let mut have = 0;
        while have < room.len() {
            match file.read_at(&mut room[have..], part.offset.saturating_add(have as u64)) {
                Ok(0) => break,
                Ok(more) => have += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // At most the part's own length.
        *got = u32::try_from(have).unwrap_or(part.len);
    }
}

/// A piece of a part: of which, how many bytes of that come before it, where its own go, and what is asked for.
#[derive(Clone, Copy)]
struct Piece {
    of: usize,
    before: usize,
    to: usize,
    part: Part,
}

/// Asks the helper, several times at once.
async fn ask(shim: &Shim, of: &Asked, parts: &[Part], into: &mut [u8]) -> Result<Vec<u32>, Error> {
    let requests = requests(parts);
    let asked = requests.iter().map(|(pieces, packed)| async move {
        let bytes = shim.some_parts(of, packed).await?;
        Ok::<_, Error>((pieces, bytes))
    });
    let mut answers = stream::iter(asked).buffered(IN_FLIGHT);
    let mut got = vec![0; parts.len()];
    while let Some(answer) = answers.next().await {
        let (pieces, bytes) = answer?;
        if fill(pieces, &bytes, into, &mut got).is_none() {
            return Err(shim.connection.broke("other parts than were asked for"));
        }
    }
    Ok(got)
}

/// Packs them into requests that an answer has room for.
fn requests(parts: &[Part]) -> Vec<(Vec<Piece>, Vec<u8>)> {
    let mut requests: Vec<(Vec<Piece>, Vec<u8>)> = Vec::new();
    let (mut room, mut to) = (0, 0);
    for (of, whole) in parts.iter().enumerate() {
        let mut done = 0;
        while done < whole.len as usize {
            let length = (whole.len as usize - done).min(LONGEST);
            let offset = whole.offset.saturating_add(done as u64);
            let part = Part { offset, len: u32::try_from(length).unwrap_or(whole.len) };
            let mut packed = [0; 16];
            let used = part.encode(&mut packed).unwrap_or_default();
            let full = requests.last().is_none_or(|(_, bytes)| bytes.len() + used > MAX_PARTS);
            if full || room < PART_PREFIX + length {
                requests.push((Vec::new(), Vec::new()));
                room = CHUNK;
            }
            if let Some((pieces, bytes)) = requests.last_mut() {
                pieces.push(Piece { of, before: done, to: to + done, part });
                bytes.extend_from_slice(&packed[..used]);
            }
            room -= PART_PREFIX + length;
            done += length;
        }
        to += whole.len as usize;
    }
    requests
}

/// Puts an answer where it belongs. `None` if it is none to what was asked. Behind a piece that came short, what comes of the
/// same part does not count: there would be a hole before it.
fn fill(pieces: &[Piece], mut bytes: &[u8], into: &mut [u8], got: &mut [u32]) -> Option<()> {
    for piece in pieces {
        let (prefix, rest) = bytes.split_first_chunk::<PART_PREFIX>()?;
        let length = u32::from_le_bytes(*prefix);
        if length > piece.part.len {
            return None;
        }
        let (data, rest) = rest.split_at_checked(length as usize)?;
        bytes = rest;
        into.get_mut(piece.to..piece.to + data.len())?.copy_from_slice(data);
        let so_far = got.get_mut(piece.of)?;
        if *so_far as usize == piece.before {
            *so_far += length;
        }
    }
    bytes.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn part(offset: u64, len: u32) -> Part {
        Part { offset, len }
    }

    #[test]
    fn a_file_is_read_by_several_threads_as_by_one() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut parts: Vec<_> = (0..40).map(|at| part(at * 70_000 + at, 60_000)).collect();
        parts.extend([part(2_999_990, 100), part(u64::MAX, 5), part(7, 0)]);
        let mut into = vec![9];
        let got = Parts::of_file(file).read(&parts, &mut into).unwrap();
        assert_eq!(into.len(), 40 * 60_000 + 105);
        for (index, at) in (0..40_usize).map(|at| (at, at * 70_000 + at)) {
            assert_eq!(into[index * 60_000..][..60_000], bytes[at..at + 60_000], "{index}");
        }
        assert_eq!(got[..40], [60_000; 40]);
        assert_eq!((&got[40..], &into[2_400_000..2_400_010]), (&[10, 0, 0][..], &bytes[2_999_990..]));
    }

    #[test]
    fn requests_have_room_and_their_answers_too() {
        let parts: Vec<_> = (0..5000).map(|at| part(u64::MAX / 2 - at, 1 + u32::try_from(at).unwrap() * 37)).collect();
        let requests = requests(&parts);
        let mut next = vec![0; parts.len()];
        for (pieces, packed) in &requests {
            let answer: usize = pieces.iter().map(|piece| PART_PREFIX + piece.part.len as usize).sum();
            assert!(packed.len() <= MAX_PARTS && answer <= CHUNK && !pieces.is_empty());
            for piece in pieces {
                assert_eq!(
                    (piece.before, piece.part.offset),
                    (next[piece.of], parts[piece.of].offset + piece.before as u64)
                );
                next[piece.of] += piece.part.len as usize;
            }
        }
        assert!(next.iter().zip(&parts).all(|(have, part)| *have == part.len as usize));
    }

    #[test]
    fn an_answer_that_fits_nothing_is_none() {
        let parts = [part(0, 4), part(9, 4)];
        let requests = requests(&parts);
        let filled = |bytes: &[u8]| {
            let (mut into, mut got) = ([0; 8], [0; 2]);
            fill(&requests[0].0, bytes, &mut into, &mut got).map(|()| (into, got))
        };
        let good = [4, 0, 0, 0, 1, 2, 3, 4, 2, 0, 0, 0, 5, 6];
        assert_eq!(filled(&good), Some(([1, 2, 3, 4, 5, 6, 0, 0], [4, 2])));
        assert_eq!((filled(&good[..13]), filled(&[&good[..], &[0]].concat()), filled(&[])), (None, None, None));
        // More than was asked for.
        assert_eq!(filled(&[5, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0]), None);
    }

    #[test]
    fn behind_a_hole_nothing_counts() {
        let parts = [part(0, u32::try_from(LONGEST).unwrap() + 1)];
        let requests = requests(&parts);
        let (mut into, mut got) = (vec![0; LONGEST + 1], [0]);
        let answer = [&[1, 0, 0, 0, 7][..], &[1, 0, 0, 0, 8]].concat();
        fill(&requests[0].0, &answer, &mut into, &mut got).unwrap();
        assert_eq!(got, [1]);
    }
}

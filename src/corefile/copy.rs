//! Copying memory of another process: by process_vm_readv(2), or by `/proc/PID/mem` (proc_pid_mem(5)) where an engine's system call
//! filter forbids that. The latter takes a little longer.

use std::fs::File;
use std::io::{self, IoSliceMut, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::present::{Run, page};
use super::{Error, mapping};
use crate::target::HostPid;

/// Bytes that are read and written at once.
const CHUNK: usize = 4 << 20;
/// Bytes from which on more than one thread copies them.
const A_LOT: u64 = 8 << 20;
/// Threads that copy at most: memory is not faster with more.
const MOST_THREADS: usize = 4;

/// Memory of another process.
pub struct Memory {
    pid: HostPid,
    /// How it is read where there is no other way.
    file: Option<File>,
}

impl Memory {
    /// Of this one.
    pub fn of(pid: HostPid) -> Result<Self, Error> {
        // Everybody may read their own.
        let (from, mut into) = ([7_u8], [0_u8]);
        let remote = RemoteIoVec { base: from.as_ptr() as usize, len: 1 };
        let own = process_vm_readv(Pid::this(), &mut [IoSliceMut::new(&mut into)], &[remote]);
        if own == Ok(1) { Ok(Self { pid, file: None }) } else { Self::by_file(pid) }
    }

    fn by_file(pid: HostPid) -> Result<Self, Error> {
        let file = File::open(format!("/proc/{pid}/mem")).map_err(|error| mapping::failed("mem", &error))?;
        Ok(Self { pid, file: Some(file) })
    }

    /// Reads what the kernel gives at once: nothing of a page that it does not give.
    fn some(&self, start: usize, into: &mut [u8]) -> Option<usize> {
        let got = if let Some(file) = &self.file {
            file.read_at(into, start as u64).ok()
        } else {
            let remote = RemoteIoVec { base: start, len: into.len() };
            process_vm_readv(Pid::from_raw(self.pid.0), &mut [IoSliceMut::new(into)], &[remote]).ok()
        };
        got.filter(|&length| length > 0)
    }

    /// Reads all of it, and gives how many bytes the kernel did not give; those are zeros.
    fn read(&self, start: u64, into: &mut [u8]) -> u64 {
        let page = usize::try_from(page()).unwrap_or(4096);
        let (mut done, mut unreadable) = (0, 0);
        while done < into.len() {
            let (Ok(base), rest) = (usize::try_from(start + done as u64), &mut into[done..]) else { break };
            let length = self.some(base, rest).unwrap_or_else(|| {
                // The page at which it stopped.
                let length = (page - (base % page)).min(rest.len());
                rest[..length].fill(0);
                unreadable += length as u64;
                length
            });
            done += length;
        }
        unreadable
    }
}

/// What has been copied, one run behind the other.
pub struct Copied {
    bytes: Vec<u8>,
    used: usize,
    runs: Vec<Run>,
    /// Bytes for which there was no time or no room.
    pub left_out: u64,
    /// Bytes that the kernel did not give.
    pub unreadable: u64,
}

impl Copied {
    /// Room for so many bytes, with its pages made.
    pub fn with_room(bytes: u64) -> Self {
        let mut room = vec![0; usize::try_from(bytes).unwrap_or(0)];
        let page = usize::try_from(page()).unwrap_or(4096);
        for page in room.chunks_mut(page) {
            page[0] = std::hint::black_box(1);
        }
        Self { bytes: room, used: 0, runs: Vec::new(), left_out: 0, unreadable: 0 }
    }

    /// Copies runs, or as much of them as there are time and room for, with as many threads as there are processors: the
    /// process waits for all of them.
    pub fn take(&mut self, memory: &Memory, runs: &[Run], in_time: impl Fn() -> bool + Sync) {
        let wanted: u64 = runs.iter().map(Run::len).sum();
        let mut pieces = Vec::new();
        let mut room = self.bytes.as_mut_slice();
        for piece in runs.iter().flat_map(Run::pieces) {
            // Whole pages; the last piece may be shorter than it was.
            let fits = piece.len().min(room.len() as u64) / page() * page();
            let Some((into, rest)) = std::mem::take(&mut room).split_at_mut_checked(usize::try_from(fits).unwrap_or(0))
            else {
                break;
            };
            if fits == 0 {
                break;
            }
            room = if fits == piece.len() { rest } else { &mut [] };
            pieces.push((Run::new(piece.start(), piece.start() + fits), into));
        }
        // In their order, so that what there was no time for is all at the end.
        let queue = Mutex::new(pieces.into_iter());
        let next = || {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            if in_time() { queue.next() } else { None }
        };
        let work = || {
            let (mut copied, mut unreadable) = (0, 0);
            while let Some((piece, into)) = next() {
                unreadable += memory.read(piece.start(), into);
                copied += piece.len();
            }
            (copied, unreadable)
        };
        // For a little, a thread would take longer to be made than it saves.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if wanted < A_LOT { 1 } else { processors.min(MOST_THREADS) };
        let all: Vec<_> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).filter_map(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
            let own = work();
            others.into_iter().filter_map(|other| other.join().ok()).chain([own]).collect()
        });
        let copied = all.iter().map(|(copied, _)| copied).sum();
        self.unreadable = all.iter().map(|(_, unreadable)| unreadable).sum();
        self.used = usize::try_from(copied).unwrap_or(0);
        self.left_out = wanted - copied;
        let mut rest = copied;
        for run in runs {
            let length = run.len().min(rest);
            if length > 0 {
                self.runs.push(Run::new(run.start(), run.start() + length));
            }
            rest -= length;
        }
    }

    /// How many there are.
    pub fn bytes(&self) -> u64 {
        self.used as u64
    }

    /// Of which addresses.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Writes all of it.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.bytes[..self.used])
    }
}

/// As many runs as there is room for, and the bytes of the others.
pub fn within(runs: impl Iterator<Item = Run>, room: u64) -> (Vec<Run>, u64) {
    let (mut kept, mut left_out, mut used) = (Vec::new(), 0, 0);
    for run in runs {
        if run.len() <= room - used {
            used += run.len();
            kept.push(run);
        } else {
            left_out += run.len();
        }
    }
    (kept, left_out)
}

/// Reads runs of a process that runs, and writes them. Gives how many bytes of them the kernel did not give.
pub fn stream(memory: &Memory, runs: &[Run], out: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut unreadable = 0;
    for run in runs {
        let mut at = run.start();
        while at < run.end() {
            let length = usize::try_from(run.end() - at).unwrap_or(CHUNK).min(CHUNK);
            unreadable += memory.read(at, &mut buffer[..length]);
            out.write_all(&buffer[..length])?;
            at += length as u64;
        }
    }
    Ok(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this() -> Memory {
        Memory::of(HostPid(std::process::id().cast_signed())).unwrap()
    }

    fn by_file() -> Memory {
        Memory::by_file(HostPid(std::process::id().cast_signed())).unwrap()
    }

    #[test]
    fn as_much_as_there_is_time_and_room_for() {
        let page = page();
        let memory = vec![7_u8; usize::try_from(8 * page).unwrap()];
        let start = (memory.as_ptr() as u64).next_multiple_of(page);
        let run = || Run::new(start, start + 4 * page);
        let mut copied = Copied::with_room(16 * page);
        copied.take(&this(), &[run()], || true);
        assert_eq!((copied.bytes(), copied.left_out, copied.unreadable), (4 * page, 0, 0));
        let mut out = Vec::new();
        copied.write(&mut out).unwrap();
        assert!(out.len() as u64 == 4 * page && out.iter().all(|&byte| byte == 7));
        let mut copied = Copied::with_room(3 * page);
        copied.take(&this(), &[run()], || true);
        assert_eq!((copied.bytes(), copied.left_out), (3 * page, page));
        assert_eq!(copied.runs(), [Run::new(start, start + 3 * page)]);
        let mut copied = Copied::with_room(16 * page);
        copied.take(&this(), &[run()], || false);
        assert_eq!((copied.bytes(), copied.left_out, copied.runs()), (0, 4 * page, &[][..]));
    }

    #[test]
    fn much_is_copied_by_many_and_stays_in_its_order() {
        let (page, large) = (page(), 32 << 20);
        let mut memory = vec![0_u8; large + usize::try_from(page).unwrap()];
        let start = (memory.as_ptr() as u64).next_multiple_of(page);
        let first = usize::try_from(start - memory.as_ptr() as u64).unwrap();
        for (at, byte) in memory[first..first + large].iter_mut().enumerate() {
            *byte = u8::try_from((at >> 16) % 251).unwrap();
        }
        let runs = [Run::new(start, start + (5 << 20)), Run::new(start + (5 << 20), start + large as u64)];
        let mut copied = Copied::with_room(large as u64);
        copied.take(&this(), &runs, || true);
        let mut out = Vec::new();
        copied.write(&mut out).unwrap();
        assert!(out == memory[first..first + large] && copied.runs() == runs);
    }

    #[test]
    fn it_is_the_same_by_the_file() {
        let from: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for memory in [this(), by_file()] {
            let mut into = vec![0; from.len()];
            assert_eq!(memory.read(from.as_ptr() as u64, &mut into), 0);
            assert!(into == from);
        }
    }

    #[test]
    fn what_cannot_be_read_is_zeros() {
        let page = page();
        for memory in [this(), by_file()] {
            let mut into = vec![1; usize::try_from(2 * page).unwrap()];
            assert_eq!(memory.read(0, &mut into), 2 * page);
            assert!(into.iter().all(|&byte| byte == 0));
        }
        let mut out = Vec::new();
        assert_eq!(stream(&this(), &[Run::new(0, page)], &mut out).unwrap(), page);
        assert_eq!(out.len() as u64, page);
    }

    #[test]
    fn large_runs_are_left_out_for_small_ones() {
        let runs = [Run::new(0, 10), Run::new(10, 1000), Run::new(1000, 1010)];
        assert_eq!(within(runs.clone().into_iter(), 20), (vec![runs[0].clone(), runs[2].clone()], 990));
    }
}

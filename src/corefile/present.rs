//! Which pages of a mapping are there: `/proc/PID/pagemap` (proc_pid_pagemap(5)).
//!
//! A page that is neither in memory nor swapped out has never been written: it is what its file has, or zeros. To read it
//! would make it. So only those are read that are there.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::Error;
use super::mapping::{self, Mapping};
use crate::target::HostPid;

/// Bits 63 and 62 of an entry: in memory, or swapped out.
const THERE: u64 = 0b11 << 62;
/// Bit 61: it is the file's own page, or shared. A page of a file that was written to is a copy, and has it not.
const SHARED: u64 = 1 << 61;
/// Bytes of an entry.
const ENTRY: usize = 8;
/// Bytes of a piece: many pages.
const PIECE: usize = 1 << 20;
/// Entries that are read at once.
const BATCH: usize = 8192;

/// Part of a process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run(Range<u64>);

impl Run {
    /// These addresses.
    pub fn new(start: u64, end: u64) -> Self {
        Self(start..end)
    }

    /// Its first address.
    pub fn start(&self) -> u64 {
        self.0.start
    }

    /// The address behind it.
    pub fn end(&self) -> u64 {
        self.0.end
    }

    /// Its bytes.
    pub fn len(&self) -> u64 {
        self.0.end - self.0.start
    }

    /// The same in pieces, which can be copied one by one.
    pub fn pieces(&self) -> impl Iterator<Item = Self> {
        let Range { start, end } = self.0;
        (start..end).step_by(PIECE).map(move |at| Self(at..end.min(at + PIECE as u64)))
    }
}

/// Opens a process's pagemap.
pub fn open(pid: HostPid) -> Result<File, Error> {
    File::open(format!("/proc/{pid}/pagemap")).map_err(|error| mapping::failed("pagemap", &error))
}

/// The bytes of a page.
pub fn page() -> u64 {
    rustix::param::page_size() as u64
}

/// The parts of a mapping that are there.
pub fn runs(pagemap: &File, mapping: &Mapping) -> Result<Vec<Run>, Error> {
    runs_of(pagemap, mapping, |entry| entry & THERE != 0)
}

/// The parts of a file's mapping that somebody has written to.
pub fn copies(pagemap: &File, mapping: &Mapping) -> Result<Vec<Run>, Error> {
    runs_of(pagemap, mapping, |entry| entry & THERE != 0 && entry & SHARED == 0)
}

fn runs_of(pagemap: &File, mapping: &Mapping, is_meant: impl Fn(u64) -> bool) -> Result<Vec<Run>, Error> {
    let page = page();
    let mut runs = Vec::new();
    let mut entries = vec![0; BATCH * ENTRY];
    let mut at = mapping.start;
    while at < mapping.end {
        let wanted = usize::try_from((mapping.end - at) / page).unwrap_or(BATCH).min(BATCH);
        let room = &mut entries[..wanted * ENTRY];
        let length =
            pagemap.read_at(room, at / page * ENTRY as u64).map_err(|error| mapping::failed("pagemap", &error))?;
        // Beyond what a process can have, as vsyscall is, there are none.
        let count = length / ENTRY;
        if count == 0 {
            break;
        }
        let there = room
            .chunks_exact(ENTRY)
            .take(count)
            .map(|entry| entry.try_into().is_ok_and(|entry| is_meant(u64::from_ne_bytes(entry))));
        add(&mut runs, at, page, there);
        at += count as u64 * page;
    }
    Ok(runs)
}

/// Adds the pages from `at` on that are there, to the last run if they follow it.
fn add(runs: &mut Vec<Run>, at: u64, page: u64, there: impl Iterator<Item = bool>) {
    for (start, _) in (at..).step_by(usize::try_from(page).unwrap_or(usize::MAX)).zip(there).filter(|(_, there)| *there)
    {
        match runs.last_mut() {
            Some(Run(last)) if last.end == start => last.end += page,
            _ => runs.push(Run(start..start + page)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_runs() {
        let mut runs = Vec::new();
        add(&mut runs, 0x1000, 0x1000, [true, true, false, true].into_iter());
        // The next batch goes on where this one ended.
        add(&mut runs, 0x5000, 0x1000, [true, false].into_iter());
        assert_eq!(runs, [Run(0x1000..0x3000), Run(0x4000..0x6000)]);
        assert_eq!(runs[0].len(), 0x2000);
    }

    #[test]
    fn what_was_written_is_there_and_nothing_else() {
        let page = usize::try_from(page()).unwrap();
        let mut memory = vec![0_u8; 64 * page];
        let first = (memory.as_ptr() as usize).next_multiple_of(page) - memory.as_ptr() as usize;
        memory[first + 9 * page] = 1;
        let start = memory.as_ptr() as u64 + first as u64;
        let pid = HostPid(std::process::id().cast_signed());
        let mapping = Mapping {
            start,
            end: start + 32 * page as u64,
            readable: true,
            writable: true,
            executable: false,
            offset: 0,
            name: Vec::new(),
        };
        let runs = runs(&open(pid).unwrap(), &mapping).unwrap();
        let ninth = start + 9 * page as u64;
        assert!(runs.iter().any(|run| run.start() <= ninth && ninth < run.end()), "{runs:?}");
        assert!(std::hint::black_box(&memory).len() == 64 * page);
    }
}

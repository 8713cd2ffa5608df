//! A core file of a process that runs on.
//!
//! Its threads are stopped for as long as it takes to copy what they may change: registers, and those pages of writable
//! memory that are there. Then they run on, and the rest is read and the file written. `PTRACE_SEIZE` sends no signal and
//! leaves nothing behind: whoever holds the threads may be killed at any moment, and the kernel lets them run on
//! (ptrace(2)).
//!
//! Only what the kernel says of the process is believed; of its memory nothing is looked at.

mod copy;
mod elf;
mod error;
pub(crate) mod mapping;
mod notes;
pub(crate) mod present;
pub mod read;
mod sets;
pub(crate) mod threads;

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use self::error::Error;
pub use self::mapping::Line;

use self::copy::{Copied, Memory};
use self::threads::Seized;
use crate::target::HostPid;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The process, on this host.
    pub pid: HostPid,
    /// When it began, in clock ticks after boot: which of all the processes that had its number.
    pub start_ticks: u64,
    /// The most bytes of memory that are taken. With 0 of them only registers are, and where memory is.
    pub most: u64,
    /// How long its threads may be stopped. What is not copied by then is left out.
    pub pause: Duration,
}

impl Order {
    /// Whether memory is wanted.
    fn has_memory(&self) -> bool {
        self.most > 0
    }
}

/// What there is to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// Bytes of writable memory, which is copied while the process is stopped.
    pub writable: u64,
    /// Bytes of other memory.
    pub constant: u64,
    /// Threads.
    pub threads: u64,
}

/// How it went, in the order it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// Before anything is stopped.
    Weighed(Weight),
    /// The process runs on.
    Thawed(Thawed),
    /// The file is complete.
    Written(Written),
    /// It was not done.
    Failed(Error),
}

/// What was done while the process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thawed {
    /// From before the first thread was stopped until after the last one was let go.
    pub stopped: Duration,
    /// Threads.
    pub threads: u64,
    /// Bytes copied.
    pub copied: u64,
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its bytes.
    pub size: u64,
    /// Bytes of memory that are not in it, for want of time or room.
    pub left_out: u64,
    /// Bytes of memory that the kernel did not give. They are zeros in it.
    pub unreadable: u64,
}

/// Parses arbitrary bytes. For fuzzing: must not panic.
pub fn fuzz(bytes: &[u8]) {
    mapping::fuzz(bytes);
}

/// How much of a process is taken at most where nobody says: half of the memory that this host has to spare
/// (proc_meminfo(5)); 1 GiB where it does not tell.
#[must_use]
pub fn half_of_what_is_free() -> u64 {
    let available = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    };
    available().map_or(1 << 30, |kibibytes| kibibytes.saturating_mul(1 << 10) / 2)
}

/// What there is to be copied of a process. Nothing is stopped.
///
/// # Errors
/// If the kernel does not let us look.
pub fn weigh(order: &Order) -> Result<Weight, Error> {
    let mappings = mapping::of(order.pid)?;
    let mut weight = Weight { writable: 0, constant: 0, threads: threads::count(order.pid)? };
    let pagemap = present::open(order.pid)?;
    for mapping in mappings.iter().filter(|mapping| order.has_memory() && mapping.is_copied()) {
        let bytes = present::runs(&pagemap, mapping)?.iter().map(present::Run::len).sum::<u64>();
        *(if mapping.writable { &mut weight.writable } else { &mut weight.constant }) += bytes;
    }
    threads::is_the_one(order)?;
    Ok(weight)
}

/// Takes the core and writes it to `out`, from its beginning on. Tells each step as soon as it is done.
///
/// # Errors
/// If it could not be done: then the process runs on, too.
pub fn take(order: &Order, mut out: &File, mut tell: impl FnMut(Told)) -> Result<(), Error> {
    let weight = weigh(order)?;
    tell(Told::Weighed(weight));
    // Its pages are made now, and not one by one while the process waits. It may grow a little meanwhile.
    let mut copied = Copied::with_room((weight.writable + weight.writable / 8 + (1 << 20)).min(order.most));
    let (pagemap, memory) = (present::open(order.pid)?, Memory::of(order.pid)?);
    let about = notes::About::of(order.pid)?;
    let mut reader = sets::Reader::default();

    let began = Instant::now();
    let seized = Seized::all(order)?;
    let mappings = mapping::of(order.pid)?;
    let (mut writable, mut constant) = (Vec::new(), Vec::new());
    for mapping in mappings.iter().filter(|mapping| order.has_memory() && mapping.is_copied()) {
        let runs = present::runs(&pagemap, mapping)?;
        if mapping.writable { &mut writable } else { &mut constant }.extend(runs);
    }
    copied.take(&memory, &writable, || began.elapsed() < order.pause);
    let threads: Vec<_> = seized.threads.iter().map(|thread| reader.read(thread)).collect();
    drop(seized);
    let stopped = began.elapsed();
    tell(Told::Thawed(Thawed { stopped, threads: threads.len() as u64, copied: copied.bytes() }));

    let room = order.most.saturating_sub(copied.bytes());
    let (constant, too_much) = copy::within(constant.into_iter(), room);
    let layout = if order.has_memory() {
        let notes = notes::of(&about, &threads, mappings.iter().filter(|mapping| mapping.is_of_file()));
        elf::Layout::new(&notes, copied.runs(), &constant, &mappings)
    } else {
        // For ourselves: the kernel's own names are worth having, too.
        let notes = notes::of(&about, &threads, mappings.iter().filter(|mapping| !mapping.name.is_empty()));
        elf::Layout::without_memory(&notes, &mappings)
    };
    let written = |error: std::io::Error| Error::Writing { errno: error.raw_os_error().unwrap_or(libc::EIO) };
    out.write_all(&layout.head).map_err(written)?;
    copied.write(&mut out).map_err(written)?;
    let unreadable = copy::stream(&memory, &constant, &mut out).map_err(written)?;
    let left_out = copied.left_out + too_much;
    tell(Told::Written(Written { size: layout.size, left_out, unreadable: unreadable + copied.unreadable }));
    Ok(())
}

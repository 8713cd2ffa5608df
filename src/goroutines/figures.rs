//! What the runtime knows of itself, from the same memory: how many processors it uses, and how far its heap may grow.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::locate::{Slice, plausible, slices};
use super::memory::{Memory, Range, word};
use crate::golang::layout::Layout;
use crate::golang::moduledata::ModuleData;
use crate::shim;

/// The most processors a program can use (`runtime.allp` grows no further in practice).
const MOST_PROCESSORS: u64 = 1 << 14;
/// Deferred calls that a processor keeps room for (`runtime.p`, `deferpoolbuf`).
const DEFERS: u64 = 32;
/// The smallest heap that is collected at 100 percent, in bytes (`runtime.defaultHeapMinimum`).
const LEAST_HEAP: u64 = 4 << 20;
/// Pages of the runtime, in bytes.
const PAGE: u64 = 8192;
/// No heap has so many bytes.
const TOO_MANY: u64 = 1 << 48;

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Figures {
    /// Threads that may run Go code at once (`GOMAXPROCS`).
    pub gomaxprocs: Option<u64>,
    /// Threads there are, those in system calls included.
    pub threads: Option<u64>,
    /// Since it was started.
    #[serde(serialize_with = "seconds", rename = "uptime_seconds")]
    pub uptime: Option<Duration>,
    /// Rounds of the garbage collector that are done.
    pub gc_cycles: Option<u64>,
    /// Bytes of the heap that are in use (`MemStats.HeapInuse`).
    pub heap_in_use: Option<u64>,
    /// Bytes at which the next round begins to end, as `GOGC` has it. `None` if that is off.
    pub heap_goal: Option<u64>,
    /// The limit of memory in bytes, if there is one (`GOMEMLIMIT`).
    pub memory_limit: Option<u64>,
}

/// Where they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places {
    /// The list of processors: a slice (`runtime.allp`).
    processors: Option<u64>,
    /// The state of the garbage collector's pacer (`runtime.gcController`).
    pacer: Option<u64>,
}

impl Places {
    /// Looks for them among the variables: each has a shape that nothing else has. What is not found is not known.
    ///
    /// # Errors
    /// If whoever is asked does not answer.
    pub fn find(memory: &mut impl Memory, layout: &Layout, module: &ModuleData) -> Result<Self, shim::Error> {
        Ok(Self { processors: processors(memory, layout, module)?, pacer: pacer(memory, layout, module)? })
    }

    /// Reads them.
    ///
    /// # Errors
    /// If whoever is asked does not answer.
    pub fn read(&self, memory: &mut impl Memory, layout: &Layout) -> Result<Figures, shim::Error> {
        let mut figures = Figures::default();
        if let Some(at) = self.processors
            && let Some(slice) = memory.one(at, 16)?
        {
            let number = |at| word(&slice, at).unwrap_or_default();
            let count = number(8).min(MOST_PROCESSORS);
            figures.gomaxprocs = Some(count);
            figures.gc_cycles = cycles(memory, layout, number(0), count)?;
        }
        if let Some(at) = self.pacer
            && let Some(state) = memory.one(at, pacer_size(layout))?
            && let Some(Pacer { goal, limit, in_use }) = Pacer::parse(&state, layout)
        {
            figures.heap_in_use = Some(in_use);
            figures.heap_goal = Some(goal).filter(|&goal| goal < TOO_MANY);
            figures.memory_limit = Some(limit).filter(|&limit| limit < i64::MAX.cast_unsigned());
        }
        Ok(figures)
    }
}

/// What each processor last saw of the garbage collector: it counts by two (`mcache.flushGen`, `mheap.sweepgen`).
fn cycles(memory: &mut impl Memory, layout: &Layout, list: u64, count: u64) -> Result<Option<u64>, shim::Error> {
    let length = u32::try_from(count * 8).unwrap_or_default();
    let Some(pointers) = memory.one(list, length)? else { return Ok(None) };
    let at = |of: Option<u64>, field: usize, length| Range {
        at: of.unwrap_or_default().saturating_add(field as u64),
        length,
    };
    let pointers: Vec<_> =
        (0..pointers.len() / 8).map(|index| at(word(&pointers, index * 8), layout.p.mcache, 8)).collect();
    let caches = memory.read(&pointers)?;
    let caches = (0..pointers.len()).map(|index| caches.get(index).and_then(|bytes| word(bytes, 0)));
    let seen: Vec<_> = caches.map(|cache| at(cache, layout.p.flush_gen, 4)).collect();
    let read = memory.read(&seen)?;
    let seen = (0..seen.len()).filter_map(|index| Some(u32::from_le_bytes(read.get(index)?.try_into().ok()?)));
    Ok(seen.max().map(|seen| u64::from(seen) / 2))
}

/// Each processor has its own number, and a slice that begins as room of its own.
fn processors(memory: &mut impl Memory, layout: &Layout, module: &ModuleData) -> Result<Option<u64>, shim::Error> {
    let candidates = slices(memory, module.bss)?;
    let candidates: Vec<Slice> = candidates.into_iter().filter(|slice| slice.length <= MOST_PROCESSORS).collect();
    let last = |slice: &Slice| Range { at: slice.pointer + (slice.length - 1) * 8, length: 8 };
    let pointers = memory.read(&candidates.iter().map(last).collect::<Vec<_>>())?;
    let pointed: Vec<(Slice, u64)> = (candidates.into_iter().enumerate())
        .filter_map(|(index, slice)| Some((slice, word(pointers.get(index)?, 0)?)))
        .filter(|(_, to)| plausible(*to))
        .collect();
    let length = u32::try_from(layout.p.defers + 24).unwrap_or_default();
    let read = memory.read(&pointed.iter().map(|(_, at)| Range { at: *at, length }).collect::<Vec<_>>())?;
    let is_one = |(index, (slice, at)): &(usize, &(Slice, u64))| {
        let of = &layout.p;
        let Some(bytes) = read.get(*index) else { return false };
        let id = bytes.get(of.id..of.id + 4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
        let (room, capacity) = (word(bytes, of.defers), word(bytes, of.defers + 16));
        id.map(u64::from) == Some(slice.length - 1)
            && room == at.checked_add(of.defers_room as u64)
            && capacity == Some(DEFERS)
    };
    Ok(pointed.iter().enumerate().find(is_one).map(|(_, (slice, _))| slice.at))
}

/// What is read of the pacer.
struct Pacer {
    goal: u64,
    limit: u64,
    in_use: u64,
}

impl Pacer {
    /// The smallest heap follows from the percentage, which makes it what it is.
    fn parse(bytes: &[u8], layout: &Layout) -> Option<Self> {
        let of = &layout.gc;
        let percent = i32::from_le_bytes(bytes.get(of.percent..of.percent + 4)?.try_into().ok()?);
        let minimum = match u64::try_from(percent) {
            Ok(percent) => LEAST_HEAP * percent / 100,
            Err(_) if percent == -1 => LEAST_HEAP,
            Err(_) => return None,
        };
        let (goal, limit, in_use) = (word(bytes, of.goal)?, word(bytes, of.limit)?, word(bytes, of.in_use)?);
        let sizes = [word(bytes, of.live)?, word(bytes, of.marked)?, in_use];
        let is_one =
            word(bytes, of.minimum)? == minimum && minimum > 0 && limit > 0 && limit <= i64::MAX.cast_unsigned();
        let makes_sense = sizes.iter().all(|&size| size < TOO_MANY) && in_use > 0 && in_use.is_multiple_of(PAGE);
        (is_one && makes_sense).then_some(Self { goal, limit, in_use })
    }
}

fn pacer_size(layout: &Layout) -> u32 {
    let of = &layout.gc;
    u32::try_from(
        [of.percent, of.limit, of.minimum, of.goal, of.live, of.marked, of.in_use]
            .into_iter()
            .max()
            .unwrap_or_default()
            + 8,
    )
    .unwrap_or_default()
}

fn pacer(memory: &mut impl Memory, layout: &Layout, module: &ModuleData) -> Result<Option<u64>, shim::Error> {
    /// Bytes of variables that are read at once, and at most.
    const CHUNK: u64 = 1 << 20;
    const MOST: u64 = 64 << 20;
    let (size, (mut at, end)) = (u64::from(pacer_size(layout)), module.noptr_bss);
    let end = end.min(at.saturating_add(MOST));
    while at < end {
        let length = (end - at).min(CHUNK + size);
        if let Some(bytes) = memory.one(at, u32::try_from(length).unwrap_or_default())? {
            let found = (0..bytes.len()).step_by(8).find(|&offset| Pacer::parse(&bytes[offset..], layout).is_some());
            if let Some(offset) = found {
                return Ok(Some(at + offset as u64));
            }
        }
        at = at.saturating_add(CHUNK);
    }
    Ok(None)
}

#[allow(clippy::ref_option, reason = "serde calls it with what the field is")]
fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_f64(time.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}

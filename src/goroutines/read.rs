//! Reads all goroutines once, in lots, each in rounds until it stood still.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use super::locate::{Found, plausible};
use super::memory::{Memory, Range, Read, word};
use super::raw::Raw;
use super::unwind::{Call, Calls, End, MOST_CALLS, unwind};
use super::{Dump, Goroutine, MOST, Stack, State, labels};
use crate::shim;

/// Goroutines that are read together: the fewer, the shorter they have to stand still.
const LOT: usize = 4096;
/// How often one is read before it counts as moving.
const ROUNDS: usize = 5;
/// How often the list of all is read before it counts as gone.
const TRIES: usize = 5;
/// Begins the names of the runtime's functions.
const RUNTIME: &[u8] = b"runtime.";
/// What goroutines of the program begin with, though it is the runtime's.
const NOT_SYSTEM: [&[u8]; 2] = [b"runtime.main", b"runtime.corostart"];

/// Reads them. `now`: the runtime's clock (`runtime.nanotime`, nanoseconds), if it is known. `None` if the list is not there
/// any more: the process has ended, or runs another program.
pub fn read(found: &mut Found, memory: &mut impl Memory, now: Option<u64>) -> Result<Option<Dump>, shim::Error> {
    let start = Instant::now();
    let Some(pointers) = list(memory, found.all)? else { return Ok(None) };
    let mut reader = Reader::new(found, now);
    reader.out.tally.left_out = pointers.len().saturating_sub(MOST);
    for lot in pointers[..pointers.len().min(MOST)].chunks(LOT) {
        reader.lot(memory, lot)?;
    }
    let mut dump = reader.finish(memory)?;
    dump.figures = found.places.read(memory, found.layout)?;
    dump.took = start.elapsed();
    Ok(Some(dump))
}

/// The addresses of all goroutines there ever were. The list is moved when it grows: then it is read again.
fn list(memory: &mut impl Memory, at: u64) -> Result<Option<Vec<u64>>, shim::Error> {
    for _ in 0..TRIES {
        let Some(before) = memory.one(at, 24)? else { return Ok(None) };
        let (pointer, length) = (word(&before, 0).unwrap_or_default(), word(&before, 8).unwrap_or_default());
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(MOST + 1);
        if !plausible(pointer) || length == 0 {
            return Ok(None);
        }
        let bytes = memory.one(pointer, u32::try_from(length * 8).unwrap_or_default())?;
        let after = memory.one(at, 8)?;
        if let Some(bytes) = bytes
            && after.as_deref() == before.get(..8)
        {
            return Ok(Some(bytes.chunks_exact(8).filter_map(|bytes| word(bytes, 0)).collect()));
        }
    }
    Ok(None)
}

struct Reader<'f> {
    found: &'f mut Found,
    now: Option<u64>,
    calls: Calls,
    stacks: HashMap<Stack, u32>,
    /// Whether goroutines that begin with an instruction are the runtime's own.
    system: HashMap<u64, bool>,
    labels: HashMap<u64, u32>,
    scratch: Vec<u32>,
    out: Dump,
}

impl<'f> Reader<'f> {
    fn new(found: &'f mut Found, now: Option<u64>) -> Self {
        Self {
            found,
            now,
            calls: Calls::default(),
            stacks: HashMap::new(),
            system: HashMap::new(),
            labels: HashMap::new(),
            scratch: Vec::new(),
            out: Dump::default(),
        }
    }

    fn raws(&self, memory: &mut impl Memory, of: &[u64]) -> Result<Vec<Option<Raw>>, shim::Error> {
        let layout = self.found.layout;
        let length = u32::try_from(layout.g.size).unwrap_or_default();
        let read = memory.read(&of.iter().map(|&at| Range { at, length }).collect::<Vec<_>>())?;
        Ok((0..of.len()).map(|index| read.get(index).and_then(|bytes| Raw::parse(bytes, layout))).collect())
    }

    fn lot(&mut self, memory: &mut impl Memory, pointers: &[u64]) -> Result<(), shim::Error> {
        let first = self.raws(memory, pointers)?;
        self.out.tally.unreadable += first.iter().filter(|raw| raw.is_none()).count();
        let known = pointers.iter().zip(first).filter_map(|(&at, raw)| Some((at, raw?)));
        let mut pending: Vec<(u64, Raw)> = known.filter(|(_, raw)| raw.state().is_some()).collect();
        self.out.tally.alive += pending.len();
        for round in 1..=ROUNDS {
            let stacks = memory.read(&pending.iter().map(|(_, raw)| stack_of(raw)).collect::<Vec<_>>())?;
            let again = self.raws(memory, &pending.iter().map(|(at, _)| *at).collect::<Vec<_>>())?;
            let mut moved = Vec::new();
            for (index, ((at, raw), after)) in pending.into_iter().zip(again).enumerate() {
                let stood = after == Some(raw) && self.take(&raw, &stacks, index, round == ROUNDS);
                match after {
                    _ if stood => {}
                    None => {
                        self.out.tally.alive -= 1;
                        self.out.tally.unreadable += 1;
                    }
                    // What ends while it is read was not there.
                    Some(after) if after.state().is_none() => self.out.tally.alive -= 1,
                    Some(after) => moved.push((at, after)),
                }
            }
            if moved.is_empty() {
                return Ok(());
            }
            if round == 1 {
                self.out.tally.retried += moved.len();
            }
            pending = moved;
        }
        self.out.tally.moving += pending.len();
        for (_, raw) in pending {
            self.push(&raw, None);
        }
        Ok(())
    }

    /// Takes one that stood still. Says whether its stack made sense; `last`: it is taken even if it did not.
    fn take(&mut self, raw: &Raw, stacks: &Read, index: usize, last: bool) -> bool {
        let (Some(registers), Some((_, whole))) = (raw.registers(), raw.stack()) else {
            self.push(raw, None);
            return true;
        };
        let Some(bytes) = stacks.get(index) else { return false };
        let mut scratch = std::mem::take(&mut self.scratch);
        let end = unwind(&mut self.found.symbols, &mut self.calls, bytes, registers, &mut scratch);
        let cut = end == End::Cut && (!whole || scratch.len() >= MOST_CALLS);
        let sense = end == End::Whole || cut;
        // What was followed until it made no sense is not shown: it may be anybody's.
        if sense {
            let next = u32::try_from(self.out.stacks.len()).unwrap_or(u32::MAX);
            let stack = Stack { calls: scratch.clone(), cut };
            let number = match self.stacks.entry(stack) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    self.out.stacks.push(new.key().clone());
                    *new.insert(next)
                }
            };
            self.push(raw, Some(number));
        }
        self.scratch = scratch;
        if last && !sense {
            self.push(raw, None);
            self.out.tally.moving += 1;
        }
        sense || last
    }

    fn push(&mut self, raw: &Raw, stack: Option<u32>) {
        let Some(state) = raw.state() else { return };
        let layout = self.found.layout;
        let waits = matches!(state, State::Waiting | State::Leaked);
        let waited = |now: u64| Duration::from_nanos(now.saturating_sub(raw.wait_since));
        let symbols = &mut self.found.symbols;
        let system = *self.system.entry(raw.start).or_insert_with(|| {
            let name = symbols.name(raw.start).unwrap_or_default();
            name.starts_with(RUNTIME) && !NOT_SYSTEM.contains(&name.as_slice())
        });
        // The first one was started by what starts the program.
        let created_by = (raw.id != 1 && raw.created_at != 0 && symbols.is_code(raw.created_at))
            .then(|| self.calls.number(symbols, Call { pc: raw.created_at, exact: false }));
        let next = u32::try_from(self.labels.len()).unwrap_or(u32::MAX);
        let labels = (plausible(raw.labels)
            && (self.labels.len() < labels::MOST_SETS || self.labels.contains_key(&raw.labels)))
        .then(|| *self.labels.entry(raw.labels).or_insert(next));
        self.out.goroutines.push(Goroutine {
            id: raw.id,
            state,
            reason: if waits { layout.wait_reason(raw.reason) } else { None },
            waited: self.now.filter(|_| (waits || state == State::Syscall) && raw.wait_since != 0).map(waited),
            parent: raw.parent,
            created_by,
            // The address of its thread, until the threads are read.
            thread: (raw.m != 0).then_some(raw.m),
            locked: raw.locked != 0,
            labels,
            stack,
            system,
        });
    }

    fn finish(mut self, memory: &mut impl Memory) -> Result<Dump, shim::Error> {
        self.threads(memory)?;
        let mut sets = vec![0; self.labels.len()];
        for (at, number) in &self.labels {
            sets[*number as usize] = *at;
        }
        let mut out = self.out;
        out.labels = labels::read(memory, self.found.layout.minor, &sets)?;
        let symbols = &mut self.found.symbols;
        out.calls = self.calls.iter().map(|call| symbols.frames(call.pc, call.exact)).collect();
        out.addresses = self.calls.iter().map(|call| call.pc).collect();
        let runs_the_program: Vec<bool> = out
            .stacks
            .iter()
            .map(|stack| {
                let mut frames = stack.calls.iter().flat_map(|&call| out.call(call));
                frames
                    .any(|frame| frame.function.bytes().contains(&b'.') && !frame.function.bytes().starts_with(RUNTIME))
            })
            .collect();
        for goroutine in &mut out.goroutines {
            // A finalizer, say: the runtime's own goroutine that runs what the program left to it.
            goroutine.system &= !goroutine.stack.is_some_and(|stack| runs_the_program[stack as usize]);
        }
        out.goroutines.sort_by_key(|goroutine| goroutine.id);
        Ok(out)
    }

    fn threads(&mut self, memory: &mut impl Memory) -> Result<(), shim::Error> {
        let at = self.found.layout.m.thread as u64;
        let with = self.out.goroutines.iter_mut().filter(|goroutine| goroutine.thread.is_some()).collect::<Vec<_>>();
        let ranges: Vec<_> =
            with.iter().map(|of| Range { at: of.thread.unwrap_or_default().saturating_add(at), length: 8 }).collect();
        let read = memory.read(&ranges)?;
        for (index, goroutine) in with.into_iter().enumerate() {
            goroutine.thread = read.get(index).and_then(|bytes| word(bytes, 0)).filter(|&id| id != 0 && id < 1 << 32);
        }
        Ok(())
    }
}

/// What is to be read of its stack; nothing of one that has none.
fn stack_of(raw: &Raw) -> Range {
    raw.stack().map(|(range, _)| range).unwrap_or_default()
}

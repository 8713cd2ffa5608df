//! A program that never was, in a memory that does what it is told to between two looks.

use std::collections::BTreeMap;

use super::figures::Places;
use super::locate::Found;
use super::memory::{Memory, Range, Read};
use super::*;
use crate::golang::pclntab::fake::{Fake, layout, pc, program};
use crate::shim;

/// Where the list of all goroutines is, and what it leads to.
const ALL: u64 = 0x60_0000;
const LIST: u64 = 0x61_0000;

/// What is where.
type Bytes = BTreeMap<u64, Vec<u8>>;

/// What happens at a look, by its number.
type Happens = Box<dyn FnMut(usize, &mut Bytes)>;

/// Memory, and what happens to it at each look.
struct Staged {
    bytes: Bytes,
    looks: usize,
    happens: Happens,
}

impl Memory for Staged {
    fn read(&mut self, ranges: &[Range]) -> Result<Read, shim::Error> {
        self.looks += 1;
        (self.happens)(self.looks, &mut self.bytes);
        Ok(Read::of(ranges.iter().map(|range| {
            let (start, bytes) = self.bytes.range(..=range.at).next_back()?;
            let from = usize::try_from(range.at - start).ok()?;
            bytes.get(from..from + range.length as usize).map(<[u8]>::to_vec)
        })))
    }
}

fn put(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

/// Where a goroutine is, and its stack.
fn place(id: u64) -> (u64, u64) {
    (0x70_0000 + id * 0x1000, 0x80_0000 + id * 0x1000)
}

/// A goroutine that waits to receive: in `main.inner`, called by `main.outer`.
fn waiting(id: u64) -> Vec<u8> {
    let (of, (_, stack)) = (&layout().g, place(id));
    let mut bytes = vec![0; of.size];
    for (at, number) in [
        (of.lo, stack),
        (of.hi, stack + 0x100),
        (of.sp, stack + 0x40),
        (of.pc, pc(1, 0x20)),
        (of.id, id),
        (of.created_at, pc(0, 0x50)),
        (of.start, pc(2, 0)),
        (of.parent, 1),
    ] {
        put(&mut bytes, at, number);
    }
    bytes[of.status] = 4;
    bytes[of.wait_reason] =
        u8::try_from(layout().wait_reasons.iter().position(|words| *words == "chan receive").unwrap()).unwrap();
    bytes
}

fn stack() -> Vec<u8> {
    let mut bytes = vec![0; 0x100];
    put(&mut bytes, 0x40 + 0x18, pc(2, 0x33));
    put(&mut bytes, 0x40 + 0x20 + 0x28, pc(3, 1));
    bytes
}

fn functions() -> [Fake; 5] {
    let of = |name, depth| Fake { name, depth, ..Fake::default() };
    let end = Fake { flags: 1, ..of("runtime.goexit", 0) };
    [of("main.main", 0x10), of("main.inner", 0x18), of("main.outer", 0x28), end, of("runtime.asyncPreempt", 0x10)]
}

fn staged(ids: &[u64], happens: impl FnMut(usize, &mut Bytes) + 'static) -> (Found, Staged) {
    let mut bytes = BTreeMap::new();
    let mut list = Vec::new();
    for &id in ids {
        bytes.insert(place(id).0, waiting(id));
        bytes.insert(place(id).1, stack());
        list.extend(place(id).0.to_le_bytes());
    }
    let mut header = vec![0; 24];
    put(&mut header, 0, LIST);
    put(&mut header, 8, ids.len() as u64);
    put(&mut header, 16, ids.len() as u64);
    bytes.insert(ALL, header);
    bytes.insert(LIST, list);
    let found = Found { layout: layout(), symbols: program(&functions()), all: ALL, places: Places::default() };
    (found, Staged { bytes, looks: 0, happens: Box::new(happens) })
}

fn functions_of(dump: &Dump, index: usize) -> Vec<String> {
    dump.frames(dump.goroutines[index].stack).map(|frame| frame.function.lossy().into_owned()).collect()
}

#[test]
fn those_that_stand_still_are_read_once() {
    let (mut found, mut memory) = staged(&[3, 2], |_, _| {});
    let dump = read::read(&mut found, &mut memory, Some(90)).unwrap().unwrap();
    let ids: Vec<_> = dump.goroutines.iter().map(|one| (one.id, one.words(), one.parent)).collect();
    assert_eq!(ids, [(2, "chan receive", 1), (3, "chan receive", 1)]);
    assert_eq!(functions_of(&dump, 0), ["main.inner", "main.outer"]);
    assert_eq!((dump.stacks.len(), dump.tally), (1, Tally { alive: 2, ..Tally::default() }));
    assert_eq!(dump.creator(dump.goroutines[0].created_by).unwrap().function.bytes(), b"main.main");
    assert!(!dump.goroutines[0].system && !dump.stacks[0].cut);
}

#[test]
fn one_that_moves_is_read_again() {
    // Between the look at its stack and the second one at itself, it goes somewhere else: its stack is not believed.
    let (mut found, mut memory) = staged(&[2], |look, bytes| {
        if look == 6 {
            let one = bytes.get_mut(&place(2).0).unwrap();
            put(one, layout().g.sp, place(2).1 + 0x60);
            put(one, layout().g.pc, pc(2, 0x33));
        }
    });
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    assert_eq!(functions_of(&dump, 0), ["main.outer"]);
    assert_eq!(dump.tally, Tally { alive: 1, retried: 1, ..Tally::default() });
}

#[test]
fn one_that_never_stands_still_is_listed_without_a_stack() {
    let (mut found, mut memory) = staged(&[2], |look, bytes| {
        put(bytes.get_mut(&place(2).0).unwrap(), layout().g.wait_since, look as u64);
    });
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    assert_eq!((dump.goroutines.len(), dump.goroutines[0].stack), (1, None));
    assert_eq!(dump.tally, Tally { alive: 1, retried: 1, moving: 1, ..Tally::default() });
}

#[test]
fn a_stack_that_makes_no_sense_is_not_shown() {
    let (mut found, mut memory) = staged(&[2], |_, bytes| put(bytes.get_mut(&place(2).1).unwrap(), 0x58, 7));
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    assert_eq!((dump.goroutines[0].stack, dump.tally.moving), (None, 1));
}

#[test]
fn one_that_ends_or_cannot_be_read_is_no_error() {
    let (mut found, mut memory) = staged(&[2, 3, 4], |look, bytes| {
        if look == 6 {
            bytes.get_mut(&place(2).0).unwrap()[layout().g.status] = 6;
            bytes.remove(&place(3).0);
        }
    });
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    assert_eq!(dump.goroutines.iter().map(|one| one.id).collect::<Vec<_>>(), [4]);
    assert_eq!(dump.tally, Tally { alive: 1, unreadable: 1, ..Tally::default() });
}

#[test]
fn a_list_that_is_gone_is_an_end() {
    let (mut found, mut memory) = staged(&[2], |_, bytes| drop(bytes.remove(&ALL)));
    assert!(read::read(&mut found, &mut memory, None).unwrap().is_none());
    let (mut found, mut memory) = staged(&[2], |_, bytes| put(bytes.get_mut(&ALL).unwrap(), 8, u64::MAX));
    assert!(read::read(&mut found, &mut memory, None).unwrap().is_none());
}

#[test]
fn one_that_runs_has_no_stack_and_one_in_a_call_has_what_it_saved() {
    let (mut found, mut memory) = staged(&[2, 3], |_, bytes| {
        bytes.get_mut(&place(2).0).unwrap()[layout().g.status] = 2;
        let of = &layout().g;
        let call = bytes.get_mut(&place(3).0).unwrap();
        call[of.status] = 3;
        put(call, of.sp, 0);
        put(call, of.syscall_sp, place(3).1 + 0x40);
        put(call, of.syscall_pc, pc(1, 0x20));
    });
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    assert_eq!((dump.goroutines[0].words(), dump.goroutines[0].stack), ("running", None));
    assert_eq!((dump.goroutines[1].words(), functions_of(&dump, 1).len()), ("syscall", 2));
}

#[test]
fn what_was_interrupted_is_at_that_very_instruction() {
    // At the first instruction of its second half, which is at another line than what is before it.
    let (mut found, mut memory) = staged(&[2], |_, bytes| {
        put(bytes.get_mut(&place(2).0).unwrap(), layout().g.pc, pc(4, 8));
        put(bytes.get_mut(&place(2).1).unwrap(), 0x40 + 0x10, pc(1, 0x80));
        put(bytes.get_mut(&place(2).1).unwrap(), 0x40 + 0x18 + 0x18, pc(3, 1));
    });
    let dump = read::read(&mut found, &mut memory, None).unwrap().unwrap();
    let frames: Vec<_> = dump.frames(dump.goroutines[0].stack).map(|frame| frame.line).collect();
    assert_eq!(
        (functions_of(&dump, 0), frames),
        (vec!["runtime.asyncPreempt".to_owned(), "main.inner".to_owned()], vec![40, 15])
    );
}

#[test]
fn neighbours_are_read_as_one_and_what_lies_behind_a_hole_alone() {
    let range = |at, length| Range { at, length };
    let (parts, of) = memory::merged(&[range(0x5000, 8), range(0x1000, 16), range(0x1010, 16), range(0x1008, 4)]);
    assert_eq!(parts.iter().map(|part| (part.offset, part.len)).collect::<Vec<_>>(), [(0x1000, 32), (0x5000, 8)]);
    assert_eq!(of, [1, 0, 0, 0]);
}

#[test]
fn a_group_that_grows_is_told_of() {
    let reading = |ids: &[u64]| {
        let (mut found, mut memory) = staged(ids, |_, _| {});
        read::read(&mut found, &mut memory, None).unwrap().unwrap()
    };
    let (mut watch, filter) = (watch::Watch::default(), filter::Filter::default());
    assert_eq!(watch.next(&reading(&[2, 3]), &filter), []);
    assert_eq!(watch.next(&reading(&[2, 3]), &filter), []);
    for (grew, ids) in [(1, &[2, 3, 4][..]), (2, &[2, 3, 4, 5])] {
        let changes = watch.next(&reading(ids), &filter);
        let title = "chan receive  main.inner  created by main.main".to_owned();
        assert_eq!(changes, [watch::Change { before: ids.len() - 1, now: ids.len(), first: 2, grew, title }]);
    }
    let change = watch.next(&reading(&[9]), &filter).remove(0);
    assert_eq!((change.by().as_str(), change.grew), ("-3", 0));
}

#[test]
fn a_panic_is_written_as_go_writes_it() {
    let (mut found, mut memory) = staged(&[2], |_, bytes| {
        put(bytes.get_mut(&place(2).0).unwrap(), layout().g.wait_since, 1);
    });
    let dump = read::read(&mut found, &mut memory, Some(181_000_000_000)).unwrap().unwrap();
    let mut out = Vec::new();
    panic::write(&mut out, &dump, &filter::Filter::default(), false, 9).unwrap();
    let text = "goroutine 2 [chan receive, 3 minutes]:\n\
        main.inner(...)\n\t/src/1.go:10 +0x20\nmain.outer(...)\n\t/src/2.go:20 +0x33\n\
        created by main.main in goroutine 1\n\t/src/0.go:0 +0x50\n\n";
    assert_eq!(String::from_utf8(out).unwrap(), text);
    let mut out = Vec::new();
    folded::write(&mut out, &dump, &filter::Filter::default(), false).unwrap();
    assert_eq!(out, b"main.outer;main.inner 1\n");
}

proptest::proptest! {
    #[test]
    fn whatever_memory_holds_it_ends(bytes: Vec<u8>) {
        fuzz(&bytes);
    }
}

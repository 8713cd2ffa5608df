use super::*;
use crate::corefile::elf::Layout;
use crate::corefile::present::Run;

/// Bytes of a note, as the kernel writes them.
fn note(owner: &str, kind: u32, body: &[u8]) -> Vec<u8> {
    let owner = format!("{owner}\0");
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    let head = [length(owner.as_bytes()), length(body), kind];
    let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    for part in [owner.as_bytes(), body] {
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn status(id: i32, first: u64) -> Vec<u8> {
    let mut bytes = vec![0; 336];
    bytes[32..36].copy_from_slice(&id.to_le_bytes());
    for (at, word) in bytes[112..].chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(first + at as u64).to_le_bytes());
    }
    bytes
}

fn mapping(start: u64, end: u64, writable: bool, name: &str) -> Mapping {
    let name = name.as_bytes().to_vec();
    Mapping { start, end, readable: true, writable, executable: !writable, offset: 0x2000, name }
}

fn file_note(mappings: &[Mapping]) -> Vec<u8> {
    let words = mappings.iter().flat_map(|one| [one.start, one.end, one.offset / 4096]);
    let words = [mappings.len() as u64, 4096].into_iter().chain(words);
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    for one in mappings {
        bytes.extend(&one.name);
        bytes.push(0);
    }
    bytes
}

/// An XSAVE area in which the vector of each number has that in every byte, and 100 more in its upper half.
fn area(features: u64, present: u64) -> Vec<u8> {
    let mut bytes = vec![0; 832];
    bytes[464..472].copy_from_slice(&features.to_le_bytes());
    bytes[512..520].copy_from_slice(&present.to_le_bytes());
    for number in 0..16_u8 {
        bytes[160 + usize::from(number) * 16..][..16].fill(number);
        bytes[576 + usize::from(number) * 16..][..16].fill(number + 100);
    }
    bytes
}

fn core(notes: &[u8], runs: &[Run], mappings: &[Mapping]) -> Result<Core, Error> {
    Core::parse(&Layout::new(notes, runs, &[], mappings).head)
}

fn at_of(core: &Core, address: u64) -> Option<&Mapping> {
    super::mapping::at(&core.mappings, address)
}

fn value<'c>(thread: &'c Thread, name: &str) -> Option<&'c [u8]> {
    thread.registers.iter().find(|one| one.name == name).map(|one| one.bytes.as_slice())
}

#[cfg(target_arch = "x86_64")]
#[test]
fn threads_with_their_registers() {
    let auxiliary: Vec<u8> = [6, 4096, VDSO, 0x9000, 0, 0].iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    let places = [mapping(0x1000, 0x3000, false, "/app"), mapping(0x8000, 0x9000, true, "")];
    let notes = [
        note("CORE", NT_PRSTATUS, &status(7, 0x100)),
        note("CORE", NT_AUXV, &auxiliary),
        note("CORE", NT_FILE, &file_note(&places[..1])),
        note("CORE", object::elf::NT_PRFPREG, &area(0, 0)[..512]),
        note("LINUX", object::elf::NT_X86_XSTATE, &area(7, 7)),
        note("CORE", NT_PRSTATUS, &status(9, 0x200)),
        note("LINUX", object::elf::NT_X86_XSTATE, &area(7, 3)),
        note("CORE", NT_PRSTATUS, &status(11, 0x300)),
        note("CORE", object::elf::NT_PRFPREG, &area(0, 0)[..512]),
    ];
    let runs = [Run::new(0x1000, 0x2000), Run::new(0x8000, 0x9000), Run::new(0x9000, 0xa000)];
    let core = core(&notes.concat(), &runs, &places).unwrap();
    let ids: Vec<_> = core.threads.iter().map(|one| (one.id, one.pc, one.sp)).collect();
    assert_eq!(ids, [(7, 0x110, 0x113), (9, 0x210, 0x213), (11, 0x310, 0x313)]);
    assert_eq!(value(&core.threads[0], "r15"), Some(&0x100_u64.to_le_bytes()[..]));
    assert_eq!(core.threads[0].registers[0].hex(), "0x0000000000000110");
    // With their upper halves, with upper halves that have never been used, and on a processor that has none.
    assert_eq!(value(&core.threads[0], "ymm3"), Some(&[[3; 16], [103; 16]].concat()[..]));
    assert_eq!(value(&core.threads[1], "ymm3"), Some(&[[3; 16], [0; 16]].concat()[..]));
    assert_eq!(value(&core.threads[2], "xmm3"), Some(&[3; 16][..]));
    assert_eq!(value(&core.threads[0], "xmm3"), None);
    let shown: Vec<_> = core.mappings.iter().map(|one| (one.start, one.end, one.writable, &one.name[..])).collect();
    assert_eq!(
        shown,
        [(0x1000, 0x3000, false, &b"/app"[..]), (0x8000, 0x9000, true, b""), (0x9000, 0xa000, false, b"[vdso]")]
    );
    assert_eq!(at_of(&core, 0x2fff).map(|one| (one.offset, one.executable)), Some((0x2000, true)));
    assert!([0x3000, 0xfff, u64::MAX].iter().all(|&address| at_of(&core, address).is_none()));
}

#[test]
fn another_machine_is_read_here_too() {
    let mut head = Layout::new(&note("CORE", NT_PRSTATUS, &status(7, 0x100)), &[], &[], &[]).head;
    head[18..20].copy_from_slice(&EM_AARCH64.to_le_bytes());
    let core = Core::parse(&head).map(|core| core.threads).unwrap_or_default();
    // Registers are too few for a status of x86: 28 words, where it takes 34.
    assert!(core.is_empty());
    let mut long = status(7, 0x100);
    long.resize(112 + 35 * 8, 0);
    let first = 0x100_u64;
    for (at, word) in long[112..].chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(first + at as u64).to_le_bytes());
    }
    let vectors: Vec<u8> = (0..33).flat_map(|number| [number; 16]).collect();
    let notes = [note("CORE", NT_PRSTATUS, &long), note("CORE", object::elf::NT_PRFPREG, &vectors)].concat();
    let mut head = Layout::new(&notes, &[], &[], &[]).head;
    head[18..20].copy_from_slice(&EM_AARCH64.to_le_bytes());
    let core = Core::parse(&head).unwrap();
    let thread = &core.threads[0];
    assert_eq!((thread.pc, thread.sp), (0x120, 0x11f));
    assert_eq!(value(thread, "x30"), Some(&0x11e_u64.to_le_bytes()[..]));
    assert_eq!((value(thread, "v31"), value(thread, "fpcr")), (Some(&[31; 16][..]), Some(&[32; 4][..])));
}

#[test]
fn what_is_no_core_is_not_read() {
    let whole = Layout::new(&note("CORE", NT_PRSTATUS, &status(7, 0)), &[], &[], &[]).head;
    assert_eq!(Core::parse(b"no"), Err(Error::NotCore));
    let mut program = whole.clone();
    program[16] = 2;
    assert_eq!(Core::parse(&program), Err(Error::NotCore));
    let mut other = whole.clone();
    other[18] = 3;
    assert_eq!(Core::parse(&other), Err(Error::Machine));
    assert_eq!(Core::parse(&whole[..100]), Err(Error::Malformed("table")));
    assert_eq!(Core::parse(&whole[..150]), Err(Error::Malformed("notes")));
    let of = |notes: &[u8]| core(notes, &[], &[]).map(|core| core.threads.len());
    assert_eq!(of(&note("CORE", NT_PRSTATUS, &[0; 100])), Err(Error::Malformed("thread")));
    for bad in [&[0xff; 24][..], &[1, 0, 0, 0, 0, 0, 0, 0], &file_note(&[mapping(9, 9, true, "/app")])] {
        assert_eq!(of(&note("CORE", NT_FILE, bad)), Err(Error::Malformed("list of files")));
    }
}

#[test]
fn parts_that_are_at_one_place_are_one() {
    let places = [mapping(0x1000, 0x3000, false, "/app"), mapping(0x2000, 0x4000, true, "/lie")];
    let notes = note("CORE", NT_FILE, &file_note(&places));
    let runs = [Run::new(0x5000, 0x7000), Run::new(0x6000, 0x8000), Run::new(0x2000, 0x6000)];
    let core = core(&notes, &runs, &places).unwrap();
    fuzz(&Layout::new(&notes, &runs, &[], &places).head);
    let shown: Vec<_> = core.mappings.iter().map(|one| (one.start, one.end, &one.name[..])).collect();
    assert_eq!(shown, [(0x1000, 0x3000, &b"/app"[..]), (0x6000, 0x8000, b"")]);
}

#[test]
fn without_memory_it_says_where_everything_was() {
    let places = [
        mapping(0x1000, 0x3000, false, "/app"),
        mapping(0x4000, 0x5000, true, "[heap]"),
        mapping(0x8000, 0x9000, true, ""),
    ];
    let layout = Layout::without_memory(&note("CORE", NT_FILE, &file_note(&places[..2])), &places);
    assert_eq!(layout.size, layout.head.len() as u64);
    let mut core = Core::parse(&layout.head).unwrap();
    core.mappings[2].offset = places[2].offset;
    assert_eq!(core.mappings, places);
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>, at in 0_usize..1200, byte: u8, cut in 0_usize..1200) {
        fuzz(&bytes);
        let places = [mapping(0x1000, 0x3000, false, "/app"), mapping(0x8000, 0x9000, true, "/lib")];
        let notes = [
            note("CORE", NT_PRSTATUS, &status(7, 0x100)),
            note("CORE", NT_FILE, &file_note(&places)),
            note("LINUX", object::elf::NT_X86_XSTATE, &area(7, 7)),
        ];
        let mut head = Layout::new(&notes.concat(), &[Run::new(0x1000, 0x2000)], &[], &places).head;
        if let Some(there) = head.get_mut(at) {
            *there = byte;
        }
        fuzz(&head);
        fuzz(&head[..cut.min(head.len())]);
    }
}

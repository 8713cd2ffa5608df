//! The frame of a core file: header, table of its parts, notes (elf(5)).

use object::elf::{ET_CORE, PN_XNUM, PT_LOAD, PT_NOTE};

use super::mapping::Mapping;
use super::present::Run;

/// Every part of memory begins at a multiple of this.
const ALIGNMENT: u64 = 4096;
const HEADER: u64 = 64;
const PART: u64 = 56;
const SECTION: u64 = 64;
/// There are more parts than the header's field can say: the first section says how many.
const MANY: u16 = PN_XNUM;
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = object::elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = object::elf::EM_AARCH64;

/// Where everything is.
pub struct Layout {
    /// All that comes before the memory.
    pub head: Vec<u8>,
    /// Bytes of the whole file.
    pub size: u64,
}

/// A part of memory.
struct Part {
    run: Run,
    rights: u32,
    /// So many bytes of it are in the file.
    in_file: u64,
}

impl Layout {
    /// Of a file in which these runs follow each other.
    pub fn new(notes: &[u8], copied: &[Run], constant: &[Run], mappings: &[Mapping]) -> Self {
        let part = |run: &Run| Part { run: run.clone(), rights: rights(mappings, run), in_file: run.len() };
        Self::of(notes, &copied.iter().chain(constant).map(part).collect::<Vec<_>>())
    }

    /// Of a file that says where memory is, and has none of it.
    pub fn without_memory(notes: &[u8], mappings: &[Mapping]) -> Self {
        let run = |mapping: &Mapping| Run::new(mapping.start, mapping.end);
        let part = |mapping: &Mapping| Part { run: run(mapping), rights: rights_of(mapping), in_file: 0 };
        Self::of(notes, &mappings.iter().map(part).collect::<Vec<_>>())
    }

    fn of(notes: &[u8], memory: &[Part]) -> Self {
        let parts = memory.len() as u64 + 1;
        let (count, sections) = match u16::try_from(parts) {
            Ok(count) if count < MANY => (count, 0),
            _ => (MANY, 1),
        };
        let parts_end = HEADER + parts * PART;
        let notes_at = parts_end + sections * SECTION;
        let mut at = (notes_at + notes.len() as u64).next_multiple_of(ALIGNMENT);
        let mut head = Vec::with_capacity(usize::try_from(at).unwrap_or(0));
        let sections_at = if sections == 0 { 0 } else { parts_end };
        header(&mut head, count, sections_at, sections);
        let length = notes.len() as u64;
        line(&mut head, [PT_NOTE, 0], [notes_at, 0, 0, length, length, 4]);
        for Part { run, rights, in_file } in memory {
            line(&mut head, [PT_LOAD, *rights], [at, run.start(), 0, *in_file, run.len(), ALIGNMENT]);
            at += in_file;
        }
        if sections != 0 {
            // A section of no kind, whose `sh_info` is the number of parts.
            let mut section = vec![0; 44];
            section.extend(u32::try_from(parts).unwrap_or(u32::MAX).to_ne_bytes());
            section.resize(64, 0);
            head.extend(section);
        }
        head.extend(notes);
        head.resize(head.len().next_multiple_of(usize::try_from(ALIGNMENT).unwrap_or(1)), 0);
        Self { head, size: at }
    }
}

fn header(head: &mut Vec<u8>, parts: u16, sections_at: u64, sections: u64) {
    // 64 bits, this machine's order of bytes, version 1, System V.
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    head.extend([0x7f, b'E', b'L', b'F', 2, order, 1, 0]);
    head.resize(16, 0);
    let halves = |head: &mut Vec<u8>, halves: &[u16]| head.extend(halves.iter().flat_map(|half| half.to_ne_bytes()));
    halves(head, &[ET_CORE, MACHINE]);
    head.extend(1_u32.to_ne_bytes());
    head.extend([0, HEADER, sections_at].iter().flat_map(|word: &u64| word.to_ne_bytes()));
    head.extend(0_u32.to_ne_bytes());
    let section_size = if sections == 0 { 0 } else { 64 };
    halves(head, &[64, 56, parts, section_size, u16::from(sections != 0), 0]);
}

/// A line of the table: its kind and rights; then where it is in the file, its address, its physical one, its bytes in the file
/// and in memory, and what it is a multiple of.
fn line(head: &mut Vec<u8>, kind_and_rights: [u32; 2], words: [u64; 6]) {
    head.extend(kind_and_rights.iter().flat_map(|word| word.to_ne_bytes()));
    head.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
}

/// What the process may do there: execute 1, write 2, read 4.
fn rights(mappings: &[Mapping], run: &Run) -> u32 {
    let mapping = mappings.iter().find(|mapping| mapping.start <= run.start() && run.end() <= mapping.end);
    mapping.map_or(0, rights_of)
}

fn rights_of(mapping: &Mapping) -> u32 {
    u32::from(mapping.executable) | u32::from(mapping.writable) << 1 | u32::from(mapping.readable) << 2
}

#[cfg(test)]
mod tests {
    use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};

    use super::*;

    fn mapping(start: u64, end: u64) -> Mapping {
        let (readable, writable, executable) = (true, true, false);
        Mapping { start, end, readable, writable, executable, offset: 0, name: Vec::new() }
    }

    #[test]
    fn another_reader_finds_every_part() {
        let runs = [Run::new(0x1000, 0x3000), Run::new(0x8000, 0x9000)];
        let layout = Layout::new(b"notes", &runs[..1], &runs[1..], &[mapping(0x1000, 0x4000)]);
        let mut file = layout.head.clone();
        assert_eq!(file.len() % 4096, 0);
        file.extend(vec![1; 0x2000]);
        file.extend(vec![2; 0x1000]);
        assert_eq!(file.len() as u64, layout.size);
        let elf = ElfFile64::<object::Endianness>::parse(&*file).unwrap();
        let order = elf.endian();
        assert_eq!(elf.elf_header().e_type.get(order), ET_CORE);
        let parts = elf.elf_program_headers();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0].data(order, &*file).unwrap(), b"notes");
        assert_eq!((parts[1].p_vaddr(order), parts[1].p_flags(order)), (0x1000, 6));
        assert!(parts[1].data(order, &*file).unwrap().iter().all(|&byte| byte == 1));
        assert!(parts[2].data(order, &*file).unwrap().iter().all(|&byte| byte == 2));
        assert_eq!((parts[2].p_filesz(order), parts[2].p_flags(order)), (0x1000, 0));
    }

    #[test]
    fn more_parts_than_the_header_can_say() {
        let runs: Vec<_> = (0..70_000).map(|number| Run::new(number * 0x2000, number * 0x2000 + 0x1000)).collect();
        let layout = Layout::new(b"", &runs, &[], &[]);
        let header = object::elf::FileHeader64::<object::Endianness>::parse(&*layout.head).unwrap();
        let order = header.endian().unwrap();
        assert_eq!(header.e_phnum.get(order), MANY);
        assert_eq!(header.program_headers(order, &*layout.head).unwrap().len(), 70_001);
    }
}

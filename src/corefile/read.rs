//! What a core file says of threads and of where memory is. Of the memory itself nothing is read: the front of a file is
//! enough, up to the end of its notes.
//!
//! It is for our own cores, but believes none: any bytes give a core or an error.

pub mod registers;

use object::elf::{
    EM_AARCH64, EM_X86_64, ET_CORE, FileHeader64, NT_AUXV, NT_FILE, NT_PRSTATUS, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE,
    ProgramHeader64,
};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, U64Bytes, pod::slice_from_all_bytes};

use self::registers::{Machine, Register};
use super::mapping::{self, Mapping};

/// `AT_SYSINFO_EHDR` of getauxval(3): where the kernel's own library is.
const VDSO: u64 = 33;

/// A core, without its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// Its threads, the first one that of the process.
    pub threads: Vec<Thread>,
    /// What was where in its memory, by address. What has no name is of no file.
    pub mappings: Vec<Mapping>,
}

/// A thread of a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Its number in its own, innermost pid namespace.
    pub id: i32,
    /// Where it was: the address of the instruction that comes next.
    pub pc: u64,
    /// Where its stack was.
    pub sp: u64,
    /// All of its registers that are known, the general ones first.
    pub registers: Vec<Register>,
}

/// Why these bytes are no core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// They are something else.
    #[error("it is no core file")]
    NotCore,
    /// Of a machine that is not known here.
    #[error("it is a core file of another kind of machine")]
    Machine,
    /// A part of it contradicts itself.
    #[error("the {0} of the core file makes no sense")]
    Malformed(&'static str),
}

impl Core {
    /// Reads one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let header = FileHeader64::<Endianness>::parse(bytes).map_err(|_| Error::NotCore)?;
        let endian = header.endian().map_err(|_| Error::NotCore)?;
        if header.e_type(endian) != ET_CORE {
            return Err(Error::NotCore);
        }
        let machine = match (endian, header.e_machine(endian)) {
            (Endianness::Little, EM_X86_64) => Machine::X86_64,
            (Endianness::Little, EM_AARCH64) => Machine::Aarch64,
            _ => return Err(Error::Machine),
        };
        let parts = header.program_headers(endian, bytes).map_err(|_| Error::Malformed("table"))?;
        let (mut threads, mut files, mut vdso) = (Vec::<Thread>::new(), Vec::new(), None);
        for part in parts.iter().filter(|part| part.p_type(endian) == PT_NOTE) {
            let notes = part.notes(endian, bytes).map_err(|_| Error::Malformed("notes"))?;
            let mut notes = notes.ok_or(Error::Malformed("notes"))?;
            while let Some(note) = notes.next().map_err(|_| Error::Malformed("notes"))? {
                match (note.n_type(endian), note.desc()) {
                    (NT_PRSTATUS, body) => threads.push(machine.thread(body).ok_or(Error::Malformed("thread"))?),
                    (NT_FILE, body) => files = self::files(body).ok_or(Error::Malformed("list of files"))?,
                    (NT_AUXV, body) => vdso = auxiliary(body, VDSO),
                    // What follows a thread's status is that thread's.
                    (kind, body) => {
                        if let Some(thread) = threads.last_mut() {
                            machine.add(&mut thread.registers, kind, body);
                        }
                    }
                }
            }
        }
        let mut mappings = merged(endian, parts, files);
        let unnamed = mappings.iter_mut().find(|one| vdso == Some(one.start) && one.name.is_empty());
        if let Some(mapping) = unnamed {
            mapping.name = b"[vdso]".to_vec();
        }
        Ok(Self { threads, mappings })
    }
}

/// The files, and what of the parts is in none of them. A file's rights are those of the first part in it.
fn merged(endian: Endianness, parts: &[ProgramHeader64<Endianness>], mut files: Vec<Mapping>) -> Vec<Mapping> {
    let is_memory = |part: &&ProgramHeader64<Endianness>| part.p_type(endian) == PT_LOAD;
    let mut parts: Vec<_> = parts.iter().filter(is_memory).map(|part| memory(endian, part)).collect();
    parts.retain(|part| part.start < part.end);
    parts.sort_unstable_by_key(|part| part.start);
    files.sort_unstable_by_key(|file| file.start);
    // Two that are at one place cannot both be right.
    files.dedup_by(|later, earlier| later.start < earlier.end);
    parts.dedup_by(|later, earlier| later.start < earlier.end);
    for file in &mut files {
        let at = parts.partition_point(|part| part.end <= file.start);
        if let Some(part) = parts.get(at).filter(|part| part.start < file.end) {
            (file.readable, file.writable, file.executable) = (part.readable, part.writable, part.executable);
        }
    }
    parts.retain(|part| {
        let at = files.partition_point(|file| file.end <= part.start);
        files.get(at).is_none_or(|file| part.end <= file.start)
    });
    files.extend(parts);
    files.sort_unstable_by_key(|one| one.start);
    files
}

fn memory(endian: Endianness, part: &ProgramHeader64<Endianness>) -> Mapping {
    let (start, flags) = (part.p_vaddr(endian), part.p_flags(endian));
    let (readable, writable, executable) = (flags & PF_R != 0, flags & PF_W != 0, flags & PF_X != 0);
    let end = start.saturating_add(part.p_memsz(endian));
    Mapping { start, end, readable, writable, executable, offset: 0, name: Vec::new() }
}

/// Words of a note; what is left at its end is none.
fn words(body: &[u8]) -> impl Iterator<Item = u64> {
    let whole = body.len() / 8 * 8;
    let words = slice_from_all_bytes::<U64Bytes<Endianness>>(body.get(..whole).unwrap_or_default());
    words.unwrap_or_default().iter().map(|word| word.get(Endianness::Little))
}

/// A value of the auxiliary vector.
fn auxiliary(body: &[u8], wanted: u64) -> Option<u64> {
    let all: Vec<_> = words(body).collect();
    all.chunks_exact(2).find(|pair| pair[0] == wanted).map(|pair| pair[1])
}

/// Which files are where: a count, the bytes of a page, a line each, and then the names.
fn files(body: &[u8]) -> Option<Vec<Mapping>> {
    let mut head = words(body);
    let (count, page) = (usize::try_from(head.next()?).ok()?, head.next()?);
    let lines = count.checked_mul(3)?;
    let names = body.get(lines.checked_add(2)?.checked_mul(8)?..)?;
    let lines: Vec<_> = head.take(lines).collect();
    let mut names = names.split(|&byte| byte == 0);
    let mut all = Vec::new();
    for line in lines.chunks_exact(3) {
        let (start, end, offset) = (line[0], line[1], line[2].checked_mul(page)?);
        let name = names.next()?.to_vec();
        if start >= end {
            return None;
        }
        all.push(Mapping { start, end, readable: false, writable: false, executable: false, offset, name });
    }
    Some(all)
}

/// Parses arbitrary bytes. For fuzzing.
///
/// # Panics
/// If what was read contradicts itself: never.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(core) = Core::parse(bytes) {
        assert!(core.mappings.windows(2).all(|two| two[0].end <= two[1].start), "two mappings at one place");
        for thread in &core.threads {
            assert!(mapping::at(&core.mappings, thread.pc).is_none_or(|one| (one.start..one.end).contains(&thread.pc)));
        }
    }
}

#[cfg(test)]
mod tests;

//! Which functions the Go linker put into a program: the names in its table of functions (`runtime/symtab.go`,
//! `runtime.pcHeader`; debug/gosym). The linker leaves out what nothing calls, so a function that is in the table is
//! one that the program can call.

use super::outline::Outline;
use super::{Error, Ranges};

/// The largest table that is read, in bytes: programs of 200 MB have one of 40 MB.
const LARGEST: usize = 96 << 20;
/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// How far the table is looked for in a program without section names, in bytes.
const LONGEST_SEARCH: u64 = 64 << 20;
/// The table begins at a multiple of this.
const ALIGN: usize = 32;
/// `internal/abi.Go118PCLnTabMagic`, `Go120PCLnTabMagic`.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// The longest name that is given, in bytes.
const LONGEST_NAME: usize = 1024;
/// The most functions that are gone through.
const MOST: usize = 1 << 21;

/// The table of a program. It may hold anything.
#[derive(Debug)]
pub struct Functions {
    table: Vec<u8>,
    is_little: bool,
    wide: bool,
}

/// Reads the table; `None` if there is none that is understood: Go has written this one since 1.18.
///
/// # Errors
/// That the file cannot be read.
pub async fn read(file: &impl Ranges, outline: &Outline) -> Result<Option<Functions>, Error> {
    // The second one is that of programs that can be anywhere (`-buildmode=pie`).
    let named =
        [b".gopclntab".as_slice(), b".data.rel.ro.gopclntab"].into_iter().find_map(|name| outline.section(name));
    let (start, size) = match named {
        Some(section) => (section.range.offset, section.range.size),
        None => match search(file, outline).await? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(LARGEST);
    let table = super::read_all(file, start, size).await?;
    Ok(Functions::new(table))
}

/// Where the table begins, and how far what it lies in goes on.
async fn search(file: &impl Ranges, outline: &Outline) -> Result<Option<(u64, u64)>, Error> {
    let mut left = LONGEST_SEARCH;
    for segment in outline.segments.iter().filter(|one| one.kind == object::elf::PT_LOAD) {
        let (mut done, size) = (0, segment.range.size.min(left));
        while done < size {
            let offset = segment.range.offset.saturating_add(done);
            let length = usize::try_from(size - done).unwrap_or(CHUNK).min(CHUNK);
            let bytes = file.read_at(offset, length).await?;
            let found = bytes.chunks(ALIGN).position(|line| header(line).is_some());
            if let Some(found) = found {
                let start = offset.saturating_add((found * ALIGN) as u64);
                let end = segment.range.offset.saturating_add(segment.range.size);
                return Ok(Some((start, end.saturating_sub(start))));
            }
            if bytes.len() < length {
                break;
            }
            done += length as u64;
        }
        left -= size;
    }
    Ok(None)
}

/// Whether a table begins here: its byte order, and whether its words have eight bytes.
fn header(bytes: &[u8]) -> Option<(bool, bool)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let is_little = if MAGICS.contains(&u32::from_le_bytes(*magic)) {
        true
    } else if MAGICS.contains(&u32::from_be_bytes(*magic)) {
        false
    } else {
        return None;
    };
    match rest.get(..4)? {
        [0, 0, 1 | 2 | 4, 4] => Some((is_little, false)),
        [0, 0, 1 | 2 | 4, 8] => Some((is_little, true)),
        _ => None,
    }
}

impl Functions {
    /// A table that begins with its header.
    #[must_use]
    pub fn new(table: Vec<u8>) -> Option<Self> {
        let (is_little, wide) = header(&table)?;
        Some(Self { table, is_little, wide })
    }

    /// The names, in the order of the functions. What leads nowhere is left out.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        // `runtime.pcHeader`: nfunc, nfiles, textStart, funcnameOffset, cuOffset, filetabOffset, pctabOffset, pclnOffset.
        let count = self.word(0).unwrap_or(0);
        let (names, functions) = (self.word(3), self.word(7));
        let names = names.and_then(|at| self.table.get(at..)).unwrap_or_default();
        let functions = functions.and_then(|at| self.table.get(at..)).unwrap_or_default();
        // An entry of the table is two words of four bytes: where the code is, and where the function is told of.
        functions.chunks_exact(8).take(count.min(MOST)).filter_map(move |entry| {
            let told = self.u32(entry, 4)? as usize;
            // `runtime._func`: entryOff, nameOff.
            let name = self.u32(functions, told.checked_add(4)?)? as usize;
            let rest = names.get(name..)?;
            let rest = rest.get(..rest.len().min(LONGEST_NAME))?;
            rest.get(..memchr::memchr(0, rest)?).filter(|name| !name.is_empty())
        })
    }

    fn word(&self, index: usize) -> Option<usize> {
        let (at, width) = if self.wide { (8 + 8 * index, 8) } else { (8 + 4 * index, 4) };
        let bytes = self.table.get(at..at + width)?;
        let value = match (self.wide, self.is_little) {
            (true, true) => u64::from_le_bytes(bytes.try_into().ok()?),
            (true, false) => u64::from_be_bytes(bytes.try_into().ok()?),
            (false, true) => u32::from_le_bytes(bytes.try_into().ok()?).into(),
            (false, false) => u32::from_be_bytes(bytes.try_into().ok()?).into(),
        };
        usize::try_from(value).ok()
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

/// For the fuzzer.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    if let Some(functions) = Functions::new(bytes.to_vec()) {
        let _ = functions.names().count();
    }
}

#[cfg(test)]
mod tests;

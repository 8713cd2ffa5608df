//! What the kernel and the loader have to find before a program can begin: execve(2), ld.so(8).

use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, PT_DYNAMIC, PT_INTERP};

use super::outline::Outline;
use super::{Error, Ranges};
use crate::text::Untrusted;

/// The longest name of a loader, in bytes (`PATH_MAX`).
const LONGEST_INTERPRETER: usize = 4096;
/// The longest table of what is needed at run time, in bytes.
const LONGEST_DYNAMIC: usize = 64 << 10;
/// The longest table of names in it, in bytes.
const LONGEST_STRINGS: usize = 1 << 20;
/// The most libraries that are taken.
const MOST_LIBRARIES: usize = 256;

/// What a program needs of others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linkage {
    /// Whether it is linked at run time at all.
    pub is_dynamic: bool,
    /// The program that loads it (`PT_INTERP`).
    pub interpreter: Option<Untrusted>,
    /// Libraries, as they are named (`DT_NEEDED`).
    pub needed: Vec<Untrusted>,
    /// Where the program says that libraries are (`DT_RPATH`, `DT_RUNPATH`), with colons between.
    pub paths: Vec<Untrusted>,
}

/// Reads it.
///
/// # Errors
/// That the file cannot be read. What makes no sense is left out.
pub async fn read(file: &impl Ranges, outline: &Outline) -> Result<Linkage, Error> {
    let mut linkage = Linkage::default();
    if let Some(segment) = outline.segment(PT_INTERP) {
        let length = usize::try_from(segment.range.size).unwrap_or(usize::MAX).min(LONGEST_INTERPRETER);
        let text = file.read_at(segment.range.offset, length).await?;
        linkage.interpreter = text.split(|&byte| byte == 0).next().map(Untrusted::from);
    }
    let Some(segment) = outline.segment(PT_DYNAMIC) else { return Ok(linkage) };
    linkage.is_dynamic = true;
    let length = usize::try_from(segment.range.size).unwrap_or(usize::MAX).min(LONGEST_DYNAMIC);
    let table = file.read_at(segment.range.offset, length).await?;
    let width = if outline.is_64 { 8 } else { 4 };
    let entries = table.chunks_exact(2 * width).map_while(|entry| {
        let (tag, value) = (outline.word(entry, 0)?, outline.word(entry, width)?);
        // `DT_NULL` ends it.
        (tag != 0).then_some((tag, value))
    });
    let entries: Vec<(u64, u64)> = entries.collect();
    let value = |wanted: u32| entries.iter().find(|(tag, _)| *tag == u64::from(wanted)).map(|&(_, value)| value);
    let Some(start) = value(DT_STRTAB).and_then(|address| outline.offset_of(address)) else { return Ok(linkage) };
    let length = value(DT_STRSZ).and_then(|size| usize::try_from(size).ok()).unwrap_or(0).min(LONGEST_STRINGS);
    let strings = file.read_at(start, length).await?;
    let string = |at: u64| {
        let rest = strings.get(usize::try_from(at).ok()?..)?;
        rest.split(|&byte| byte == 0).next().filter(|text| text.len() <= LONGEST_INTERPRETER).map(Untrusted::from)
    };
    let all = |wanted: u32| {
        let of_kind = entries.iter().filter(move |(tag, _)| *tag == u64::from(wanted));
        of_kind.filter_map(|&(_, at)| string(at)).take(MOST_LIBRARIES)
    };
    linkage.needed = all(DT_NEEDED).collect();
    linkage.paths = all(DT_RPATH).chain(all(DT_RUNPATH)).collect();
    Ok(linkage)
}

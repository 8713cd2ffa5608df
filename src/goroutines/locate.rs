//! Where a running program has what is read of it: found anew for each process, without symbols.

use super::Error;
use super::figures::Places;
use super::memory::{Memory, Range, word};
use super::raw::Raw;
use crate::corefile::Line;
use crate::golang::image::Image;
use crate::golang::layout::Layout;
use crate::golang::moduledata::ModuleData;
use crate::golang::pclntab::Pclntab;
use crate::golang::symbols::Symbols;
use crate::inspect::fetch;
use crate::shim;
use crate::target::ContainerPid;

/// What is mapped begins at multiples of this, on every processor (elf(5)).
const PAGE: u64 = 4096;
/// The most variables of a program that are looked through, in bytes.
const MOST_DATA: u64 = 256 << 20;
/// Bytes of variables that are read at once.
const CHUNK: u32 = 1 << 20;
/// Slices that could be the list of goroutines, looked at together.
const AT_ONCE: usize = 4096;
/// The function that the first goroutine begins with.
const FIRST: &[u8] = b"runtime.main";

/// What was found.
#[derive(Debug)]
pub struct Found {
    pub layout: &'static Layout,
    pub symbols: Symbols,
    /// Where the list of all goroutines is: pointer, length, capacity (`runtime.allgs`).
    pub all: u64,
    /// What the runtime knows of itself.
    pub places: Places,
}

/// Looks for it. `start`: the lowest address that the program's file is mapped to.
pub fn locate(
    pid: ContainerPid,
    mut image: Image,
    memory: &mut impl Memory,
    start: u64,
    layout: &'static Layout,
) -> Result<Found, Error> {
    let failed = |source| Error::of(pid, "the memory", source);
    let missing = |what| Error::NotFound { pid, what };
    let table = Pclntab::find(&mut image).map_err(|cause| Error::NotGo { pid, cause })?;
    let first = image.segments.iter().map(|segment| segment.address).min().unwrap_or_default();
    let bias = if image.fixed { 0 } else { start.wrapping_sub(first / PAGE * PAGE) };
    let there = table.address.wrapping_add(bias);
    let header = table.header(&mut image).ok_or_else(|| missing("its table of functions"))?;
    let length = u32::try_from(header.len()).unwrap_or_default();
    // The linker's address of the first instruction is filled in when the program is put elsewhere.
    let (before, after) = (24, 32);
    let in_memory = memory.one(there, length).map_err(failed)?.ok_or(Error::Ended { pid })?;
    if in_memory.get(..before) != header.get(..before) || in_memory.get(after..) != header.get(after..) {
        return Err(Error::OtherFile { pid });
    }
    let module = module(&image, memory, layout, there, bias).map_err(failed)?;
    let module = module.ok_or_else(|| missing("where its linker put what (runtime.firstmoduledata)"))?;
    let mut symbols = Symbols::new(image, table, layout, &module, bias);
    let all = goroutines(&mut symbols, memory, layout, &module).map_err(failed)?;
    let all = all.ok_or_else(|| missing("the list of its goroutines (runtime.allgs)"))?;
    let places = Places::find(memory, layout, &module).map_err(failed)?;
    Ok(Found { layout, symbols, all, places })
}

/// The lowest address that a file is mapped to, from `/proc/PID/maps` (proc_pid_maps(5)).
pub fn start(maps: &[u8], path: &[u8]) -> Option<u64> {
    fetch::lines(maps).filter_map(Line::parse).find(|line| line.name == path).map(|line| line.start)
}

/// By its section, which it has since Go 1.26, or among the variables.
fn module(
    image: &Image,
    memory: &mut impl Memory,
    layout: &Layout,
    pclntab: u64,
    bias: u64,
) -> Result<Option<ModuleData>, shim::Error> {
    let size = u32::try_from(layout.module.size).unwrap_or_default();
    if let Some(section) = image.section(&[b".go.module"]) {
        let bytes = memory.one(section.address.wrapping_add(bias), size)?;
        if let Some(module) = bytes.and_then(|bytes| ModuleData::parse(&bytes, layout, pclntab)) {
            return Ok(Some(module));
        }
    }
    let sections = [&[b".noptrdata".as_slice()], &[b".data".as_slice()], &[b".data.rel.ro".as_slice()]];
    let sections = sections.into_iter().filter_map(|names| image.section(names)).map(|of| (of.address, of.size));
    let segments = image.segments.iter().filter(|of| !of.executable).map(|of| (of.address, of.size));
    for (address, size_of_range) in sections.chain(segments) {
        let (mut at, end) = (address, address.saturating_add(size_of_range.min(MOST_DATA)));
        while at < end {
            let length = u32::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            let there = at.wrapping_add(bias);
            if let Some(bytes) = memory.one(there, length)? {
                for candidate in ModuleData::candidates(&bytes, pclntab) {
                    let bytes = memory.one(there.wrapping_add(candidate as u64), size)?;
                    let module = bytes.and_then(|bytes| ModuleData::parse(&bytes, layout, pclntab));
                    if module.is_some() {
                        return Ok(module);
                    }
                }
            }
            at += u64::from(length);
        }
    }
    Ok(None)
}

/// The list is a slice among the variables. Its first element is the first goroutine, and that begins with `runtime.main`.
fn goroutines(
    symbols: &mut Symbols,
    memory: &mut impl Memory,
    layout: &Layout,
    module: &ModuleData,
) -> Result<Option<u64>, shim::Error> {
    let candidates = slices(memory, module.bss)?;
    let size = u32::try_from(layout.g.size).unwrap_or_default();
    for some in candidates.chunks(AT_ONCE) {
        let first =
            memory.read(&some.iter().map(|slice| Range { at: slice.pointer, length: 8 }).collect::<Vec<_>>())?;
        let pointers: Vec<_> = (0..some.len()).map(|index| first.get(index).and_then(|bytes| word(bytes, 0))).collect();
        let pointed: Vec<_> = some.iter().zip(pointers).filter_map(|(slice, to)| Some((slice, to?))).collect();
        let pointed: Vec<_> = pointed.into_iter().filter(|(_, to)| plausible(*to)).collect();
        let read = memory.read(&pointed.iter().map(|(_, at)| Range { at: *at, length: size }).collect::<Vec<_>>())?;
        for (index, (slice, _)) in pointed.iter().enumerate() {
            let Some(raw) = read.get(index).and_then(|bytes| Raw::parse(bytes, layout)) else { continue };
            if raw.id == 1 && raw.low < raw.high && symbols.name(raw.start).as_deref() == Some(FIRST) {
                return Ok(Some(slice.at));
            }
        }
    }
    Ok(None)
}

/// A slice among the variables.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Where it is.
    pub at: u64,
    /// Where its elements are.
    pub pointer: u64,
    /// How many there are.
    pub length: u64,
}

/// All that could be slices of pointers.
pub fn slices(memory: &mut impl Memory, (from, to): (u64, u64)) -> Result<Vec<Slice>, shim::Error> {
    let mut found = Vec::new();
    let (mut at, end) = (from.next_multiple_of(8), to.min(from.saturating_add(MOST_DATA)));
    while at < end {
        // Two words more: a slice may lie across the end.
        let length = u32::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let more = u32::try_from(end - at - u64::from(length)).unwrap_or(16).min(16);
        if let Some(bytes) = memory.one(at, length + more)? {
            for offset in (0..bytes.len().saturating_sub(23)).step_by(8) {
                let number = |index: usize| word(&bytes, offset + 8 * index).unwrap_or_default();
                let (pointer, length, capacity) = (number(0), number(1), number(2));
                if plausible(pointer) && 1 <= length && length <= capacity && capacity < 1 << 28 {
                    found.push(Slice { at: at + offset as u64, pointer, length });
                }
            }
        }
        at += u64::from(length);
    }
    Ok(found)
}

/// Whether it can be the address of a structure.
pub fn plausible(pointer: u64) -> bool {
    pointer.is_multiple_of(8) && pointer > 0x1000 && pointer < 1 << 48
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_where_its_file_is_mapped_first() {
        let maps = b"5000-6000 r--p 00000000 00:01 7 /lib/ld.so\n\
            56000-57000 r--p 00000000 00:01 9 /app\n57000-59000 r-xp 00001000 00:01 9 /app\nnonsense\n";
        assert_eq!(
            (start(maps, b"/app"), start(maps, b"/lib/ld.so"), start(maps, b"/other")),
            (Some(0x56000), Some(0x5000), None)
        );
    }
}

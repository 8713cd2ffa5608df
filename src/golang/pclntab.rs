//! The table from program counters to functions, files, lines and stack depths, which every Go program has: nothing strips it
//! (`runtime/symtab.go`, `cmd/link/internal/ld/pcln.go`).
//!
//! What is read may be anything: each look-up is bounded, and what makes no sense is not there.

mod value;

use super::Error;
use super::image::{Image, Section};
use super::layout::Layout;

/// How it begins since Go 1.18, and since 1.20.
const MAGICS: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// Bytes of its header, for processors of 64 bits.
const HEADER: usize = 72;
/// What the linker puts it on.
const ALIGN: u64 = 32;
/// The most functions there can be: a program of some gigabytes.
const MOST_FUNCTIONS: u64 = 1 << 25;
/// The longest name of a function or a file, in bytes.
const LONGEST_NAME: usize = 4096;
/// How far it is looked for in a file without section names, in bytes of each segment.
const LONGEST_SEARCH: u64 = 256 << 20;
/// The table of a function that says which inlined call an instruction is of (`PCDATA_InlTreeIndex`).
const INLINE_INDEX: u32 = 2;
/// What a function has that says which calls were inlined into it (`FUNCDATA_InlTree`).
const INLINE_TREE: u32 = 3;
/// Where a part of a function is not there.
const NOTHING: u32 = u32::MAX;

/// Where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pclntab {
    /// Its address, as the linker gave it.
    pub address: u64,
    /// What a step of a program counter is, in bytes.
    quantum: u32,
    functions: u64,
    names: u64,
    units: u64,
    files: u64,
    values: u64,
    table: u64,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its first instruction, in bytes from the first of all.
    pub entry: u32,
    /// What it is to who unwinds (`abi.FuncFlag`).
    pub flags: u8,
    /// What it is to the runtime (`abi.FuncID`).
    pub kind: u8,
    name: u32,
    depth: u32,
    file: u32,
    line: u32,
    unit: u32,
    /// Its record.
    at: u64,
    pcdata: u32,
    funcdata: u8,
}

/// A call that was replaced by the function itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inlined {
    /// The function.
    pub name: Vec<u8>,
    /// What it is to the runtime (`abi.FuncID`).
    pub kind: u8,
    /// An instruction of the one it was inlined into, at the line that calls it; in bytes from the first of all.
    pub parent: u32,
}

impl Pclntab {
    /// Finds it: by the name of its section, or by how it begins.
    ///
    /// # Errors
    /// [`Error::NoTable`], or [`Error::Malformed`].
    pub fn find(image: &mut Image) -> Result<Self, Error> {
        match image.section(&[b".gopclntab", b".data.rel.ro.gopclntab"]) {
            Some(Section { address, .. }) => Self::at(image, address).ok_or(Error::Malformed("table of functions")),
            None => Self::search(image).ok_or(Error::NoTable),
        }
    }

    fn search(image: &mut Image) -> Option<Self> {
        for segment in image.segments.clone().into_iter().filter(|segment| !segment.executable) {
            let end = segment.address.saturating_add(segment.size.min(LONGEST_SEARCH));
            let mut address = segment.address.next_multiple_of(ALIGN);
            while address < end {
                // A page at a time, as the segment is fetched.
                let bytes = image.up_to(address, 4096);
                let length = bytes.len() as u64;
                let begins = |line: &[u8]| {
                    line.get(..6).is_some_and(|head| {
                        MAGICS.iter().any(|magic| head == [&magic.to_le_bytes()[..], &[0, 0]].concat())
                    })
                };
                let found: Vec<_> = bytes
                    .chunks(32)
                    .zip((address..).step_by(32))
                    .filter(|(line, _)| begins(line))
                    .map(|(_, at)| at)
                    .collect();
                if let Some(table) = found.into_iter().find_map(|at| Self::at(image, at)) {
                    return Some(table);
                }
                if length < 4096 {
                    break;
                }
                address += length;
            }
        }
        None
    }

    /// The one at an address, if it makes sense.
    #[must_use]
    pub fn at(image: &mut Image, address: u64) -> Option<Self> {
        let header = image.at(address, HEADER)?.to_vec();
        let number = |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
        let magic = u32::from_le_bytes(header.get(..4)?.try_into().ok()?);
        let (pads, quantum, pointer) = (header.get(4..6)?, *header.get(6)?, *header.get(7)?);
        if !MAGICS.contains(&magic) || pads != [0, 0] || !matches!(quantum, 1 | 2 | 4) || pointer != 8 {
            return None;
        }
        let functions = number(8).filter(|&count| count > 0 && count < MOST_FUNCTIONS)?;
        let part = |at| address.checked_add(number(at)?);
        let (names, units, files) = (part(32)?, part(40)?, part(48)?);
        let (values, table) = (part(56)?, part(64)?);
        // Its parts stand in this order, and the last of them is there.
        let ordered = [address, names, units, files, values, table].is_sorted();
        let table = Self { address, quantum: quantum.into(), functions, names, units, files, values, table };
        (ordered && table.first(image, functions).is_some()).then_some(table)
    }

    /// How it begins in the file, to be compared with what is in memory.
    #[must_use]
    pub fn header(&self, image: &mut Image) -> Option<Vec<u8>> {
        image.at(self.address, HEADER).map(<[u8]>::to_vec)
    }

    /// Where the part of it with lengths that matter to who looks for pointers to it begins.
    fn first(&self, image: &mut Image, index: u64) -> Option<u32> {
        image.u32(self.table.checked_add(index.checked_mul(8)?)?)
    }

    /// The function of an instruction, in bytes from the first of all.
    pub fn function(&self, image: &mut Image, layout: &Layout, pc: u32) -> Option<Function> {
        let (mut low, mut high) = (0, self.functions);
        if pc < self.first(image, 0)? || pc >= self.first(image, self.functions)? {
            return None;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.first(image, middle)? <= pc { low = middle } else { high = middle }
        }
        let record = image.u32(self.table + low * 8 + 4)?;
        let at = self.table.checked_add(record.into())?;
        let of = &layout.func;
        let raw = image.at(at, of.size)?.to_vec();
        let number = |at: usize| Some(u32::from_le_bytes(raw.get(at..at + 4)?.try_into().ok()?));
        let entry = number(0).filter(|&entry| entry <= pc)?;
        Some(Function {
            entry,
            flags: *raw.get(of.flag)?,
            kind: *raw.get(of.kind)?,
            name: number(of.name)?,
            depth: number(of.pcsp)?,
            file: number(of.pcfile)?,
            line: number(of.pcln)?,
            unit: number(of.cu)?,
            at,
            pcdata: number(of.npcdata)?,
            funcdata: *raw.get(of.nfuncdata)?,
        })
    }

    /// Its name, as the linker wrote it.
    pub fn name(&self, image: &mut Image, function: &Function) -> Option<Vec<u8>> {
        self.name_at(image, function.name)
    }

    fn name_at(&self, image: &mut Image, offset: u32) -> Option<Vec<u8>> {
        image.text(self.names.checked_add(offset.into())?, LONGEST_NAME)
    }

    /// How deep its frame is at an instruction, in bytes. `None` where nobody knows.
    pub fn depth(&self, image: &mut Image, function: &Function, pc: u32) -> Option<u32> {
        self.value(image, function.depth, function.entry, pc).and_then(|depth| u32::try_from(depth).ok())
    }

    /// File and line of an instruction.
    pub fn position(&self, image: &mut Image, function: &Function, pc: u32) -> Option<(Vec<u8>, u32)> {
        let line = self.value(image, function.line, function.entry, pc)?;
        let file = u64::try_from(self.value(image, function.file, function.entry, pc)?).ok()?;
        let index = file.checked_add(function.unit.into())?;
        let offset = image.u32(self.units.checked_add(index.checked_mul(4)?)?).filter(|&offset| offset != NOTHING)?;
        let name = image.text(self.files.checked_add(offset.into())?, LONGEST_NAME)?;
        Some((name, u32::try_from(line).ok()?))
    }

    /// The innermost inlined call that an instruction is of, if it is of one. `data` is where what functions have begins
    /// (`moduledata.gofunc`), `text` where the first instruction is.
    pub fn inlined(
        &self,
        image: &mut Image,
        layout: &Layout,
        function: &Function,
        data: u64,
        pc: u32,
    ) -> Option<Inlined> {
        let table = Self::pcdata(image, layout, function, INLINE_INDEX)?;
        let index = u64::try_from(self.value(image, table, function.entry, pc)?).ok()?;
        let tree = data.checked_add(Self::funcdata(image, layout, function, INLINE_TREE)?.into())?;
        let of = &layout.inline;
        let raw = image.at(tree.checked_add(index.checked_mul(of.size as u64)?)?, of.size)?.to_vec();
        let number = |at: usize| Some(u32::from_le_bytes(raw.get(at..at + 4)?.try_into().ok()?));
        let (name, parent) = (number(of.name)?, number(of.parent_pc)?);
        let kind = *raw.get(of.kind)?;
        Some(Inlined { name: self.name_at(image, name)?, kind, parent: function.entry.checked_add(parent)? })
    }

    fn pcdata(image: &mut Image, layout: &Layout, function: &Function, which: u32) -> Option<u32> {
        let at = function.at.checked_add(layout.func.size as u64)?.checked_add(u64::from(which) * 4)?;
        if which < function.pcdata { image.u32(at) } else { None }
    }

    fn funcdata(image: &mut Image, layout: &Layout, function: &Function, which: u32) -> Option<u32> {
        let before = u64::from(function.pcdata).checked_add(which.into())?.checked_mul(4)?;
        let at = function.at.checked_add(layout.func.size as u64)?.checked_add(before)?;
        if which < u32::from(function.funcdata) { image.u32(at).filter(|&offset| offset != NOTHING) } else { None }
    }

    /// What a table says of an instruction; `None` where it says nothing, which it writes as -1.
    fn value(&self, image: &mut Image, table: u32, entry: u32, pc: u32) -> Option<i32> {
        if table == 0 {
            return None;
        }
        let at = self.values.checked_add(table.into())?;
        let wanted = pc.checked_sub(entry)?;
        let mut length = 256;
        loop {
            let bytes = image.up_to(at, length);
            match value::find(bytes, self.quantum, wanted) {
                value::Found::Value(value) => return Some(value).filter(|&value| value != -1),
                value::Found::Nothing => return None,
                value::Found::Cut if bytes.len() < length || length >= value::LONGEST => return None,
                value::Found::Cut => length *= 4,
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

//! Where a program's own Go keeps what is read of it, from the program's debug information: for releases that the table does not
//! know. It takes a while to look through, so it is the second choice, and a stripped program has none.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use gimli::{
    AttributeValue, DW_AT_byte_size, DW_AT_data_member_location, DW_AT_name, DW_AT_type, DW_TAG_member,
    DW_TAG_structure_type, DW_TAG_typedef, DebugInfoOffset, DwarfSections, EndianSlice, LittleEndian, Unit, UnitOffset,
};

use super::{Func, G, Gc, Inline, Layout, M, Module, P};
use crate::golang::image::Image;

/// The longest section that is taken, as it is in the file and unpacked, in bytes.
const LONGEST: usize = 128 << 20;
/// Types that stand for another type that are followed.
const MOST_ALIASES: usize = 8;

type Bytes<'b> = EndianSlice<'b, LittleEndian>;

/// Reads it. `None` if there is none, or it lacks something.
#[must_use]
pub fn read(image: &mut Image, minor: u32) -> Option<Layout> {
    let newest = super::table::ALL.last()?;
    let sections = DwarfSections::load(|id| Ok::<_, ()>(section(image, id.name()).unwrap_or_default())).ok()?;
    let dwarf = sections.borrow(|bytes| EndianSlice::new(bytes, LittleEndian));
    let structs = Structs::find(&dwarf)?;
    let g = |path| structs.offset("runtime.g", path);
    let module = |path| structs.offset("runtime.moduledata", path);
    let func = |path| structs.offset("runtime._func", path);
    let inline = |path| structs.offset("runtime.inlinedCall", path);
    let gc = |path| structs.offset("runtime.gcControllerState", path);
    Some(Layout {
        minor,
        g: G {
            lo: g("stack.lo")?,
            hi: g("stack.hi")?,
            m: g("m")?,
            sp: g("sched.sp")?,
            pc: g("sched.pc")?,
            lr: g("sched.lr")?,
            syscall_sp: g("syscallsp")?,
            syscall_pc: g("syscallpc")?,
            status: g("atomicstatus")?,
            id: g("goid")?,
            wait_since: g("waitsince")?,
            wait_reason: g("waitreason")?,
            locked: g("lockedm")?,
            parent: g("parentGoid").unwrap_or_default(),
            created_at: g("gopc")?,
            start: g("startpc")?,
            labels: g("labels")?,
            size: structs.size("runtime.g")?,
        },
        m: M { thread: structs.offset("runtime.m", "procid")? },
        module: Module {
            min_pc: module("minpc")?,
            max_pc: module("maxpc")?,
            text: module("text")?,
            text_end: module("etext")?,
            data: module("noptrdata")?,
            bss: module("bss")?,
            bss_end: module("ebss")?,
            noptr_bss: module("noptrbss")?,
            noptr_bss_end: module("enoptrbss")?,
            func_data: module("gofunc")?,
            next: module("next")?,
            size: structs.size("runtime.moduledata")?,
        },
        func: Func {
            name: func("nameOff").or_else(|| func("nameoff"))?,
            pcsp: func("pcsp")?,
            pcfile: func("pcfile")?,
            pcln: func("pcln")?,
            npcdata: func("npcdata")?,
            cu: func("cuOffset")?,
            kind: func("funcID")?,
            flag: func("flag")?,
            nfuncdata: func("nfuncdata")?,
            size: structs.size("runtime._func")?,
        },
        inline: Inline {
            name: inline("nameOff").or_else(|| inline("func_"))?,
            kind: inline("funcID")?,
            parent_pc: inline("parentPc")?,
            size: structs.size("runtime.inlinedCall")?,
        },
        p: P {
            id: structs.offset("runtime.p", "id")?,
            mcache: structs.offset("runtime.p", "mcache")?,
            defers: structs.offset("runtime.p", "deferpool")?,
            defers_room: structs.offset("runtime.p", "deferpoolbuf")?,
            flush_gen: structs.offset("runtime.mcache", "flushGen")?,
        },
        gc: Gc {
            percent: gc("gcPercent")?,
            limit: gc("memoryLimit")?,
            minimum: gc("heapMinimum")?,
            goal: gc("gcPercentHeapGoal")?,
            live: gc("heapLive")?,
            marked: gc("heapMarked")?,
            in_use: gc("heapInUse")?,
        },
        wrapper: newest.wrapper,
        // What numbers mean is no part of debug information, and guessing would be worse than nothing.
        wait_reasons: &[],
    })
}

/// A section, unpacked where the linker packed it: as elf(5) has it (`SHF_COMPRESSED`), or as older linkers did.
fn section(image: &mut Image, name: &str) -> Option<Vec<u8>> {
    if let Some((bytes, packed)) = image.contents(name.as_bytes(), LONGEST) {
        return if packed { inflate(bytes.get(24..)?) } else { Some(bytes.to_vec()) };
    }
    let (bytes, _) = image.contents(name.replace(".debug_", ".zdebug_").as_bytes(), LONGEST)?;
    bytes.strip_prefix(b"ZLIB").and_then(|rest| inflate(rest.get(8..)?))
}

fn inflate(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = ZlibDecoder::new(packed).take(LONGEST as u64 + 1).read_to_end(&mut bytes).ok()?;
    (length <= LONGEST).then_some(bytes)
}

/// The structs that are wanted.
const WANTED: [&str; 8] = [
    "runtime.g",
    "runtime.m",
    "runtime.moduledata",
    "runtime._func",
    "runtime.inlinedCall",
    "runtime.p",
    "runtime.mcache",
    "runtime.gcControllerState",
];

/// A struct: which of [`WANTED`], its unit, and where in it.
type Place = (&'static str, usize, UnitOffset);

/// Where they are.
struct Structs<'b> {
    dwarf: &'b gimli::Dwarf<Bytes<'b>>,
    units: Vec<Unit<Bytes<'b>>>,
    places: Vec<Place>,
}

impl<'b> Structs<'b> {
    fn find(dwarf: &'b gimli::Dwarf<Bytes<'b>>) -> Option<Self> {
        let (mut units, mut places) = (Vec::new(), Vec::new());
        let mut headers = dwarf.units();
        while let Some(header) = headers.next().ok()? {
            let unit = dwarf.unit(header).ok()?;
            Self::of_unit(dwarf, &unit, units.len(), &mut places)?;
            units.push(unit);
        }
        Some(Self { dwarf, units, places })
    }

    fn of_unit(
        dwarf: &gimli::Dwarf<Bytes<'b>>,
        unit: &Unit<Bytes<'b>>,
        number: usize,
        places: &mut Vec<Place>,
    ) -> Option<()> {
        let mut tree = unit.entries_tree(None).ok()?;
        let mut children = tree.root().ok()?.children();
        while let Some(child) = children.next().ok()? {
            let entry = child.entry();
            if entry.tag() != DW_TAG_structure_type {
                continue;
            }
            let name = entry.attr_value(DW_AT_name).ok().flatten().and_then(|name| dwarf.attr_string(unit, name).ok());
            let wanted = name.and_then(|name| WANTED.into_iter().find(|wanted| name.slice() == wanted.as_bytes()));
            places.extend(wanted.map(|wanted| (wanted, number, entry.offset())));
        }
        Some(())
    }

    fn place(&self, of: &str) -> Option<(usize, UnitOffset)> {
        self.places.iter().find(|(name, ..)| *name == of).map(|&(_, unit, offset)| (unit, offset))
    }

    fn size(&self, of: &str) -> Option<usize> {
        let (unit, offset) = self.place(of)?;
        let entry = self.units.get(unit)?.entry(offset).ok()?;
        usize::try_from(entry.attr_value(DW_AT_byte_size).ok()??.udata_value()?).ok()
    }

    /// Where a field of a field is: `stack.lo`.
    fn offset(&self, of: &str, path: &str) -> Option<usize> {
        let mut at = self.place(of)?;
        let mut offset = 0;
        for (step, name) in path.split('.').enumerate() {
            if step > 0 {
                at = self.target(at)?;
            }
            let (here, member) = self.member(at, name)?;
            offset += here;
            at = member;
        }
        Some(offset)
    }

    /// A field: where it is, and its entry.
    fn member(&self, (unit, offset): (usize, UnitOffset), name: &str) -> Option<(usize, (usize, UnitOffset))> {
        let of = self.units.get(unit)?;
        let mut tree = of.entries_tree(Some(offset)).ok()?;
        let mut children = tree.root().ok()?.children();
        while let Some(child) = children.next().ok()? {
            let entry = child.entry();
            let called =
                entry.attr_value(DW_AT_name).ok().flatten().and_then(|name| self.dwarf.attr_string(of, name).ok());
            if entry.tag() == DW_TAG_member && called.is_some_and(|called| called.slice() == name.as_bytes()) {
                let here = entry.attr_value(DW_AT_data_member_location).ok()??.udata_value()?;
                return Some((usize::try_from(here).ok()?, (unit, entry.offset())));
            }
        }
        None
    }

    /// The struct that an entry is of, through the names it goes by.
    fn target(&self, mut at: (usize, UnitOffset)) -> Option<(usize, UnitOffset)> {
        for _ in 0..MOST_ALIASES {
            let (unit, offset) = at;
            let entry = self.units.get(unit)?.entry(offset).ok()?;
            if entry.tag() == DW_TAG_structure_type {
                return Some(at);
            }
            if ![DW_TAG_member, DW_TAG_typedef].contains(&entry.tag()) {
                return None;
            }
            at = match entry.attr_value(DW_AT_type).ok()?? {
                AttributeValue::UnitRef(offset) => (unit, offset),
                AttributeValue::DebugInfoRef(offset) => self.elsewhere(offset)?,
                _ => return None,
            };
        }
        None
    }

    fn elsewhere(&self, offset: DebugInfoOffset) -> Option<(usize, UnitOffset)> {
        self.units.iter().enumerate().find_map(|(number, unit)| Some((number, offset.to_unit_offset(&unit.header)?)))
    }
}

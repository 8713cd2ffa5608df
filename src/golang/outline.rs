//! What the headers of an ELF file say, read once: elf(5). Every number in it may be a lie.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PF_X, PT_LOAD};
use object::pod::slice_from_bytes;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};

use super::{Error, Ranges};

/// The most sections and segments that are looked at.
const MOST: usize = 4096;
/// The longest table of section names, in bytes.
const LONGEST_NAMES: usize = 1 << 20;
/// The longest name of a section, in bytes. What lies beyond is cut.
const LONGEST_NAME: usize = 128;

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Its first byte.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// The headers of an ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Whether its addresses have 64 bits, and not 32.
    pub is_64: bool,
    /// Whether its numbers have their lowest byte first.
    pub is_little: bool,
    /// `e_machine`: `EM_X86_64`, …
    pub machine: u16,
    /// `e_type`: `ET_EXEC`, `ET_DYN`, …
    pub kind: u16,
    /// Where the program begins to run: an address.
    pub entry: u64,
    /// What is loaded, and hints for whoever loads it.
    pub segments: Vec<Segment>,
    /// What is in it, for whoever links or debugs it. A program runs without any.
    pub sections: Vec<Section>,
}

/// A program header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// `PT_LOAD`, `PT_INTERP`, …
    pub kind: u32,
    /// `PF_X`, `PF_W`, `PF_R`.
    pub flags: u32,
    /// Where it is in the file.
    pub range: Range,
    /// Where it is in memory.
    pub address: u64,
    /// Bytes in memory; those that the file has not are zero at first.
    pub memory: u64,
}

/// A section header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: Vec<u8>,
    /// `SHT_PROGBITS`, …
    pub kind: u32,
    /// `SHF_COMPRESSED`, …
    pub flags: u64,
    /// Where it is in memory; 0 if it is not put there.
    pub address: u64,
    /// Where it is in the file.
    pub range: Range,
}

impl Outline {
    /// The section of a name.
    #[must_use]
    pub fn section(&self, name: &[u8]) -> Option<&Section> {
        self.sections.iter().find(|one| one.name == name)
    }

    /// The first segment of a kind.
    #[must_use]
    pub fn segment(&self, kind: u32) -> Option<&Segment> {
        self.segments.iter().find(|one| one.kind == kind)
    }

    /// The segments that hold data, and no code, in their order: where to look for what has no section, or none with a name.
    pub fn data(&self) -> impl Iterator<Item = Range> {
        let data = self.segments.iter().filter(|one| one.kind == PT_LOAD && one.flags & PF_X == 0);
        data.map(|one| one.range)
    }

    /// Where in the file what is at this address in memory comes from.
    #[must_use]
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let loaded = self.segments.iter().filter(|one| one.kind == PT_LOAD);
        loaded.into_iter().find_map(|one| {
            let within = address.checked_sub(one.address).filter(|&within| within < one.range.size)?;
            one.range.offset.checked_add(within)
        })
    }

    /// A number of four bytes, in the order of this file.
    #[must_use]
    pub fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    /// The same of eight bytes.
    #[must_use]
    pub fn u64(&self, bytes: [u8; 8]) -> u64 {
        if self.is_little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
    }

    /// A number as wide as an address, at this place of some bytes.
    #[must_use]
    pub fn word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        if self.is_64 {
            Some(self.u64(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
        } else {
            Some(self.u32(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?).into())
        }
    }
}

/// Reads the headers.
///
/// # Errors
/// [`Error::NotElf`], or that the file cannot be read.
pub async fn read(file: &impl Ranges) -> Result<Outline, Error> {
    let head = file.read_at(0, size_of::<FileHeader64<Endianness>>()).await?;
    if let Ok(header) = FileHeader64::<Endianness>::parse(head.as_slice()) {
        outline(file, header, true).await
    } else if let Ok(header) = FileHeader32::<Endianness>::parse(head.as_slice()) {
        outline(file, header, false).await
    } else {
        Err(Error::NotElf)
    }
}

async fn outline<H: FileHeader<Endian = Endianness>>(
    file: &impl Ranges,
    header: &H,
    is_64: bool,
) -> Result<Outline, Error> {
    let endian = header.endian().map_err(|_| Error::NotElf)?;
    let mut outline = Outline {
        is_64,
        is_little: endian == Endianness::Little,
        machine: header.e_machine(endian),
        kind: header.e_type(endian),
        entry: header.e_entry(endian).into(),
        ..Outline::default()
    };
    let count = usize::from(header.e_phnum(endian)).min(MOST);
    if usize::from(header.e_phentsize(endian)) == size_of::<H::ProgramHeader>() {
        let table = file.read_at(header.e_phoff(endian).into(), count * size_of::<H::ProgramHeader>()).await?;
        let found = table.len() / size_of::<H::ProgramHeader>();
        if let Ok((segments, _)) = slice_from_bytes::<H::ProgramHeader>(&table, found) {
            outline.segments.extend(segments.iter().map(|one| Segment {
                kind: one.p_type(endian),
                flags: one.p_flags(endian),
                range: Range { offset: one.p_offset(endian).into(), size: one.p_filesz(endian).into() },
                address: one.p_vaddr(endian).into(),
                memory: one.p_memsz(endian).into(),
            }));
        }
    }
    outline.sections = sections(file, header, endian).await?;
    Ok(outline)
}

async fn sections<H: FileHeader<Endian = Endianness>>(
    file: &impl Ranges,
    header: &H,
    endian: Endianness,
) -> Result<Vec<Section>, Error> {
    let (offset, count): (u64, _) = (header.e_shoff(endian).into(), usize::from(header.e_shnum(endian)).min(MOST));
    if offset == 0 || count == 0 || usize::from(header.e_shentsize(endian)) != size_of::<H::SectionHeader>() {
        return Ok(Vec::new());
    }
    let table = file.read_at(offset, count * size_of::<H::SectionHeader>()).await?;
    let found = table.len() / size_of::<H::SectionHeader>();
    let Ok((sections, _)) = slice_from_bytes::<H::SectionHeader>(&table, found) else { return Ok(Vec::new()) };
    let range =
        |one: &H::SectionHeader| Range { offset: one.sh_offset(endian).into(), size: one.sh_size(endian).into() };
    let names = match sections.get(usize::from(header.e_shstrndx(endian))).map(range) {
        Some(names) => {
            let length = usize::try_from(names.size).unwrap_or(usize::MAX).min(LONGEST_NAMES);
            file.read_at(names.offset, length).await?
        }
        None => Vec::new(),
    };
    let name = |one: &H::SectionHeader| {
        let rest = names.get(one.sh_name(endian) as usize..).unwrap_or_default();
        rest.iter().copied().take_while(|&byte| byte != 0).take(LONGEST_NAME).collect()
    };
    let section = |one: &H::SectionHeader| Section {
        name: name(one),
        kind: one.sh_type(endian),
        flags: one.sh_flags(endian).into(),
        address: one.sh_addr(endian).into(),
        range: range(one),
    };
    Ok(sections.iter().map(section).collect())
}

//! Where things are in an ELF file, without reading all of it. Every number in it may be a lie.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PF_X, PT_LOAD};
use object::pod::slice_from_bytes;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};

use super::{Error, Ranges};

/// The most sections and segments that are looked at.
const MOST: usize = 4096;
/// The longest table of section names, in bytes.
const LONGEST_NAMES: usize = 1 << 20;

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Its first byte.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// Where to look for something the linker wrote.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// The section of that name.
    Section(Range),
    /// There is no such section, or no names at all: the segments that hold data, in their order.
    Segments(Vec<Range>),
}

/// Finds a section by its name.
///
/// # Errors
/// [`Error::NotElf`], or [`Error::Malformed`].
pub async fn section(file: &impl Ranges, name: &[u8]) -> Result<Place, Error> {
    let head = file.read_at(0, size_of::<FileHeader64<Endianness>>()).await?;
    if let Ok(header) = FileHeader64::<Endianness>::parse(head.as_slice()) {
        find(file, header, name).await
    } else if let Ok(header) = FileHeader32::<Endianness>::parse(head.as_slice()) {
        find(file, header, name).await
    } else {
        Err(Error::NotElf)
    }
}

async fn find<H: FileHeader<Endian = Endianness>>(file: &impl Ranges, header: &H, name: &[u8]) -> Result<Place, Error> {
    let endian = header.endian().map_err(|_| Error::NotElf)?;
    if let Some(range) = named_section(file, header, endian, name).await? {
        return Ok(Place::Section(range));
    }
    let count = usize::from(header.e_phnum(endian)).min(MOST);
    if usize::from(header.e_phentsize(endian)) != size_of::<H::ProgramHeader>() {
        return Err(Error::Malformed("program header"));
    }
    let table = file.read_at(header.e_phoff(endian).into(), count * size_of::<H::ProgramHeader>()).await?;
    let (segments, _) =
        slice_from_bytes::<H::ProgramHeader>(&table, count).map_err(|()| Error::Malformed("program header"))?;
    let data = segments.iter().filter(|one| one.p_type(endian) == PT_LOAD && one.p_flags(endian) & PF_X == 0);
    let range =
        |one: &H::ProgramHeader| Range { offset: one.p_offset(endian).into(), size: one.p_filesz(endian).into() };
    Ok(Place::Segments(data.map(range).collect()))
}

async fn named_section<H: FileHeader<Endian = Endianness>>(
    file: &impl Ranges,
    header: &H,
    endian: Endianness,
    name: &[u8],
) -> Result<Option<Range>, Error> {
    let offset: u64 = header.e_shoff(endian).into();
    let count = usize::from(header.e_shnum(endian)).min(MOST);
    if offset == 0 || count == 0 || usize::from(header.e_shentsize(endian)) != size_of::<H::SectionHeader>() {
        return Ok(None);
    }
    let table = file.read_at(offset, count * size_of::<H::SectionHeader>()).await?;
    let Ok((sections, _)) = slice_from_bytes::<H::SectionHeader>(&table, count) else { return Ok(None) };
    let range =
        |one: &H::SectionHeader| Range { offset: one.sh_offset(endian).into(), size: one.sh_size(endian).into() };
    let Some(names) = sections.get(usize::from(header.e_shstrndx(endian))).map(range) else { return Ok(None) };
    let length = usize::try_from(names.size).unwrap_or(usize::MAX).min(LONGEST_NAMES);
    let names = file.read_at(names.offset, length).await?;
    let called = |one: &H::SectionHeader| {
        let rest = names.get(one.sh_name(endian) as usize..)?;
        rest.split(|&byte| byte == 0).next()
    };
    Ok(sections.iter().find(|one| called(one) == Some(name)).map(range))
}

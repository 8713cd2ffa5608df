//! Which function of a program or a library an address is in, by the table of symbols in its file (elf(5)). Everything in it may
//! be a lie.

use object::Endianness;
use object::elf::{
    FileHeader64, PT_LOAD, ProgramHeader64, SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, STT_NOTYPE, SectionHeader64, Sym64,
};
use object::pod::{Pod, slice_from_all_bytes, slice_from_bytes};
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _, Sym as _};

use crate::golang::{Error, Ranges};
use crate::text::Untrusted;

/// The most sections and segments that are looked at.
const MOST: usize = 4096;
/// The largest table of symbols that is read, and the largest table of their names, in bytes.
const LARGEST: u64 = 32 << 20;
/// The longest name that is shown, in bytes.
const LONGEST: usize = 512;

/// The functions of one file.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    /// By address.
    functions: Vec<Function>,
    /// All their names, each with a zero at its end.
    names: Vec<u8>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy)]
struct Function {
    address: u64,
    /// Bytes; 0 if the file does not say.
    size: u64,
    /// Where its name begins.
    name: usize,
}

/// What of the file is loaded where.
#[derive(Debug, Clone, Copy)]
struct Segment {
    offset: u64,
    size: u64,
    address: u64,
}

/// A function, and how far behind its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name. That of a Rust function as it was written, without the compiler's hash.
    pub name: Untrusted,
    /// Bytes.
    pub distance: u64,
}

impl Symbols {
    /// Reads those of a file; a stripped one has none. The table for debuggers wins; a library has another one besides.
    ///
    /// # Errors
    /// [`Error::NotElf`] if it is none of this kind of machine, [`Error::Malformed`], or why it cannot be read.
    pub async fn read(file: &impl Ranges) -> Result<Self, Error> {
        let head = file.read_at(0, size_of::<FileHeader64<Endianness>>()).await?;
        let header = FileHeader64::<Endianness>::parse(head.as_slice()).map_err(|_| Error::NotElf)?;
        let endian = header.endian().map_err(|_| Error::NotElf)?;
        let count = usize::from(header.e_phnum(endian)).min(MOST);
        let parts: Vec<ProgramHeader64<_>> = table(file, header.e_phoff(endian), count, "program header").await?;
        let loaded = parts.iter().filter(|part| part.p_type(endian) == PT_LOAD);
        let segment = |part: &ProgramHeader64<Endianness>| Segment {
            offset: part.p_offset(endian),
            size: part.p_filesz(endian),
            address: part.p_vaddr(endian),
        };
        let segments = loaded.map(segment).collect();
        let count = usize::from(header.e_shnum(endian)).min(MOST);
        let sections: Vec<SectionHeader64<_>> = match header.e_shoff(endian) {
            0 => Vec::new(),
            offset => table(file, offset, count, "section header").await?,
        };
        let of_kind = |kind| sections.iter().find(|section| section.sh_type(endian) == kind);
        let Some(section) = of_kind(SHT_SYMTAB).or_else(|| of_kind(SHT_DYNSYM)) else {
            return Ok(Self { segments, ..Self::default() });
        };
        let names = sections.get(section.sh_link(endian) as usize).ok_or(Error::Malformed("table of symbols"))?;
        let bytes = async |section: &SectionHeader64<Endianness>| {
            let size = section.sh_size(endian).min(LARGEST);
            file.read_at(section.sh_offset(endian), usize::try_from(size).unwrap_or(0)).await
        };
        let (symbols, names) = (bytes(section).await?, bytes(names).await?);
        let whole = symbols.len() / size_of::<Sym64<Endianness>>() * size_of::<Sym64<Endianness>>();
        let symbols = slice_from_all_bytes::<Sym64<Endianness>>(symbols.get(..whole).unwrap_or_default());
        let mut functions: Vec<_> =
            symbols.unwrap_or_default().iter().filter_map(|symbol| function(endian, symbol)).collect();
        // Of several at one address the last one wins: the largest.
        functions.sort_by_key(|function| (function.address, function.size));
        Ok(Self { functions, names, segments })
    }

    /// What is at a place of the file, in bytes from its beginning.
    #[must_use]
    pub fn at(&self, offset: u64) -> Option<Symbol> {
        let holds = |segment: &&Segment| offset.checked_sub(segment.offset).is_some_and(|into| into < segment.size);
        let segment = self.segments.iter().find(holds)?;
        let address = segment.address.checked_add(offset - segment.offset)?;
        let at = self.functions.partition_point(|function| function.address <= address).checked_sub(1)?;
        let function = self.functions.get(at)?;
        let distance = address - function.address;
        // What an assembler wrote may have no size.
        if function.size > 0 && distance >= function.size {
            return None;
        }
        let name = self.names.get(function.name..)?.split(|&byte| byte == 0).next()?;
        Some(Symbol { name: readable(name.get(..LONGEST).unwrap_or(name)), distance })
    }
}

fn function(endian: Endianness, symbol: &Sym64<Endianness>) -> Option<Function> {
    // What is there and has a name; assemblers do not say what it is.
    let is_one = matches!(symbol.st_type(), STT_FUNC | STT_NOTYPE) && symbol.st_shndx(endian) != 0;
    let name = usize::try_from(symbol.st_name(endian)).ok().filter(|&name| name > 0 && is_one)?;
    Some(Function { address: symbol.st_value(endian), size: symbol.st_size(endian), name })
}

/// A name as it was written, if Rust's compiler made it.
fn readable(name: &[u8]) -> Untrusted {
    let text = std::str::from_utf8(name).ok().and_then(|name| rustc_demangle::try_demangle(name).ok());
    // It may grow: names can repeat their parts.
    let text = text.map(|name| format!("{name:#}")).filter(|name| name.len() <= LONGEST * 4);
    text.map_or_else(|| name.into(), |name| name.as_str().into())
}

async fn table<T: Pod>(file: &impl Ranges, offset: u64, count: usize, what: &'static str) -> Result<Vec<T>, Error> {
    let bytes = file.read_at(offset, count * size_of::<T>()).await?;
    let (lines, _) = slice_from_bytes::<T>(&bytes, count).map_err(|()| Error::Malformed(what))?;
    Ok(lines.to_vec())
}

/// Parses arbitrary bytes. For fuzzing: must not panic, nor go on for ever.
pub fn fuzz(bytes: &[u8]) {
    use futures_util::FutureExt as _;
    // Bytes are there at once.
    if let Some(Ok(symbols)) = Symbols::read(&bytes).now_or_never() {
        for offset in [0, 0x1000, bytes.len() as u64, u64::MAX] {
            let _ = symbols.at(offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Symbols, Error> {
        Symbols::read(&bytes).now_or_never().unwrap()
    }

    /// A file with one segment at 0x400000, and these functions: address, bytes, name.
    fn program(kind: u32, functions: &[(u64, u64, &str)]) -> Vec<u8> {
        let (mut names, mut symbols) = (vec![0], vec![0; 24]);
        for (address, size, name) in functions {
            symbols.extend(u32::try_from(names.len()).unwrap().to_le_bytes());
            symbols.extend([STT_FUNC, 0, 1, 0]);
            symbols.extend([*address, *size].iter().flat_map(|word| word.to_le_bytes()));
            names.extend(name.as_bytes());
            names.push(0);
        }
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        bytes.resize(16, 0);
        bytes.extend([2_u16, 62].iter().flat_map(|half| half.to_le_bytes()));
        bytes.extend(1_u32.to_le_bytes());
        let (segments_at, symbols_at) = (64, 64 + 56);
        let names_at = symbols_at + symbols.len();
        let sections_at = names_at + names.len();
        bytes.extend([0, segments_at, sections_at].iter().flat_map(|word| (*word as u64).to_le_bytes()));
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend([64_u16, 56, 1, 64, 3, 0].iter().flat_map(|half| half.to_le_bytes()));
        bytes.extend([PT_LOAD, 5].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend([0_u64, 0x40_0000, 0, 0x10000, 0x10000, 4096].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(&symbols);
        bytes.extend(&names);
        for (kind, at, size) in [(0, 0, 0), (kind, symbols_at, symbols.len()), (3, names_at, names.len())] {
            bytes.extend([0, kind].iter().flat_map(|word: &u32| word.to_le_bytes()));
            bytes.extend([0, 0, at, size].iter().flat_map(|word| (*word as u64).to_le_bytes()));
            bytes.extend([2, 0].iter().flat_map(|word: &u32| word.to_le_bytes()));
            bytes.extend([0_u64, 24].iter().flat_map(|word| word.to_le_bytes()));
        }
        bytes
    }

    #[test]
    fn the_function_that_an_address_is_in() {
        let functions =
            [(0x40_2000, 0x10, "main"), (0x40_1000, 0x100, "first"), (0x40_1000, 0, "alias"), (0x40_3000, 0, "loop")];
        for kind in [SHT_SYMTAB, SHT_DYNSYM] {
            let symbols = read(&program(kind, &functions)).unwrap();
            let at = |offset| symbols.at(offset).map(|found| (found.name.lossy().into_owned(), found.distance));
            assert_eq!(at(0x1000), Some(("first".to_owned(), 0)));
            assert_eq!(at(0x10ff), Some(("first".to_owned(), 0xff)));
            assert_eq!(at(0x1100), None);
            assert_eq!(at(0x2004), Some(("main".to_owned(), 4)));
            assert_eq!(at(0x3456), Some(("loop".to_owned(), 0x456)));
            assert_eq!((at(0xfff), at(0x1_0000), at(u64::MAX)), (None, None, None));
        }
        assert!(read(&program(1, &functions)).unwrap().at(0x1000).is_none());
        assert!(matches!(read(b"no"), Err(Error::NotElf)));
    }

    #[test]
    fn names_of_rust_are_as_they_were_written() {
        let shown = |name: &str| readable(name.as_bytes()).lossy().into_owned();
        assert_eq!(shown("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"), "core::fmt::Write::write_fmt");
        assert_eq!(shown("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
        assert_eq!((shown("main"), shown("_Znwm")), ("main".to_owned(), "_Znwm".to_owned()));
    }

    #[test]
    fn of_this_program() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let symbols = Symbols::read(&file).now_or_never().unwrap().unwrap();
        let here = symbols.functions.iter().any(|function| {
            let name = symbols.names.get(function.name..).and_then(|rest| rest.split(|&byte| byte == 0).next());
            name.is_some_and(|name| readable(name).lossy().contains("symbols::tests::of_this_program"))
        });
        assert!(here, "{} functions", symbols.functions.len());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>, at in 0_usize..500, byte: u8) {
            fuzz(&bytes);
            let mut file = program(SHT_SYMTAB, &[(0x40_1000, 0x100, "first"), (0x40_2000, 0, "second")]);
            if let Some(there) = file.get_mut(at) {
                *there = byte;
            }
            fuzz(&file);
        }
    }
}

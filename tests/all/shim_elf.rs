//! What the shim is made of, proved on the bytes that are injected.

use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _};

type Header = elf::FileHeader64<object::Endianness>;

/// The bar, in bytes.
const BAR: usize = 48 << 10;

#[test]
fn it_is_small() {
    let len = scratchdbg::entry::SHIM.len();
    println!("the shim has {len} bytes");
    assert!(len <= BAR, "{len} bytes");
}

#[test]
fn it_is_static_and_nothing_can_be_written_and_run() {
    let data = scratchdbg::entry::SHIM;
    let header = Header::parse(data).unwrap();
    let endian = header.endian().unwrap();
    assert_eq!(header.e_type(endian), elf::ET_EXEC);
    let segments = header.program_headers(endian, data).unwrap();
    assert!(!segments.is_empty());
    for segment in segments {
        let kind = segment.p_type(endian);
        assert_ne!(kind, elf::PT_INTERP, "it has an interpreter");
        assert_ne!(kind, elf::PT_DYNAMIC, "it has a dynamic section");
        let flags = segment.p_flags(endian);
        assert_ne!(flags & (elf::PF_W | elf::PF_X), elf::PF_W | elf::PF_X, "a segment can be written and run");
    }
    let stack = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_GNU_STACK);
    assert_eq!(stack.map(|stack| stack.p_flags(endian) & elf::PF_X), Some(0), "its stack can be run");
}

#[test]
fn nothing_of_a_libc_is_in_it() {
    let data = scratchdbg::entry::SHIM;
    let header = Header::parse(data).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, data).unwrap();
    for section in sections.iter() {
        let kind = section.sh_type(endian);
        assert!(![elf::SHT_DYNAMIC, elf::SHT_DYNSYM].contains(&kind), "it has dynamic symbols");
        // Without a symbol table there can be no libc symbol; with one (SCRATCHDBG_SHIM) it is read.
        if kind == elf::SHT_SYMTAB {
            let symbols = sections.symbols(endian, data, elf::SHT_SYMTAB).unwrap();
            for symbol in symbols.iter() {
                use object::read::elf::Sym as _;
                let name = symbols.symbol_name(endian, symbol).unwrap();
                for libc in ["__libc", "getaddrinfo", "dlopen", "iconv_open", "malloc", "printf", "pthread_"] {
                    assert!(!name.starts_with(libc.as_bytes()) || symbol.st_size(endian) == 0, "it has {libc}");
                }
            }
        }
    }
    // What a libc leaves in the bytes of any program that links it.
    for trace in [&b"GLIBC_"[..], b"nsswitch", b"/etc/resolv.conf", b"ld-linux", b"musl"] {
        assert!(!data.windows(trace.len()).any(|bytes| bytes == trace), "{}", String::from_utf8_lossy(trace));
    }
}

//! Which version of DWARF a program's debug information is in: dwarfstd.org, "Unit Headers".

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use object::elf::{ELFCOMPRESS_ZLIB, SHF_COMPRESSED};

use super::outline::Outline;
use super::{Error, Ranges};

/// Bytes of a section that are enough to unpack its first unit's header.
const ENOUGH: usize = 256;
/// Bytes that a unit begins with: a length of 4 or of 12, and the version.
const HEAD: usize = 14;

/// The version of the first unit. `None` if there is no debug information, or none that is understood.
///
/// # Errors
/// That the file cannot be read.
pub async fn version(file: &impl Ranges, outline: &Outline) -> Result<Option<u16>, Error> {
    for (name, old) in [(b".debug_info".as_slice(), false), (b".zdebug_info", true)] {
        let Some(section) = outline.section(name).filter(|section| section.range.size > 0) else { continue };
        let length = usize::try_from(section.range.size).unwrap_or(ENOUGH).min(ENOUGH);
        let bytes = file.read_at(section.range.offset, length).await?;
        let head = if old {
            // `ZLIB` and the length, eight bytes: as linkers did it before the flag.
            unpacked(bytes.get(12..).unwrap_or_default())
        } else if section.flags & u64::from(SHF_COMPRESSED) != 0 {
            let header = if outline.is_64 { 24 } else { 12 };
            let is_zlib = bytes.get(..4).and_then(|kind| kind.try_into().ok()).map(|kind| outline.u32(kind));
            if is_zlib != Some(ELFCOMPRESS_ZLIB) {
                return Ok(None);
            }
            unpacked(bytes.get(header..).unwrap_or_default())
        } else {
            bytes
        };
        return Ok(of_unit(&head, outline.is_little));
    }
    Ok(None)
}

/// The first bytes of what is packed.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    // Cut short, it ends with an error: what came before is enough.
    let _ = ZlibDecoder::new(packed).take(HEAD as u64).read_to_end(&mut head);
    head
}

fn of_unit(head: &[u8], is_little: bool) -> Option<u16> {
    let at = if head.get(..4)? == [0xff; 4] { 12 } else { 4 };
    let bytes = head.get(at..at + 2)?.try_into().ok()?;
    let version = if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) };
    (2..=5).contains(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_units_version() {
        assert_eq!(of_unit(b"\x10\0\0\0\x05\0", true), Some(5));
        assert_eq!(of_unit(b"\0\0\0\x10\0\x04", false), Some(4));
        assert_eq!(of_unit(b"\xff\xff\xff\xff\x10\0\0\0\0\0\0\0\x05\0", true), Some(5));
        for bad in [&b""[..], b"\x10\0\0\0\x05", b"\x10\0\0\0\x09\0", b"\xff\xff\xff\xff\x05\0"] {
            assert_eq!(of_unit(bad, true), None, "{bad:?}");
        }
        assert_eq!(unpacked(b"no zlib"), b"");
    }
}

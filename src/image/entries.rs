//! What is in a tar archive, one header after the other, without reading the files: pax(1), and GNU tar's long names.
//!
//! The headers are taken apart by the crate `tar`. Its own iterator takes names of any length into memory, which an archive
//! of some bytes can make as long as it likes once unpacked.

use tar::{EntryType, Header, PaxExtensions};

use super::{Blob, Error};

/// Bytes of a header, and what everything is a multiple of.
const BLOCK: u64 = 512;
/// The longest name, in bytes (`PATH_MAX`).
pub const LONGEST_NAME: usize = 4096;
/// The longest extension of a header, in bytes.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, as it is written.
    pub name: Vec<u8>,
    /// Where a link leads.
    pub link: Vec<u8>,
    /// What it is.
    pub kind: EntryType,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Where its bytes begin in the archive.
    pub offset: u64,
}

/// What an extension says of the next file.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
}

/// Goes through an archive.
///
/// # Errors
/// [`Error::Malformed`], what `each` says, or that it cannot be read.
pub fn each(archive: &Blob, mut each: impl FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
    let read = |at, length| archive.bytes(at, length).map_err(|error| Error::io("read the image", &error));
    let (mut at, mut said) = (0, Said::default());
    loop {
        let block = read(at, Header::new_old().as_bytes().len())?;
        // It ends with blocks of zeros; some leave them out.
        if block.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let header = Header::from_byte_slice_checked(&block).ok_or(Error::Malformed("archive"))?;
        let number = header.entry_size().map_err(|_| Error::Malformed("archive"))?;
        let kind = header.entry_type();
        let size = if is_extension(kind) { number } else { said.size.unwrap_or(number) };
        let offset = at + BLOCK;
        let next = size.checked_next_multiple_of(BLOCK).and_then(|size| size.checked_add(offset));
        at = next.filter(|_| size <= archive.length().saturating_sub(offset)).ok_or(Error::Malformed("archive"))?;
        if is_extension(kind) {
            let longest = if kind.is_gnu_longname() || kind.is_gnu_longlink() {
                LONGEST_NAME as u64 + 1
            } else {
                LONGEST_EXTENSION
            };
            if size > longest {
                return Err(Error::Malformed("archive"));
            }
            let text = read(offset, usize::try_from(size).unwrap_or_default())?;
            said.take(kind, text);
            continue;
        }
        let Said { name, link, uid, gid, .. } = std::mem::take(&mut said);
        let id = |id: Result<u64, _>| id.ok().and_then(|id| u32::try_from(id).ok()).unwrap_or_default();
        let entry = Entry {
            name: name.unwrap_or_else(|| header.path_bytes().into_owned()),
            link: link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned)).unwrap_or_default(),
            kind,
            mode: header.mode().unwrap_or_default() & 0o7777,
            uid: uid.unwrap_or_else(|| id(header.uid())),
            gid: gid.unwrap_or_else(|| id(header.gid())),
            size,
            offset,
        };
        if entry.name.len() <= LONGEST_NAME && entry.link.len() <= LONGEST_NAME {
            each(entry)?;
        }
    }
}

fn is_extension(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

impl Said {
    fn take(&mut self, kind: EntryType, mut text: Vec<u8>) {
        let until_zero =
            |text: &mut Vec<u8>| text.truncate(text.iter().position(|&byte| byte == 0).unwrap_or(text.len()));
        if kind.is_gnu_longname() {
            until_zero(&mut text);
            self.name = Some(text);
        } else if kind.is_gnu_longlink() {
            until_zero(&mut text);
            self.link = Some(text);
        } else if kind.is_pax_local_extensions() {
            for extension in PaxExtensions::new(&text).flatten() {
                let value = extension.value_bytes();
                let number = || std::str::from_utf8(value).ok();
                match extension.key_bytes() {
                    b"path" => self.name = Some(value.to_vec()),
                    b"linkpath" => self.link = Some(value.to_vec()),
                    b"size" => self.size = number().and_then(|text| text.parse().ok()),
                    b"uid" => self.uid = number().and_then(|text| text.parse().ok()),
                    b"gid" => self.gid = number().and_then(|text| text.parse().ok()),
                    _ => {}
                }
            }
        }
    }
}

/// A header whose sum is right.
trait Checked: Sized {
    fn from_byte_slice_checked(block: &[u8]) -> Option<&Self>;
}

impl Checked for Header {
    fn from_byte_slice_checked(block: &[u8]) -> Option<&Self> {
        let header = (block.len() == Self::new_old().as_bytes().len()).then(|| Self::from_byte_slice(block))?;
        // The sum counts its own field as blanks (pax(1), "ustar Interchange Format").
        let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
        let found = sum(block.get(..148)?) + 8 * u32::from(b' ') + sum(block.get(156..)?);
        (header.cksum().ok()? == found).then_some(header)
    }
}

//! The build id: what ties a debug file to the program that it was cut from (`.note.gnu.build-id`, elf(5)).

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::{Error, Ranges, outline};

/// The longest, in bytes. Linkers write 8, 16 or 20.
const LONGEST: usize = 32;
/// The shortest that makes the names of a folder and a file, in bytes.
const SHORTEST: usize = 2;
/// Whose note it is, with the zero behind it.
const OWNER: &[u8] = b"GNU\0";
/// `NT_GNU_BUILD_ID`.
const KIND: u32 = 3;

/// The same in a program and in its debug file, and in no other.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildId {
    bytes: [u8; LONGEST],
    length: u8,
}

impl BuildId {
    /// Takes one over.
    #[must_use]
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..id.len()).filter(|room| room.len() >= SHORTEST)?.copy_from_slice(id);
        Some(Self { bytes, length: u8::try_from(id.len()).ok()? })
    }

    /// From the section. It may hold anything.
    #[must_use]
    pub fn parse(note: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(note.get(at..at + 4)?.try_into().ok()?));
        let (owner, length, kind) = (number(0)? as usize, number(4)? as usize, number(8)?);
        let (is_owner, id) = (note.get(12..)?.starts_with(OWNER), note.get(12 + OWNER.len()..)?);
        let is_one = owner == OWNER.len() && is_owner && kind == KIND;
        is_one.then(|| Self::new(id.get(..length)?)).flatten()
    }

    /// Where its debug file is below a folder of them: `.build-id`, `ab`, `cdef.debug`. Nothing but digits, whatever it is of.
    #[must_use]
    pub fn path(&self) -> [String; 3] {
        let text = self.to_string();
        let (first, rest) = text.split_at(2);
        [".build-id".to_owned(), first.to_owned(), format!("{rest}.debug")]
    }

    fn bytes(&self) -> &[u8] {
        // What one half sends to the other may say any length.
        self.bytes.get(..usize::from(self.length).max(SHORTEST)).unwrap_or(&self.bytes)
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(2 * LONGEST);
        for byte in self.bytes() {
            write!(text, "{byte:02x}")?;
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Of a program's file, if it has one.
///
/// # Errors
/// See [`Error`].
pub async fn read(file: &impl Ranges) -> Result<Option<BuildId>, Error> {
    let outline = outline::read(file).await?;
    let Some(range) = outline.section(b".note.gnu.build-id").map(|section| section.range) else { return Ok(None) };
    let longest = 12 + OWNER.len() + LONGEST;
    let length = usize::try_from(range.size).unwrap_or(longest).min(longest);
    Ok(BuildId::parse(&file.read_at(range.offset, length).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(owner: u32, length: u32, kind: u32, rest: &[u8]) -> Vec<u8> {
        let numbers = [owner, length, kind].into_iter().flat_map(u32::to_le_bytes);
        numbers.chain(rest.iter().copied()).collect()
    }

    #[test]
    fn a_note_is_read() {
        let id = BuildId::parse(&note(4, 4, 3, b"GNU\0\xab\xcd\xef\x01")).unwrap();
        assert_eq!(id.to_string(), "abcdef01");
        assert_eq!(id.path(), [".build-id", "ab", "cdef01.debug"]);
        for bad in [
            note(4, 4, 3, b"GNU\0\xab\xcd\xef"),
            note(4, 4, 4, b"GNU\0\xab\xcd\xef\x01"),
            note(4, 4, 3, b"Go\0\0\xab\xcd\xef\x01"),
            note(3, 4, 3, b"GNU\0\xab\xcd\xef\x01"),
            note(4, u32::MAX, 3, b"GNU\0\xab\xcd\xef\x01"),
            note(4, 33, 3, &[b"GNU\0".as_slice(), &[7; 33]].concat()),
            note(4, 1, 3, b"GNU\0\xab"),
            note(4, 0, 3, b"GNU\0"),
            b"GNU".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(BuildId::parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn whatever_is_sent_its_path_is_digits() {
        for length in [0, 1, 2, 32, 33, 255] {
            let [folder, first, rest] = BuildId { bytes: [b'/'; LONGEST], length }.path();
            assert_eq!((folder.as_str(), first.len()), (".build-id", 2));
            let (name, end) = rest.rsplit_once('.').unwrap();
            assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit()) && end == "debug", "{rest}");
        }
    }
}

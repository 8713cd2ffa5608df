//! `.go.buildinfo`: Go version, module, dependencies and settings, as the linker wrote them.
//!
//! The format is that of Go's own `debug/buildinfo` since Go 1.18: a header of 32 bytes, then two strings with
//! their lengths before them.

mod quoted;

use serde::Serialize;

use super::outline::{self, Range};
use super::{Error, Ranges};
use crate::text::Untrusted;

/// How the header begins.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the header can stand: multiples of this.
const ALIGN: usize = 16;
/// Bytes of the header.
const HEADER: usize = 32;
/// The flag for strings that follow the header, and not pointers to them.
const INLINE: u8 = 2;
/// The longest version, in bytes. `go1.27.3 X:boringcrypto,…` is far below.
const LONGEST_VERSION: u64 = 1 << 10;
/// The longest module information, in bytes: some 10,000 dependencies.
const LONGEST_MODULES: u64 = 1 << 20;
/// How far the header is looked for in a file without section names, in bytes of each segment.
const LONGEST_SEARCH: u64 = 4 << 20;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// The most segments that are searched.
const MOST_SEGMENTS: usize = 8;
/// What the linker puts around module information: 16 bytes on each side (`runtime/debug.modinfo`).
const GUARD: usize = 16;

/// What a Go program says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BuildInfo {
    /// Version of Go that built it (`go1.27.3`).
    pub go_version: Untrusted,
    /// Import path of the main package.
    pub path: Option<Untrusted>,
    /// The module it belongs to.
    pub main: Option<Module>,
    /// Modules built into it.
    pub dependencies: Vec<Module>,
    /// How it was built: `-trimpath`, `CGO_ENABLED`, `vcs.revision`, …
    pub settings: Vec<(Untrusted, Untrusted)>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Module {
    /// Its path.
    pub path: Untrusted,
    /// Its version; `(devel)` of a working tree.
    pub version: Untrusted,
    /// Its checksum, if it has one.
    pub sum: Option<Untrusted>,
    /// What was taken in its place.
    pub replaced_by: Option<Box<Module>>,
}

impl BuildInfo {
    /// The value of a build setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Untrusted> {
        self.settings.iter().find(|(key, _)| key.bytes() == name.as_bytes()).map(|(_, value)| value)
    }
}

/// Reads what a program says of itself.
///
/// # Errors
/// See [`Error`].
pub async fn read(file: &impl Ranges) -> Result<BuildInfo, Error> {
    let outline = outline::read(file).await?;
    let start = match outline.section(b".go.buildinfo") {
        Some(section) => section.range.offset,
        None => search(file, outline.data()).await?.ok_or(Error::NotGo)?,
    };
    let header = file.read_at(start, HEADER).await?;
    if !header.starts_with(MAGIC) {
        return Err(Error::NotGo);
    }
    match header.get(MAGIC.len() + 1) {
        Some(flags) if flags & INLINE != 0 => {}
        Some(_) => return Err(Error::TooOld),
        None => return Err(Error::Malformed("build information")),
    }
    let mut at = start.saturating_add(HEADER as u64);
    let version = string(file, &mut at, LONGEST_VERSION).await?;
    let modules = string(file, &mut at, LONGEST_MODULES).await?;
    Ok(parse(version, &modules))
}

async fn search(file: &impl Ranges, segments: impl Iterator<Item = Range>) -> Result<Option<u64>, Error> {
    for segment in segments.take(MOST_SEGMENTS) {
        let size = segment.size.min(LONGEST_SEARCH);
        let mut done = 0;
        while done < size {
            let length = usize::try_from(size - done).unwrap_or(CHUNK).min(CHUNK);
            let offset = segment.offset.saturating_add(done);
            let bytes = file.read_at(offset, length).await?;
            // Chunks are multiples of the alignment, so the magic never lies across two of them.
            for (line, found) in bytes.chunks(ALIGN).zip(0_u64..).filter(|(line, _)| line.starts_with(MAGIC)) {
                let start = offset.saturating_add(found * ALIGN as u64);
                let rest = file.read_at(start.saturating_add(ALIGN as u64), HEADER - ALIGN).await?;
                if is_header(line, &rest) {
                    return Ok(Some(start));
                }
            }
            if bytes.len() < length {
                break;
            }
            done += length as u64;
        }
    }
    Ok(None)
}

/// Whether the magic begins a header. Who reads Go programs has the magic among its own constants, as this one does.
fn is_header(line: &[u8], rest: &[u8]) -> bool {
    match (line.get(MAGIC.len()), line.get(MAGIC.len() + 1)) {
        (Some(_), Some(flags)) if flags & INLINE != 0 => rest.iter().all(|&byte| byte == 0),
        (Some(size), Some(flags)) => matches!(size, 4 | 8) && *flags <= 1,
        _ => false,
    }
}

/// A string with its length before it (`binary.Uvarint`), at most `longest` bytes.
async fn string(file: &impl Ranges, at: &mut u64, longest: u64) -> Result<Vec<u8>, Error> {
    let malformed = || Error::Malformed("build information");
    let prefix = file.read_at(*at, 10).await?;
    let (length, used) = uvarint(&prefix).filter(|&(length, _)| length <= longest).ok_or_else(malformed)?;
    let start = at.saturating_add(used as u64);
    *at = start.saturating_add(length);
    let length = usize::try_from(length).map_err(|_| malformed())?;
    let text = file.read_at(start, length).await?;
    if text.len() == length { Ok(text) } else { Err(malformed()) }
}

fn uvarint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(index).ok()? * 7)?;
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Takes the strings apart. What is not understood is left out.
fn parse(version: Vec<u8>, modules: &[u8]) -> BuildInfo {
    let mut info = BuildInfo { go_version: Untrusted::new(version), ..BuildInfo::default() };
    // As Go itself tells: guards on both sides, and a line end before the second.
    let guarded = modules.len() > 2 * GUARD && modules.get(modules.len() - GUARD - 1) == Some(&b'\n');
    let text = if guarded { modules.get(GUARD..modules.len() - GUARD).unwrap_or_default() } else { &[] };
    for line in text.split(|&byte| byte == b'\n') {
        let mut words = line.split(|&byte| byte == b'\t');
        let Some(key) = words.next() else { continue };
        match key {
            b"path" => info.path = words.next().map(Untrusted::from),
            b"mod" => info.main = module(words),
            b"dep" => info.dependencies.extend(module(words)),
            b"=>" => {
                let replaced = info.dependencies.last_mut().or(info.main.as_mut());
                if let Some(replaced) = replaced {
                    replaced.replaced_by = module(words).map(Box::new);
                }
            }
            b"build" => {
                let rest = line.get(key.len() + 1..).unwrap_or_default();
                info.settings.extend(setting(rest));
            }
            _ => {}
        }
    }
    info
}

fn module<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Module> {
    Some(Module {
        path: words.next()?.into(),
        version: words.next().unwrap_or_default().into(),
        sum: words.next().filter(|sum| !sum.is_empty()).map(Untrusted::from),
        replaced_by: None,
    })
}

/// `KEY=VALUE`, either of them quoted as Go quotes strings where it has to.
fn setting(text: &[u8]) -> Option<(Untrusted, Untrusted)> {
    let (key, value) = match text.first()? {
        b'"' | b'`' => {
            let (key, rest) = quoted::prefix(text)?;
            (key, rest.strip_prefix(b"=")?)
        }
        _ => {
            let at = memchr::memchr(b'=', text)?;
            (text.get(..at)?.to_vec(), text.get(at + 1..)?)
        }
    };
    // What is quoted badly is shown as it stands.
    let value = match quoted::prefix(value) {
        Some((inner, [])) => inner,
        _ => value.to_vec(),
    };
    Some((Untrusted::new(key), Untrusted::new(value)))
}

#[cfg(test)]
mod tests;

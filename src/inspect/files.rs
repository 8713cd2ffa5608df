//! Files: listings, kinds, and what may be viewed.

pub mod content;
pub mod kind;
pub mod list;
pub mod view;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::text::Untrusted;
use crate::wire;

pub use kind::{Kind, mode_string};
pub use list::{Listing, MAX_ENTRIES, list, look, mount_of, sort};
pub use view::{View, view};

/// One file of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: Untrusted,
    /// What it is.
    pub kind: Kind,
    /// What is known of it; `None` if it went away while being listed, or may not be looked at.
    pub meta: Option<Meta>,
    /// Where a symlink points, as it is written.
    pub link: Option<Untrusted>,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Permission bits, 12 of them.
    pub mode: u32,
    /// Owner inside.
    pub uid: u32,
    /// Group inside.
    pub gid: u32,
    /// Hard links.
    pub nlink: u32,
    /// Bytes.
    pub size: u64,
    /// Last change of the contents.
    pub modified: SystemTime,
    /// Major and minor of a device.
    pub device: Option<(u32, u32)>,
}

impl From<&wire::Stat> for Meta {
    fn from(stat: &wire::Stat) -> Self {
        let device = matches!(Kind::of_mode(stat.mode), Kind::Character | Kind::Block);
        Self {
            mode: stat.mode & 0o7777,
            uid: stat.uid,
            gid: stat.gid,
            nlink: stat.nlink,
            size: stat.size,
            modified: time(stat.mtime, stat.mtime_ns),
            device: device.then_some((stat.rdev_major, stat.rdev_minor)),
        }
    }
}

/// A time stamp; the epoch for one that cannot be told.
#[must_use]
pub fn time(seconds: i64, nanos: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    base.and_then(|base| base.checked_add(Duration::from_nanos(nanos.into()))).unwrap_or(UNIX_EPOCH)
}

/// A path with a name below it.
#[must_use]
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    path.extend_from_slice(directory);
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// The last name of a path; `None` where it has none (`/`, `/a/..`).
#[must_use]
pub fn file_name(path: &[u8]) -> Option<&[u8]> {
    let name = path.rsplit(|&byte| byte == b'/').find(|part| !part.is_empty())?;
    (name != b"." && name != b"..").then_some(name)
}

/// A size for a person, in at most five characters: `0B`, `1023B`, `1.5K` (units of 1024), `16E`.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut unit = 0;
    let mut scaled = bytes;
    while scaled >= 1 << 20 && unit + 1 < UNITS.len() {
        scaled >>= 10;
        unit += 1;
    }
    // Tenths, rounded up as `ls -h` and `du -h` do.
    let tenths = (scaled * 10).div_ceil(1024);
    match (tenths, tenths.div_ceil(10)) {
        (..100, _) => format!("{}.{}{}", tenths / 10, tenths % 10, UNITS[unit]),
        (_, 1024..) if unit + 1 < UNITS.len() => format!("1.0{}", UNITS[unit + 1]),
        (_, whole) => format!("{whole}{}", UNITS[unit]),
    }
}

#[cfg(test)]
#[allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(join(b"/", b"a"), b"/a");
        assert_eq!(join(b"/a", b"b"), b"/a/b");
        for (path, name) in [("/", None), ("/a/b", Some("b")), ("/a/b//", Some("b")), ("/a/..", None), ("", None)] {
            assert_eq!(file_name(path.as_bytes()), name.map(str::as_bytes), "{path}");
        }
    }

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0K"),
            (1536, "1.5K"),
            (10 * 1024, "10K"),
            (10 * 1024 + 1, "11K"),
            (1023 * 1024 + 1, "1.0M"),
            (8_584_398, "8.2M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn times_never_overflow() {
        assert_eq!(time(1, 500_000_000), UNIX_EPOCH + Duration::from_millis(1500));
        assert_eq!(time(-1, 0), UNIX_EPOCH - Duration::from_secs(1));
        for seconds in [i64::MIN, i64::MAX] {
            time(seconds, u32::MAX);
        }
    }
}

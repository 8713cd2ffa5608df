//! What a file is, and its permissions as `ls -l` writes them.

use std::fmt;

use serde::Serialize;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Directory,
    /// Symbolic link.
    Symlink,
    /// Named pipe.
    Fifo,
    /// Socket.
    Socket,
    /// Character device.
    Character,
    /// Block device.
    Block,
    /// The file system does not say.
    Unknown,
}

impl Kind {
    /// From `st_mode` (inode(7)).
    #[must_use]
    pub fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            0o020_000 => Self::Character,
            0o060_000 => Self::Block,
            _ => Self::Unknown,
        }
    }

    /// From `d_type` of readdir(3): the same numbers, 12 bits further down.
    #[must_use]
    pub fn of_dirent(kind: u8) -> Self {
        if kind > 0o17 { Self::Unknown } else { Self::of_mode(u32::from(kind) << 12) }
    }

    /// The first letter of `ls -l`.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::File => '-',
            Self::Directory => 'd',
            Self::Symlink => 'l',
            Self::Fifo => 'p',
            Self::Socket => 's',
            Self::Character => 'c',
            Self::Block => 'b',
            Self::Unknown => '?',
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::File => "regular file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
            Self::Character => "character device",
            Self::Block => "block device",
            Self::Unknown => "file of unknown kind",
        })
    }
}

/// Kind and permissions as `ls -l` writes them: `-rwsr-xr-t`. Always ten characters.
#[must_use]
pub fn mode_string(kind: Kind, mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(kind.letter());
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, false) => letter.to_ascii_uppercase(),
            (true, true) => letter,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ls_writes_them() {
        for (mode, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o041_777, "drwxrwxrwt"),
            (0o104_755, "-rwsr-xr-x"),
            (0o106_644, "-rwSr-Sr--"),
            (0o120_777, "lrwxrwxrwx"),
            (0o020_666, "crw-rw-rw-"),
            (0o060_660, "brw-rw----"),
            (0o010_600, "prw-------"),
            (0o140_755, "srwxr-xr-x"),
            (0o041_776, "drwxrwxrwT"),
            (0, "?---------"),
        ] {
            assert_eq!(mode_string(Kind::of_mode(mode), mode), text);
        }
    }

    #[test]
    fn both_ways_to_tell_agree() {
        for (dirent, kind) in [
            (0, Kind::Unknown),
            (1, Kind::Fifo),
            (2, Kind::Character),
            (4, Kind::Directory),
            (6, Kind::Block),
            (8, Kind::File),
            (10, Kind::Symlink),
            (12, Kind::Socket),
            (14, Kind::Unknown),
            (255, Kind::Unknown),
        ] {
            assert_eq!(Kind::of_dirent(dirent), kind);
        }
    }
}

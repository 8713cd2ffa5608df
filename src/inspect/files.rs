//! Files: listings, kinds, and what may be viewed.

use std::time::SystemTime;

use serde::Serialize;

use crate::text::Untrusted;

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

impl Kind {
    /// From `st_mode` (inode(7)).
    #[must_use]
    pub fn from_mode(mode: u32) -> Self {
        match mode & libc::S_IFMT {
            libc::S_IFREG => Self::File,
            libc::S_IFDIR => Self::Directory,
            libc::S_IFLNK => Self::Symlink,
            libc::S_IFIFO => Self::Fifo,
            libc::S_IFSOCK => Self::Socket,
            libc::S_IFCHR => Self::Character,
            libc::S_IFBLK => Self::Block,
            _ => Self::Unknown,
        }
    }

    /// In words, with an article.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::Fifo => "a named pipe",
            Self::Socket => "a socket",
            Self::Character => "a character device",
            Self::Block => "a block device",
            Self::Unknown => "of an unknown kind",
        }
    }
}

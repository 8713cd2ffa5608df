//! The protocol between the host and the shim: one set of messages through every door.
//!
//! A frame is a little-endian `u32` length and that many bytes of [postcard](https://postcard.jamesmunns.com/wire-format)
//! holding one [`Request`] (host to shim) or one [`Reply`] (shim to host). The first frame on a new
//! connection is a `Reply` with id 0 and [`Body::Hello`]. Requests carry an id the host chose; every
//! reply names the request it answers. Streams (`List`, `Read`, `Tunnel`) send chunks only while the
//! host has granted credit, and end with [`Body::End`] or [`Body::Failed`]. Locally a reply of
//! [`Body::Opened`] or [`Body::Connected`] carries exactly one descriptor (`SCM_RIGHTS`).
//!
//! This file is compiled twice: into the shim (`no_std`, no allocation) and into the host. It
//! borrows everything and knows nothing of either side.

use serde::{Deserialize, Serialize};

/// Raised whenever the meaning of a frame changes. Both sides are built together, so they must be equal.
pub const VERSION: u16 = 4;
/// The largest frame either side accepts, in bytes, without the length prefix.
pub const MAX_FRAME: usize = 1 << 20;
/// The largest request the shim accepts, in bytes: a path of `PATH_MAX` and some room.
pub const MAX_REQUEST: usize = 8 << 10;
/// The longest path in a request, in bytes (`PATH_MAX`, limits.h).
pub const MAX_PATH: usize = 4096;
/// The largest chunk of a stream, in bytes of payload.
pub const CHUNK: usize = 128 << 10;
/// How many streams one connection may have open at once.
pub const MAX_STREAMS: usize = 32;
/// How many tunnels one connection may have open at once.
pub const MAX_TUNNELS: usize = 128;
/// The largest chunk of what comes out of a tunnel, in bytes of payload.
pub const TUNNEL_CHUNK: usize = 32 << 10;
/// Bytes that the host may put into a tunnel before it is told that they were taken.
pub const TUNNEL_ROOM: usize = 32 << 10;
/// The most bytes of one [`Op::Put`]: what is left of a request.
pub const MAX_PUT: usize = MAX_REQUEST - 32;
/// Bytes of the length prefix.
pub const PREFIX: usize = 4;
/// The longest packed list of [`Part`]s in a request, in bytes: what is left beside a path.
pub const MAX_PARTS: usize = 3 << 10;
/// Bytes that an answer to [`Op::Parts`] has before each part.
pub const PART_PREFIX: usize = 4;

/// Which byte of a container's root directory is locked by a process that debugs from inside of it. Whoever keeps the container ends
/// after that one.
pub const DEBUGGER: i64 = 3;

/// One question of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// Chosen by the host, not 0, not in use by a request still unanswered.
    pub id: u32,
    /// What is asked.
    #[serde(borrow)]
    pub op: Op<'a>,
}

/// What the shim can do. Paths are absolute, resolved inside the target's root, and never follow a magic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op<'a> {
    /// Streams the entries of a directory as [`Body::Entries`].
    List {
        /// The directory.
        path: &'a [u8],
        /// Whether each entry comes with its [`Stat`].
        stat: bool,
        /// Chunks the shim may send before it waits for [`Op::Credit`].
        credit: u32,
    },
    /// Answers [`Body::Stat`].
    Stat {
        /// The file.
        path: &'a [u8],
        /// Whether a symlink at the end is followed.
        follow: bool,
    },
    /// Streams a regular file as [`Body::Data`].
    Read {
        /// The file.
        path: &'a [u8],
        /// First byte wanted.
        offset: u64,
        /// How many bytes at most.
        len: u64,
        /// Chunks the shim may send before it waits for [`Op::Credit`].
        credit: u32,
    },
    /// Answers [`Body::Data`] with the text of a symlink (magic links of `/proc` included: they are read, not followed).
    ReadLink {
        /// The link.
        path: &'a [u8],
    },
    /// Answers [`Body::Opened`] with one descriptor. Local door only.
    Open {
        /// The file.
        path: &'a [u8],
        /// What it must be.
        kind: OpenKind,
    },
    /// Answers [`Body::Connected`] with one non-blocking socket, connected or about to be. Local door only.
    Connect {
        /// Where to.
        addr: Addr,
    },
    /// Answers [`Body::Statfs`].
    Statfs {
        /// Any file of the file system.
        path: &'a [u8],
    },
    /// Answers [`Body::Gone`] when the target's process has ended; the shim then exits.
    Watch,
    /// Grants the stream `of` so many more chunks. Not answered.
    Credit {
        /// The request that opened the stream.
        of: u32,
        /// Chunks.
        chunks: u32,
    },
    /// Ends the stream `of` early. The stream answers with [`Body::End`], after the chunks already sent.
    Cancel {
        /// The request that opened the stream.
        of: u32,
    },
    /// Goes to the root of a process, once; answers [`Body::Stat`] of it. Sidecar door only: what was asked before it was
    /// answered from the sidecar's own root.
    Root {
        /// The process, as numbered in the sidecar's pid namespace, which is the target's.
        pid: i32,
    },
    /// Reads a regular file here and there; answers [`Body::Data`]: of each part how many bytes could be read (a
    /// little-endian `u32`), and these. All of it fits [`CHUNK`].
    Parts {
        /// The file.
        path: &'a [u8],
        /// The parts packed one after another, each written by [`Part::encode`]; at most [`MAX_PARTS`] bytes.
        parts: &'a [u8],
    },
    /// The same of the memory of a process, by address. Sidecar door only: there a process has the number that the target
    /// gives it.
    Memory {
        /// The process.
        pid: i32,
        /// As of [`Op::Parts`].
        parts: &'a [u8],
    },
    /// Opens a TCP connection that goes through the frames: answers [`Body::Joined`], then streams what comes as [`Body::Data`],
    /// at most [`TUNNEL_CHUNK`] a chunk; [`Body::Silent`] when nothing more comes, [`Body::End`] when both sides have said all.
    /// Sidecar door only: locally [`Op::Connect`] passes the socket itself.
    Tunnel {
        /// Where to.
        addr: Addr,
        /// Chunks the shim may send before it waits for [`Op::Credit`].
        credit: u32,
    },
    /// Puts bytes into the tunnel `of`: at most [`MAX_PUT`], and no more than [`TUNNEL_ROOM`] that were not taken yet. Answered by
    /// [`Body::Taken`], in the name of the tunnel.
    Put {
        /// The request that opened the tunnel.
        of: u32,
        /// What to send.
        bytes: &'a [u8],
    },
    /// Nothing more is put into the tunnel `of`. Not answered.
    Hush {
        /// The request that opened the tunnel.
        of: u32,
    },
}

/// What [`Op::Open`] may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenKind {
    /// A regular file, for reading.
    File,
    /// A directory, for reading.
    Dir,
    /// A regular file, created if absent and emptied if present. Only where the session may write.
    Create {
        /// Permission bits of a new file.
        mode: u32,
    },
}

/// Where [`Op::Connect`] and [`Op::Tunnel`] connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Addr {
    /// TCP over IPv4.
    V4([u8; 4], u16),
    /// TCP over IPv6.
    V6([u8; 16], u16),
}

/// One answer of the shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply<'a> {
    /// The request it answers; 0 for [`Body::Hello`].
    pub id: u32,
    /// The answer.
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// The answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body<'a> {
    /// First frame of a connection.
    Hello(Hello),
    /// Part of a directory: entries packed one after another, each written by [`Entry::encode`].
    Entries(&'a [u8]),
    /// Part of a file, or the text of a link.
    Data(&'a [u8]),
    /// The stream is complete.
    End,
    /// Answer to [`Op::Stat`].
    Stat(Stat),
    /// Answer to [`Op::Statfs`].
    Statfs(Statfs),
    /// One descriptor rides on this frame.
    Opened(Stat),
    /// One descriptor rides on this frame.
    Connected,
    /// The target has ended.
    Gone,
    /// The request failed.
    Failed(Failure),
    /// A tunnel is connected.
    Joined,
    /// So many bytes more of what was put into a tunnel are on their way.
    Taken(u32),
    /// Nothing more comes out of a tunnel.
    Silent,
}

/// Who answers, and what it was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u16,
    /// Real user id the shim runs as, as seen in its own user namespace.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective capabilities, one bit each (capabilities(7)).
    pub caps: u64,
    /// Whether descriptors can be passed ([`Op::Open`], [`Op::Connect`]).
    pub passes: bool,
    /// Whether [`OpenKind::Create`] is allowed.
    pub writes: bool,
    /// Whether the target can be watched ([`Op::Watch`]).
    pub watches: bool,
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// A system call failed with this errno (errno(3)).
    Errno(i32),
    /// The file exists but is of another kind than the request can serve; its `st_mode` is given.
    WrongKind(u32),
    /// This connection may not do that (see [`Hello`]).
    NotAllowed,
    /// Too many streams are open.
    Busy,
    /// The request could not be understood.
    Malformed,
}

/// What `statx(2)` says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stat {
    /// Kind and permission bits (inode(7)).
    pub mode: u32,
    /// Owner, in the shim's user namespace.
    pub uid: u32,
    /// Group, in the shim's user namespace.
    pub gid: u32,
    /// Hard links.
    pub nlink: u32,
    /// Bytes.
    pub size: u64,
    /// Bytes really used.
    pub allocated: u64,
    /// Last change of the contents, seconds since the epoch.
    pub mtime: i64,
    /// Nanoseconds of `mtime`.
    pub mtime_ns: u32,
    /// Inode number.
    pub ino: u64,
    /// Device of the file system, major.
    pub dev_major: u32,
    /// Device of the file system, minor.
    pub dev_minor: u32,
    /// For a device node, its major.
    pub rdev_major: u32,
    /// For a device node, its minor.
    pub rdev_minor: u32,
}

/// What `statfs(2)` says of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statfs {
    /// Magic number of its kind (statfs(2)).
    pub kind: u64,
    /// Bytes of a block.
    pub block: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks free to an ordinary user.
    pub available: u64,
    /// Inodes in all.
    pub files: u64,
    /// Inodes free.
    pub files_free: u64,
}

/// One name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Its name: any bytes but `/` and NUL. Never `.` or `..`.
    pub name: &'a [u8],
    /// `d_type` of readdir(3): what it is without a `Stat`, 0 if the file system does not say.
    pub kind: u8,
    /// Present where it was asked for and could be had.
    pub stat: Option<Stat>,
}

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its first byte.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
}

/// The bytes were not a frame of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Writes a frame (prefix included) into `buffer` and gives its bytes. `None` if it does not fit.
pub fn encode<'b, T: Serialize>(message: &T, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let room = buffer.len().min(MAX_FRAME + PREFIX);
    let body = buffer.get_mut(PREFIX..room)?;
    let used = postcard::to_slice(message, body).ok()?.len();
    let prefix = u32::try_from(used).ok()?.to_le_bytes();
    buffer.get_mut(..PREFIX)?.copy_from_slice(&prefix);
    buffer.get_mut(..PREFIX + used)
}

/// Where the first frame of `bytes` ends: `Ok(None)` if more bytes are needed.
///
/// # Errors
/// [`Malformed`] if the prefix announces more than `max` bytes or none at all.
pub fn frame(bytes: &[u8], max: usize) -> Result<Option<&[u8]>, Malformed> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else { return Ok(None) };
    let len = u32::from_le_bytes(*prefix) as usize;
    if len == 0 || len > max {
        return Err(Malformed);
    }
    Ok(rest.get(..len))
}

/// Reads one message out of a frame's bytes.
///
/// # Errors
/// [`Malformed`] if the bytes are not exactly one message.
pub fn decode<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> Result<T, Malformed> {
    match postcard::take_from_bytes(frame) {
        Ok((message, [])) => Ok(message),
        _ => Err(Malformed),
    }
}

impl<'a> Entry<'a> {
    /// Appends the entry to `buffer` and gives the bytes used. `None` if it does not fit.
    pub fn encode(&self, buffer: &mut [u8]) -> Option<usize> {
        postcard::to_slice(self, buffer).ok().map(|used| used.len())
    }

    /// Takes the first entry of a packed run and gives the rest.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes do not start with an entry, or its name could not stand in a directory.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let (entry, rest): (Self, _) = postcard::take_from_bytes(bytes).map_err(|_| Malformed)?;
        let name = entry.name;
        let bad = name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') || name.contains(&0);
        if bad || name.len() > 255 * 4 { Err(Malformed) } else { Ok((entry, rest)) }
    }
}

impl Part {
    /// Appends the part to `buffer` and gives the bytes used. `None` if it does not fit.
    pub fn encode(&self, buffer: &mut [u8]) -> Option<usize> {
        postcard::to_slice(self, buffer).ok().map(|used| used.len())
    }

    /// Takes the first part of a packed run and gives the rest.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes do not start with a part.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        postcard::take_from_bytes(bytes).map_err(|_| Malformed)
    }
}

#[cfg(test)]
#[path = "wire/tests.rs"]
mod tests;

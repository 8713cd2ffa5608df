//! The client of the shim: asks, waits, gives up in time.
//!
//! One connection, many requests in flight. Dropping a stream cancels its request; dropping a future only
//! ends the waiting for the answer.
//! Nothing here knows which door the connection came through, and nothing it receives is believed: a helper
//! that breaks the protocol, answers what was not asked or passes a descriptor of another kind is cut off.

mod connection;
mod descriptor;
mod link;
mod parts;
mod room;
mod stream;
mod tunnel;

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use self::connection::{Answer, Connection};
pub use self::link::Link;
use self::parts::Asked;
pub use self::parts::Parts;
pub use self::stream::{DataStream, EntryStream};
pub use self::tunnel::Tunnel;
use crate::inspect::files::Kind;
use crate::target::ContainerPid;
use crate::wire::{self, Addr, Op, OpenKind};

/// How long one answer may take before the shim counts as stuck.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A handle on one shim. Cheap to clone; the shim ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Shim {
    connection: Arc<Connection>,
    hello: wire::Hello,
    own: Vec<ContainerPid>,
}

/// What ends a helper that does not answer.
pub struct Leash(Box<dyn Fn() + Send + Sync>);

impl Leash {
    /// `end` is called at most once, on a thread of its own; it may block.
    pub fn new(end: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Box::new(end))
    }

    fn pull(self) {
        // Not on the runtime: it blocks, and the runtime may be ending.
        std::thread::spawn(self.0);
    }
}

/// Why a request was not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A system call failed inside.
    #[error("{}", reason(*.0))]
    Errno(Errno),
    /// The file is of a kind that cannot be used that way.
    #[error("it is a {0}")]
    WrongKind(Kind),
    /// This connection may not do that.
    #[error("this session may not do that")]
    NotAllowed,
    /// The answer did not come in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The target has ended.
    #[error("the target has ended")]
    TargetGone,
    /// The shim has ended, or was cut off.
    #[error("the helper has ended")]
    Closed,
    /// The shim sent what the protocol does not allow; the connection was cut.
    #[error("the helper broke the protocol: {0}")]
    Protocol(&'static str),
    /// The file is larger than the caller allows.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// Too many streams are open.
    #[error("too many transfers at once")]
    Busy,
}

/// What an errno means for a file, in words; never the bare code.
fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOENT => "no such file or directory",
        Errno::EACCES | Errno::EPERM => "permission denied",
        Errno::ENOTDIR => "not a directory",
        Errno::ELOOP => "too many symbolic links, or a magic link of /proc",
        Errno::ENAMETOOLONG => "the name is too long",
        Errno::ESRCH => "the process has ended",
        other => other.desc(),
    }
}

/// One name of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name, without `/` or NUL, never `.` or `..`.
    pub name: Vec<u8>,
    /// `d_type` of readdir(3).
    pub kind: u8,
    /// Where it was asked for and could be had.
    pub stat: Option<wire::Stat>,
}

/// A file's bytes, the fastest way this door has.
#[derive(Debug)]
pub enum Bulk {
    /// An open descriptor of a regular file, checked. Blocking reads: keep them off the runtime.
    File(File, wire::Stat),
    /// A stream of chunks.
    Stream(DataStream, wire::Stat),
}

impl Shim {
    /// Takes a connection over and waits for the shim's first word.
    ///
    /// # Errors
    /// If it does not come, or comes from a shim of another version.
    pub async fn start(socket: UnixStream, leash: Leash) -> Result<Self, Error> {
        let (connection, hello) = Connection::start(socket, leash)?;
        let connection = Arc::new(connection);
        let hello = match tokio::time::timeout(PATIENCE, hello).await {
            Ok(Ok(hello)) => hello,
            Ok(Err(_)) => return Err(connection.error()),
            Err(_) => return Err(connection.stuck()),
        };
        if hello.version != wire::VERSION {
            return Err(connection.broke("it speaks another version"));
        }
        Ok(Self { connection, hello, own: Vec::new() })
    }

    /// Sends it to the root of a process, from where all paths start from then on. A sidecar's first errand. `own` is
    /// what is there of ours, as the target numbers it: the helper itself, and what holds its place.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn enter_root(&mut self, pid: ContainerPid, own: Vec<ContainerPid>) -> Result<(), Error> {
        match self.ask(Op::Root { pid: pid.0 }).await? {
            Answer::Stat(_) => {
                self.own = own;
                Ok(())
            }
            _ => Err(self.connection.broke("a root was not answered with its stat")),
        }
    }

    /// Whether that is a process of ours, where such can be seen among the target's.
    #[must_use]
    pub fn is_own(&self, pid: ContainerPid) -> bool {
        self.own.contains(&pid)
    }

    /// What the shim said of itself when it started.
    #[must_use]
    pub fn hello(&self) -> wire::Hello {
        self.hello
    }

    /// Streams a directory.
    #[must_use]
    pub fn list(&self, path: &[u8], stat: bool) -> EntryStream {
        EntryStream::new(&self.connection, path, stat)
    }

    /// Stats a file.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stat(&self, path: &[u8], follow: bool) -> Result<wire::Stat, Error> {
        match self.ask(Op::Stat { path, follow }).await? {
            Answer::Stat(stat) => Ok(stat),
            _ => Err(self.connection.broke("a stat was not answered with one")),
        }
    }

    /// Reads a whole small file, for example of `/proc`.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::TooLarge`] above `max` bytes.
    pub async fn read(&self, path: &[u8], max: u64) -> Result<Vec<u8>, Error> {
        let mut stream = self.read_range(path, 0, max.saturating_add(1));
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            if bytes.is_empty() {
                bytes = chunk;
            } else {
                bytes.extend_from_slice(&chunk);
            }
        }
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max { Err(Error::TooLarge(max)) } else { Ok(bytes) }
    }

    /// Streams part of a file.
    #[must_use]
    pub fn read_range(&self, path: &[u8], offset: u64, len: u64) -> DataStream {
        DataStream::new(&self.connection, path, offset, len)
    }

    /// The text of a symlink.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn readlink(&self, path: &[u8]) -> Result<Vec<u8>, Error> {
        match self.ask(Op::ReadLink { path }).await? {
            Answer::Data(text) => Ok(text),
            _ => Err(self.connection.broke("a link was not answered with its text")),
        }
    }

    /// The file system a file is on.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn statfs(&self, path: &[u8]) -> Result<wire::Statfs, Error> {
        match self.ask(Op::Statfs { path }).await? {
            Answer::Statfs(statfs) => Ok(statfs),
            _ => Err(self.connection.broke("a statfs was not answered with one")),
        }
    }

    /// A file's bytes, the fastest way this door has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn bulk(&self, path: &[u8]) -> Result<Bulk, Error> {
        if self.hello.passes {
            let (file, stat) = self.open(path, OpenKind::File).await?;
            return Ok(Bulk::File(file, stat));
        }
        let stat = self.stat(path, true).await?;
        Ok(Bulk::Stream(self.read_range(path, 0, u64::MAX), stat))
    }

    /// A file to be read here and there, the fastest way this door has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn parts(&self, path: &[u8]) -> Result<Parts, Error> {
        if self.hello.passes {
            let (file, _) = self.open(path, OpenKind::File).await?;
            return Ok(Parts::of_file(file));
        }
        let what = Asked::File(path.to_vec());
        // Nothing is asked for yet, but whether it may be opened.
        self.some_parts(&what, &[]).await?;
        Ok(Parts::asked(self.clone(), what))
    }

    /// The memory of a process, to be read here and there by address, the fastest way this door has. The process is not
    /// stopped, and nothing in it is changed.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn memory(&self, pid: ContainerPid) -> Result<Parts, Error> {
        let by_file = self.parts(format!("/proc/{pid}/mem").as_bytes()).await;
        if self.hello.passes || !matches!(by_file, Err(Error::Errno(Errno::EACCES | Errno::EPERM))) {
            return by_file;
        }
        // Root may look into a process whose files it may not open; for others an engine's filter forbids this call.
        self.some_parts(&Asked::Memory(pid), &[]).await?;
        Ok(Parts::asked(self.clone(), Asked::Memory(pid)))
    }

    /// What the helper answers to packed parts.
    async fn some_parts(&self, of: &Asked, parts: &[u8]) -> Result<Vec<u8>, Error> {
        let op = match of {
            Asked::File(path) => Op::Parts { path, parts },
            Asked::Memory(pid) => Op::Memory { pid: pid.0, parts },
        };
        match self.ask(op).await? {
            Answer::Data(bytes) => Ok(bytes),
            _ => Err(self.connection.broke("parts of a file were not answered with bytes")),
        }
    }

    /// Opens a file for writing, made if it is not there and emptied if it is. `--write` sessions only.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create(&self, path: &[u8], mode: u32) -> Result<File, Error> {
        self.open(path, OpenKind::Create { mode }).await.map(|(file, _)| file)
    }

    async fn open(&self, path: &[u8], kind: OpenKind) -> Result<(File, wire::Stat), Error> {
        match self.ask(Op::Open { path, kind }).await? {
            Answer::Opened(stat, fd) => match descriptor::file(fd, kind) {
                Ok(file) => Ok((file, stat)),
                Err(why) => Err(self.connection.broke(why)),
            },
            _ => Err(self.connection.broke("an open was not answered with a descriptor")),
        }
    }

    /// A TCP connection inside the target's network, the fastest way this door has: the socket itself, or a tunnel. It comes when it
    /// is connected, however long that takes.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn dial(&self, addr: SocketAddr) -> Result<Link, Error> {
        if self.hello.passes {
            return link::joined(self.connect(addr).await?).await.map(Link::Socket);
        }
        Tunnel::open(&self.connection, wire_addr(addr)).await.map(Link::Tunnel)
    }

    /// A non-blocking TCP socket, connected or connecting, inside the target's network.
    async fn connect(&self, addr: SocketAddr) -> Result<OwnedFd, Error> {
        match self.ask(Op::Connect { addr: wire_addr(addr) }).await? {
            Answer::Connected(fd) => descriptor::socket(fd).map_err(|why| self.connection.broke(why)),
            _ => Err(self.connection.broke("a connect was not answered with a socket")),
        }
    }

    /// Returns when the target has ended, or with an error when the shim has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn gone(&self) -> Result<(), Error> {
        match self.connection.ask(Op::Watch, None).await {
            Ok(Answer::Gone) | Err(Error::TargetGone) => Ok(()),
            Ok(_) => Err(self.connection.broke("a watch was not answered with an end")),
            Err(error) => Err(error),
        }
    }

    /// Returns when the connection has ended, whoever ended it. It holds nothing of it.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.connection.ended()
    }

    async fn ask(&self, op: Op<'_>) -> Result<Answer, Error> {
        self.connection.ask(op, Some(PATIENCE)).await
    }
}

fn wire_addr(addr: SocketAddr) -> Addr {
    match addr {
        SocketAddr::V4(addr) => Addr::V4(addr.ip().octets(), addr.port()),
        SocketAddr::V6(addr) => Addr::V6(addr.ip().octets(), addr.port()),
    }
}

#[cfg(test)]
mod tests;

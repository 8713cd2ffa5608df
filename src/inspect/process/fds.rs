//! Open descriptors, and what they are.

use std::collections::HashMap;

use futures_util::future::join;

use super::{Fd, Part, namespaces::inode};
use crate::inspect::error::why;
use crate::inspect::fetch;
use crate::inspect::files::Kind;
use crate::inspect::network::Socket;
use crate::inspect::processes::stat;
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// How many descriptors of one process are read at most.
pub const MAX_FDS: usize = 16_384;
/// How much of one `/proc/PID/fdinfo/N` is read, in bytes: an epoll instance has a line for each file it watches.
pub const MAX_INFO: u64 = 64 << 10;

/// Reads the descriptors of a process. Sockets are told by what is known of their inodes.
pub async fn read(shim: &Shim, pid: ContainerPid, sockets: &[Socket]) -> Part<Vec<Fd>> {
    let numbers = match numbers(shim, pid).await {
        Ok(numbers) => numbers,
        Err(error) => return Part::Unavailable(why(&error)),
    };
    let sockets: HashMap<u64, &Socket> = sockets.iter().map(|socket| (socket.inode, socket)).collect();
    let sockets = &sockets;
    let read = fetch::each(numbers, |number| async move {
        let (link, info) =
            (fetch::proc_path(pid, &format!("fd/{number}")), fetch::proc_path(pid, &format!("fdinfo/{number}")));
        let (link, info) = join(shim.readlink(&link), fetch::prefix(shim, &info, MAX_INFO)).await;
        let link = link?;
        let info = info.map(|(text, _)| Info::parse(&text)).unwrap_or_default();
        let kind = kind(shim, &link).await;
        Ok::<_, Error>(describe(number, link, &info, kind, sockets))
    })
    .await;
    let mut fds = Vec::with_capacity(read.len());
    let mut failed = None;
    for fd in read {
        match fd {
            Ok(fd) => fds.push(fd),
            // Closed meanwhile, or all may not be read.
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error @ Error::Errno(nix::errno::Errno::EACCES | nix::errno::Errno::EPERM)) if fds.is_empty() => {
            Part::Unavailable(why(&error))
        }
        _ => Part::Ok(fds),
    }
}

/// The numbers of a process's descriptors, sorted, at most [`MAX_FDS`].
///
/// # Errors
/// As [`Shim::list`].
pub async fn numbers(shim: &Shim, pid: ContainerPid) -> Result<Vec<i32>, Error> {
    fetch::numbers(shim, &fetch::proc_path(pid, "fd"), MAX_FDS).await
}

/// What the path of a link is. The descriptor itself cannot be asked: `/proc/PID/fd/N` is a magic link.
async fn kind(shim: &Shim, link: &[u8]) -> Option<Kind> {
    if !link.starts_with(b"/") || link.ends_with(DELETED) {
        return None;
    }
    shim.stat(link, true).await.ok().map(|stat| Kind::of_mode(stat.mode))
}

const DELETED: &[u8] = b" (deleted)";

/// What matters of proc_pid_fdinfo(5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Info {
    /// `pos`: offset in bytes.
    pub position: Option<u64>,
    /// `flags`: those of open(2).
    pub flags: Option<u64>,
    /// `tfd` or `inotify` lines: files watched.
    pub watched: u64,
    /// `eventfd-count`, as it is written.
    pub count: Option<Untrusted>,
    /// `Pid` of a pidfd.
    pub pid: Option<i32>,
    /// `it_value` of a timer, as it is written.
    pub timer: Option<Untrusted>,
}

impl Info {
    /// Parses `/proc/PID/fdinfo/N`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut info = Self {
            watched: fetch::lines(text).filter(|line| line.starts_with(b"inotify ")).count() as u64,
            ..Self::default()
        };
        for (name, value) in stat::fields(text) {
            match name {
                b"pos" => info.position = fetch::decimal(value),
                b"flags" => info.flags = fetch::number(value, 8),
                b"tfd" => info.watched += 1,
                b"eventfd-count" => info.count = Some(value.into()),
                b"Pid" => info.pid = fetch::decimal(value),
                b"it_value" => info.timer = Some(value.into()),
                _ => {}
            }
        }
        info
    }

    /// The access mode of open(2): its numbers are the same on every architecture.
    fn mode(&self) -> Option<&'static str> {
        const O_PATH: u64 = 0o10_000_000;
        let flags = self.flags?;
        match flags & 3 {
            _ if flags & O_PATH != 0 => None,
            0 => Some("r"),
            1 => Some("w"),
            _ => Some("rw"),
        }
    }
}

/// Puts a descriptor into words.
#[must_use]
#[allow(clippy::implicit_hasher)]
pub fn describe(number: i32, link: Vec<u8>, info: &Info, kind: Option<Kind>, sockets: &HashMap<u64, &Socket>) -> Fd {
    let what = what(&link, info, kind, sockets);
    // Only what has a place has a position.
    let position = if link.starts_with(b"/") && !matches!(kind, Some(Kind::Character | Kind::Directory)) {
        info.position
    } else {
        None
    };
    Fd { number, what, target: Untrusted::new(link), mode: info.mode().map(str::to_owned), position }
}

fn what(link: &[u8], info: &Info, kind: Option<Kind>, sockets: &HashMap<u64, &Socket>) -> String {
    if let Some(rest) = link.strip_prefix(b"/") {
        return path_in_words(link, rest, kind);
    }
    if let Some(name) = link.strip_prefix(b"anon_inode:") {
        let name = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
        return anonymous(name, info);
    }
    let colon = link.iter().position(|&byte| byte == b':').unwrap_or(link.len());
    match &link[..colon] {
        b"socket" => {
            let socket = inode(link).and_then(|inode| sockets.get(&inode));
            socket.map_or_else(|| "socket".to_owned(), |socket| socket.words())
        }
        b"pipe" => match info.mode() {
            Some("r") => "pipe, read end".to_owned(),
            Some("w") => "pipe, write end".to_owned(),
            _ => "pipe".to_owned(),
        },
        b"pidfd" => pidfd(info),
        b"mnt" | b"net" | b"pid" | b"ipc" | b"uts" | b"user" | b"cgroup" | b"time" => {
            format!("{} namespace", String::from_utf8_lossy(&link[..colon]))
        }
        _ => "unknown".to_owned(),
    }
}

fn path_in_words(link: &[u8], rest: &[u8], kind: Option<Kind>) -> String {
    let deleted = link.ends_with(DELETED);
    let word = if rest.starts_with(b"memfd:") {
        return "memory file".to_owned();
    } else if rest.starts_with(b"dev/pts/") || rest == b"dev/tty" || rest == b"dev/console" {
        "terminal"
    } else {
        match kind {
            Some(Kind::Directory) => "directory",
            Some(Kind::Character | Kind::Block) => "device",
            Some(Kind::Fifo) => "named pipe",
            Some(Kind::Socket) => "socket",
            _ if rest.starts_with(b"dev/") && !rest.starts_with(b"dev/shm/") => "device",
            _ => "file",
        }
    };
    if deleted { format!("deleted {word}") } else { word.to_owned() }
}

/// Descriptors of no file, by the names the kernel's callers of `anon_inode_getfd` give.
fn anonymous(name: &[u8], info: &Info) -> String {
    match name {
        b"eventpoll" => format!("epoll, {} watched", info.watched),
        b"inotify" => format!("inotify, {} watched", info.watched),
        b"eventfd" => match &info.count {
            // The kernel writes it in hexadecimal.
            Some(count) => match fetch::number(count.bytes(), 16) {
                Some(count) => format!("eventfd, count {count}"),
                None => "eventfd".to_owned(),
            },
            None => "eventfd".to_owned(),
        },
        b"timerfd" => match &info.timer {
            Some(timer) if timer.bytes() == b"(0, 0)" => "timerfd, disarmed".to_owned(),
            Some(_) => "timerfd, armed".to_owned(),
            None => "timerfd".to_owned(),
        },
        b"pidfd" => pidfd(info),
        b"bpf-map" => "bpf map".to_owned(),
        b"bpf-prog" => "bpf program".to_owned(),
        // signalfd, io_uring, perf_event, userfaultfd, fanotify, …
        name => Untrusted::from(name).safe().into_string(),
    }
}

fn pidfd(info: &Info) -> String {
    match info.pid {
        Some(pid) if pid > 0 => format!("process {pid}"),
        Some(-1) => "process that has ended".to_owned(),
        _ => "process".to_owned(),
    }
}

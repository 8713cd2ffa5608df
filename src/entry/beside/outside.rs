//! Making a sidecar that debugs, and speaking with it.

pub mod session;

use nix::errno::Errno;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::identity::{self, Who};
use super::wire::{self, Core, Frame, Job, Refusal, Said, Say, Work};
use super::{COMMAND, DEBUG_FILE, DELVE, PROGRAM, SCRATCH, pack};
use crate::corefile::{self, Weight};
use crate::engine::Container;
use crate::engine::docker::Docker;
use crate::engine::docker::sidecar::{Packed, Recipe, Sidecar};
use crate::entry::Error;
use crate::entry::plan::Capability;
use crate::entry::sidecar::pump;
use crate::entry::status::Status;
use crate::entry::tracer::Tracee;
use crate::shim::{self, Shim};
use crate::target::ContainerPid;

/// Bytes read of a file of `/proc` at most.
const LARGEST: u64 = 64 << 10;
/// What a sidecar takes of memory beside the copy of a process, in bytes.
const ROOM: u64 = 256 << 20;
/// What Delve takes at most: 70 to 260 MiB were measured, and what a large program has of debug information comes on top.
const DELVE_ROOM: u64 = 2 << 30;
/// What is asked of the engine at most, in bytes.
const MOST_ROOM: u64 = 1 << 50;

/// Where sidecars are made that debug.
#[derive(Debug, Clone)]
pub struct Beside {
    /// Whose engine it is.
    pub engine: Docker,
    /// Beside whom.
    pub container: Container,
    /// Who looks: the helper in the sidecar that is there already.
    pub shim: Shim,
}

/// The programs of a session: open files.
pub struct Programs {
    /// Delve's. None if it is to end what another one has left.
    pub delve: Option<std::os::fd::OwnedFd>,
    /// The program's debug file.
    pub debug_file: Option<std::os::fd::OwnedFd>,
}

/// A connection to a sidecar.
pub struct Stream {
    reader: Reader,
    writer: OwnedWriteHalf,
}

/// What comes from it, frame by frame.
pub struct Reader {
    half: OwnedReadHalf,
    received: Vec<u8>,
}

impl Beside {
    /// What there is to be copied of a process, by what everybody may see of it. Nothing is made for that.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn weigh(&self, process: &Tracee) -> Result<Weight, corefile::Error> {
        let text = self.status(process.pid).await.map_err(|error| match error {
            shim::Error::Errno(Errno::ENOENT | Errno::ESRCH) => corefile::Error::Gone,
            shim::Error::Errno(errno) => corefile::Error::Proc { file: "status".to_owned(), errno: errno as i32 },
            _ => corefile::Error::Proc { file: "status".to_owned(), errno: libc::EIO },
        })?;
        weight(&text).ok_or_else(|| corefile::Error::Malformed { file: "status".to_owned() })
    }

    async fn status(&self, pid: ContainerPid) -> Result<Vec<u8>, shim::Error> {
        self.shim.read(format!("/proc/{pid}/status").as_bytes(), LARGEST).await
    }

    /// Makes a sidecar that takes a core.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn take(&self, process: &Tracee, order: Core) -> Result<Stream, Error> {
        let writable = self.weigh(process).await.map_or(order.most, |weight| weight.writable);
        // It may grow until then.
        let room = ROOM + writable.min(order.most).saturating_mul(2);
        self.make(process, Work::Core(order), Vec::new(), room).await
    }

    /// Makes a sidecar with Delve in it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub async fn debug(&self, process: &Tracee, order: wire::Live, programs: &Programs) -> Result<Stream, Error> {
        let packed = |error: pack::Error| self.not_packed(&error);
        let mut files = Vec::new();
        if let Some(delve) = &programs.delve {
            let delve = delve.try_clone().map_err(|source| pack::Error::Read { what: "dlv".to_owned(), source });
            files = pack::program(DELVE, 0o555, delve.map_err(packed)?, "dlv").await.map_err(packed)?;
        }
        if let Some(file) = &programs.debug_file {
            files.push(pack::plain(DEBUG_FILE, file, "the debug file").map_err(packed)?);
        }
        self.make(process, Work::Live(order), files, ROOM + DELVE_ROOM).await
    }

    fn not_packed(&self, error: &pack::Error) -> Error {
        Error::Packed { target: self.container.name.clone(), why: error.to_string() }
    }

    async fn make(&self, process: &Tracee, work: Work, more: Vec<Packed>, room: u64) -> Result<Stream, Error> {
        let target = || self.container.name.clone();
        let engine = |cause| Error::Engine { target: target(), cause };
        let theirs = self.engine.architecture().await.map_err(engine)?;
        if !is_ours(&theirs) {
            return Err(Error::Architecture { target: target(), theirs });
        }
        let cause = |cause| Error::Shim { target: target(), cause };
        let status = self.status(process.pid).await.map_err(cause)?;
        let status = Status::parse(&status).ok_or_else(|| Error::Gone { target: target() })?;
        let scope = self.shim.read(b"/proc/sys/kernel/yama/ptrace_scope", 64).await.ok();
        let who = Who::of(&status, identity::is_restricted(scope.as_deref()));
        let mut files = pack::own(PROGRAM, 0o111).await.map_err(|error| self.not_packed(&error))?;
        pack::add(&mut files, more);
        let capabilities = Capability::names(who.capabilities);
        let recipe = Recipe {
            target: self.container.id.clone(),
            pid_mode: self.container.pid_mode.clone(),
            network_mode: None,
            userns_mode: self.container.userns_mode.clone(),
            files,
            arguments: vec![COMMAND.to_owned()],
            memory: i64::try_from(room.min(MOST_ROOM)).unwrap_or(i64::MAX),
            scratch: Some(SCRATCH),
            user: format!("{}:{}", who.ids.uid, who.ids.gid),
            groups: who.ids.groups.iter().map(u32::to_string).collect(),
            capabilities: capabilities.iter().map(|name| name.trim_start_matches("CAP_").to_owned()).collect(),
        };
        let Sidecar { output, input, made, rest, .. } = self.engine.sidecar(recipe).await.map_err(engine)?;
        let failed = |_: std::io::Error| self.ended();
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        tokio::spawn(pump::run(theirs, output, input, made, rest));
        let (half, writer) = ours.into_split();
        let mut stream = Stream { reader: Reader { half, received: Vec::new() }, writer };
        let job = Job { ids: who.becomes, work };
        say(&mut stream.writer, &Say::Begin(Box::new(job))).await.map_err(failed)?;
        Ok(stream)
    }

    /// It ended without its last word.
    pub fn ended(&self) -> Error {
        Error::BesideEnded { target: self.container.name.clone() }
    }

    /// It would not begin.
    pub fn refused(&self, refusal: Refusal) -> Error {
        let target = self.container.name.clone();
        match refusal {
            Refusal::Filter => Error::Filtered { target },
            Refusal::Ids(errno) | Refusal::Means(errno) => Error::NotReady { target, errno: Errno::from_raw(errno) },
        }
    }
}

impl Stream {
    /// The next frame. `None` at the end, or when it is none: who sends that is not listened to any more.
    pub async fn next(&mut self) -> Option<Frame<Said>> {
        self.reader.next().await
    }
}

impl Reader {
    /// As [`Stream::next`]. Nothing is lost if it is no longer waited for.
    pub async fn next(&mut self) -> Option<Frame<Said>> {
        loop {
            match wire::first(&self.received) {
                Ok(Some((frame, length))) => {
                    self.received.drain(..length);
                    return Some(frame);
                }
                Ok(None) => {}
                Err(wire::Malformed) => return None,
            }
            // Bounded: a frame that is larger than may be is none.
            if self.half.read_buf(&mut self.received).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// Says something.
async fn say<T: Serialize>(writer: &mut OwnedWriteHalf, message: &T) -> std::io::Result<()> {
    let mut out = Vec::new();
    wire::message(message, &mut out).map_err(std::io::Error::other)?;
    writer.write_all(&out).await
}

/// Whether programs of this host run there. Engines name architectures as Go does.
fn is_ours(architecture: &str) -> bool {
    let ours = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    [ours, std::env::consts::ARCH].contains(&architecture)
}

/// proc_pid_status(5): memory of its own, and of files, in KiB.
fn weight(status: &[u8]) -> Option<Weight> {
    let field = |name: &[u8]| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let bytes = |name: &[u8]| field(name).map(|kibibytes| kibibytes.saturating_mul(1 << 10));
    Some(Weight {
        writable: bytes(b"RssAnon:")?.saturating_add(bytes(b"RssShmem:")?).saturating_add(bytes(b"VmSwap:")?),
        constant: bytes(b"RssFile:")?,
        threads: field(b"Threads:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures() {
        let ours = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        assert!(is_ours(ours) && is_ours(std::env::consts::ARCH));
        assert!(!is_ours("riscv64") && !is_ours(""));
    }

    #[test]
    fn what_there_is_to_be_copied() {
        let text = b"Name:\tVmSwap: 9\nVmSwap:\t       4 kB\nRssAnon:\t    3000 kB\nRssFile:\t 5000 kB\nRssShmem:\t 1 kB\nThreads:\t7\n";
        let weight = weight(text).unwrap();
        assert_eq!((weight.writable, weight.constant, weight.threads), (3005 << 10, 5000 << 10, 7));
        // A kernel thread has no memory.
        assert_eq!(super::weight(b"Name:\tkthreadd\nThreads:\t1\n"), None);
    }
}

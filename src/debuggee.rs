//! Which process of a target a debugger looks at, and whether a core can be taken of it. Commands and screens share it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;

use crate::corefile::Weight;
use crate::engine::State;
use crate::engine::health::{HealthCheck, Verdict};
use crate::entry::tracer::{Tracee, Tracer, Untold};
use crate::exit::{Exit, Explain, Failure};
use crate::golang::{self, BuildInfo};
use crate::inspect::fetch::proc_path;
use crate::inspect::{self, processes};
use crate::shim::{Bulk, Shim};
use crate::target::{ContainerPid, Target};

/// How long a pause is, beside the copying: stopping and letting go of the threads.
const STOPPING: Duration = Duration::from_millis(2);
/// How long copying takes, a mebibyte.
const COPYING: Duration = Duration::from_micros(300);
/// The largest program. Those of Go have some hundred megabytes at most.
const LARGEST: u64 = 4 << 30;
/// Programs that are looked at in search of one made by Go, at once.
const AT_ONCE: usize = 16;

/// The process that a debugger looks at.
#[derive(Debug, Clone)]
pub struct Debuggee {
    /// It.
    pub process: Tracee,
    /// What its program says of itself; or why it does not. Only [`golang::Error::is_no`] means that Go did not make it.
    pub go: Result<BuildInfo, golang::Error>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is frozen.
    #[error("{target} is paused, and a paused process does not give its registers away")]
    Paused {
        /// The target.
        target: String,
    },
    /// It is in a copy of a pod, which holds no program that runs.
    #[error("{target} is in a copy of pod {of}, in which its program does not run")]
    Copied {
        /// The target.
        target: String,
        /// What it is a copy of.
        of: String,
    },
    /// Go made several of its programs, and nobody said which is meant.
    #[error("{target} runs more than one Go program: processes {pids}")]
    Several {
        /// The target.
        target: String,
        /// Their numbers inside, separated by commas.
        pids: String,
    },
    /// The process has ended.
    #[error("process {pid} of {target} has ended")]
    Ended {
        /// Its number inside.
        pid: ContainerPid,
        /// The target.
        target: String,
    },
    /// Its processes could not be read.
    #[error(transparent)]
    Processes(#[from] inspect::Error),
    /// It could not be told from others.
    #[error("{target}: {source}")]
    Untold {
        /// The target.
        target: String,
        /// Why.
        source: Untold,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Paused { .. } => Some("unpause it first".to_owned()),
            Self::Copied { .. } => Some("ps, proc, net, ls, cat, cp, go and check look into a copy".to_owned()),
            Self::Several { .. } => Some("say which: --pid N; `scratchdbg ps` names them".to_owned()),
            Self::Processes(error) => error.hint(),
            Self::Untold { source: Untold::Here(error), .. } => error.hint(),
            Self::Untold { .. } | Self::Ended { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Ended { .. } | Self::Untold { source: Untold::Ended, .. } => Exit::NoTarget,
            Self::Paused { .. } | Self::Untold { source: Untold::Inside(_), .. } => Exit::No,
            Self::Several { .. } | Self::Copied { .. } => Exit::Usage,
            Self::Processes(error) => error.exit(),
            Self::Untold { source: Untold::Here(error), .. } => error.exit(),
        }
    }
}

/// Whether a target can be looked at that closely at all.
///
/// # Errors
/// Why not.
pub fn allowed(target: &Target) -> Result<(), Error> {
    if target.container().is_some_and(|container| container.state == State::Paused) {
        return Err(Error::Paused { target: target.name() });
    }
    Ok(())
}

/// The process: the one asked for, the first one if Go made it, or the only one that Go made. `first` is the first one inside.
///
/// # Errors
/// If there is no such process, or more than one.
pub async fn find(
    shim: &Shim,
    tracer: &Tracer,
    target: &Target,
    first: ContainerPid,
    asked: Option<ContainerPid>,
) -> Result<Debuggee, Error> {
    allowed(target)?;
    let (pid, go) = choose(shim, target, first, asked).await?;
    let process = tracer.process(shim, target, pid).await.map_err(|source| match source {
        Untold::Ended => Error::Ended { pid, target: target.name() },
        source => Error::Untold { target: target.name(), source },
    })?;
    Ok(Debuggee { process, go })
}

/// The same, where it does not matter whether it can be looked at from outside: the process, and what its program says of
/// itself.
///
/// # Errors
/// If its processes cannot be read, or more than one of them is Go's.
pub async fn choose(
    shim: &Shim,
    target: &Target,
    first: ContainerPid,
    asked: Option<ContainerPid>,
) -> Result<(ContainerPid, Result<BuildInfo, golang::Error>), Error> {
    if let Target::Pod(pod) = target
        && let Some(copy) = &pod.copy
    {
        return Err(Error::Copied { target: target.name(), of: copy.of.clone() });
    }
    let first = asked.unwrap_or(first);
    let go = golang::of_process(shim, first).await;
    if asked.is_some() || go.is_ok() {
        return Ok((first, go));
    }
    let all = futures_util::stream::iter(processes::pids(shim).await?);
    let made_by_go = all.map(|pid| async move { Some((pid, golang::of_process(shim, pid).await.ok()?)) });
    let mut found: Vec<_> = made_by_go.buffered(AT_ONCE).filter_map(std::future::ready).collect().await;
    match found.len() {
        0 => Ok((first, go)),
        1 => Ok(found.remove(0)).map(|(pid, go)| (pid, Ok(go))),
        _ => {
            let pids: Vec<_> = found.iter().map(|(pid, _)| pid.to_string()).collect();
            Err(Error::Several { target: target.name(), pids: pids.join(", ") })
        }
    }
}

/// The program of a process, as a file that can be opened anew by its descriptor, as Delve does: the very one, or a copy in
/// memory where that is not to be had.
///
/// # Errors
/// If it cannot be read.
pub async fn program(shim: &Shim, pid: ContainerPid) -> Result<File, Failure> {
    let link = proc_path(pid, "exe");
    let path = shim.readlink(&link).await.map_err(|error| inspect::Error::of(&link, error))?;
    let failed = |error| inspect::Error::of(&path, error);
    let not_kept = |error: io::Error| Failure::new(Exit::No, format!("the program cannot be copied: {error}"));
    match shim.bulk(&path).await.map_err(failed)? {
        Bulk::File(file, _) => {
            let opened = tokio::task::spawn_blocking(|| readable(file)).await;
            opened.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map_err(not_kept)
        }
        Bulk::Stream(mut stream, _) => {
            let (mut copy, mut room) = (memory().map_err(not_kept)?, LARGEST);
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(failed)?;
                room =
                    room.checked_sub(chunk.len() as u64).ok_or_else(|| not_kept(io::ErrorKind::FileTooLarge.into()))?;
                copy.write_all(&chunk).map_err(not_kept)?;
            }
            Ok(copy)
        }
    }
}

/// A file that can be opened anew by its descriptor: this very one, or a copy.
fn readable(file: File) -> io::Result<File> {
    if File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).is_ok() {
        return Ok(file);
    }
    let mut copy = memory()?;
    io::copy(&mut (&file).take(LARGEST), &mut copy)?;
    Ok(copy)
}

fn memory() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("scratchdbg-program", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

/// Why nothing may stop a process, be it for milliseconds, under `--read-only`.
#[must_use]
pub fn forbidden() -> Failure {
    Failure::new(Exit::Usage, "a core stops the process for a moment, and --read-only forbids that")
}

/// What the health check of a target makes of its process standing still from now on; `None` if there is none.
#[must_use]
pub fn verdict(target: &Target, now: SystemTime) -> Option<(HealthCheck, Verdict)> {
    let container = target.container()?;
    let check = container.health_check?;
    Some((check, check.verdict(container.health.as_deref(), container.started, now)))
}

/// The same as a sentence, without its end.
#[must_use]
pub fn health_words(target: &Target, now: SystemTime) -> Option<String> {
    verdict(target, now).map(|(check, verdict)| check.words(verdict))
}

/// How long taking a core will probably stop the process.
#[must_use]
pub fn expected_pause(weight: &Weight) -> Duration {
    STOPPING + COPYING.mul_f64(mebibytes(weight.writable))
}

#[allow(clippy::cast_precision_loss, reason = "for a person")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_expected_by_what_there_is_to_copy() {
        let weight = |mebibytes: u64| Weight { writable: mebibytes << 20, constant: 1 << 30, threads: 9 };
        assert!(expected_pause(&weight(1)) < Duration::from_millis(5));
        assert!(expected_pause(&weight(1000)) > expected_pause(&weight(100)) * 5);
    }

    #[test]
    fn a_program_is_not_copied_without_need() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "ELF").unwrap();
        let file = readable(File::open(&path).unwrap()).unwrap();
        let same = |file: &File| std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        assert_eq!(same(&file), path);
    }

    #[test]
    fn what_cannot_be_looked_at_says_so() {
        let container = crate::tui::fake::container("shop");
        let target = |container| Target::Container(Box::new(container));
        assert!(allowed(&target(container.clone())).is_ok());
        let paused = crate::engine::Container { state: State::Paused, ..container };
        assert!(allowed(&target(paused)).unwrap_err().to_string().contains("is paused"));
    }
}

//! Which process of a target a debugger looks at, and whether a core can be taken of it. Commands and screens share it.

use std::time::Duration;

use futures_util::StreamExt as _;

use crate::corefile::Weight;
use crate::door::Door;
use crate::engine::{self, State, process};
use crate::exit::{Exit, Explain, Failure};
use crate::golang::{self, BuildInfo};
use crate::inspect::{self, processes};
use crate::shim::Shim;
use crate::target::{ContainerPid, HostPid, Target};

/// How long a pause is, beside the copying: stopping and letting go of the threads.
const STOPPING: Duration = Duration::from_millis(2);
/// How long copying takes, a mebibyte.
const COPYING: Duration = Duration::from_micros(300);
/// Programs that are looked at in search of one made by Go, at once.
const AT_ONCE: usize = 16;

/// The process that a debugger looks at.
#[derive(Debug, Clone)]
pub struct Debuggee {
    /// As it is numbered inside.
    pub pid: ContainerPid,
    /// As it is numbered on this host.
    pub host: HostPid,
    /// When it began, in clock ticks after boot: which of all the processes that had its number.
    pub start_ticks: u64,
    /// What its program says of itself; or why it does not. Only [`golang::Error::is_no`] means that Go did not make it.
    pub go: Result<BuildInfo, golang::Error>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sidecar has neither the rights nor the memory for it.
    #[error("cannot {purpose} {target} through a sidecar")]
    Sidecar {
        /// What it is for: `take a core of`.
        purpose: String,
        /// The target.
        target: String,
    },
    /// Its first process is on another host, or in another world.
    #[error("{target} has no process on this host")]
    Elsewhere {
        /// The target.
        target: String,
    },
    /// It is frozen.
    #[error("{target} is paused, and a paused process does not give its registers away")]
    Paused {
        /// The target.
        target: String,
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
    /// It could not be looked at from outside.
    #[error(transparent)]
    Process(#[from] engine::error::Error),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Sidecar { .. } => Some("on the engine's host, run it with sudo: --via local".to_owned()),
            Self::Paused { .. } => Some("unpause it first".to_owned()),
            Self::Several { .. } => Some("say which: --pid N; `scratchdbg ps` names them".to_owned()),
            Self::Processes(error) => error.hint(),
            Self::Process(error) => error.hint(),
            Self::Elsewhere { .. } | Self::Ended { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Sidecar { .. } => Exit::NotPermitted,
            Self::Elsewhere { .. } | Self::Ended { .. } => Exit::NoTarget,
            Self::Paused { .. } => Exit::No,
            Self::Several { .. } => Exit::Usage,
            Self::Processes(error) => error.exit(),
            Self::Process(error) => error.exit(),
        }
    }
}

/// Whether what was entered by this door can be looked at that closely at all. `purpose` says what for: `take a core of`.
///
/// # Errors
/// Why not.
pub fn allowed(target: &Target, door: Door, purpose: &str) -> Result<HostPid, Error> {
    if door == Door::Sidecar {
        return Err(Error::Sidecar { purpose: purpose.to_owned(), target: target.name() });
    }
    let init = target.init().ok_or_else(|| Error::Elsewhere { target: target.name() })?;
    if target.container().is_some_and(|container| container.state == State::Paused) {
        return Err(Error::Paused { target: target.name() });
    }
    Ok(init)
}

/// The process: the one asked for, the first one if Go made it, or the only one that Go made. `first` is the first one
/// inside, `init` the same on this host.
///
/// # Errors
/// If there is no such process, or more than one.
pub async fn find(
    shim: &Shim,
    target: &Target,
    first: ContainerPid,
    init: HostPid,
    asked: Option<ContainerPid>,
) -> Result<Debuggee, Error> {
    let (pid, go) = choose(shim, target, first, asked).await?;
    let host = process::host_pids(init).get(&pid).copied();
    let host = host.ok_or_else(|| Error::Ended { pid, target: target.name() })?;
    let start_ticks = process::find(host)?.start_ticks;
    Ok(Debuggee { pid, host, start_ticks, go })
}

async fn choose(
    shim: &Shim,
    target: &Target,
    first: ContainerPid,
    asked: Option<ContainerPid>,
) -> Result<(ContainerPid, Result<BuildInfo, golang::Error>), Error> {
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

/// Why nothing may stop a process, be it for milliseconds, under `--read-only`.
#[must_use]
pub fn forbidden() -> Failure {
    Failure::new(Exit::Usage, "a core stops the process for a moment, and --read-only forbids that")
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

/// How much of a process is taken at most where nobody says: half of the memory that this host has to spare
/// (proc_meminfo(5)); 1 GiB where it does not tell.
#[must_use]
pub fn half_of_what_is_free() -> u64 {
    let available = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    };
    available().map_or(1 << 30, |kibibytes| kibibytes.saturating_mul(1 << 10) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_expected_by_what_there_is_to_copy() {
        let weight = |mebibytes: u64| Weight { writable: mebibytes << 20, constant: 1 << 30, threads: 9 };
        assert!(expected_pause(&weight(1)) < Duration::from_millis(5));
        assert!(expected_pause(&weight(1000)) > expected_pause(&weight(100)) * 5);
        assert!(half_of_what_is_free() > 1 << 20);
    }

    #[test]
    fn what_cannot_be_looked_at_says_so() {
        use crate::engine::Container;
        let container = crate::tui::fake::container("shop");
        let target = |container: Container| Target::Container(Box::new(container));
        let allowed = |container, door| allowed(&target(container), door, "take a core of");
        assert!(allowed(container.clone(), Door::Local).is_ok());
        let why = |container, door| allowed(container, door).unwrap_err().to_string();
        assert!(why(container.clone(), Door::Sidecar).contains("through a sidecar"));
        assert!(why(Container { pid: None, ..container.clone() }, Door::Local).contains("no process on this host"));
        assert!(why(Container { state: State::Paused, ..container }, Door::Local).contains("is paused"));
    }
}

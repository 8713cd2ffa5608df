//! Which process of a target is debugged, and what it is on this host.

use futures_util::StreamExt as _;

use super::Context;
use crate::engine::{State, process};
use crate::entry::{Access, Entered, Via};
use crate::exit::{Exit, Failure};
use crate::golang::{self, BuildInfo};
use crate::inspect::processes;
use crate::target::{ContainerPid, HostPid, Target, TargetName};

/// Programs that are looked at in search of one made by Go, at once.
const AT_ONCE: usize = 16;

/// A process that was chosen.
pub struct Chosen {
    /// Whose it is.
    pub target: Target,
    /// The door that was opened for it.
    pub entered: Entered,
    /// Its number inside.
    pub pid: ContainerPid,
    /// Its number on this host.
    pub host: HostPid,
    /// When it began, in clock ticks after boot: which of all the processes that had its number.
    pub start_ticks: u64,
    /// What its program says of itself, or why it does not.
    pub go: Result<BuildInfo, golang::Error>,
}

/// Goes in and chooses one: the one asked for, the first one if Go made it, or the only one that Go made. `purpose` says what
/// for: `take a core of`.
///
/// # Errors
/// If there is no such process or more than one, or it is none of this host, or paused.
pub async fn choose(
    context: &Context,
    name: &TargetName,
    asked: Option<ContainerPid>,
    purpose: &str,
) -> Result<Chosen, Failure> {
    if context.global.via == Via::Sidecar {
        let message = format!("cannot {purpose} {name} through a sidecar");
        return Err(
            Failure::new(Exit::NotPermitted, message).try_this("on the engine's host, run it with sudo: --via local")
        );
    }
    let access = Access { via: Via::Local, ..context.global.access() };
    let entered = context.enter_with(name, &access).await;
    // Of the two ways out of missing rights, a sidecar is none here.
    let (target, entered) = entered.map_err(|failure| match failure.exit {
        Exit::NotPermitted => failure.try_this("on the engine's host, run it with sudo"),
        _ => failure,
    })?;
    let gone = || Failure::new(Exit::NoTarget, format!("{} has no process on this host", target.name()));
    let init = target.init().ok_or_else(gone)?;
    if target.container().is_some_and(|container| container.state == State::Paused) {
        let message = format!("{} is paused, and a paused process does not give its registers away", target.name());
        return Err(Failure::new(Exit::No, message).try_this("unpause it first"));
    }
    let (pid, go) = which(&target, &entered, asked).await?;
    let gone = || Failure::new(Exit::NoTarget, format!("process {pid} of {} has ended", target.name()));
    let host = process::host_pids(init).get(&pid).copied().ok_or_else(gone)?;
    let start_ticks = process::find(host)?.start_ticks;
    // Asked once more now that the start is known, which tells the process from all later ones of its number.
    context.still_the_same(&target).await?;
    Ok(Chosen { target, entered, pid, host, start_ticks, go })
}

async fn which(
    target: &Target,
    entered: &Entered,
    asked: Option<ContainerPid>,
) -> Result<(ContainerPid, Result<BuildInfo, golang::Error>), Failure> {
    let shim = &entered.shim;
    let first = asked.unwrap_or(entered.init);
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
            let message = format!("{} runs more than one Go program: processes {}", target.name(), pids.join(", "));
            Err(Failure::new(Exit::Usage, message).try_this("say which: --pid N; `scratchdbg ps` names them"))
        }
    }
}

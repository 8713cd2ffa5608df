//! Which process of a target is debugged, and what it is on this host.

use super::Context;
use crate::debuggee::{self, Debuggee};
use crate::entry::{Access, Entered, Via};
use crate::exit::{Exit, Failure};
use crate::golang::{self, BuildInfo};
use crate::target::{ContainerPid, HostPid, Target, TargetName};

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
        return Err(debuggee::Error::Sidecar { purpose: purpose.to_owned(), target: name.to_string() }.into());
    }
    let access = Access { via: Via::Local, ..context.global.access() };
    let entered = context.enter_with(name, &access).await;
    // Of the two ways out of missing rights, a sidecar is none here.
    let (target, entered) = entered.map_err(|failure| match failure.exit {
        Exit::NotPermitted => failure.try_this("on the engine's host, run it with sudo"),
        _ => failure,
    })?;
    let init = debuggee::allowed(&target, entered.door, purpose)?;
    let Debuggee { pid, host, start_ticks, go } =
        debuggee::find(&entered.shim, &target, entered.init, init, asked).await?;
    // Asked once more now that the start is known, which tells the process from all later ones of its number.
    context.still_the_same(&target).await?;
    Ok(Chosen { target, entered, pid, host, start_ticks, go })
}

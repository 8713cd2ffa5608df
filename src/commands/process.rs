//! Which process of a target is debugged.

use super::Context;
use crate::debuggee::{self, Debuggee};
use crate::entry::Entered;
use crate::entry::tracer::Tracee;
use crate::exit::Failure;
use crate::golang::{self, BuildInfo};
use crate::target::{ContainerPid, Target, TargetName};

/// A process that was chosen.
pub struct Chosen {
    /// Whose it is.
    pub target: Target,
    /// The door that was opened for it.
    pub entered: Entered,
    /// It.
    pub process: Tracee,
    /// What its program says of itself, or why it does not.
    pub go: Result<BuildInfo, golang::Error>,
}

/// Goes in and chooses one: the one asked for, the first one if Go made it, or the only one that Go made.
///
/// # Errors
/// If there is no such process or more than one, or it is paused.
pub async fn choose(context: &Context, name: &TargetName, asked: Option<ContainerPid>) -> Result<Chosen, Failure> {
    let (target, entered) = context.enter(name).await?;
    let found = debuggee::find(&entered.shim, &entered.tracer, &target, entered.init, asked).await;
    let Debuggee { process, go } = found?;
    // Asked once more now that the start is known, which tells the process from all later ones of its number.
    context.still_the_same(&target).await?;
    Ok(Chosen { target, entered, process, go })
}

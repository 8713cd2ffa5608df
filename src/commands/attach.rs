//! `attach`: the screen.

use std::io::IsTerminal as _;

use super::Context;
use crate::exit::{Exit, Failure};
use crate::target::TargetName;
use crate::tui::{self, Start};

/// Opens the screen on a target, or on a picker.
///
/// # Errors
/// If there is no terminal, or the screen ends in a failure.
pub async fn run(context: &Context, target: Option<TargetName>) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let hint = "everything the screen shows has a command: ps, proc, net, ls, cat, logs; each takes --json";
        return Err(Failure::new(Exit::Usage, "attach needs a terminal").try_this(hint));
    }
    let target = target.map(|name| context.meant(&name)).transpose()?;
    if target.is_none() && context.global.kube.plugin {
        return Err(
            Failure::new(Exit::Usage, "no pod is named").try_this("see them all with `kubectl scratchdbg list`")
        );
    }
    tui::run(Start {
        target,
        engine: context.engine().cloned(),
        cluster: context.global.kube.options(),
        container: context.global.kube.container.clone(),
        cri_socket: context.global.cri_socket.clone(),
        access: context.global.access(),
        broker: context.broker()?.clone(),
        journal: context.journal.clone(),
        color: context.global.color,
        read_only: context.global.read_only,
    })
    .await?;
    Ok(())
}

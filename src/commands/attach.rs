//! `attach`: the screen.

use std::io::IsTerminal as _;
use std::time::Duration;

use super::Context;
use crate::exit::{Exit, Failure};
use crate::target::TargetName;
use crate::tui::{self, Start};

/// How long the engine may take before the screen opens without its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens the screen on a target, or on a picker.
///
/// # Errors
/// If there is no terminal, or the screen ends in a failure.
pub async fn run(context: &Context, target: Option<TargetName>) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let hint = "everything the screen shows has a command: ps, proc, net, ls, cat, logs; each takes --json";
        return Err(Failure::new(Exit::Usage, "attach needs a terminal").try_this(hint));
    }
    if let Some(name) = &target {
        // A name that means nothing is told where it was typed. A slow engine is waited for on the screen instead.
        if let Ok(Err(failure)) = tokio::time::timeout(PATIENCE, context.find(name)).await {
            return Err(failure);
        }
    }
    tui::run(Start {
        target,
        host: context.global.host.clone(),
        access: context.global.access(),
        broker: context.broker()?.clone(),
        color: context.global.color,
        read_only: context.global.read_only,
    })
    .await?;
    Ok(())
}

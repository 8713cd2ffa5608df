//! `attach`: the screen.

use std::io::IsTerminal as _;

use super::{Context, copy};
use crate::cli;
use crate::engine::docker::sidecar::signals;
use crate::engine::kube::{Error, Options};
use crate::entry::{self, Access};
use crate::exit::{Exit, Failure};
use crate::target::{NameError, TargetName};
use crate::tui::app::pods::Source;
use crate::tui::effect::Place;
use crate::tui::{self, Start};

/// Opens the screen on a target, or on a picker.
///
/// # Errors
/// If there is no terminal, or the screen ends in a failure.
pub async fn run(context: &Context, target: Option<TargetName>, pods: cli::Listed) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let hint = "everything the screen shows has a command: ps, proc, net, ls, cat, logs; each takes --json";
        return Err(Failure::new(Exit::Usage, "attach needs a terminal").try_this(hint));
    }
    let target = target.map(|name| context.meant(&name)).transpose()?;
    let kube = &context.global.kube;
    let source = if kube.is_meant(&pods) { Source::Cluster } else { Source::Engine };
    if target.is_none() && source.is_cluster() && !cfg!(feature = "kube") {
        return Err(Error::NotBuilt.into());
    }
    let target = match target {
        Some(name) if kube.copy => Some(copied(context, &name).await?),
        target => target,
    };
    let place = Place {
        context: None,
        namespace: kube.namespace.clone(),
        everywhere: pods.all_namespaces,
        selector: pods.selector,
    };
    tui::run(Start {
        target,
        source,
        place,
        trusting: context.global.yes,
        engine: context.engine().cloned(),
        // Goroutines are read from memory.
        access: Access { memory: true, ..context.global.access() },
        cri_socket: context.global.cri_socket.clone(),
        // From here on the screen has the terminal.
        cluster: Options { screen: true, ..kube.options() },
        container: kube.container.clone(),
        broker: context.broker()?.clone(),
        journal: context.journal.clone(),
        color: context.global.color,
        read_only: context.global.read_only,
    })
    .await?;
    Ok(())
}

/// The name of a copy of what was named. A signal that comes while it is made takes it away again: the screen, which will see to
/// signals, is not there yet.
async fn copied(context: &Context, name: &TargetName) -> Result<TargetName, Failure> {
    let agreed = copy::agree(context, &context.find(name).await?).await?;
    let Some(signal) = signals::any() else { return Err(Failure::new(Exit::No, "cannot wait for signals")) };
    let made = tokio::select! {
        made = agreed.take(context) => made?,
        number = signal => {
            entry::settle().await;
            // As a shell tells of a command that a signal ended.
            std::process::exit(128 + number);
        }
    };
    format!("k8s://{}", made.name()).parse().map_err(|error: NameError| Failure::new(Exit::No, error.to_string()))
}

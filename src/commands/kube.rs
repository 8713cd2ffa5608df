//! `kube`: what a cluster's administrator is asked for, and what was left in a cluster.

mod clean;

use std::io::Write as _;

use super::{Context, output};
use crate::cli;
use crate::engine::kube::rbac;
use crate::exit::{Exit, Failure};
use crate::target::plausible;

/// Runs the command.
///
/// # Errors
/// If the namespace cannot be one, or the cluster refuses.
pub async fn run(context: &Context, command: cli::KubeCommand) -> Result<(), Failure> {
    match command {
        // No cluster is asked: what is printed is the same for all.
        cli::KubeCommand::Rbac => {
            let namespace = context.global.kube.namespace.as_deref().unwrap_or("default");
            let wrong = |_| Failure::new(Exit::Usage, format!("{namespace:?} is no namespace"));
            let role = rbac::role(&plausible(namespace).map_err(wrong)?, context.global.kube.copy);
            std::io::stdout().lock().write_all(role.as_bytes()).map_err(|error| output::failure(&error))
        }
        cli::KubeCommand::Clean { all_namespaces, running } => clean::run(context, all_namespaces, running).await,
    }
}

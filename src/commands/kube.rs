//! `kube`: what a cluster's administrator is asked for.

use std::io::Write as _;

use super::{Context, output};
use crate::cli;
use crate::engine::kube::rbac;
use crate::exit::{Exit, Failure};
use crate::target::plausible;

/// Runs the command. No cluster is asked: what is printed is the same for all.
///
/// # Errors
/// If the namespace cannot be one.
pub fn run(context: &Context, command: cli::KubeCommand) -> Result<(), Failure> {
    match command {
        cli::KubeCommand::Rbac => {
            let namespace = context.global.kube.namespace.as_deref().unwrap_or("default");
            let wrong = |_| Failure::new(Exit::Usage, format!("{namespace:?} is no namespace"));
            let role = rbac::role(&plausible(namespace).map_err(wrong)?);
            std::io::stdout().lock().write_all(role.as_bytes()).map_err(|error| output::failure(&error))
        }
    }
}

//! As a plugin of kubectl: the same program under another name.
//!
//! kubectl runs `kubectl-scratchdbg` for `kubectl scratchdbg`, and `kubectl_complete-scratchdbg` for what could be typed next.

mod complete;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::Context;
use crate::cli::{Cli, Command};
use crate::exit::Failure;
use crate::target::{PodName, TargetName};

/// How this program was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// By its own name.
    Itself,
    /// As a plugin of kubectl.
    Plugin,
    /// As what tells kubectl's shell completion.
    Completion,
}

impl Called {
    /// By the first of a program's arguments.
    #[must_use]
    pub fn by(name: Option<&OsString>) -> Self {
        match name.and_then(|name| Path::new(name).file_name()).and_then(OsStr::to_str) {
            Some("kubectl-scratchdbg") => Self::Plugin,
            Some("kubectl_complete-scratchdbg") => Self::Completion,
            _ => Self::Itself,
        }
    }
}

/// Reads what was typed. Ends the process, as clap does, if it is wrong, or if it asks for help.
#[must_use]
pub fn parse(called: Called, arguments: &[OsString]) -> Cli {
    let mut command = Cli::command();
    if called == Called::Plugin {
        command = command
            .bin_name("kubectl scratchdbg")
            .after_help("As a plugin of kubectl, a name alone is that of a pod, and `list` lists pods.");
    }
    let mut matches = command.get_matches_from(arguments);
    let mut cli = Cli::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit());
    if called == Called::Plugin {
        cli.global.kube.plugin = true;
        if let Some(Command::List(list)) = &mut cli.command {
            list.pods = true;
        }
    }
    cli
}

/// Prints what could be typed next. Never fails: then nothing is offered.
///
/// # Errors
/// If nobody reads it.
pub fn complete(words: &[OsString]) -> Result<(), Failure> {
    complete::run(words)
}

impl Context {
    /// What a name means here: to a plugin of kubectl, a name alone is that of a pod.
    ///
    /// # Errors
    /// If no pod can have that name.
    pub fn meant(&self, name: &TargetName) -> Result<TargetName, Failure> {
        match name {
            TargetName::Container(name) if self.global.kube.plugin => {
                let wrong = |error: crate::target::NameError| Failure::new(crate::exit::Exit::Usage, error.to_string());
                Ok(TargetName::Pod(PodName::pod(name).map_err(wrong)?))
            }
            other => Ok(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_name_it_is_called_by() {
        let by = |name: &str| Called::by(Some(&name.into()));
        assert_eq!(by("/usr/local/bin/kubectl-scratchdbg"), Called::Plugin);
        assert_eq!(by("kubectl_complete-scratchdbg"), Called::Completion);
        assert_eq!(
            (by("scratchdbg"), by("/x/kubectl"), Called::by(None)),
            (Called::Itself, Called::Itself, Called::Itself)
        );
    }

    #[test]
    fn a_name_alone_is_a_pod_to_the_plugin_only() {
        let meant = |called, line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            let (command, global) = parse(called, &words).wanted().unwrap();
            let Command::Ps(ps) = command else { panic!("{line}") };
            Context::new(global, None).meant(&ps.target.unwrap()).map(|name| name.to_string())
        };
        assert_eq!(meant(Called::Plugin, "kubectl-scratchdbg ps web-7").unwrap(), "pod/web-7");
        assert_eq!(meant(Called::Plugin, "kubectl-scratchdbg ps deploy/web").unwrap(), "deploy/web");
        assert_eq!(meant(Called::Itself, "scratchdbg ps web-7").unwrap(), "web-7");
        assert!(meant(Called::Plugin, "kubectl-scratchdbg ps A_b").unwrap_err().message.contains("A_b"));
        let words: Vec<OsString> = ["kubectl-scratchdbg", "list"].map(Into::into).into();
        assert!(matches!(parse(Called::Plugin, &words).command, Some(Command::List(list)) if list.pods));
    }
}

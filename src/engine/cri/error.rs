//! What can go wrong with a node's container runtime, in words a person can act on.

use std::path::PathBuf;

use super::State;
use crate::exit::{Exit, Explain};

/// Why a runtime did not answer as wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no socket at any of the usual places.
    #[error("no container runtime of Kubernetes is on this host: none of its sockets is there")]
    Nowhere,
    /// What was named is no place of this host.
    #[error("{0:?} is no socket of this host: write a path, or unix:// and a path")]
    Address(String),
    /// Nothing answers at the socket.
    #[error("no container runtime answers at {}: {why}", socket.display())]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the kernel said.
        why: String,
        /// Whether root could.
        denied: bool,
    },
    /// It did not answer in time.
    #[error("the container runtime at {} gave no answer to {method} within {seconds} s", socket.display())]
    Slow {
        /// Where it is.
        socket: PathBuf,
        /// What it was asked.
        method: &'static str,
        /// How long it was given.
        seconds: u64,
    },
    /// What answers does not speak the CRI, or not as expected.
    #[error("the container runtime at {} gave an answer to {method} that makes no sense: {why}", socket.display())]
    Garbled {
        /// Where it is.
        socket: PathBuf,
        /// What it was asked.
        method: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It understood and refused.
    #[error("the container runtime at {} refused {method}: {message}", socket.display())]
    Refused {
        /// Where it is.
        socket: PathBuf,
        /// What it was asked.
        method: &'static str,
        /// gRPC's number of the reason.
        status: u32,
        /// Its own words.
        message: String,
    },
    /// No such container.
    #[error("there is no container {name} on this node")]
    NotFound {
        /// What was typed.
        name: String,
        /// What there is that is close, or all if it is few.
        near: Vec<String>,
    },
    /// More than one container could be meant.
    #[error("{name} could be {}", candidates.join(", "))]
    Ambiguous {
        /// What was typed.
        name: String,
        /// What it could be.
        candidates: Vec<String>,
    },
    /// The container has no process to look at.
    #[error("{name} is not running: {}", words(*state, *exit_code, reason))]
    NotRunning {
        /// Its name.
        name: String,
        /// Where it is in its life.
        state: State,
        /// How its last run ended.
        exit_code: i32,
        /// Why, in the runtime's words.
        reason: String,
    },
    /// The runtime does not tell its process, or one that is not of this host.
    #[error("the container runtime does not tell which process of this host is the first of {name}")]
    NoProcess {
        /// Its name.
        name: String,
    },
}

fn words(state: State, exit_code: i32, reason: &str) -> String {
    let why = if reason.is_empty() || reason == "Completed" { String::new() } else { format!(" ({reason})") };
    match state {
        State::Created => "it was made, but not started yet".to_owned(),
        State::Exited => format!("it ended with status {exit_code}{why}"),
        State::Running | State::Unknown => "the runtime does not know its state".to_owned(),
    }
}

impl Error {
    /// Whether what answers is a runtime of something else than Kubernetes: gRPC's `UNIMPLEMENTED`.
    #[must_use]
    pub fn is_not_for_kubernetes(&self) -> bool {
        matches!(self, Self::Refused { status: 12, .. })
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Nowhere => Some(
                "run it on the pod's node, as root; name the socket with --cri-socket or CONTAINER_RUNTIME_ENDPOINT"
                    .to_owned(),
            ),
            Self::Address(_) => Some("for instance: --cri-socket /run/containerd/containerd.sock".to_owned()),
            Self::Unreachable { denied: true, .. } => Some("use sudo: only root may ask it".to_owned()),
            Self::Unreachable { .. } => Some("name another with --cri-socket".to_owned()),
            Self::Slow { .. } => Some("it may be overloaded or stuck: see its own log".to_owned()),
            Self::Garbled { .. } => Some("is this the socket of containerd or CRI-O?".to_owned()),
            Self::Refused { .. } if self.is_not_for_kubernetes() => {
                Some("it does not speak to Kubernetes (containerd with its plugin cri disabled?)".to_owned())
            }
            Self::NotFound { near, .. } if near.is_empty() => {
                Some("see all of them with `scratchdbg list --cri`".to_owned())
            }
            Self::NotFound { near, .. } => Some(format!("there is: {}", near.join(", "))),
            Self::Ambiguous { .. } => Some("name the container, or type more of its id".to_owned()),
            Self::Refused { .. } | Self::NotRunning { .. } => None,
            Self::NoProcess { .. } => {
                Some("find it with `ps -e`, and name it by its number: pid://N; is it in a virtual machine?".to_owned())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { denied: true, .. } => Exit::NotPermitted,
            Self::Nowhere | Self::Unreachable { .. } | Self::Slow { .. } | Self::Garbled { .. } => Exit::Unreachable,
            Self::Address(_) | Self::Ambiguous { .. } => Exit::Usage,
            Self::NotFound { .. } | Self::NotRunning { .. } => Exit::NoTarget,
            Self::Refused { .. } if self.is_not_for_kubernetes() => Exit::Unreachable,
            Self::Refused { .. } | Self::NoProcess { .. } => Exit::No,
        }
    }
}

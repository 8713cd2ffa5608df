//! What can go wrong with a cluster, in words a person can act on.

use crate::exit::{Exit, Explain};
use crate::target::{PodKind, TargetName};

/// Why a cluster did not answer as wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such part in this build.
    #[error("this scratchdbg was built without Kubernetes")]
    NotBuilt,
    /// The configuration cannot be used.
    #[error("no cluster can be chosen: {why}")]
    Config {
        /// Why not.
        why: String,
    },
    /// What gives the credentials wants to ask a person, and the screen has the terminal.
    #[error("the credential plugin {plugin:?} asks on a terminal, and here the screen has it")]
    WantsTerminal {
        /// Its name.
        plugin: String,
    },
    /// What gives the credentials gave none.
    #[error("the credential plugin {plugin:?} gave no credentials: {why}")]
    Plugin {
        /// Its name.
        plugin: String,
        /// In its own words.
        why: String,
    },
    /// Nothing answers.
    #[error("the cluster at {endpoint} does not answer: {why}")]
    Unreachable {
        /// Where it should be.
        endpoint: String,
        /// What the connection said.
        why: String,
    },
    /// It did not answer in time.
    #[error("the cluster at {endpoint} gave no answer to {what} within {seconds} s")]
    Slow {
        /// Where it is.
        endpoint: String,
        /// What it was asked.
        what: String,
        /// How long it was given.
        seconds: u64,
    },
    /// What answered does not speak the API, or not as expected.
    #[error("the cluster at {endpoint} gave an answer to {what} that makes no sense: {why}")]
    Garbled {
        /// Where it is.
        endpoint: String,
        /// What it was asked.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It knows nobody by what was shown to it.
    #[error("the cluster at {endpoint} does not know who asks: {message}")]
    Unknown {
        /// Where it is.
        endpoint: String,
        /// Its own words.
        message: String,
    },
    /// It understood and refused.
    #[error("the cluster refused to {what}: {message}")]
    Refused {
        /// What it was asked.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// There is no such thing.
    #[error("there is no {kind}/{name} in namespace {namespace}")]
    NotFound {
        /// Of what.
        kind: PodKind,
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// Names that are there, a few.
        near: Vec<String>,
    },
    /// What makes pods has none that runs.
    #[error("{kind}/{name} has no pod that runs in namespace {namespace}: {why}")]
    NoPods {
        /// Of what.
        kind: PodKind,
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
        /// What was found instead.
        why: String,
    },
    /// What was typed is no selector, or one that nothing is asked with.
    #[error("{selector:?} selects no pods: {why}")]
    Selector {
        /// What was typed.
        selector: String,
        /// Why not.
        why: String,
    },
    /// No pod has such labels.
    #[error("no pod has the labels {selector} {place}")]
    NoneSelected {
        /// What was typed.
        selector: String,
        /// Where was looked.
        place: String,
    },
    /// More pods have such labels than are looked at in one go.
    #[error("more than {most} pods have the labels {selector} {place}, and no more are looked at in one go")]
    TooManySelected {
        /// What was typed.
        selector: String,
        /// Where was looked.
        place: String,
        /// How many are.
        most: usize,
    },
    /// The pod has no such container.
    #[error("pod {pod} has no container {name:?}")]
    NoContainer {
        /// Namespace and name.
        pod: String,
        /// What was typed.
        name: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The pod has several, and none was named.
    #[error("pod {pod} has several containers: {}", there.join(", "))]
    WhichContainer {
        /// Namespace and name.
        pod: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The container has no process to look at.
    #[error("{name} does not run: {why}")]
    NotRunning {
        /// Namespace, pod and container.
        name: String,
        /// What became of it.
        why: String,
        /// Whether it ran before.
        ran: bool,
    },
    /// The log ended in the middle.
    #[error("the log of {name} broke off: {why}")]
    Lost {
        /// Namespace, pod and container.
        name: String,
        /// What the connection said.
        why: String,
    },
}

impl Error {
    /// Whether the cluster says that somebody may not do that.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }

    /// Whether nobody knows if what was asked has been done: no answer came, or that of somebody who was in trouble.
    #[must_use]
    pub fn is_no_answer(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Garbled { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotBuilt => Some("build it with the feature `kube`, which is on unless it is left out".to_owned()),
            Self::Config { .. } => {
                Some("name one with --context or --kubeconfig; see all with `kubectl config get-contexts`".to_owned())
            }
            Self::WantsTerminal { .. } => {
                Some("commands give it the terminal: scratchdbg list --pods, ps, logs, cat …".to_owned())
            }
            Self::Plugin { .. } => {
                Some("log in as for kubectl; `kubectl get pods` shows whether that works".to_owned())
            }
            Self::Unreachable { .. } => {
                Some("does `kubectl version` reach it? see --context and KUBECONFIG".to_owned())
            }
            Self::Slow { .. } => Some("it may be overloaded, or something on the way swallows what is sent".to_owned()),
            Self::Garbled { .. } => Some("is this the API of a cluster, or a proxy's page?".to_owned()),
            Self::Unknown { .. } => Some("log in to it again, as for kubectl".to_owned()),
            Self::Refused { status: 403, .. } => Some(
                "ask an administrator for the right; `scratchdbg kube rbac` prints a Role with all of them".to_owned(),
            ),
            Self::Refused { .. } | Self::Lost { .. } => None,
            Self::NotFound { near, .. } if near.is_empty() => {
                Some("see all with `scratchdbg list --pods`; -n names another namespace".to_owned())
            }
            Self::NotFound { near, .. } => Some(format!("there is: {}", near.join(", "))),
            Self::NoPods { .. } => Some("see its pods with `scratchdbg list --pods`".to_owned()),
            Self::Selector { .. } => Some("write it as kubectl takes it: -l app=web,tier!=cache".to_owned()),
            Self::NoneSelected { selector, .. } => Some(match selector.parse::<TargetName>() {
                Ok(TargetName::Pod(_)) => {
                    format!("{selector} is a TARGET and no label: leave out -l; it is one pod then")
                }
                _ => "see the labels with `kubectl get pods --show-labels`; -n names another namespace, -A all"
                    .to_owned(),
            }),
            Self::TooManySelected { .. } => Some("choose fewer with more labels, or one namespace with -n".to_owned()),
            Self::NoContainer { there, .. } => Some(format!("there is: {}", there.join(", "))),
            Self::WhichContainer { .. } => Some("choose one with -c".to_owned()),
            Self::NotRunning { name, ran: true, .. } => Some(format!(
                "see how it ended: scratchdbg logs --previous k8s://{name}\n\
                     see its files, its user and its variables in a copy in which it does not run: add --copy"
            )),
            Self::NotRunning { name, ran: false, .. } => {
                let mut parts = name.split('/');
                let (namespace, pod) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                Some(format!("see why: kubectl describe pod -n {namespace} {pod}"))
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotBuilt
            | Self::Config { .. }
            | Self::WantsTerminal { .. }
            | Self::WhichContainer { .. }
            | Self::Selector { .. }
            | Self::TooManySelected { .. } => Exit::Usage,
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Garbled { .. } | Self::Lost { .. } => {
                Exit::Unreachable
            }
            Self::Unknown { .. } | Self::Plugin { .. } | Self::Refused { status: 403, .. } => Exit::NotPermitted,
            Self::Refused { .. } => Exit::No,
            Self::NotFound { .. }
            | Self::NoPods { .. }
            | Self::NoneSelected { .. }
            | Self::NoContainer { .. }
            | Self::NotRunning { .. } => Exit::NoTarget,
        }
    }
}

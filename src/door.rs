//! The ways into a target.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The doors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// This host's kernel, through the broker.
    Local,
    /// A throw-away container of the engine.
    Sidecar,
    /// An ephemeral container of a pod.
    Kube,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.pad("local"),
            Self::Sidecar => f.pad("sidecar"),
            Self::Kube => f.pad("kube"),
        }
    }
}

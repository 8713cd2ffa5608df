//! The ways in: plans who enters where with which rights, and opens the door.

pub mod plan;

use std::fmt;
use std::str::FromStr;

use crate::exit::{Exit, Explain};
use crate::shim::Shim;
use crate::target::Target;

/// Which door to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Via {
    /// The best one that works.
    #[default]
    Auto,
    /// From this host, which needs root.
    Local,
}

/// Whose eyes to look with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// The target's first process: what it sees is seen.
    #[default]
    Target,
    /// Root inside, who sees every file.
    Root,
    /// This user and group, without capabilities.
    User {
        /// User id, inside.
        uid: u32,
        /// Group id, inside.
        gid: u32,
    },
}

/// How to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// The door.
    pub via: Via,
    /// Whose eyes.
    pub identity: Identity,
    /// Whether files may be written. Without it the whole view is read-only.
    pub write: bool,
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "target" => Ok(Self::Target),
            "root" => Ok(Self::Root),
            numbers => {
                let (uid, gid) = numbers.split_once(':').unwrap_or((numbers, numbers));
                match (uid.parse(), gid.parse()) {
                    (Ok(uid), Ok(gid)) if uid != u32::MAX && gid != u32::MAX => Ok(Self::User { uid, gid }),
                    _ => Err("write target, root, UID or UID:GID".to_owned()),
                }
            }
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Root => f.write_str("root"),
            Self::User { uid, gid } => write!(f, "{uid}:{gid}"),
        }
    }
}

/// The privileged half of this process, or what is known of its absence. See `entry/broker.rs`.
pub struct Broker {}

/// An open door.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The helper inside.
    pub shim: Shim,
    /// How it got there.
    pub plan: plan::Plan,
}

/// Why a door did not open.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The process the engine named was replaced by another one meanwhile.
    #[error("{target} was restarted while it was being entered")]
    Moved {
        /// Its name.
        target: String,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Moved { .. } => Some("try again".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Moved { .. } => Exit::NoTarget,
        }
    }
}

/// Enters a target.
///
/// # Errors
/// If it cannot be entered: which step failed, why, and what to try.
pub async fn enter(_broker: &Broker, _target: &Target, _access: &Access) -> Result<Entered, Error> {
    todo!()
}

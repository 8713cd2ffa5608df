//! The ways in: plans who enters where with which rights, and opens the door.

mod broker;
mod local;
pub mod plan;

use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use self::broker::message::Step;
pub use self::broker::{Broker, NoBroker, SHIM};
use self::plan::{Missing, Plan};

use crate::exit::{Exit, Explain};
use crate::shim::Shim;
use crate::target::{ContainerPid, Target};

/// Which door to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
pub enum Via {
    /// The best one that works.
    #[default]
    Auto,
    /// From this host, which needs root.
    Local,
}

/// Whose eyes to look with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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

/// An open door.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The helper inside.
    pub shim: Shim,
    /// How it got there.
    pub plan: Plan,
    /// The target's first process, as it is numbered inside.
    pub init: ContainerPid,
    /// Through which door.
    pub door: Door,
}

/// The doors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// This host's kernel, through the broker.
    Local,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.pad("local"),
        }
    }
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
    /// There is no such process.
    #[error("{target} has no running process")]
    Gone {
        /// Its name.
        target: String,
    },
    /// Rights are missing.
    #[error("not permitted to enter {target}: {}", words(missing))]
    Missing {
        /// Its name.
        target: String,
        /// Which, and what for.
        missing: Vec<Missing>,
    },
    /// The user asked for does not exist there.
    #[error("cannot enter {target}: user {uid} has no number in its user namespace")]
    Unmapped {
        /// Its name.
        target: String,
        /// The user, as this host counts.
        uid: u32,
    },
    /// A step failed.
    #[error("cannot enter {target}: {step} failed: {errno}", step = step.words())]
    Stopped {
        /// Its name.
        target: String,
        /// Which.
        step: Step,
        /// Why.
        errno: Errno,
    },
    /// There is no broker.
    #[error(transparent)]
    NoBroker(#[from] NoBroker),
    /// The broker has ended.
    #[error("cannot enter {target}: the privileged helper process has ended: {errno}")]
    BrokerEnded {
        /// Its name.
        target: String,
        /// How.
        errno: Errno,
    },
    /// The helper inside did not say what it should.
    #[error("cannot enter {target}: {cause}")]
    Shim {
        /// Its name.
        target: String,
        /// What went wrong.
        cause: crate::shim::Error,
    },
}

fn words(missing: &[Missing]) -> String {
    let each: Vec<_> = missing.iter().map(|one| format!("{} {}", one.capability, one.purpose)).collect();
    format!("missing {}", each.join(", "))
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Moved { .. } => Some("try again".to_owned()),
            Self::Missing { .. } => Some("run it with sudo".to_owned()),
            Self::Unmapped { .. } => Some("try --as root".to_owned()),
            Self::Stopped { step, errno, .. } => step.hint(*errno),
            Self::Gone { .. } | Self::NoBroker(_) | Self::BrokerEnded { .. } | Self::Shim { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Moved { .. } | Self::Gone { .. } | Self::Shim { cause: crate::shim::Error::TargetGone, .. } => {
                Exit::NoTarget
            }
            Self::Missing { .. }
            | Self::Unmapped { .. }
            | Self::Stopped { errno: Errno::EPERM | Errno::EACCES, .. } => Exit::NotPermitted,
            Self::Stopped { .. } | Self::NoBroker(_) | Self::BrokerEnded { .. } | Self::Shim { .. } => Exit::No,
        }
    }
}

/// Enters a target.
///
/// # Errors
/// If it cannot be entered: which step failed, why, and what to try.
pub async fn enter(broker: &Broker, target: &Target, access: &Access) -> Result<Entered, Error> {
    let name = target.name();
    let Some(pid) = target.init() else { return Err(Error::Gone { target: name }) };
    match access.via {
        Via::Auto | Via::Local => local::enter(broker, &name, pid, access).await,
    }
}

//! The ways in: plans who enters where with which rights, and opens the door.

pub mod beside;
mod broker;
pub mod guard;
pub(crate) mod kube;
mod local;
pub mod plan;
pub mod reach;
mod sidecar;
pub mod snapshot;
mod status;
mod steps;
pub mod tracer;
mod yama;

use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use self::broker::message::Step;
pub use self::broker::{Broker, NoBroker, SHIM};
pub use self::kube::{Error as PodError, PodLink, Ports};
use self::plan::{Missing, Plan};
pub use self::reach::{Reach, reach};
pub use self::tracer::Tracer;

use crate::activity::Journal;
pub use crate::door::Door;
use crate::engine::cri;
use crate::engine::docker::Docker;
use crate::engine::kube::{Cluster, Pod};
use crate::engine::{self, Container, Owner};
use crate::exit::{Exit, Explain};
use crate::shim::Shim;
use crate::target::{ContainerPid, HostPid, Target};

/// Which door to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
pub enum Via {
    /// The best one that works.
    #[default]
    Auto,
    /// From this host, which needs root.
    Local,
    /// Through a throw-away container beside the target, which needs the engine alone.
    Sidecar,
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
    /// Whether a sidecar may be put beside a target that could take it over.
    pub trusting: bool,
    /// Whether memory of its processes will be read. A process of the same user may do that, but where Yama is told otherwise:
    /// there the right to look is kept, if it is to be had.
    pub memory: bool,
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
    /// Who can debug its processes.
    pub tracer: Tracer,
    /// What a person should know of it, because it stays or is not as asked for.
    pub notice: Option<String>,
}

/// Why a door did not open.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The process the engine named was replaced by another one meanwhile.
    #[error("{target} was started anew meanwhile")]
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
    /// Its process runs on another host than this one.
    #[error("cannot enter {target} from this host: its process is not here")]
    Elsewhere {
        /// Its name.
        target: String,
    },
    /// A sidecar was asked for where there is no engine to make one.
    #[error("no sidecar can be put beside {target}, which no engine is asked for")]
    NoEngine {
        /// Its name.
        target: String,
    },
    /// A node's container runtime does not say that it is the same any more.
    #[error(transparent)]
    Node(#[from] cri::Error),
    /// A sidecar was asked to write.
    #[error("cannot write into {target} through a sidecar, which only reads")]
    ReadOnly {
        /// Its name.
        target: String,
    },
    /// The target could take a sidecar over.
    #[error(
        "no sidecar was put beside {target}: its CAP_SYS_PTRACE lets it take over the engine's program that starts one"
    )]
    AtItsMercy {
        /// Its name.
        target: String,
    },
    /// The engine would not make the sidecar.
    #[error("cannot put a sidecar beside {target}: {cause}")]
    Engine {
        /// Its name.
        target: String,
        /// What the engine said.
        cause: engine::error::Error,
    },
    /// A pod could not be entered.
    #[error(transparent)]
    Pod(Box<kube::Error>),
    /// The sidecar runs, but the kernel keeps it from the target's files.
    #[error("the sidecar beside {target} may not look into it as {identity}: {cause}")]
    Kept {
        /// Its name.
        target: String,
        /// As whom it tried.
        identity: String,
        /// What the kernel said.
        cause: crate::shim::Error,
    },
    /// The sidecar sees processes, but none of them is the target's.
    #[error("the sidecar beside {target} does not find its process among those it sees")]
    Lost {
        /// Its name.
        target: String,
    },
    /// A sidecar cannot run what is of another kind of machine.
    #[error(
        "cannot debug {target} in a sidecar: its engine runs programs for {theirs}, and these are for {}",
        std::env::consts::ARCH
    )]
    Architecture {
        /// Its name.
        target: String,
        /// What the engine said.
        theirs: String,
    },
    /// What a sidecar needs to debug cannot be put together.
    #[error("cannot debug {target} in a sidecar: {why}")]
    Packed {
        /// Its name.
        target: String,
        /// What is missing.
        why: String,
    },
    /// A system call filter keeps what is beside it from debugging.
    #[error("{beside} may not trace: the system call filter (seccomp) that it was given forbids it")]
    Filtered {
        /// What it is beside which target.
        beside: String,
    },
    /// What is beside it cannot begin to debug.
    #[error("{beside} cannot debug it: {}", errno.desc())]
    NotReady {
        /// What it is beside which target.
        beside: String,
        /// Why.
        errno: Errno,
    },
    /// What debugged has ended.
    #[error("what debugged in {beside} has ended")]
    BesideEnded {
        /// What it is beside which target.
        beside: String,
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

impl Error {
    /// A debug file was given where there is no place for it.
    #[must_use]
    pub fn no_debug_file() -> Self {
        Self::Pod(Box::new(kube::Error::DebugFile))
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Moved { .. } => Some("try again".to_owned()),
            Self::Missing { target, .. } if ["pid://", "cri://"].iter().any(|start| target.starts_with(start)) => {
                Some("run it with sudo".to_owned())
            }
            Self::Missing { .. } => Some("run it with sudo, or go through the engine: --via sidecar".to_owned()),
            Self::Node(cause) => cause.hint(),
            Self::Unmapped { .. } => Some("try --as root".to_owned()),
            Self::Elsewhere { .. } => Some("go through its engine: --via sidecar".to_owned()),
            Self::NoEngine { .. } => Some("run it with sudo: --via local needs no engine".to_owned()),
            Self::ReadOnly { .. } => Some("on the engine's host, run it with sudo: --via local can write".to_owned()),
            Self::AtItsMercy { .. } => Some(
                "on the engine's host, sudo and --via local never appear beside it\nif you trust it with that host: --yes"
                    .to_owned(),
            ),
            Self::Kept { .. } => Some("try --as target; on the engine's host, sudo and --via local".to_owned()),
            Self::Lost { .. } | Self::NotReady { .. } => Some("on its host, run it with sudo: --via local; of a pod, cri://NAMESPACE/POD/CONTAINER".to_owned()),
            Self::Pod(cause) => cause.hint(),
            Self::Engine { cause, .. } => {
                let local = "on the engine's host, sudo and --via local need nothing of the engine";
                Some(cause.hint().unwrap_or_else(|| local.to_owned()))
            }
            Self::Stopped { step, errno, .. } => step.hint(*errno),
            Self::Architecture { .. } | Self::Packed { .. } => {
                Some("run it on the engine's host; there, sudo and --via local need no sidecar".to_owned())
            }
            Self::Filtered { .. } => Some(
                "Docker's own filter allows it from 19.03 on, with Linux 4.8, and so does containerd's
on its host, as root, nothing is filtered: sudo, --via local; of a pod, cri://NAMESPACE/POD/CONTAINER"
                    .to_owned(),
            ),
            Self::Gone { .. }
            | Self::NoBroker(_)
            | Self::BrokerEnded { .. }
            | Self::BesideEnded { .. }
            | Self::Shim { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Moved { .. } | Self::Gone { .. } | Self::Shim { cause: crate::shim::Error::TargetGone, .. } => {
                Exit::NoTarget
            }
            Self::Engine { cause, .. } => cause.exit(),
            Self::Node(cause) => cause.exit(),
            Self::Pod(cause) => cause.exit(),
            Self::NoEngine { .. } => Exit::Usage,
            Self::Missing { .. }
            | Self::Unmapped { .. }
            | Self::Elsewhere { .. }
            | Self::ReadOnly { .. }
            | Self::AtItsMercy { .. }
            | Self::Kept { .. }
            | Self::Architecture { .. }
            | Self::Filtered { .. }
            | Self::NotReady { errno: Errno::EPERM | Errno::EACCES, .. }
            | Self::Stopped { errno: Errno::EPERM | Errno::EACCES, .. } => Exit::NotPermitted,
            Self::Stopped { .. }
            | Self::Lost { .. }
            | Self::NoBroker(_)
            | Self::BrokerEnded { .. }
            | Self::Packed { .. }
            | Self::NotReady { .. }
            | Self::BesideEnded { .. }
            | Self::Shim { .. } => Exit::No,
        }
    }
}

/// Enters a target, through the door asked for.
///
/// Unasked, that is the local door where the process is one of this host and may be entered, else a sidecar. Whether it
/// is of this host is what the process itself shows, not what the engine's address suggests.
///
/// What is done goes into the journal, step by step, and so does a door that stays shut.
///
/// # Errors
/// If it cannot be entered: which step failed, why, and what to try.
pub async fn enter(
    broker: Result<&Broker, Error>,
    owner: Option<&Owner>,
    target: &Target,
    access: &Access,
    journal: &Journal,
) -> Result<Entered, Error> {
    let name = target.name();
    let shut = |door, how: &str, why: &str| journal.failed(Some(door), &format!("enter {name} {how}"), &why);
    if let Some((cluster, pod)) = of_cluster(owner, target) {
        let entered = kube::enter(cluster, pod, access, journal).await;
        let entered = entered.map_err(|error| Error::Pod(Box::new(error)));
        return entered.inspect_err(|error| shut(Door::Kube, "through its pod", &error.to_string()));
    }
    let (local, beside) = ways(owner.and_then(Owner::engine), target, access)?;
    if let Some(pid) = local {
        let how = "from this host";
        match local::enter(broker, &name, pid, access, journal).await {
            Err(error) if beside.is_some() && error.is_for_want_of_rights() => {
                shut(Door::Local, how, &format!("{error}; tried next: a sidecar"));
            }
            Err(error) => {
                shut(Door::Local, how, &error.to_string());
                return Err(error);
            }
            entered => return entered,
        }
    }
    let Some((engine, container)) = beside else { return Err(Error::NoEngine { target: name }) };
    let entered = sidecar::enter(engine, container, access, journal).await;
    entered.inspect_err(|error| shut(Door::Sidecar, "through a sidecar", &error.to_string()))
}

/// What entering a target would add to it for good: as whom a container of ours would be in its pod. `None` if nothing would stay, or
/// if one that was left there is used again. Nothing is done.
///
/// # Errors
/// If it could not be entered: why, and what to try.
pub async fn addition(owner: Option<&Owner>, target: &Target, access: &Access) -> Result<Option<String>, Error> {
    let Some((cluster, pod)) = of_cluster(owner, target) else { return Ok(None) };
    kube::addition(cluster, pod, access).await.map_err(|error| Error::Pod(Box::new(error)))
}

/// How a target would be entered. Nothing is done.
///
/// # Errors
/// If it could not be: why, and what to try.
pub async fn plan(
    broker: Result<&Broker, Error>,
    owner: Option<&Owner>,
    target: &Target,
    access: &Access,
) -> Result<(Door, Plan), Error> {
    let name = target.name();
    if let Some((cluster, pod)) = of_cluster(owner, target) {
        let planned = kube::plan(cluster, pod, access).await;
        return planned.map(|plan| (Door::Kube, plan)).map_err(|error| Error::Pod(Box::new(error)));
    }
    let (local, beside) = ways(owner.and_then(Owner::engine), target, access)?;
    if let Some(pid) = local {
        match local::plan(broker, &name, pid, access).await {
            Err(error) if beside.is_some() && error.is_for_want_of_rights() => {}
            result => return result.map(|plan| (Door::Local, plan)),
        }
    }
    match beside {
        Some((_, container)) => sidecar::plan(container, access).map(|plan| (Door::Sidecar, plan)),
        None => Err(Error::NoEngine { target: name }),
    }
}

/// Whether entering a pod would add to it what stays in its list. Nothing is asked.
#[must_use]
pub fn would_add(cluster: &Cluster, pod: &Pod, access: &Access) -> bool {
    kube::would_add(cluster, pod, access)
}

/// The cluster and the pod, if it is a pod.
fn of_cluster<'a>(owner: Option<&'a Owner>, target: &'a Target) -> Option<(&'a Cluster, &'a Pod)> {
    match (owner, target) {
        (Some(Owner::Cluster(cluster)), Target::Pod(pod)) => Some((cluster, pod)),
        _ => None,
    }
}

/// Waits until nothing is half made, and what was made for this process alone has ended. For the end of the process.
pub async fn settle() {
    engine::kube::holding::settle().await;
    crate::engine::docker::sidecar::settle().await;
}

/// The ways that may be tried, in this order: from this host, and beside it.
type Ways<'a> = (Option<HostPid>, Option<(&'a Docker, &'a Container)>);

fn ways<'a>(engine: Option<&'a Docker>, target: &'a Target, access: &Access) -> Result<Ways<'a>, Error> {
    let (pid, beside) = (target.init(), engine.zip(target.container()));
    match (access.via, pid) {
        (Via::Sidecar, _) => Ok((None, beside)),
        (Via::Auto, None) if beside.is_some() => Ok((None, beside)),
        (_, None) => Err(Error::Elsewhere { target: target.name() }),
        (Via::Local, Some(_)) => Ok((pid, None)),
        (Via::Auto, Some(_)) => Ok((pid, beside)),
    }
}

impl Error {
    /// Whether another door may open where this one did not.
    fn is_for_want_of_rights(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NoBroker(_))
    }
}

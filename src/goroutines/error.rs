//! Why the goroutines of a process cannot be read.

use nix::errno::Errno;

use crate::exit::{Exit, Explain};
use crate::golang;
use crate::golang::layout::Layout;
use crate::shim;
use crate::target::ContainerPid;
use crate::text::Safe;

/// Why not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Go did not make it, or it does not say so.
    #[error("process {pid} is not known to be a Go program: {cause}")]
    NotGo {
        /// Its number inside.
        pid: ContainerPid,
        /// What its file says.
        cause: golang::Error,
    },
    /// A Go that there is no row of offsets for, and no debug information that has them.
    #[error(
        "process {pid} was built by {version}, and how that keeps its goroutines is not known: only Go {}",
        Layout::known()
    )]
    UnknownGo {
        /// Its number inside.
        pid: ContainerPid,
        /// What it says of itself.
        version: Safe,
    },
    /// Whoever looks may not read its memory.
    #[error("no permission to read the memory of process {pid}")]
    NotPermitted {
        /// Its number inside.
        pid: ContainerPid,
    },
    /// It has ended.
    #[error("process {pid} has ended, or is another one by now")]
    Ended {
        /// Its number inside.
        pid: ContainerPid,
    },
    /// Its memory does not hold what its file says.
    #[error("the file of process {pid} is not what it runs: it was replaced since it was started")]
    OtherFile {
        /// Its number inside.
        pid: ContainerPid,
    },
    /// What is looked for is not there.
    #[error("cannot find {what} in the memory of process {pid}")]
    NotFound {
        /// Its number inside.
        pid: ContainerPid,
        /// What was looked for.
        what: &'static str,
    },
    /// It takes longer than it ever should.
    #[error("the memory of process {pid} could not be read within {} s", .within.as_secs())]
    Stuck {
        /// Its number inside.
        pid: ContainerPid,
        /// How long it was waited for.
        within: std::time::Duration,
    },
    /// Its file or its memory could not be had.
    #[error("cannot read {what} of process {pid}")]
    Shim {
        /// Its number inside.
        pid: ContainerPid,
        /// What.
        what: &'static str,
        /// Why.
        source: shim::Error,
    },
}

impl Error {
    /// What a failed request for a file of a process means.
    #[must_use]
    pub fn of(pid: ContainerPid, what: &'static str, source: shim::Error) -> Self {
        match source {
            shim::Error::Errno(Errno::EACCES | Errno::EPERM) => Self::NotPermitted { pid },
            shim::Error::Errno(Errno::ESRCH) | shim::Error::TargetGone => Self::Ended { pid },
            source => Self::Shim { pid, what, source },
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        const DEBUGGER: &str =
            "Delve may know it: scratchdbg dlv TARGET; or take a core, while it runs on: scratchdbg core";
        match self {
            Self::NotGo { cause, .. } if cause.is_no() => None,
            Self::UnknownGo { .. } | Self::NotFound { .. } => Some(DEBUGGER.to_owned()),
            Self::NotGo { .. } => {
                Some("a packed program (UPX) says nothing of itself; scratchdbg core works on any".to_owned())
            }
            Self::NotPermitted { .. } => Some("try --as root; on the engine's host, sudo and --via local".to_owned()),
            Self::OtherFile { .. } => Some("restart it, or take a core: scratchdbg core".to_owned()),
            Self::Stuck { .. } => {
                Some("part of its memory may be of a file system that is stuck (FUSE, NFS)".to_owned())
            }
            Self::Ended { .. } => Some("list the processes with: scratchdbg ps TARGET".to_owned()),
            Self::Shim { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotPermitted { .. } => Exit::NotPermitted,
            Self::Ended { .. } => Exit::NoTarget,
            _ => Exit::No,
        }
    }
}

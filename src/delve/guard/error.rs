//! Why Delve was not started.

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Explain};

/// Why Delve was not started. The target has not been touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Error {
    /// It has ended, or its number has gone to another process.
    #[error("the process has ended")]
    Gone,
    /// Somebody traces it already.
    #[error("it is traced already, by process {tracer}")]
    Traced {
        /// By whom, on this host.
        tracer: i32,
    },
    /// It was stopped by a signal before.
    #[error("it is stopped, and would go on by being debugged")]
    Stopped,
    /// A file of `/proc/PID` cannot be read.
    #[error("{file} of the process cannot be read: {}", reason(*.errno))]
    Proc {
        /// Which.
        file: String,
        /// errno(3).
        errno: i32,
    },
    /// The rights for it are missing, or cannot be had alone.
    #[error("the rights to debug any process are missing: {}", reason(*.errno))]
    Rights {
        /// errno(3).
        errno: i32,
    },
    /// Delve's private place cannot be made.
    #[error("a private place for dlv cannot be made: {}", reason(*.errno))]
    Place {
        /// errno(3).
        errno: i32,
    },
    /// What came as a debug file is none that could be read.
    #[error("the debug file is not open for reading")]
    DebugFile,
    /// Whoever has no rights of their own could replace the program that would get some.
    #[error("dlv would get rights that you do not have, and is not root's own file")]
    NotTrusted,
    /// Delve cannot be started, or not be watched.
    #[error("dlv cannot be started: {step}: {}", reason(*.errno))]
    Launch {
        /// What failed.
        step: String,
        /// errno(3).
        errno: i32,
    },
}

impl Error {
    /// A step of starting Delve that failed.
    pub(super) fn launch(step: &str, errno: nix::errno::Errno) -> Self {
        Self::Launch { step: step.to_owned(), errno: errno as i32 }
    }

    /// A file of `/proc/PID` that cannot be read.
    pub(super) fn proc(file: &str, error: &std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => Self::Gone,
            errno => Self::Proc { file: file.to_owned(), errno: errno.unwrap_or(libc::EIO) },
        }
    }
}

fn reason(number: i32) -> &'static str {
    nix::errno::Errno::from_raw(number).desc()
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Traced { .. } => "a debugger holds it; end that first",
            Self::Stopped => "send it SIGCONT first",
            Self::Rights { .. } => "run it with sudo",
            Self::Proc { errno: libc::EPERM | libc::EACCES, .. } => {
                "a security module may forbid it, or the program is one that its user may not read; on the engine's host: sudo, --via local"
            }
            Self::NotTrusted => "run it with sudo, or name a dlv that root has installed: --dlv PATH",
            Self::Launch { errno: libc::EPERM, .. } => {
                "yama or another security module may forbid it; `scratchdbg doctor` tells"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Gone => Exit::NoTarget,
            Self::Rights { .. }
            | Self::NotTrusted
            | Self::Proc { errno: libc::EPERM | libc::EACCES, .. }
            | Self::Launch { errno: libc::EPERM | libc::EACCES, .. } => Exit::NotPermitted,
            _ => Exit::No,
        }
    }
}

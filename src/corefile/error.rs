//! Why there is no core file.

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Explain};

/// Why there is no core file. The process runs on in any case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Error {
    /// It has ended, or its number has gone to another process.
    #[error("the process has ended")]
    Gone,
    /// A file of `/proc/PID` cannot be read.
    #[error("{file} of the process cannot be read: {}", reason(*.errno))]
    Proc {
        /// Which.
        file: String,
        /// errno(3).
        errno: i32,
    },
    /// Such a file does not say what it should.
    #[error("{file} of the process makes no sense")]
    Malformed {
        /// Which.
        file: String,
    },
    /// A thread cannot be stopped.
    #[error("its thread {thread} cannot be held: {}", reason(*.errno))]
    Held {
        /// Which, on this host.
        thread: i32,
        /// errno(3).
        errno: i32,
    },
    /// The rights for it are missing, or cannot be had alone.
    #[error("the rights to look at any process are missing: {}", reason(*.errno))]
    Rights {
        /// errno(3).
        errno: i32,
    },
    /// Somebody traces it already.
    #[error("it is traced already, by process {tracer}")]
    Traced {
        /// By whom, on this host.
        tracer: i32,
    },
    /// It makes threads faster than they can be stopped.
    #[error("it makes threads faster than they can be stopped")]
    Breeding,
    /// Stopping it took too long.
    #[error("it was not stopped in time")]
    Slow,
    /// The file cannot be written.
    #[error("the core file cannot be written: {}", reason(*.errno))]
    Writing {
        /// errno(3).
        errno: i32,
    },
}

fn reason(number: i32) -> &'static str {
    nix::errno::Errno::from_raw(number).desc()
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Held { errno: libc::EPERM, .. } => {
                "yama or another security module may forbid it; `scratchdbg doctor` tells"
            }
            Self::Rights { .. } => "run it with sudo",
            Self::Traced { .. } => "a debugger holds it; end that first",
            Self::Breeding | Self::Slow => "try again, or with a longer --pause",
            Self::Writing { errno: libc::ENOSPC } => "write it to a larger disk, or take less of it: --most",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Gone => Exit::NoTarget,
            Self::Rights { .. }
            | Self::Held { errno: libc::EPERM, .. }
            | Self::Proc { errno: libc::EACCES | libc::EPERM, .. } => Exit::NotPermitted,
            _ => Exit::No,
        }
    }
}

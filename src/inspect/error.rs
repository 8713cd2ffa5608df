//! Why a reading failed, in words.

use nix::errno::Errno;

use super::files::Kind;
use crate::exit::{Exit, Explain};
use crate::shim;
use crate::target::ContainerPid;
use crate::text::{Safe, Untrusted};

/// A reading that failed as a whole.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The target has no such file.
    #[error("no file {path} in the target")]
    NoFile {
        /// What was asked for.
        path: Safe,
    },
    /// The target has no such process.
    #[error("no process {0} in the target, or it has ended")]
    NoProcess(ContainerPid),
    /// Whoever looks may not see it.
    #[error("no permission for {path} in the target")]
    NotPermitted {
        /// What was asked for.
        path: Safe,
    },
    /// The file is something else than what can be used that way.
    #[error("{path} in the target is a {kind}, not a {wanted}")]
    WrongKind {
        /// What was asked for.
        path: Safe,
        /// What it is.
        kind: Kind,
        /// What it should be.
        wanted: Kind,
    },
    /// A symlink that leads to itself or through too many others, or one of /proc, which could lead out of the target.
    #[error("{path} in the target goes through a symlink that is not followed: a loop, or one of /proc")]
    Loop {
        /// What was asked for.
        path: Safe,
    },
    /// The directory has more names than are taken in.
    #[error("{path} in the target has more than {most} names")]
    TooMany {
        /// What was asked for.
        path: Safe,
        /// The bound.
        most: usize,
    },
    /// Anything else.
    #[error("cannot read {path} in the target")]
    Shim {
        /// What was asked for.
        path: Safe,
        /// Why.
        source: shim::Error,
    },
}

impl Error {
    /// What a failed request for a path means.
    #[must_use]
    pub fn of(path: &[u8], error: shim::Error) -> Self {
        let path = Untrusted::from(path).safe();
        match error {
            shim::Error::Errno(Errno::ENOENT | Errno::ENOTDIR | Errno::ESRCH) => Self::NoFile { path },
            shim::Error::Errno(Errno::EACCES | Errno::EPERM) => Self::NotPermitted { path },
            shim::Error::Errno(Errno::ELOOP) => Self::Loop { path },
            shim::Error::WrongKind(kind) => Self::WrongKind { path, kind, wanted: Kind::File },
            source => Self::Shim { path, source },
        }
    }

    /// The same, where a directory was wanted.
    #[must_use]
    pub fn of_directory(path: &[u8], error: shim::Error) -> Self {
        match Self::of(path, error) {
            Self::WrongKind { path, kind, .. } => Self::WrongKind { path, kind, wanted: Kind::Directory },
            other => other,
        }
    }

    /// The same, of a file below `/proc/PID`: when that is not there, the process is not.
    #[must_use]
    pub fn of_process(pid: ContainerPid, path: &[u8], error: shim::Error) -> Self {
        match Self::of(path, error) {
            Self::NoFile { .. } => Self::NoProcess(pid),
            other => other,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { path } if is_own(path.as_str()) => {
                "that is about whoever reads it, and who looks is no process of the target: name one, as in /proc/1/…"
                    .to_owned()
            }
            Self::NoFile { .. } => "list what is there with: scratchdbg ls TARGET:/".to_owned(),
            Self::NoProcess(_) => "list the processes with: scratchdbg ps TARGET".to_owned(),
            Self::NotPermitted { .. } => "try --as root; if that is refused too, nobody inside may see it".to_owned(),
            Self::WrongKind { kind: Kind::Directory, .. } => "list it with: scratchdbg ls TARGET:PATH".to_owned(),
            Self::WrongKind { .. } => {
                "only regular files are read: others can block for ever or have no end".to_owned()
            }
            Self::Loop { .. } | Self::TooMany { .. } => return None,
            Self::Shim { source, .. } => return hint_of(source),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotPermitted { .. } | Self::Shim { source: shim::Error::NotAllowed, .. } => Exit::NotPermitted,
            Self::Shim { source: shim::Error::TargetGone, .. } => Exit::NoTarget,
            _ => Exit::No,
        }
    }
}

/// Whether a path of `/proc` leads through `/proc/self`, which only a process of the target's pid namespace has.
fn is_own(path: &str) -> bool {
    ["/proc/self", "/proc/thread-self", "/proc/net", "/proc/mounts"].iter().any(|own| path.starts_with(own))
}

fn hint_of(error: &shim::Error) -> Option<String> {
    match error {
        shim::Error::TimedOut(_) => Some("its file system may be stuck (FUSE, NFS)".to_owned()),
        shim::Error::TargetGone => Some("see how it ended with: scratchdbg list".to_owned()),
        _ => None,
    }
}

/// Why a part of a reading is missing, in words, and what to try: for `Part::Unavailable`.
#[must_use]
pub fn why(error: &shim::Error) -> String {
    match error {
        shim::Error::Errno(Errno::EACCES | Errno::EPERM) => "no permission; try --as root".to_owned(),
        shim::Error::Errno(Errno::ENOENT) => "not there".to_owned(),
        shim::Error::Errno(Errno::ESRCH) => "the process has ended".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errno_has_its_meaning() {
        for (errno, text, exit) in [
            (Errno::ENOENT, r"no file /a\x1b in the target", Exit::No),
            (Errno::ENOTDIR, r"no file /a\x1b in the target", Exit::No),
            (Errno::EACCES, r"no permission for /a\x1b in the target", Exit::NotPermitted),
            (
                Errno::ELOOP,
                r"/a\x1b in the target goes through a symlink that is not followed: a loop, or one of /proc",
                Exit::No,
            ),
            (Errno::EIO, r"cannot read /a\x1b in the target", Exit::No),
        ] {
            let error = Error::of(b"/a\x1b", shim::Error::Errno(errno));
            assert_eq!((error.to_string().as_str(), error.exit()), (text, exit));
        }
        let gone = Error::of_process(ContainerPid(7), b"/proc/7/stat", shim::Error::Errno(Errno::ESRCH));
        assert_eq!(gone.to_string(), "no process 7 in the target, or it has ended");
        assert_eq!(Error::of(b"/a", shim::Error::TargetGone).exit(), Exit::NoTarget);
        let own = Error::of(b"/proc/self/status", shim::Error::Errno(Errno::ENOENT));
        assert!(own.hint().is_some_and(|hint| hint.contains("/proc/1/")));
        let fifo = Error::of(b"/a", shim::Error::WrongKind(Kind::Fifo));
        assert_eq!(fifo.to_string(), "/a in the target is a named pipe, not a regular file");
    }
}

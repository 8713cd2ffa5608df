//! What keeps a port from being forwarded, in words a person can act on.

use std::io;
use std::net::SocketAddr;

use crate::entry::PodError;
use crate::exit::{Exit, Explain};
use crate::shim;

/// Why a port is not forwarded, or a connection to it was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The local port cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Nobody listens inside.
    #[error("nothing listens on port {port} in {target}")]
    Refused {
        /// The port inside.
        port: u16,
        /// In what.
        target: String,
    },
    /// Nobody answers inside.
    #[error("port {port} in {target} did not answer within {seconds} s")]
    Slow {
        /// The port inside.
        port: u16,
        /// In what.
        target: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection could not be made.
    #[error("cannot connect to port {port} in {target}: {cause}")]
    Inside {
        /// The port inside.
        port: u16,
        /// In what.
        target: String,
        /// What the helper said.
        cause: shim::Error,
    },
    /// A connection broke on its way.
    #[error("a connection to port {port} in {target} was lost: {why}")]
    Lost {
        /// The port inside.
        port: u16,
        /// In what.
        target: String,
        /// In whose words ever.
        why: String,
    },
    /// The cluster does not let us.
    #[error(transparent)]
    Pod(Box<PodError>),
}

impl Error {
    /// Whether the same will be said of every connection from now on.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pod(error) => matches!(**error, PodError::Right { .. }),
            Self::Bind { .. } => true,
            _ => false,
        }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind { address, source } => Some(match source.kind() {
                io::ErrorKind::AddrInUse => {
                    format!(
                        "something else listens there; :PORT takes any that is free, and OTHER:PORT another than {}",
                        address.port()
                    )
                }
                io::ErrorKind::PermissionDenied => {
                    "ports below 1024 are root's; :PORT takes any that is free".to_owned()
                }
                io::ErrorKind::AddrNotAvailable => "--address is an address of this host".to_owned(),
                _ => return None,
            }),
            Self::Refused { .. } => Some("`scratchdbg net TARGET` shows what listens".to_owned()),
            Self::Pod(error) => error.hint(),
            Self::Slow { .. } | Self::Inside { .. } | Self::Lost { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Bind { .. } => Exit::Usage,
            Self::Pod(error) => error.exit(),
            Self::Inside { cause: shim::Error::TargetGone, .. } => Exit::NoTarget,
            Self::Refused { .. } | Self::Slow { .. } | Self::Inside { .. } | Self::Lost { .. } => Exit::No,
        }
    }
}

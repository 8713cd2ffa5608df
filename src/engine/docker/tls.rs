//! TLS to an engine, with the files of the docker CLI: `ca.pem`, `cert.pem` and `key.pem` in one folder.

#[cfg(feature = "tls")]
mod connector;
mod error;
#[cfg(not(feature = "tls"))]
mod without;

use std::path::PathBuf;

#[cfg(feature = "tls")]
pub use connector::Connector;
pub use error::Error;
#[cfg(not(feature = "tls"))]
pub use without::Connector;

/// What TLS is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Where the files are, if anywhere.
    pub folder: Option<PathBuf>,
    /// Which engine is believed.
    pub trust: Trust,
}

/// Which engine is believed to be the one that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// One that `ca.pem` vouches for, which has to be there.
    Authority,
    /// One that `ca.pem` vouches for. Without such a file, one that an authority of this system vouches for.
    AuthorityOrSystem,
    /// Any.
    Anybody,
}

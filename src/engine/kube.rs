//! Clusters: what finds pods, tells of them, and adds a container to one.
//!
//! What goes over the wire is in `cluster.rs`, or, in a build without the feature `kube`, in `without.rs`: there no cluster can
//! be made, and nothing else knows of the difference.

mod access;
pub mod add;
mod ask;
#[cfg(feature = "kube")]
mod cluster;
pub mod contexts;
pub mod copy;
pub mod error;
mod find;
pub mod holding;
mod images;
pub mod list;
mod logs;
mod node;
pub mod pod;
pub mod rbac;
pub mod select;
#[cfg(feature = "kube")]
#[cfg(test)]
pub(crate) mod tests;
pub mod wire;
#[cfg(not(feature = "kube"))]
mod without;

use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

pub use self::access::Right;
pub use self::add::{Addition, Security};
#[cfg(feature = "kube")]
pub use self::cluster::Cluster;
pub use self::contexts::Contexts;
pub use self::error::Error;
pub use self::logs::Log;
pub use self::pod::Pod;
pub use self::select::{Selected, Selection};
#[cfg(not(feature = "kube"))]
pub use self::without::Cluster;
use crate::toolkit;

/// Which cluster, and as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The file that says; otherwise `KUBECONFIG`, `~/.kube/config`, or the pod that this program is in.
    pub kubeconfig: Option<PathBuf>,
    /// Which of its contexts; otherwise its current one.
    pub context: Option<String>,
    /// Which namespace; otherwise the context's.
    pub namespace: Option<String>,
    /// As which user it is asked, if as another one.
    pub user: Option<String>,
    /// As a member of which groups.
    pub groups: Vec<String>,
    /// How a container is added to a pod, if one has to be.
    pub terms: Terms,
    /// Whether a screen has the terminal: then no credential plugin may use it.
    pub screen: bool,
}

/// How a container is added to a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The image: one that `scratchdbg image build` made.
    pub image: String,
    /// Whether somebody has named it: then it may be for more kinds of machine than this host's.
    pub named: bool,
    /// How long it may take to start.
    pub patience: Duration,
    /// After how long it ends in any case.
    pub ttl: Duration,
    /// After how long without use it ends.
    pub idle: Duration,
    /// Whether it is to stay when it is no longer used, until then.
    pub keep: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            image: toolkit::NAME.to_owned(),
            named: false,
            patience: Duration::from_secs(60),
            ttl: Duration::from_secs(60 * 60),
            idle: Duration::from_secs(60),
            keep: false,
        }
    }
}

/// A program that was begun in a container. Dropped, it is cut off.
pub struct Exec {
    /// What it reads.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it writes.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// Comes with its end: why it could not be begun or failed, in the cluster's words, if it did.
    pub end: Pin<Box<dyn Future<Output = Option<String>> + Send>>,
    /// What keeps the connection.
    pub held: Box<dyn Send>,
}

/// A connection to a port of a pod. Dropped, it is cut off.
pub struct Channel {
    /// Its bytes. The protocol has no word for one side having said all: to shut it down is to end it.
    pub stream: Box<dyn Duplex>,
    /// Comes if the connection cannot be made, in the cluster's words; and without words when what carries it has broken.
    pub end: Pin<Box<dyn Future<Output = Option<String>> + Send>>,
    /// What keeps the connection.
    pub held: Box<dyn Send>,
}

/// What bytes go both ways through.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

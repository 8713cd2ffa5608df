//! Who knows a container: whom to ask what became of it, and for its log.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;

use super::cri::Cri;
use super::docker::Docker;
use super::kube::Cluster;
use super::logs::{LogOptions, Piece};
use crate::exit::{Exit, Failure};
use crate::target::Target;

/// An engine, a cluster, or a runtime. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Owner {
    /// An engine.
    Engine(Docker),
    /// A cluster.
    Cluster(Cluster),
    /// The container runtime of the node that this host is. What was found by it says where it listens.
    Runtime,
}

/// A log as it comes.
pub struct Log(Pin<Box<dyn Stream<Item = Result<Piece, Failure>> + Send>>);

impl Stream for Log {
    type Item = Result<Piece, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl Owner {
    /// The engine, if it is one.
    #[must_use]
    pub fn engine(&self) -> Option<&Docker> {
        match self {
            Self::Engine(engine) => Some(engine),
            Self::Cluster(_) | Self::Runtime => None,
        }
    }

    /// A target of its own, as it is now.
    ///
    /// # Errors
    /// If it is not there any more, or nobody answers.
    pub async fn again(&self, target: &Target) -> Result<Target, Failure> {
        match (self, target) {
            (Self::Engine(engine), Target::Container(before)) => {
                Ok(Target::Container(Box::new(engine.inspect(&before.id).await?)))
            }
            (Self::Cluster(cluster), Target::Pod(before)) => Ok(Target::Pod(Box::new(cluster.again(before).await?))),
            (Self::Runtime, Target::Node(before)) => Ok(Target::Node(Box::new(Cri::again(before).await?))),
            (_, target) => Err(foreign(target)),
        }
    }

    /// The log of a target of its own; with `previous`, of the run before this one.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub async fn logs(&self, target: &Target, options: &LogOptions, previous: bool) -> Result<Log, Failure> {
        match (self, target) {
            (Self::Engine(_), Target::Container(_)) if previous => Err(Failure::new(
                Exit::Usage,
                "an engine keeps one log of all runs of a container, and tells them not apart",
            )
            .try_this("leave out --previous; --since and --until choose by time")),
            (Self::Engine(engine), Target::Container(container)) => {
                use futures_util::StreamExt as _;
                let log = engine.logs(container, options).await?;
                Ok(Log(Box::pin(log.map(|piece| piece.map_err(Failure::from)))))
            }
            (Self::Cluster(cluster), Target::Pod(pod)) => {
                let log = cluster.logs(pod, options, previous).await?;
                let next = |mut log: super::kube::Log| async move {
                    log.next().await.map(|piece| (piece.map_err(Failure::from), log))
                };
                Ok(Log(Box::pin(futures_util::stream::unfold(log, next))))
            }
            (Self::Runtime, Target::Node(node)) => {
                let listed = &node.listed;
                let hint = format!("kubectl logs -n {} {} -c {}", listed.namespace, listed.pod, listed.name);
                Err(Failure::new(Exit::Usage, "the log of a pod's container is kept by its node's kubelet")
                    .try_this(hint))
            }
            (_, target) => Err(foreign(target)),
        }
    }
}

fn foreign(target: &Target) -> Failure {
    Failure::new(Exit::No, format!("nobody keeps a record of {}", target.name()))
}

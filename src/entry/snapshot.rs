//! Having a core taken, by a worker of the broker's. Through the local door only: a sidecar has neither the rights nor the
//! memory for it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::broker::message::{Answer, Ask, receive};
use super::local::refused;
use super::{Broker, Error};
use crate::corefile::{self, Order, Thawed, Told, Weight, Written};
use crate::exit::{Exit, Explain};

/// A core that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What there was to be copied.
    pub weight: Weight,
    /// How long the process was stopped.
    pub thawed: Thawed,
    /// What became of the file.
    pub written: Written,
}

/// Why no core was taken. The process goes on.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It did not come so far.
    #[error(transparent)]
    Entry(#[from] Error),
    /// The kernel would not, or the file could not be written.
    #[error("{target}: {source}")]
    Core {
        /// Whose.
        target: String,
        /// Why.
        source: corefile::Error,
    },
    /// Its own alarm has ended the worker, or somebody else has.
    #[error("{target}: the core was given up, and the process goes on")]
    GivenUp {
        /// Whose.
        target: String,
    },
    /// The worker has told one thing before another.
    #[error("{target}: the core was not taken in the right order")]
    Disorder {
        /// Whose.
        target: String,
    },
}

impl Explain for Failed {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Entry(error) => error.hint(),
            Self::Core { source, .. } => source.hint(),
            Self::GivenUp { .. } => Some("try again; a longer --pause may be needed".to_owned()),
            Self::Disorder { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Entry(error) => error.exit(),
            Self::Core { source, .. } => source.exit(),
            Self::GivenUp { .. } | Self::Disorder { .. } => Exit::No,
        }
    }
}

/// Says what there is to be taken, and does nothing.
///
/// # Errors
/// See [`Failed`].
pub async fn weigh(broker: Result<&Broker, Error>, target: &str, order: Order) -> Result<Weight, Failed> {
    match begin(broker, target, order, None).await?.next().await? {
        Told::Weighed(weight) => Ok(weight),
        Told::Failed(source) => Err(Failed::Core { target: target.to_owned(), source }),
        Told::Thawed(_) | Told::Written(_) => Err(Failed::Disorder { target: target.to_owned() }),
    }
}

/// Takes a core into `out`. `weighed` is told what there is before anything is stopped.
///
/// # Errors
/// See [`Failed`].
pub async fn take(
    broker: Result<&Broker, Error>,
    target: &str,
    order: Order,
    out: OwnedFd,
    weighed: impl FnOnce(&Weight),
) -> Result<Taken, Failed> {
    let target = target.to_owned();
    let snapshot = begin(broker, &target, order, Some(out)).await?;
    let (mut weighed, mut weight, mut thawed) = (Some(weighed), None, None);
    loop {
        match (snapshot.next().await, weight, thawed) {
            (Ok(Told::Weighed(told)), ..) => {
                if let Some(weighed) = weighed.take() {
                    weighed(&told);
                }
                weight = Some(told);
            }
            (Ok(Told::Thawed(told)), ..) => thawed = Some(told),
            (Ok(Told::Written(written)), Some(weight), Some(thawed)) => return Ok(Taken { weight, thawed, written }),
            (Ok(Told::Written(_)), ..) => return Err(Failed::Disorder { target }),
            (Ok(Told::Failed(source)), ..) => return Err(Failed::Core { target, source }),
            (Err(Error::BrokerEnded { .. }), _, None) => return Err(Failed::GivenUp { target }),
            (Err(error), ..) => return Err(error.into()),
        }
    }
}

/// A core that is being taken.
#[derive(Debug)]
struct Snapshot {
    target: String,
    told: Arc<OwnedFd>,
}

/// Begins. The core goes into `out`; without it, what there is to be taken is told and nothing done.
///
/// # Errors
/// If there is no broker, or it cannot start the worker.
async fn begin(
    broker: Result<&Broker, Error>,
    target: &str,
    order: Order,
    out: Option<OwnedFd>,
) -> Result<Snapshot, Error> {
    let asked = broker?.clone();
    let answer =
        tokio::task::spawn_blocking(move || asked.ask_with(&Ask::Snapshot(order), out.as_ref().map(OwnedFd::as_fd)));
    let ended = |errno| Error::BrokerEnded { target: target.to_owned(), errno };
    match answer.await.unwrap_or(Err(Errno::EIO)).map_err(ended)? {
        (Answer::Taking { .. }, Some(told)) => Ok(Snapshot { target: target.to_owned(), told: Arc::new(told) }),
        (Answer::Refused { refusal, .. }, _) => Err(refused(target, refusal)),
        _ => Err(ended(Errno::EPROTO)),
    }
}

impl Snapshot {
    /// What is told next.
    ///
    /// # Errors
    /// If the worker has ended without its last word.
    async fn next(&self) -> Result<Told, Error> {
        let told = Arc::clone(&self.told);
        let received = tokio::task::spawn_blocking(move || receive::<Told>(told.as_fd()));
        match received.await.unwrap_or(Err(Errno::EIO)) {
            Ok((told, _)) => Ok(told),
            Err(errno) => Err(Error::BrokerEnded { target: self.target.clone(), errno }),
        }
    }
}

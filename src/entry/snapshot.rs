//! Having a core taken, by a worker of the broker's. Through the local door only: a sidecar has neither the rights nor the
//! memory for it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::broker::message::{Answer, Ask, receive};
use super::local::refused;
use super::{Broker, Error};
use crate::corefile::{Order, Told};

/// A core that is being taken.
#[derive(Debug)]
pub struct Snapshot {
    target: String,
    told: Arc<OwnedFd>,
}

/// Begins. The core goes into `out`; without it, what there is to be taken is told and nothing done.
///
/// # Errors
/// If there is no broker, or it cannot start the worker.
pub async fn begin(
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
    pub async fn next(&self) -> Result<Told, Error> {
        let told = Arc::clone(&self.told);
        let received = tokio::task::spawn_blocking(move || receive::<Told>(told.as_fd()));
        match received.await.unwrap_or(Err(Errno::EIO)) {
            Ok((told, _)) => Ok(told),
            Err(errno) => Err(Error::BrokerEnded { target: self.target.clone(), errno }),
        }
    }
}

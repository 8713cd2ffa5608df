//! While the target runs.
//!
//! Delve reads one call after the other, and most it does only with the target stopped: sent while it runs, they would
//! keep it from reading anything more, a halt included. So there is a type that cannot send them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::link::{Link, Raw};
use super::{Error, Stopped};
use crate::delve::model::{State, Stop};
use crate::delve::rpc::request;

/// How long Delve may take to stop a target that it was asked to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to Delve while the target runs. To drop it ends Delve, which lets go of the process first.
#[derive(Debug)]
pub struct Running {
    link: Arc<Link>,
    reply: oneshot::Receiver<Raw>,
    /// What came, if somebody already waited for it.
    came: Option<Raw>,
    control: Control,
    /// What ends it, if nothing else does.
    ends: Stop,
}

/// Halts and asks, while somebody else waits for the stop. It does not keep the connection open.
#[derive(Debug, Clone)]
pub struct Control {
    link: Weak<Link>,
    over: Arc<AtomicBool>,
    /// Whether a stop was asked for.
    halted: Arc<AtomicBool>,
    /// One halt at a time; none in flight when the target is said to be stopped, or it would hit the next run.
    halting: Arc<Semaphore>,
}

/// What came after a run.
#[derive(Debug)]
pub enum After {
    /// It stopped.
    Stopped(Stopped, Box<State>),
    /// The process ended, with this status.
    Exited(i64),
    /// It was not set running: Delve says why.
    Refused(Stopped, Error),
}

impl Running {
    pub(super) fn new(link: Arc<Link>, reply: oneshot::Receiver<Raw>, ends: Stop) -> Self {
        let control = Control {
            link: Arc::downgrade(&link),
            over: Arc::default(),
            halted: Arc::default(),
            halting: Arc::new(Semaphore::new(1)),
        };
        Self { link, reply, came: None, control, ends }
    }

    /// For whoever does not wait.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Asks for a stop; [`Running::stopped`] tells when it is there.
    ///
    /// # Errors
    /// If Delve says no, or is gone.
    pub async fn halt(&self) -> Result<(), Error> {
        self.control.halt().await
    }

    /// How things stand. Does not disturb the target.
    ///
    /// # Errors
    /// If Delve says no, or is gone.
    pub async fn state(&self) -> Result<State, Error> {
        self.control.state().await
    }

    /// Waits until the run is over. May be dropped and called again. After it [`Running::stopped`] returns soon.
    pub async fn ended(&mut self) {
        if self.came.is_none() {
            self.came = Some((&mut self.reply).await.unwrap_or(Err(Error::Gone)));
        }
    }

    /// Waits until the run is over.
    ///
    /// # Errors
    /// If Delve is gone, or what it says makes no sense.
    pub async fn stopped(mut self) -> Result<After, Error> {
        self.ended().await;
        self.control.over.store(true, Ordering::SeqCst);
        let halted = timeout(PATIENCE, self.control.halting.acquire()).await;
        drop(halted.map_err(|_| Error::Stuck { method: "Command", seconds: PATIENCE.as_secs() })?);
        let Self { link, came, control, ends, .. } = self;
        let state = link.understand::<request::Command<'_>>(came.unwrap_or(Err(Error::Gone)));
        match state {
            Ok(state) if state.running => Err(Error::Malformed("it stopped, and runs")),
            Ok(State { exited: Some(status), .. }) => Ok(After::Exited(status)),
            Ok(mut state) => {
                // Most Delves do not say why.
                if state.stop == Stop::Unknown {
                    state.stop = if control.halted.load(Ordering::SeqCst) { Stop::Halted } else { ends };
                }
                Ok(After::Stopped(Stopped { link }, Box::new(state)))
            }
            // In words, for some ways to end.
            Err(Error::Refused(why)) => {
                let state = link.ask_anytime(&request::State { non_blocking: request::True }).await;
                match state {
                    Ok(State { exited: Some(status), .. }) => Ok(After::Exited(status)),
                    Ok(State { running: true, .. }) => Err(Error::Malformed("it was not set running, and runs")),
                    Err(Error::Refused(_)) if why.as_str().contains("has exited with status") => {
                        Ok(After::Exited(status_in(why.as_str())))
                    }
                    Err(error) if !matches!(error, Error::Refused(_)) => Err(error),
                    _ => Ok(After::Refused(Stopped { link }, Error::Refused(why))),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Halts, then as [`Stopped::detach`].
    ///
    /// # Errors
    /// As there. Delve is left in any case, and lets go of the process when it notices.
    pub async fn detach(self) -> Result<(), Error> {
        // Told no: it may just have stopped.
        match self.halt().await {
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        let stopped = timeout(PATIENCE, self.stopped()).await;
        match stopped.map_err(|_| Error::Stuck { method: "Command", seconds: PATIENCE.as_secs() })?? {
            After::Stopped(client, _) | After::Refused(client, _) => client.detach().await,
            After::Exited(_) => Ok(()),
        }
    }
}

impl Control {
    /// Asks for a stop, and waits until it is there. Does nothing once the run is over.
    ///
    /// # Errors
    /// If Delve says no, or is gone.
    pub async fn halt(&self) -> Result<(), Error> {
        let halting = Arc::clone(&self.halting).acquire_owned().await.map_err(|_| Error::Gone)?;
        if self.over.load(Ordering::SeqCst) {
            return Ok(());
        }
        let link = self.link.upgrade().ok_or(Error::Gone)?;
        self.halted.store(true, Ordering::SeqCst);
        let reply = link.send(&request::Command { name: "halt", ..Default::default() }, Some(halting))?;
        drop(link);
        match timeout(PATIENCE, reply).await {
            Ok(reply) => match reply.unwrap_or(Err(Error::Gone)) {
                Ok(raw) => crate::delve::rpc::answer::<request::Command<'_>>(&raw).map(drop),
                Err(error) => Err(error),
            },
            Err(_) => Err(Error::Stuck { method: "Command", seconds: PATIENCE.as_secs() }),
        }
    }

    /// How things stand. Does not disturb the target.
    ///
    /// # Errors
    /// If Delve says no, or is gone.
    pub async fn state(&self) -> Result<State, Error> {
        let link = self.link.upgrade().ok_or(Error::Gone)?;
        link.ask_anytime(&request::State { non_blocking: request::True }).await
    }
}

/// `Process 4711 has exited with status 2`.
fn status_in(words: &str) -> i64 {
    words.rsplit(' ').next().and_then(|last| last.parse().ok()).unwrap_or(-1)
}

//! Having a core taken: by a worker of the broker's, or beside the process.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use super::beside::outside::{Beside, Stream};
use super::beside::wire::{self, Frame, Said};
use super::broker::message::{Answer, Ask, receive};
use super::local::refused;
use super::tracer::{Tracee, Tracer, Way};
use super::{Broker, Error};
use crate::corefile::{self, Order, Thawed, Told, Weight, Written};
use crate::exit::{Exit, Explain};

/// Bytes that a core has at most beside the memory in it: registers, and where what is.
const AROUND: u64 = 256 << 20;

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

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The most bytes of memory that are taken.
    pub most: u64,
    /// How long the process's threads may be stopped. What is not copied by then is left out.
    pub pause: Duration,
}

/// Says what there is to be taken, and does nothing. Beside the target it is the kernel's own count, without a look at every
/// page.
///
/// # Errors
/// See [`Failed`].
pub async fn weigh(tracer: &Tracer, target: &str, process: &Tracee, terms: Terms) -> Result<Weight, Failed> {
    let failed = |source| Failed::Core { target: target.to_owned(), source };
    let broker = match &tracer.0 {
        Way::Local(broker) => broker,
        Way::Beside(beside) => return beside.weigh(process).await.map_err(failed),
    };
    match begin(broker, target, order(target, process, terms)?, None).await?.next().await? {
        Told::Weighed(weight) => Ok(weight),
        Told::Failed(source) => Err(failed(source)),
        Told::Thawed(_) | Told::Written(_) => Err(Failed::Disorder { target: target.to_owned() }),
    }
}

/// Takes a core into `out`. `weighed` is told what there is before anything is stopped.
///
/// # Errors
/// See [`Failed`].
pub async fn take(
    tracer: &Tracer,
    target: &str,
    process: &Tracee,
    terms: Terms,
    out: OwnedFd,
    weighed: impl FnOnce(&Weight),
) -> Result<Taken, Failed> {
    let target = target.to_owned();
    let mut source = match &tracer.0 {
        Way::Local(broker) => Source::Local(begin(broker, &target, order(&target, process, terms)?, Some(out)).await?),
        Way::Beside(beside) => {
            let (pid, start_ticks) = (process.pid, process.start_ticks);
            let order = wire::Core { pid, start_ticks, most: terms.most, pause: terms.pause };
            let room = terms.most.saturating_add(AROUND);
            Source::Beside { stream: beside.take(process, order).await?, beside, out: File::from(out), room }
        }
    };
    let (mut weighed, mut weight, mut thawed) = (Some(weighed), None, None);
    loop {
        match (source.next().await, weight, thawed) {
            (Ok(Told::Weighed(told)), ..) => {
                if let Some(weighed) = weighed.take() {
                    weighed(&told);
                }
                weight = Some(told);
            }
            (Ok(Told::Thawed(told)), ..) => thawed = Some(told),
            (Ok(Told::Written(written)), Some(weight), Some(thawed)) => {
                return if source.has_all_of(&written) {
                    Ok(Taken { weight, thawed, written })
                } else {
                    Err(Failed::Disorder { target })
                };
            }
            (Ok(Told::Written(_)), ..) => return Err(Failed::Disorder { target }),
            (Ok(Told::Failed(source)), ..) => return Err(Failed::Core { target, source }),
            (Err(Failed::Entry(Error::BrokerEnded { .. } | Error::BesideEnded { .. })), _, None) => {
                return Err(Failed::GivenUp { target });
            }
            (Err(error), ..) => return Err(error),
        }
    }
}

fn order(target: &str, process: &Tracee, terms: Terms) -> Result<Order, Error> {
    let Terms { most, pause } = terms;
    let pid = process.host.ok_or_else(|| Error::Gone { target: target.to_owned() })?;
    Ok(Order { pid, start_ticks: process.start_ticks, most, pause })
}

/// Who takes it.
enum Source<'a> {
    /// A worker, which writes the file itself.
    Local(Snapshot),
    /// A sidecar, which sends its bytes.
    Beside { beside: &'a Beside, stream: Stream, out: File, room: u64 },
}

impl Source<'_> {
    async fn next(&mut self) -> Result<Told, Failed> {
        let (beside, stream, out, room) = match self {
            Self::Local(snapshot) => return Ok(snapshot.next().await?),
            Self::Beside { beside, stream, out, room } => (beside, stream, out, room),
        };
        loop {
            match stream.next().await {
                Some(Frame::Message(Said::Core(told))) => return Ok(told),
                Some(Frame::Bytes(bytes)) => {
                    let target = || beside.target.clone();
                    // More than there can be of it is not of a core.
                    *room =
                        room.checked_sub(bytes.len() as u64).ok_or_else(|| Failed::Disorder { target: target() })?;
                    out.write_all(&bytes).map_err(|error| {
                        let errno = error.raw_os_error().unwrap_or(libc::EIO);
                        Failed::Core { target: target(), source: corefile::Error::Writing { errno } }
                    })?;
                }
                Some(Frame::Message(Said::Refused(refusal))) => return Err(beside.refused(refusal).into()),
                Some(Frame::Message(Said::GivenUp | Said::Guard(_))) | None => return Err(beside.ended().into()),
            }
        }
    }

    /// Whether what came is what was told.
    fn has_all_of(&self, written: &Written) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Beside { out, .. } => out.metadata().is_ok_and(|file| file.len() == written.size),
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
/// If the broker cannot start the worker.
async fn begin(broker: &Broker, target: &str, order: Order, out: Option<OwnedFd>) -> Result<Snapshot, Error> {
    let asked = broker.clone();
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

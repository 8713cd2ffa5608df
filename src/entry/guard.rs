//! Having a live process debugged, by a guard: of the broker's, or beside the process.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Error;
use super::beside::outside::Programs;
use super::beside::outside::session::{Heard, Session};
use super::beside::wire;
use super::broker::guard::Say;
use super::broker::message::{Answer, Ask, receive, send};
use super::local::refused;
use super::tracer::{Tracee, Tracer, Way};
use crate::delve::guard::{Order, Report, Running, Told};
use crate::exit::{Exit, Failure};
use crate::golang::BuildId;

/// Why Delve takes no requests.
#[derive(Debug)]
pub enum NotConnected {
    /// It was not begun, or nobody can be reached.
    Failed(Failure),
    /// Delve has ended before.
    Ended(Report),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long the process may stand still at a time. `None`: for ever.
    pub pause: Option<Duration>,
    /// The program's build id, if a debug file of it comes along.
    pub debug_file: Option<BuildId>,
}

/// A guard at work. Dropped, it ends Delve.
#[derive(Debug)]
pub struct Guard {
    tracer: Tracer,
    target: String,
    process: Tracee,
    terms: Terms,
    /// The Delve that it guards, once there is one.
    delve: Option<Running>,
    link: Link,
    /// Kept open, as the guard keeps it: Delve must not see it end when the guard is killed.
    connection: Option<OwnedFd>,
    /// Whether the last word has been told.
    over: bool,
}

/// How it is spoken with.
#[derive(Debug)]
enum Link {
    Local(AsyncFd<OwnedFd>),
    Beside(Session),
}

/// Starts one. Delve's program is an open file, unless it [is](Tracer::own_delve) where the target is; and the debug file, if the
/// terms have its build id.
///
/// # Errors
/// If the guard cannot be started.
pub async fn start(
    tracer: &Tracer,
    target: &str,
    process: Tracee,
    terms: Terms,
    program: Option<OwnedFd>,
    debug_file: Option<OwnedFd>,
) -> Result<Guard, Error> {
    let programs = Programs { delve: program, debug_file };
    let link = begin(tracer, target, &process, terms, None, programs).await?;
    let (tracer, target) = (tracer.clone(), target.to_owned());
    Ok(Guard { tracer, target, process, terms, delve: None, link, connection: None, over: false })
}

/// Starts a guard, over a Delve of its own or over one that has lost its guard.
async fn begin(
    tracer: &Tracer,
    target: &str,
    process: &Tracee,
    terms: Terms,
    delve: Option<Running>,
    programs: Programs,
) -> Result<Link, Error> {
    let (Terms { pause, debug_file }, start_ticks) = (terms, process.start_ticks);
    let broker = match &tracer.0 {
        Way::Local(broker) => broker,
        Way::Beside(beside) => {
            let (pid, scratch) = (process.pid, false);
            let order = wire::Live { pid, start_ticks, pause, delve, debug_file, scratch };
            return Ok(Link::Beside(Session::new(beside.debug(process, order, &programs).await?)));
        }
    };
    let pid = process.host.ok_or_else(|| Error::Gone { target: target.to_owned() })?;
    let order = Order { pid, start_ticks, pause, delve, debug_file };
    let (asked, program) = (broker.clone(), programs.delve);
    let ask = move || asked.ask_with(&Ask::Guard(order), program.as_ref().map(OwnedFd::as_fd));
    let ended = |errno| Error::BrokerEnded { target: target.to_owned(), errno };
    match tokio::task::spawn_blocking(ask).await.unwrap_or(Err(Errno::EIO)).map_err(ended)? {
        (Answer::Guarding, Some(link)) => {
            rustix::io::ioctl_fionbio(&link, true).map_err(|error| ended(Errno::from_raw(error.raw_os_error())))?;
            if let Some(file) = programs.debug_file {
                // It may have ended already, and then says why.
                let _ = send(link.as_fd(), &Say::DebugFile, Some(file.as_fd()));
            }
            crate::sys::watched(link).map(Link::Local).map_err(|_| ended(Errno::EMFILE))
        }
        (Answer::Refused { refusal, .. }, _) => Err(refused(target, refusal)),
        _ => Err(ended(Errno::EPROTO)),
    }
}

impl Guard {
    /// What is told next, and the connection to Delve with [`Told::Connected`]. If the guard is killed, another one takes over
    /// and ends Delve. Nothing is lost if this is no longer waited for.
    ///
    /// # Errors
    /// After the last word, and if no other guard could be started.
    pub async fn next(&mut self) -> Result<(Told, Option<UnixStream>), Error> {
        loop {
            match self.receive().await {
                Ok((Told::Started(delve), _)) => self.delve = Some(delve),
                Ok((told, stream)) => {
                    self.over = matches!(told, Told::Ended(_) | Told::Failed(_));
                    if let Some(stream) = &stream {
                        self.connection = stream.try_clone().ok().map(OwnedFd::from);
                    }
                    return Ok((told, stream));
                }
                Err(Error::BrokerEnded { .. } | Error::BesideEnded { .. }) if !self.over && self.delve.is_some() => {
                    let none = Programs { delve: None, debug_file: None };
                    self.link = begin(&self.tracer, &self.target, &self.process, self.terms, self.delve, none).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until Delve takes requests. It answers as soon as it has attached.
    ///
    /// # Errors
    /// See [`NotConnected`].
    pub async fn connected(&mut self) -> Result<tokio::net::UnixStream, NotConnected> {
        let mut why = None;
        loop {
            match self.next().await.map_err(|error| NotConnected::Failed(error.into()))? {
                (Told::Connected, Some(stream)) => {
                    let stream = stream.set_nonblocking(true).and_then(|()| tokio::net::UnixStream::from_std(stream));
                    let failed = |error| Failure::new(Exit::No, format!("the connection to dlv: {error}"));
                    return stream.map_err(|error| NotConnected::Failed(failed(error)));
                }
                (Told::Failed(error), _) => return Err(NotConnected::Failed(Failure::from(error).on(&self.target))),
                (Told::Ended(report), _) => {
                    let told = |words| Failure::new(Exit::No, format!("{}: {words}", self.target));
                    return Err(why.map_or(NotConnected::Ended(report), |words| NotConnected::Failed(told(words))));
                }
                (Told::Ending(reason), _) => why = reason.words(),
                (Told::Started(_) | Told::Connected, _) => {}
            }
        }
    }

    async fn receive(&mut self) -> Result<(Told, Option<UnixStream>), Error> {
        let link = match (&mut self.link, &self.tracer.0) {
            (Link::Local(link), _) => link,
            (Link::Beside(session), Way::Beside(beside)) => {
                return match session.next().await {
                    Some(Heard::Told(told, stream)) => Ok((told, stream)),
                    Some(Heard::Refused(refusal)) => Err(beside.refused(refusal)),
                    None => Err(beside.ended()),
                };
            }
            (Link::Beside(_), Way::Local(_)) => {
                return Err(Error::BesideEnded { beside: self.target.clone() });
            }
        };
        let receive = || {
            let once = |link: &OwnedFd| receive::<Told>(link.as_fd()).map_err(std::io::Error::from);
            link.async_io(Interest::READABLE, once)
        };
        let errno = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        let received = match receive().await.map_err(errno) {
            // A guard that has ended before it read our last word: what it told before is there still (unix(7)).
            Err(Errno::ECONNRESET) => receive().await.map_err(errno),
            received => received,
        };
        let ended = |errno| Error::BrokerEnded { target: self.target.clone(), errno };
        received.map(|(told, fd)| (told, fd.map(UnixStream::from))).map_err(ended)
    }

    /// Asks for the end of the session. [`Told::Ended`] follows.
    pub fn end(&self) {
        match &self.link {
            // It may have ended by itself.
            Link::Local(link) => drop(send(link.get_ref().as_fd(), &Say::End, None)),
            Link::Beside(session) => session.end(),
        }
    }
}

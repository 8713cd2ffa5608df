//! Having a live process debugged, by a guard of the broker's. Through the local door only.

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::broker::guard::Say;
use super::broker::message::{Answer, Ask, receive, send};
use super::local::refused;
use super::{Broker, Error};
use crate::delve::guard::{Order, Report, Told};
use crate::exit::{Exit, Failure};

/// Why Delve takes no requests.
#[derive(Debug)]
pub enum NotConnected {
    /// It was not begun, or nobody can be reached.
    Failed(Failure),
    /// Delve has ended before.
    Ended(Report),
}

/// A guard at work. Dropped, it ends Delve.
#[derive(Debug)]
pub struct Guard {
    broker: Broker,
    target: String,
    order: Order,
    link: AsyncFd<OwnedFd>,
    /// Kept open, as the guard keeps it: Delve must not see it end when the guard is killed.
    connection: Option<OwnedFd>,
    /// Whether the last word has been told.
    over: bool,
}

/// Starts one. Delve's program is an open file, and the debug file, if the order has its build id.
///
/// # Errors
/// If there is no broker, or it cannot start the guard.
pub async fn start(
    broker: Result<&Broker, Error>,
    target: &str,
    order: Order,
    program: OwnedFd,
    debug_file: Option<OwnedFd>,
) -> Result<Guard, Error> {
    let broker = broker?.clone();
    let link = begin(&broker, target, order, Some(program)).await?;
    if let Some(file) = debug_file {
        // It may have ended already, and then says why.
        let _ = send(link.get_ref().as_fd(), &Say::DebugFile, Some(file.as_fd()));
    }
    Ok(Guard { broker, target: target.to_owned(), order, link, connection: None, over: false })
}

async fn begin(
    broker: &Broker,
    target: &str,
    order: Order,
    program: Option<OwnedFd>,
) -> Result<AsyncFd<OwnedFd>, Error> {
    let asked = broker.clone();
    let ask = move || asked.ask_with(&Ask::Guard(order), program.as_ref().map(OwnedFd::as_fd));
    let ended = |errno| Error::BrokerEnded { target: target.to_owned(), errno };
    match tokio::task::spawn_blocking(ask).await.unwrap_or(Err(Errno::EIO)).map_err(ended)? {
        (Answer::Guarding, Some(link)) => {
            rustix::io::ioctl_fionbio(&link, true).map_err(|error| ended(Errno::from_raw(error.raw_os_error())))?;
            crate::sys::watched(link).map_err(|_| ended(Errno::EMFILE))
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
                Ok((Told::Started(delve), _)) => self.order.delve = Some(delve),
                Ok((told, fd)) => {
                    self.over = matches!(told, Told::Ended(_) | Told::Failed(_));
                    if let Some(fd) = &fd {
                        self.connection = fd.try_clone().ok();
                    }
                    return Ok((told, fd.map(UnixStream::from)));
                }
                Err(_) if !self.over && self.order.delve.is_some() => {
                    self.link = begin(&self.broker, &self.target, self.order, None).await?;
                }
                Err(errno) => return Err(Error::BrokerEnded { target: self.target.clone(), errno }),
            }
        }
    }

    /// Waits until Delve takes requests. It answers as soon as it has attached.
    ///
    /// # Errors
    /// See [`NotConnected`].
    pub async fn connected(&mut self) -> Result<tokio::net::UnixStream, NotConnected> {
        loop {
            match self.next().await.map_err(|error| NotConnected::Failed(error.into()))? {
                (Told::Connected, Some(stream)) => {
                    let stream = stream.set_nonblocking(true).and_then(|()| tokio::net::UnixStream::from_std(stream));
                    let failed = |error| Failure::new(Exit::No, format!("the connection to dlv: {error}"));
                    return stream.map_err(|error| NotConnected::Failed(failed(error)));
                }
                (Told::Failed(error), _) => return Err(NotConnected::Failed(Failure::from(error).on(&self.target))),
                (Told::Ended(report), _) => return Err(NotConnected::Ended(report)),
                (Told::Ending(_) | Told::Started(_) | Told::Connected, _) => {}
            }
        }
    }

    async fn receive(&self) -> Result<(Told, Option<OwnedFd>), Errno> {
        let receive = || {
            let once = |link: &OwnedFd| receive::<Told>(link.as_fd()).map_err(std::io::Error::from);
            self.link.async_io(Interest::READABLE, once)
        };
        let errno = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        match receive().await.map_err(errno) {
            // A guard that has ended before it read our last word: what it told before is there still (unix(7)).
            Err(Errno::ECONNRESET) => receive().await.map_err(errno),
            received => received,
        }
    }

    /// Asks for the end of the session. [`Told::Ended`] follows.
    pub fn end(&self) {
        // It may have ended by itself.
        let _ = send(self.link.get_ref().as_fd(), &Say::End, None);
    }
}

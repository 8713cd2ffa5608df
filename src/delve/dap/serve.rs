//! Between an editor's connection and Delve's: moves messages, and sees to it that the process is let go.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};
use tokio::time::timeout;

use super::client::{Client, Error, Incoming};
use super::frame::Decoder;
use super::message::Message;
use super::proxy::{Proxy, Step, Terms};
use crate::delve::listen::{Listener, Stream};

/// How long Delve may take to let a process go and to end: it stops it, takes its breakpoints out, and waits 50 ms; and
/// before, what [`Proxy`] does takes some [`SETTLING`].
const LETTING_GO: Duration = Duration::from_secs(5);
/// How long a process runs under Delve before it is let go. A signal that is pending comes at once.
const SETTLING: Duration = Duration::from_millis(100);
/// How long an editor may take to read the last that is said.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long is waited after a connection could not be accepted.
const BREATH: Duration = Duration::from_millis(200);

/// An editor and a Delve. Delve has a process or a core already, and nobody has said anything to it yet.
pub struct Session<D, F> {
    /// The editor.
    pub client: Client,
    /// The connection to Delve, which ends with its only client.
    pub delve: D,
    /// What the editor may do.
    pub terms: Terms,
    /// What Delve said before it died, safe to show. Asked for when it has.
    pub last_words: F,
}

/// How a session went.
#[derive(Debug)]
pub struct Outcome {
    /// What ended it.
    pub how: How,
    /// Delve's connection has ended, so the process is let go. If not, Delve hangs: its owner has to end it.
    pub delve_ended: bool,
}

/// What ended a session.
#[derive(Debug)]
pub enum How {
    /// The editor has said goodbye.
    Disconnected,
    /// The editor has gone without a word, or said what makes no sense.
    ClientGone(Error),
    /// Delve has gone without being asked to.
    DelveGone(Error),
    /// Whoever runs this wants its end.
    Stopped,
}

impl<D, F> Session<D, F>
where
    D: AsyncRead + AsyncWrite + Send + Unpin,
    F: Future<Output = Option<String>>,
{
    /// Serves until one of both has gone, or `stop` is done. Whatever ends it, Delve is told to let the process run on
    /// and given some seconds for that. More editors that come to `listener` meanwhile are refused.
    ///
    /// To be run to its end: dropped before, it closes Delve's connection without a word, and what becomes of the
    /// process is Delve's affair.
    pub async fn run(self, listener: &Listener, stop: impl Future<Output = ()>) -> Outcome {
        let Self { client: Client { incoming, first }, delve, terms, last_words } = self;
        let (from_client, to_client) = tokio::io::split(incoming.from);
        let (from_delve, to_delve) = tokio::io::split(delve);
        let between = Between {
            proxy: Mutex::new(Proxy::new(terms)),
            to_client: AsyncMutex::new(to_client),
            to_delve: AsyncMutex::new(to_delve),
            settles: Notify::new(),
            listening: watch::Sender::new(Listening::Yes),
        };
        let client = Incoming { from: from_client, decoder: incoming.decoder };
        let mut delves = pin!(between.delve_speaks(from_delve));
        let how = tokio::select! {
            error = &mut delves => How::DelveGone(error),
            how = between.client_speaks(first, client) => how,
            () = stop => How::Stopped,
            never = refuse_others(listener) => match never {},
        };
        let delve_ended = match &how {
            How::DelveGone(_) => true,
            gone => {
                let last_line = match gone {
                    How::ClientGone(Error::Closed | Error::Io(_)) => {
                        between.listening.send_replace(Listening::No);
                        None
                    }
                    How::ClientGone(error) => Some(error.to_string()),
                    How::Stopped => Some("the session was ended where scratchdbg runs".to_owned()),
                    How::Disconnected | How::DelveGone(_) => None,
                };
                between.listening.send_if_modified(|listening| {
                    let was = *listening;
                    *listening = was.max(Listening::Shortly);
                    was != *listening
                });
                let let_go = async {
                    let steps = between.proxy().client_gone();
                    between.take(steps).await;
                    between.settle().await
                };
                let last_line = async {
                    if let Some(line) = last_line {
                        between.tell(&Message::output(&line)).await;
                    }
                };
                let end = async {
                    tokio::select! {
                        _ = &mut delves => {}
                        (never, ()) = async { tokio::join!(let_go, last_line) } => match never {},
                    }
                };
                timeout(LETTING_GO, end).await.is_ok()
            }
        };
        let why = match &how {
            How::DelveGone(error @ (Error::Frame(_) | Error::Message(_))) => format!("delve was cut off: {error}"),
            How::DelveGone(_) => match last_words.await {
                Some(words) => format!("delve has ended: {words}"),
                None => "delve has ended".to_owned(),
            },
            _ => "the session is over".to_owned(),
        };
        let steps = between.proxy().delve_gone(&why);
        let goodbye = async {
            between.take(steps).await;
            between.to_client.lock().await.shutdown().await
        };
        let _ = timeout(GOODBYE, goodbye).await;
        Outcome { how, delve_ended }
    }
}

/// Whether an editor reads what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Listening {
    /// However long that takes.
    Yes,
    /// The session is ending: it has [`GOODBYE`] for each message.
    Shortly,
    /// Nobody does.
    No,
}

/// What both directions share.
struct Between<D> {
    proxy: Mutex<Proxy>,
    to_client: AsyncMutex<WriteHalf<Box<dyn Stream>>>,
    to_delve: AsyncMutex<WriteHalf<D>>,
    /// [`Step::Settle`]
    settles: Notify,
    /// Whether the editor reads what is sent to it.
    listening: watch::Sender<Listening>,
}

impl<D: AsyncRead + AsyncWrite + Unpin> Between<D> {
    fn proxy(&self) -> MutexGuard<'_, Proxy> {
        self.proxy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the editor has gone, or wants to.
    async fn client_speaks(&self, mut message: Message, mut incoming: Incoming<ReadHalf<Box<dyn Stream>>>) -> How {
        loop {
            let steps = self.proxy().from_client(message);
            self.take(steps).await;
            if self.proxy().is_ending() {
                return How::Disconnected;
            }
            message = match incoming.next().await {
                Ok(message) => message,
                Err(error) => return How::ClientGone(error),
            };
        }
    }

    /// Until Delve has gone.
    async fn delve_speaks(&self, from: ReadHalf<D>) -> Error {
        let mut incoming = Incoming { from, decoder: Decoder::default() };
        loop {
            let message = match incoming.next().await {
                Ok(message) => message,
                Err(error) => return error,
            };
            let steps = self.proxy().from_delve(message);
            self.take(steps).await;
        }
    }

    /// Gives the process the time that it takes, whenever that is asked for.
    async fn settle(&self) -> Infallible {
        loop {
            self.settles.notified().await;
            tokio::time::sleep(SETTLING).await;
            let steps = self.proxy().settled();
            self.take(steps).await;
        }
    }

    async fn take(&self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Settle => self.settles.notify_one(),
                // A connection that cannot be written to has ended; whoever reads from it sees that.
                Step::ToDelve(message) => drop(self.to_delve.lock().await.write_all(&message.frame()).await),
                Step::ToClient(message) => self.tell(&message).await,
            }
        }
    }

    async fn tell(&self, message: &Message) {
        let is = |wanted| {
            let mut listening = self.listening.subscribe();
            async move { drop(listening.wait_for(|listening| *listening >= wanted).await) }
        };
        let too_slow = async {
            is(Listening::Shortly).await;
            tokio::time::sleep(GOODBYE).await;
        };
        tokio::select! {
            biased;
            () = is(Listening::No) => {}
            _ = async { self.to_client.lock().await.write_all(&message.frame()).await } => {}
            () = too_slow => drop(self.listening.send_replace(Listening::No)),
        }
    }
}

/// One editor at a time.
async fn refuse_others(listener: &Listener) -> Infallible {
    loop {
        match listener.accept().await {
            Ok(stream) => {
                if let Ok(client) = Client::meet(stream).await {
                    client.refuse("another editor is connected, and there is one at a time").await;
                }
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

#[cfg(test)]
mod tests;

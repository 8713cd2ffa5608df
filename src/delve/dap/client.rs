//! An editor that has connected, once it has said something.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::frame::Decoder;
use super::message::{Message, What};
use crate::delve::listen::{self, Listener, Stream};

/// How long an editor may take for its first message.
const FIRST: Duration = Duration::from_secs(10);
/// How long it may take to read why it is refused.
const LAST: Duration = Duration::from_secs(2);
/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// Why a connection is none of an editor's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It broke the frames.
    #[error(transparent)]
    Frame(#[from] super::frame::Error),
    /// It broke the messages.
    #[error(transparent)]
    Message(#[from] super::message::Error),
    /// It broke.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// It was closed.
    #[error("the connection was closed")]
    Closed,
    /// It said nothing.
    #[error("nothing was said within {} s", FIRST.as_secs())]
    Silent,
}

/// Messages as they come.
pub(super) struct Incoming<R> {
    pub(super) from: R,
    pub(super) decoder: Decoder,
}

impl<R: tokio::io::AsyncRead + Unpin> Incoming<R> {
    /// The next one. May be cancelled.
    pub(super) async fn next(&mut self) -> Result<Message, Error> {
        let mut chunk = vec![0; CHUNK];
        loop {
            if let Some(body) = self.decoder.next()? {
                return Ok(Message::parse(&body)?);
            }
            match self.from.read(&mut chunk).await? {
                0 => return Err(Error::Closed),
                read => self.decoder.push(&chunk[..read]),
            }
        }
    }
}

/// An editor, and its first message.
pub struct Client {
    pub(super) incoming: Incoming<Box<dyn Stream>>,
    pub(super) first: Message,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("first", &self.first).finish_non_exhaustive()
    }
}

impl Client {
    /// Waits for the first editor. Whoever connects and speaks no DAP is told of by `tell`, and forgotten.
    ///
    /// # Errors
    /// If nobody can connect any more.
    pub async fn accept(listener: &Listener, tell: impl Fn(&str)) -> Result<Self, listen::Error> {
        loop {
            match listener.accept().await {
                Ok(stream) => match Self::meet(stream).await {
                    Ok(client) => return Ok(client),
                    Err(error) => tell(&format!("a connection was no editor's: {error}")),
                },
                Err(error @ listen::Error::Stranger { .. }) => tell(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads its first message, so that a connection that comes to nothing is no session.
    ///
    /// # Errors
    /// If there is none in time.
    pub async fn meet(stream: Box<dyn Stream>) -> Result<Self, Error> {
        let mut incoming = Incoming { from: stream, decoder: Decoder::default() };
        let first = timeout(FIRST, incoming.next()).await.map_err(|_| Error::Silent)??;
        match first.what {
            What::Request { .. } => Ok(Self { incoming, first }),
            _ => Err(Error::Message(super::message::Error::Missing("command"))),
        }
    }

    /// Tells it why it gets nothing, and closes.
    pub async fn refuse(mut self, why: &str) {
        let What::Request { command } = &self.first.what else { return };
        let refusal = Message { seq: 1, ..Message::refusal(command, self.first.seq, why) };
        let stream = &mut self.incoming.from;
        let last = async {
            stream.write_all(&refusal.frame()).await?;
            stream.shutdown().await?;
            // Its own last words: a socket closed over unread ones takes ours with it.
            tokio::io::copy(stream, &mut tokio::io::sink()).await
        };
        let _ = timeout(LAST, last).await;
    }
}

//! The connection: requests out, replies in, matched by number.
//!
//! Two tasks of its own read and write, so a caller that goes away leaves nothing half said. Its reply is read when
//! it comes, and dropped. Until then the next call waits: Delve would not hear it anyway.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Error;
use crate::delve::rpc::{self, Convert, Request};

/// One connection. Dropping it closes it, and Delve lets go of the process and ends.
pub(super) struct Link {
    pending: Arc<Pending>,
    out: mpsc::UnboundedSender<Vec<u8>>,
    /// Delve handles these calls one after the other, so they are sent so.
    turn: Arc<Semaphore>,
    next: AtomicU64,
    closed: watch::Receiver<bool>,
    tasks: [JoinHandle<()>; 2],
    /// The minor version of the Go that built the program.
    pub(super) go: Mutex<Option<u32>>,
}

/// A reply as it came, or why there is none.
pub(super) type Raw = Result<Vec<u8>, Error>;

struct Entry {
    reply: oneshot::Sender<Raw>,
    _turn: Option<OwnedSemaphorePermit>,
}

#[derive(Default)]
struct Pending(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    entries: HashMap<u64, Entry>,
    broken: Option<Error>,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says to everybody that there will be no reply.
    fn fail(&self, error: &Error) {
        let entries = {
            let mut inner = self.lock();
            inner.broken.get_or_insert_with(|| error.clone());
            std::mem::take(&mut inner.entries)
        };
        for entry in entries.into_values() {
            drop(entry.reply.send(Err(error.clone())));
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("broken", &self.pending.lock().broken).finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Link {
    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (from, to) = tokio::io::split(stream);
        let pending = Arc::new(Pending::default());
        let (out, lines) = mpsc::unbounded_channel();
        let (close, closed) = watch::channel(false);
        let tasks = [
            tokio::spawn(read(BufReader::with_capacity(1 << 16, from), Arc::clone(&pending), close)),
            tokio::spawn(write(to, lines, Arc::clone(&pending))),
        ];
        let (next, turn) = (AtomicU64::new(1), Arc::new(Semaphore::new(1)));
        Self { pending, out, turn, next, closed, tasks, go: Mutex::default() }
    }

    fn go(&self) -> Option<u32> {
        *self.go.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reply in our own terms.
    pub(super) fn understand<R: Request>(&self, raw: Raw) -> Result<<R::Reply as Convert>::Model, Error>
    where
        R::Reply: Convert,
    {
        Ok(rpc::answer::<R>(&raw?)?.convert(self.go()))
    }

    /// Asks what Delve answers only while the target is stopped.
    pub(super) async fn ask<R: Request>(&self, request: &R) -> Result<<R::Reply as Convert>::Model, Error>
    where
        R::Reply: Convert,
    {
        self.understand::<R>(self.raw(request).await)
    }

    /// The same, and what it says in Delve's own terms.
    pub(super) async fn exact<R: Request>(&self, request: &R) -> Result<R::Reply, Error> {
        rpc::answer::<R>(&self.raw(request).await?)
    }

    async fn raw<R: Request>(&self, request: &R) -> Raw {
        let stuck = Error::Stuck { method: R::METHOD, seconds: R::SECONDS };
        let asking = async {
            let turn = self.turn().await?;
            self.send(request, Some(turn))?.await.unwrap_or(Err(Error::Gone))
        };
        // An answer that never comes is one that nothing comes after.
        timeout(Duration::from_secs(R::SECONDS), asking).await.unwrap_or_else(|_| {
            self.pending.fail(&stuck);
            Err(stuck)
        })
    }

    /// Waits until every call before is answered, given up or not.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Some(error) = &self.pending.lock().broken {
            return Err(error.clone());
        }
        Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Error::Gone)
    }

    /// Asks what Delve answers at any time.
    pub(super) async fn ask_anytime<R: Request>(&self, request: &R) -> Result<<R::Reply as Convert>::Model, Error>
    where
        R::Reply: Convert,
    {
        let reply = self.send(request, None)?;
        match timeout(Duration::from_secs(R::SECONDS), reply).await {
            Ok(reply) => self.understand::<R>(reply.unwrap_or(Err(Error::Gone))),
            Err(_) => Err(Error::Stuck { method: R::METHOD, seconds: R::SECONDS }),
        }
    }

    /// Sends, in one go: whoever is cancelled has sent all or nothing.
    pub(super) fn send<R: Request>(
        &self,
        request: &R,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<oneshot::Receiver<Raw>, Error> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let line = rpc::line(id, request)?;
        let (reply, receiver) = oneshot::channel();
        let mut inner = self.pending.lock();
        if let Some(error) = &inner.broken {
            return Err(error.clone());
        }
        inner.entries.insert(id, Entry { reply, _turn: turn });
        self.out.send(line).map_err(|_| Error::Gone)?;
        Ok(receiver)
    }

    /// Waits until Delve has closed its end.
    pub(super) async fn closed(&self) {
        drop(self.closed.clone().wait_for(|closed| *closed).await);
    }
}

async fn read(mut from: impl AsyncBufRead + Unpin, pending: Arc<Pending>, closed: watch::Sender<bool>) {
    let error = loop {
        let line = match line(&mut from, rpc::LONGEST).await {
            Ok(line) => line,
            Err(error) => break error,
        };
        let id = match rpc::id(&line) {
            Ok(id) => id,
            Err(error) => break error,
        };
        // What nobody asked for is nobody's: Delve answers once, and nothing is sent twice.
        let Some(entry) = pending.lock().entries.remove(&id) else { continue };
        drop(entry.reply.send(Ok(line)));
    };
    pending.fail(&error);
    closed.send_replace(true);
}

/// One line, without its end.
async fn line(from: &mut (impl AsyncBufRead + Unpin), longest: usize) -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    loop {
        let buffer = from.fill_buf().await.map_err(|_| Error::Gone)?;
        if buffer.is_empty() {
            return Err(Error::Gone);
        }
        let end = memchr::memchr(b'\n', buffer);
        let taken = end.unwrap_or(buffer.len());
        if line.len() + taken > longest {
            return Err(Error::Malformed("a reply that does not end"));
        }
        line.extend_from_slice(&buffer[..taken]);
        from.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(line);
        }
    }
}

async fn write(mut to: impl AsyncWrite + Unpin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>, pending: Arc<Pending>) {
    while let Some(line) = lines.recv().await {
        if to.write_all(&line).await.is_err() || to.flush().await.is_err() {
            pending.fail(&Error::Gone);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_has_an_end() {
        let mut from = &b"one\ntwo\nthree"[..];
        assert_eq!(line(&mut from, 3).await, Ok(b"one".to_vec()));
        assert_eq!(line(&mut from, 3).await, Ok(b"two".to_vec()));
        assert_eq!(line(&mut from, 9).await, Err(Error::Gone));
        assert!(matches!(line(&mut &b"endless"[..], 3).await, Err(Error::Malformed(_))));
    }
}

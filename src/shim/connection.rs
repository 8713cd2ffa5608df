//! The connection: requests out, answers back to whoever waits, and an end to it when the helper misbehaves.

mod socket;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::room::Room;
use super::{DirEntry, Error, Leash, PATIENCE};
use crate::inspect::files::Kind;
use crate::wire::{
    self, Addr, Body, CHUNK, Entry, Failure, MAX_REQUEST, MAX_TUNNELS, Op, PREFIX, Reply, Request, TUNNEL_CHUNK,
    TUNNEL_ROOM,
};

/// Chunks of one stream that may be under way.
pub const WINDOW: u32 = 8;

/// How many times as long a helper may take that says other things meanwhile.
const LENIENCE: u32 = 12;
/// Bytes that wait to be written, at most, before more is put into a tunnel: there are more only if the helper says that it took what
/// it has not got. As much as all rooms hold, were each byte a frame of its own.
const MOST_WAITING: usize = MAX_TUNNELS * TUNNEL_ROOM * 16;

/// The answer to a request that has one.
#[derive(Debug)]
pub enum Answer {
    Stat(wire::Stat),
    Statfs(wire::Statfs),
    Data(Vec<u8>),
    Opened(wire::Stat, OwnedFd),
    Connected(OwnedFd),
    Gone,
}

/// What a stream gives: chunks or a failure, then `None` once.
pub type Chunks = mpsc::Receiver<Option<Result<Chunk, Error>>>;

/// A part of a stream.
#[derive(Debug)]
pub enum Chunk {
    Data(Vec<u8>),
    Entries(Vec<DirEntry>),
}

/// What comes out of a tunnel: how it goes on, or a failure. It is over with the channel.
pub type Heard = mpsc::Receiver<Result<Word, Error>>;

/// How a tunnel goes on.
#[derive(Debug)]
pub enum Word {
    Joined,
    Data(Vec<u8>),
    Silent,
}

enum Waiter {
    Answer(oneshot::Sender<Result<Answer, Error>>),
    /// `None` in the channel is the end of the stream.
    Stream {
        to: mpsc::Sender<Option<Result<Chunk, Error>>>,
        left: u32,
    },
    Tunnel(Tunnel),
    /// Nobody waits any more; what still comes is thrown away.
    Nobody,
}

struct Tunnel {
    to: mpsc::Sender<Result<Word, Error>>,
    left: u32,
    joined: bool,
    silent: bool,
    room: Arc<Room>,
}

/// Whoever waits to put something into it is told that nobody takes it.
impl Drop for Tunnel {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// One connection. Dropping it ends the shim.
pub struct Connection {
    shared: Arc<Shared>,
    out: mpsc::UnboundedSender<Vec<u8>>,
    /// Bytes that wait to be written.
    waiting: Arc<AtomicUsize>,
    last: AtomicU32,
}

struct Shared {
    began: Instant,
    /// When the last frame came, in milliseconds since it began.
    heard: AtomicU64,
    waiters: Mutex<Waiters>,
    leash: Mutex<Option<Leash>>,
    // Closes the socket under both tasks.
    over: tokio::sync::watch::Sender<bool>,
}

struct Waiters {
    waiting: HashMap<u32, Waiter>,
    hello: Option<oneshot::Sender<wire::Hello>>,
    ended: Option<Error>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Starts the tasks that read and write.
    pub fn start(socket: StdUnixStream, leash: Leash) -> Result<(Self, oneshot::Receiver<wire::Hello>), Error> {
        let failed = |_: io::Error| Error::Closed;
        socket.set_nonblocking(true).map_err(failed)?;
        let stream = Arc::new(UnixStream::from_std(socket).map_err(failed)?);
        let (hello, greeted) = oneshot::channel();
        let (out, outgoing) = mpsc::unbounded_channel();
        let (over, mut reader_over) = tokio::sync::watch::channel(false);
        let mut writer_over = over.subscribe();
        let shared = Arc::new(Shared {
            began: Instant::now(),
            heard: AtomicU64::new(0),
            waiters: Mutex::new(Waiters { waiting: HashMap::new(), hello: Some(hello), ended: None }),
            leash: Mutex::new(Some(leash)),
            over,
        });
        let (reading, read_shared) = (Arc::clone(&stream), Arc::clone(&shared));
        tokio::spawn(async move {
            let why = tokio::select! {
                why = socket::read(&reading, &read_shared) => why,
                _ = reader_over.wait_for(|over| *over) => Error::Closed,
            };
            read_shared.end(why);
        });
        let waiting = Arc::new(AtomicUsize::new(0));
        let unwritten = Arc::clone(&waiting);
        tokio::spawn(async move {
            tokio::select! {
                () = socket::write(&stream, outgoing, &unwritten) => {}
                _ = writer_over.wait_for(|over| *over) => {}
            }
        });
        Ok((Self { shared, out, waiting, last: AtomicU32::new(0) }, greeted))
    }

    /// Asks one thing and waits for its answer, at most as long as said; see [`Self::within`].
    pub async fn ask(&self, op: Op<'_>, patience: Option<Duration>) -> Result<Answer, Error> {
        let (to, answer) = oneshot::channel();
        let asked = self.send(op, Waiter::Answer(to))?;
        let _forget = Forget { connection: self, id: asked };
        let answer = match patience {
            None => answer.await,
            Some(patience) => self.within(patience, answer).await?,
        };
        answer.unwrap_or_else(|_| Err(self.error()))
    }

    /// Waits for something that the helper is to say. It is given longer, though not for ever, while other things come from it: on
    /// a slow way what was asked for before stands before the answer.
    ///
    /// # Errors
    /// If it does not say it. Then it is cut off.
    pub async fn within<T>(&self, patience: Duration, what: impl Future<Output = T>) -> Result<T, Error> {
        let mut what = pin!(what);
        let begun = Instant::now();
        loop {
            if let Ok(done) = tokio::time::timeout(patience, &mut what).await {
                return Ok(done);
            }
            let heard = Duration::from_millis(self.shared.heard.load(Ordering::Relaxed));
            let quiet = self.shared.began.elapsed().saturating_sub(heard);
            if quiet >= patience || begun.elapsed() >= patience * LENIENCE {
                return Err(self.stuck());
            }
        }
    }

    /// Opens a stream.
    pub fn open(&self, op: Op<'_>) -> Result<(u32, Chunks), Error> {
        // One place more than the window, for the end.
        let (to, chunks) = mpsc::channel(WINDOW as usize + 1);
        let id = self.send(op, Waiter::Stream { to, left: WINDOW })?;
        Ok((id, chunks))
    }

    /// Opens a tunnel, into which as much may be put as there is room for.
    pub fn tunnel(&self, addr: Addr, room: Arc<Room>) -> Result<(u32, Heard), Error> {
        // Three places more than the window: for the beginning, and for either end.
        let (to, heard) = mpsc::channel(WINDOW as usize + 3);
        let tunnel = Tunnel { to, left: WINDOW, joined: false, silent: false, room };
        let id = self.send(Op::Tunnel { addr, credit: WINDOW }, Waiter::Tunnel(tunnel))?;
        Ok((id, heard))
    }

    /// Puts bytes into a tunnel, for which there must be room.
    ///
    /// # Errors
    /// If the helper has said of more that it was taken than can have come to it. Then it is cut off.
    pub fn put(&self, of: u32, bytes: &[u8]) -> Result<(), Error> {
        if self.waiting.load(Ordering::Relaxed) > MOST_WAITING {
            return Err(self.broke("it took what was not sent"));
        }
        self.push(Op::Put { of, bytes });
        Ok(())
    }

    /// Nothing more is put into a tunnel.
    pub fn hush(&self, of: u32) {
        self.push(Op::Hush { of });
    }

    /// Lets a stream or a tunnel send more.
    pub fn grant(&self, of: u32, chunks: u32) {
        if let Some(Waiter::Stream { left, .. } | Waiter::Tunnel(Tunnel { left, .. })) =
            self.shared.lock().waiting.get_mut(&of)
        {
            *left += chunks;
            self.push(Op::Credit { of, chunks });
        }
    }

    /// Ends a stream or a tunnel that nobody reads any more.
    pub fn cancel(&self, of: u32) {
        if let Some(waiter) = self.shared.lock().waiting.get_mut(&of) {
            *waiter = Waiter::Nobody;
            self.push(Op::Cancel { of });
        }
    }

    fn send(&self, op: Op<'_>, waiter: Waiter) -> Result<u32, Error> {
        let mut buffer = [0; MAX_REQUEST + PREFIX];
        let mut shared = self.shared.lock();
        if let Some(error) = &shared.ended {
            return Err(error.clone());
        }
        // Ids go round after four thousand million requests; one that is still waited for is passed over.
        let id = loop {
            let id = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if id != 0 && !shared.waiting.contains_key(&id) {
                break id;
            }
        };
        let Some(frame) = wire::encode(&Request { id, op }, &mut buffer) else {
            return Err(Error::Errno(Errno::ENAMETOOLONG));
        };
        shared.waiting.insert(id, waiter);
        self.give(frame);
        Ok(id)
    }

    /// Sends what is not answered. Such requests fit the buffer.
    fn push(&self, op: Op<'_>) {
        let mut buffer = [0; MAX_REQUEST + PREFIX];
        if let Some(frame) = wire::encode(&Request { id: 0, op }, &mut buffer) {
            self.give(frame);
        }
    }

    fn give(&self, frame: &[u8]) {
        self.waiting.fetch_add(frame.len(), Ordering::Relaxed);
        // If the writer has ended, so does the reader, who tells whoever waits.
        let _ = self.out.send(frame.to_vec());
    }

    /// Why the connection has ended.
    pub fn error(&self) -> Error {
        self.shared.lock().ended.clone().unwrap_or(Error::Closed)
    }

    /// Returns when the connection has ended.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut over = self.shared.over.subscribe();
        async move {
            // An error means that nothing is left that could say so.
            let _ = over.wait_for(|over| *over).await;
        }
    }

    /// Cuts off a helper that broke the protocol.
    pub fn broke(&self, how: &'static str) -> Error {
        self.shared.end(Error::Protocol(how))
    }

    /// Cuts off a helper that does not answer.
    pub fn stuck(&self) -> Error {
        self.shared.end(Error::TimedOut(PATIENCE))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The shim ends by itself when its connection does. The leash is for one that cannot.
        drop(self.shared.leash().take());
        self.shared.end(Error::Closed);
    }
}

/// Stops waiting for an answer when the future that waits is dropped.
struct Forget<'c> {
    connection: &'c Connection,
    id: u32,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(waiter) = self.connection.shared.lock().waiting.get_mut(&self.id) {
            *waiter = Waiter::Nobody;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        // Nothing panics while it is held; if something did, the table is still a table.
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leash(&self) -> MutexGuard<'_, Option<Leash>> {
        self.leash.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection and tells everybody who waits. The first reason stays.
    fn end(&self, why: Error) -> Error {
        let mut waiters = self.lock();
        let why = waiters.ended.get_or_insert(why).clone();
        let waiting = std::mem::take(&mut waiters.waiting);
        waiters.hello = None;
        drop(waiters);
        self.over.send_replace(true);
        if matches!(why, Error::TimedOut(_) | Error::Protocol(_))
            && let Some(leash) = self.leash().take()
        {
            leash.pull();
        }
        for waiter in waiting.into_values() {
            match waiter {
                Waiter::Answer(to) => drop(to.send(Err(why.clone()))),
                // If there is no room, the reader finds the channel closed behind what is in it.
                Waiter::Stream { to, .. } => drop(to.try_send(Some(Err(why.clone())))),
                Waiter::Tunnel(tunnel) => drop(tunnel.to.try_send(Err(why.clone()))),
                Waiter::Nobody => {}
            }
        }
        why
    }

    /// Takes one frame in.
    fn take(&self, frame: &[u8], fds: &mut VecDeque<OwnedFd>) -> Result<(), Error> {
        let broke = |how| Err(Error::Protocol(how));
        let heard = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(heard, Ordering::Relaxed);
        let Ok(reply) = wire::decode::<Reply<'_>>(frame) else { return broke("a frame that is none") };
        let mut shared = self.lock();
        if let Body::Hello(hello) = reply.body {
            return match shared.hello.take() {
                Some(to) if reply.id == 0 => {
                    let _ = to.send(hello);
                    Ok(())
                }
                _ => broke("a second greeting"),
            };
        }
        // A descriptor is taken off the queue whether or not somebody still waits for it.
        let fd = match reply.body {
            Body::Opened(_) | Body::Connected => match fds.pop_front() {
                Some(fd) => Some(fd),
                None => return broke("a descriptor that did not come"),
            },
            _ => None,
        };
        let Some(waiter) = shared.waiting.get_mut(&reply.id) else {
            return broke("an answer to nothing");
        };
        let more =
            matches!(reply.body, Body::Data(_) | Body::Entries(_) | Body::Joined | Body::Taken(_) | Body::Silent);
        match waiter {
            // A stream that was cancelled may still have chunks under way, and then says nothing more.
            Waiter::Nobody if more => {}
            Waiter::Nobody => drop(shared.waiting.remove(&reply.id)),
            Waiter::Stream { to, left } => {
                let event = match reply.body {
                    Body::End => None,
                    Body::Failed(failure) => Some(Err(failed(failure))),
                    Body::Data(bytes) if bytes.len() <= CHUNK => Some(Ok(Chunk::Data(bytes.to_vec()))),
                    Body::Entries(bytes) => Some(Ok(Chunk::Entries(entries(bytes)?))),
                    _ => return broke("a stream of something else"),
                };
                let last = !matches!(event, Some(Ok(_)));
                if !last {
                    *left = match left.checked_sub(1) {
                        Some(left) => left,
                        None => return broke("more than it was granted"),
                    };
                }
                // A full channel cannot be: there is room for the window. A closed one is about to be cancelled.
                drop(to.try_send(event));
                if last {
                    shared.waiting.remove(&reply.id);
                }
            }
            Waiter::Tunnel(tunnel) => {
                if tunnel.take(reply.body)? {
                    shared.waiting.remove(&reply.id);
                }
            }
            Waiter::Answer(_) => {
                let Some(Waiter::Answer(to)) = shared.waiting.remove(&reply.id) else { return Ok(()) };
                let answer = match (reply.body, fd) {
                    (Body::Stat(stat), _) => Ok(Answer::Stat(stat)),
                    (Body::Statfs(statfs), _) => Ok(Answer::Statfs(statfs)),
                    (Body::Data(bytes), _) => Ok(Answer::Data(bytes.to_vec())),
                    (Body::Opened(stat), Some(fd)) => Ok(Answer::Opened(stat, fd)),
                    (Body::Connected, Some(fd)) => Ok(Answer::Connected(fd)),
                    (Body::Gone, _) => Ok(Answer::Gone),
                    (Body::Failed(failure), _) => Err(failed(failure)),
                    _ => Err(Error::Protocol("an answer to another question")),
                };
                let broken = answer.as_ref().err().filter(|error| matches!(error, Error::Protocol(_))).cloned();
                drop(to.send(answer));
                return broken.map_or(Ok(()), Err);
            }
        }
        Ok(())
    }
}

impl Tunnel {
    /// Takes one word in. Says whether it was the last.
    fn take(&mut self, body: Body<'_>) -> Result<bool, Error> {
        let word = match body {
            Body::Joined if !self.joined => {
                self.joined = true;
                Ok(Word::Joined)
            }
            Body::Data(bytes) if self.joined && !self.silent && (1..=TUNNEL_CHUNK).contains(&bytes.len()) => {
                self.left = self.left.checked_sub(1).ok_or(Error::Protocol("more than it was granted"))?;
                Ok(Word::Data(bytes.to_vec()))
            }
            Body::Silent if self.joined && !self.silent => {
                self.silent = true;
                // It is counted as a chunk.
                self.left = self.left.checked_sub(1).ok_or(Error::Protocol("more than it was granted"))?;
                Ok(Word::Silent)
            }
            Body::Taken(bytes) => {
                let taken = self.room.taken(bytes);
                return if taken { Ok(false) } else { Err(Error::Protocol("it took more than it was given")) };
            }
            Body::End if self.silent => return Ok(true),
            Body::Failed(failure) => Err(failed(failure)),
            _ => return Err(Error::Protocol("a tunnel to somewhere else")),
        };
        let last = word.is_err();
        // A full channel cannot be: there is room for the window. A closed one is about to be cancelled.
        drop(self.to.try_send(word));
        Ok(last)
    }
}

fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Errno(errno) => Error::Errno(Errno::from_raw(errno)),
        Failure::WrongKind(mode) => Error::WrongKind(Kind::of_mode(mode)),
        Failure::NotAllowed => Error::NotAllowed,
        Failure::Busy => Error::Busy,
        Failure::Malformed => Error::Protocol("it did not understand the question"),
    }
}

fn entries(mut bytes: &[u8]) -> Result<Vec<DirEntry>, Error> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) = Entry::decode(bytes).map_err(|_| Error::Protocol("a directory entry that is none"))?;
        entries.push(DirEntry { name: entry.name.to_vec(), kind: entry.kind, stat: entry.stat });
        bytes = rest;
    }
    Ok(entries)
}

//! Tunnels: connections whose bytes go through the frames, each no faster than the other side takes them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Error;
use super::connection::{Connection, Heard, WINDOW, Word};
use super::room::Room;
use crate::wire::{Addr, MAX_PUT};

/// Chunks are acknowledged in lots of so many.
const LOT: u32 = WINDOW / 2;

/// One connection through the frames. Dropping it closes the connection inside.
#[derive(Debug)]
pub struct Tunnel {
    connection: Arc<Connection>,
    id: u32,
    heard: Heard,
    room: Arc<Room>,
    /// What was heard and not taken yet.
    rest: Vec<u8>,
    from: usize,
    owed: u32,
    silent: bool,
    hushed: bool,
}

impl Tunnel {
    /// Opens one, and waits until it is connected.
    pub(super) async fn open(connection: &Arc<Connection>, addr: Addr) -> Result<Self, Error> {
        let room = Arc::new(Room::new());
        let (id, heard) = connection.tunnel(addr, Arc::clone(&room))?;
        let connection = Arc::clone(connection);
        let (rest, from, owed, silent, hushed) = (Vec::new(), 0, 0, false, false);
        // From here on it is closed if nobody waits for it any more.
        let mut tunnel = Self { connection, id, heard, room, rest, from, owed, silent, hushed };
        match tunnel.heard.recv().await {
            Some(Ok(Word::Joined)) => Ok(tunnel),
            Some(Ok(_)) => Err(tunnel.connection.broke("it speaks through a tunnel that is not there")),
            Some(Err(error)) => Err(error),
            None => Err(tunnel.connection.error()),
        }
    }
}

/// As the system tells it.
fn told(error: Error) -> io::Error {
    match error {
        Error::Errno(errno) => errno.into(),
        error => io::Error::other(error),
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.from == this.rest.len() && !this.silent {
            match ready!(this.heard.poll_recv(cx)) {
                Some(Ok(Word::Data(bytes))) => {
                    (this.rest, this.from) = (bytes, 0);
                    this.owed += 1;
                    if this.owed == LOT {
                        this.connection.grant(this.id, LOT);
                        this.owed = 0;
                    }
                }
                Some(Ok(Word::Silent)) => this.silent = true,
                Some(Ok(Word::Joined)) => {}
                Some(Err(error)) => return Poll::Ready(Err(told(error))),
                None => return Poll::Ready(Err(told(this.connection.error()))),
            }
        }
        let rest = this.rest.get(this.from..).unwrap_or_default();
        let some = rest.get(..buf.remaining()).unwrap_or(rest);
        buf.put_slice(some);
        this.from += some.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        match ready!(self.room.poll_use(cx, bytes.len().min(MAX_PUT))) {
            Some(room) => {
                let put = self.connection.put(self.id, bytes.get(..room).unwrap_or_default());
                Poll::Ready(put.map(|()| room).map_err(told))
            }
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Comes when all was taken: who drops it then loses nothing.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.hushed, true) {
            self.connection.hush(self.id);
        }
        let all_taken = ready!(self.room.poll_taken(cx));
        Poll::Ready(if all_taken { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) })
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.connection.cancel(self.id);
    }
}

//! A connection inside the target's network, whichever way its bytes go.

use std::io;
use std::net::TcpStream as StdTcpStream;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::{Error, Tunnel};

/// A connection inside the target's network.
#[derive(Debug)]
pub enum Link {
    /// The socket itself, which was passed.
    Socket(Passed),
    /// Through the frames.
    Tunnel(Tunnel),
}

/// A socket that was passed. Dropped before both sides have said all, it is broken off: what was cut off must not look whole.
#[derive(Debug)]
pub struct Passed {
    socket: TcpStream,
    /// Whether our side has said all, and whether the other one has.
    hushed: bool,
    silent: bool,
}

impl Drop for Passed {
    fn drop(&mut self) {
        if !(self.hushed && self.silent) {
            let _ = self.socket.set_zero_linger();
        }
    }
}

/// Waits until a socket that was passed is connected.
pub(super) async fn joined(socket: OwnedFd) -> Result<Passed, Error> {
    let told = |error: io::Error| match error.raw_os_error() {
        Some(number) => Error::Errno(nix::errno::Errno::from_raw(number)),
        None => Error::Closed,
    };
    let socket = StdTcpStream::from(socket);
    // As it was when it came, unless somebody in there has changed that since.
    socket.set_nonblocking(true).map_err(told)?;
    let socket = TcpStream::from_std(socket).map_err(told)?;
    socket.writable().await.map_err(told)?;
    if let Some(error) = socket.take_error().map_err(told)? {
        return Err(told(error));
    }
    let socket = Passed { socket, hushed: false, silent: false };
    // Where nobody listens, the port that the kernel picks for our side can be the very one: it is then connected to itself, and who
    // wants to listen there cannot.
    let ends = (socket.socket.local_addr().map_err(told)?, socket.socket.peer_addr().map_err(told)?);
    if ends.0 == ends.1 {
        return Err(Error::Errno(nix::errno::Errno::ECONNREFUSED));
    }
    // What is passed on has waited already. It is slower without, and no less right.
    let _ = socket.socket.set_nodelay(true);
    Ok(socket)
}

impl AsyncRead for Passed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.silent |= buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Passed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
        self.hushed = true;
        Poll::Ready(Ok(()))
    }
}

macro_rules! either {
    ($self:ident, $end:ident => $do:expr) => {
        match $self.get_mut() {
            Self::Socket($end) => {
                let $end = Pin::new($end);
                $do
            }
            Self::Tunnel($end) => {
                let $end = Pin::new($end);
                $do
            }
        }
    };
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, end => end.poll_read(cx, buf))
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, end => end.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, end => end.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, end => end.poll_shutdown(cx))
    }
}

//! A connection inside the target's network, whichever way its bytes go.

use std::io;
use std::net::TcpStream as StdTcpStream;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::{Error, Tunnel};

/// A connection inside the target's network.
#[derive(Debug)]
pub enum Link {
    /// The socket itself, which was passed.
    Socket(TcpStream),
    /// Through the frames.
    Tunnel(Tunnel),
}

/// Waits until a socket that was passed is connected.
pub(super) async fn joined(socket: OwnedFd) -> Result<TcpStream, Error> {
    let told = |error: io::Error| match error.raw_os_error() {
        Some(number) => Error::Errno(nix::errno::Errno::from_raw(number)),
        None => Error::Closed,
    };
    let socket = StdTcpStream::from(socket);
    // As it was when it came, unless somebody in there has changed that since.
    socket.set_nonblocking(true).map_err(told)?;
    let socket = TcpStream::from_std(socket).map_err(told)?;
    socket.writable().await.map_err(told)?;
    match socket.take_error().map_err(told)? {
        Some(error) => Err(told(error)),
        None => Ok(socket),
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

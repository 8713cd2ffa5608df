//! The socket under a connection: requests are put into it, frames and descriptors taken out.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::Shared;
use crate::shim::Error;
use crate::wire::{self, CHUNK, MAX_FRAME, PREFIX};

/// Descriptors that may have arrived before their reply was read.
const MAX_DESCRIPTORS: usize = 64;
/// Descriptors that one message can carry (the kernel's `SCM_MAX_FD`). With less room the kernel gives those that fit, and then
/// nobody owns them.
const MOST_OF_A_MESSAGE: usize = 253;

/// Writes what is given, until nobody gives any more. `waiting` are the bytes that were given and not written.
pub(super) async fn write(socket: &UnixStream, mut outgoing: mpsc::UnboundedReceiver<Vec<u8>>, waiting: &AtomicUsize) {
    while let Some(mut bytes) = outgoing.recv().await {
        // Many small requests become one write.
        while bytes.len() < CHUNK
            && let Ok(more) = outgoing.try_recv()
        {
            bytes.extend_from_slice(&more);
        }
        let mut from = 0;
        while from < bytes.len() {
            match socket.try_write(&bytes[from..]) {
                Ok(written) => {
                    from += written;
                    waiting.fetch_sub(written, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if socket.writable().await.is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}

/// Reads until the end, and says why it ended.
pub(super) async fn read(socket: &UnixStream, shared: &Shared) -> Error {
    let mut buffer = vec![0; MAX_FRAME + PREFIX];
    let mut filled = 0;
    let mut fds = VecDeque::new();
    loop {
        let got = loop {
            if socket.readable().await.is_err() {
                return Error::Closed;
            }
            match socket.try_io(Interest::READABLE, || receive(socket.as_raw_fd(), &mut buffer[filled..], &mut fds)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Error::Closed,
                Ok(got) => break got,
            }
        };
        if got == 0 {
            return Error::Closed;
        }
        if fds.len() > MAX_DESCRIPTORS {
            return Error::Protocol("more descriptors than were asked for");
        }
        filled += got;
        let mut taken = 0;
        loop {
            match wire::frame(&buffer[taken..filled], MAX_FRAME) {
                Err(_) => return Error::Protocol("a frame that is too long"),
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let len = frame.len();
                    if let Err(why) = shared.take(frame, &mut fds) {
                        return why;
                    }
                    taken += PREFIX + len;
                }
            }
        }
        if taken == filled && !fds.is_empty() {
            return Error::Protocol("a descriptor that was not asked for");
        }
        buffer.copy_within(taken..filled, 0);
        filled -= taken;
    }
}

fn receive(socket: RawFd, buffer: &mut [u8], fds: &mut VecDeque<OwnedFd>) -> io::Result<usize> {
    let mut space = nix::cmsg_space!([RawFd; MOST_OF_A_MESSAGE]);
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<()>(socket, &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT)?;
    for message in got.cmsgs()? {
        if let ControlMessageOwned::ScmRights(new) = message {
            fds.extend(new.into_iter().map(crate::sys::own));
        }
    }
    Ok(got.bytes)
}

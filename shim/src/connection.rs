//! The connection: frames in, frames out, and the end of everything.

use core::mem::MaybeUninit;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, IoSlice};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg};

use crate::sys;
use crate::wire::{self, MAX_REQUEST, PREFIX, Reply, Request};

/// The other side has gone, broke the protocol, or the target has ended: the shim ends.
pub struct Over;

/// Why the shim woke up.
pub struct Woken {
    /// Bytes can be read.
    pub readable: bool,
    /// The target has ended.
    pub gone: bool,
}

/// The connection to the host on descriptor 0, and the target's pidfd on descriptor 1.
pub struct Connection<'b> {
    socket: BorrowedFd<'static>,
    pidfd: Option<BorrowedFd<'static>>,
    request: &'b mut [u8; MAX_REQUEST + PREFIX],
    filled: usize,
    taken: usize,
    frame: &'b mut [u8],
}

impl<'b> Connection<'b> {
    pub fn new(watches: bool, request: &'b mut [u8; MAX_REQUEST + PREFIX], frame: &'b mut [u8]) -> Self {
        let pidfd = watches.then(sys::pidfd);
        Self { socket: sys::socket(), pidfd, request, filled: 0, taken: 0, frame }
    }

    /// Waits for something to do. With `busy`, only looks.
    pub fn wait(&self, busy: bool) -> Result<Woken, Over> {
        self.poll(PollFlags::IN, busy)
    }

    fn poll(&self, events: PollFlags, busy: bool) -> Result<Woken, Over> {
        let mut fds = [
            PollFd::from_borrowed_fd(self.socket, events),
            // Without a pidfd the socket stands in its place, asked for nothing.
            PollFd::from_borrowed_fd(
                self.pidfd.unwrap_or(self.socket),
                if self.pidfd.is_some() { PollFlags::IN } else { PollFlags::empty() },
            ),
        ];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut fds, busy.then_some(&now)) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
        let ended = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        if fds[0].revents().intersects(ended) {
            return Err(Over);
        }
        let gone = self.pidfd.is_some() && !fds[1].revents().is_empty();
        Ok(Woken { readable: fds[0].revents().contains(PollFlags::IN), gone })
    }

    /// Takes in what has arrived.
    pub fn receive(&mut self) -> Result<(), Over> {
        self.request.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        match recv(self.socket, &mut self.request[self.filled..], RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(Over),
            Ok((got, _)) => {
                self.filled += got;
                Ok(())
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(_) => Err(Over),
        }
    }

    /// The next whole request, copied out so that replies can be sent while it is served.
    pub fn next<'p>(&mut self, path: &'p mut [u8; MAX_REQUEST]) -> Result<Option<Request<'p>>, Over> {
        let bytes = &self.request[self.taken..self.filled];
        let Some(frame) = wire::frame(bytes, MAX_REQUEST).map_err(|_| Over)? else { return Ok(None) };
        let held = path.get_mut(..frame.len()).ok_or(Over)?;
        held.copy_from_slice(frame);
        self.taken += PREFIX + frame.len();
        wire::decode(held).map(Some).map_err(|_| Over)
    }

    /// Sends one reply.
    pub fn send(&mut self, reply: &Reply<'_>) -> Result<(), Over> {
        let len = wire::encode(reply, self.frame).ok_or(Over)?.len();
        self.push(0, len)
    }

    /// Sends one reply with a descriptor riding on its first bytes.
    pub fn send_with(&mut self, reply: &Reply<'_>, fd: BorrowedFd<'_>) -> Result<(), Over> {
        let len = wire::encode(reply, self.frame).ok_or(Over)?.len();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        loop {
            let mut control = SendAncillaryBuffer::new(&mut space);
            let fds = [fd];
            if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
                return Err(Over);
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match sendmsg(self.socket, &[IoSlice::new(&self.frame[..len])], &mut control, flags) {
                Ok(sent) => return self.push(sent, len),
                Err(Errno::AGAIN) => self.writable()?,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
    }

    fn push(&mut self, mut from: usize, to: usize) -> Result<(), Over> {
        while from < to {
            match send(self.socket, &self.frame[from..to], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => from += sent,
                Err(Errno::AGAIN) => self.writable()?,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
        Ok(())
    }

    /// Waits until the host takes more. A host that is stopped must not make the shim outlive the target.
    fn writable(&self) -> Result<(), Over> {
        match self.poll(PollFlags::OUT, false)?.gone {
            true => Err(Over),
            false => Ok(()),
        }
    }
}

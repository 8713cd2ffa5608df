//! The connection: frames in, frames out, and the end of everything.

use core::mem::MaybeUninit;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, IoSlice, read, write};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg};

use crate::Allowed;
use crate::sys;
use crate::tunnel::{Bits, Tunnels};
use crate::wire::{self, MAX_REQUEST, MAX_TUNNELS, PREFIX, Reply, Request};

/// What is polled beside tunnels: the two ends of the connection, and the target's pidfd.
const OWN: usize = 3;

/// The other side has gone, broke the protocol, or the target has ended: the shim ends.
pub struct Over;

/// Why the shim woke up.
pub struct Woken {
    /// Bytes can be read.
    pub readable: bool,
    /// The target has ended.
    pub gone: bool,
    /// Tunnels that can go on; see [`Tunnels::step`].
    pub tunnels: Bits,
}

/// The connection to the host, and the target's pidfd.
pub struct Connection<'b> {
    ends: Ends,
    pidfd: Pidfd,
    request: &'b mut [u8; MAX_REQUEST + PREFIX],
    filled: usize,
    taken: usize,
    frame: &'b mut [u8],
}

/// What the connection is made of.
#[derive(Clone, Copy)]
enum Ends {
    /// One socket, over which descriptors can be passed.
    Socket(BorrowedFd<'static>),
    /// Two pipes: requests and replies.
    Pipes(BorrowedFd<'static>, BorrowedFd<'static>),
}

enum Pidfd {
    None,
    /// From the broker.
    Given(BorrowedFd<'static>),
    /// Opened here.
    Own(OwnedFd),
}

impl<'b> Connection<'b> {
    pub fn new(
        allowed: Allowed,
        request: &'b mut [u8; MAX_REQUEST + PREFIX],
        frame: &'b mut [u8],
    ) -> Result<Self, Over> {
        let ends = if allowed.sidecar {
            let (requests, replies) = (sys::socket(), sys::replies());
            // A host that takes nothing must not keep the end of the target from being noticed.
            for pipe in [requests, replies] {
                fcntl_setfl(pipe, OFlags::NONBLOCK).map_err(|_| Over)?;
            }
            Ends::Pipes(requests, replies)
        } else {
            Ends::Socket(sys::socket())
        };
        let pidfd = if allowed.watches { Pidfd::Given(sys::pidfd()) } else { Pidfd::None };
        Ok(Self { ends, pidfd, request, filled: 0, taken: 0, frame })
    }

    /// Ends with this process from now on.
    pub fn watch(&mut self, pidfd: OwnedFd) {
        self.pidfd = Pidfd::Own(pidfd);
    }

    /// Whether there is a process to end with.
    pub fn watches(&self) -> bool {
        !matches!(self.pidfd, Pidfd::None)
    }

    /// Waits for something to do. With `busy`, only looks.
    pub fn wait(&self, tunnels: &Tunnels<'_>, busy: bool) -> Result<Woken, Over> {
        self.poll(PollFlags::IN, Some(tunnels), busy)
    }

    fn poll(&self, events: PollFlags, tunnels: Option<&Tunnels<'_>>, busy: bool) -> Result<Woken, Over> {
        let (input, output) = match self.ends {
            Ends::Socket(socket) => (socket, socket),
            Ends::Pipes(requests, replies) => (requests, replies),
        };
        // Without a pidfd the input stands in its place, asked for nothing.
        let (pidfd, of_pidfd) = match &self.pidfd {
            Pidfd::None => (input, PollFlags::empty()),
            Pidfd::Given(pidfd) => (*pidfd, PollFlags::IN),
            Pidfd::Own(pidfd) => (pidfd.as_fd(), PollFlags::IN),
        };
        let mut fds: [PollFd<'_>; OWN + MAX_TUNNELS] = core::array::from_fn(|_| PollFd::from_borrowed_fd(input, PollFlags::empty()));
        fds[0] = PollFd::from_borrowed_fd(input, events & PollFlags::IN);
        fds[1] = PollFd::from_borrowed_fd(output, events & PollFlags::OUT);
        fds[2] = PollFd::from_borrowed_fd(pidfd, of_pidfd);
        let used = OWN + tunnels.map_or(0, |tunnels| tunnels.wait_for(&mut fds[OWN..]));
        let fds = &mut fds[..used];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(fds, busy.then_some(&now)) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
        let ended = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        if fds[..2].iter().any(|fd| fd.revents().intersects(ended)) {
            return Err(Over);
        }
        let gone = self.watches() && !fds[2].revents().is_empty();
        let woke = fds[OWN..].iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
        let tunnels = woke.fold(0, |bits, (at, _)| bits | 1 << at);
        Ok(Woken { readable: fds[0].revents().contains(PollFlags::IN), gone, tunnels })
    }

    /// Takes in what has arrived.
    pub fn receive(&mut self) -> Result<(), Over> {
        self.request.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        let room = &mut self.request[self.filled..];
        let got = match self.ends {
            Ends::Socket(socket) => recv(socket, room, RecvFlags::DONTWAIT).map(|(got, _)| got),
            Ends::Pipes(requests, _) => read(requests, room),
        };
        match got {
            Ok(0) => Err(Over),
            Ok(got) => {
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
        let Ends::Socket(socket) = self.ends else { return Err(Over) };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        loop {
            let mut control = SendAncillaryBuffer::new(&mut space);
            let fds = [fd];
            if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
                return Err(Over);
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match sendmsg(socket, &[IoSlice::new(&self.frame[..len])], &mut control, flags) {
                Ok(sent) => return self.push(sent, len),
                Err(Errno::AGAIN) => self.writable()?,
                Err(Errno::INTR) => {}
                Err(_) => return Err(Over),
            }
        }
    }

    fn push(&mut self, mut from: usize, to: usize) -> Result<(), Over> {
        while from < to {
            let bytes = &self.frame[from..to];
            let sent = match self.ends {
                Ends::Socket(socket) => send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT),
                Ends::Pipes(_, replies) => write(replies, bytes),
            };
            match sent {
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
        match self.poll(PollFlags::OUT, None, false)?.gone {
            true => Err(Over),
            false => Ok(()),
        }
    }
}

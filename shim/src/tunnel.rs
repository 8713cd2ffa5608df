//! Tunnels: TCP connections whose bytes go through the frames. For the door that can pass no descriptor.

use core::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_linger, set_tcp_nodelay, socket_error};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, getsockname};
use rustix::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6, connect, getpeername, recv, send, shutdown, socket_with};

use crate::connection::{Connection, Over};
use crate::files::errno;
use crate::wire::{Addr, Body, Failure, MAX_TUNNELS, Reply, TUNNEL_CHUNK, TUNNEL_ROOM};

/// What waits to be sent into a connection.
pub type Room = [u8; TUNNEL_ROOM];

/// Starts a TCP connection, and does not wait for it.
pub fn dial(addr: Addr) -> Result<OwnedFd, Failure> {
    let family = match addr {
        Addr::V4(..) => AddressFamily::INET,
        Addr::V6(..) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None).map_err(errno)?;
    let started = match addr {
        Addr::V4(ip, port) => connect(&socket, &SocketAddrV4::new(Ipv4Addr::from(ip), port)),
        Addr::V6(ip, port) => connect(&socket, &SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, 0)),
    };
    match started {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(errno(error)),
    }
}

/// One bit for each tunnel.
pub type Bits = u128;
const _: () = assert!(MAX_TUNNELS <= Bits::BITS as usize);

struct Tunnel {
    id: u32,
    credit: u32,
    socket: OwnedFd,
    joined: bool,
    /// What waits in its room.
    from: usize,
    to: usize,
    /// Nothing more is put into it.
    hushed: bool,
    /// That was passed on.
    shut: bool,
    /// Nothing more comes out of it.
    silent: bool,
}

/// The open tunnels of a connection.
pub struct Tunnels<'b> {
    slots: [Option<Tunnel>; MAX_TUNNELS],
    rooms: &'b mut [Room; MAX_TUNNELS],
}

impl<'b> Tunnels<'b> {
    pub fn new(rooms: &'b mut [Room; MAX_TUNNELS]) -> Self {
        Self { slots: [const { None }; MAX_TUNNELS], rooms }
    }

    /// Begins one, unless there are too many.
    pub fn open(&mut self, id: u32, credit: u32, addr: Addr) -> Result<(), Failure> {
        let slot = self.slots.iter_mut().find(|slot| slot.is_none()).ok_or(Failure::Busy)?;
        let socket = dial(addr)?;
        // What is put into it has waited already. It is slower without, and no less right.
        let _ = set_tcp_nodelay(&socket, true);
        // Until all was said it is broken off by whatever closes it: what was cut off must not look whole.
        let _ = set_socket_linger(&socket, Some(Duration::ZERO));
        let (joined, hushed, shut, silent) = (false, false, false, false);
        *slot = Some(Tunnel { id, credit, socket, joined, from: 0, to: 0, hushed, shut, silent });
        Ok(())
    }

    fn find(&mut self, id: u32) -> Option<(&mut Tunnel, &mut Room)> {
        let slots = self.slots.iter_mut().zip(self.rooms.iter_mut());
        slots.filter_map(|(slot, room)| Some((slot.as_mut()?, room))).find(|(tunnel, _)| tunnel.id == id)
    }

    /// Keeps bytes until the connection takes them. For one that has just ended they are of no use.
    pub fn put(&mut self, id: u32, bytes: &[u8]) -> Result<(), Failure> {
        let Some((tunnel, room)) = self.find(id) else { return Ok(()) };
        room.copy_within(tunnel.from..tunnel.to, 0);
        tunnel.to -= tunnel.from;
        tunnel.from = 0;
        let end = tunnel.to + bytes.len();
        let free = room.get_mut(tunnel.to..end).filter(|_| !tunnel.hushed).ok_or(Failure::Malformed)?;
        free.copy_from_slice(bytes);
        tunnel.to = end;
        Ok(())
    }

    /// Nothing more is put into one.
    pub fn hush(&mut self, id: u32) {
        if let Some((tunnel, _)) = self.find(id) {
            tunnel.hushed = true;
        }
    }

    /// Grants credit. An unknown one has just ended: nothing to do.
    pub fn credit(&mut self, id: u32, chunks: u32) {
        if let Some((tunnel, _)) = self.find(id) {
            tunnel.credit = tunnel.credit.saturating_add(chunks);
        }
    }

    /// Ends one. Says whether there was one.
    pub fn close(&mut self, id: u32) -> bool {
        let slot = self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|tunnel| tunnel.id == id));
        let Some(tunnel) = slot.and_then(Option::take) else { return false };
        if tunnel.silent && tunnel.hushed && tunnel.from == tunnel.to {
            tunnel.is_whole();
        }
        true
    }

    /// Names what is waited for, and gives for how many. One that waits for nothing is not looked at: it could only tell of an
    /// end that nobody may hear of yet, again and again.
    pub fn wait_for<'s>(&'s self, fds: &mut [PollFd<'s>]) -> usize {
        let mut used = 0;
        for (tunnel, fd) in self.slots.iter().flatten().filter(|tunnel| tunnel.waits()).zip(fds) {
            *fd = PollFd::new(&tunnel.socket, tunnel.wants());
            used += 1;
        }
        used
    }

    /// Moves those that woke as far as they go without waiting: `woken` has a bit for each that was waited for, in this order.
    pub fn step(&mut self, mut woken: Bits, to: &mut Connection<'_>, payload: &mut [u8]) -> Result<(), Over> {
        for (slot, room) in self.slots.iter_mut().zip(self.rooms.iter_mut()) {
            if woken == 0 {
                break;
            }
            let Some(tunnel) = slot.as_mut().filter(|tunnel| tunnel.waits()) else { continue };
            let woke = woken & 1 != 0;
            woken >>= 1;
            if !woke {
                continue;
            }
            let id = tunnel.id;
            let last = match tunnel.step(room, to, payload) {
                Ok(false) | Err(Stopped::By(Errno::AGAIN | Errno::INTR)) => continue,
                Ok(true) => {
                    tunnel.is_whole();
                    Body::End
                }
                Err(Stopped::Over) => return Err(Over),
                Err(Stopped::By(error)) => Body::Failed(errno(error)),
            };
            // Closed before it is told, so that its place is free for the next.
            *slot = None;
            to.send(&Reply { id, body: last })?;
        }
        Ok(())
    }
}

/// Why a tunnel did not go on.
enum Stopped {
    Over,
    By(Errno),
}

impl From<Errno> for Stopped {
    fn from(error: Errno) -> Self {
        Self::By(error)
    }
}

impl From<Over> for Stopped {
    fn from(Over: Over) -> Self {
        Self::Over
    }
}

/// Whether it is there; or why it will not be. Where nobody listens, the port that the kernel picks for our side can be the very
/// one: it is then connected to itself, and who wants to listen there cannot.
fn is_connected(socket: &OwnedFd) -> Result<bool, Errno> {
    socket_error(socket)??;
    match getpeername(socket) {
        Ok(peer) if peer.is_some() && peer == Some(getsockname(socket)?) => Err(Errno::CONNREFUSED),
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Tunnel {
    /// All was said on both sides: closed, it ends in peace.
    fn is_whole(&self) {
        let _ = set_socket_linger(&self.socket, None);
    }

    fn waits(&self) -> bool {
        !self.wants().is_empty()
    }

    fn wants(&self) -> PollFlags {
        let mut wants = PollFlags::empty();
        if !self.joined || self.from < self.to || (self.hushed && !self.shut) {
            wants |= PollFlags::OUT;
        }
        if self.joined && self.credit > 0 && !self.silent {
            wants |= PollFlags::IN;
        }
        wants
    }

    /// Says whether it is over.
    fn step(&mut self, room: &Room, to: &mut Connection<'_>, payload: &mut [u8]) -> Result<bool, Stopped> {
        let id = self.id;
        if !self.joined {
            if !is_connected(&self.socket)? {
                return Ok(false);
            }
            self.joined = true;
            to.send(&Reply { id, body: Body::Joined })?;
        }
        let waiting = &room[self.from..self.to];
        if !waiting.is_empty() {
            match send(&self.socket, waiting, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(sent) => {
                    self.from += sent;
                    // At most a room.
                    #[allow(clippy::cast_possible_truncation)]
                    to.send(&Reply { id, body: Body::Taken(sent as u32) })?;
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.from == self.to && self.hushed && !self.shut {
            shutdown(&self.socket, Shutdown::Write)?;
            self.shut = true;
        }
        if self.credit > 0 && !self.silent {
            let chunk = &mut payload[..TUNNEL_CHUNK];
            let (got, _) = recv(&self.socket, &mut *chunk, RecvFlags::DONTWAIT)?;
            self.credit -= 1;
            if got == 0 {
                self.silent = true;
                to.send(&Reply { id, body: Body::Silent })?;
            } else {
                to.send(&Reply { id, body: Body::Data(&chunk[..got]) })?;
            }
        }
        Ok(self.silent && self.shut)
    }
}

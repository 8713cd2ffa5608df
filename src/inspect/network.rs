//! The target's network: sockets with their owners, interfaces, routes, resolver.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::process::Part;
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// Everything `net` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Network {
    /// Sockets, listening ones first.
    pub sockets: Part<Vec<Socket>>,
    /// Interfaces.
    pub interfaces: Part<Vec<Interface>>,
    /// Routes, IPv4 first.
    pub routes: Part<Vec<Route>>,
    /// What resolves names.
    pub resolver: Resolver,
}

/// One socket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Socket {
    /// `tcp`, `tcp6`, `udp`, `udp6`, `unix`, `raw`, …
    pub protocol: String,
    /// `LISTEN`, `ESTABLISHED`, … ; `-` where there is none.
    pub state: String,
    /// Local end, of an internet socket.
    pub local: Option<SocketAddr>,
    /// Other end, of a connected internet socket.
    pub remote: Option<SocketAddr>,
    /// Path of a unix socket; `@name` for an abstract one.
    pub path: Option<Untrusted>,
    /// Bytes waiting to be read; of a listening socket, connections waiting.
    pub receive_queue: u32,
    /// Bytes waiting to be sent.
    pub send_queue: u32,
    /// Owner's user id, inside.
    pub uid: Option<u32>,
    /// Inode, which ties it to descriptors.
    pub inode: u64,
    /// Who holds it open: process, its name, descriptor number.
    pub owners: Vec<Owner>,
}

/// A process that holds a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The process.
    pub pid: ContainerPid,
    /// Its name.
    pub name: Untrusted,
    /// The descriptor.
    pub fd: i32,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: Untrusted,
    /// Addresses with prefix length, where known.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Bytes, packets, errors and drops received.
    pub received: Traffic,
    /// The same, sent.
    pub sent: Traffic,
}

/// Counters of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Traffic {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Errors.
    pub errors: u64,
    /// Drops.
    pub drops: u64,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Network.
    pub destination: IpAddr,
    /// Length of its prefix in bits.
    pub prefix: u8,
    /// Next hop, if not on the link.
    pub gateway: Option<IpAddr>,
    /// Interface.
    pub interface: Untrusted,
    /// Metric.
    pub metric: u32,
}

/// What Go's resolver reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolver {
    /// `nameserver` lines of `/etc/resolv.conf`.
    pub nameservers: Part<Vec<Untrusted>>,
    /// `search` words.
    pub search: Vec<Untrusted>,
    /// `options` words.
    pub options: Vec<Untrusted>,
    /// `/etc/hosts`: address and names.
    pub hosts: Part<Vec<(Untrusted, Vec<Untrusted>)>>,
    /// The `hosts:` line of `/etc/nsswitch.conf`, if there is one.
    pub nsswitch: Option<Untrusted>,
}

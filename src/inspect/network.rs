//! The target's network: sockets with their owners, interfaces, routes, resolver.

pub mod address;
pub mod interfaces;
pub mod owners;
pub mod resolver;
pub mod routes;
pub mod sockets;

use std::net::{IpAddr, SocketAddr};

use futures_util::future::{join, join4};
use serde::Serialize;

use super::error::why;
use super::fetch;
use super::process::Part;
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// How much of one table of sockets is read, in bytes: some 100,000 of them.
pub const MAX_TABLE: u64 = 16 << 20;
/// How much of one table of interfaces, addresses or routes is read, in bytes.
pub const MAX_ROUTES: u64 = 4 << 20;
/// How much of `resolv.conf`, `hosts` or `nsswitch.conf` is read, in bytes.
pub const MAX_RESOLVER: u64 = 1 << 20;

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
    /// What could not be known, in words: owners of sockets that may not be looked at, tables that were cut.
    pub notes: Vec<String>,
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

impl Socket {
    /// What it is, in words: `tcp 127.0.0.1:8080 listening`.
    #[must_use]
    pub fn words(&self) -> String {
        let ends = match (&self.local, &self.remote, &self.path) {
            (Some(local), Some(remote), _) => format!(" {local} -> {remote}"),
            (Some(local), None, _) => format!(" {local}"),
            (None, _, Some(path)) => format!(" {}", path.safe()),
            (None, ..) => String::new(),
        };
        let state = match self.state.as_str() {
            "-" => String::new(),
            "LISTEN" => " listening".to_owned(),
            state => format!(" {}", state.to_ascii_lowercase().replace('_', " ")),
        };
        format!("{}{ends}{state}", self.protocol)
    }

    /// Whether it waits for connections.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.state == "LISTEN"
    }
}

/// Reads the network of the process `pid`, as seen from inside. `/proc/net` itself leads to whoever
/// reads it, and the shim is not in the target's pid namespace.
pub async fn read(shim: &Shim, pid: ContainerPid) -> Network {
    let ((sockets, mut notes), interfaces, routes, resolver) =
        join4(sockets(shim, pid), interfaces(shim, pid), routes(shim, pid), resolver::read(shim)).await;
    let sockets = match sockets {
        sockets if sockets.is_empty() && !notes.is_empty() => Part::Unavailable(notes.remove(0)),
        mut sockets => {
            notes.extend(owners::fill(shim, &mut sockets).await);
            sockets::sort(&mut sockets);
            Part::Ok(sockets)
        }
    };
    Network { sockets, interfaces, routes, resolver, notes }
}

/// The tables of sockets a process sees, without owners, and what is missing, in words.
pub async fn sockets(shim: &Shim, pid: ContainerPid) -> (Vec<Socket>, Vec<String>) {
    const TABLES: [&str; 9] = ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "unix"];
    let texts = fetch::each(TABLES, |table| async move {
        fetch::prefix(shim, &fetch::proc_path(pid, &format!("net/{table}")), MAX_TABLE).await
    })
    .await;
    let (mut sockets, mut notes) = (Vec::new(), Vec::new());
    for (table, text) in TABLES.into_iter().zip(texts) {
        match text {
            Ok((text, cut)) => {
                sockets.extend(match table {
                    "unix" => sockets::parse_unix(&text),
                    table => sockets::parse_inet(table, &text),
                });
                if cut {
                    notes.push(format!("only the first {} MiB of the {table} sockets are shown", MAX_TABLE >> 20));
                }
            }
            // A kernel without IPv6 or UDP-Lite has no such table.
            Err(Error::Errno(nix::errno::Errno::ENOENT)) => {}
            Err(error) => notes.push(format!("{table} sockets: {}", why(&error))),
        }
    }
    (sockets, notes)
}

/// Those of TCP alone, for who wants to connect. What cannot be read is left out.
pub async fn tcp_sockets(shim: &Shim, pid: ContainerPid) -> Vec<Socket> {
    let (four, six) = (fetch::proc_path(pid, "net/tcp"), fetch::proc_path(pid, "net/tcp6"));
    let (four, six) = join(fetch::prefix(shim, &four, MAX_TABLE), fetch::prefix(shim, &six, MAX_TABLE)).await;
    let parse = |protocol, text: Result<(Vec<u8>, bool), Error>| {
        text.map(|(text, _)| sockets::parse_inet(protocol, &text)).unwrap_or_default()
    };
    let mut all = parse("tcp", four);
    all.extend(parse("tcp6", six));
    all
}

async fn table(shim: &Shim, pid: ContainerPid, name: &str) -> Result<Vec<u8>, Error> {
    fetch::prefix(shim, &fetch::proc_path(pid, &format!("net/{name}")), MAX_ROUTES).await.map(|(text, _)| text)
}

async fn interfaces(shim: &Shim, pid: ContainerPid) -> Part<Vec<Interface>> {
    let (dev, route, local, six) = join4(
        table(shim, pid, "dev"),
        table(shim, pid, "route"),
        table(shim, pid, "fib_trie"),
        table(shim, pid, "if_inet6"),
    )
    .await;
    let (route, local, six) = (route.unwrap_or_default(), local.unwrap_or_default(), six.unwrap_or_default());
    Part::from(dev).map(|dev| interfaces::parse(&dev, &route, &local, &six))
}

async fn routes(shim: &Shim, pid: ContainerPid) -> Part<Vec<Route>> {
    let (four, six) = join(table(shim, pid, "route"), table(shim, pid, "ipv6_route")).await;
    let six = six.map(|text| routes::parse_v6(&text)).unwrap_or_default();
    Part::from(four).map(|text| {
        let mut routes = routes::parse_v4(&text);
        routes.extend(six);
        routes
    })
}

#[cfg(test)]
mod tests;

//! The network of a target: connections into it, what listens there, and its end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use nix::errno::Errno;

use super::Error;
use crate::engine::kube::Duplex;
use crate::entry::Reach;
use crate::inspect::network::{self, Socket};
use crate::shim::{self, Link, Shim};
use crate::target::ContainerPid;

/// How long a connection inside may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Addresses that are tried for one connection, at most.
const MOST_ADDRESSES: usize = 8;

/// A connection into a target's network.
pub type Connection = Box<dyn Duplex>;

/// The network of a target.
pub struct Network {
    reach: Reach,
    target: String,
}

/// A port that somebody listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listening {
    /// The port.
    pub port: u16,
    /// In words: where, and who.
    pub words: String,
}

impl Network {
    /// That of `target`.
    #[must_use]
    pub fn new(reach: Reach, target: String) -> Self {
        Self { reach, target }
    }

    /// What the target is called.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Connects to a port inside. Of a pod, that nobody listens there is told only when something is read.
    ///
    /// # Errors
    /// If nobody listens, or it cannot be reached.
    pub async fn connect(&self, port: u16) -> Result<Connection, Error> {
        match &self.reach {
            Reach::Helper(entered) => {
                let dialing = dial(&entered.shim, entered.init, port);
                let target = || self.target.clone();
                match tokio::time::timeout(PATIENCE, dialing).await {
                    Ok(Ok(link)) => Ok(Box::new(link)),
                    Ok(Err(shim::Error::Errno(Errno::ECONNREFUSED))) => Err(Error::Refused { port, target: target() }),
                    Ok(Err(cause)) => Err(Error::Inside { port, target: target(), cause }),
                    Err(_) => Err(Error::Slow { port, target: target(), seconds: PATIENCE.as_secs() }),
                }
            }
            Reach::Ports(ports) => match ports.connect(port).await {
                Ok(link) => Ok(Box::new(link)),
                Err(error) => Err(Error::Pod(Box::new(error))),
            },
        }
    }

    /// The ports that something listens on; of a pod, those that it tells of.
    pub async fn listening(&self) -> Vec<Listening> {
        let mut all: Vec<_> = match &self.reach {
            Reach::Helper(entered) => {
                let network::Network { sockets, .. } = network::read(&entered.shim, entered.init).await;
                sockets.ok().into_iter().flatten().filter_map(listening).collect()
            }
            Reach::Ports(ports) => ports
                .told()
                .into_iter()
                .map(|port| Listening { port, words: format!("{port} (as the pod tells)") })
                .collect(),
        };
        all.sort();
        all.dedup();
        all
    }

    /// Returns when the target has ended, with what became of it if that is known.
    ///
    /// # Errors
    /// If who is inside has ended without it.
    pub async fn gone(&self) -> Result<Option<String>, shim::Error> {
        match &self.reach {
            Reach::Helper(entered) => entered.shim.gone().await.map(|()| None),
            Reach::Ports(ports) => Ok(Some(ports.gone().await)),
        }
    }

    /// What became of the target, if it is known to be no more.
    pub async fn end(&self) -> Option<String> {
        match &self.reach {
            Reach::Helper(_) => None,
            Reach::Ports(ports) => ports.end().await,
        }
    }

    /// What a person should know of how it is reached.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        match &self.reach {
            Reach::Helper(entered) => entered.notice.as_deref(),
            Reach::Ports(_) => None,
        }
    }
}

fn listening(socket: &Socket) -> Option<Listening> {
    let local = socket.local.filter(|_| socket.listens() && socket.protocol.starts_with("tcp"))?;
    let owner = socket.owners.first().map(|owner| format!(" {}", owner.name.safe()));
    Some(Listening { port: local.port(), words: format!("{local}{}", owner.unwrap_or_default()) })
}

/// Tries the loopback addresses first, as most listen on one of these or on all; then whatever else the target's tables say.
async fn dial(shim: &Shim, init: ContainerPid, port: u16) -> Result<Link, shim::Error> {
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    let mut failed = match one_of(shim, loopback.map(|ip| (ip, port).into())).await {
        // What failed for another reason than the address will fail with any.
        Err(error @ shim::Error::Errno(_)) => error,
        done => return done,
    };
    let sockets = network::tcp_sockets(shim, init).await;
    let others = others(&sockets, port);
    if !others.is_empty() {
        match one_of(shim, others).await {
            Err(error @ shim::Error::Errno(_)) => failed = error,
            done => return done,
        }
    }
    Err(failed)
}

/// The first that connects. That it is refused says more than that there is no such address.
async fn one_of(shim: &Shim, all: impl IntoIterator<Item = SocketAddr>) -> Result<Link, shim::Error> {
    let mut failed = None;
    for address in all {
        match shim.dial(address).await {
            Err(error @ shim::Error::Errno(_)) => {
                if !matches!(failed, Some(shim::Error::Errno(Errno::ECONNREFUSED))) {
                    failed = Some(error);
                }
            }
            done => return done,
        }
    }
    Err(failed.unwrap_or(shim::Error::Errno(Errno::ECONNREFUSED)))
}

/// Addresses beside the loopback's on which something listens on that port.
fn others(sockets: &[Socket], port: u16) -> Vec<SocketAddr> {
    let listening = sockets.iter().filter(|socket| socket.listens() && socket.protocol.starts_with("tcp"));
    let mut all: Vec<_> = listening
        .filter_map(|socket| socket.local)
        .map(|local| SocketAddr::new(local.ip().to_canonical(), local.port()))
        .filter(|local| local.port() == port && !local.ip().is_unspecified())
        .filter(|local| ![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&local.ip()))
        .collect();
    all.sort();
    all.dedup();
    all.truncate(MOST_ADDRESSES);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_elsewhere_than_on_the_loopback() {
        let socket = |local: &str, state: &str| Socket {
            protocol: "tcp".to_owned(),
            state: state.to_owned(),
            local: Some(local.parse().unwrap()),
            remote: None,
            path: None,
            receive_queue: 0,
            send_queue: 0,
            uid: None,
            inode: 0,
            owners: Vec::new(),
        };
        let mut sockets = vec![
            socket("172.17.0.2:80", "LISTEN"),
            socket("[::ffff:172.17.0.2]:80", "LISTEN"),
            socket("[fe80::1]:80", "LISTEN"),
            socket("127.0.0.5:80", "LISTEN"),
            // Not these: another port, no listener, or tried already.
            socket("172.17.0.2:81", "LISTEN"),
            socket("172.17.0.3:80", "ESTABLISHED"),
            socket("0.0.0.0:80", "LISTEN"),
            socket("[::]:80", "LISTEN"),
            socket("127.0.0.1:80", "LISTEN"),
            socket("[::1]:80", "LISTEN"),
        ];
        sockets.push(Socket { protocol: "udp".to_owned(), ..socket("172.17.0.9:80", "LISTEN") });
        let told: Vec<_> = others(&sockets, 80).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["127.0.0.5:80", "172.17.0.2:80", "[fe80::1]:80"]);
        // However many there are.
        sockets.extend((1..=99).map(|last| socket(&format!("10.0.0.{last}:80"), "LISTEN")));
        assert_eq!(others(&sockets, 80).len(), MOST_ADDRESSES);
    }
}

//! Listens here, and carries each connection to a port inside.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::{Error, Network, Wanted};
use crate::wire::MAX_TUNNELS;

/// How many connections are carried at once, over all forwards of a target. More wait to be accepted, in the order in which they came.
pub const MOST: usize = MAX_TUNNELS;
/// Bytes that wait on either side of a connection.
const BUFFER: usize = 64 << 10;
/// How long no connection is accepted when this process has no descriptor left for one.
const BREATH: Duration = Duration::from_millis(100);

/// Places for connections, which all forwards of a target share.
pub type Places = Arc<Semaphore>;

/// A port of this host that leads to one inside.
#[derive(Debug)]
pub struct Forward {
    listener: TcpListener,
    local: SocketAddr,
    port: u16,
}

/// What happens on a forward.
#[derive(Debug)]
pub enum Event {
    /// Somebody's connection is carried.
    Opened {
        /// Whose.
        peer: SocketAddr,
    },
    /// It is over.
    Closed {
        /// Whose.
        peer: SocketAddr,
        /// How.
        ended: Ended,
    },
    /// A connection was not made, or lost by what carries it.
    Failed(Error),
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Both sides have said all.
    Whole {
        /// Bytes that went in.
        sent: u64,
        /// Bytes that came out.
        received: u64,
    },
    /// One side broke it off.
    Broken(io::ErrorKind),
}

impl Forward {
    /// Listens. Connections wait until it is served.
    ///
    /// # Errors
    /// [`Error::Bind`].
    pub async fn bind(address: IpAddr, wanted: Wanted) -> Result<Self, Error> {
        let address = SocketAddr::new(address, wanted.local);
        let failed = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local, port: wanted.port })
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The port inside.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Carries connections for as long as it is polled. Dropped, it ends them, and nothing listens any more.
    pub async fn serve(self, network: Arc<Network>, places: Places, tell: mpsc::Sender<Event>) {
        // They end with this.
        let mut carried = JoinSet::new();
        loop {
            let Ok((local, peer)) = self.listener.accept().await else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            while carried.try_join_next().is_some() {}
            // It is never closed.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (network, port, tell) = (Arc::clone(&network), self.port, tell.clone());
            carried.spawn(async move {
                let events = carry(local, peer, &network, port, &tell).await;
                // Who is slow to listen keeps nobody from being carried.
                drop(place);
                for event in events {
                    // Whoever does not listen any more is about to end this.
                    let _ = tell.send(event).await;
                }
            });
        }
    }
}

/// Carries one connection, and says how it ended.
async fn carry(
    local: TcpStream,
    peer: SocketAddr,
    network: &Network,
    port: u16,
    tell: &mpsc::Sender<Event>,
) -> Vec<Event> {
    let mut local = Local { stream: local, whole: false };
    let mut inside = match network.connect(port).await {
        Ok(inside) => inside,
        Err(error) => return vec![Event::Failed(error)],
    };
    let _ = local.stream.set_nodelay(true);
    // A detail: if many wait to be told already, it is left out.
    let _ = tell.try_send(Event::Opened { peer });
    let error = match copy_bidirectional_with_sizes(&mut local.stream, &mut inside, BUFFER, BUFFER).await {
        Ok((sent, received)) => {
            local.whole = true;
            return vec![Event::Closed { peer, ended: Ended::Whole { sent, received } }];
        }
        Err(error) => error,
    };
    drop(local);
    let closed = Event::Closed { peer, ended: Ended::Broken(error.kind()) };
    let target = || network.target().to_owned();
    match error {
        // Whichever side broke it off: that is its own business.
        error if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::BrokenPipe => vec![closed],
        error if error.kind() == io::ErrorKind::ConnectionRefused => {
            vec![Event::Failed(Error::Refused { port, target: target() }), closed]
        }
        error => vec![Event::Failed(Error::Lost { port, target: target(), why: error.to_string() }), closed],
    }
}

/// Who has connected here. What was not carried to its end, for whatever reason, must not look whole to them.
struct Local {
    stream: TcpStream,
    whole: bool,
}

impl Drop for Local {
    fn drop(&mut self) {
        if !self.whole {
            let _ = self.stream.set_zero_linger();
        }
    }
}

//! Where editors and debuggers connect. Whoever can, reads all of the target's memory.

mod peer;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use crate::exit::{Exit, Explain};
use crate::text;

/// Connections that wait to be accepted, at most.
const BACKLOG: i32 = 16;

/// An address to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and a port; port 0 is any that is free.
    Tcp(SocketAddr),
    /// A socket in the file system, for its owner alone. `@NAME` has no file (an abstract socket, unix(7)), and goes with us.
    Unix(PathBuf),
}

/// Why nothing listens, or nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen at {}: {source}", text::escape(.address.to_string().as_bytes()))]
    Bind {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// No connection can be accepted any more.
    #[error("cannot accept a connection: {0}")]
    Accept(io::Error),
    /// Another user of this host has connected.
    #[error("a connection of {} was refused", .uid.map_or_else(|| "nobody known".to_owned(), |uid| format!("user {uid}")))]
    Stranger {
        /// Which, if the kernel tells.
        uid: Option<u32>,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind { address: Address::Unix(_), source } if source.kind() == io::ErrorKind::AddrInUse => {
                Some("remove the file if nothing listens at it any more".to_owned())
            }
            Self::Bind { address: Address::Tcp(_), .. } => {
                Some("port 0 takes any that is free: --listen 127.0.0.1:0".to_owned())
            }
            Self::Stranger { .. } => Some("only whoever runs scratchdbg may connect".to_owned()),
            Self::Bind { .. } | Self::Accept(_) => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Bind { .. } => Exit::Usage,
            Self::Accept(_) => Exit::No,
            Self::Stranger { .. } => Exit::NotPermitted,
        }
    }
}

impl FromStr for Address {
    type Err = &'static str;

    /// `127.0.0.1:4711`, `localhost:4711`, `[::1]:4711`, `unix:PATH`, `unix:@NAME`, or a path with a slash.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:").or_else(|| text.contains('/').then_some(text)) {
            return if path.is_empty() { Err("a unix socket needs a path") } else { Ok(Self::Unix(path.into())) };
        }
        if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
            return Ok(Self::Tcp((Ipv4Addr::LOCALHOST, port).into()));
        }
        text.parse().map(Self::Tcp).map_err(|_| "write it as 127.0.0.1:4711, or as unix:PATH")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    /// Whether other hosts may reach it.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

/// A connection, of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Something that listens. A unix socket's file goes with it.
#[derive(Debug)]
pub struct Listener {
    address: Address,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    /// With its file's device and inode: another may have taken its name.
    Unix(UnixListener, Option<(u64, u64)>),
}

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub async fn bind(address: &Address) -> Result<Self, Error> {
        let failed = |source| Error::Bind { address: address.clone(), source };
        match address {
            Address::Tcp(wanted) => {
                let socket = TcpListener::bind(wanted).await.map_err(failed)?;
                let address = Address::Tcp(socket.local_addr().map_err(failed)?);
                Ok(Self { address, socket: Socket::Tcp(socket) })
            }
            Address::Unix(path) => {
                let socket = bind_unix(path).and_then(UnixListener::from_std).map_err(failed)?;
                Ok(Self { address: address.clone(), socket: Socket::Unix(socket, file(path)) })
            }
        }
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Waits for a connection. May be cancelled.
    ///
    /// # Errors
    /// [`Error::Stranger`] if another user came, which is no reason not to wait for the next; [`Error::Accept`].
    pub async fn accept(&self) -> Result<Box<dyn Stream>, Error> {
        match &self.socket {
            Socket::Unix(socket, _) => {
                let (stream, _) = socket.accept().await.map_err(Error::Accept)?;
                // A file keeps others out by its mode; an abstract socket has none.
                let uid = stream.peer_cred().map_err(Error::Accept)?.uid();
                if !peer::is_ours(uid) {
                    return Err(Error::Stranger { uid: Some(uid) });
                }
                Ok(Box::new(stream))
            }
            Socket::Tcp(socket) => {
                let (stream, peer) = socket.accept().await.map_err(Error::Accept)?;
                let local = stream.local_addr().map_err(Error::Accept)?;
                if peer.ip().to_canonical().is_loopback() {
                    let uid = peer::user(peer, local);
                    if !uid.is_some_and(peer::is_ours) {
                        return Err(Error::Stranger { uid });
                    }
                }
                // Messages are small, and somebody waits for each.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let (Address::Unix(path), Socket::Unix(_, made)) = (&self.address, &self.socket)
            && made.is_some()
            && file(path) == *made
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn file(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The mode of the socket is the mode of the file that bind(2) makes (unix(7) does not tell): there is no moment in which
/// others could connect.
fn bind_unix(path: &Path) -> io::Result<StdUnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    let address = match path.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(path)?,
    };
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn addresses_are_read_and_told() {
        for (text, told, open) in [
            ("127.0.0.1:0", Some("127.0.0.1:0"), false),
            ("localhost:7", Some("127.0.0.1:7"), false),
            ("[::1]:7", Some("[::1]:7"), false),
            ("0.0.0.0:7", Some("0.0.0.0:7"), true),
            ("192.0.2.1:7", Some("192.0.2.1:7"), true),
            ("unix:a", Some("unix:a"), false),
            ("./a", Some("unix:./a"), false),
            ("unix:", None, false),
            (":7", None, false),
            ("7", None, false),
            ("localhost:x", None, false),
            ("example.com:7", None, false),
        ] {
            let address = text.parse::<Address>().ok();
            assert_eq!(address.as_ref().map(ToString::to_string).as_deref(), told, "{text}");
            assert_eq!(address.is_some_and(|address| address.is_open_to_others()), open, "{text}");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_its_owners_and_goes_with_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let address = Address::Unix(path.clone());
        let listener = Listener::bind(&address).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let taken = Listener::bind(&address).await.unwrap_err();
        assert!(taken.hint().is_some_and(|hint| hint.contains("remove")), "{taken}");
        let (there, here) = tokio::join!(tokio::net::UnixStream::connect(&path), listener.accept());
        let (mut there, mut here) = (there.unwrap(), here.unwrap());
        there.write_all(b"x").await.unwrap();
        assert_eq!(here.read_u8().await.unwrap(), b'x');
        drop(listener);
        assert!(!path.exists());
        // Another file of that name is not touched.
        let listener = Listener::bind(&address).await.unwrap();
        std::fs::rename(&path, folder.path().join("moved")).unwrap();
        std::fs::write(&path, "mine").unwrap();
        drop(listener);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn an_abstract_socket_has_no_file() {
        let name = format!("scratchdbg-listen-{}", std::process::id());
        let listener = Listener::bind(&format!("unix:@{name}").parse().unwrap()).await.unwrap();
        let address = <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name);
        let there = std::os::unix::net::UnixStream::connect_addr(&address.unwrap()).unwrap();
        assert!(listener.accept().await.is_ok() && !Path::new(&format!("@{name}")).exists());
        drop(there);
    }

    #[tokio::test]
    async fn whoever_runs_this_may_connect() {
        for wanted in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = Listener::bind(&wanted.parse().unwrap()).await else { continue };
            let Address::Tcp(address) = *listener.address() else { panic!("{wanted}") };
            let (there, here) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
            assert!(address.port() != 0 && there.is_ok() && here.is_ok(), "{wanted}");
        }
    }
}

//! Descriptors that came from inside, checked before they are trusted.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockType, getsockopt, sockopt};
use nix::sys::stat::{SFlag, fstat};

use crate::wire::OpenKind;

/// The file, if it is of the kind that was asked for and opened the way that was asked for.
pub fn file(fd: OwnedFd, kind: OpenKind) -> Result<File, &'static str> {
    let stat = fstat(&fd).map_err(|_| "it passed a descriptor that cannot be looked at")?;
    let flags = fcntl(&fd, FcntlArg::F_GETFL).map(OFlag::from_bits_retain).map_err(|_| "it passed a bad descriptor")?;
    let (wanted, access) = match kind {
        OpenKind::File => (SFlag::S_IFREG, OFlag::O_RDONLY),
        OpenKind::Dir => (SFlag::S_IFDIR, OFlag::O_RDONLY),
        OpenKind::Create { .. } => (SFlag::S_IFREG, OFlag::O_WRONLY),
    };
    if stat.st_mode & SFlag::S_IFMT.bits() != wanted.bits() {
        return Err("it passed a file of another kind");
    }
    if flags & OFlag::O_ACCMODE != access || flags.contains(OFlag::O_PATH) {
        return Err("it passed a file opened another way");
    }
    Ok(File::from(fd))
}

/// The socket, if it is one of TCP.
pub fn socket(fd: OwnedFd) -> Result<OwnedFd, &'static str> {
    let kind = getsockopt(&fd, sockopt::SockType).map_err(|_| "it passed no socket")?;
    let mut family: libc::sa_family_t = 0;
    let addr = nix::sys::socket::getsockname::<nix::sys::socket::SockaddrStorage>(fd.as_raw_fd());
    if let Ok(addr) = addr {
        use nix::sys::socket::SockaddrLike as _;
        family = addr.family().map_or(0, |family| family as libc::sa_family_t);
    }
    let inet = [AddressFamily::Inet, AddressFamily::Inet6].iter().any(|known| *known as libc::sa_family_t == family);
    if kind == SockType::Stream && inet { Ok(fd) } else { Err("it passed a socket of another kind") }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn null() -> OwnedFd {
        File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn only_what_was_asked_for_is_taken() {
        let regular = || -> OwnedFd { tempfile::tempfile().unwrap().into() };
        let dir = || -> OwnedFd { File::open("/").unwrap().into() };
        let read_only = || -> OwnedFd { File::open("/proc/self/status").unwrap().into() };
        let create = OpenKind::Create { mode: 0 };
        assert!(file(read_only(), OpenKind::File).is_ok());
        assert!(file(dir(), OpenKind::Dir).is_ok());
        // A device, a directory, a file open for writing too, a socket.
        assert!(file(null(), OpenKind::File).is_err());
        assert!(file(dir(), OpenKind::File).is_err());
        assert!(file(regular(), OpenKind::File).is_err());
        assert!(file(read_only(), create).is_err());
        assert!(file(read_only(), OpenKind::Dir).is_err());
        assert!(file(std::os::unix::net::UnixStream::pair().unwrap().0.into(), OpenKind::File).is_err());
    }

    #[test]
    fn only_tcp_is_taken() {
        assert!(socket(std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()).is_ok());
        assert!(socket(std::net::UdpSocket::bind("127.0.0.1:0").unwrap().into()).is_err());
        assert!(socket(std::os::unix::net::UnixStream::pair().unwrap().0.into()).is_err());
        assert!(socket(null()).is_err());
    }
}

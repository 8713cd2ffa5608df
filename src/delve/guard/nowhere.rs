//! Delve's socket where nothing can be written: a name without a file (unix(7), "abstract"), gone with the process however that ends.
//!
//! Whoever shares the network can connect to such a name, and Delve answers the first who does. It takes nobody in before it has
//! attached, and the kernel lists who waits until then: so the guard connects as soon as it can, and looks whether it is alone.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};

/// Where the kernel lists the sockets of a network.
const SOCKETS: &str = "/proc/net/unix";
/// Where it makes numbers that nobody can guess.
const NUMBER: &str = "/proc/sys/kernel/random/uuid";
/// A socket that listens has this of its flags (`__SO_ACCEPTCON`).
const LISTENS: u32 = 1 << 16;

/// A name that nobody else has.
#[derive(Debug)]
pub struct Name(String);

/// Somebody else has connected, or it cannot be told that nobody has.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAlone;

impl Name {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        Ok(Self(format!("scratchdbg-dlv-{}", std::fs::read_to_string(NUMBER)?.trim_end())))
    }

    /// As Delve takes it.
    pub fn address(&self) -> String {
        format!("@{}", self.0)
    }

    /// The connection to the process of this number, if it listens already, and nobody else is connected to it.
    pub fn connect(&self, listener: i32) -> Result<Option<UnixStream>, NotAlone> {
        match self.connected()? {
            Some(0) => {}
            Some(_) => return Err(NotAlone),
            None => return Ok(None),
        }
        let address = SocketAddr::from_abstract_name(&self.0).map_err(|_| NotAlone)?;
        let Ok(stream) = UnixStream::connect_addr(&address) else { return Ok(None) };
        // By its number in our own pid namespace, whoever had the name before it.
        let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(|_| NotAlone)?;
        // Delve may have taken us in already, and then no longer listens.
        let is_alone = self.connected()? == Some(1);
        if peer.pid.as_raw_nonzero().get() == listener && is_alone { Ok(Some(stream)) } else { Err(NotAlone) }
    }

    /// How many are connected. `None` while nobody has the name.
    fn connected(&self) -> Result<Option<usize>, NotAlone> {
        let table = std::fs::read(SOCKETS).map_err(|_| NotAlone)?;
        Ok(connected(&table, self.address().as_bytes()))
    }
}

/// proc_pid_net(5): number, references, protocol, flags, type, state, inode, and the name, `@` first where it is no file's. One that
/// waits to be taken in bears the listener's name already, and keeps it.
fn connected(table: &[u8], address: &[u8]) -> Option<usize> {
    let mut there = None;
    for line in table.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
        let flags = fields.nth(3).and_then(|field| u32::from_str_radix(std::str::from_utf8(field).ok()?, 16).ok());
        if fields.nth(3) != Some(address) {
            continue;
        }
        let connected = there.get_or_insert(0);
        if flags.is_none_or(|flags| flags & LISTENS == 0) {
            *connected += 1;
        }
    }
    there
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn listener(name: &Name) -> UnixListener {
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name.0).unwrap()).unwrap()
    }

    fn us() -> i32 {
        std::process::id().try_into().unwrap()
    }

    fn somebody(name: &Name) -> UnixStream {
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name.0).unwrap()).unwrap()
    }

    #[test]
    fn the_first_is_alone_and_nobody_else_is() {
        let name = Name::new().unwrap();
        assert_eq!(name.connect(us()).map(|stream| stream.is_some()), Ok(false), "nobody listens");
        let listening = listener(&name);
        let stream = name.connect(us()).unwrap().expect("it listens");
        assert_eq!(name.connect(us()).unwrap_err(), NotAlone, "somebody is connected");
        // Taken in, and no longer listened for: as Delve does it.
        let taken = listening.accept().unwrap();
        drop(listening);
        assert_eq!(name.connected(), Ok(Some(1)));
        drop((stream, taken));
        assert_eq!(name.connected(), Ok(None));
    }

    #[test]
    fn who_was_first_is_seen_even_when_they_have_gone() {
        let name = Name::new().unwrap();
        let _listening = listener(&name);
        drop(somebody(&name));
        assert_eq!(name.connect(us()).unwrap_err(), NotAlone);
    }

    #[test]
    fn a_name_that_somebody_else_has_taken_is_not_spoken_to() {
        let name = Name::new().unwrap();
        let _listening = listener(&name);
        assert_eq!(name.connect(1).unwrap_err(), NotAlone);
    }

    #[test]
    fn the_kernels_list() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            000000003c8590ab: 00000002 00000000 00010000 0001 01 38790 @dlv\n\
            000000005588f76f: 00000003 00000000 00000000 0001 02     0 @dlv\n\
            000000005588f770: 00000003 00000000 00000000 0001 03 40303\n\
            000000005588f771: 00000003 00000000 00000000 0001 03 40304 @dlv-2\n";
        assert_eq!(connected(table, b"@dlv"), Some(1));
        assert_eq!(connected(table, b"@dlv-2"), Some(1));
        assert_eq!(connected(table, b"@other"), None);
        assert_eq!(connected(b"\xff \xff", b""), None);
    }
}

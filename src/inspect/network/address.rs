//! Addresses as `/proc/net` writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::inspect::fetch;

/// How the words of an address are stored. The kernel prints a 32-bit word that holds the address in network order as
/// a number of its own byte order, so 127.0.0.1 is `0100007F` on a little-endian machine. Target and host share a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As on x86 and ARM.
    Little,
    /// As on s390x.
    Big,
}

impl Order {
    /// That of this machine.
    pub const OURS: Self = if cfg!(target_endian = "little") { Self::Little } else { Self::Big };

    fn bytes(self, word: u32) -> [u8; 4] {
        match self {
            Self::Little => word.to_le_bytes(),
            Self::Big => word.to_be_bytes(),
        }
    }
}

/// Eight hexadecimal digits: an IPv4 address or mask of `tcp`, `udp`, `route`.
#[must_use]
pub fn v4(text: &[u8], order: Order) -> Option<Ipv4Addr> {
    (text.len() == 8).then_some(())?;
    let word = u32::try_from(fetch::number(text, 16)?).ok()?;
    Some(Ipv4Addr::from(order.bytes(word)))
}

/// Thirty-two digits: an IPv6 address of `tcp6` or `udp6`, four words in the machine's order.
#[must_use]
pub fn v6(text: &[u8], order: Order) -> Option<Ipv6Addr> {
    (text.len() == 32).then_some(())?;
    let mut bytes = [0; 16];
    for (word, place) in text.chunks(8).zip(bytes.chunks_mut(4)) {
        place.copy_from_slice(&v4(word, order)?.octets());
    }
    Some(Ipv6Addr::from(bytes))
}

/// Thirty-two digits in network order: an address of `ipv6_route` or `if_inet6`.
#[must_use]
pub fn v6_plain(text: &[u8]) -> Option<Ipv6Addr> {
    v6(text, Order::Big)
}

/// `ADDRESS:PORT` of a table of sockets.
#[must_use]
pub fn end(text: &[u8], order: Order) -> Option<SocketAddr> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    let (address, port) = (&text[..colon], fetch::number(&text[colon + 1..], 16)?);
    let address = match address.len() {
        8 => IpAddr::V4(v4(address, order)?),
        _ => IpAddr::V6(v6(address, order)?),
    };
    Some(SocketAddr::new(address, u16::try_from(port).ok()?))
}

//! Interfaces, their counters and addresses: `/proc/PID/net/{dev,fib_trie,if_inet6}`.

use std::net::{IpAddr, Ipv4Addr};

use super::address::v6_plain;
use super::{Interface, Route, Traffic, routes};
use crate::inspect::fetch;
use crate::text::Untrusted;

/// How many interfaces are taken at most.
pub const MAX_INTERFACES: usize = 4096;
/// How many addresses are taken at most.
const MAX_ADDRESSES: usize = 16_384;

/// Puts the tables together. No table tells IPv4 addresses by interface: `fib_trie` has the addresses, and the
/// route to the network an address is in has its interface.
#[must_use]
pub fn parse(dev: &[u8], route: &[u8], fib_trie: &[u8], if_inet6: &[u8]) -> Vec<Interface> {
    let mut interfaces = parse_dev(dev);
    let routes = routes::parse_v4(route);
    for address in parse_fib_trie(fib_trie) {
        let Some((name, prefix)) = home(address, &routes, &interfaces) else { continue };
        if let Some(interface) = interfaces.iter_mut().find(|interface| interface.name == name) {
            interface.addresses.push((IpAddr::V4(address), prefix));
        }
    }
    for (name, address, prefix) in parse_if_inet6(if_inet6) {
        if let Some(interface) = interfaces.iter_mut().find(|interface| interface.name == name) {
            interface.addresses.push((address, prefix));
        }
    }
    interfaces
}

/// The interface an address belongs to and the prefix of its network.
fn home(address: Ipv4Addr, routes: &[Route], interfaces: &[Interface]) -> Option<(Untrusted, u8)> {
    if address.is_loopback() {
        return Some(("lo".into(), 8));
    }
    let on_link = routes.iter().filter(|route| route.gateway.is_none() && contains(route, address));
    if let Some(route) = on_link.max_by_key(|route| route.prefix) {
        return Some((route.interface.clone(), route.prefix));
    }
    // Without a route there is still no doubt if there is but one interface.
    let mut others = interfaces.iter().filter(|interface| interface.name != "lo".into());
    match (others.next(), others.next()) {
        (Some(only), None) => Some((only.name.clone(), 32)),
        _ => None,
    }
}

fn contains(route: &Route, address: Ipv4Addr) -> bool {
    let IpAddr::V4(network) = route.destination else { return false };
    let mask = u32::MAX.checked_shl(32 - u32::from(route.prefix.min(32))).unwrap_or(0);
    // A default route is no network an address is in.
    route.prefix > 0 && u32::from(network) & mask == u32::from(address) & mask
}

/// Parses `dev`: two lines of titles, then `name: ` and eight counters received, eight sent.
#[must_use]
pub fn parse_dev(text: &[u8]) -> Vec<Interface> {
    let parsed = fetch::lines(text).skip(2).filter_map(|line| {
        let colon = line.iter().rposition(|&byte| byte == b':')?;
        let counters: Vec<u64> = fetch::words(&line[colon + 1..]).map_while(fetch::decimal).collect();
        let traffic = |at: usize| {
            let counter = |offset: usize| counters.get(at + offset).copied();
            Some(Traffic { bytes: counter(0)?, packets: counter(1)?, errors: counter(2)?, drops: counter(3)? })
        };
        let name = line[..colon].trim_ascii();
        Some(Interface { name: name.into(), addresses: Vec::new(), received: traffic(0)?, sent: traffic(8)? })
    });
    parsed.take(MAX_INTERFACES).collect()
}

/// The host's own addresses in `fib_trie`: a leaf `|-- ADDRESS` with a line `/32 host LOCAL` below it. They come in
/// two tables (`Main`, `Local`), often the same; each is told once.
#[must_use]
pub fn parse_fib_trie(text: &[u8]) -> Vec<Ipv4Addr> {
    let mut addresses = Vec::new();
    let mut leaf = None;
    for line in fetch::lines(text) {
        let line = line.trim_ascii();
        if let Some(address) = line.strip_prefix(b"|-- ") {
            leaf = fetch::decimal::<Ipv4Addr>(address);
        } else if line == b"/32 host LOCAL" && addresses.len() < MAX_ADDRESSES {
            addresses.extend(leaf);
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Parses `if_inet6`: `address index prefix scope flags name`, numbers hexadecimal.
#[must_use]
pub fn parse_if_inet6(text: &[u8]) -> Vec<(Untrusted, IpAddr, u8)> {
    let parsed = fetch::lines(text).filter_map(|line| {
        let mut fields = fetch::words(line);
        let address = v6_plain(fields.next()?)?;
        let prefix = u8::try_from(fetch::number(fields.nth(1)?, 16)?).ok().filter(|&prefix| prefix <= 128)?;
        Some((fields.nth(2)?.into(), IpAddr::V6(address), prefix))
    });
    parsed.take(MAX_ADDRESSES).collect()
}

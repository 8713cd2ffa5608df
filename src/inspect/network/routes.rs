//! Tables of routes: `/proc/PID/net/{route,ipv6_route}`.

use std::net::IpAddr;

use super::Route;
use super::address::{Order, v4, v6_plain};
use crate::inspect::fetch;

/// Flags of `route(8)` (`include/uapi/linux/route.h`, `ipv6_route.h`).
const UP: u64 = 0x1;
const REJECT: u64 = 0x200;
const ANYCAST: u64 = 0x0010_0000;
const LOCAL: u64 = 0x8000_0000;

/// Parses `route`: `Iface Destination Gateway Flags RefCnt Use Metric Mask …`.
#[must_use]
pub fn parse_v4(text: &[u8]) -> Vec<Route> {
    parse_v4_as(text, Order::OURS)
}

/// The same, of a machine with a given byte order.
#[must_use]
pub fn parse_v4_as(text: &[u8], order: Order) -> Vec<Route> {
    fetch::lines(text).skip(1).filter_map(|line| route_v4(line, order)).collect()
}

fn route_v4(line: &[u8], order: Order) -> Option<Route> {
    let [interface, destination, gateway, flags, _, _, metric, mask] = fields(line)?;
    let flags = fetch::number(flags, 16)?;
    let gateway = v4(gateway, order)?;
    let mask = u32::from(v4(mask, order)?);
    (flags & UP != 0 && flags & REJECT == 0).then_some(())?;
    Some(Route {
        destination: IpAddr::V4(v4(destination, order)?),
        prefix: u8::try_from(mask.leading_ones()).ok()?,
        gateway: (!gateway.is_unspecified()).then_some(IpAddr::V4(gateway)),
        interface: interface.into(),
        metric: fetch::decimal(metric)?,
    })
}

/// Parses `ipv6_route`: `destination prefix source prefix gateway metric references use flags interface`, all numbers
/// hexadecimal. Left out is what every interface has: its own
/// addresses, and multicast.
#[must_use]
pub fn parse_v6(text: &[u8]) -> Vec<Route> {
    fetch::lines(text).filter_map(route_v6).collect()
}

fn route_v6(line: &[u8]) -> Option<Route> {
    let [destination, prefix, _, _, gateway, metric, _, _, flags, interface] = fields(line)?;
    let flags = fetch::number(flags, 16)?;
    let gateway = v6_plain(gateway)?;
    (flags & UP != 0 && flags & (REJECT | LOCAL | ANYCAST) == 0).then_some(())?;
    let destination = v6_plain(destination).filter(|destination| !destination.is_multicast())?;
    let prefix = u8::try_from(fetch::number(prefix, 16)?).ok().filter(|&prefix| prefix <= 128)?;
    Some(Route {
        destination: IpAddr::V6(destination),
        prefix,
        gateway: (!gateway.is_unspecified()).then_some(IpAddr::V6(gateway)),
        interface: interface.into(),
        metric: u32::try_from(fetch::number(metric, 16)?).ok()?,
    })
}

/// The first `N` words of a line.
fn fields<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    fetch::words(line).take(N).collect::<Vec<_>>().try_into().ok()
}

//! Tables of sockets: `/proc/PID/net/{tcp,udp,raw,unix}` (proc_pid_net(5)).

use super::Socket;
use super::address::{Order, end};
use crate::inspect::fetch;
use crate::text::Untrusted;

/// States by number (`include/net/tcp_states.h`), from 1 on.
const STATES: [&str; 12] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
];

/// Parses a table of internet sockets: `tcp`, `tcp6`, `udp`, … Lines that make no sense are left out.
#[must_use]
pub fn parse_inet(protocol: &str, text: &[u8]) -> Vec<Socket> {
    parse_inet_as(protocol, text, Order::OURS)
}

/// The same, of a machine with a given byte order.
#[must_use]
pub fn parse_inet_as(protocol: &str, text: &[u8], order: Order) -> Vec<Socket> {
    fetch::lines(text).skip(1).filter_map(|line| inet(protocol, line, order)).collect()
}

/// `sl local remote st tx:rx tr:when retrnsmt uid timeout inode …`
fn inet(protocol: &str, line: &[u8], order: Order) -> Option<Socket> {
    let mut fields = fetch::words(line).skip(1);
    let local = end(fields.next()?, order)?;
    let remote = end(fields.next()?, order)?;
    let state = fetch::number(fields.next()?, 16)?;
    let queues = fields.next()?;
    let colon = queues.iter().position(|&byte| byte == b':')?;
    let queue = |text| u32::try_from(fetch::number(text, 16)?).ok();
    let mut fields = fields.skip(2);
    let uid = fetch::decimal(fields.next()?)?;
    let inode = fetch::decimal(fields.nth(1)?)?;
    let unconnected = remote.port() == 0 && remote.ip().is_unspecified();
    // TCP_CLOSE is how a datagram socket without a peer is told.
    let state = match state {
        7 if !protocol.starts_with("tcp") => "-",
        state => {
            usize::try_from(state).ok().and_then(|state| STATES.get(state.checked_sub(1)?)).copied().unwrap_or("-")
        }
    };
    Some(Socket {
        protocol: protocol.to_owned(),
        state: state.to_owned(),
        local: Some(local),
        remote: (!unconnected).then_some(remote),
        path: None,
        receive_queue: queue(&queues[colon + 1..])?,
        send_queue: queue(&queues[..colon])?,
        uid: Some(uid),
        inode,
        owners: Vec::new(),
    })
}

/// Parses `unix`: `Num RefCount Protocol Flags Type St Inode Path`. A path may hold anything but a line end.
#[must_use]
pub fn parse_unix(text: &[u8]) -> Vec<Socket> {
    fetch::lines(text).skip(1).filter_map(unix).collect()
}

fn unix(line: &[u8]) -> Option<Socket> {
    const ACCEPTS: u64 = 0x10000; // __SO_ACCEPTCON
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        word
    };
    let [_, _, _, flags, kind, state, inode] = std::array::from_fn(|_| field());
    let path = rest.strip_prefix(b" ").unwrap_or(rest);
    let protocol = match fetch::number(kind, 16)? {
        2 => "unix-dgram",
        5 => "unix-seqpacket",
        _ => "unix",
    };
    let state = match fetch::number(state, 16)? {
        _ if fetch::number(flags, 16)? & ACCEPTS != 0 => "LISTEN",
        2 => "CONNECTING",
        3 => "CONNECTED",
        4 => "DISCONNECTING",
        _ => "-",
    };
    Some(Socket {
        protocol: protocol.to_owned(),
        state: state.to_owned(),
        local: None,
        remote: None,
        path: (!path.is_empty()).then(|| Untrusted::from(path)),
        receive_queue: 0,
        send_queue: 0,
        uid: None,
        inode: fetch::decimal(inode)?,
        owners: Vec::new(),
    })
}

/// Listening sockets first, internet before unix, then by address.
pub fn sort(sockets: &mut [Socket]) {
    sockets.sort_by(|a, b| {
        let key = |socket: &Socket| (!socket.listens(), socket.local.is_none());
        let ends = |socket: &Socket| (socket.local.map(|local| local.port()), socket.local, socket.remote);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.protocol.cmp(&b.protocol))
            .then_with(|| ends(a).cmp(&ends(b)))
            .then_with(|| a.path.cmp(&b.path))
            .then_with(|| a.inode.cmp(&b.inode))
    });
}

//! Which user of this host has connected. The loopback address is every user's; Delve itself looks at this, too.

use std::net::{IpAddr, SocketAddr};

use crate::inspect::network::sockets;

/// Whether this user is the one who runs this, or root.
pub(super) fn is_ours(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

/// Whose socket it is, by the kernel's tables of sockets (proc_pid_net(5)).
pub(super) fn user(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    ["tcp", "tcp6"].into_iter().find_map(|table| {
        let text = std::fs::read(format!("/proc/self/net/{table}")).ok()?;
        find(table, &text, peer, local)
    })
}

fn find(table: &str, text: &[u8], peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    // A socket of IPv6 may speak IPv4.
    let same = |told: Option<SocketAddr>, end: SocketAddr| {
        told.is_some_and(|told| canonical(told.ip()) == canonical(end.ip()) && told.port() == end.port())
    };
    let mut all = sockets::parse_inet(table, text).into_iter();
    // What was closed meanwhile has no inode any more, and is shown as root's.
    all.find(|socket| same(socket.local, peer) && same(socket.remote, local) && socket.inode != 0)?.uid
}

fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the kernel writes them on a little-endian machine; user 1000 has connected from port 43690.
    const TABLE: &[u8] =
        b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   0: 0100007F:1267 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
   1: 0100007F:1267 0100007F:AAAA 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1\n\
   2: 0100007F:AAAA 0100007F:1267 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1\n\
   3: 0100007F:AAAC 0100007F:1267 06 00000000:00000000 03:00000B0D 00000000     0        0 0 3 0000000000000000\n";

    #[test]
    fn the_user_is_that_of_the_other_end() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        if cfg!(target_endian = "little") {
            assert_eq!(find("tcp", TABLE, at(0xaaaa), at(0x1267)), Some(1000));
        }
        assert_eq!(find("tcp", TABLE, at(0xaaab), at(0x1267)), None);
        assert_eq!(find("tcp", TABLE, at(0xaaac), at(0x1267)), None, "it has closed already");
        assert_eq!(find("tcp", b"", at(1), at(2)), None);
    }
}

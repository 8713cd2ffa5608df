//! Against the tables of a Go server in a scratch container (`recorded/`), and against hostile ones.

#![allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.

use super::address::{Order, end, v4, v6, v6_plain};
use super::*;

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!("recorded/", $name))
    };
}

fn shown(sockets: &[Socket]) -> Vec<String> {
    sockets
        .iter()
        .map(|socket| format!("{} #{} q{}/{}", socket.words(), socket.inode, socket.receive_queue, socket.send_queue))
        .collect()
}

fn all() -> Vec<Socket> {
    let mut all = sockets::parse_inet_as("tcp", recorded!("tcp"), Order::Little);
    all.extend(sockets::parse_inet_as("tcp6", recorded!("tcp6"), Order::Little));
    all.extend(sockets::parse_inet_as("udp6", recorded!("udp6"), Order::Little));
    all.extend(sockets::parse_unix(recorded!("unix")));
    all
}

#[test]
fn a_servers_sockets() {
    let mut all = all();
    sockets::sort(&mut all);
    assert_eq!(
        shown(&all),
        [
            "tcp6 [::]:8080 listening #20712 q0/0",
            "unix /tmp/app.sock listening #20703 q0/0",
            "tcp 127.0.0.1:47084 -> 127.0.0.1:8080 established #20715 q0/0",
            "tcp6 [::ffff:127.0.0.1]:8080 -> [::ffff:127.0.0.1]:47084 established #20716 q0/0",
            "udp6 [::]:5353 #20710 q0/0",
        ]
    );
}

#[test]
fn addresses_of_both_byte_orders() {
    for (order, four, six) in [
        (Order::Little, "0100007F", "B80D0120000000000000000001000000"),
        (Order::Big, "7F000001", "20010DB8000000000000000000000001"),
    ] {
        assert_eq!(v4(four.as_bytes(), order), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(v6(six.as_bytes(), order), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(end(format!("{four}:1F90").as_bytes(), order), Some("127.0.0.1:8080".parse().unwrap()));
    }
    assert_eq!(v6_plain(b"20010db8000000000000000000000001"), Some("2001:db8::1".parse().unwrap()));
    for bad in
        ["", ":", "0100007F", "0100007F:", "0100007F:10000", "100007F:1", "0100007F0:1", "+100007F:1", "é100007:1"]
    {
        assert_eq!(end(bad.as_bytes(), Order::Little), None, "{bad}");
    }
}

#[test]
fn odd_unix_sockets() {
    let text = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
        0: 00000002 00000000 00010000 0001 01 7 @abstract name \x1b\n\
        0: 00000003 00000000 00000000 0002 03 8\n\
        0: 00000003 00000000 00000000 0005 01     9 /x\n\
        0: x\nbad\n0: 1 1 zz 1 1 1\n";
    assert_eq!(
        shown(&sockets::parse_unix(text)),
        [r"unix @abstract name \x1b listening #7 q0/0", "unix-dgram connected #8 q0/0", "unix-seqpacket /x #9 q0/0"]
    );
}

#[test]
fn odd_internet_sockets() {
    let line = |state: &str, queues: &str| {
        let text =
            format!("title\n 0: 0100007F:0050 0200007F:0051 {state} {queues} 00:00000000 00000000 65532 0 7 1\n");
        sockets::parse_inet_as("tcp", text.as_bytes(), Order::Little)
    };
    assert_eq!(shown(&line("06", "00000001:00000002")), ["tcp 127.0.0.1:80 -> 127.0.0.2:81 time wait #7 q2/1"]);
    for state in ["00", "0D", "FFFFFFFFFFFFFFFF"] {
        assert_eq!(line(state, "0:0")[0].state, "-");
    }
    assert_eq!(line("01", "0:0")[0].uid, Some(65532));
    for (state, queues) in [("zz", "0:0"), ("01", "0"), ("01", "0:100000000")] {
        assert!(line(state, queues).is_empty());
    }
}

#[test]
fn interfaces_with_their_addresses() {
    let found = interfaces::parse(recorded!("dev"), recorded!("route"), recorded!("fib_trie"), recorded!("if_inet6"));
    let shown: Vec<_> = found.iter().map(|one| format!("{} {:?}", one.name.safe(), one.addresses)).collect();
    if cfg!(target_endian = "little") {
        // The IPv6 addresses are another network namespace's: a scratch container had none.
        assert_eq!(
            shown,
            ["lo [(127.0.0.1, 8), (::1, 128)]", "eth0 [(172.17.0.2, 16), (fe80::fc:ff:fe00:1, 64), (fd00::2, 64)]"]
        );
    }
    assert_eq!(found[1].received, Traffic { bytes: 1532, packets: 18, errors: 0, drops: 0 });
    assert_eq!(found[0].sent.packets, 279);
}

#[test]
fn an_address_without_a_route() {
    let dev = b"\ntitle\n  lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n tun:0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n bad: 1 2\n";
    let dev = [b"title", &dev[..]].concat();
    let trie = b"Local:\n  |-- 10.0.0.9\n   /32 host LOCAL\n  |-- junk\n /32 host LOCAL\n";
    let found = interfaces::parse(&dev, b"", trie, b"");
    let addresses: Vec<_> = found.iter().map(|one| (one.name.lossy().into_owned(), one.addresses.clone())).collect();
    assert_eq!(addresses, [("lo".to_owned(), vec![]), ("tun:0".to_owned(), vec![("10.0.0.9".parse().unwrap(), 32)])]);
}

#[test]
fn routes_of_both_families() {
    let mut routes = routes::parse_v4_as(recorded!("route"), Order::Little);
    routes.extend(routes::parse_v6(recorded!("ipv6_route")));
    let shown: Vec<_> = routes
        .iter()
        .map(|route| {
            let via = route.gateway.map_or_else(String::new, |gateway| format!(" via {gateway}"));
            format!("{}/{}{via} {} {}", route.destination, route.prefix, route.interface.safe(), route.metric)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn resolvers() {
    let text = b"# c\n;c\nnameserver 10.0.0.1 x\nnameserver\t::1\nnameserver\nsearch a b\ndomain c\ndomain\noptions ndots:5 edns0\noptions rotate\n";
    let words = |words: &[Untrusted]| words.iter().map(|word| word.lossy().into_owned()).collect::<Vec<_>>().join(",");
    let resolv = resolver::parse_resolv(text);
    assert_eq!(words(&resolv.nameservers), "10.0.0.1,::1");
    assert_eq!((words(&resolv.search), words(&resolv.options)), ("c".into(), "ndots:5,edns0,rotate".into()));
    let hosts = resolver::parse_hosts(b"127.0.0.1 localhost lo # x\n#1.1.1.1 a\n\n::1\n10.0.0.1\tdb\n");
    let hosts: Vec<_> = hosts.iter().map(|(address, names)| format!("{}={}", address.lossy(), words(names))).collect();
    assert_eq!(hosts, ["127.0.0.1=localhost,lo", "10.0.0.1=db"]);
    assert_eq!(resolver::parse_nsswitch(b"passwd: files\n hosts:  files dns # x\n"), Some("files dns".into()));
    assert_eq!(resolver::parse_nsswitch(b"# hosts: files\n"), None);
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_it(text: Vec<u8>, lines in "[ -~\n\t]{0,200}") {
        for text in [&text[..], lines.as_bytes()] {
            sockets::parse_inet("tcp", text);
            sockets::parse_unix(text);
            routes::parse_v4(text);
            routes::parse_v6(text);
            interfaces::parse(text, text, text, text);
            resolver::parse_resolv(text);
            resolver::parse_hosts(text);
            resolver::parse_nsswitch(text);
        }
    }

    #[test]
    fn no_change_breaks_it(at: proptest::sample::Index, byte: u8) {
        for text in [&recorded!("tcp")[..], recorded!("tcp6"), recorded!("unix"), recorded!("dev"), recorded!("route"), recorded!("fib_trie"), recorded!("ipv6_route"), recorded!("if_inet6")] {
            let mut text = text.to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            sockets::parse_inet("tcp", &text);
            sockets::parse_unix(&text);
            routes::parse_v6(&text);
            interfaces::parse(&text, &text, &text, &text);
        }
    }
}

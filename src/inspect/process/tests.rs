//! Against the texts of a Go server that runs in a scratch container (`recorded/`), and against hostile ones.

#![allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.

use std::collections::HashMap;

use super::*;
use crate::inspect::files::Kind;
use crate::inspect::network::{Socket, sockets};
use fds::Info;

const STATUS: &[u8] = include_bytes!("recorded/status");
const LIMITS: &[u8] = include_bytes!("recorded/limits");
const MAPS: &[u8] = include_bytes!("recorded/maps");
const MOUNTINFO: &[u8] = include_bytes!("recorded/mountinfo");

fn users() -> Users {
    Users { users: [(0, "root".into())].into(), groups: [(10, "wheel".into())].into() }
}

fn text(fields: &[Field]) -> String {
    let lines: Vec<_> = fields.iter().map(|field| format!("{}={}\n", field.name, field.value.safe())).collect();
    lines.concat()
}

#[test]
fn a_status_in_words() {
    insta::assert_snapshot!(text(&status::parse(STATUS, &users())));
}

#[test]
fn identities_in_words() {
    for (line, shown) in [
        ("Uid:\t0\t0\t0\t0", "Uid=0 (root)\n"),
        ("Uid:\t1\t0\t1\t0", "Uid=1 real, 0 (root) effective, 1 saved, 0 (root) file system\n"),
        ("Uid:\t1", "Uid=1\n"),
        ("Gid:\tx\ty\tz\tw", "Gid=x\\ty\\tz\\tw\n"),
        ("Groups:\t10 20 ", "Groups=wheel 20\n"),
        ("Groups:\t", "Groups=none\n"),
        ("SigIgn:\t0000000000001001", "SigIgn=HUP PIPE\n"),
        ("SigIgn:\tffffffff80000000", "SigIgn=33 real-time\n"),
        ("TracerPid:\t42", "TracerPid=42\n"),
    ] {
        assert_eq!(text(&status::parse(line.as_bytes(), &users())), shown, "{line}");
    }
}

#[test]
fn what_keeps_it_in() {
    let fields = security::parse(STATUS, Some(b"docker-default (enforce)\n\0"), Some(b"-500\n"));
    assert_eq!(
        text(&fields),
        "NoNewPrivs=no\nSeccomp=filter\nSeccomp_filters=1\nSpeculation_Store_Bypass=vulnerable\n\
         SpeculationIndirectBranch=always enabled\nLabel=docker-default (enforce)\nOomScoreAdj=-500\n"
    );
    assert_eq!(text(&security::parse(b"", None, None)), "Label=none\n");
}

#[test]
fn capabilities_have_names() {
    let sets = capabilities::parse(STATUS);
    let set = |name: &str| sets.iter().find(|set| set.set == name).map(|set| set.names.len());
    assert_eq!(
        (set("effective"), set("permitted"), set("bounding"), set("ambient")),
        (Some(14), Some(14), Some(14), Some(0))
    );
    assert_eq!(capabilities::names(0x400), ["CAP_NET_BIND_SERVICE"]);
    assert_eq!(capabilities::names(1 << 41 | 1 << 63), ["CAP_41", "CAP_63"]);
    assert!(capabilities::parse(b"CapEff:\tzz\nCapX:\t1\n").is_empty());
}

#[test]
fn limits_and_what_is_used() {
    let limits = limits::parse(LIMITS, &limits::Usage::of(Some(STATUS), Some(14)));
    assert_eq!(limits.len(), 16);
    let limit = |name: &str| limits.iter().find(|limit| limit.name == name).unwrap();
    let files = limit("Max open files");
    assert_eq!(
        (files.soft, files.hard, files.unit.as_str(), files.used),
        (Some(20000), Some(20000), "files", Some(14))
    );
    let stack = limit("Max stack size");
    assert_eq!((stack.soft, stack.hard, stack.used), (Some(8_388_608), None, Some(132 * 1024)));
    assert_eq!((limit("Max nice priority").unit.as_str(), limit("Max nice priority").used), ("", None));
    assert_eq!(limit("Max pending signals").used, Some(1));
    for bad in ["", "Limit\nshort", "Limit\nMax cpu time              x                    y                    z"] {
        assert!(limits::parse(bad.as_bytes(), &limits::Usage::default()).is_empty());
    }
}

#[test]
fn memory_by_what_is_mapped() {
    let shown: Vec<_> = maps::parse(MAPS)
        .iter()
        .map(|map| format!("{} {} {} x{} w{}\n", map.what.safe(), map.regions, map.size, map.executable, map.writable))
        .collect();
    insta::assert_snapshot!(shown.concat());
}

#[test]
fn maps_that_lie() {
    let text = b"0-ffffffffffffffff rwxp 0 0 0 /a b (deleted)\n1-ffffffffffffffff rwxp 0 0 0 /a b (deleted)\n\
                 5-1 r--p 0 0 0 x\nzz\n1-2\n1-2 \n1- r\n-\n";
    let maps = maps::parse(text);
    assert_eq!(maps.iter().map(|map| (map.regions, map.size)).collect::<Vec<_>>(), [(2, u64::MAX)]);
    assert_eq!(maps[0].what, "/a b (deleted)".into());
}

#[test]
fn mount_points() {
    let mounts = mounts::parse(MOUNTINFO);
    assert_eq!(mounts.len(), fetch::lines(MOUNTINFO).count());
    let hosts = mounts.iter().find(|mount| mount.point == "/etc/hosts".into()).unwrap();
    assert_eq!(
        (hosts.kind.lossy(), hosts.source.lossy(), hosts.options.lossy()),
        ("ext4".into(), "/dev/vda".into(), "rw,relatime".into())
    );
    let odd =
        mounts::parse(b"1 2 0:1 / /a\\040b\\134\\9 rw shared:1 master:2 - tmpfs a\\011b rw\n1 2 3\n- - - - - - -\n");
    assert_eq!((odd.len(), odd[0].point.bytes(), odd[0].source.bytes()), (1, &b"/a b\\\\9"[..], &b"a\tb"[..]));
}

#[test]
fn environments() {
    let env = environment::parse(b"PATH=/bin\0A=b=c\0\0NAKED\0=x\0E=\x1b");
    let shown: Vec<_> = env.iter().map(|var| format!("{}|{}", var.name.safe(), var.value.safe())).collect();
    assert_eq!(shown, ["PATH|/bin", "A|b=c", "NAKED|", "|x", r"E|\x1b"]);
}

#[test]
fn cgroups_and_namespaces() {
    let shown =
        |text: &[u8]| namespaces::cgroups(text).iter().map(|path| path.lossy().into_owned()).collect::<Vec<_>>();
    assert_eq!(shown(b"0::/docker/e0\n"), ["/docker/e0"]);
    assert_eq!(shown(b"9:name=systemd:/a:b\n1:cpu,cpuacct:/\nbad\n"), ["name=systemd:/a:b", "cpu,cpuacct:/"]);
    assert_eq!(namespaces::inode(b"net:[4026532184]"), Some(4_026_532_184));
    for bad in ["", "net", "net:[", "net:[x]", "]["] {
        assert_eq!(namespaces::inode(bad.as_bytes()), None);
    }
}

fn described(link: &str, info: &str, kind: Option<Kind>, sockets: &[Socket]) -> String {
    let sockets: HashMap<u64, &Socket> = sockets.iter().map(|socket| (socket.inode, socket)).collect();
    let fd = fds::describe(3, link.into(), &Info::parse(info.as_bytes()), kind, &sockets);
    let position = fd.position.map_or_else(String::new, |position| format!(" at {position}"));
    format!("{} {}{position}", fd.mode.unwrap_or_else(|| "-".to_owned()), fd.what)
}

#[test]
fn descriptors_in_words() {
    let table = sockets::parse_inet_as(
        "tcp",
        include_bytes!("../network/recorded/tcp"),
        crate::inspect::network::address::Order::Little,
    );
    let epoll = "pos:\t0\nflags:\t02000002\nmnt_id:\t17\ntfd:        9 events: 8000201d\ntfd:        8 events: 19\n";
    for (link, info, kind, shown) in [
        ("/dev/null", "pos:\t0\nflags:\t0100002\n", Some(Kind::Character), "rw device"),
        ("/tmp/open.log", "pos:\t6\nflags:\t02104002\n", Some(Kind::File), "rw file at 6"),
        ("/tmp/gone (deleted)", "pos:\t0\nflags:\t0\n", None, "r deleted file at 0"),
        ("/etc", "pos:\t0\nflags:\t0200000\n", Some(Kind::Directory), "r directory"),
        ("/etc", "pos:\t0\nflags:\t012000000\n", Some(Kind::Directory), "- directory"),
        ("/memfd:x (deleted)", "pos:\t3\nflags:\t02\n", None, "rw memory file at 3"),
        ("/dev/pts/0", "flags:\t0100002\n", Some(Kind::Character), "rw terminal"),
        ("pipe:[20608]", "pos:\t0\nflags:\t01\n", None, "w pipe, write end"),
        ("pipe:[20608]", "", None, "- pipe"),
        ("socket:[20715]", "flags:\t02004002\n", None, "rw tcp 127.0.0.1:47084 -> 127.0.0.1:8080 established"),
        ("socket:[1]", "flags:\t02\n", None, "rw socket"),
        ("socket:[99999999999999999999]", "", None, "- socket"),
        ("anon_inode:[eventpoll]", epoll, None, "rw epoll, 2 watched"),
        ("anon_inode:[eventfd]", "flags:\t02\neventfd-count:               1f\n", None, "rw eventfd, count 31"),
        ("anon_inode:inotify", "inotify wd:1 ino:2 sdev:3\ninotify wd:2 ino:2 sdev:3\n", None, "- inotify, 2 watched"),
        ("anon_inode:[timerfd]", "it_value: (0, 0)\n", None, "- timerfd, disarmed"),
        ("anon_inode:[pidfd]", "Pid:\t7\nNSpid:\t7\n", None, "- process 7"),
        ("anon_inode:[pidfd]", "Pid:\t-1\n", None, "- process that has ended"),
        ("anon_inode:[io_uring]", "", None, "- io_uring"),
        ("anon_inode:\x1b[2J", "", None, r"- \x1b[2J"),
        ("mnt:[4026531841]", "flags:\t0\n", None, "r mnt namespace"),
        ("", "", None, "- unknown"),
    ] {
        assert_eq!(described(link, info, kind, &table), shown, "{link}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_it(text: Vec<u8>, lines in "[ -~\n\t]{0,200}") {
        for text in [&text[..], lines.as_bytes()] {
            status::parse(text, &Users::default());
            security::parse(text, Some(text), Some(text));
            capabilities::parse(text);
            limits::parse(text, &limits::Usage::of(Some(text), None));
            maps::parse(text);
            mounts::parse(text);
            environment::parse(text);
            namespaces::cgroups(text);
            namespaces::inode(text);
            fds::describe(0, text.to_vec(), &Info::parse(text), None, &HashMap::new());
        }
    }

    #[test]
    fn no_change_breaks_it(at: proptest::sample::Index, byte: u8) {
        for text in [STATUS, LIMITS, MAPS, MOUNTINFO] {
            let mut text = text.to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            status::parse(&text, &Users::default());
            limits::parse(&text, &limits::Usage::of(Some(&text), None));
            maps::parse(&text);
            mounts::parse(&text);
        }
    }
}

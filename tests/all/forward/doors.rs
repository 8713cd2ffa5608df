//! From this host, and from beside.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;

use nix::sys::signal::Signal;

use super::forwarded::Forwarded;
use super::traffic;
use crate::support::command::{binary, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::residue::Residue;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;
use crate::{require_engine, require_root};

/// How many connections one helper carries.
const MOST: usize = 128;

fn carries_everything(container: &Container, start: impl Fn(&[&str]) -> Forwarded) {
    let mut forward = start(&traffic::PORTS);
    traffic::many_at_once(&forward);
    traffic::large_both_ways(&forward);
    traffic::an_answer_outlives_its_question(&forward);
    traffic::a_slow_one_is_alone(&forward);
    traffic::nobody_listens(&forward);

    // An end of one side is passed on, and is no end of the other.
    assert_eq!(forward.ask(0, "and that is all"), b"and that is all");
    let mut stream = forward.connect(1);
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all, "said all\n");
    stream.write_all(b"still here").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    container.wait_for_log("took 10 <nil>");

    // What was broken off does not look whole.
    let mut others = start(&[":7105", ":7101", ":7102"]);
    let mut stream = others.connect(0);
    let mut half = [0; 8];
    stream.read_exact(&mut half).unwrap();
    stream.write_all(b"x").unwrap();
    let end = stream.read(&mut half);
    assert!(end.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{end:?}");
    // Nor to who is inside.
    let stream = forward.connect(1);
    (&mut &stream).read_exact(&mut [0; 9]).unwrap();
    (&mut &stream).write_all(b"half of it").unwrap();
    let (on, now) = (1, 0);
    let linger = nix::libc::linger { l_onoff: on, l_linger: now };
    nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &linger).unwrap();
    drop(stream);
    container.wait_for_log("connection reset by peer");
    // Wherever it listens.
    assert_eq!(others.ask(1, "over six"), b"over six");
    assert_eq!(others.ask(2, "outside"), b"outside");
    // Not even where it is this program that ends.
    let mut stream = forward.connect(2);
    stream.write_all(b"100000000\n").unwrap();
    stream.read_exact(&mut half).unwrap();
    assert_eq!((others.ends_by(Signal::SIGINT), forward.ends_by(Signal::SIGINT)), (0, 0));
    let end = stream.read_to_end(&mut Vec::new());
    assert!(end.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionReset), "{end:?}");
}

#[test]
fn this_host_carries_everything() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    carries_everything(&container, |ports| Forwarded::local(&container, ports));
}

#[test]
fn a_sidecar_carries_everything() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    let member = Unprivileged::of_the_engines_group();
    carries_everything(&container, |ports| Forwarded::beside(&member, &container, ports));
}

fn ends_and_leaves_nothing(container: &Container, start: impl Fn(&[&str]) -> Forwarded) {
    let before = Residue::of(container).but_for_memory();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut forward = start(&[":7100", ":7106"]);
        let (mut one, _other) = (forward.connect(0), forward.connect(1));
        one.write_all(b"x").unwrap();
        one.read_exact(&mut [0]).unwrap();
        assert_eq!((forward.ends_by(signal), forward.said().as_str()), (0, ""), "{signal}");
        before.assert_unchanged(container);
    }
}

#[test]
fn it_ends_by_a_signal_and_leaves_nothing() {
    require_engine!();
    require_root!();
    let container = Run::ports().hardened().start();
    ends_and_leaves_nothing(&container, |ports| Forwarded::local(&container, ports));
    let member = Unprivileged::of_the_engines_group();
    ends_and_leaves_nothing(&container, |ports| Forwarded::beside(&member, &container, ports));
}

#[test]
fn it_ends_with_the_target() {
    require_engine!();
    require_root!();
    let member = Unprivileged::of_the_engines_group();
    for door in ["local", "sidecar"] {
        let container = Run::ports().start();
        let mut forward = match door {
            "local" => Forwarded::local(&container, &[":7100"]),
            _ => Forwarded::beside(&member, &container, &[":7100"]),
        };
        let mut open = forward.connect(0);
        open.write_all(b"x").unwrap();
        open.read_exact(&mut [0]).unwrap();
        container.engine_does("kill");
        assert_eq!(forward.ends(), 4, "{door}: {}", forward.said());
        forward.wait_to_say(&format!("{} has ended, and with it what was forwarded", container.name()));
    }
}

#[test]
fn a_plain_process_is_reached_too() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    let target = format!("pid://{}", container.pid());
    let forward = Forwarded::start(binary(&["forward", &target, ":7100", "--json"]), 1);
    let told: serde_json::Value = serde_json::from_str(&forward.lines[0]).unwrap();
    assert_eq!((&told["target"], &told["port"]), (&target.into(), &7100.into()));
    let port = told["local"].as_str().unwrap().strip_prefix("127.0.0.1:").unwrap().parse::<u16>().unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "hello");
}

/// One helper has so many places. Who comes when all are taken waits, and is served when one is free.
#[test]
fn more_than_there_are_places_for_wait() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    let member = Unprivileged::of_the_engines_group();
    for forward in [Forwarded::local(&container, &[":7100"]), Forwarded::beside(&member, &container, &[":7100"])] {
        let mut all: Vec<_> = (0..MOST + 10).map(|_| forward.connect(0)).collect();
        for stream in &mut all {
            stream.write_all(b"x").unwrap();
        }
        for stream in &mut all[..MOST] {
            stream.read_exact(&mut [0]).unwrap();
        }
        let last = &all[MOST + 9];
        last.set_nonblocking(true).unwrap();
        assert_eq!((&mut &*last).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        last.set_nonblocking(false).unwrap();
        for mut stream in all.drain(10..).rev().take(10).collect::<Vec<_>>() {
            // The ten that hold a place and that are left go, one for each of these.
            drop(all.pop());
            let _ = stream.set_read_timeout(Some(wait::PATIENCE));
            stream.read_exact(&mut [0]).unwrap();
        }
    }
}

#[test]
fn what_is_done_is_told_if_asked_for() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    let args = ["forward", container.name(), "--via", "local", ":7100", "-v"];
    let forward = Forwarded::start(binary(&args), 1);
    assert_eq!(forward.ask(0, "hello"), b"hello");
    forward.wait_to_say("is connected");
    forward.wait_to_say("has ended, 5 bytes sent and 5 received");
    let missing = scratchdbg(&["forward", container.name()])
        .fails_with(2, &["[LOCAL:]PORT", "127.0.0.1:7100 ports", "[::1]:7101"]);
    assert!(missing.stdout.is_empty());
}

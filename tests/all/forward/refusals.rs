//! What is refused is refused before anything is done.

use std::net::TcpListener;

use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::support::engine::docker;
use crate::support::unprivileged::Unprivileged;
use crate::{require_engine, require_root};

#[test]
fn a_local_port_that_is_taken() {
    require_engine!();
    require_root!();
    let container = Run::ports().start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let member = Unprivileged::of_the_engines_group();
    let made = || docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", "name=^/scratchdbg-[0-9a-z]*-[0-9]+$"]);
    let before = made();
    let wanted = format!("{port}:7100");
    for args in [vec!["--via", "local"], vec!["--via", "sidecar"]] {
        let args = [&["forward", container.name(), ":7104", &wanted], &args[..]].concat();
        member.runs(&args).fails_with(2, &[&format!("cannot listen at 127.0.0.1:{port}"), ":PORT takes any"]);
    }
    assert_eq!(made(), before);
    // What listens at one address is not in the way of another.
    let same = scratchdbg(&["forward", container.name(), ":7100", "--address", "192.0.2.1"]);
    same.fails_with(2, &["cannot listen at 192.0.2.1:0", "--address is an address of this host"]);
}

#[test]
fn what_is_no_port_or_no_target() {
    require_engine!();
    for port in ["http", "0", "65536", "80:db:5432"] {
        scratchdbg(&["forward", "whatever", port]).fails_with(2, &["PORT, LOCAL:PORT or :PORT"]);
    }
    scratchdbg(&["forward", "scratchdbg-test-nothing-of-that-name", ":80"]).fails_with(4, &["nothing-of-that-name"]);
}

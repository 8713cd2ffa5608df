//! Engines that are not reached by their socket, and engines on another host.

#[cfg(feature = "tls")]
mod tls;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;

use crate::support::command::{BINARY, Ended, binary, run, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::engine::inspect;
use crate::{require_engine, require_root};

/// The engine's socket as a port on the loopback address. Ends with the test's process.
fn port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for here in listener.incoming().flatten() {
            thread::spawn(move || join(&here));
        }
    });
    format!("tcp://{address}")
}

fn join(here: &TcpStream) {
    let there = UnixStream::connect("/var/run/docker.sock").expect("the engine's socket");
    let (mut from, mut to) = (here.try_clone().unwrap(), there.try_clone().unwrap());
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    carry(there, here);
    let _ = here.shutdown(Shutdown::Both);
    let _ = up.join();
}

fn carry(mut from: impl Read, mut to: impl Write) {
    let _ = io::copy(&mut from, &mut to);
}

/// As from another host: where the target's process is none that can be seen.
fn elsewhere(args: &[&str]) -> Ended {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", BINARY]).args(args).stdin(Stdio::null());
    run(command)
}

/// Every command, asked of this engine.
fn works(host: &str, container: &Container, ask: impl Fn(&[&str]) -> Ended) {
    let name = container.name();
    let asked = |args: &[&str]| ask(&[args, &["--host", host]].concat()).quietly();
    let ps = asked(&["ps", name, "--json"]).json();
    assert_eq!(ps["processes"][0]["pid"], 1, "{ps:#}");
    assert!(asked(&["ls", &container.at("/")]).text().contains("toolbox"));
    let read = asked(&["cat", &container.at("/etc/notes.txt")]).stdout;
    assert_eq!(read, include_bytes!("../fixtures/toolbox/notes.txt"));
    assert!(asked(&["net", name]).text().contains("SOCKETS"));
    assert!(asked(&["proc", name]).text().contains("/toolbox"));
    assert!(asked(&["logs", name]).text().contains("ready"));
    assert!(asked(&["list"]).text().contains(name));
}

#[test]
fn by_tcp() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let host = port();
    works(&host, &container, |args| scratchdbg(args));
    works(&host, &container, |args| scratchdbg(&[args, &["--via", "sidecar"]].concat()));
}

#[test]
fn where_its_process_is_not_seen_only_the_engine_can_help() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let host = port();
    works(&host, &container, elsewhere);
    // It is the process that tells, not the address: the same by the engine's own socket.
    works("unix:///var/run/docker.sock", &container, elsewhere);
    elsewhere(&["ps", container.name(), "--via", "local"]).fails_with(3, &["its process is not here", "--via sidecar"]);
    // What is told of it is not taken from a process of ours that happens to have its number.
    let json = elsewhere(&["ps", container.name(), "--json"]).quietly().json();
    assert!(json["processes"][0]["host_pid"].is_null(), "{json:#}");
    assert!(inspect(container.id())["State"]["Running"] == true);
}

/// A stand-in for ssh that notes what it was asked to do and does the last part of it here.
fn stand_in(folder: &std::path::Path) {
    let script = format!(
        "#!/bin/sh\necho \"$@\" >>{}/asked\nwhile [ \"$1\" != docker ]; do shift; done\nexec \"$@\"\n",
        folder.display()
    );
    fs::write(folder.join("ssh"), script).unwrap();
    fs::set_permissions(folder.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn by_ssh() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    stand_in(folder.path());
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let ask = |args: &[&str]| {
        let mut command = binary(args);
        command.env("PATH", &path);
        run(command)
    };
    works("ssh://me@example:2222", &container, |args| ask(args));
    works("ssh://me@example:2222", &container, |args| ask(&[args, &["--via", "sidecar"]].concat()));
    let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
    let expected = "-T -o BatchMode=yes -o ConnectTimeout=10 -p 2222 -- me@example docker system dial-stdio";
    assert!(asked.lines().all(|line| line == expected), "{asked}");

    fs::write(
        folder.path().join("ssh"),
        "#!/bin/sh\necho 'me@example: Permission denied (publickey).' >&2\nexit 255\n",
    )
    .unwrap();
    ask(&["ps", container.name(), "--host", "ssh://me@example"])
        .fails_with(5, &["ssh://me@example", "Permission denied (publickey)", "--host"]);
}

//! How long a process stands still while it is looked into: a client asks it every millisecond, and notes the longest time
//! without an answer.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::command::BINARY;
use crate::container::{Container, Run};
use crate::engine::{docker, inspect};
use crate::figure::{Amount, Figure, Goal};
use crate::race::median;

/// Mebibytes that the process has written.
const SIZES: [u64; 3] = [1, 64, 256];
/// Between two questions.
const BREATH: Duration = Duration::from_millis(1);

/// A core beside a live attach, with more and more memory.
pub fn of_a_core(bench: &Bench) -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder");
    SIZES.into_iter().flat_map(|size| one(bench, size, folder.path())).collect()
}

fn one(bench: &Bench, size: u64, folder: &Path) -> [Figure; 2] {
    let container = Run::toolbox(&["echo", &size.to_string()]).flag("--publish=127.0.0.1::7000").start();
    let address = docker(&["port", container.id(), "7000/tcp"]);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=bench.scale.few {
        let gaps =
            (longest(&address, || take_core(&container, folder)), longest(&address, || attach(&container, folder)));
        // The first round warms the caches of all.
        if round > 0 {
            ours.push(gaps.0);
            theirs.push(gaps.1);
        }
    }
    let ours = Amount::Time(median(ours));
    let figure = |what: &str, rival, goal| Figure { what: format!("{what}, {size} MiB of heap"), ours, rival, goal };
    let limit = Duration::from_millis(5) + Duration::from_micros(200) * u32::try_from(size + 2).expect("a size");
    [
        figure("longest pause while `scratchdbg core` takes a core", None, Goal::AtMost(Amount::Time(limit))),
        figure(
            "longest pause while `scratchdbg core` takes a core",
            Some(("dlv attach", Amount::Time(median(theirs)))),
            Goal::FasterTimes(20.0),
        ),
    ]
}

/// The longest time between two answers, while something is done.
pub fn longest(address: &str, act: impl FnOnce()) -> Duration {
    let mut stream = TcpStream::connect(address).expect("the container listens");
    stream.set_nodelay(true).expect("a socket");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            let (mut longest, mut last) = (Duration::ZERO, Instant::now());
            while !over.load(Ordering::Relaxed) {
                stream.write_all(b"?").and_then(|()| stream.read_exact(&mut [0])).expect("it answers");
                longest = longest.max(last.elapsed());
                last = Instant::now();
                // What is asked every millisecond.
                thread::sleep(BREATH);
            }
            longest
        });
        act();
        over.store(true, Ordering::Relaxed);
        client.join().expect("the client")
    })
}

fn take_core(container: &Container, folder: &Path) {
    let mut command = Command::new(BINARY);
    command.args(["core", container.name(), "--yes", "-o"]).arg(folder.join("core"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("the command starts").success());
}

/// Attaches as soon as may be, and lets go again.
fn attach(container: &Container, folder: &Path) {
    let socket = folder.join("dlv.sock");
    let _ = fs::remove_file(&socket);
    let pid = inspect(container.id())["State"]["Pid"].to_string();
    let mut command = Command::new("dlv");
    command.args(["attach", &pid, "--headless", "--listen"]).arg(format!("unix:{}", socket.display()));
    command.env("HOME", folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("dlv is there: scripts/setup dlv");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a pipe");
    let mut connection = UnixStream::connect(&socket).expect("dlv listens");
    connection.write_all(br#"{"method":"RPCServer.Detach","params":[{"Kill":false}],"id":1}"#).expect("dlv listens");
    BufReader::new(connection).read_line(&mut line).expect("dlv answers");
    assert!(child.wait().expect("a child").success(), "{line}");
}

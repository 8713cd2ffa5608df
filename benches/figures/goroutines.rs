//! All goroutines with their stacks, beside Delve doing the same; and what the process notices of it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Bench;
use crate::command::BINARY;
use crate::container::{Container, Run};
use crate::engine::{docker, inspect};
use crate::figure::{Amount, Figure, Goal};
use crate::pause::longest;
use crate::race::{median, timed};

/// How many there are, how long that may take, and whether Delve can be waited for.
const CROWDS: [(u32, Duration, bool); 2] =
    [(10_000, Duration::from_millis(50), true), (100_000, Duration::from_millis(500), false)];
/// How long a client asks while nothing is done, to be compared with.
const QUIET: Duration = Duration::from_millis(500);

/// Time and pause, with few and with many.
pub fn of_a_crowd(bench: &Bench) -> Vec<Figure> {
    CROWDS.into_iter().flat_map(|crowd| one(bench, crowd)).collect()
}

fn one(bench: &Bench, (count, limit, beside): (u32, Duration, bool)) -> Vec<Figure> {
    let container =
        Run::toolbox(&["crowd", &count.to_string()]).flag("--publish=127.0.0.1::7000").patience(crate::MUCH).start();
    let address = docker(&["port", container.id(), "7000/tcp"]);
    let (mut ours, mut theirs, mut sidecar) = (Vec::new(), Vec::new(), Vec::new());
    let (mut pauses, mut quiet, mut stops) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=bench.scale.few {
        let mut time = Duration::ZERO;
        let pause = longest(&address, || time = timed(|| read(&container, &[])));
        let aside = timed(|| read(&container, &["--via", "sidecar"]));
        let nothing = longest(&address, || thread::sleep(QUIET));
        // The first round warms the caches of all.
        if round > 0 {
            ours.push(time);
            sidecar.push(aside);
            pauses.push(pause);
            quiet.push(nothing);
        }
    }
    for _ in 0..if beside { 2 } else { 0 } {
        let mut time = Duration::ZERO;
        stops.push(longest(&address, || time = timed(|| delve(&container, count))));
        theirs.push(time);
    }
    let time = |times| Amount::Time(median(times));
    let what = format!("`scratchdbg goroutines NAME`, {count} goroutines with their stacks, the whole command");
    let (ours, sidecar, pauses) = (time(ours), time(sidecar), time(pauses));
    let limit = Goal::AtMost(Amount::Time(limit));
    let meanwhile = format!("longest pause meanwhile, {count} goroutines");
    let mut figures = vec![
        Figure { what: what.clone(), ours, rival: None, goal: limit },
        Figure {
            what: format!("the same through a sidecar, {count} goroutines"),
            ours: sidecar,
            rival: None,
            goal: Goal::AtMost(Amount::Time(Duration::from_secs(2))),
        },
        Figure {
            what: meanwhile.clone(),
            ours: pauses,
            rival: Some(("nothing", time(quiet))),
            goal: Goal::AtMostTimes(1.5),
        },
    ];
    if beside {
        let dlv = "dlv attach, goroutines -t, exit";
        figures.push(Figure { what, ours, rival: Some((dlv, time(theirs))), goal: Goal::FasterTimes(10.0) });
        figures.push(Figure {
            what: meanwhile,
            ours: pauses,
            rival: Some((dlv, time(stops))),
            goal: Goal::FasterTimes(10.0),
        });
    }
    figures
}

fn read(container: &Container, args: &[&str]) {
    let mut command = Command::new(BINARY);
    command.args(["goroutines", container.name()]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().expect("the command starts").success());
}

/// All goroutines with their stacks on its standard output, as a person would ask for them.
fn delve(container: &Container, count: u32) {
    let pid = inspect(container.id())["State"]["Pid"].to_string();
    let mut command = Command::new("dlv");
    command.args(["attach", &pid, "--allow-non-terminal-interactive=true"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("dlv is there: scripts/setup dlv");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It asks whether to end the process.
    stdin.write_all(b"goroutines -t\nexit\nn\n").expect("dlv reads");
    drop(stdin);
    let output = child.wait_with_output().expect("a child");
    let lines = memchr::memchr_iter(b'\n', &output.stdout).count();
    assert!(lines > count as usize, "Delve told {lines} lines only");
}

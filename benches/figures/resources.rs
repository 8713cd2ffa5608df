//! What the screen costs while it is open: memory, a core's time, and the patience of who presses a key.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{SysconfVar, sysconf};

use crate::Bench;
use crate::attach::{attached, quit};
use crate::container::Run;
use crate::figure::{Amount, Figure, Goal};
use crate::logs::long_log;
use crate::pty::{Terminal, key};
use crate::race::median;
use crate::wait;

/// Opens the tab of the log.
const LOGS: &str = "3";
/// Asks for the log from its beginning, and not for the newest thousand lines.
const ALL: &str = ":since all\r";
/// Lines the screen holds at most.
const MOST: u64 = 1_000_000;
/// Opens the help.
const HELP: &str = "?";
/// Only the help says that.
const HELP_TEXT: &str = "─ Help ─";

/// Nobody presses a key, and the container goes on with its slow and steady life.
pub fn idle(bench: &Bench) -> Vec<Figure> {
    let container = Run::shop().start();
    let mut terminal = attached(&container);
    let window = Duration::from_secs(bench.scale.idle_seconds);
    let (before, start) = (cpu_time(&terminal), Instant::now());
    // The one wait that is for time itself.
    thread::sleep(window);
    let used = cpu_time(&terminal).saturating_sub(before);
    let share = used.as_secs_f64() / start.elapsed().as_secs_f64();
    let memory = memory(&terminal);
    quit(&mut terminal);
    vec![
        Figure {
            what: format!("the open screen, idle for {} s", bench.scale.idle_seconds),
            ours: Amount::Share(share),
            rival: None,
            goal: Goal::AtMost(Amount::Share(0.01)),
        },
        Figure {
            what: "the open screen, memory".to_owned(),
            ours: Amount::Bytes(memory),
            rival: None,
            goal: Goal::AtMost(Amount::Bytes(40 << 20)),
        },
    ]
}

/// The screen while it takes in a very long log, and then holds it.
pub fn a_full_log(bench: &Bench) -> Vec<Figure> {
    let container = long_log(bench.scale.lines);
    let mut terminal = attached(&container);
    terminal.press(LOGS);
    terminal.press(ALL);
    // At once: the log is still being read.
    let while_loading = help_times(&mut terminal, bench.scale.many);
    // What the frame of the log says once all of it is held: the lines of the program, and its last word.
    terminal.wait_for(&format!("{} lines", bench.scale.lines.min(MOST)));
    let memory = memory(&terminal);
    let while_holding = help_times(&mut terminal, bench.scale.many);
    quit(&mut terminal);
    let figure = |what: &str, ours, limit| Figure {
        what: format!("the screen with a log of {} lines, {what}", bench.scale.lines),
        ours,
        rival: None,
        goal: Goal::AtMost(limit),
    };
    let blink = Amount::Time(Duration::from_millis(16));
    vec![
        figure("memory", Amount::Bytes(memory), Amount::Bytes(100 << 20)),
        figure("key to answer while it comes in", Amount::Time(median(while_loading)), blink),
        figure("key to answer when it is there", Amount::Time(median(while_holding)), blink),
    ]
}

/// How long after the key the help was on the screen, or off it.
fn help_times(terminal: &mut Terminal, rounds: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for round in 0..rounds * 2 {
        let wanted = round % 2 == 0;
        let start = Instant::now();
        terminal.press(if wanted { HELP } else { key::ESC });
        terminal.wait_until("the help", |screen| screen.contents().contains(HELP_TEXT) == wanted);
        times.push(start.elapsed());
    }
    times
}

/// The processes of the screen: the one that was started, and all that it started, the helper inside included.
fn processes(terminal: &Terminal) -> BTreeSet<i32> {
    let mut found = BTreeSet::from([terminal.pid()]);
    // A child may have a smaller number than its parent, so look until nothing more is found.
    loop {
        let more: Vec<_> = all_pids().filter(|pid| !found.contains(pid)).filter(|pid| is_child(*pid, &found)).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn all_pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn is_child(pid: i32, of: &BTreeSet<i32>) -> bool {
    stat(pid).is_some_and(|fields| fields[1].parse().is_ok_and(|parent| of.contains(&parent)))
}

/// The fields of `/proc/PID/stat` behind the name: state, parent, …
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

fn cpu_time(terminal: &Terminal) -> Duration {
    let ticks: u64 = processes(terminal)
        .into_iter()
        .filter_map(stat)
        // utime and stime
        .map(|fields| fields[11].parse().unwrap_or(0) + fields[12].parse().unwrap_or(0))
        .sum();
    let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().expect("clock ticks");
    Duration::from_millis(ticks * 1000 / u64::try_from(a_second).expect("clock ticks"))
}

/// Memory in use by all its processes. What two of them share counts twice.
fn memory(terminal: &Terminal) -> u64 {
    let resident = |pid: i32| -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    let kibibytes: u64 = wait::until("the memory of the screen", || {
        let all: Option<Vec<_>> = processes(terminal).into_iter().map(resident).collect();
        Some(all?.into_iter().sum())
    });
    kibibytes << 10
}

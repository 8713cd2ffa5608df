//! Delve on a live process, under guard: whoever is killed, and whenever, the process answers every request and is as it was.
//!
//! `scripts/kill-test` runs many rounds and prints their tally; here are a few.

mod screen;
pub mod session;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::session::Session;
use crate::support::client::asked_for;
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::support::dice::{self, Dice};
use crate::support::process::{has_ended, state, status};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// Rounds of an ordinary test run.
const FEW: u32 = 8;
/// The latest moment a victim is killed at: by then Delve has long attached, and hit breakpoints.
const LATEST: u64 = 900;
/// What every request to buy goes through.
const HIT: &str = "main.(*store).buy";
/// How long a request may take that waits for somebody to be killed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the process may take to be as before. A guard that waits in vain for a thread to stop takes longer.
const SETTLING: Duration = Duration::from_secs(8);
const SECOND: Duration = Duration::from_secs(1);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Delve,
    /// Whom Delve's client speaks with.
    Relay,
    Guard,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Delve, Self::Relay, Self::Guard];
}

/// Waits until nothing of Delve is left, and the process is as it was.
#[track_caller]
pub fn is_as_before(target: &Container) {
    let pid = target.pid();
    let is_well = || {
        assert!(!has_ended(pid), "it has ended: {}", target.logs());
        let runs = status(pid, "TracerPid") == ["0"] && !matches!(state(pid), Some('T' | 't'));
        (runs && session::delve_of(pid).is_none() && changed_text(pid).is_empty()).then_some(())
    };
    if wait::ask_within(SETTLING, is_well).is_none() {
        let (tracer, state) = (status(pid, "TracerPid"), state(pid));
        panic!("tracer {tracer:?}, state {state:?}, text changed at {:x?}", changed_text(pid));
    }
}

/// Where a process's text is not what its file has.
pub fn changed_text(pid: i32) -> Vec<u64> {
    let path = format!("/proc/{pid}/exe");
    let (name, file) = (fs::read_link(&path).unwrap(), fs::File::open(&path).unwrap());
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut changed = Vec::new();
    for line in fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines() {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        if fields.len() < 6 || !fields[1].contains('x') || fields[5] != name.to_str().unwrap() {
            continue;
        }
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (start, end) = fields[0].split_once('-').unwrap();
        let (start, length) = (number(start), usize::try_from(number(end) - number(start)).unwrap());
        let (mut is, mut was) = (vec![0; length], vec![0; length]);
        memory.read_exact_at(&mut is, start).unwrap();
        // The last page may reach beyond the file's end.
        let had = file.read_at(&mut was, number(fields[2])).unwrap();
        changed.extend((0..had).filter(|&at| is[at] != was[at]).map(|at| start + at as u64));
    }
    changed
}

#[test]
fn whoever_is_killed_every_request_is_answered() {
    require_engine!();
    require_root!();
    require_delve!();
    kill_rounds(&[], FEW, LATEST);
}

/// How long it takes from the start of a session until the process is attached to, in milliseconds.
fn time_to_attach(shop: &Container, flags: &[&str]) -> u64 {
    let since = Instant::now();
    let mut session = Session::start(shop, flags);
    let driver = session.connect().drive(HIT, 0);
    wait::until("it to be attached to", || driver.has_attached().then_some(()));
    let took = since.elapsed();
    driver.hang_up();
    is_as_before(shop);
    session.end();
    took.as_millis().try_into().unwrap()
}

/// Kills somebody at a random moment, again and again, while a client of the target asks for pages.
pub fn kill_rounds(flags: &[&str], few: u32, latest: u64) {
    let (rounds, mut dice) = (dice::rounds(few), Dice::thrown());
    println!("seed {}", dice.seed());
    let shop = Run::public_shop().start();
    let before = Residue::of(&shop).but_for_memory();
    let (mut kills, mut attaching, mut held, mut longest) = ([0; 3], 0, 0, Duration::ZERO);
    let requests = asked_for("/buy", PATIENCE, &shop, Duration::from_millis(1), || {
        // On a busy host it takes longer until there is anybody who could be killed.
        let latest = latest.max(3 * time_to_attach(&shop, flags));
        for round in 0..rounds {
            let mut session = Session::start(&shop, flags);
            let debugger = session.connect();
            // Breakpoints hit, steps, and breakpoints hit again, until it is killed.
            let driver = debugger.drive(HIT, dice.below(3));
            wait::exactly(Duration::from_millis(dice.below(latest)));
            let (who, signal) =
                (dice.one_of(&Victim::ALL), dice.one_of(&[Signal::SIGKILL, Signal::SIGHUP, Signal::SIGTERM]));
            let pid = shop.pid();
            attaching += u32::from(!driver.has_attached());
            held += u32::from(state(pid) == Some('t'));
            let victim = match who {
                Victim::Delve => session::delve_of(pid),
                Victim::Guard => session::guard_of(pid),
                Victim::Relay => Some(session.pid()),
            };
            if let Some(victim) = victim {
                kills[who as usize] += u32::from(kill(Pid::from_raw(victim), signal).is_ok());
            }
            println!("round {round}: {signal} to {who:?}, attached: {}, state {:?}", driver.has_attached(), state(pid));
            let since = Instant::now();
            driver.hang_up();
            is_as_before(&shop);
            session.end();
            longest = longest.max(since.elapsed());
        }
    });
    println!(
        "{rounds} rounds; killed: dlv {}, whom it answers {}, guard {}; {attaching} times while it attached, {held} times while \
         the target stood still; requests answered {}, failed {}; until all was as before at most {:.2} s",
        kills[0],
        kills[1],
        kills[2],
        requests.answered,
        requests.failed,
        longest.as_secs_f64()
    );
    assert_eq!(requests.failed, 0);
    assert!(kills.iter().sum::<u32>() > rounds / 3, "{kills:?}");
    before.assert_unchanged(&shop);
    // And then it can be debugged.
    let mut session = Session::start(&shop, flags);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    drop(debugger);
    session.end();
    is_as_before(&shop);
}

#[test]
fn a_later_panic_still_prints() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::toolbox(&["echo", "1"]).start();
    let mut session = Session::start(&container, &[]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    assert!(!changed_text(container.pid()).is_empty(), "Delve has breakpoints of its own");
    kill(Pid::from_raw(session::delve_of(container.pid()).unwrap()), Signal::SIGKILL).unwrap();
    is_as_before(&container);
    session.end();
    kill(Pid::from_raw(container.pid()), Signal::SIGUSR1).unwrap();
    container.wait_for_log("panic: as it was asked to");
    container.wait_for_state("exited");
    assert_eq!(crate::support::engine::inspect(container.id())["State"]["ExitCode"], 2);
}

#[test]
fn what_two_have_left_a_third_takes_away() {
    require_engine!();
    require_root!();
    require_delve!();
    let shop = Run::public_shop().start();
    let mut session = Session::start(&shop, &[]);
    // A breakpoint that nobody comes to any more.
    let driver = session.connect().drive("main.api", 0);
    wait::until("it to run", || (driver.has_attached() && state(shop.pid()) != Some('t')).then_some(()));
    assert!(!changed_text(shop.pid()).is_empty());
    let victims = [session::guard_of(shop.pid()), session::delve_of(shop.pid())];
    for victim in victims {
        kill(Pid::from_raw(victim.unwrap()), Signal::SIGKILL).unwrap();
    }
    is_as_before(&shop);
    driver.hang_up();
    session.end();
}

#[test]
fn it_stands_still_no_longer_than_it_may() {
    require_engine!();
    require_root!();
    require_delve!();
    let shop = Run::public_shop().start();
    let mut session = Session::start(&shop, &["--pause", "1s"]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    let since = Instant::now();
    assert_eq!(state(shop.pid()), Some('t'));
    // Nobody says anything any more.
    wait::until("it to be let go", || (status(shop.pid(), "TracerPid") == ["0"]).then_some(()));
    assert!(since.elapsed() < SECOND * 3, "{:?}", since.elapsed());
    is_as_before(&shop);
    drop(debugger);
    assert!(session.end().contains("as long as it may"));
}

#[test]
fn it_can_be_stopped_as_fast_as_ever() {
    require_engine!();
    require_root!();
    require_delve!();
    for verb in ["stop", "kill", "rm --force"] {
        let shop = Run::public_shop().start();
        let mut session = Session::start(&shop, &[]);
        let mut debugger = session.connect();
        debugger.asks("State", "{}");
        assert_eq!(state(shop.pid()), Some('t'));
        let since = Instant::now();
        let mut words: Vec<_> = verb.split(' ').collect();
        words.push(shop.id());
        crate::support::engine::docker(&words);
        assert!(since.elapsed() < SECOND * 5, "docker {verb}: {:?}", since.elapsed());
        drop(debugger);
        session.end();
    }
}

#[test]
fn no_client_has_it_killed() {
    require_engine!();
    require_root!();
    require_delve!();
    let shop = Run::public_shop().start();
    let mut session = Session::start(&shop, &[]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    debugger.asks("Detach", r#"{"Kill":true}"#);
    is_as_before(&shop);
    drop(debugger);
    // The next one is welcome.
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    drop(debugger);
    is_as_before(&shop);
    session.end();
}

#[test]
fn a_snapshot_is_looked_at_while_it_serves_on() {
    require_engine!();
    require_root!();
    require_delve!();
    let shop = Run::public_shop().start();
    let mut session = Session::start(&shop, &["--snapshot"]);
    let mut debugger = session.connect();
    let all = debugger.asks("ListGoroutines", r#"{"Start":0,"Count":100}"#);
    assert!(all["Goroutines"].as_array().is_some_and(|all| all.len() > 5), "{all:#}");
    is_as_before(&shop);
    drop(debugger);
    assert!(session.wait().contains("stopped for about"));
}

#[test]
fn what_must_not_be_touched_is_not() {
    require_engine!();
    require_root!();
    let shop = Run::public_shop().start();
    scratchdbg(&["dlv", shop.name(), "--read-only"]).fails_with(2, &["--read-only forbids"]);
    require_delve!();
    // Stopped by somebody, it would go on by being debugged.
    kill(Pid::from_raw(shop.pid()), Signal::SIGSTOP).unwrap();
    wait::until("it to stop", || (state(shop.pid()) == Some('T')).then_some(()));
    let mut session = Session::start(&shop, &[]);
    drop(session.connect());
    assert!(session.wait().contains("it is stopped"));
    assert_eq!(state(shop.pid()), Some('T'));
    kill(Pid::from_raw(shop.pid()), Signal::SIGCONT).unwrap();
}

//! Killed at any instant: whoever of us is killed, and whenever, the target answers on and nothing stays.
//!
//! `scripts/kill-test` runs many rounds and prints their tally; here are a few.

use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::support::engine::docker;
use crate::support::process::{all_pids, command_line, has_ended, parent};
use crate::support::pty::Terminal;
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_engine, require_root};

/// Rounds of an ordinary test run.
const FEW: u32 = 16;
/// The latest moment a victim is killed at: by then the slowest door has long been open.
const LATEST: u64 = 600;
/// Between two requests of the client.
const BREATH: Duration = Duration::from_millis(5);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Screen,
    Broker,
    Helper,
    Sidecar,
}

/// Asks the target for a page again and again.
struct Client {
    answered: AtomicUsize,
    failed: AtomicUsize,
    over: AtomicBool,
}

impl Client {
    fn run(&self, pid: i32, address: &str) {
        while !self.over.load(Ordering::Relaxed) {
            let counter = if answers(address) { &self.answered } else { &self.failed };
            counter.fetch_add(1, Ordering::Relaxed);
            wait::exactly(BREATH);
            assert!(!has_ended(pid), "the target itself has ended");
        }
    }
}

fn answers(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().is_ok_and(|text| text.starts_with("HTTP/1.0 200"))
}

/// A pseudo-random number below `below`; the seed is printed, so that a round can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        // xorshift64 (Marsaglia, 2003)
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// The processes of ours that hang on a screen: its children's children, and what the engine runs for it.
fn victims(screen: i32, container: &Container, who: Victim) -> Vec<i32> {
    let below = |of: i32| all_pids().filter(move |&pid| parent(pid) == Some(of));
    match who {
        Victim::Screen => vec![screen],
        Victim::Broker => below(screen).collect(),
        Victim::Helper => below(screen).flat_map(below).collect(),
        Victim::Sidecar => {
            let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
            let its = namespace(container.pid());
            all_pids().filter(|&pid| command_line(pid).starts_with("/shim\0") && namespace(pid) == its).collect()
        }
    }
}

#[test]
fn at_any_instant() {
    require_engine!();
    require_root!();
    let rounds = env::var("SCRATCHDBG_KILL_ROUNDS").ok().map_or(FEW, |text| text.parse().expect("a number of rounds"));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed =
        env::var("SCRATCHDBG_KILL_SEED").ok().map_or(u64::from(clock.subsec_nanos()) | 1, |s| s.parse().unwrap());
    let mut dice = Dice(seed);
    let container = Run::shop().flag("--publish=127.0.0.1::8080").start();
    let address = docker(&["port", container.id(), "8080/tcp"]);
    let before = Residue::of(&container).but_for_memory();
    let client = Client { answered: 0.into(), failed: 0.into(), over: false.into() };
    let mut kills = [0; 4];

    let pid = container.pid();
    thread::scope(|scope| {
        let asking = scope.spawn(|| client.run(pid, &address));
        for _ in 0..rounds {
            let via = ["local", "sidecar"][usize::try_from(dice.below(2)).unwrap()];
            let all = [Victim::Screen, Victim::Broker, Victim::Helper, Victim::Sidecar];
            let who = usize::try_from(dice.below(4)).unwrap();
            let terminal = Terminal::scratchdbg(&["attach", container.name(), "--via", via]);
            wait::exactly(Duration::from_millis(dice.below(LATEST)));
            for pid in victims(terminal.pid(), &container, all[who]) {
                // It may have ended by itself just now.
                kills[who] += usize::from(kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok());
            }
            // And then the rest, as a closed terminal would.
            drop(terminal);
        }
        // The next one gets in, by either door.
        for via in ["local", "sidecar"] {
            scratchdbg(&["ps", container.name(), "--via", via]).quietly();
        }
        client.over.store(true, Ordering::Relaxed);
        asking.join().expect("the client");
    });
    // Those that were started end by themselves.
    wait::until("the sidecars to end", || {
        let running = docker(&["ps", "--quiet", "--filter", "label=io.scratchdbg.owner=scratchdbg"]);
        running.is_empty().then_some(())
    });
    let half_made = half_made();
    println!(
        "seed {seed}: {rounds} rounds; killed: screen {}, broker {}, helper {}, sidecar {}; requests answered {}, failed {}; \
         half-made sidecars that wait for the next one {half_made}",
        kills[0],
        kills[1],
        kills[2],
        kills[3],
        client.answered.load(Ordering::Relaxed),
        client.failed.load(Ordering::Relaxed),
    );
    assert_eq!(client.failed.load(Ordering::Relaxed), 0);
    assert!(client.answered.load(Ordering::Relaxed) > 0 && kills.iter().sum::<usize>() > 0);
    scratchdbg(&["clean", "--yes"]).ok();
    before.assert_unchanged(&container);
}

/// What was being made when its maker was killed, and never started. The next sidecar takes it away once it is a minute
/// old, and `clean` at once.
fn half_made() -> usize {
    let owner = "label=io.scratchdbg.owner=scratchdbg";
    let containers = docker(&["ps", "--all", "--quiet", "--filter", "status=created", "--filter", owner]);
    let images = docker(&["images", "--quiet", "--filter", owner]);
    containers.lines().count() + images.lines().count()
}

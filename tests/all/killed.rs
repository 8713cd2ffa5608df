//! Killed at any instant: whoever of us is killed, and whenever, the target answers on and nothing stays.
//!
//! `scripts/kill-test` runs many rounds and prints their tally; here are a few.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::client::asked_meanwhile;
use crate::support::command::{binary, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::dice::{self, Dice};
use crate::support::engine::{docker, is_podman, try_docker};
use crate::support::process::{all_pids, command_line, parent, read};
use crate::support::pty::Terminal;
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_engine, require_root};

/// Rounds of an ordinary test run.
const FEW: u32 = 16;
/// The latest moment a victim is killed at: by then the slowest door has long been open.
const LATEST: u64 = 600;
/// How long it may take until nothing is left of those that were killed.
const DUST: Duration = Duration::from_secs(40);
/// Between two requests of the client.
const BREATH: Duration = Duration::from_millis(5);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Screen,
    Broker,
    Helper,
    Sidecar,
    /// The engine's daemon. Only one that was started for the tests, which is started again (`scripts/with-podman`).
    Engine,
}

impl Victim {
    const ALL: [Self; 5] = [Self::Screen, Self::Broker, Self::Helper, Self::Sidecar, Self::Engine];
}

/// The processes of ours that hang on a screen: its children's children, and what the engine runs for it.
fn victims(screen: i32, container: &Container, who: Victim) -> Vec<i32> {
    // Not who waits for the end of its maker: it is there for when the maker is killed, and what is left if both are is
    // for the next sidecar.
    let is_victim = |pid: i32| !command_line(pid).starts_with("scratchdbg\0undertaker\0");
    let below = |of: i32| all_pids().filter(move |&pid| parent(pid) == Some(of) && is_victim(pid));
    match who {
        Victim::Screen => vec![screen],
        Victim::Broker => below(screen).collect(),
        Victim::Helper => below(screen).flat_map(below).collect(),
        Victim::Engine => daemon().into_iter().collect(),
        Victim::Sidecar => {
            let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
            let its = namespace(container.pid());
            all_pids().filter(|&pid| command_line(pid).starts_with("/shim\0") && namespace(pid) == its).collect()
        }
    }
}

/// The engine's daemon, if it is there to be killed.
fn daemon() -> Option<i32> {
    let file = env::var_os("SCRATCHDBG_ENGINE_SERVICE")?;
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Waits for an engine that has been killed to be there again.
fn wait_for_the_engine() {
    wait::until("the engine to answer", || try_docker(&["version"]).ok());
}

#[test]
fn at_any_instant() {
    require_engine!();
    require_root!();
    let (rounds, mut dice) = (dice::rounds(FEW), Dice::thrown());
    let seed = dice.seed();
    let container = Run::shop().flag("--publish=127.0.0.1::8080").start();
    let before = Residue::of(&container).but_for_memory();
    let mut kills = [0; Victim::ALL.len()];
    let victims_there = Victim::ALL.len() as u64 - u64::from(daemon().is_none());

    let requests = asked_meanwhile(&container, BREATH, || {
        for _ in 0..rounds {
            let via = ["local", "sidecar"][usize::try_from(dice.below(2)).unwrap()];
            let who = usize::try_from(dice.below(victims_there)).unwrap();
            let terminal = Terminal::scratchdbg(&["attach", container.name(), "--via", via]);
            wait::exactly(Duration::from_millis(dice.below(LATEST)));
            for pid in victims(terminal.pid(), &container, Victim::ALL[who]) {
                // It may have ended by itself just now.
                kills[who] += usize::from(kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok());
            }
            // And then the rest, as a closed terminal would.
            drop(terminal);
            wait_for_the_engine();
        }
        // The next one gets in, by either door.
        for via in ["local", "sidecar"] {
            scratchdbg(&["ps", container.name(), "--via", via]).quietly();
        }
    });
    // Those that were started end by themselves.
    wait::until("the sidecars to end", || {
        let running = docker(&["ps", "--quiet", "--filter", "label=io.scratchdbg.owner=scratchdbg"]);
        running.is_empty().then_some(())
    });
    // And so is what was being made when its maker was killed, by whoever waited for that. An engine that was killed itself
    // may keep an image without a name, which it believes to be in use: that is for `clean`.
    let dust = wait::ask_within(DUST, || (half_made() == Some(0)).then_some(()));
    let left_over = wait::until("the engine to say what is there", half_made);
    let killed = |who: Victim| kills[who as usize];
    let forgotten = if killed(Victim::Engine) > 0 { forgotten_by_the_engine(&container) } else { 0 };
    println!(
        "seed {seed}: {rounds} rounds; killed: screen {}, broker {}, helper {}, sidecar {}, engine {}; requests answered {}, failed {}; \
         left over {}; started and forgotten by an engine that was killed {forgotten}",
        killed(Victim::Screen),
        killed(Victim::Broker),
        killed(Victim::Helper),
        killed(Victim::Sidecar),
        killed(Victim::Engine),
        requests.answered,
        requests.failed,
        left_over,
    );
    assert!(dust.is_some() || killed(Victim::Engine) > 0, "{left_over} are left over");
    scratchdbg(&["clean", "--yes"]).ok();
    assert_eq!(wait::until("the engine to say what is there", half_made), 0);
    assert_eq!(requests.failed, 0);
    assert!(requests.answered > 0 && kills.iter().sum::<usize>() > 0);
    before.assert_unchanged(&container);
}

/// A daemon of Podman's that is killed while it makes a container may not know of it afterwards: what it had started
/// waits in the target's namespaces for the word to go on, until the target ends. Only root can find it, and ends it here.
fn forgotten_by_the_engine(container: &Container) -> usize {
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let its = namespace(container.pid());
    let waits = |pid: &i32| read(format!("/proc/{pid}/comm")).starts_with("runc:[") && namespace(*pid) == its;
    all_pids().filter(waits).filter(|&pid| kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()).count()
}

/// What was being made when its maker was killed, and never started. `None` while the engine cannot say: Podman fails to list
/// images of which one is just being removed.
fn half_made() -> Option<usize> {
    let owner = "label=io.scratchdbg.owner=scratchdbg";
    let containers = try_docker(&["ps", "--all", "--quiet", "--filter", "status=created", "--filter", owner]).ok()?;
    let images = try_docker(&["images", "--quiet", "--filter", owner]).ok()?;
    Some(containers.lines().count() + images.lines().count())
}

/// Each is killed as soon as the engine has its image, long before its container runs.
#[test]
fn what_was_half_made_is_taken_away() {
    require_engine!();
    if is_podman() {
        // It tells of an import in other words. The rounds above meet it there, too.
        return;
    }
    let container = Run::toolbox(&["sleep"]).start();
    let mut events = Command::new("docker");
    let imports =
        ["events", "--filter", "type=image", "--filter", "event=import", "--filter", "event=pull", "--format", "{{.}}"];
    let mut events = events.args(imports).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut told = BufReader::new(events.stdout.take().unwrap()).lines();
    for _ in 0..5 {
        let mut command = binary(&["ls", &container.at("/"), "--via", "sidecar"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        told.next().unwrap().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    events.kill().unwrap();
    events.wait().unwrap();
    wait::until_within(DUST, "what was half made to be taken away", || (half_made() == Some(0)).then_some(()));
}

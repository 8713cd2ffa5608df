//! The tab Debug on a live process: whoever of it is killed, and whenever, the process answers every request and is as it was.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, is_as_before, session};
use crate::support::client::asked_for;
use crate::support::container::{Container, Run};
use crate::support::dice::{self, Dice};
use crate::support::process::state;
use crate::support::pty::{Setup, Terminal};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// Rounds of an ordinary test run.
const FEW: u32 = 5;
/// The latest moment of a phase at which somebody is killed, in milliseconds. Attaching takes about so long.
const LATEST: u64 = 600;

/// What the session does when somebody is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Attaching,
    /// It runs, with a breakpoint that nobody comes to.
    Running,
    /// It stands still at a breakpoint.
    Stopped,
    /// It comes to a breakpoint again and again, and is let run on.
    Hitting,
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Screen,
    Delve,
    Guard,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Attaching, Self::Running, Self::Stopped, Self::Hitting];

    /// Brings a session there, and some way further.
    fn reach(self, target: &Container, dice: &mut Dice) -> Terminal {
        let mut terminal = attached(target);
        let late = Duration::from_millis(dice.below(LATEST));
        if self == Self::Attaching {
            wait::exactly(late);
            return terminal;
        }
        let function = if self == Self::Running { "main.api" } else { "main.(*store).buy" };
        run_into(&mut terminal, function);
        match self {
            Self::Attaching | Self::Running => terminal.wait_for("RUNNING 00:"),
            Self::Stopped | Self::Hitting => terminal.wait_for("breakpoint 1 "),
        }
        let end = Instant::now() + late;
        while self == Self::Hitting && Instant::now() < end {
            terminal.press("c");
            wait::exactly(Duration::from_millis(dice.below(30)));
        }
        wait::exactly(end.saturating_duration_since(Instant::now()));
        terminal
    }
}

impl Victim {
    const ALL: [Self; 3] = [Self::Screen, Self::Delve, Self::Guard];

    fn of(self, terminal: &Terminal, target: &Container) -> Option<i32> {
        match self {
            Self::Screen => Some(terminal.pid()),
            Self::Delve => session::delve_of(target.pid()),
            Self::Guard => session::guard_of(target.pid()),
        }
    }
}

/// A screen that attaches to a process just now.
fn attached(target: &Container) -> Terminal {
    let mut terminal = Setup::scratchdbg(&["attach", target.name()]).start();
    terminal.wait_for("RUNNING");
    terminal.press("7");
    terminal.wait_for("takes a snapshot");
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.press("y");
    terminal
}

/// Sets a breakpoint, and lets it run.
fn run_into(terminal: &mut Terminal, function: &str) {
    terminal.wait_for("of 00:30, attached");
    terminal.press(&format!(":break {function}\r"));
    terminal.wait_for("Breakpoints 1");
    terminal.press("c");
}

#[test]
fn whoever_is_killed_every_request_is_answered() {
    require_engine!();
    require_root!();
    require_delve!();
    let (rounds, mut dice) = (dice::rounds(FEW), Dice::thrown());
    println!("seed {}", dice.seed());
    let shop = Run::public_shop().start();
    let before = Residue::of(&shop).but_for_memory();
    let (mut phases, mut kills, mut held, mut longest) = ([0; 4], [0; 3], 0, Duration::ZERO);
    let requests = asked_for("/buy", PATIENCE, &shop, Duration::from_millis(1), || {
        for round in 0..rounds {
            let (phase, who) = (dice.one_of(&Phase::ALL), dice.one_of(&Victim::ALL));
            let signal = dice.one_of(&[Signal::SIGKILL, Signal::SIGHUP, Signal::SIGTERM]);
            let terminal = phase.reach(&shop, &mut dice);
            let is = state(shop.pid());
            if let Some(victim) = who.of(&terminal, &shop) {
                kills[who as usize] += u32::from(kill(Pid::from_raw(victim), signal).is_ok());
                phases[phase as usize] += 1;
                held += u32::from(is == Some('t'));
            }
            println!("round {round}: {signal} to {who:?}, {phase:?}, state {is:?}");
            let since = Instant::now();
            // One that has lost its debugger is left; one that attaches still goes on to.
            if who != Victim::Screen {
                let _ = kill(Pid::from_raw(terminal.pid()), Signal::SIGTERM);
            }
            is_as_before(&shop);
            longest = longest.max(since.elapsed());
        }
    });
    println!(
        "{rounds} rounds with the screen; killed: the screen {}, dlv {}, guard {}; while it attached {}, ran {}, stood at a \
         breakpoint {}, came to one again and again {}; {held} times while the target stood still; requests answered {}, failed {}; \
         until all was as before at most {:.2} s",
        kills[0],
        kills[1],
        kills[2],
        phases[0],
        phases[1],
        phases[2],
        phases[3],
        requests.answered,
        requests.failed,
        longest.as_secs_f64()
    );
    assert_eq!(requests.failed, 0);
    assert!(kills.iter().sum::<u32>() > rounds / 2, "{kills:?}");
    before.assert_unchanged(&shop);
}

#[test]
fn a_later_panic_still_prints() {
    require_engine!();
    require_root!();
    require_delve!();
    for signal in [Signal::SIGKILL, Signal::SIGHUP, Signal::SIGTERM] {
        let container = Run::toolbox(&["echo", "1"]).start();
        let mut terminal = attached(&container);
        run_into(&mut terminal, "runtime.gopanic");
        terminal.wait_for("RUNNING 00:");
        assert!(!super::changed_text(container.pid()).is_empty(), "there is no breakpoint in it");
        terminal.signal(signal);
        is_as_before(&container);
        kill(Pid::from_raw(container.pid()), Signal::SIGUSR1).unwrap();
        container.wait_for_log("panic: as it was asked to");
        container.wait_for_state("exited");
        assert_eq!(crate::support::engine::inspect(container.id())["State"]["ExitCode"], 2);
    }
}

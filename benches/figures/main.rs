//! The figures of `docs/performance.md`: what scratchdbg takes beside what one would use instead, all in one run.
//!
//! `scripts/bench` builds and runs it. `scripts/bench NAME…` measures only these; `--quick` makes everything smaller.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

// The harness of the black-box tests starts the containers and reads the screens here as well.
#[allow(dead_code)]
#[path = "../../tests/all/support/command.rs"]
mod command;
#[allow(dead_code)]
#[path = "../../tests/all/support/container.rs"]
mod container;
#[allow(dead_code)]
#[path = "../../tests/all/support/engine.rs"]
mod engine;
#[allow(dead_code)]
#[path = "../../tests/all/support/pty.rs"]
mod pty;
#[path = "../../tests/all/support/pty_modes.rs"]
mod pty_modes;
#[allow(dead_code)]
#[path = "../../tests/all/support/wait.rs"]
mod wait;

mod attach;
mod copying;
mod figure;
mod goroutines;
mod listing;
mod logs;
mod machine;
mod pause;
mod race;
mod resources;
mod sidecar;
mod startup;

use std::process::ExitCode;
use std::time::Duration;

use figure::Figure;
use scratchdbg::entry::Broker;

/// How large and how often.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Rounds of what takes milliseconds.
    pub many: usize,
    /// Rounds of what takes seconds.
    pub few: usize,
    pub files: u64,
    pub bytes: u64,
    pub lines: u64,
    pub idle_seconds: u64,
}

/// How long a container may take to make a million lines or a gibibyte.
pub const MUCH: Duration = Duration::from_secs(300);

const FULL: Scale = Scale { many: 50, few: 5, files: 100_000, bytes: 1 << 30, lines: 1_000_000, idle_seconds: 20 };
const QUICK: Scale = Scale { many: 10, few: 2, files: 10_000, bytes: 64 << 20, lines: 50_000, idle_seconds: 3 };

/// What every measurement is given.
pub struct Bench {
    pub scale: Scale,
    pub broker: Broker,
}

/// One measurement: its name on the command line, and what makes its lines of the table.
type Measurement = (&'static str, fn(&Bench) -> Vec<Figure>);

const MEASUREMENTS: [Measurement; 11] = [
    ("first-byte", startup::first_byte),
    ("ls", startup::whole_command),
    ("attach", attach::first_screen),
    ("list", listing::large_directory),
    ("copy", copying::large_file),
    ("logs", logs::to_a_pipe),
    ("screen", resources::a_full_log),
    ("idle", resources::idle),
    ("sidecar", sidecar::beside),
    ("pause", pause::of_a_core),
    ("goroutines", goroutines::of_a_crowd),
];

fn main() -> ExitCode {
    // First of all, as the program itself does it: it forks, and a fork with threads around is a dangerous thing.
    let broker = Broker::start().expect("a broker");
    let (options, names): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    // Cargo hands on --bench.
    let unknown = options.iter().find(|option| !matches!(option.as_str(), "--quick" | "--bench"));
    let unknown = unknown.or_else(|| names.iter().find(|name| !MEASUREMENTS.iter().any(|(known, _)| known == name)));
    if let Some(unknown) = unknown {
        let known: Vec<_> = MEASUREMENTS.iter().map(|(name, _)| *name).collect();
        eprintln!("bench: {unknown} is nothing that can be measured; these are: {} (and --quick)", known.join(" "));
        return ExitCode::from(2);
    }
    if let Some(missing) = engine::missing() {
        eprintln!("bench: {missing}");
        return ExitCode::from(5);
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("bench: entering a container from this host needs root");
        return ExitCode::from(3);
    }

    let scale = if options.iter().any(|option| option == "--quick") { QUICK } else { FULL };
    let bench = Bench { scale, broker };
    let mut figures = Vec::new();
    for (name, measure) in MEASUREMENTS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("measuring {name} …");
            figures.extend(measure(&bench));
        }
    }
    println!("{}\n\n{}", machine::description(), figure::table(&figures));
    ExitCode::SUCCESS
}

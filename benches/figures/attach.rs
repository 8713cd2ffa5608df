//! Opening the screen.

use std::time::Duration;

use crate::Bench;
use crate::container::{Container, Run};
use crate::figure::{Figure, Goal};
use crate::pty::{Setup, Terminal, key};
use crate::race::{Way, race, timed, whole};

/// From the start of `scratchdbg attach` to a screen that has nothing left to fill in.
pub fn first_screen(bench: &Bench) -> Vec<Figure> {
    let container = Run::shop().start();
    // A program that ends at once: what the engine itself needs for one look inside.
    let other = Run::toolbox(&["sleep"]).start();
    let mut ways: [Way<'_>; 2] =
        [Box::new(|| attach_and_quit(&container)), whole("docker", &["exec", other.name(), "/first-byte"], 1)];
    let taken = race(bench.scale.many / 2, &mut ways);
    vec![Figure {
        what: "`scratchdbg attach` to its first complete screen".to_owned(),
        ours: taken[0],
        rival: Some(("docker exec NAME true", taken[1])),
        goal: Goal::AtMostTimes(1.0),
    }]
}

fn attach_and_quit(container: &Container) -> Duration {
    let mut terminal = None;
    let time = timed(|| terminal = Some(attached(container)));
    let mut terminal = terminal.expect("just started");
    quit(&mut terminal);
    time
}

/// The screen of a container, once it is complete.
pub fn attached(container: &Container) -> Terminal {
    let terminal = Setup::scratchdbg(&["attach", container.name()]).start();
    terminal.wait_until("a complete screen", |screen| is_complete(&screen.contents(), container));
    terminal
}

/// The first screen is complete when every part of it has its data: the engine's, the helper's, the program's.
fn is_complete(text: &str, container: &Container) -> bool {
    let parts = [container.name(), "running", "namespaces", "scratch: no shell", "module", "directory", " process"];
    parts.into_iter().all(|part| text.contains(part)) && !text.contains(" …")
}

pub fn quit(terminal: &mut Terminal) {
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
}

//! The screen.
//!
//! [`app`] holds the state and the one pure function that changes it; [`screens`] draw it; [`effects`] do what it
//! wants done; [`runtime`] ties them together; [`terminal`] borrows the terminal and gives it back.

pub mod app;
pub mod effect;
pub mod effects;
#[cfg(test)]
#[allow(missing_docs, reason = "names say it all")]
pub mod fake;
pub mod keymap;
pub mod layout;
pub mod message;
pub mod runtime;
pub mod screens;
pub mod sgr;
pub mod terminal;
pub mod theme;
pub mod widgets;
pub mod words;

use tokio::sync::mpsc;

use crate::activity::Journal;
use crate::cli::Color;
use crate::engine::docker::Docker;
use crate::engine::kube;
use crate::entry::{Access, Broker};
use crate::exit::{Exit, Explain, Failure};
use crate::target::TargetName;
use app::pods::Source;
use app::{App, Options};
use effect::Place;
use theme::ThemeChoice;

/// Messages that may wait. A flood waits where it comes from.
const QUEUE: usize = 64;

/// What the screen needs to begin.
pub struct Start {
    /// What to open at once; nothing shows the list of containers.
    pub target: Option<TargetName>,
    /// Whose containers are listed first.
    pub source: Source,
    /// Where pods are listed, and which.
    pub place: Place,
    /// Whether a container may be added to a pod unasked.
    pub trusting: bool,
    /// The engine, or why none could be chosen.
    pub engine: Result<Docker, Failure>,
    /// Which cluster, for pods.
    pub cluster: kube::Options,
    /// Which of a pod's containers, where the name does not tell.
    pub container: Option<String>,
    /// Where the container runtime of this node listens, if that was said.
    pub cri_socket: Option<String>,
    /// How to enter.
    pub access: Access,
    /// The privileged half.
    pub broker: Broker,
    /// What is done, step by step.
    pub journal: Journal,
    /// Whether there may be colours.
    pub color: Color,
    /// Whether nothing may be changed.
    pub read_only: bool,
}

/// Why the screen ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The terminal cannot be drawn on.
    #[error("the terminal cannot be drawn on: {0}")]
    Draw(String),
    /// What was named at the start cannot be shown.
    #[error("{}", .0.message)]
    Target(Box<Failure>),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Target(failure) => failure.hint.clone(),
            _ => Some("everything the screen shows has a command: ps, proc, net, ls, cat, logs".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Target(failure) => failure.exit,
            _ => Exit::Usage,
        }
    }
}

/// Colours as asked for and as the environment wishes. `NO_COLOR` (no-color.org) counts unless told otherwise.
fn theme(color: Color, no_color: bool) -> ThemeChoice {
    match color {
        Color::Never => ThemeChoice::Mono,
        Color::Auto if no_color => ThemeChoice::Mono,
        Color::Auto | Color::Always => ThemeChoice::Ansi,
    }
}

/// Shows the screen until it is left.
///
/// # Errors
/// If the terminal cannot be used, or goes away.
pub async fn run(start: Start) -> Result<(), Error> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let options = Options {
        target: start.target,
        source: start.source,
        place: start.place,
        trusting: start.trusting,
        theme: theme(start.color, no_color),
        read_only: start.read_only,
        size: crossterm::terminal::size()?,
    };
    let signals = runtime::signals()?;
    let (out, messages) = mpsc::channel(QUEUE);
    let runner = effects::Live::new(
        start.engine,
        effects::Clusters { options: start.cluster, container: start.container, cri_socket: start.cri_socket },
        start.access,
        start.broker,
        start.journal,
        out,
    );
    let (app, effects) = App::new(options);
    let mut guard = terminal::Guard::enter()?;
    let terminal = guard.terminal()?;
    let input = runtime::input(crossterm::event::EventStream::new());
    let result =
        runtime::Runtime { app, terminal, console: &mut guard, runner, input, messages, signals }.run(effects).await;
    drop(guard);
    match result? {
        runtime::End::Quit | runtime::End::Signal => Ok(()),
        runtime::End::Failed(failure) => Err(Error::Target(Box::new(failure))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_means_no_colour() {
        for (color, no_color, choice) in [
            (Color::Auto, false, ThemeChoice::Ansi),
            (Color::Auto, true, ThemeChoice::Mono),
            (Color::Never, false, ThemeChoice::Mono),
            (Color::Always, true, ThemeChoice::Ansi),
        ] {
            assert_eq!(theme(color, no_color), choice);
        }
    }
}

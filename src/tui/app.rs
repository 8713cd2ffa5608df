//! The state of the screen, and the one function that changes it.
//!
//! Nothing here does anything in the world: no I/O, no clock, no tasks. [`update`] takes one [`Msg`], changes the
//! [`App`], and says with [`Effect`]s what is to be done. Time comes in with [`Msg::Tick`].

mod act;
pub mod activity;
mod arrive;
mod ask;
mod command;
pub mod cursor;
pub mod debug;
mod enabled;
pub mod files;
pub mod golang;
pub mod held;
pub mod layer;
pub mod logs;
mod motion;
pub mod net;
mod open;
pub mod overview;
pub mod pattern;
pub mod picker;
pub mod pods;
mod poll;
pub mod process;
pub mod procs;
pub mod prompt;
pub mod secret;
pub mod viewer;
pub mod workspace;
mod yank;

use std::time::Duration;

use crate::exit::Failure;
use crate::target::TargetName;
use crate::tui::effect::{Effect, Place};
use crate::tui::keymap::{self, Key, Meaning, Mode};
use crate::tui::message::{Clock, Msg};
use crate::tui::theme::{Theme, ThemeChoice};
use activity::Activity;
use layer::Layer;
use picker::Picker;
use pods::{Pods, Source};
use prompt::{Prompt, Purpose};
use workspace::Workspace;

/// How long a small message stays.
const TOAST: Duration = Duration::from_secs(8);
/// Older commands kept.
const HISTORY: usize = 200;

/// What the screen starts with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What to open at once; nothing shows the list of containers.
    pub target: Option<TargetName>,
    /// Whose containers are listed first.
    pub source: Source,
    /// Where pods are listed, and which.
    pub place: Place,
    /// Whether a container may be added to a pod unasked.
    pub trusting: bool,
    /// Colours.
    pub theme: ThemeChoice,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Columns and rows.
    pub size: (u16, u16),
}

/// Everything there is on the screen and behind it.
#[derive(Debug, Clone)]
pub struct App {
    /// Columns and rows.
    pub size: (u16, u16),
    /// When it is.
    pub clock: Clock,
    /// Colours.
    pub theme: Theme,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Whether the mouse is on.
    pub mouse: bool,
    /// The list of containers.
    pub picker: Picker,
    /// The list of pods.
    pub pods: Pods,
    /// Which of the two is shown where nothing is open.
    pub source: Source,
    /// Whether a container may be added to a pod unasked.
    pub trusting: bool,
    /// What was done, step by step, for whatever container.
    pub activity: Activity,
    /// The container that is open.
    pub work: Option<Box<Workspace>>,
    /// Whether it was named on the command line: then it is the first screen.
    pub direct: bool,
    /// Why the engine does not answer, and how often it was tried.
    pub engine: Option<(Failure, u32)>,
    /// What lies over the panes, the top one last.
    pub layers: Vec<Layer>,
    /// A line being typed.
    pub prompt: Option<Prompt>,
    /// Older commands, newest last.
    pub history: Vec<String>,
    /// A small message, and until when it stays.
    pub toast: Option<(String, Duration)>,
    /// The first of two keys.
    pub pending: Vec<Key>,
    /// Whether the screen is held still.
    pub frozen: bool,
    /// Readings that came while it is.
    pub held: u64,
    /// Whether the screen must be drawn anew.
    pub dirty: bool,
    /// Whether it is over.
    pub quit: bool,
    /// Why it is over, if not because somebody wanted to leave.
    pub fatal: Option<Failure>,
    generation: u64,
    streams: u64,
    sessions: u64,
    effects: Vec<Effect>,
}

impl App {
    /// The first state, and what is to be done for it.
    #[must_use]
    pub fn new(options: Options) -> (Self, Vec<Effect>) {
        let mut app = Self {
            size: options.size,
            clock: Clock::default(),
            theme: Theme::new(options.theme),
            read_only: options.read_only,
            mouse: false,
            picker: Picker::default(),
            pods: Pods::of(options.place),
            source: options.source,
            trusting: options.trusting,
            activity: Activity::default(),
            work: None,
            direct: options.target.is_some(),
            engine: None,
            layers: Vec::new(),
            prompt: None,
            history: Vec::new(),
            toast: None,
            pending: Vec::new(),
            frozen: false,
            held: 0,
            dirty: true,
            quit: false,
            fatal: None,
            generation: 0,
            streams: 0,
            sessions: 0,
            effects: vec![Effect::Watch],
        };
        match options.target {
            Some(name) => app.open(name),
            None if app.source.is_cluster() => app.effect(Effect::Contexts),
            None => {}
        }
        let effects = std::mem::take(&mut app.effects);
        (app, effects)
    }

    /// The pane below all layers.
    #[must_use]
    pub fn pane(&self) -> Mode {
        match (&self.work, self.source) {
            (Some(work), _) => work.mode(),
            (None, Source::Engine) => Mode::Picker,
            (None, Source::Cluster) => Mode::Pods,
        }
    }

    /// Where keys go.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.prompt.is_some() { Mode::Prompt } else { self.below_prompt() }
    }

    /// Where keys go once nothing is typed any more.
    #[must_use]
    pub fn below_prompt(&self) -> Mode {
        match self.layers.last() {
            Some(Layer::Help(_)) => Mode::Help,
            Some(Layer::Message(_)) => Mode::Message,
            Some(Layer::Confirm(_)) => Mode::Confirm,
            Some(Layer::Line(_)) => Mode::Line,
            Some(Layer::Choose(_)) => Mode::Choose,
            None => self.pane(),
        }
    }

    /// Shows a small message for a while.
    pub fn say(&mut self, text: impl Into<String>) {
        self.toast = Some((text.into(), self.clock.uptime + TOAST));
    }

    /// Shows a failed action.
    fn fail(&mut self, title: impl Into<String>, failure: Failure) {
        self.layers.push(Layer::Message(layer::Message {
            title: title.into(),
            failure,
            scroll: cursor::Scroll::default(),
        }));
    }

    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn key(&mut self, key: Key) {
        self.toast = None;
        self.pending.push(key);
        let mode = self.mode();
        match keymap::meaning(mode, &self.pending) {
            Meaning::Action(action) => {
                self.pending.clear();
                self.act(action, None);
            }
            Meaning::Prefix => {}
            Meaning::None => {
                let first = self.pending.len() == 1;
                self.pending.clear();
                if !first {
                    self.key(key);
                } else if let (Some(c), Some(prompt)) = (key.text(), &mut self.prompt) {
                    prompt.insert(c.encode_utf8(&mut [0; 4]));
                    self.prompt_changed();
                }
            }
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(prompt) = &mut self.prompt {
            prompt.insert(text.lines().next().unwrap_or_default());
            self.prompt_changed();
        }
    }

    /// Begins to type a line.
    fn ask(&mut self, purpose: Purpose, text: String) {
        self.prompt = Some(Prompt::new(purpose, text));
    }
}

/// Takes one message: changes the state, and gives what is to be done.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    app.receive(msg);
    app.poll();
    app.settle();
    std::mem::take(&mut app.effects)
}

#[cfg(test)]
mod tests;

//! The loop: keys first, then time, then what came, one frame when something changed.
//!
//! It knows no terminal and no engine: it is given something to draw on, something that does effects, and streams.
//! So the whole program runs in a test.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::time::SystemTime;

use crossterm::event::{Event, MouseButton, MouseEventKind};
use futures_util::{Stream, StreamExt as _};
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep_until};

use super::Error;
use super::app::{App, update};
use super::effect::Effect;
use super::keymap::Key;
use super::message::{Clock, Mouse, Msg};
use super::screens;
use crate::exit::{Exit, Failure};

/// Time between two frames that data cause: 30 a second at most.
const FRAME: Duration = Duration::from_millis(33);
/// Time between two frames that keys cause: a key is answered at once, a stuck one does not draw without end.
const KEY_FRAME: Duration = Duration::from_millis(8);
const TICK: Duration = Duration::from_secs(1);

/// Does effects. Answers come as messages.
pub trait Runner {
    /// Begins to do it. Must not wait.
    fn run(&mut self, effect: Effect);
}

/// What the terminal can do besides being drawn on.
pub trait Console {
    /// A frame begins: what is written shows up at once when it ends.
    ///
    /// # Errors
    /// If the terminal is gone, as for all of these.
    fn begin(&mut self) -> io::Result<()>;
    /// A frame ends.
    ///
    /// # Errors
    /// See [`Console::begin`].
    fn end(&mut self) -> io::Result<()>;
    /// Gives the terminal to the shell until it continues us. False if there is no shell that could.
    ///
    /// # Errors
    /// See [`Console::begin`].
    fn suspend(&mut self) -> io::Result<bool>;
    /// Mouse on or off.
    ///
    /// # Errors
    /// See [`Console::begin`].
    fn mouse(&mut self, on: bool) -> io::Result<()>;
    /// Puts a text into the clipboard.
    ///
    /// # Errors
    /// See [`Console::begin`].
    fn copy(&mut self, text: &str) -> io::Result<()>;
}

/// What ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Somebody wanted to leave.
    Quit,
    /// A signal came, or there is no input any more.
    Signal,
    /// There is nothing to show.
    Failed(Failure),
}

/// Everything the loop works with.
pub struct Runtime<B: Backend, C, R, I, S> {
    /// The state.
    pub app: App,
    /// What is drawn on.
    pub terminal: Terminal<B>,
    /// The terminal's other abilities.
    pub console: C,
    /// What does effects.
    pub runner: R,
    /// Keys and such.
    pub input: I,
    /// What comes from elsewhere.
    pub messages: mpsc::Receiver<Msg>,
    /// Ends the loop.
    pub signals: S,
}

/// What happens inside one turn of the loop.
enum Turn {
    Input(Option<io::Result<Msg>>),
    Signal,
    Tick,
    Frame,
    Message(Option<Msg>),
    Job,
}

impl<B, C, R, I, S> Runtime<B, C, R, I, S>
where
    B: Backend,
    C: Console,
    R: Runner,
    I: Stream<Item = io::Result<Msg>> + Unpin,
    S: Future<Output = ()> + Unpin,
{
    /// Runs until it is left.
    ///
    /// # Errors
    /// If the terminal goes away.
    pub async fn run(mut self, effects: Vec<Effect>) -> Result<End, Error> {
        let start = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut jobs = VecDeque::new();
        let mut drawn: Option<Instant> = None;
        let mut next_frame = start;
        let mut open = true;
        self.perform(effects, &mut jobs)?;
        loop {
            if self.app.quit {
                return Ok(self.app.fatal.take().map_or(End::Quit, End::Failed));
            }
            if self.app.dirty && Instant::now() >= next_frame {
                self.draw()?;
                let now = Instant::now();
                drawn = Some(now);
                next_frame = now + FRAME;
            }
            let turn = tokio::select! {
                biased;
                () = &mut self.signals => Turn::Signal,
                event = self.input.next() => Turn::Input(event),
                _ = ticks.tick() => Turn::Tick,
                () = sleep_until(next_frame), if self.app.dirty => Turn::Frame,
                message = self.messages.recv(), if open => Turn::Message(message),
                () = std::future::ready(()), if !jobs.is_empty() => Turn::Job,
            };
            let mut messages = Vec::with_capacity(2);
            match turn {
                // No input any more: the terminal is gone.
                Turn::Signal | Turn::Input(None) => return Ok(End::Signal),
                Turn::Input(Some(Err(error))) => return Err(error.into()),
                Turn::Input(Some(Ok(message))) => {
                    messages.push(message);
                    next_frame = next_frame.min(drawn.map_or(start, |drawn| drawn + KEY_FRAME));
                }
                Turn::Tick => messages.push(Msg::Tick(Clock { uptime: start.elapsed(), wall: SystemTime::now() })),
                Turn::Frame => {}
                Turn::Message(None) => open = false,
                Turn::Message(Some(message)) => {
                    messages.push(message);
                    // Work in slices goes on even while messages never end.
                    messages.extend(jobs.pop_front());
                }
                Turn::Job => messages.extend(jobs.pop_front()),
            }
            for message in messages {
                let effects = update(&mut self.app, message);
                self.perform(effects, &mut jobs)?;
            }
        }
    }

    fn draw(&mut self) -> Result<(), Error> {
        self.app.dirty = false;
        self.console.begin()?;
        let app = &self.app;
        self.terminal
            .draw(|frame| {
                if let Some(cursor) = screens::draw(app, frame.buffer_mut()) {
                    frame.set_cursor_position(cursor);
                }
            })
            .map_err(|error| Error::Draw(error.to_string()))?;
        self.console.end()?;
        Ok(())
    }

    /// Does what concerns the terminal and the loop; hands the rest on.
    fn perform(&mut self, effects: Vec<Effect>, jobs: &mut VecDeque<Msg>) -> Result<(), Error> {
        for effect in effects {
            match effect {
                Effect::Continue(job) => jobs.push_back(Msg::Continue(job)),
                Effect::Quit => self.app.quit = true,
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => {
                    if self.console.suspend()? {
                        self.redraw()?;
                    } else {
                        self.app.say("there is no shell that could continue it");
                        self.app.dirty = true;
                    }
                }
                Effect::Mouse(on) => self.console.mouse(on)?,
                Effect::Copy(text) => {
                    let result = self.console.copy(&text);
                    let result = result.map_err(|error| Failure::new(Exit::No, error.to_string()));
                    jobs.push_back(Msg::Yanked(result));
                }
                effect => self.runner.run(effect),
            }
        }
        Ok(())
    }

    fn redraw(&mut self) -> Result<(), Error> {
        // Not `Terminal::clear`: that asks the terminal where the cursor is, and the answer would come in as keys.
        let size = self.terminal.size().map_err(|error| Error::Draw(error.to_string()))?;
        let area = ratatui::layout::Rect::new(0, 0, size.width, size.height);
        self.terminal.resize(area).map_err(|error| Error::Draw(error.to_string()))?;
        self.app.size = (size.width, size.height);
        self.app.dirty = true;
        Ok(())
    }
}

/// What the terminal reports, as far as it is understood.
pub fn input<E>(events: E) -> impl Stream<Item = io::Result<Msg>> + Unpin
where
    E: Stream<Item = io::Result<Event>> + Unpin,
{
    events.filter_map(|event| std::future::ready(event.map(translate).transpose()))
}

fn translate(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => Key::from_event(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize(width, height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Msg::Mouse(Mouse::WheelUp)),
            MouseEventKind::ScrollDown => Some(Msg::Mouse(Mouse::WheelDown)),
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Mouse(Mouse::Click(mouse.column, mouse.row))),
            _ => None,
        },
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// Resolves when a signal asks us to end: SIGTERM, SIGHUP, SIGINT (from elsewhere: the key is no signal in raw mode).
///
/// # Errors
/// If a handler cannot be installed.
pub fn signals() -> io::Result<impl Future<Output = ()> + Unpin> {
    let mut term = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

#[cfg(test)]
mod tests;

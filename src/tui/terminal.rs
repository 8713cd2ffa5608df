//! The terminal is borrowed, and given back however the program ends.
//!
//! One [`Guard`] puts the terminal into the state the screen needs. [`leave`] takes all of it back; it may be called
//! any number of times, from the guard's end, the panic hook, an error, a signal, and before suspending.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{execute, queue};
use nix::sys::signal::{Signal, raise};
use nix::unistd::{getpid, getsid};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::runtime::Console;

/// Whether the terminal is ours now.
static OURS: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Clicks and the wheel (1000), with coordinates that have no limit (1006). Never motion: it is not needed, and
/// every movement of the pointer would wake us.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";

/// What is drawn on.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// The terminal is ours as long as this lives.
#[derive(Debug)]
pub struct Guard {
    mouse: bool,
}

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it is none, or went away. It is given back then.
    pub fn enter() -> io::Result<Self> {
        HOOK.call_once(|| install_hook(thread::current().id()));
        take().inspect_err(|_| leave())?;
        Ok(Self { mouse: false })
    }

    /// What is drawn on.
    ///
    /// # Errors
    /// If the terminal does not tell its size.
    pub fn terminal(&self) -> io::Result<Screen> {
        // One write for a frame, not one for each piece of it.
        Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(64 << 10, io::stdout())))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

fn take() -> io::Result<()> {
    OURS.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Hide, EnableBracketedPaste)
}

/// Gives the terminal back. Does nothing if it is not ours. Errors are ignored: there may be no terminal any more.
pub fn leave() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = give_back(&mut io::stdout());
        let _ = disable_raw_mode();
    }
}

fn give_back(out: &mut impl Write) -> io::Result<()> {
    execute!(out, EndSynchronizedUpdate, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show)
}

/// A panic must be read on the terminal as it was before. One of a task is not the end of the program: the task's
/// failure is shown on the screen, and the terminal stays ours.
fn install_hook(screen: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if OURS.load(Ordering::SeqCst) && thread::current().id() != screen {
            tracing::error!("a task panicked: {info}");
            return;
        }
        leave();
        before(info);
    }));
}

impl Console for &mut Guard {
    fn begin(&mut self) -> io::Result<()> {
        execute!(io::stdout(), BeginSynchronizedUpdate)
    }

    fn end(&mut self) -> io::Result<()> {
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    fn suspend(&mut self) -> io::Result<bool> {
        // The leader of a session has nobody who could continue it.
        if getsid(None).is_ok_and(|session| session == getpid()) {
            return Ok(false);
        }
        leave();
        let stopped = raise(Signal::SIGTSTP).map_err(io::Error::from);
        take()?;
        if self.mouse {
            self.mouse(true)?;
        }
        stopped.map(|()| true)
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let mut out = io::stdout();
        if on {
            out.write_all(MOUSE_ON.as_bytes())?;
        } else {
            queue!(out, DisableMouseCapture)?;
        }
        out.flush()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

#[cfg(test)]
mod tests;

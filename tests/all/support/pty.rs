//! Runs a program in a terminal, presses its keys and looks at its screen.

use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::command::{BINARY, OTHERS_SETTINGS};
use super::wait;

/// Keys as a terminal sends them. Letters are themselves.
pub mod key {
    pub const ENTER: &str = "\r";
    pub const ESC: &str = "\x1b";
    pub const TAB: &str = "\t";
    pub const BACK_TAB: &str = "\x1b[Z";
    pub const BACKSPACE: &str = "\x7f";
    pub const UP: &str = "\x1b[A";
    pub const DOWN: &str = "\x1b[B";
    pub const RIGHT: &str = "\x1b[C";
    pub const LEFT: &str = "\x1b[D";
    pub const HOME: &str = "\x1b[H";
    pub const END: &str = "\x1b[F";
    pub const PAGE_UP: &str = "\x1b[5~";
    pub const PAGE_DOWN: &str = "\x1b[6~";
    pub const CTRL_C: &str = "\x03";
    pub const CTRL_L: &str = "\x0c";
    pub const CTRL_Z: &str = "\x1a";
}

/// A program to be started in a terminal.
pub struct Setup {
    command: CommandBuilder,
    size: (u16, u16),
    /// Where it remembers things: nobody else's are seen, and nobody sees its.
    state: tempfile::TempDir,
}

/// What has come out of the program so far.
struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    closed: bool,
}

/// A terminal with a program running in it; killed when dropped.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// How the line discipline was set before the program started.
    discipline: String,
    _state: tempfile::TempDir,
}

impl Setup {
    /// The binary under test.
    pub fn scratchdbg(args: &[&str]) -> Self {
        Self::program(BINARY, args)
    }

    pub fn program(program: &str, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for name in OTHERS_SETTINGS {
            command.env_remove(name);
        }
        let state = tempfile::tempdir().expect("a folder");
        command.env("XDG_STATE_HOME", state.path());
        command.env("XDG_CONFIG_HOME", state.path());
        Self { command, size: (120, 36), state }
    }

    /// Columns and rows; 120 × 36 unless said.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The folder it is started in.
    pub fn folder(mut self, folder: &std::path::Path) -> Self {
        self.command.cwd(folder);
        self
    }

    pub fn start(self) -> Terminal {
        let (columns, rows) = self.size;
        let pair = native_pty_system().openpty(pty_size(columns, rows)).expect("a pty");
        let discipline = discipline_of(&*pair.master);
        let child = pair.slave.spawn_command(self.command).expect("the program starts");
        drop(pair.slave);
        let keyboard = pair.master.take_writer().expect("a writer");
        let seen = Seen { parser: vt100::Parser::new(rows, columns, 0), raw: Vec::new(), closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let to = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                // A closed terminal reads as EIO.
                let count = reader.read(&mut buffer).unwrap_or(0);
                let mut seen = to.0.lock().expect("no reader panics");
                if count == 0 {
                    seen.closed = true;
                } else {
                    seen.parser.process(&buffer[..count]);
                    seen.raw.extend_from_slice(&buffer[..count]);
                }
                drop(seen);
                to.1.notify_all();
                if count == 0 {
                    break;
                }
            }
        });
        Terminal { master: pair.master, child, keyboard, seen, discipline, _state: self.state }
    }
}

impl Terminal {
    /// The binary under test, in a terminal of 120 × 36.
    pub fn scratchdbg(args: &[&str]) -> Self {
        Setup::scratchdbg(args).start()
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().expect("a running program")).expect("a pid")
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().expect("no reader panics")
    }

    /// The text on the screen, a line a row.
    pub fn text(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// Looks at the screen: its cells, colours and modes.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.seen().parser.screen())
    }

    /// All that the program has ever written.
    pub fn raw(&self) -> Vec<u8> {
        self.seen().raw.clone()
    }

    /// Waits until the screen is as wanted.
    ///
    /// # Panics
    /// If it is not within [`wait::PATIENCE`], or the program has ended before; with the screen.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        if let Err(why) = self.try_until(wait::PATIENCE, is_so) {
            panic!("{why}: {what}. The screen:\n{}", self.framed());
        }
    }

    /// As [`Self::wait_until`], for text anywhere on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits for text to be gone from the screen.
    #[track_caller]
    pub fn wait_for_no(&self, text: &str) {
        self.wait_until(&format!("no {text:?}"), |screen| !screen.contents().contains(text));
    }

    fn try_until(&self, deadline: Duration, is_so: impl Fn(&vt100::Screen) -> bool) -> Result<(), &'static str> {
        let end = Instant::now() + deadline;
        let mut seen = self.seen();
        loop {
            if is_so(seen.parser.screen()) {
                return Ok(());
            }
            if seen.closed {
                return Err("the program has ended before it showed");
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("waited in vain for");
            }
            seen = self.seen.1.wait_timeout(seen, left).expect("no reader panics").0;
        }
    }

    /// The screen with a frame around it, for messages.
    pub fn framed(&self) -> String {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let (_, columns) = screen.size();
        let edge = "─".repeat(columns.into());
        let mut text = format!("┌{edge}┐\n");
        for row in screen.rows(0, columns) {
            let _ = writeln!(text, "│{row}");
        }
        let _ = write!(text, "└{edge}┘");
        text
    }

    /// Presses keys, one after the other, or types text.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keyboard.flush().expect("the terminal takes keys");
    }

    /// Pastes text, as a terminal with bracketed paste does.
    pub fn paste(&mut self, text: &str) {
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.seen().parser.screen_mut().set_size(rows, columns);
        self.master.resize(pty_size(columns, rows)).expect("the terminal changes its size");
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the program runs");
    }

    /// Waits for the program to end and for all that it has written to be read.
    ///
    /// # Panics
    /// If it does not end within [`wait::PATIENCE`]; with the screen.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        // Closed means that nobody has the terminal open: neither the program nor a child that it left behind.
        assert!(self.is_closed_in_time(), "the program did not end. The screen:\n{}", self.framed());
        wait::until("the program's exit status", || self.child.try_wait().expect("a child"))
    }

    fn is_closed_in_time(&self) -> bool {
        let guard = self.seen();
        let wait = self.seen.1.wait_timeout_while(guard, wait::PATIENCE, |seen| !seen.closed);
        !wait.expect("no reader panics").1.timed_out()
    }

    /// What the program has left switched on in the terminal, after its end: nothing, if all is well.
    pub fn left_behind(&self) -> Vec<String> {
        let seen = self.seen();
        let mut left = super::pty_modes::left_on(&seen.raw);
        let screen = seen.parser.screen();
        if screen.alternate_screen() {
            left.push("the alternate screen".to_owned());
        }
        if screen.hide_cursor() {
            left.push("a hidden cursor".to_owned());
        }
        drop(seen);
        let now = discipline_of(&*self.master);
        if now != self.discipline {
            left.push(format!("line discipline {now}, which was {}", self.discipline));
        }
        left
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn discipline_of(master: &dyn MasterPty) -> String {
    let Some(set) = master.get_termios() else { return "unknown".to_owned() };
    format!("{:?} {:?} {:?} {:?}", set.input_flags, set.output_flags, set.local_flags, set.control_chars)
}

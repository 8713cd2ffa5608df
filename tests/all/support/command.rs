//! Runs the real binary as a command, with a deadline.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::wait;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_scratchdbg");

/// How a command ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    command: String,
    status: ExitStatus,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

/// What whoever runs the tests may have set, and what says that they came by `sudo`.
pub const OTHERS_SETTINGS: [&str; 9] = [
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "RUST_LOG",
    "SUDO_UID",
    "SUDO_GID",
    "PKEXEC_UID",
    "DOAS_USER",
];

/// The binary, not started yet: nothing on its standard input, and no setting of whoever runs the tests.
pub fn binary(args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).stdin(Stdio::null());
    for name in OTHERS_SETTINGS {
        command.env_remove(name);
    }
    // Nothing is there.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}

/// Runs `scratchdbg ARGS…` to its end.
///
/// # Panics
/// If it takes longer than [`wait::PATIENCE`].
pub fn scratchdbg(args: &[impl AsRef<OsStr>]) -> Ended {
    run(binary(args))
}

/// Runs any command to its end. Its standard input is as the caller set it.
pub fn run(command: Command) -> Ended {
    run_within(wait::PATIENCE, command)
}

/// As [`run`], with another deadline.
pub fn run_within(patience: Duration, mut command: Command) -> Ended {
    let line = format!("{command:?}");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    let stdout = read_all(child.stdout.take().expect("a pipe"));
    let stderr = read_all(child.stderr.take().expect("a pipe"));
    let Some(status) = wait::ask_within(patience, || child.try_wait().expect("a child")) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{line} did not end within {patience:?}");
    };
    Ended {
        command: line,
        status,
        stdout: stdout.join().expect("a reader"),
        stderr: String::from_utf8_lossy(&stderr.join().expect("a reader")).into_owned(),
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        all
    })
}

impl Ended {
    /// The exit status; of a signal, 128 + its number.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Standard output, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Asserts how it ended. On failure shows what it printed.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}\nstdout:\n{}\nstderr:\n{}", self.command, self.text(), self.stderr);
        self
    }

    /// Asserts that it ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.ends_with(0)
    }

    /// Asserts that it ended well and had nothing to say beside the answer.
    #[track_caller]
    pub fn quietly(self) -> Self {
        let ended = self.ok();
        assert_eq!(ended.stderr, "", "{}", ended.command);
        ended
    }

    /// Asserts how it ended and that it gave no answer, but said all this in at most four lines, safe to show.
    #[track_caller]
    pub fn fails_with(self, code: i32, said: &[&str]) -> Self {
        let ended = self.ends_with(code);
        assert_eq!(ended.text(), "", "{}", ended.command);
        let lines = ended.stderr.lines().count();
        assert!((1..=4).contains(&lines), "{}: {lines} lines:\n{}", ended.command, ended.stderr);
        for words in said {
            assert!(ended.stderr.contains(words), "{}: no {words:?} in:\n{}", ended.command, ended.stderr);
        }
        ended.is_safe_to_show();
        ended
    }

    /// Its standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error} in:\n{}", self.command, self.text()))
    }

    /// Its standard output as one JSON object a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"));
        self.text().lines().map(parse).collect()
    }

    /// Asserts that neither stream has a byte that a terminal obeys.
    #[track_caller]
    pub fn is_safe_to_show(&self) {
        for (stream, text) in [("stdout", self.text()), ("stderr", self.stderr.clone())] {
            let bad = text.chars().find(|&c| obeyed(c));
            assert_eq!(bad, None, "{} wrote a raw control character to {stream}:\n{text:?}", self.command);
        }
    }
}

/// Control characters but newline and tab, and what changes the direction of text or is not seen at all.
fn obeyed(c: char) -> bool {
    let bidi = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    (c.is_control() && !matches!(c, '\n' | '\t')) || bidi
}

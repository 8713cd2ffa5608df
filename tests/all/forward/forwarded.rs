//! `scratchdbg forward`, while it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::command::binary;
use crate::support::container::Container;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;

/// A forward; killed when dropped.
pub struct Forwarded {
    child: Child,
    /// What it said on its standard output.
    pub lines: Vec<String>,
    errors: Arc<Mutex<String>>,
}

impl Forwarded {
    /// Starts it, and waits until it says where it listens.
    pub fn start(mut command: Command, ports: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (errors, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let said = Arc::clone(&errors);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                said.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let lines: Vec<_> = lines.take(ports).collect();
        assert_eq!(lines.len(), ports, "{}", errors.lock().unwrap());
        Self { child, lines, errors }
    }

    /// From this host, as root.
    pub fn local(container: &Container, ports: &[&str]) -> Self {
        let args = [&["forward", container.name(), "--via", "local"], ports].concat();
        Self::start(binary(&args), ports.len())
    }

    /// From beside it, by a member of the engine's group.
    pub fn beside(member: &Unprivileged, container: &Container, ports: &[&str]) -> Self {
        let args = [&["forward", container.name(), "--via", "sidecar"], ports].concat();
        Self::start(member.command(&args), ports.len())
    }

    /// The local port of the forward at this place.
    pub fn port(&self, at: usize) -> u16 {
        let local = self.lines[at].split(" -> ").next().unwrap();
        local.rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{}", self.lines[at]))
    }

    /// A connection through it.
    pub fn connect(&self, at: usize) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port(at))).unwrap();
        stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
        stream.set_write_timeout(Some(wait::PATIENCE)).unwrap();
        stream
    }

    /// What is answered to this, when our side has said all.
    pub fn ask(&self, at: usize, words: &str) -> Vec<u8> {
        let mut stream = self.connect(at);
        stream.write_all(words.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// What it has said on its standard error.
    pub fn said(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    /// Waits until it has said that on its standard error.
    pub fn wait_to_say(&self, words: &str) {
        let found = wait::ask_within(wait::PATIENCE, || self.said().contains(words).then_some(()));
        assert!(found.is_some(), "it never said {words:?}, but:\n{}", self.said());
    }

    /// Waits for its end, and gives its status.
    pub fn ends(&mut self) -> i32 {
        let status = wait::until("the forward to end", || self.child.try_wait().unwrap());
        status.code().unwrap_or_else(|| panic!("{status}"))
    }

    /// Sends it a signal, and gives the status with which it ends.
    pub fn ends_by(&mut self, signal: Signal) -> i32 {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        self.ends()
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

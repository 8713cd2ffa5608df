//! A session of the real binary, and a client that speaks with Delve through it, as `dlv connect` does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::command::binary;
use crate::support::container::Container;
use crate::support::process::{all_pids, command_line, namespace, parent};
use crate::support::wait;

/// `scratchdbg dlv`.
pub struct Session {
    child: Child,
    address: SocketAddr,
}

/// Delve's client.
pub struct Debugger {
    stream: UnixStream,
    answers: BufReader<UnixStream>,
    last: u64,
}

/// One that works by itself.
pub struct Driver {
    stream: UnixStream,
    attached: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Delve's process that debugs this one: from this host, or beside it, where its first process is 1.
pub fn delve_of(pid: i32) -> Option<i32> {
    let (here, beside) = (format!("dlv\0attach\0{pid}\0"), "dlv\0attach\x001\0");
    let is_beside = |other| namespace(other, "pid") == namespace(pid, "pid");
    all_pids().find(|&other| {
        let words = command_line(other);
        words.starts_with(&here) || (words.starts_with(beside) && is_beside(other))
    })
}

/// The guard over it.
pub fn guard_of(pid: i32) -> Option<i32> {
    delve_of(pid).and_then(parent).filter(|&guard| guard > 1)
}

impl Session {
    /// Starts one, and waits until it listens.
    pub fn start(target: &Container, flags: &[&str]) -> Self {
        let mut command = binary(&["dlv", target.name()]);
        command.args(flags);
        Self::of(command)
    }

    /// The same of a command that is not started yet.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let name = line.trim_end().strip_prefix("dlv connect unix:@");
        let Some(name) = name else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{line:?}: {said}");
        };
        Self { child, address: SocketAddr::from_abstract_name(name).unwrap() }
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Connects, which attaches. Does not block, for whoever waits in another way.
    pub fn stream(&self) -> UnixStream {
        let stream = UnixStream::connect_addr(&self.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    }

    /// The same, with a client.
    pub fn connect(&mut self) -> Debugger {
        let stream = UnixStream::connect_addr(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let answers = BufReader::new(stream.try_clone().unwrap());
        Debugger { stream, answers, last: 0 }
    }

    /// Ends it, if it runs. Gives what it said.
    pub fn end(&mut self) -> String {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        self.wait()
    }

    /// Waits for its end. Gives what it said.
    pub fn wait(&mut self) -> String {
        wait::until("scratchdbg to end", || self.child.try_wait().unwrap());
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        said
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A test that failed has not ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Debugger {
    /// Asks, and waits for the answer. `None` when the connection has ended.
    pub fn tries(&mut self, method: &str, arguments: &str) -> Option<Value> {
        self.last += 1;
        let id = self.last;
        let asked = format!(r#"{{"method":"RPCServer.{method}","params":[{arguments}],"id":{id}}}"#);
        self.stream.write_all(asked.as_bytes()).ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        let answer: Value = serde_json::from_str(&line).ok()?;
        assert_eq!(answer["id"], id, "{answer}");
        Some(answer)
    }

    /// The same, and it must be answered.
    #[track_caller]
    pub fn asks(&mut self, method: &str, arguments: &str) -> Value {
        let answer = self.tries(method, arguments).expect("an answer");
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// Runs into a breakpoint again and again, with some steps behind it, until the connection ends.
    pub fn drive(mut self, function: &str, steps: u64) -> Driver {
        let (stream, attached) = (self.stream.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
        let (function, there) = (function.to_owned(), Arc::clone(&attached));
        let thread = thread::spawn(move || {
            let breakpoint = format!(r#"{{"Breakpoint":{{"functionName":"{function}","line":-1}}}}"#);
            let Some(_) = self.tries("CreateBreakpoint", &breakpoint) else { return };
            there.store(true, Ordering::Relaxed);
            while self.tries("Command", r#"{"name":"continue"}"#).is_some() {
                for _ in 0..steps {
                    let Some(_) = self.tries("Command", r#"{"name":"next"}"#) else { return };
                }
            }
        });
        Driver { stream, attached, thread }
    }
}

impl Driver {
    pub fn has_attached(&self) -> bool {
        self.attached.load(Ordering::Relaxed)
    }

    /// Ends the connection.
    pub fn hang_up(self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        self.thread.join().unwrap();
    }
}

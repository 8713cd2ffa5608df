//! An editor that speaks DAP.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::wait::PATIENCE;

/// A connection to a debug adapter.
pub struct Editor {
    from: BufReader<Box<dyn std::io::Read + Send>>,
    to: Box<dyn Write + Send>,
    seq: i64,
    /// Events that nobody has waited for yet.
    events: Vec<Value>,
}

impl Editor {
    /// Connects to `HOST:PORT`, or `unix:PATH`.
    pub fn connect(address: &str) -> Self {
        if let Some(path) = address.strip_prefix("unix:") {
            let stream = UnixStream::connect(path).unwrap_or_else(|error| panic!("{address}: {error}"));
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            return Self::over(Box::new(stream.try_clone().unwrap()), Box::new(stream));
        }
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::over(Box::new(stream.try_clone().unwrap()), Box::new(stream))
    }

    fn over(from: Box<dyn std::io::Read + Send>, to: Box<dyn Write + Send>) -> Self {
        Self { from: BufReader::new(from), to, seq: 0, events: Vec::new() }
    }

    /// Sends a request and gives its number.
    #[allow(clippy::needless_pass_by_value, reason = "it is made for this")]
    pub fn ask(&mut self, command: &str, arguments: Value) -> i64 {
        self.seq += 1;
        let request = json!({ "seq": self.seq, "type": "request", "command": command, "arguments": arguments });
        let body = request.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.to.flush().unwrap();
        self.seq
    }

    /// Sends a request and waits for its answer, which is not a failure.
    #[track_caller]
    pub fn gets(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.answered(command, arguments);
        assert_eq!(answer["success"], true, "{answer:#}");
        answer["body"].clone()
    }

    /// Sends a request and waits for its answer.
    #[track_caller]
    pub fn answered(&mut self, command: &str, arguments: Value) -> Value {
        let seq = self.ask(command, arguments);
        loop {
            let message = self.next().unwrap_or_else(|| panic!("closed before {command} was answered"));
            match message["type"].as_str() {
                Some("event") => self.events.push(message),
                _ if message["request_seq"] == seq => {
                    assert_eq!(message["command"], command, "{message:#}");
                    return message;
                }
                _ => panic!("not asked for: {message:#}"),
            }
        }
    }

    /// The next event of this name; others stay.
    #[track_caller]
    pub fn hears(&mut self, event: &str) -> Value {
        loop {
            if let Some(at) = self.events.iter().position(|message| message["event"] == event) {
                return self.events.remove(at)["body"].clone();
            }
            let message = self.next().unwrap_or_else(|| panic!("closed before {event}; heard {:#?}", self.events));
            assert_eq!(message["type"], "event", "{message:#}");
            self.events.push(message);
        }
    }

    /// All that is said until the connection is closed.
    pub fn rest(mut self) -> Vec<Value> {
        let mut all = std::mem::take(&mut self.events);
        all.extend(std::iter::from_fn(|| self.next()));
        all
    }

    /// The first two requests of every session.
    #[track_caller]
    pub fn attaches(&mut self, arguments: Value) -> Value {
        let can = self.gets(
            "initialize",
            json!({
                "adapterID": "go", "pathFormat": "path", "linesStartAt1": true, "columnsStartAt1": true,
                "supportsRunInTerminalRequest": true, "supportsVariableType": true,
            }),
        );
        self.gets("attach", arguments);
        self.hears("initialized");
        can
    }

    /// The next message, or nothing if the connection was closed.
    fn next(&mut self) -> Option<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            // Whoever closes over bytes that were not read resets.
            if self.from.read_line(&mut line).is_ok_and(|read| read == 0) || line.is_empty() {
                return None;
            }
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = Some(number.parse().unwrap()),
                None if line == "\r\n" => break,
                None => panic!("{line:?}"),
            }
        }
        let mut body = vec![0; length.expect("a length")];
        self.from.read_exact(&mut body).ok()?;
        Some(serde_json::from_slice(&body).unwrap())
    }
}

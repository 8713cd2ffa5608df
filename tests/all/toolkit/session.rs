//! A session with the helper over two pipes, as an exec gives them, by frames that are written and read here.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use scratchdbg::wire::{self, Body, Hello, Op, PREFIX, Reply, Request};

use crate::support::wait;

/// A session that has said who it is.
pub struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    last: u32,
    /// Its first word.
    pub hello: Hello,
}

impl Session {
    /// Starts what gives one.
    ///
    /// # Panics
    /// If its first word is not that of a helper.
    pub fn begin(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
        let first = frame(&mut output).expect("a first frame");
        let Reply { id: 0, body: Body::Hello(hello) } = wire::decode(&first).unwrap() else {
            panic!("{first:?} is no first word");
        };
        Self { child, input, output, last: 0, hello }
    }

    /// The number of the program that was started, on this host.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Asks, and gives the first answer to whoever looks at it. `None` if it has ended.
    pub fn ask<T>(&mut self, op: Op<'_>, look: impl FnOnce(Body<'_>) -> T) -> Option<T> {
        self.last += 1;
        let mut room = [0; wire::MAX_REQUEST + PREFIX];
        let bytes = wire::encode(&Request { id: self.last, op }, &mut room).unwrap();
        self.input.as_mut().unwrap().write_all(bytes).ok()?;
        let answer = frame(&mut self.output)?;
        let reply: Reply<'_> = wire::decode(&answer).unwrap();
        assert_eq!(reply.id, self.last);
        Some(look(reply.body))
    }

    /// The beginning of a file.
    pub fn read(&mut self, path: &str) -> Vec<u8> {
        let op = Op::Read { path: path.as_bytes(), offset: 0, len: 4096, credit: 1 };
        let bytes = self.ask(op, |body| match body {
            Body::Data(bytes) => bytes.to_vec(),
            other => panic!("{path}: {other:?}"),
        });
        // The end of the stream, for which there is no more credit to be had.
        assert!(frame(&mut self.output).is_some());
        bytes.unwrap()
    }

    /// Ends its input, and says how it ended.
    pub fn end(mut self) -> ExitStatus {
        self.input = None;
        wait::until("the session to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn frame(from: &mut ChildStdout) -> Option<Vec<u8>> {
    let mut prefix = [0; PREFIX];
    from.read_exact(&mut prefix).ok()?;
    let mut bytes = vec![0; u32::from_le_bytes(prefix) as usize];
    assert!(bytes.len() <= wire::MAX_FRAME, "{} bytes", bytes.len());
    from.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

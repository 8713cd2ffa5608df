//! A command held in its middle, with its helper inside, to be looked at.

use std::io::Read as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::command::binary;
use super::process::{all_pids, command_line, has_ended, parent};
use super::wait;

/// A command whose output nobody reads, so that it cannot end; killed when dropped.
pub struct Held {
    child: Child,
    /// Kept open: a closed pipe would end the command.
    stdout: ChildStdout,
    broker: i32,
    helper: i32,
}

impl Held {
    /// `scratchdbg cat TARGET:PATH OPTIONS…`. The file has to be larger than a pipe holds, 64 KiB.
    pub fn cat(place: &str, options: &[&str]) -> Self {
        let mut args = vec!["cat", place];
        args.extend(options);
        let mut held = Self::command(binary(&args));
        // What has begun to come out comes through an open file.
        held.stdout.read_exact(&mut [0]).expect("the command prints something");
        held
    }

    /// Any command that does not end by itself, once its helper is inside.
    pub fn command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
        let stdout = child.stdout.take().expect("a pipe");
        let main = i32::try_from(child.id()).expect("a pid");
        let (broker, helper) = wait::until("the helper to be inside", || {
            let status = child.try_wait().expect("a child");
            assert!(status.is_none(), "{command:?} ended before it could be held: {status:?}");
            helper_of(main)
        });
        Self { child, stdout, broker, helper }
    }

    pub fn main(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// The privileged half.
    pub fn broker(&self) -> i32 {
        self.broker
    }

    /// What is inside.
    pub fn helper(&self) -> i32 {
        self.helper
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.main()), signal).expect("the command runs");
    }

    /// Kills the command and nobody else, and gives it no chance to clean up.
    pub fn kill(&mut self) {
        self.child.kill().expect("the command runs");
        self.child.wait().expect("a child");
    }

    /// Reads what it has to print, so that it can end.
    ///
    /// # Panics
    /// If it does not end well.
    #[track_caller]
    pub fn let_go(mut self) {
        std::io::copy(&mut self.stdout, &mut std::io::sink()).expect("a pipe");
        let status = wait::until("the command to end", || self.child.try_wait().expect("a child"));
        assert!(status.success(), "{status}");
    }

    /// Waits until neither its helper nor its broker runs.
    #[track_caller]
    pub fn wait_for_helpers_to_end(&self) {
        wait::until("the helper and the broker to end", || {
            (has_ended(self.helper) && has_ended(self.broker)).then_some(())
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The broker and the helper that a process has started.
pub fn helper_of(main: i32) -> Option<(i32, i32)> {
    let is_helper = |&pid: &i32| command_line(pid).starts_with("scratchdbg-shim\0");
    all_pids().filter(is_helper).find_map(|helper| {
        let broker = parent(helper)?;
        (parent(broker)? == main).then_some((broker, helper))
    })
}

//! Parse, run, exit.

use std::process::ExitCode;

use scratchdbg::commands;
use scratchdbg::commands::plugin::{self, Called};
use scratchdbg::exit::{Exit, Failure};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let done = match Called::by(arguments.first()) {
        Called::Completion => plugin::complete(arguments.get(1..).unwrap_or_default()),
        called => commands::run(plugin::parse(called, &arguments)),
    };
    match done {
        // An error with this status is a pipe whose reader has seen enough.
        Ok(()) | Err(Failure { exit: Exit::Done, .. }) => Exit::Done.into(),
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("scratchdbg: {failure}");
            }
            failure.exit.into()
        }
    }
}

//! Parse, run, exit.

use std::process::ExitCode;

use clap::Parser as _;
use scratchdbg::cli::Cli;
use scratchdbg::commands;
use scratchdbg::exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
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

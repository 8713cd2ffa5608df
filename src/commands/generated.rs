//! `completions`, `man` and `keys`: made from the definitions, never written by hand.

use std::io::Write as _;

use clap::CommandFactory as _;

use super::output;
use crate::cli::Cli;
use crate::exit::Failure;

/// Prints completions.
///
/// # Errors
/// If they cannot be written.
pub fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "scratchdbg", &mut text);
    print(&text)
}

/// Prints the manual page.
///
/// # Errors
/// If it cannot be written.
pub fn man() -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(|error| output::failure(&error))?;
    print(&text)
}

/// Prints the keys of the screen.
///
/// # Errors
/// If they cannot be written.
pub fn keys() -> Result<(), Failure> {
    print(crate::tui::keymap::markdown().as_bytes())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    std::io::stdout().lock().write_all(text).map_err(|error| output::failure(&error))
}

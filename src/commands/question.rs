//! Questions that a person answers with yes or no.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::Context;
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;

/// Asks, on standard error, and reads the answer. `would` says what would be done, where nobody can be asked; `undone` what has not
/// been done, where the answer is no.
///
/// # Errors
/// If the answer is no, or there is nobody to ask.
pub fn ask(context: &Context, would: &str, question: &str, undone: &str) -> Result<(), Failure> {
    if context.global.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let what = format!("{would}, but there is no terminal to ask on");
        return Err(Failure::new(Exit::Usage, what).try_this("say --yes"));
    }
    eprint!("{} [y/N] ", Untrusted::from(question).safe());
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::new(Exit::No, format!("cannot read the answer: {error}")))?;
    if is_yes(&answer) { Ok(()) } else { Err(Failure::new(Exit::No, undone)) }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in
            [("y\n", true), ("YES\n", true), ("", false), ("\n", false), ("n\n", false), ("yep\n", false)]
        {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}

//! `doctor`

use std::io::Write as _;

use super::{Context, output};
use crate::doctor::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;

/// Runs the checks and prints them.
///
/// # Errors
/// With status 1 if one fails.
pub async fn run(context: &Context) -> Result<(), Failure> {
    let checks = doctor::checks(context).await;
    let mut out = std::io::stdout().lock();
    if context.global.json {
        output::document(&mut out, &checks)?;
    } else {
        for check in &checks {
            let word = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "WARN",
                Verdict::Fail => "FAIL",
                Verdict::Info => "info",
            };
            // Engines and programs had a say in it.
            let seen = Untrusted::from(check.seen.as_str()).safe();
            writeln!(out, "{word:<5} {:<20} {seen}", check.name).map_err(|error| output::failure(&error))?;
            for (first, line) in check.fix.iter().flat_map(|fix| fix.lines().enumerate()) {
                let label = if first == 0 { "fix:" } else { "" };
                let line = Untrusted::from(line).safe();
                writeln!(out, "{:26} {label:<4} {line}", "").map_err(|error| output::failure(&error))?;
            }
        }
    }
    if checks.iter().any(|check| check.verdict == Verdict::Fail) {
        // Everything has been said above.
        return Err(Failure::new(Exit::No, ""));
    }
    Ok(())
}

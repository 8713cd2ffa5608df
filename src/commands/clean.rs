//! `clean`: takes away what scratchdbg ever left on an engine.

use std::io::{self, Write as _};

use serde::Serialize;

use super::table::{Align, Table, width};
use super::{Context, output, question};
use crate::engine::docker::{Leftover, LeftoverKind};
use crate::exit::{Exit, Failure};

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    removed: &'a [Leftover],
    failed: &'a [Failed],
}

/// What could not be removed.
#[derive(Debug, Serialize)]
struct Failed {
    #[serde(flatten)]
    leftover: Leftover,
    why: String,
}

/// Runs the command: lists, asks, removes.
///
/// # Errors
/// If the engine does not answer, the answer is no, or something could not be removed.
pub async fn run(context: &Context) -> Result<(), Failure> {
    let engine = context.engine()?;
    let found = engine.leftovers().await?;
    let json = context.global.json;
    if !found.is_empty() {
        if context.global.read_only {
            return Err(Failure::new(
                Exit::NotPermitted,
                format!("{} are left, but --read-only forbids removing them", count(&found)),
            )
            .try_this("leave out --read-only"));
        }
        agree(context, &found)?;
    }
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    for leftover in found {
        match engine.remove(leftover.kind, &leftover.id).await {
            Ok(()) => removed.push(leftover),
            Err(error) => failed.push(Failed { leftover, why: error.to_string() }),
        }
    }
    let mut out = io::stdout().lock();
    if json {
        output::document(&mut out, &Document { removed: &removed, failed: &failed })?;
    } else {
        let said = if removed.is_empty() && failed.is_empty() {
            "nothing is left".to_owned()
        } else {
            format!("removed {}", count(&removed))
        };
        writeln!(out, "{said}").map_err(|error| output::failure(&error))?;
    }
    match failed.as_slice() {
        [] => Ok(()),
        [first, ..] => {
            let what = format!("{} of {} could not be removed", failed.len(), failed.len() + removed.len());
            Err(Failure::new(Exit::No, format!("{what}: {}", first.why)))
        }
    }
}

/// Shows what is to go, on standard error, and asks.
fn agree(context: &Context, found: &[Leftover]) -> Result<(), Failure> {
    if !context.global.quiet || !context.global.yes {
        eprint!("{}", table(found).text(width()));
    }
    let would = format!("{} would be removed", count(found));
    question::ask(context, &would, &format!("Remove {}?", count(found)), "nothing was removed")
}

fn count(found: &[Leftover]) -> String {
    let of = |kind| found.iter().filter(|one| one.kind == kind).count();
    let words = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let parts = [(of(LeftoverKind::Container), "container"), (of(LeftoverKind::Image), "image")];
    let parts: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| words(*number, word)).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}

fn table(found: &[Leftover]) -> Table {
    let mut table = Table::new(&["KIND", "ID", "NAME", "STATUS"].map(|title| (title, Align::Left)));
    for one in found {
        let id = one.id.strip_prefix("sha256:").unwrap_or(&one.id);
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.row([one.kind.to_string(), id.chars().take(12).collect(), or_dash(&one.name), or_dash(&one.status)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leftover(kind: LeftoverKind, id: &str) -> Leftover {
        Leftover { kind, id: id.into(), name: None, status: Some("Up \x1b[2J".into()), created: None, unused: false }
    }

    #[test]
    fn counts_and_lists() {
        let one = [leftover(LeftoverKind::Container, &"3f2a".repeat(16))];
        let three = [one[0].clone(), one[0].clone(), leftover(LeftoverKind::Image, "sha256:0123456789abcdef")];
        assert_eq!((count(&one).as_str(), count(&three).as_str()), ("1 container", "2 containers and 1 image"));
        assert_eq!(count(&[]), "nothing");
        insta::assert_snapshot!(table(&three).text(None));
    }
}

//! `docs/keys.md`, and what `scratchdbg keys` prints.

use std::fmt::Write as _;

use super::{Mode, bindings};

/// The table as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# Keys\n\nGenerated from the program's own table by `scratchdbg keys`. `^x` is Control with x. \
         Every name can be typed after `:`.\n",
    );
    for mode in Mode::ALL {
        let rows: Vec<_> = bindings().iter().filter(|binding| binding.mode == mode).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {}\n\n| keys | `:` name | what it does |\n| --- | --- | --- |\n", mode.title());
        for row in rows {
            let keys: Vec<_> =
                row.keys.split(' ').filter(|key| !key.is_empty()).map(|key| format!("`{key}`")).collect();
            let argument = if row.argument.is_empty() { String::new() } else { format!(" {}", row.argument) };
            let name = format!("`{}{}`", row.name, argument.replace('|', "\\|"));
            let _ = writeln!(out, "| {} | {name} | {} |", keys.join(" "), row.help);
        }
    }
    out
}

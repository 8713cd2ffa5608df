//! Stacks as tools that draw flame graphs read them: functions from the first to the innermost, and how many are there.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Dump;
use super::filter::Filter;
use super::group::groups;

/// Writes those that are wanted, each stack once. `all`: with the calls of the runtime's own inside.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut dyn Write, dump: &Dump, filter: &Filter, all: bool) -> io::Result<()> {
    let mut stacks: BTreeMap<String, usize> = BTreeMap::new();
    for group in groups(dump, filter) {
        let frames = dump.shown(group.place.stack, all);
        let mut names: Vec<_> =
            frames.iter().rev().map(|frame| frame.function.safe().into_string().replace(';', ":")).collect();
        if names.is_empty() {
            // It has a place all the same: what it does.
            names.push(format!("[{}]", group.place.words));
        }
        *stacks.entry(names.join(";")).or_default() += group.members.len();
    }
    for (stack, count) in stacks {
        writeln!(out, "{stack} {count}")?;
    }
    Ok(())
}

//! Goroutines for a person: those with the same stack together, the most first.

use std::io::{self, Write};

use super::Program;
use crate::commands::words;
use crate::golang::symbols::Frame;
use crate::goroutines::Dump;
use crate::goroutines::filter::Filter;
use crate::goroutines::group::{Group, groups};

/// Goroutines of a group that are named.
const NAMED: usize = 8;
/// Labels of a group that are told.
const LABELS: usize = 4;

/// Writes at most so many groups.
pub fn write(
    out: &mut dyn Write,
    dump: &Dump,
    program: &Program,
    filter: &Filter,
    all: bool,
    limit: usize,
) -> io::Result<()> {
    let groups = groups(dump, filter);
    let took = dump.took.as_secs_f64() * 1e3;
    let (go, pid) = (program.go.safe(), program.pid);
    writeln!(out, "{} ({go}, process {pid}, read in {took:.1} ms)", counts(dump, filter, &groups))?;
    let figures = super::figures(&dump.figures);
    if !figures.is_empty() {
        writeln!(out, "{figures}")?;
    }
    each(out, &groups, limit, |out, group| {
        one(out, dump, group, all)?;
        numbers(out, dump, group)
    })
}

/// Writes at most so many groups, in the way that is given.
pub fn each(
    out: &mut dyn Write,
    groups: &[Group],
    limit: usize,
    one: impl Fn(&mut dyn Write, &Group) -> io::Result<()>,
) -> io::Result<()> {
    for group in groups.iter().take(limit) {
        writeln!(out)?;
        one(out, group)?;
    }
    if groups.len() > limit {
        writeln!(out, "\n{} more groups", groups.len() - limit)?;
    }
    Ok(())
}

/// How many there are, and how many are not shown.
pub fn counts(dump: &Dump, filter: &Filter, groups: &[Group]) -> String {
    let listed: usize = groups.iter().map(|group| group.members.len()).sum();
    let system = dump.goroutines.iter().filter(|goroutine| goroutine.system).count();
    let hidden = if filter.system { 0 } else { system };
    let mut text = format!("{} in {}", counted(listed, "goroutine"), counted(groups.len(), "group"));
    let others = dump.goroutines.len() - listed - hidden;
    let more =
        [(others, "not asked for"), (hidden, "of the runtime's own")].map(|(count, what)| format!("; {count} {what}"));
    for (more, _) in more.iter().zip([others, hidden]).filter(|(_, count)| *count > 0) {
        text += more;
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What those of a group do, where, and what they have in common.
pub fn one(out: &mut dyn Write, dump: &Dump, group: &Group, all: bool) -> io::Result<()> {
    let waited = group
        .longest
        .map(|longest| format!(", {} {}", if group.members.len() > 1 { "up to" } else { "for" }, words::age(longest)));
    writeln!(out, "{} × {}{}", group.members.len(), group.place.words, waited.unwrap_or_default())?;
    match group.place.stack {
        None => writeln!(out, "    no stack: it runs, or changed while it was read")?,
        Some(stack) => {
            let frames = dump.shown(group.place.stack, all);
            for same in frames.chunk_by(|a, b| a == b) {
                call(out, "", same[0], same.len())?;
            }
            if dump.stacks.get(stack as usize).is_some_and(|stack| stack.cut) {
                writeln!(out, "    … more calls")?;
            }
        }
    }
    if let Some(creator) = dump.creator(group.place.created_by) {
        call(out, "created by ", &creator, 1)?;
    }
    let labels = labels(dump, group);
    if !labels.is_empty() {
        writeln!(out, "    labels {labels}")?;
    }
    Ok(())
}

/// The numbers of some of a group.
fn numbers(out: &mut dyn Write, dump: &Dump, group: &Group) -> io::Result<()> {
    let ids: Vec<_> = group
        .members
        .iter()
        .take(NAMED)
        .filter_map(|&index| dump.goroutines.get(index))
        .map(|one| one.id.to_string())
        .collect();
    let more = if group.members.len() > NAMED { ", …" } else { "" };
    writeln!(out, "    goroutine{} {}{more}", if ids.len() == 1 { "" } else { "s" }, ids.join(", "))
}

/// One line; a function that calls itself again and again is told once.
fn call(out: &mut dyn Write, before: &str, frame: &Frame, count: usize) -> io::Result<()> {
    let inlined = if frame.inlined { ", inlined" } else { "" };
    let again = if count > 1 { format!(" × {count}") } else { String::new() };
    writeln!(out, "    {before}{}{again}  ({}:{}{inlined})", frame.function.safe(), frame.file.safe(), frame.line)
}

/// The labels that most of them have, with how many have them.
fn labels(dump: &Dump, group: &Group) -> String {
    let counts = group.labels(dump);
    let more = if counts.len() > LABELS { ", …" } else { "" };
    let text = counts.iter().take(LABELS).map(|&((key, value), count)| {
        let all = count == group.members.len();
        let some = if all { String::new() } else { format!(" × {count}") };
        format!("{}={}{some}", key.safe(), value.safe())
    });
    let text: Vec<_> = text.collect();
    format!("{}{more}", text.join(", "))
}

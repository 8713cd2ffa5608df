//! The stack of what is selected, as lines.

use super::{Golang, Row, Shown};
use crate::golang::symbols::Frame;
use crate::goroutines::Dump;
use crate::tui::words;

/// Goroutines of a group that are named.
const NAMED: usize = 64;
/// Labels of a group that are told.
const LABELS: usize = 16;

impl Golang {
    /// Makes the lines anew, for what is selected now.
    pub(super) fn unwind(&mut self) {
        self.lines = match (self.selected(), self.dump()) {
            (Some(row), Some(dump)) => self.of(row, dump),
            _ => Vec::new(),
        };
        self.stack.at = self.stack.at.min(self.lines.len().saturating_sub(1));
    }

    /// What is selected, in a few words.
    #[must_use]
    pub fn heading(&self) -> String {
        let Some((row, dump)) = self.selected().zip(self.dump()) else { return "Stack".to_owned() };
        let waited = row.group.longest.map_or_else(String::new, |time| format!(", {}", words::span(time)));
        let words = row.group.place.words;
        match (&self.shown, row.group.members.first().and_then(|&index| dump.goroutines.get(index))) {
            (Shown::Single | Shown::Of(_), Some(one)) => format!("Stack ─ goroutine {}: {words}{waited}", one.id),
            _ => format!("Stack ─ {} × {words}{waited}", row.group.members.len()),
        }
    }

    fn of(&self, row: &Row, dump: &Dump) -> Vec<String> {
        let (group, mut lines) = (&row.group, Vec::new());
        if group.place.stack.is_none() {
            lines.push("no stack: it runs, or changed while it was read".to_owned());
        }
        let frames = dump.shown(group.place.stack, self.system);
        for same in frames.chunk_by(|a, b| a == b) {
            if let Some(frame) = same.first() {
                call(&mut lines, "", frame, same.len());
            }
        }
        let stack = group.place.stack.and_then(|number| dump.stacks.get(number as usize));
        if stack.is_some_and(|stack| stack.cut) {
            lines.push("… more calls".to_owned());
        }
        if let Some(creator) = dump.creator(group.place.created_by) {
            call(&mut lines, "created by ", &creator, 1);
        }
        let labels = group.labels(dump);
        for &((key, value), count) in labels.iter().take(LABELS) {
            let some = if count == group.members.len() { String::new() } else { format!(" × {count}") };
            lines.push(format!("label {}={}{some}", key.safe(), value.safe()));
        }
        if labels.len() > LABELS {
            lines.push("… more labels".to_owned());
        }
        let members = || group.members.iter().filter_map(|&index| dump.goroutines.get(index));
        if self.shown == Shown::Groups {
            let ids: Vec<_> = members().take(NAMED).map(|one| one.id.to_string()).collect();
            let more = if group.members.len() > NAMED { ", …" } else { "" };
            lines.push(format!("goroutine{} {}{more}", if ids.len() == 1 { "" } else { "s" }, ids.join(", ")));
        } else if let Some(one) = members().next() {
            let locked = if one.locked { ", to which it is locked" } else { "" };
            lines.extend(one.thread.map(|thread| format!("on thread {thread}{locked}")));
            if one.parent != 0 {
                lines.push(format!("started by goroutine {}", one.parent));
            }
            if one.system {
                lines.push("one of the runtime's own".to_owned());
            }
        }
        lines
    }
}

/// A call, and below it where that is. A function that calls itself again and again is told once.
fn call(lines: &mut Vec<String>, before: &str, frame: &Frame, count: usize) {
    let again = if count > 1 { format!(" × {count}") } else { String::new() };
    let inlined = if frame.inlined { "  (inlined)" } else { "" };
    lines.push(format!("{before}{}{again}{inlined}", frame.function.safe()));
    lines.push(format!("    {}:{}", frame.file.safe(), frame.line));
}

//! What changed between two readings: which groups grow, and which shrink. One that only ever grows is a leak.

use std::collections::HashMap;

use super::Dump;
use super::filter::Filter;
use super::group::{Group, groups};

/// The most groups that are remembered of one reading.
const MOST: usize = 100_000;

/// A place that is the same in all readings: what they do, the addresses of their calls, and of where they were started.
type Key = (&'static str, Vec<u64>, Option<u64>);

/// A group as it was.
#[derive(Debug, Clone)]
struct Known {
    count: usize,
    /// Readings in a row in which it was larger than before.
    grew: u32,
    first: usize,
    title: String,
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Watch {
    known: HashMap<Key, Known>,
    readings: u64,
}

/// A group that is larger or smaller than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Goroutines before.
    pub before: usize,
    /// Goroutines now.
    pub now: usize,
    /// Goroutines when it was first seen.
    pub first: usize,
    /// Readings in a row in which it grew.
    pub grew: u32,
    /// What they do and where, in one line, safe to show.
    pub title: String,
}

impl Watch {
    /// Takes a reading in, and tells what changed: what grew first, by how much, then what shrank. Of the first reading,
    /// nothing.
    pub fn next(&mut self, dump: &Dump, filter: &Filter) -> Vec<Change> {
        let first = self.readings == 0;
        self.readings += 1;
        let mut before = std::mem::take(&mut self.known);
        let mut changes = Vec::new();
        for group in groups(dump, filter).iter().take(MOST) {
            let now = group.members.len();
            let key = key(dump, group);
            let known = before.remove(&key);
            let was = known.as_ref().map_or(0, |known| known.count);
            let grew = known.as_ref().map_or(0, |known| known.grew);
            let grew = if now > was && !first { grew + 1 } else { 0 };
            let began = known.as_ref().map_or(if first { now } else { 0 }, |known| known.first);
            let title = known.map_or_else(|| title(dump, group), |known| known.title);
            if now != was && !first {
                changes.push(Change { before: was, now, first: began, grew, title: title.clone() });
            }
            self.known.insert(key, Known { count: now, grew, first: began, title });
        }
        let gone = before.into_values().map(|Known { count, first, title, .. }| Change {
            before: count,
            now: 0,
            first,
            grew: 0,
            title,
        });
        changes.extend(gone);
        let by = |change: &Change| {
            i64::try_from(change.now).unwrap_or(i64::MAX) - i64::try_from(change.before).unwrap_or(i64::MAX)
        };
        changes.sort_by(|a, b| by(b).cmp(&by(a)).then_with(|| a.title.cmp(&b.title)));
        changes
    }
}

impl Change {
    /// By how much it changed, with its sign: `+12`, `-3`.
    #[must_use]
    pub fn by(&self) -> String {
        if self.now >= self.before {
            format!("+{}", self.now - self.before)
        } else {
            format!("-{}", self.before - self.now)
        }
    }
}

fn key(dump: &Dump, group: &Group) -> Key {
    let address = |number: u32| dump.addresses.get(number as usize).copied().unwrap_or_default();
    let stack = group.place.stack.and_then(|stack| dump.stacks.get(stack as usize));
    let calls = stack.map(|stack| stack.calls.iter().map(|&call| address(call)).collect()).unwrap_or_default();
    (group.place.words, calls, group.place.created_by.map(address))
}

fn title(dump: &Dump, group: &Group) -> String {
    let frames = dump.shown(group.place.stack, false);
    let at = frames.first().map(|frame| format!("  {}", frame.function.safe())).unwrap_or_default();
    let by = dump.creator(group.place.created_by).map(|frame| format!("  created by {}", frame.function.safe()));
    format!("{}{at}{}", group.place.words, by.unwrap_or_default())
}

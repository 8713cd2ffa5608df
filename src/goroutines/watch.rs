//! What changed between two readings: which groups grow, and which shrink. One that only ever grows is a leak.

use std::collections::HashMap;

use super::Dump;
use super::filter::Filter;
use super::group::{Group, Place, groups};

/// The most groups that are remembered of one reading.
const MOST: usize = 100_000;

/// A place that is the same in all readings: what they do, the addresses of their calls, and of where they were started.
pub type Key = (&'static str, Vec<u64>, Option<u64>);

/// A group as it was.
#[derive(Debug, Clone)]
struct Known {
    count: usize,
    before: usize,
    /// Readings in a row in which it was larger than before.
    grew: u32,
    first: usize,
    title: String,
}

/// How a group came to be as large as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trend {
    /// Goroutines now.
    pub now: usize,
    /// Goroutines in the reading before.
    pub before: usize,
    /// Goroutines when it was first looked for: 0 if it was not there in the first reading.
    pub first: usize,
    /// Readings in a row in which it grew.
    pub grew: u32,
}

/// What was read so far.
#[derive(Debug, Clone, Default)]
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
            let key = key(dump, &group.place);
            let known = before.remove(&key);
            let was = known.as_ref().map_or(0, |known| known.count);
            let grew = known.as_ref().map_or(0, |known| known.grew);
            let grew = if now > was && !first { grew + 1 } else { 0 };
            let began = known.as_ref().map_or(if first { now } else { 0 }, |known| known.first);
            let title = known.map_or_else(|| title(dump, group), |known| known.title);
            if now != was && !first {
                changes.push(Change { before: was, now, first: began, grew, title: title.clone() });
            }
            let before = if first { now } else { was };
            self.known.insert(key, Known { count: now, before, grew, first: began, title });
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

    /// How the group at a place came to be as large as it was in the last reading. `None` if it was not in it.
    #[must_use]
    pub fn trend(&self, key: &Key) -> Option<Trend> {
        let Known { count, before, first, grew, .. } = *self.known.get(key)?;
        Some(Trend { now: count, before, first, grew })
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

/// What tells a place from others in every reading.
#[must_use]
pub fn key(dump: &Dump, place: &Place) -> Key {
    let address = |number: u32| dump.addresses.get(number as usize).copied().unwrap_or_default();
    let stack = place.stack.and_then(|stack| dump.stacks.get(stack as usize));
    let calls = stack.map(|stack| stack.calls.iter().map(|&call| address(call)).collect()).unwrap_or_default();
    (place.words, calls, place.created_by.map(address))
}

fn title(dump: &Dump, group: &Group) -> String {
    let frames = dump.shown(group.place.stack, false);
    let at = frames.first().map(|frame| format!("  {}", frame.function.safe())).unwrap_or_default();
    let by = dump.creator(group.place.created_by).map(|frame| format!("  created by {}", frame.function.safe()));
    format!("{}{at}{}", group.place.words, by.unwrap_or_default())
}

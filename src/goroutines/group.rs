//! Goroutines that are at the same place for the same reason: what a person wants to see first of ten thousand.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::filter::Filter;
use super::{Dump, Goroutine};
use crate::text::Untrusted;

/// What those of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// What they do, or wait for, in the runtime's words.
    pub words: &'static str,
    /// Their stack, by number.
    pub stack: Option<u32>,
    /// Where they were started, by number.
    pub created_by: Option<u32>,
}

/// Goroutines at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where.
    pub place: Place,
    /// Which: places in [`Dump::goroutines`].
    pub members: Vec<usize>,
    /// The longest wait among them, if any is known.
    pub longest: Option<Duration>,
}

impl Place {
    /// Of a goroutine.
    #[must_use]
    pub fn of(goroutine: &Goroutine) -> Self {
        Self { words: goroutine.words(), stack: goroutine.stack, created_by: goroutine.created_by }
    }
}

impl Group {
    /// The labels that they have, and how many of them have each; the one that most have comes first.
    #[must_use]
    pub fn labels<'d>(&self, dump: &'d Dump) -> Vec<(&'d (Untrusted, Untrusted), usize)> {
        let mut counts = BTreeMap::new();
        for goroutine in self.members.iter().filter_map(|&index| dump.goroutines.get(index)) {
            for label in dump.labels(goroutine.labels) {
                *counts.entry(label).or_insert(0) += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(_, count)| Reverse(count));
        counts
    }
}

/// Groups those that are wanted: the largest first, then those that wait longest.
#[must_use]
pub fn groups(dump: &Dump, filter: &Filter) -> Vec<Group> {
    let sieve = filter.of(dump);
    grouped(dump, |goroutine| sieve.keeps(dump, goroutine))
}

/// The same of those that somebody else chooses.
pub fn grouped(dump: &Dump, mut wanted: impl FnMut(&Goroutine) -> bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known = HashMap::new();
    for (index, goroutine) in dump.goroutines.iter().enumerate().filter(|(_, one)| wanted(one)) {
        let place = Place::of(goroutine);
        let number = *known.entry(place).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group { place, members: Vec::new(), longest: None });
        }
        if let Some(group) = groups.get_mut(number) {
            group.members.push(index);
            group.longest = group.longest.max(goroutine.waited);
        }
    }
    groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| b.longest.cmp(&a.longest)));
    groups
}

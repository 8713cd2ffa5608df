//! Goroutines that are at the same place for the same reason: what a person wants to see first of ten thousand.

use std::collections::HashMap;
use std::time::Duration;

use super::filter::Filter;
use super::{Dump, Goroutine};

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

/// Groups those that are wanted: the largest first, then those that wait longest.
#[must_use]
pub fn groups(dump: &Dump, filter: &Filter) -> Vec<Group> {
    let sieve = filter.of(dump);
    let mut groups: Vec<Group> = Vec::new();
    let mut known = HashMap::new();
    for (index, goroutine) in dump.goroutines.iter().enumerate().filter(|(_, one)| sieve.keeps(dump, one)) {
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

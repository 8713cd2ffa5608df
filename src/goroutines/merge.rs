//! The goroutines of many processes as those of one: what is the same in several of them, by functions, files and lines, is there
//! once. So they are grouped and filtered as those of a single process are.

use std::collections::HashMap;
use std::hash::Hash;

use super::group::Group;
use super::{Dump, Goroutine, Labels, MOST, Stack};
use crate::golang::symbols::Frame;

/// What was read of some processes so far.
#[derive(Debug, Default)]
pub struct Merge {
    dump: Dump,
    /// Of each goroutine the process that it is of, by number.
    of: Vec<usize>,
    calls: HashMap<Vec<Frame>, u32>,
    stacks: HashMap<Stack, u32>,
    labels: HashMap<Labels, u32>,
}

impl Merge {
    /// Adds those of a process, which gets a number. More than [`MOST`] of all together are left out, and counted.
    pub fn add(&mut self, process: usize, dump: &Dump) {
        let Dump { goroutines, tally, took, .. } = dump;
        let calls: Vec<_> = dump.calls.iter().map(|call| self.call(call)).collect();
        let call = |number: u32| calls.get(number as usize).copied();
        let mut stacks = Vec::with_capacity(dump.stacks.len());
        for stack in &dump.stacks {
            let calls = stack.calls.iter().filter_map(|&number| call(number)).collect();
            stacks.push(numbered(&mut self.stacks, &mut self.dump.stacks, Stack { calls, cut: stack.cut }));
        }
        let mut labels = Vec::with_capacity(dump.labels.len());
        for one in &dump.labels {
            labels.push(numbered(&mut self.labels, &mut self.dump.labels, one.clone()));
        }
        let at = |table: &[u32], number: Option<u32>| number.and_then(|number| table.get(number as usize).copied());
        let room = MOST.saturating_sub(self.dump.goroutines.len());
        for goroutine in goroutines.iter().take(room) {
            self.dump.goroutines.push(Goroutine {
                stack: at(&stacks, goroutine.stack),
                created_by: goroutine.created_by.and_then(call),
                labels: at(&labels, goroutine.labels),
                ..goroutine.clone()
            });
            self.of.push(process);
        }
        let all = &mut self.dump.tally;
        all.alive += tally.alive;
        all.retried += tally.retried;
        all.moving += tally.moving;
        all.unreadable += tally.unreadable;
        all.left_out += tally.left_out + goroutines.len().saturating_sub(room);
        self.dump.took = self.dump.took.max(*took);
    }

    /// All of them as one. What the runtime of each says of itself is not in it.
    #[must_use]
    pub fn dump(&self) -> &Dump {
        &self.dump
    }

    /// The process that one is of, by its place in the dump.
    #[must_use]
    pub fn process(&self, index: usize) -> Option<usize> {
        self.of.get(index).copied()
    }

    /// How many of a group each of so many processes has.
    #[must_use]
    pub fn counts(&self, group: &Group, processes: usize) -> Vec<usize> {
        let mut counts = vec![0; processes];
        for process in group.members.iter().filter_map(|&index| self.process(index)) {
            if let Some(count) = counts.get_mut(process) {
                *count += 1;
            }
        }
        counts
    }

    /// A call by what a person knows of it: where it is in memory, and in its function, differs between builds and starts.
    fn call(&mut self, frames: &[Frame]) -> u32 {
        let frames: Vec<_> = frames.iter().map(|frame| Frame { offset: 0, ..frame.clone() }).collect();
        if !self.calls.contains_key(&frames) {
            self.dump.addresses.push(0);
        }
        numbered(&mut self.calls, &mut self.dump.calls, frames)
    }
}

/// The number of a thing, which it is given when it comes first.
fn numbered<T: Clone + Eq + Hash>(known: &mut HashMap<T, u32>, all: &mut Vec<T>, one: T) -> u32 {
    // There are fewer calls, stacks and labels than goroutines, and fewer of these than fit.
    let next = u32::try_from(all.len()).unwrap_or(u32::MAX);
    if let Some(&number) = known.get(&one) {
        return number;
    }
    all.push(one.clone());
    known.insert(one, next);
    next
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::goroutines::State;
    use crate::goroutines::filter::Filter;
    use crate::goroutines::group::groups;

    fn frame(function: &str, line: u32, offset: u32) -> Frame {
        let (function, file) = (function.into(), "main.go".into());
        Frame { function, file, line, inlined: false, wrapper: false, offset }
    }

    /// A process: of each of its goroutines its number, its stack, by numbers of calls, and a label.
    fn dump(calls: Vec<Frame>, addresses: u64, goroutines: &[(u64, &[u32], &str, u64)]) -> Dump {
        let mut dump = Dump {
            addresses: (0..calls.len() as u64).map(|at| addresses + at).collect(),
            calls: calls.into_iter().map(|call| vec![call]).collect(),
            ..Dump::default()
        };
        for (id, stack, label, waited) in goroutines {
            let stack = Stack { calls: stack.to_vec(), cut: false };
            let known = dump.stacks.iter().position(|one| *one == stack);
            let number = known.unwrap_or(dump.stacks.len());
            if known.is_none() {
                dump.stacks.push(stack);
            }
            dump.labels.push(vec![("tenant".into(), (*label).into())]);
            dump.goroutines.push(Goroutine {
                id: *id,
                state: State::Waiting,
                reason: Some("select"),
                waited: Some(Duration::from_secs(*waited)),
                parent: 1,
                created_by: Some(0),
                thread: None,
                locked: false,
                labels: u32::try_from(dump.labels.len() - 1).ok(),
                stack: u32::try_from(number).ok(),
                system: false,
            });
        }
        dump.tally.alive = goroutines.len();
        dump
    }

    /// Two builds: other addresses, other numbers of calls, other places in the functions; the same lines.
    #[test]
    fn what_differs_between_processes_splits_no_group() {
        let first = dump(
            vec![frame("main.main", 1, 7), frame("main.worker", 9, 30), frame("main.other", 4, 2)],
            0x40_0000,
            &[(2, &[1], "a", 5), (3, &[1], "b", 9), (4, &[2], "a", 1)],
        );
        let second = dump(
            vec![frame("main.main", 1, 8), frame("main.later", 2, 1), frame("main.worker", 9, 44)],
            0x7f00_0000,
            &[(2, &[2], "a", 70), (9, &[1], "a", 2)],
        );
        let mut merge = Merge::default();
        merge.add(0, &first);
        merge.add(1, &second);
        let all = merge.dump();
        let groups = groups(all, &Filter::default());
        let told: Vec<_> = groups
            .iter()
            .map(|group| {
                let name = all.frames(group.place.stack).next().unwrap().function.lossy().into_owned();
                (name, merge.counts(group, 2), group.longest.unwrap().as_secs())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("main.worker".to_owned(), vec![2, 1], 70),
                ("main.later".to_owned(), vec![0, 1], 2),
                ("main.other".to_owned(), vec![1, 0], 1)
            ]
        );
        assert_eq!((all.tally.alive, all.labels.len(), all.addresses.len()), (5, 2, all.calls.len()));
        let labels = groups[0].labels(all);
        assert_eq!(labels.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1]);
        let creator = all.creator(groups[0].place.created_by).unwrap();
        assert_eq!(creator.function.bytes(), b"main.main");
        // Filters find the same.
        let filter = Filter { functions: vec!["worker".to_owned()], ..Filter::default() };
        assert_eq!(super::super::group::groups(all, &filter).len(), 1);
    }

    #[test]
    fn another_line_is_another_place() {
        let mut merge = Merge::default();
        merge.add(0, &dump(vec![frame("main.worker", 9, 0)], 0, &[(2, &[0], "a", 1)]));
        merge.add(1, &dump(vec![frame("main.worker", 10, 0)], 0, &[(2, &[0], "a", 1)]));
        assert_eq!(groups(merge.dump(), &Filter::default()).len(), 2);
    }
}

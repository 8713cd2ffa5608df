//! Orders of a process list: sorted, and as a tree.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Process;

/// What processes are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortBy {
    /// Id inside, smallest first.
    #[default]
    Pid,
    /// Share of a processor over its life, largest first.
    Cpu,
    /// Resident memory, largest first.
    Memory,
    /// Threads, most first.
    Threads,
    /// Age, oldest first.
    Age,
    /// User's name, or number.
    User,
    /// Command.
    Command,
}

/// Sorts processes. Ids settle what is equal.
pub fn sort(processes: &mut [Process], by: SortBy, reverse: bool) {
    processes.sort_by(|a, b| {
        let order = compare(a, b, by).then_with(|| a.pid.cmp(&b.pid));
        if reverse { order.reverse() } else { order }
    });
}

/// Compares two processes, the one that comes first being less.
#[must_use]
pub fn compare(a: &Process, b: &Process, by: SortBy) -> Ordering {
    match by {
        SortBy::Pid => a.pid.cmp(&b.pid),
        SortBy::Cpu => b.cpu_percent.total_cmp(&a.cpu_percent),
        SortBy::Memory => b.rss.cmp(&a.rss),
        SortBy::Threads => b.threads.cmp(&a.threads),
        SortBy::Age => b.age.cmp(&a.age),
        SortBy::User => (&a.user, a.uid).cmp(&(&b.user, b.uid)),
        SortBy::Command => (&a.command, &a.name).cmp(&(&b.command, &b.name)),
    }
}

/// The processes as a tree: depth and index of each, parents right before their children, brothers in the order of the
/// slice. Each process comes once, whatever the parents say: one whose parent is not there is a root, and of processes
/// that are each other's parents (two readings of a pid that was used again) the first is.
#[must_use]
pub fn tree(processes: &[Process]) -> Vec<(usize, usize)> {
    let at: HashMap<_, _> = processes.iter().enumerate().map(|(index, process)| (process.pid, index)).collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (index, process) in processes.iter().enumerate() {
        match at.get(&process.ppid) {
            Some(&parent) if parent != index => children.entry(parent).or_default().push(index),
            _ => roots.push(index),
        }
    }
    let mut order = Vec::with_capacity(processes.len());
    let mut seen = vec![false; processes.len()];
    // After the roots, every process once more: those in a cycle hang from no root.
    for root in roots.into_iter().chain(0..processes.len()) {
        let mut stack = vec![(0, root)];
        while let Some((depth, index)) = stack.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            order.push((depth, index));
            let below = children.get(&index).into_iter().flatten().rev();
            stack.extend(below.map(|&child| (depth + 1, child)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::target::ContainerPid;

    fn process(pid: i32, parent: i32) -> Process {
        Process {
            pid: ContainerPid(pid),
            host_pid: None,
            ppid: ContainerPid(parent),
            uid: 0,
            user: None,
            state: 'S',
            threads: 1,
            rss: 0,
            cpu: Duration::ZERO,
            age: Duration::ZERO,
            cpu_percent: 0.0,
            start_ticks: 0,
            name: "x".into(),
            command: Vec::new(),
        }
    }

    fn shape(parents: &[(i32, i32)]) -> String {
        let processes: Vec<_> = parents.iter().map(|&(pid, ppid)| process(pid, ppid)).collect();
        let line = |&(depth, index): &(usize, usize)| format!("{}{}", ".".repeat(depth), processes[index].pid);
        tree(&processes).iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn trees() {
        for (parents, text) in [
            (&[][..], ""),
            (&[(1, 0), (7, 1), (8, 7), (9, 1)], "1 .7 ..8 .9"),
            (&[(9, 1), (8, 7), (7, 1), (1, 0)], "1 .9 .7 ..8"),
            // A parent that is not there, or oneself.
            (&[(5, 4), (6, 6)], "5 6"),
            // Circles.
            (&[(2, 3), (3, 2), (1, 0)], "1 2 .3"),
            (&[(2, 3), (3, 4), (4, 2), (5, 4)], "2 .4 ..3 ..5"),
        ] {
            assert_eq!(shape(parents), text, "{parents:?}");
        }
    }

    #[test]
    fn a_deep_tree_does_not_overflow_the_stack() {
        let processes: Vec<_> = (1..100_000).map(|pid| process(pid, pid - 1)).collect();
        assert_eq!(tree(&processes).last(), Some(&(99_998, 99_998)));
    }

    #[test]
    fn sorts() {
        let mut processes = vec![process(3, 1), process(1, 0), process(2, 1)];
        processes[0].rss = 5;
        processes[2].cpu_percent = 1.0;
        let mut pids = |by, reverse| {
            sort(&mut processes, by, reverse);
            processes.iter().map(|process| process.pid.0).collect::<Vec<_>>()
        };
        assert_eq!(pids(SortBy::Pid, false), [1, 2, 3]);
        assert_eq!(pids(SortBy::Memory, false), [3, 1, 2]);
        assert_eq!(pids(SortBy::Cpu, false), [2, 1, 3]);
        assert_eq!(pids(SortBy::Cpu, true), [3, 1, 2]);
    }

    proptest::proptest! {
        #[test]
        fn every_process_comes_once(parents in proptest::collection::vec((0..9, 0..9), 0..20)) {
            let processes: Vec<_> = parents.iter().map(|&(pid, ppid)| process(pid, ppid)).collect();
            let mut seen: Vec<_> = tree(&processes).into_iter().map(|(_, index)| index).collect();
            seen.sort_unstable();
            proptest::prop_assert_eq!(seen, (0..processes.len()).collect::<Vec<_>>());
        }
    }
}

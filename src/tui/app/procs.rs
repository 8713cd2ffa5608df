//! The list of processes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use crate::inspect::processes::Process;
use crate::target::ContainerPid;
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::Pattern;

/// Deepest level of the tree that is drawn as deep as it is.
const DEEPEST: usize = 12;
/// Samples kept of the rates.
const SAMPLES: usize = 120;

/// All processes, as they were read at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Processes {
    /// The processes.
    pub list: Vec<Process>,
    /// Share of one processor since the reading before, in percent, in the same order.
    pub recent: Vec<Option<f64>>,
}

/// The readings as a line of numbers over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    before: HashMap<(ContainerPid, u64), Duration>,
    read: Option<Duration>,
    /// Share of one processor in percent, newest last.
    pub cpu: VecDeque<f64>,
    /// Resident memory in bytes, newest last.
    pub rss: VecDeque<u64>,
}

impl Rates {
    /// Takes a reading made at a time, and tells what each process used since the one before.
    pub fn take(&mut self, list: &[Process], at: Duration) -> Vec<Option<f64>> {
        let elapsed = self.read.map(|before| at.saturating_sub(before)).filter(|time| !time.is_zero());
        let recent: Vec<Option<f64>> = list
            .iter()
            .map(|process| {
                let before = self.before.get(&(process.pid, process.start_ticks))?;
                Some(process.cpu.saturating_sub(*before).as_secs_f64() / elapsed?.as_secs_f64() * 100.0)
            })
            .collect();
        if recent.iter().any(Option::is_some) {
            push(&mut self.cpu, recent.iter().flatten().sum());
        }
        push(&mut self.rss, list.iter().fold(0, |sum: u64, process| sum.saturating_add(process.rss)));
        self.before = list.iter().map(|process| ((process.pid, process.start_ticks), process.cpu)).collect();
        self.read = Some(at);
        recent
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T) {
    queue.push_back(value);
    if queue.len() > SAMPLES {
        queue.pop_front();
    }
}

/// What the flat list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By pid.
    #[default]
    Pid,
    /// By user.
    User,
    /// Busiest first.
    Cpu,
    /// Largest first.
    Memory,
    /// Most first.
    Threads,
    /// Youngest first.
    Age,
    /// By command.
    Command,
}

impl Sort {
    /// The columns in their order.
    pub const ALL: [Self; 7] =
        [Self::Pid, Self::User, Self::Cpu, Self::Memory, Self::Threads, Self::Age, Self::Command];

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self).map_or(0, |at| at + 1);
        Self::ALL.get(at).copied().unwrap_or_default()
    }
}

/// One row: which process, and what is drawn before its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the reading.
    pub at: usize,
    /// Branches of the tree.
    pub branch: String,
}

/// How the list is shown.
#[derive(Debug, Clone)]
pub struct Procs {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// Where one is.
    pub cursor: Cursor,
    /// What they must match.
    pub filter: Option<Pattern>,
    /// Tree, or flat.
    pub tree: bool,
    /// What a flat list is sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reverse: bool,
    /// Columns the commands are scrolled to the right.
    pub shift: usize,
}

impl Default for Procs {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            cursor: Cursor::default(),
            filter: None,
            tree: true,
            sort: Sort::Pid,
            reverse: false,
            shift: 0,
        }
    }
}

impl Procs {
    /// Filters and sorts. The same process stays selected.
    pub fn arrange(&mut self, before: Option<ContainerPid>, data: &Processes) {
        let shown = |process: &Process| {
            self.filter.as_ref().is_none_or(|filter| {
                let user = process.user.as_ref().map_or_else(String::new, |user| user.lossy().into_owned());
                filter.hits(format!("{} {user} {}", process.pid, command(process)).as_bytes())
            })
        };
        // A filtered tree would show children without their parents.
        let mut rows = if self.tree && self.filter.is_none() {
            tree(&data.list)
        } else {
            let mut places: Vec<usize> =
                data.list.iter().enumerate().filter(|(_, process)| shown(process)).map(|(at, _)| at).collect();
            self.order(&mut places, data);
            places.into_iter().map(|at| Row { at, branch: String::new() }).collect()
        };
        std::mem::swap(&mut self.rows, &mut rows);
        if let Some(pid) = before {
            let at = self.rows.iter().position(|row| data.list.get(row.at).is_some_and(|process| process.pid == pid));
            self.cursor.at = at.unwrap_or(self.cursor.at);
        }
    }

    fn order(&self, places: &mut [usize], data: &Processes) {
        places.sort_by(|a, b| {
            let (Some(x), Some(y)) = (data.list.get(*a), data.list.get(*b)) else { return std::cmp::Ordering::Equal };
            let recent = |at: &usize| data.recent.get(*at).copied().flatten().unwrap_or_default();
            let order = match self.sort {
                Sort::Pid => x.pid.cmp(&y.pid),
                Sort::User => x.user.cmp(&y.user).then_with(|| x.uid.cmp(&y.uid)),
                Sort::Cpu => recent(b).total_cmp(&recent(a)).then_with(|| y.cpu.cmp(&x.cpu)),
                Sort::Memory => y.rss.cmp(&x.rss),
                Sort::Threads => y.threads.cmp(&x.threads),
                Sort::Age => x.age.cmp(&y.age),
                Sort::Command => x.command.cmp(&y.command),
            };
            order.then_with(|| x.pid.cmp(&y.pid))
        });
        if self.reverse {
            places.reverse();
        }
    }

    /// The selected process.
    #[must_use]
    pub fn selected<'a>(&self, data: &'a Processes) -> Option<&'a Process> {
        data.list.get(self.rows.get(self.cursor.at)?.at)
    }
}

/// The command line, safe to show; the kernel's name in brackets if there is none.
#[must_use]
pub fn command(process: &Process) -> String {
    if process.command.is_empty() {
        return format!("[{}]", process.name.safe());
    }
    let words: Vec<String> = process.command.iter().map(|word| word.safe().into_string()).collect();
    words.join(" ")
}

/// The user, by name if the target has names.
#[must_use]
pub fn user(process: &Process) -> String {
    process.user.as_ref().map_or_else(|| process.uid.to_string(), |user: &Untrusted| user.safe().into_string())
}

/// What the state letter of proc_pid_stat(5) means.
#[must_use]
pub fn state(letter: char) -> &'static str {
    match letter {
        'R' => "running",
        'S' => "sleeping",
        'D' => "waiting for a disk",
        'T' => "stopped",
        't' => "stopped by a debugger",
        'Z' => "zombie",
        'X' | 'x' => "dead",
        'I' => "idle",
        _ => "unknown",
    }
}

/// Orders processes as a tree. Parents that are not there, or are their own ancestors, are no parents.
fn tree(list: &[Process]) -> Vec<Row> {
    let known: HashSet<ContainerPid> = list.iter().map(|process| process.pid).collect();
    let mut children: HashMap<ContainerPid, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (at, process) in list.iter().enumerate() {
        if process.ppid != process.pid && known.contains(&process.ppid) {
            children.entry(process.ppid).or_default().push(at);
        } else {
            roots.push(at);
        }
    }
    let by_pid = |places: &mut Vec<usize>| places.sort_by_key(|at| list.get(*at).map(|process| process.pid));
    by_pid(&mut roots);
    children.values_mut().for_each(by_pid);
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(list.len());
    let mut trees: VecDeque<usize> = roots.into();
    let mut rest = 0;
    loop {
        // Circles have no root: whatever was not reached starts a tree of its own.
        let root = trees.pop_front().or_else(|| {
            while rest < list.len() && seen.contains(&rest) {
                rest += 1;
            }
            (rest < list.len()).then_some(rest)
        });
        let Some(root) = root else { return rows };
        let mut stack = vec![(root, String::new(), String::new(), 0)];
        while let Some((at, branch, below, depth)) = stack.pop() {
            if !seen.insert(at) {
                continue;
            }
            rows.push(Row { at, branch });
            let kids = list.get(at).and_then(|process| children.get(&process.pid)).map_or(&[][..], Vec::as_slice);
            for (place, kid) in kids.iter().enumerate().rev() {
                let is_last = place + 1 == kids.len();
                if depth < DEEPEST {
                    let branch = format!("{below}{}", if is_last { "└─" } else { "├─" });
                    let further = format!("{below}{}", if is_last { "  " } else { "│ " });
                    stack.push((*kid, branch, further, depth + 1));
                } else {
                    stack.push((*kid, format!("{below}…"), below.clone(), depth));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! One process in full, as lines of text with headings.

use crate::inspect::process::{Detail, Part};
use crate::target::ContainerPid;
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::{Pattern, Search};
use crate::tui::app::procs;
use crate::tui::app::secret;
use crate::tui::words;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name of a section.
    Heading,
    /// A fact.
    Fact,
    /// Why a section could not be read.
    Missing,
}

/// One line. Its text is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

/// One process in full.
#[derive(Debug, Clone)]
pub struct ProcessView {
    /// Which.
    pub pid: ContainerPid,
    /// What was read of it.
    pub detail: Held<Box<Detail>>,
    /// The same as lines.
    pub lines: Vec<Line>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// Whether secrets are shown.
    pub reveal: bool,
    /// How many values are masked, or would be.
    pub secrets: usize,
    /// What is searched for.
    pub search: Option<Search>,
}

impl ProcessView {
    /// An empty view of a process.
    #[must_use]
    pub fn new(pid: ContainerPid) -> Self {
        Self {
            pid,
            detail: Held::default(),
            lines: Vec::new(),
            cursor: Cursor::default(),
            shift: 0,
            reveal: false,
            secrets: 0,
            search: None,
        }
    }

    /// Makes the lines anew, after data or choices changed.
    pub fn arrange(&mut self) {
        let Some(detail) = &self.detail.shown else { return };
        (self.lines, self.secrets) = lines(detail, self.reveal);
        if let Some(search) = self.search.take() {
            let at = search.line().unwrap_or_default();
            self.search = Some(Search::new(search.pattern, self.lines.iter().map(|line| &line.text), at));
        }
    }

    /// Searches from where one is.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        self.search =
            pattern.map(|pattern| Search::new(pattern, self.lines.iter().map(|line| &line.text), self.cursor.at));
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.cursor.at = line;
        }
    }

    /// Goes to the next match, or the one before.
    pub fn step(&mut self, forward: bool) {
        if let Some(line) = self.search.as_mut().and_then(|search| search.step(forward)) {
            self.cursor.at = line;
        }
    }

    /// Goes to the next heading, or the one before; round and round. The heading comes to the top.
    pub fn section(&mut self, forward: bool) {
        let headings: Vec<usize> =
            self.lines.iter().enumerate().filter(|(_, line)| line.kind == Kind::Heading).map(|(at, _)| at).collect();
        let at = self.cursor.at;
        let next = if forward {
            headings.iter().find(|line| **line > at).or(headings.first())
        } else {
            headings.iter().rev().find(|line| **line < at).or(headings.last())
        };
        if let Some(line) = next {
            self.cursor = Cursor { at: *line, top: *line };
        }
    }
}

fn lines(detail: &Detail, reveal: bool) -> (Vec<Line>, usize) {
    let mut page = Page { lines: Vec::new() };
    let process = &detail.process;
    page.heading("Process");
    page.fact("command", &procs::command(process));
    let host = process.host_pid.map_or_else(String::new, |pid| format!("  (on the host: {pid})"));
    page.fact("pid", &format!("{}{host}  parent {}", process.pid, process.ppid));
    page.fact("user", &procs::user(process));
    page.fact("state", &format!("{} {}", process.state, procs::state(process.state)));
    page.fact("memory", &format!("{} resident", words::bytes(process.rss)));
    page.fact("age", &format!("{}, processor time {}", words::span(process.age), words::cpu(process.cpu)));
    page.fact("threads", &process.threads.to_string());
    for (name, part) in [("program", &detail.exe), ("directory", &detail.cwd), ("root", &detail.root)] {
        match part {
            Part::Ok(path) => page.fact(name, path.safe().as_str()),
            Part::Unavailable(why) => page.missing(&format!("{name}: {why}")),
        }
    }
    page.section("Security", &detail.security, |page, fields| {
        for field in fields {
            page.fact(&field.name, field.value.safe().as_str());
        }
    });
    page.section("Capabilities", &detail.capabilities, |page, sets| {
        for set in sets {
            page.fact(&set.set, &if set.names.is_empty() { "none".to_owned() } else { set.names.join(" ") });
        }
    });
    let mut secrets = 0;
    page.section("Environment", &detail.env, |page, variables| {
        for variable in variables {
            let name = variable.name.safe();
            let is_secret = secret::is_secret(&variable.name.lossy(), &variable.value.lossy());
            secrets += usize::from(is_secret);
            if is_secret && !reveal {
                page.plain(&format!("{name}={}", secret::MASK));
            } else {
                page.plain(&format!("{name}={}", variable.value.safe()));
            }
        }
    });
    page.section("Descriptors", &detail.fds, |page, fds| {
        for fd in fds {
            let mode = fd.mode.as_deref().unwrap_or("-");
            let position = fd.position.filter(|at| *at > 0).map_or_else(String::new, |at| format!("  at {at}"));
            page.plain(&format!("{:>5}  {mode:<2}  {}  {}{position}", fd.number, fd.what, fd.target.safe()));
        }
    });
    page.section("Limits", &detail.limits, |page, limits| {
        for limit in limits {
            let number = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
            let used = limit.used.map_or_else(String::new, |used| format!("  used {used}"));
            let (soft, hard, unit) = (number(limit.soft), number(limit.hard), &limit.unit);
            page.plain(&format!("{:<22} {soft:>20} {hard:>20} {unit}{used}", limit.name));
        }
    });
    page.section("Memory", &detail.maps, |page, maps| {
        for map in maps {
            let mut kind = String::new();
            kind.push(if map.writable > 0 { 'w' } else { '-' });
            kind.push(if map.executable > 0 { 'x' } else { '-' });
            let size = words::bytes(map.size);
            page.plain(&format!("{size:>9} {kind} {:>6}  {}", words::count_short(map.regions), map.what.safe()));
        }
    });
    page.section("Mounts", &detail.mounts, |page, mounts| {
        for mount in mounts {
            let (point, kind, source) = (mount.point.safe(), mount.kind.safe(), mount.source.safe());
            page.plain(&format!("{point}  {kind}  {source}  {}", mount.options.safe()));
        }
    });
    page.section("Cgroups", &detail.cgroups, |page, cgroups| {
        for path in cgroups {
            page.plain(path.safe().as_str());
        }
    });
    page.section("Namespaces", &detail.namespaces, |page, namespaces| {
        for (kind, inode) in namespaces {
            page.fact(kind, &inode.to_string());
        }
    });
    page.section("Status", &detail.status, |page, fields| {
        for field in fields {
            page.fact(&field.name, field.value.safe().as_str());
        }
    });
    (page.lines, secrets)
}

struct Page {
    lines: Vec<Line>,
}

impl Page {
    fn push(&mut self, kind: Kind, text: String) {
        self.lines.push(Line { kind, text });
    }

    fn heading(&mut self, name: &str) {
        self.push(Kind::Heading, name.to_owned());
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.push(Kind::Fact, format!("  {name:<12} {value}"));
    }

    fn plain(&mut self, text: &str) {
        self.push(Kind::Fact, format!("  {text}"));
    }

    fn missing(&mut self, why: &str) {
        self.push(Kind::Missing, format!("  {}", Untrusted::from(why).safe()));
    }

    fn section<T>(&mut self, name: &str, part: &Part<Vec<T>>, fill: impl FnOnce(&mut Self, &[T])) {
        match part {
            Part::Ok(items) => {
                self.heading(&format!("{name} ({})", items.len()));
                fill(self, items);
            }
            Part::Unavailable(why) => {
                self.heading(name);
                self.missing(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    #[test]
    fn secrets_are_masked_until_they_are_asked_for() {
        let mut view = ProcessView::new(ContainerPid(1));
        view.detail.shown = Some(Box::new(fake::detail()));
        view.arrange();
        let text = |view: &ProcessView| view.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        assert!(text(&view).contains(&format!("DB_PASSWORD={}", secret::MASK)) && !text(&view).contains("hunter2"));
        view.find(Pattern::new("hunter2"));
        assert_eq!(view.search.as_ref().map(Search::counter).as_deref(), Some("0/0"), "a search must not tell either");
        view.reveal = true;
        view.arrange();
        assert!(text(&view).contains("DB_PASSWORD=hunter2"));
        assert_eq!(view.secrets, 1);
    }

    #[test]
    fn sections_go_round() {
        let mut view = ProcessView::new(ContainerPid(1));
        view.detail.shown = Some(Box::new(fake::detail()));
        view.arrange();
        view.section(true);
        assert!(view.lines[view.cursor.at].text.starts_with("Security"));
        view.section(false);
        view.section(false);
        assert!(view.lines[view.cursor.at].text.starts_with("Status"));
        view.section(true);
        assert_eq!(view.lines[view.cursor.at].text, "Process");
    }
}

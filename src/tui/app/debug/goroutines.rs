//! The list of goroutines: page by page, grouped, filtered.

use std::collections::HashMap;
use std::sync::Arc;

use super::place::{Place, Places};
use super::thread;
use crate::delve::model::{Goroutine, Groups, Label, Page, Wait};
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::Pattern;
use crate::tui::keymap::Action;
use crate::tui::message::debug::{By, Question, Which};

/// Members of a group that are kept.
const MEMBERS: usize = 100;

/// A goroutine as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number.
    pub id: i64,
    /// What it does, or waits for.
    pub state: Arc<str>,
    /// Where it is.
    pub current: Arc<Place>,
    /// Where it is in code that is not the runtime's.
    pub user: Arc<Place>,
    /// The function it began with.
    pub start: Arc<Place>,
    /// Its labels, `key=value`.
    pub labels: Arc<str>,
}

/// Goroutines that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub name: Arc<str>,
    /// How many there are, as far as was looked.
    pub total: u64,
    /// The first of them.
    pub members: Vec<Line>,
    /// Whether they are shown.
    pub open: bool,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A goroutine.
    Line(usize),
    /// The name of a group.
    Group(usize),
    /// One of its members.
    Member(usize, usize),
}

/// The list.
#[derive(Debug, Clone)]
pub struct Goroutines {
    /// Which are listed.
    pub which: Which,
    /// What they are grouped by.
    pub by: Option<By>,
    /// What they must match.
    pub filter: Option<Pattern>,
    /// Those that were read, where they are not grouped.
    pub lines: Vec<Line>,
    /// Groups of those that were read.
    pub groups: Vec<Group>,
    /// What is shown, in order.
    pub rows: Vec<Row>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// From where on they were not read yet.
    pub next: Option<u64>,
    /// Whether some are on their way.
    pub busy: bool,
    /// Why they cannot be listed.
    pub error: Option<String>,
    to_end: bool,
    places: Places,
    texts: HashMap<String, Arc<str>>,
}

impl Default for Goroutines {
    fn default() -> Self {
        Self {
            which: Which::default(),
            by: None,
            filter: None,
            lines: Vec::new(),
            groups: Vec::new(),
            rows: Vec::new(),
            cursor: Cursor::default(),
            shift: 0,
            next: Some(0),
            busy: false,
            error: None,
            to_end: false,
            places: Places::default(),
            texts: HashMap::new(),
        }
    }
}

impl Goroutines {
    /// Begins anew: other ones, or otherwise grouped.
    pub fn list(&mut self, which: Which, by: Option<By>) {
        *self = Self { which, by, filter: self.filter.take(), ..Self::default() };
    }

    /// The page that is to be read, if one is needed to fill the screen or to get to the end.
    pub fn due(&mut self, page: usize) -> Option<Question> {
        let from = self.next.filter(|_| !self.busy && self.error.is_none())?;
        // Groups are counted whole; of lines there are two screens more than one sees.
        let enough = self.cursor.top.saturating_add(page.saturating_mul(3));
        if self.by.is_none() && !self.to_end && self.rows.len() > enough {
            return None;
        }
        self.busy = true;
        let which = self.which;
        Some(match self.by {
            None => Question::Goroutines { from, which },
            Some(by) => Question::Groups { from, which, by },
        })
    }

    /// Whether an answer is to what was asked last.
    #[must_use]
    pub fn awaits(&self, question: &Question) -> bool {
        let asked = (self.by, self.which, self.next);
        self.busy
            && match *question {
                Question::Goroutines { from, which } => asked == (None, which, Some(from)),
                Question::Groups { from, which, by } => asked == (Some(by), which, Some(from)),
                _ => false,
            }
    }

    /// Takes a page.
    pub fn arrive(&mut self, page: &Page) {
        self.busy = false;
        self.go_on(page.next);
        let first = self.lines.len();
        for goroutine in &page.goroutines {
            let line = self.line(goroutine);
            self.lines.push(line);
        }
        let mut sieve = Sieve::new(self.filter.as_ref());
        let fresh = self.lines.iter().enumerate().skip(first).filter(|(_, line)| sieve.passes(line));
        self.rows.extend(fresh.map(|(at, _)| Row::Line(at)));
        if self.to_end {
            self.cursor.at = self.rows.len().saturating_sub(1);
            self.to_end = self.next.is_some();
        }
    }

    /// Takes groups, and adds them to those there are.
    pub fn arrive_groups(&mut self, groups: &Groups) {
        self.busy = false;
        self.go_on(groups.next);
        let selected = self.selected_group();
        for group in &groups.groups {
            let name = self.text(group.name.safe().into_string());
            let members: Vec<Line> = group.members.iter().map(|goroutine| self.line(goroutine)).collect();
            match self.groups.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    known.total = known.total.saturating_add(group.total);
                    known.members.extend(members);
                    known.members.truncate(MEMBERS);
                }
                None => self.groups.push(Group { name, total: group.total, members, open: false }),
            }
        }
        self.groups.sort_by(|one, other| other.total.cmp(&one.total).then_with(|| one.name.cmp(&other.name)));
        self.arrange();
        if let Some(name) = selected {
            let group_at = |row: &Row| match row {
                Row::Group(at) => self.groups.get(*at).is_some_and(|group| group.name == name),
                _ => false,
            };
            self.cursor.at = self.rows.iter().position(group_at).unwrap_or(self.cursor.at);
        }
    }

    /// A page that does not go on would be asked for without end.
    fn go_on(&mut self, next: Option<u64>) {
        self.next = next.filter(|next| self.next.is_none_or(|before| *next > before));
    }

    fn selected_group(&self) -> Option<Arc<str>> {
        match self.rows.get(self.cursor.at)? {
            Row::Group(at) => self.groups.get(*at).map(|group| Arc::clone(&group.name)),
            _ => None,
        }
    }

    /// Filters anew. The selected goroutine stays selected, if it still passes.
    pub fn set_filter(&mut self, filter: Option<Pattern>) {
        let selected = self.selected();
        self.filter = filter;
        self.arrange();
        let at = (0..self.rows.len()).find(|at| self.at(*at).map(|line| line.id) == selected);
        self.cursor.at = at.unwrap_or(0);
    }

    /// Moves, if the action is a motion. The bottom is the last one there is: all are read on the way to it.
    pub fn go(&mut self, motion: Action, page: usize) -> bool {
        let moved = self.cursor.go(motion, self.rows.len(), page);
        if moved {
            self.to_end = motion == Action::Bottom && self.next.is_some();
        }
        moved
    }

    /// Whether it is on its way to the bottom: what is selected now will not be in a moment.
    #[must_use]
    pub fn hurries(&self) -> bool {
        self.to_end
    }

    /// Folds or unfolds the group at the cursor. False if there is none.
    pub fn toggle(&mut self) -> bool {
        let Some(Row::Group(at)) = self.rows.get(self.cursor.at) else { return false };
        if let Some(group) = self.groups.get_mut(*at) {
            group.open = !group.open;
        }
        self.arrange();
        true
    }

    /// The goroutine in a row; of a group's name, its first one.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<&Line> {
        match *self.rows.get(row)? {
            Row::Line(at) => self.lines.get(at),
            Row::Group(at) => self.groups.get(at)?.members.first(),
            Row::Member(at, member) => self.groups.get(at)?.members.get(member),
        }
    }

    /// The selected goroutine.
    #[must_use]
    pub fn selected(&self) -> Option<i64> {
        self.at(self.cursor.at).map(|line| line.id)
    }

    /// A row as it is copied.
    #[must_use]
    pub fn copied(&self, row: usize) -> Option<String> {
        if let Row::Group(at) = *self.rows.get(row)? {
            return self.groups.get(at).map(|group| format!("{} {}", group.total, group.name));
        }
        self.at(row).map(Line::text)
    }

    /// Whether they are threads: the program is stripped.
    #[must_use]
    pub fn are_threads(&self) -> bool {
        self.lines.first().is_some_and(|line| thread::thread(line.id).is_some())
    }

    /// How many were read.
    #[must_use]
    pub fn read(&self) -> u64 {
        match self.by {
            None => self.lines.len() as u64,
            Some(_) => self.groups.iter().map(|group| group.total).fold(0, u64::saturating_add),
        }
    }

    fn arrange(&mut self) {
        let mut sieve = Sieve::new(self.filter.as_ref());
        if self.by.is_none() {
            let passing = self.lines.iter().enumerate().filter(|(_, line)| sieve.passes(line));
            self.rows = passing.map(|(at, _)| Row::Line(at)).collect();
            return;
        }
        let mut rows = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            let named = self.filter.as_ref().is_none_or(|filter| filter.hits(group.name.as_bytes()));
            let members: Vec<usize> = (0..group.members.len())
                .filter(|member| named || group.members.get(*member).is_some_and(|line| sieve.passes(line)))
                .collect();
            if named || !members.is_empty() {
                rows.push(Row::Group(at));
                rows.extend(members.into_iter().filter(|_| group.open).map(|member| Row::Member(at, member)));
            }
        }
        self.rows = rows;
    }

    fn text(&mut self, text: String) -> Arc<str> {
        Arc::clone(self.texts.entry(text).or_insert_with_key(|text| Arc::from(text.as_str())))
    }

    fn line(&mut self, goroutine: &Goroutine) -> Line {
        let state = self.text(state(goroutine));
        let labels = self.text(labels(&goroutine.labels));
        Line {
            id: goroutine.id,
            state,
            current: self.places.keep(&goroutine.current),
            user: self.places.keep(&goroutine.user),
            start: self.places.keep(&goroutine.start),
            labels,
        }
    }
}

impl Line {
    /// All of it in one line, as it is copied.
    #[must_use]
    pub fn text(&self) -> String {
        match thread::thread(self.id) {
            Some(thread) => format!("{thread} {}", self.current.full()),
            None => format!("{} {}", self.id, self.words()),
        }
    }

    /// All but its number, which it shares with many others.
    fn words(&self) -> String {
        let labels = if self.labels.is_empty() { String::new() } else { format!(" {}", self.labels) };
        let (user, start) = (self.user.full(), self.start.full());
        format!("{} {user}{labels} started by {start}", self.state)
    }
}

/// What passes a filter. What many goroutines have in common is looked at once: a hundred thousand of them are filtered
/// at every key that is typed.
struct Sieve<'a> {
    filter: Option<&'a Pattern>,
    known: HashMap<[usize; 4], bool>,
}

impl<'a> Sieve<'a> {
    fn new(filter: Option<&'a Pattern>) -> Self {
        Self { filter, known: HashMap::new() }
    }

    fn passes(&mut self, line: &Line) -> bool {
        let Some(filter) = self.filter else { return true };
        // Each of them is kept once, so where it is tells which it is.
        let address = |of: &Arc<Place>| Arc::as_ptr(of).addr();
        let texts = [&line.state, &line.labels].map(|of| Arc::as_ptr(of).addr());
        let key = [texts[0], texts[1], address(&line.user), address(&line.start)];
        let common = *self.known.entry(key).or_insert_with(|| filter.hits(line.words().as_bytes()));
        common || filter.hits(line.id.to_string().as_bytes())
    }
}

fn state(goroutine: &Goroutine) -> String {
    match (&goroutine.unreadable, goroutine.wait) {
        (Some(why), _) => format!("unreadable: {}", why.safe()),
        (None, Some(Wait { words: Some(words), .. })) => words.to_owned(),
        (None, Some(Wait { number, words: None })) => format!("waiting ({number})"),
        (None, None) => goroutine.status.word().to_owned(),
    }
}

fn labels(labels: &[Label]) -> String {
    let text = |label: &Label| format!("{}={}", label.key.safe(), label.value.safe());
    labels.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

//! The list of breakpoints: those that are set, and those that could not be.

use std::collections::HashMap;

use super::place::Place;
use crate::delve::model::{Breakpoint, Location};
use crate::text;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::{Pattern, Search};
use crate::tui::message::debug::{Known, Marks, Unset, Wanted};

/// The list.
#[derive(Debug, Clone, Default)]
pub struct Breakpoints {
    /// Those that are set.
    pub set: Vec<Known>,
    /// Those that could not be.
    pub unset: Vec<Unset>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub search: Option<Search>,
    /// What those that only log have logged last.
    logged: HashMap<i64, String>,
}

/// A row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// One that is set.
    Set(&'a Known),
    /// One that could not be.
    Unset(&'a Unset),
}

impl Breakpoints {
    /// Takes all there are now.
    pub fn arrive(&mut self, marks: Marks) {
        (self.set, self.unset) = (marks.set, marks.unset);
        let ids: Vec<i64> = self.set.iter().map(|known| known.breakpoint.id).collect();
        self.logged.retain(|id, _| ids.contains(id));
        let at = self.cursor;
        self.find(self.search.as_ref().map(|search| search.pattern.clone()));
        self.cursor = at;
    }

    /// One that only logs was hit.
    pub fn logged(&mut self, id: i64, hits: u64, text: String) {
        if let Some(known) = self.set.iter_mut().find(|known| known.breakpoint.id == id) {
            known.breakpoint.hits = known.breakpoint.hits.max(hits);
            self.logged.insert(id, text);
        }
    }

    /// Rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.set.len() + self.unset.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<Row<'_>> {
        let unset = || self.unset.get(at.checked_sub(self.set.len())?).map(Row::Unset);
        self.set.get(at).map(Row::Set).or_else(unset)
    }

    /// The row that is selected.
    #[must_use]
    pub fn selected(&self) -> Option<Row<'_>> {
        self.row(self.cursor.at)
    }

    /// A row in words: where, when it stops, how often it was hit.
    #[must_use]
    pub fn words(&self, row: Row<'_>) -> Words {
        match row {
            Row::Set(known) => {
                let breakpoint = &known.breakpoint;
                let mut words = Words::of(&conditions_of(breakpoint), breakpoint.tracepoint, breakpoint.enabled);
                words.place = spot(&breakpoint.location);
                if let Some(before) = &known.moved {
                    words.trouble = format!("it was in {}", before.safe());
                }
                words.hits = format!("hit {}×", breakpoint.hits);
                words.logged = self.logged.get(&breakpoint.id).cloned().unwrap_or_default();
                words
            }
            Row::Unset(unset) => {
                let mut words = Words::wanted(&unset.wanted);
                words.trouble = format!("not set: {}", text::escape(unset.why.as_bytes()));
                words
            }
        }
    }

    /// A row as it is searched and copied.
    #[must_use]
    pub fn copied(&self, at: usize) -> Option<String> {
        let row = self.row(at)?;
        let number = match row {
            Row::Set(known) => known.breakpoint.id.to_string(),
            Row::Unset(_) => "-".to_owned(),
        };
        let words = self.words(row);
        let parts = [number, words.place, words.hits, words.when, words.trouble, words.logged];
        Some(parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("  "))
    }

    /// Searches it.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        let lines: Vec<String> = (0..self.len()).filter_map(|row| self.copied(row)).collect();
        self.search = pattern.map(|pattern| Search::new(pattern, lines.iter(), self.cursor.at));
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.cursor.at = line;
        }
    }
}

/// A breakpoint in words. All are safe to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// How it is marked, here and in the source.
    pub mark: &'static str,
    /// Where it is.
    pub place: String,
    /// When it stops, if not always: `off, logs, hits % 100, if n > 3`.
    pub when: String,
    /// How often it was hit.
    pub hits: String,
    /// What is wrong with it.
    pub trouble: String,
    /// What it has logged last.
    pub logged: String,
}

impl Words {
    fn of([condition, hits]: &[String; 2], tracepoint: bool, enabled: bool) -> Self {
        let mut when = Vec::new();
        when.extend((!enabled).then(|| "off".to_owned()));
        when.extend(tracepoint.then(|| "logs".to_owned()));
        when.extend((!hits.is_empty()).then(|| format!("hits {hits}")));
        when.extend((!condition.is_empty()).then(|| format!("if {condition}")));
        let limited = !(condition.is_empty() && hits.is_empty());
        Self { mark: symbol(enabled, tracepoint, limited), when: when.join(", "), ..Self::default() }
    }

    /// One that is to be set.
    #[must_use]
    pub fn wanted(wanted: &Wanted) -> Self {
        let safe = |text: &str| text::escape(text.as_bytes());
        let conditions = [safe(&wanted.condition), safe(&wanted.hit_condition)];
        let function = safe(&wanted.function);
        let place = safe(&wanted.place);
        let inside = if function.is_empty() || function == place { String::new() } else { format!(" in {function}") };
        Self { place: format!("{place}{inside}"), ..Self::of(&conditions, wanted.tracepoint, wanted.enabled) }
    }
}

/// How a breakpoint is marked.
#[must_use]
pub fn mark(breakpoint: &Breakpoint) -> &'static str {
    let limited = conditions_of(breakpoint).iter().any(|condition| !condition.is_empty());
    symbol(breakpoint.enabled, breakpoint.tracepoint, limited)
}

fn symbol(enabled: bool, tracepoint: bool, limited: bool) -> &'static str {
    match (enabled, tracepoint, limited) {
        (false, ..) => "○",
        (_, true, _) => "◇",
        (.., true) => "◐",
        _ => "●",
    }
}

fn conditions_of(breakpoint: &Breakpoint) -> [String; 2] {
    [&breakpoint.condition, &breakpoint.hit_condition].map(|text| text.safe().into_string())
}

fn spot(location: &Location) -> String {
    let place = Place::from(location);
    format!("{} {}", place.spot(), place.short()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    #[test]
    fn a_row_says_all_there_is() {
        let mut list = Breakpoints::default();
        list.arrive(fake::breakpoints());
        let rows: Vec<_> = (0..list.len()).filter_map(|row| list.copied(row)).collect();
        assert_eq!(
            rows,
            [
                "1  store.go:42 main.(*store).packOrders  hit 12×",
                "2  store.go:30 main.(*store).buy  hit 0×  hits % 100, if n > 3",
                "4  main.go:12 main.run  hit 3×  off, logs  it was in main.main",
                "-  /src/shop/store.go:99 in main.gone  not set: delve: nothing is at /src/shop/store.go:99",
            ]
        );
        assert!(list.row(4).is_none());
        assert_eq!(list.set.iter().map(|known| mark(&known.breakpoint)).collect::<String>(), "●◐○");
        list.logged(4, 5, "goroutine 3: main.run()".to_owned());
        assert_eq!(
            list.copied(2).unwrap(),
            "4  main.go:12 main.run  hit 5×  off, logs  it was in main.main  goroutine 3: main.run()"
        );
        list.logged(9, 1, "of another one".to_owned());
        list.find(Pattern::new("buy"));
        assert_eq!(list.search.as_ref().and_then(Search::line), Some(1));
        list.arrive(Marks::default());
        assert!(list.is_empty() && list.selected().is_none() && list.logged.is_empty());
    }
}

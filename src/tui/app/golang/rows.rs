//! The list: groups or goroutines that pass the filter, in an order.

use std::cmp::Ordering;

use super::{Golang, Shown, Sort};
use crate::goroutines::group::{Group, Place, grouped};
use crate::goroutines::watch::{self, Trend};
use crate::goroutines::{Dump, Goroutine};
use crate::tui::app::debug::place;
use crate::tui::app::pattern::Pattern;
use crate::tui::words;

/// A row: a group, or a goroutine, which is a group of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which goroutines, and what they have in common.
    pub group: Group,
    /// How there came to be so many; `None` of a single one.
    pub trend: Option<Trend>,
}

impl Row {
    /// By how much it grew since the reading before, and since the first one.
    #[must_use]
    pub fn growth(&self) -> (i64, i64) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.trend
            .map_or((0, 0), |trend| (number(trend.now) - number(trend.before), number(trend.now) - number(trend.first)))
    }

    fn first<'d>(&self, dump: &'d Dump) -> Option<&'d Goroutine> {
        dump.goroutines.get(*self.group.members.first()?)
    }
}

/// What of a dump a pattern is found in, looked for once in each function and each label.
struct Found {
    stacks: Vec<bool>,
    calls: Vec<bool>,
    labels: Vec<bool>,
}

impl Found {
    fn new(dump: &Dump, pattern: &Pattern) -> Self {
        let calls: Vec<bool> = dump
            .calls
            .iter()
            .map(|call| {
                call.iter().any(|frame| pattern.hits(frame.function.bytes()) || pattern.hits(frame.file.bytes()))
            })
            .collect();
        let has = |number: &u32| calls.get(*number as usize).copied().unwrap_or_default();
        let stacks = dump.stacks.iter().map(|stack| stack.calls.iter().any(has)).collect();
        let label = |(key, value): &(_, _)| pattern.hits(format!("{key}={value}").as_bytes());
        let text =
            |labels: &crate::goroutines::Labels| labels.iter().any(|(key, value)| label(&(key.safe(), value.safe())));
        let labels = dump.labels.iter().map(text).collect();
        Self { stacks, calls, labels }
    }

    fn has(&self, pattern: &Pattern, goroutine: &Goroutine) -> bool {
        let at = |table: &[bool], number: Option<u32>| {
            number.is_some_and(|number| table.get(number as usize) == Some(&true))
        };
        at(&self.stacks, goroutine.stack)
            || at(&self.calls, goroutine.created_by)
            || at(&self.labels, goroutine.labels)
            || pattern.hits(goroutine.words().as_bytes())
            || goroutine.id.to_string() == pattern.text
    }
}

impl Golang {
    /// Makes the list anew. What was selected stays so.
    pub(in crate::tui::app) fn arrange(&mut self) {
        let Some(data) = self.data.shown.clone() else { return };
        let dump = &data.dump;
        let selected =
            self.selected().map(|row| (watch::key(dump, &row.group.place), row.first(dump).map(|one| one.id)));
        self.make(dump);
        if let Some((key, id)) = self.chosen.take().or(selected) {
            let same = |row: &Row| match self.shown {
                Shown::Groups => watch::key(dump, &row.group.place) == key,
                _ => row.first(dump).map(|one| one.id) == id,
            };
            self.cursor.at = self.rows.iter().position(same).unwrap_or(self.cursor.at);
        }
        self.cursor.at = self.cursor.at.min(self.rows.len().saturating_sub(1));
        self.unwind();
    }

    fn make(&mut self, dump: &Dump) {
        let found = self.filter.as_ref().map(|pattern| (pattern, Found::new(dump, pattern)));
        let wanted = |one: &Goroutine| {
            (self.system || !one.system) && found.as_ref().is_none_or(|(pattern, found)| found.has(pattern, one))
        };
        let groups = grouped(dump, wanted);
        self.count = groups.iter().map(|group| group.members.len()).sum();
        let mut rows: Vec<Row> = match &self.shown {
            Shown::Groups => groups
                .into_iter()
                .map(|group| {
                    let trend = self.trend(dump, &group);
                    Row { group, trend }
                })
                .collect(),
            Shown::Single => groups.iter().flat_map(|group| singles(dump, group)).collect(),
            Shown::Of(key) => {
                let of = groups.iter().find(|group| watch::key(dump, &group.place) == *key);
                self.count = of.map_or(0, |group| group.members.len());
                of.into_iter().flat_map(|group| singles(dump, group)).collect()
            }
        };
        if self.sort == Sort::Where {
            rows.sort_by_cached_key(|row| self.spot(dump, &row.group.place));
        } else {
            rows.sort_by(|a, b| self.order(dump, a, b));
        }
        if self.reverse {
            rows.reverse();
        }
        self.rows = rows;
    }

    fn order(&self, dump: &Dump, a: &Row, b: &Row) -> Ordering {
        let grouped = self.shown == Shown::Groups;
        let count = |row: &Row| row.group.members.len();
        let id = |row: &Row| row.first(dump).map(|one| (one.id, one.parent, one.thread));
        match self.sort {
            Sort::Count if grouped => count(b).cmp(&count(a)).then(b.group.longest.cmp(&a.group.longest)),
            Sort::Change if grouped => b.growth().0.cmp(&a.growth().0).then(count(b).cmp(&count(a))),
            Sort::Since if grouped => b.growth().1.cmp(&a.growth().1).then(count(b).cmp(&count(a))),
            Sort::Count => id(a).cmp(&id(b)),
            Sort::Change => id(a).map(|(_, parent, _)| parent).cmp(&id(b).map(|(_, parent, _)| parent)),
            Sort::Since => id(b).map(|(.., thread)| thread).cmp(&id(a).map(|(.., thread)| thread)),
            Sort::State => a.group.place.words.cmp(b.group.place.words).then(count(b).cmp(&count(a))),
            Sort::Waited => b.group.longest.cmp(&a.group.longest),
            // Its words are made once for each row.
            Sort::Where => Ordering::Equal,
        }
    }

    /// Where they are, in the program's own code if they are in any, otherwise what they began with; as shortly as it can be
    /// said.
    fn spot(&self, dump: &Dump, place: &Place) -> String {
        let frames = dump.shown(place.stack, false);
        let module = self.data.shown.as_ref().map_or(&b""[..], |data| data.module.bytes());
        let own = frames.iter().find(|frame| is_own(frame.function.bytes(), module));
        let began = || frames.iter().rfind(|frame| frame.function.bytes() != b"runtime.goexit");
        let Some(frame) = own.or_else(began) else {
            return "no stack: it runs, or changed while it was read".to_owned();
        };
        let (function, file) = (frame.function.safe(), frame.file.safe());
        let file = file.as_str().rsplit('/').next().unwrap_or_default();
        format!("{}  {file}:{}", place::short(function.as_str()), frame.line)
    }

    /// A row as it is shown.
    #[must_use]
    pub fn cells(&self, row: usize) -> Option<Vec<String>> {
        let (row, dump) = (self.rows.get(row)?, self.dump()?);
        let group = &row.group;
        let waited = group.longest.map_or_else(String::new, words::span);
        let number = |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
        let [first, second, third] = if self.shown == Shown::Groups {
            let signed = |number: i64| if number == 0 { String::new() } else { format!("{number:+}") };
            let (change, since) = row.growth();
            [group.members.len().to_string(), signed(change), signed(since)]
        } else {
            let one = row.first(dump)?;
            [one.id.to_string(), number(one.parent), number(one.thread.unwrap_or_default())]
        };
        Some(vec![first, second, third, group.place.words.to_owned(), waited, self.spot(dump, &group.place)])
    }
}

fn singles<'d>(dump: &'d Dump, group: &'d Group) -> impl Iterator<Item = Row> + 'd {
    group.members.iter().map(|&index| {
        let longest = dump.goroutines.get(index).and_then(|one| one.waited);
        Row { group: Group { place: group.place, members: vec![index], longest }, trend: None }
    })
}

/// Whether a function is not of Go's own library. Its packages have no dot before the first slash; those of others have a
/// domain there, or are of the program's module.
fn is_own(function: &[u8], module: &[u8]) -> bool {
    let first = function.split(|&byte| byte == b'/').next().unwrap_or_default();
    let has_folders = first.len() < function.len();
    let in_module = !module.is_empty()
        && function.strip_prefix(module).is_some_and(|rest| matches!(rest.first(), Some(b'/' | b'.')));
    function.starts_with(b"main.") || in_module || (has_folders && first.contains(&b'.') && !first.contains(&b'('))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_program_and_what_of_gos_library() {
        for own in ["main.main", "main.(*T).run", "example.com/shop/store.Get", "shop/store.(*Store).Get", "shop.Run"] {
            assert!(is_own(own.as_bytes(), b"shop"), "{own}");
        }
        for library in ["net/http.(*conn).serve", "runtime.gopark", "vendor/golang.org/x/net/http2.Read", "shopping.Go"]
        {
            assert!(!is_own(library.as_bytes(), b"shop"), "{library}");
        }
        assert!(!is_own(b"sync.(*Pool[a.com/b.T]).Get", b""));
    }
}

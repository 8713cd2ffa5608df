//! What is searched for: a regular expression, smart about case, never an error.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// A pattern as it was typed, ready to be looked for.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    /// Whether it was no regular expression and is looked for letter by letter.
    pub literal: bool,
    inverse: bool,
    regex: Option<Regex>,
}

/// Bytes a compiled pattern may take.
const LIMIT: usize = 1 << 20;

impl Pattern {
    /// Reads a pattern. Nothing typed is no pattern. Small letters match both cases.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::build(text, text, false)
    }

    /// The same, where a leading `!` turns it round.
    #[must_use]
    pub fn filter(text: &str) -> Option<Self> {
        match text.strip_prefix('!') {
            Some(rest) => Self::build(text, rest, true),
            None => Self::new(text),
        }
    }

    fn build(text: &str, expression: &str, inverse: bool) -> Option<Self> {
        if expression.is_empty() {
            return None;
        }
        let insensitive = !expression.chars().any(char::is_uppercase);
        let compile =
            |expression: &str| RegexBuilder::new(expression).case_insensitive(insensitive).size_limit(LIMIT).build();
        let (regex, literal) = match compile(expression) {
            Ok(regex) => (Some(regex), false),
            Err(_) => (compile(&regex::escape(expression)).ok(), true),
        };
        Some(Self { text: text.to_owned(), literal, inverse, regex })
    }

    /// Whether it is in there; for a filter, whether that is to be shown.
    #[must_use]
    pub fn hits(&self, bytes: &[u8]) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(bytes)) != self.inverse
    }

    /// Where it is in a text that is shown. At most a thousand places, none of them empty.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.inverse {
            return Vec::new();
        }
        let Some(regex) = &self.regex else { return Vec::new() };
        regex
            .find_iter(text.as_bytes())
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .take(1000)
            .collect()
    }

    /// Where matches start in some bytes, so many at most.
    #[must_use]
    pub fn offsets(&self, bytes: &[u8], most: usize) -> Vec<usize> {
        let Some(regex) = &self.regex else { return Vec::new() };
        regex.find_iter(bytes).filter(|found| !found.is_empty()).map(|found| found.start()).take(most).collect()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.inverse == other.inverse
    }
}

/// Matches in a text that does not change, and which one it is at.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What is looked for.
    pub pattern: Pattern,
    /// Lines that match, in order.
    pub lines: Vec<usize>,
    /// Which of them is the current one.
    pub at: Option<usize>,
}

impl Search {
    /// Looks through all lines; the first match at or after `from` is the current one.
    pub fn new(pattern: Pattern, lines: impl Iterator<Item = impl AsRef<[u8]>>, from: usize) -> Self {
        let lines: Vec<usize> =
            lines.enumerate().filter(|(_, line)| pattern.hits(line.as_ref())).map(|(at, _)| at).collect();
        let at = lines.iter().position(|line| *line >= from).or(if lines.is_empty() { None } else { Some(0) });
        Self { pattern, lines, at }
    }

    /// Goes to the next or the previous match, round and round.
    pub fn step(&mut self, forward: bool) -> Option<usize> {
        let len = self.lines.len();
        if len == 0 {
            return None;
        }
        let at = self.at.unwrap_or(0);
        self.at = Some(if forward { (at + 1) % len } else { (at + len - 1) % len });
        self.line()
    }

    /// The line of the current match.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.lines.get(self.at?).copied()
    }

    /// `3/17`.
    #[must_use]
    pub fn counter(&self) -> String {
        format!("{}/{}", self.at.map_or(0, |at| at + 1), self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_match_both_cases() {
        for (pattern, text, hit) in [
            ("err", "ERR x", true),
            ("Err", "ERR x", false),
            ("e.r", "ERR x", true),
            ("(", "f(x)", true),
            ("(", "fx", false),
            (r"\d+ms", "4ms", true),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().hits(text.as_bytes()), hit, "{pattern:?} in {text:?}");
        }
        assert!(Pattern::new("(").unwrap().literal);
        assert!(Pattern::new("").is_none());
    }

    #[test]
    fn a_filter_can_be_turned_round() {
        let filter = Pattern::filter("!debug").unwrap();
        assert!(!filter.hits(b"DEBUG a") && filter.hits(b"info"));
        assert!(filter.places("debug").is_empty());
        assert!(Pattern::filter("!").is_none());
    }

    #[test]
    fn a_monster_is_no_pattern_but_text() {
        let pattern = Pattern::new(r"(\w{1000}){1000}").unwrap();
        assert!(pattern.literal && !pattern.hits(b"a"));
    }

    #[test]
    fn matches_go_round() {
        let lines = ["a", "b", "a", "b", "a"];
        let mut search = Search::new(Pattern::new("a").unwrap(), lines.iter(), 1);
        assert_eq!((search.line(), search.counter().as_str()), (Some(2), "2/3"));
        assert_eq!(search.step(true), Some(4));
        assert_eq!(search.step(true), Some(0));
        assert_eq!(search.step(false), Some(4));
        assert_eq!(Search::new(Pattern::new("z").unwrap(), lines.iter(), 0).counter(), "0/0");
    }
}

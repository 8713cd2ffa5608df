//! Which lines are wanted: a regular expression in the manner of less and k9s.

use std::str::Chars;

use regex::bytes::{Regex, RegexBuilder};

/// The largest compiled expression, in bytes: what a person types is far below.
const LARGEST: usize = 1 << 20;

/// A search or filter.
#[derive(Debug, Clone)]
pub struct Filter {
    regex: Regex,
    inverse: bool,
    warning: Option<String>,
}

impl Filter {
    /// Reads what was typed: a regular expression, `!` before it for lines that do not match. Without a
    /// capital letter, capitals do not matter. What is no expression is looked for as it stands, with a warning.
    /// `None` if nothing was typed.
    #[must_use]
    pub fn new(typed: &str) -> Option<Self> {
        let (pattern, inverse) = match typed.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (typed, false),
        };
        if pattern.is_empty() {
            return None;
        }
        let build = |pattern: &str, any_case| {
            RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(LARGEST).dfa_size_limit(LARGEST).build()
        };
        match build(pattern, !has_capital(pattern)) {
            Ok(regex) => Some(Self { regex, inverse, warning: None }),
            Err(error) => {
                let why = match error {
                    regex::Error::CompiledTooBig(_) => "too large",
                    _ => "no regular expression",
                };
                let any_case = !pattern.chars().any(char::is_uppercase);
                let regex = build(&regex::escape(pattern), any_case).ok()?;
                let warning = Some(format!("{pattern:?} is {why}; it is looked for as it stands"));
                Some(Self { regex, inverse, warning })
            }
        }
    }

    /// Whether a line is wanted.
    #[must_use]
    pub fn accepts(&self, line: &[u8]) -> bool {
        self.regex.is_match(line) != self.inverse
    }

    /// Where it matches, as byte ranges, to be highlighted. Nothing of an inverse one.
    pub fn matches<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let found = (!self.inverse).then(|| self.regex.find_iter(line).map(|found| found.range()));
        found.into_iter().flatten().filter(|range| !range.is_empty())
    }

    /// Whether lines that match are the unwanted ones.
    #[must_use]
    pub fn is_inverse(&self) -> bool {
        self.inverse
    }

    /// What is odd about what was typed.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

/// Whether a capital stands for itself: not one of `\S`, `\W`, `\pL`, `\x1B`, `(?P<NAME>`.
fn has_capital(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => skip_escape(&mut chars),
            '(' if chars.as_str().starts_with('?') => skip_past(&mut chars, &[':', ')', '>']),
            c if c.is_uppercase() => return true,
            _ => {}
        }
    }
    false
}

fn skip_escape(chars: &mut Chars<'_>) {
    if let Some('p' | 'P' | 'x' | 'u' | 'U') = chars.next() {
        if chars.as_str().starts_with('{') {
            skip_past(chars, &['}']);
        } else {
            chars.next();
        }
    }
}

fn skip_past(chars: &mut Chars<'_>, ends: &[char]) {
    for c in chars {
        if ends.contains(&c) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        for (typed, line, accepted) in [
            ("error", "an ERROR here", true),
            ("Error", "an ERROR here", false),
            ("ERROR", "an ERROR here", true),
            (r"\Sx", "AX", true),
            (r"(?P<Name>ab)", "AB", true),
            (r"\p{Lu}x", "ÄX", true),
            ("!error", "an ERROR here", false),
            ("!error", "all is well", true),
            ("^a.c$", "abc", true),
            ("ä", "Ä", true),
            ("a[", "x A[ y", true),
            ("(", "f(x)", true),
        ] {
            assert_eq!(Filter::new(typed).unwrap().accepts(line.as_bytes()), accepted, "{typed} on {line}");
        }
        assert!(Filter::new("").is_none() && Filter::new("!").is_none());
    }

    #[test]
    fn what_is_no_expression_is_told() {
        assert_eq!(
            Filter::new("a[").unwrap().warning(),
            Some("\"a[\" is no regular expression; it is looked for as it stands")
        );
        assert!(Filter::new("(a{1000}){1000}").unwrap().warning().unwrap().contains("too large"));
        assert_eq!(Filter::new("a").unwrap().warning(), None);
    }

    #[test]
    fn matches_are_ranges() {
        let found = |typed, line: &'static str| {
            let filter = Filter::new(typed).unwrap();
            filter.matches(line.as_bytes()).collect::<Vec<_>>()
        };
        assert_eq!(found("ab", "abxAB"), [0..2, 3..5]);
        assert_eq!(found("x*", "ab"), Vec::<std::ops::Range<usize>>::new());
        assert_eq!(found("!ab", "ab"), Vec::<std::ops::Range<usize>>::new());
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_typed(typed: String, line: Vec<u8>) {
            if let Some(filter) = Filter::new(&typed) {
                let _ = filter.accepts(&line);
                for range in filter.matches(&line) {
                    proptest::prop_assert!(line.get(range).is_some());
                }
            }
        }
    }
}

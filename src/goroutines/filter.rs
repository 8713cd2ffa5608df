//! Which goroutines are wanted.

use super::{Dump, Goroutine};
use crate::text::Untrusted;

/// What is asked for; all of it has to be so.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One of these is part of what it does or waits for: `chan receive`, `running`. Any, if there are none.
    pub states: Vec<String>,
    /// Each of these is part of the name of a function on its stack, or of the one that started it.
    pub functions: Vec<String>,
    /// It has each of these labels.
    pub labels: Vec<Label>,
    /// Those of the runtime's own, too.
    pub system: bool,
}

/// A label that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its key.
    pub key: String,
    /// Its value; any without one.
    pub value: Option<String>,
}

/// A filter and what of a dump it lets through.
pub struct Sieve<'f> {
    filter: &'f Filter,
    /// Of each function that is asked for: the stacks it is on, and the calls it is.
    functions: Vec<(Vec<bool>, Vec<bool>)>,
}

impl Filter {
    /// Made ready for a dump: a stack that a thousand goroutines have is looked at once.
    #[must_use]
    pub fn of(&self, dump: &Dump) -> Sieve<'_> {
        let functions = self.functions.iter().map(|wanted| {
            let has = |name: &Untrusted| memchr::memmem::find(name.bytes(), wanted.as_bytes()).is_some();
            let calls: Vec<_> = dump.calls.iter().map(|call| call.iter().any(|frame| has(&frame.function))).collect();
            let on = |number: &u32| calls.get(*number as usize).copied().unwrap_or_default();
            (dump.stacks.iter().map(|stack| stack.calls.iter().any(on)).collect(), calls)
        });
        Sieve { filter: self, functions: functions.collect() }
    }

    /// Whether everything is let through but what is the runtime's own.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.states.is_empty() && self.functions.is_empty() && self.labels.is_empty()
    }
}

impl Sieve<'_> {
    /// Whether one is wanted.
    #[must_use]
    pub fn keeps(&self, dump: &Dump, goroutine: &Goroutine) -> bool {
        let Filter { states, labels, system, .. } = self.filter;
        if goroutine.system && !system {
            return false;
        }
        let words = goroutine.words();
        if !states.is_empty() && !states.iter().any(|state| words.contains(state.as_str())) {
            return false;
        }
        let at = |table: &[bool], number: Option<u32>| {
            number.is_some_and(|number| table.get(number as usize) == Some(&true))
        };
        if !self.functions.iter().all(|(stacks, calls)| at(stacks, goroutine.stack) || at(calls, goroutine.created_by))
        {
            return false;
        }
        labels.iter().all(|label| dump.labels(goroutine.labels).iter().any(|(key, value)| label.is(key, value)))
    }
}

impl Label {
    fn is(&self, key: &Untrusted, value: &Untrusted) -> bool {
        key.bytes() == self.key.as_bytes()
            && self.value.as_ref().is_none_or(|wanted| wanted.as_bytes() == value.bytes())
    }
}

impl std::str::FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
        if key.is_empty() {
            return Err("write it as KEY or KEY=VALUE".to_owned());
        }
        Ok(Self { key: key.to_owned(), value: value.map(str::to_owned) })
    }
}

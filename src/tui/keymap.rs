//! One table of keys. Dispatch, the line at the bottom, the `?` help, the `:` line and `docs/keys.md` are made from it.

mod action;
mod key;
mod markdown;
mod table;

use std::sync::LazyLock;

pub use action::{Action, Mode, Tab};
pub use key::{Code, Key};
pub use markdown::markdown;
pub use table::Binding;

/// Other ways to write a name on the `:` line.
const ALIASES: [(&str, Action); 9] = [
    ("q", Action::Back),
    ("q!", Action::Quit),
    ("w", Action::Save),
    ("ps", Action::Tab(Tab::Procs)),
    ("ls", Action::Tab(Tab::Files)),
    ("po", Action::Pods),
    ("pod", Action::Pods),
    ("context", Action::Context),
    ("namespace", Action::Namespace),
];

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// This.
    Action(Action),
    /// The first of two keys.
    Prefix,
    /// Nothing.
    None,
}

type Sequences = Vec<(Mode, Vec<Key>, Action)>;

static SEQUENCES: LazyLock<Sequences> = LazyLock::new(|| {
    let mut all = Vec::new();
    for binding in table::TABLE {
        for keys in binding.keys.split(' ') {
            if let Some(keys) = Key::parse_sequence(keys).filter(|keys| !keys.is_empty()) {
                all.push((binding.mode, keys, binding.action));
            }
        }
    }
    all
});

/// The whole table, in the order of the documentation.
#[must_use]
pub fn bindings() -> &'static [Binding] {
    table::TABLE
}

/// What `keys`, pressed after each other, mean in `mode`.
#[must_use]
pub fn meaning(mode: Mode, keys: &[Key]) -> Meaning {
    for mode in mode.chain() {
        let mut prefix = false;
        for (_, sequence, action) in SEQUENCES.iter().filter(|(at, ..)| at == mode) {
            if sequence == keys {
                return Meaning::Action(*action);
            }
            prefix |= sequence.starts_with(keys);
        }
        if prefix {
            return Meaning::Prefix;
        }
    }
    Meaning::None
}

/// The bindings that work in `mode`, its own first. What a mode has of its own hides what it shares.
#[must_use]
pub fn active(mode: Mode) -> Vec<&'static Binding> {
    let mut seen: Vec<&'static Binding> = Vec::new();
    for at in mode.chain() {
        for binding in table::TABLE.iter().filter(|binding| binding.mode == *at) {
            if !seen.iter().any(|other| other.action == binding.action) {
                seen.push(binding);
            }
        }
    }
    seen
}

/// The first key of an action in a mode, to be named in a sentence.
#[must_use]
pub fn first_key(mode: Mode, action: Action) -> &'static str {
    active(mode).iter().find(|binding| binding.action == action).map_or("", |binding| first(binding.keys))
}

/// The first of several keys.
#[must_use]
pub fn first(keys: &'static str) -> &'static str {
    keys.split(' ').next().unwrap_or_default()
}

/// The action of a name on the `:` line, where it can be used in `mode`; or why not.
///
/// # Errors
/// In words, if there is no such command, or not here.
pub fn named(mode: Mode, name: &str) -> Result<Action, String> {
    if let Some((_, action)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Ok(*action);
    }
    if let Some(binding) = active(mode).iter().find(|binding| binding.name == name) {
        return Ok(binding.action);
    }
    match table::TABLE.iter().find(|binding| binding.name == name && binding.mode != Mode::Prompt) {
        Some(binding) => Err(format!("{name} works in {}", binding.mode.title())),
        None => Err(format!("no command is called {name:?}")),
    }
}

/// Names that can be typed in `mode`, sorted.
#[must_use]
pub fn names(mode: Mode) -> Vec<&'static str> {
    let mut names: Vec<_> = active(mode).iter().map(|binding| binding.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What may follow a name, as words separated by `|`; empty if nothing.
#[must_use]
pub fn argument(mode: Mode, name: &str) -> &'static str {
    active(mode).iter().find(|binding| binding.name == name).map_or("", |binding| binding.argument)
}

#[cfg(test)]
mod tests;

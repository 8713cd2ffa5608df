//! The `:` line: every action by its name.

use super::App;
use super::pods::{Source, row};
use super::prompt::Purpose;
use crate::tui::keymap::{self, Action, Mode};

impl App {
    /// Does what was typed: a name, and what it takes.
    pub(super) fn command(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = Some(rest.trim()).filter(|rest| !rest.is_empty());
        match keymap::named(self.pane(), name) {
            Ok(Action::Command) => {}
            Ok(action) => self.act(action, argument),
            Err(why) => self.say(why),
        }
    }
}

/// Names that can be completed.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Of targets.
    pub(super) targets: Vec<String>,
    /// Of contexts.
    pub(super) contexts: Vec<String>,
    /// Of namespaces.
    pub(super) namespaces: Vec<String>,
}

impl App {
    /// Names that are known now.
    pub(super) fn known(&self) -> Known {
        let targets = match self.source {
            Source::Engine => self.picker.containers.iter().flatten().map(|one| one.name.clone()).collect(),
            Source::Cluster => self.pods.rows().iter().map(row::target).collect(),
        };
        let contexts = self.pods.contexts.iter().flatten().flat_map(|contexts| &contexts.all);
        Known {
            targets,
            contexts: contexts.map(|context| context.name.clone()).collect(),
            namespaces: self.pods.namespaces.clone(),
        }
    }
}

/// What could stand at the end of a line: from which byte on, and the words.
pub(super) fn choices(purpose: &Purpose, mode: Mode, known: &Known, before: &str) -> (usize, Vec<String>) {
    if *purpose != Purpose::Command {
        return (before.len(), Vec::new());
    }
    let fitting = |words: Vec<String>, start: &str| words.into_iter().filter(|word| word.starts_with(start)).collect();
    match before.split_once(' ') {
        None => {
            let names = keymap::names(mode).into_iter().map(str::to_owned).collect();
            (0, fitting(names, before))
        }
        Some((name, rest)) => {
            let words: Vec<String> = match keymap::argument(mode, name) {
                "TARGET" => known.targets.clone(),
                "[CONTEXT]" => known.contexts.clone(),
                "[NAMESPACE]" => known.namespaces.clone(),
                words if words.contains('|') => words.split('|').map(str::to_owned).collect(),
                _ => Vec::new(),
            };
            (before.len() - rest.len(), fitting(words, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_they_take_are_completed() {
        let known = Known {
            targets: vec!["shop-api".to_owned(), "db".to_owned()],
            contexts: vec!["prod".to_owned()],
            namespaces: vec!["shop".to_owned(), "staging".to_owned()],
        };
        let words = |before: &str| choices(&Purpose::Command, Mode::Logs, &known, before);
        assert_eq!(words("wr"), (0, vec!["wrap".to_owned()]));
        assert_eq!(words("theme m"), (6, vec!["mono".to_owned()]));
        assert_eq!(words("attach s"), (7, vec!["shop-api".to_owned()]));
        assert_eq!(words("ctx p"), (4, vec!["prod".to_owned()]));
        assert_eq!(words("ns st"), (3, vec!["staging".to_owned()]));
        assert_eq!(words("wrap x"), (5, vec![]));
        assert_eq!(choices(&Purpose::Search, Mode::Logs, &known, "wr").1, Vec::<String>::new());
    }
}

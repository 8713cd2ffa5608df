//! The `:` line: every action by its name.

use super::App;
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

/// What could stand at the end of a line: from which byte on, and the words.
pub(super) fn choices(purpose: &Purpose, mode: Mode, containers: &[String], before: &str) -> (usize, Vec<String>) {
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
                "TARGET" => containers.to_vec(),
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
        let containers = ["shop-api".to_owned(), "db".to_owned()];
        let words = |before: &str| choices(&Purpose::Command, Mode::Logs, &containers, before);
        assert_eq!(words("wr"), (0, vec!["wrap".to_owned()]));
        assert_eq!(words("theme m"), (6, vec!["mono".to_owned()]));
        assert_eq!(words("attach s"), (7, vec!["shop-api".to_owned()]));
        assert_eq!(words("wrap x"), (5, vec![]));
        assert_eq!(choices(&Purpose::Search, Mode::Logs, &containers, "wr").1, Vec::<String>::new());
    }
}

//! A line being typed.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::tui::keymap::Action;

/// Letters of a line at most.
const LONGEST: usize = 1000;

/// What the line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A command.
    Command,
    /// A search, or the filter of a list.
    Search,
    /// The filter of the log.
    Filter,
    /// The name of a file for the log.
    Save,
    /// The name of a file to copy out to.
    CopyTo(Vec<u8>),
    /// An offset in a file.
    Offset,
    /// An expression to evaluate.
    Print,
    /// An expression to watch.
    Pin,
    /// Where sources are.
    Rule,
    /// A variable, and what it is to be.
    Set,
    /// When a breakpoint stops.
    Condition(i64),
    /// At which of its hits a breakpoint stops.
    HitCondition(i64),
}

/// A line being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// What stands there.
    pub text: String,
    /// Where the cursor is, in bytes.
    pub cursor: usize,
    /// What it was before; leaving brings it back.
    pub before: String,
    /// Which older line is shown.
    older: Option<usize>,
    /// What was typed before an older line was fetched.
    draft: String,
    /// What the last completion offered, and which of it stands there.
    completion: Option<(Vec<String>, usize, usize)>,
}

impl Prompt {
    /// A line with something in it.
    #[must_use]
    pub fn new(purpose: Purpose, text: String) -> Self {
        let cursor = text.len();
        Self { purpose, before: text.clone(), text, cursor, older: None, draft: String::new(), completion: None }
    }

    /// What stands before the line.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self.purpose {
            Purpose::Command => ":",
            Purpose::Search => "/",
            Purpose::Filter => "&",
            Purpose::Save => "save to: ",
            Purpose::CopyTo(_) => "copy to: ",
            Purpose::Offset => "offset: ",
            Purpose::Print => "print: ",
            Purpose::Pin => "watch: ",
            Purpose::Rule => "LOCAL=INBINARY: ",
            Purpose::Set => "set: ",
            Purpose::Condition(_) => "stop only if: ",
            Purpose::HitCondition(_) => "stop only at hits (> 3, == 5, % 100): ",
        }
    }

    /// Inserts text. What a line cannot hold is left out.
    pub fn insert(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !crate::text::is_dangerous(*c)).collect();
        if self.text.len() + text.len() <= LONGEST {
            self.text.insert_str(self.cursor, &text);
            self.cursor += text.len();
        }
        self.changed();
    }

    fn changed(&mut self) {
        self.completion = None;
        self.older = None;
    }

    fn left(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        before.graphemes(true).next_back().map_or(0, |last| self.cursor - last.len())
    }

    fn right(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        after.graphemes(true).next().map_or(self.cursor, |next| self.cursor + next.len())
    }

    fn erase(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.changed();
    }

    /// Does what a key says. `history` has older lines, newest last; `choices` is what could stand here.
    pub fn edit(&mut self, action: Action, history: &[String], choices: impl FnOnce(&str) -> (usize, Vec<String>)) {
        if action != Action::Complete {
            self.completion = None;
        }
        match action {
            Action::CharLeft => self.cursor = self.left(),
            Action::CharRight => self.cursor = self.right(),
            Action::LineStart => self.cursor = 0,
            Action::LineEnd => self.cursor = self.text.len(),
            Action::EraseLeft => self.erase(self.left(), self.cursor),
            Action::EraseRight => {
                let (from, to) = (self.cursor, self.right());
                self.erase(from, to);
            }
            Action::EraseWord => {
                let before = self.text.get(..self.cursor).unwrap_or_default();
                let kept = before.trim_end().rfind([' ', '/']).map_or(0, |at| at + 1);
                self.erase(kept.min(self.cursor), self.cursor);
            }
            Action::EraseLine => self.erase(0, self.text.len()),
            Action::Older => self.recall(history, true),
            Action::Newer => self.recall(history, false),
            Action::Complete => self.complete(choices),
            _ => {}
        }
    }

    fn recall(&mut self, history: &[String], older: bool) {
        if self.purpose != Purpose::Command {
            return;
        }
        let at = match (self.older, older) {
            (None, true) => {
                self.draft.clone_from(&self.text);
                0
            }
            (None, false) => return,
            (Some(at), true) => (at + 1).min(history.len().saturating_sub(1)),
            (Some(0), false) => {
                self.older = None;
                self.text.clone_from(&self.draft);
                self.cursor = self.text.len();
                return;
            }
            (Some(at), false) => at - 1,
        };
        if let Some(line) = history.iter().rev().nth(at) {
            self.text.clone_from(line);
            self.cursor = self.text.len();
            self.completion = None;
            self.older = Some(at);
        }
    }

    /// Completes the word before the cursor; again and again, it goes through all that fit.
    fn complete(&mut self, choices: impl FnOnce(&str) -> (usize, Vec<String>)) {
        let (words, at, start) = if let Some((words, at, start)) = self.completion.take() {
            let next = (at + 1) % words.len().max(1);
            (words, next, start)
        } else {
            let before = self.text.get(..self.cursor).unwrap_or_default();
            let (start, words) = choices(before);
            (words, 0, start)
        };
        if let Some(word) = words.get(at) {
            self.text.replace_range(start..self.cursor, word);
            self.cursor = start + word.len();
            self.older = None;
            self.completion = Some((words, at, start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> (usize, Vec<String>) {
        (0, Vec::new())
    }

    #[test]
    fn editing_keeps_to_letters_as_they_are_seen() {
        let mut prompt = Prompt::new(Purpose::Search, "né日".to_owned());
        for action in [Action::CharLeft, Action::EraseLeft] {
            prompt.edit(action, &[], none);
        }
        assert_eq!((prompt.text.as_str(), prompt.cursor), ("n日", 1));
        prompt.edit(Action::EraseRight, &[], none);
        prompt.edit(Action::EraseRight, &[], none);
        assert_eq!(prompt.text, "n");
        prompt.insert("a b/c\x1b\n");
        assert_eq!(prompt.text, "na b/c");
        prompt.edit(Action::EraseWord, &[], none);
        assert_eq!(prompt.text, "na b/");
        prompt.insert(&"x".repeat(LONGEST));
        assert_eq!(prompt.text, "na b/");
        prompt.edit(Action::EraseLine, &[], none);
        prompt.edit(Action::EraseWord, &[], none);
        prompt.edit(Action::EraseLeft, &[], none);
        assert_eq!(prompt.text, "");
    }

    #[test]
    fn older_lines_come_back_and_the_draft_too() {
        let history = ["one".to_owned(), "two".to_owned()];
        let mut prompt = Prompt::new(Purpose::Command, "dr".to_owned());
        let mut seen = Vec::new();
        for action in [Action::Older, Action::Older, Action::Older, Action::Newer, Action::Newer, Action::Newer] {
            prompt.edit(action, &history, none);
            seen.push(prompt.text.clone());
        }
        assert_eq!(seen, ["two", "one", "one", "two", "dr", "dr"]);
    }

    #[test]
    fn completion_goes_through_all_that_fit() {
        let mut prompt = Prompt::new(Purpose::Command, "th".to_owned());
        let words = |_: &str| (0, vec!["theme".to_owned(), "this".to_owned()]);
        let mut seen = Vec::new();
        for _ in 0..3 {
            prompt.edit(Action::Complete, &[], words);
            seen.push(prompt.text.clone());
        }
        assert_eq!(seen, ["theme", "this", "theme"]);
    }

    proptest::proptest! {
        #[test]
        fn no_edit_panics(text in "\\PC{0,12}", actions in proptest::collection::vec(0usize..11, 0..30)) {
            let history = ["日本".to_owned(), "b".to_owned()];
            let mut prompt = Prompt::new(Purpose::Command, text);
            for action in actions {
                let action = [
                    Action::CharLeft, Action::CharRight, Action::LineStart, Action::LineEnd, Action::EraseLeft,
                    Action::EraseRight, Action::EraseWord, Action::EraseLine, Action::Older, Action::Newer, Action::Complete,
                ][action];
                prompt.edit(action, &history, |before| (before.len(), vec!["ж".to_owned()]));
                assert!(prompt.text.is_char_boundary(prompt.cursor));
            }
        }
    }
}

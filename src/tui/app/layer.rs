//! What lies over the panes: help, messages, questions, one long line, a list to choose from.

use crate::exit::Failure;
use crate::tui::app::cursor::Scroll;
use crate::tui::app::pattern::Pattern;
use crate::tui::app::pods::choose::Choose;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Mode};
use crate::tui::words;

/// One layer.
#[derive(Debug, Clone)]
pub enum Layer {
    /// The keys.
    Help(Help),
    /// A failed action.
    Message(Message),
    /// A question.
    Confirm(Confirm),
    /// One line of the log.
    Line(LongLine),
    /// One of several.
    Choose(Choose),
}

/// The keys of a pane, and why some do not work now.
#[derive(Debug, Clone)]
pub struct Help {
    /// The pane.
    pub mode: Mode,
    /// What does not work now, with the reason.
    pub disabled: Vec<(Action, &'static str)>,
    /// What lines must match.
    pub filter: Option<Pattern>,
    /// Where one is.
    pub scroll: Scroll,
}

/// A message that must be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What was being done.
    pub title: String,
    /// What failed and what to try.
    pub failure: Failure,
    /// Where one is.
    pub scroll: Scroll,
}

/// A question. The default is no.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// What is asked.
    pub question: String,
    /// What happens after yes, and how it is undone.
    pub note: String,
    /// What yes means, in two words.
    pub verb: &'static str,
    /// What is done after yes.
    pub yes: Effect,
}

/// One line of the log, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct LongLine {
    /// Its bytes.
    pub text: Vec<u8>,
    /// Where one is.
    pub scroll: Scroll,
}

/// A line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpRow {
    /// The name of a group.
    Heading(&'static str),
    /// One action.
    Entry {
        /// Its keys.
        keys: String,
        /// Its `:` name, with what may follow.
        name: String,
        /// What it does.
        help: &'static str,
        /// Why it does not work now.
        disabled: Option<&'static str>,
    },
}

impl Help {
    /// Its lines: the pane's own keys first.
    #[must_use]
    pub fn rows(&self) -> Vec<HelpRow> {
        let mut rows = Vec::new();
        let active = crate::tui::keymap::active(self.mode);
        for mode in self.mode.chain() {
            let entries: Vec<HelpRow> = active
                .iter()
                .filter(|binding| binding.mode == *mode)
                .map(|binding| HelpRow::Entry {
                    keys: binding.keys.replace(' ', "  "),
                    name: format!(":{} {}", binding.name, binding.argument).trim_end().to_owned(),
                    help: binding.help,
                    disabled: self.disabled.iter().find(|(action, _)| *action == binding.action).map(|(_, why)| *why),
                })
                .filter(|row| self.matches(row))
                .collect();
            if !entries.is_empty() {
                rows.push(HelpRow::Heading(if *mode == self.mode { "This pane" } else { mode.title() }));
                rows.extend(entries);
            }
        }
        rows
    }

    fn matches(&self, row: &HelpRow) -> bool {
        let (Some(filter), HelpRow::Entry { keys, name, help, .. }) = (&self.filter, row) else { return true };
        filter.hits(format!("{keys} {name} {help}").as_bytes())
    }
}

impl Message {
    /// Its text as paragraphs: what failed, link by link, then what to try.
    #[must_use]
    pub fn paragraphs(&self) -> Vec<String> {
        let safe = |text: &str| crate::text::Untrusted::from(text).safe().into_string();
        let mut out: Vec<String> =
            self.failure
                .message
                .split(": ")
                .enumerate()
                .map(|(depth, part)| {
                    if depth == 0 { safe(part) } else { format!("{}└ {}", "  ".repeat(depth.min(6) - 1), safe(part)) }
                })
                .collect();
        if let Some(hint) = &self.failure.hint {
            out.push(String::new());
            out.extend(words::tries(hint).map(|line| safe(&line)));
        }
        out
    }
}

//! The source around a call; its instructions where there is no source.

use std::sync::Arc;

use crate::delve::model::{Instruction, Location};
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::{Pattern, Search};
use crate::tui::message::debug::{Call, Question, Text};

/// What is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Shown {
    /// Nothing yet.
    #[default]
    Nothing,
    /// A file.
    Text(Arc<Text>),
    /// Instructions.
    Instructions(Vec<Instruction>),
}

/// The source around a call.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Of which call.
    pub call: Option<Call>,
    /// What is shown: where that is, or another place that somebody wants to see.
    pub at: Location,
    /// Where the call is.
    home: Location,
    /// What is shown.
    pub shown: Shown,
    /// Why there is no source.
    pub missing: Option<String>,
    /// Why there are no instructions either.
    pub error: Option<String>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub search: Option<Search>,
    file: Option<Untrusted>,
    /// Whether the row of the call has not been put where it is seen with what is around it.
    fresh: bool,
}

impl Source {
    /// Whether it is that of a call already, though one may have gone elsewhere from there.
    #[must_use]
    pub fn shows(&self, call: Call, at: &Location) -> bool {
        self.call == Some(call) && self.home == *at
    }

    /// Shows that of a call. Asks for the file, if it is another one.
    pub fn of(&mut self, call: Call, at: &Location) -> Option<Question> {
        self.call = Some(call);
        self.home = at.clone();
        self.visit(at)
    }

    /// Shows another place, until another call is looked at.
    pub fn visit(&mut self, at: &Location) -> Option<Question> {
        let moved = self.at != *at;
        self.at = at.clone();
        if at.file.bytes().is_empty() || at.line == 0 {
            self.file = None;
            return self.without("the program does not say where its source is".to_owned());
        }
        if self.file.as_ref() == Some(&at.file) {
            if matches!(self.shown, Shown::Text(_)) {
                if moved {
                    self.show_line();
                }
                return None;
            }
            // It was looked for and is not there.
            if let Some(missing) = self.missing.clone() {
                return self.without(missing);
            }
            return None;
        }
        Some(self.look())
    }

    /// Looks for the file again: there may be another way to it.
    pub fn again(&mut self) -> Option<Question> {
        (!self.at.file.bytes().is_empty()).then(|| self.look())
    }

    fn look(&mut self) -> Question {
        self.file = Some(self.at.file.clone());
        (self.missing, self.search) = (None, None);
        Question::Source(self.at.file.clone())
    }

    /// Takes the file. Asks for instructions if there is none.
    pub fn arrive(&mut self, file: &Untrusted, result: Result<Arc<Text>, String>) -> Option<Question> {
        if self.file.as_ref() != Some(file) {
            return None;
        }
        match result {
            Ok(text) => {
                (self.shown, self.missing, self.error) = (Shown::Text(text), None, None);
                self.show_line();
                None
            }
            Err(why) => self.without(why),
        }
    }

    /// Takes instructions.
    pub fn disassembled(&mut self, call: Call, result: Result<Vec<Instruction>, String>) {
        if self.call != Some(call) || self.missing.is_none() {
            return;
        }
        self.search = None;
        match result {
            Ok(instructions) => {
                let at = instructions.iter().position(|instruction| instruction.location.pc >= self.at.pc);
                self.shown = Shown::Instructions(instructions);
                self.error = None;
                self.point_at(at.unwrap_or(0));
            }
            Err(why) => {
                self.shown = Shown::Nothing;
                self.error = Some(why);
            }
        }
    }

    fn without(&mut self, why: String) -> Option<Question> {
        self.missing = Some(why);
        self.shown = Shown::Nothing;
        self.call.map(|call| Question::Instructions { call, pc: self.at.pc })
    }

    /// Rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.shown {
            Shown::Nothing => 0,
            Shown::Text(text) => text.lines.len(),
            Shown::Instructions(instructions) => instructions.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the call is in a row.
    #[must_use]
    pub fn marks(&self, row: usize) -> bool {
        match &self.shown {
            Shown::Nothing => false,
            Shown::Text(_) => row + 1 == self.home.line as usize && self.home.file == self.at.file,
            Shown::Instructions(instructions) => {
                instructions.get(row).is_some_and(|instruction| instruction.location.pc == self.home.pc)
            }
        }
    }

    /// A row as it is shown and copied.
    #[must_use]
    pub fn line(&self, row: usize) -> Option<String> {
        match &self.shown {
            Shown::Nothing => None,
            Shown::Text(text) => text.lines.get(row).cloned(),
            Shown::Instructions(instructions) => instructions.get(row).map(|instruction| {
                let to = instruction.destination.as_ref().map(|to| format!(" ; {}", to.function.safe()));
                let (pc, line) = (instruction.location.pc, instruction.location.line);
                format!("{pc:#x} :{line:<5} {}{}", instruction.text.safe(), to.unwrap_or_default())
            }),
        }
    }

    /// Searches it.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        let lines = (0..self.len()).filter_map(|row| self.line(row));
        self.search = pattern.map(|pattern| Search::new(pattern, lines, self.cursor.at));
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.cursor.at = line;
        }
    }

    fn show_line(&mut self) {
        self.point_at((self.at.line as usize).saturating_sub(1));
    }

    /// Goes to a row, with some of what is before it.
    fn point_at(&mut self, row: usize) {
        self.cursor.at = row.min(self.len().saturating_sub(1));
        self.fresh = true;
    }

    /// Keeps where one is on the screen; the row of a call with what is before and after it.
    pub fn settle(&mut self, page: usize) {
        if std::mem::take(&mut self.fresh) {
            self.cursor.top = self.cursor.at.saturating_sub(page / 3);
        }
        let len = self.len();
        self.cursor.settle(len, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(frame: usize) -> Call {
        Call { goroutine: 1, frame }
    }

    fn at(file: &str, line: u32, pc: u64) -> Location {
        Location { function: "main.f".into(), file: file.into(), line, pc, optimised: false }
    }

    fn text(lines: usize) -> Arc<Text> {
        Arc::new(Text {
            path: "/here/a.go".to_owned(),
            lines: (1..=lines).map(|line| format!("line {line}")).collect(),
        })
    }

    #[test]
    fn the_file_is_asked_for_once_and_the_line_is_shown() {
        let mut source = Source::default();
        assert_eq!(source.of(call(0), &at("/a.go", 42, 1)), Some(Question::Source("/a.go".into())));
        assert_eq!(source.of(call(0), &at("/a.go", 42, 1)), None, "it is on its way");
        assert_eq!(source.arrive(&"/other.go".into(), Ok(text(9))), None);
        assert!(source.is_empty(), "not what was asked for");
        source.arrive(&"/a.go".into(), Ok(text(100)));
        source.settle(30);
        assert_eq!((source.cursor, source.marks(41), source.marks(40)), (Cursor { at: 41, top: 31 }, true, false));
        source.cursor.at = 50;
        source.settle(30);
        assert_eq!(source.cursor.top, 31, "whoever moves, moves from there");
        assert_eq!(source.of(call(1), &at("/a.go", 7, 2)), None, "the same file");
        assert_eq!(source.cursor.at, 6);
        // The program may have been built of another file than the one here.
        source.of(call(2), &at("/a.go", 4000, 3));
        assert_eq!(source.cursor.at, 99);
    }

    #[test]
    fn without_source_there_are_instructions() {
        let mut source = Source::default();
        source.of(call(0), &at("/a.go", 42, 0x20));
        let asked = source.arrive(&"/a.go".into(), Err("it is not here".to_owned()));
        assert_eq!(asked, Some(Question::Instructions { call: call(0), pc: 0x20 }));
        let instruction =
            |pc| Instruction { location: at("/a.go", 42, pc), text: "RET".into(), ..Instruction::default() };
        source.disassembled(call(0), Ok(vec![instruction(0x10), instruction(0x20)]));
        assert_eq!((source.cursor.at, source.marks(1)), (1, true));
        assert_eq!(source.line(1).as_deref(), Some("0x20 :42    RET"));
        // The next call of the same file asks for its own.
        let asked = source.of(call(1), &at("/a.go", 50, 0x30));
        assert_eq!(asked, Some(Question::Instructions { call: call(1), pc: 0x30 }));
        source.disassembled(call(0), Ok(vec![instruction(0x10)]));
        assert!(source.is_empty(), "of another call");
        source.disassembled(call(1), Err("no memory".to_owned()));
        assert_eq!(source.error.as_deref(), Some("no memory"));
        // Somebody says where it is.
        assert_eq!(source.again(), Some(Question::Source("/a.go".into())));
        source.arrive(&"/a.go".into(), Ok(text(60)));
        assert_eq!((source.cursor.at, source.missing.as_deref()), (49, None));
        assert!(matches!(
            source.of(call(2), &Location { pc: 9, ..Location::default() }),
            Some(Question::Instructions { .. })
        ));
    }

    #[test]
    fn it_is_searched() {
        let mut source = Source::default();
        source.of(call(0), &at("/a.go", 5, 1));
        source.arrive(&"/a.go".into(), Ok(text(30)));
        source.find(Pattern::new("line 1"));
        assert_eq!((source.cursor.at, source.search.as_ref().unwrap().counter().as_str()), (9, "2/11"));
    }
}

//! The stack of the selected goroutine.

use super::place::Place;
use crate::delve::model::Frame;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::{Pattern, Search};
use crate::tui::message::debug::{Call, Question};

/// Calls that are asked for at first.
const FIRST: u32 = 64;
/// Calls at most. A recursion that overflows has millions.
const MOST: u32 = 4096;

/// The stack of a goroutine.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Of which one.
    pub goroutine: Option<i64>,
    /// Its calls, the innermost first.
    pub frames: Vec<Frame>,
    /// Where one is.
    pub cursor: Cursor,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// What is searched for.
    pub search: Option<Search>,
    /// Why it cannot be read.
    pub error: Option<String>,
    /// So many calls were asked for.
    depth: u32,
    /// Whether they are on their way.
    pub busy: bool,
}

impl Stack {
    /// Asks for the stack of a goroutine.
    pub fn of(&mut self, goroutine: i64) -> Question {
        *self = Self { goroutine: Some(goroutine), shift: self.shift, depth: FIRST, busy: true, ..Self::default() };
        Question::Stack { goroutine, depth: FIRST }
    }

    /// Asks for more of it, once one is near the end of what there is.
    pub fn due(&mut self) -> Option<Question> {
        let goroutine = self.goroutine.filter(|_| !self.busy && self.depth < MOST)?;
        let near = self.cursor.at + 8 >= self.frames.len();
        if !near || self.ends() || self.frames.len() < self.depth as usize {
            return None;
        }
        self.depth = (self.depth * 4).min(MOST);
        self.busy = true;
        Some(Question::Stack { goroutine, depth: self.depth })
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.frames.last().is_some_and(|last| last.bottom || last.error.is_some())
    }

    /// Takes calls. Where one is stays, if one has moved; at first that is the innermost call of the program's own.
    pub fn arrive(&mut self, frames: Vec<Frame>) {
        self.busy = false;
        self.error = None;
        if self.frames.is_empty() {
            self.cursor.at = first_of_the_program(&frames);
        }
        self.frames = frames;
    }

    /// The call that is selected.
    #[must_use]
    pub fn call(&self) -> Option<(Call, &Frame)> {
        let frame = self.frames.get(self.cursor.at)?;
        Some((Call { goroutine: self.goroutine?, frame: self.cursor.at }, frame))
    }

    /// A call as it is searched and copied.
    #[must_use]
    pub fn copied(&self, row: usize) -> Option<String> {
        let frame = self.frames.get(row)?;
        let optimised = if frame.location.optimised { " (optimised)" } else { "" };
        let defers: Vec<_> = frame.defers.iter().map(|defer| Place::from(&defer.call).full()).collect();
        let defers = if defers.is_empty() { String::new() } else { format!(" defers {}", defers.join(", ")) };
        Some(format!("{row} {}{optimised}{defers}", Place::from(&frame.location).full()))
    }

    /// Searches it.
    pub fn find(&mut self, pattern: Option<Pattern>) {
        let lines: Vec<String> = (0..self.frames.len()).filter_map(|row| self.copied(row)).collect();
        self.search = pattern.map(|pattern| Search::new(pattern, lines.iter(), self.cursor.at));
        if let Some(line) = self.search.as_ref().and_then(Search::line) {
            self.cursor.at = line;
        }
    }
}

/// The first call that is not of the runtime or of what it is built on. It is what one wants to see. One of which nobody knows the
/// function is what a stack without debug information ends with.
fn first_of_the_program(frames: &[Frame]) -> usize {
    let inner = |frame: &Frame| {
        let function = frame.location.function.bytes();
        function.is_empty()
            || ["runtime.", "internal/", "syscall.", "runtime/"]
                .iter()
                .any(|package| function.starts_with(package.as_bytes()))
    };
    frames.iter().position(|frame| !inner(frame)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    #[test]
    fn it_begins_at_the_programs_own_code() {
        let mut stack = Stack::default();
        assert_eq!(stack.of(18), Question::Stack { goroutine: 18, depth: FIRST });
        stack.arrive(fake::stack());
        assert_eq!(stack.cursor.at, 2);
        assert_eq!(
            stack.copied(2).as_deref(),
            Some(
                "2 main.(*store).packOrders /src/shop/store.go:42 defers sync.(*Mutex).Unlock /go/src/sync/mutex.go:210"
            )
        );
        assert_eq!(stack.call().map(|(call, _)| call), Some(Call { goroutine: 18, frame: 2 }));
        stack.cursor.at = 0;
        stack.arrive(fake::stack());
        assert_eq!(stack.cursor.at, 0, "where one is stays");
        assert_eq!(stack.due(), None, "nothing is missing");
        // That of a thread which is in the runtime alone, and ends nowhere.
        let mut idle = Stack::default();
        idle.of(-8);
        idle.arrive(fake::stack().into_iter().take(2).chain([Frame::default()]).collect());
        assert_eq!(idle.cursor.at, 0);
    }

    #[test]
    fn a_deep_one_is_read_as_one_goes_down() {
        let mut stack = Stack::default();
        stack.of(1);
        let deep = |depth: u32| vec![Frame { bottom: false, ..fake::stack().remove(2) }; depth as usize];
        stack.arrive(deep(FIRST));
        assert_eq!(stack.due(), None);
        stack.cursor.at = 60;
        assert_eq!(stack.due(), Some(Question::Stack { goroutine: 1, depth: 256 }));
        assert_eq!(stack.due(), None, "it is on its way");
        stack.arrive(deep(256));
        assert_eq!(stack.cursor.at, 60);
        for _ in 0..10 {
            stack.cursor.at = stack.frames.len() - 1;
            if let Some(Question::Stack { depth, .. }) = stack.due() {
                stack.arrive(deep(depth));
            }
        }
        assert_eq!(stack.frames.len(), MOST as usize);
    }
}

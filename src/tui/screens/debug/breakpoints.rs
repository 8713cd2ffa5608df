//! The list of breakpoints, and of those that are to be set.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{pane, rows, searched, shifted};
use crate::tui::app::cursor::Cursor;
use crate::tui::app::debug::breakpoints::{Row, Words};
use crate::tui::app::debug::{Debug, Depth, Focus, Session};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::words;

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let list = &session.breakpoints;
    let title = format!("Breakpoints {}{}", list.set.len(), searched(list.search.as_ref()));
    let unset = if list.unset.is_empty() { String::new() } else { format!("{} not set", list.unset.len()) };
    let inner = pane(session, Focus::Breakpoints, buf, area, theme, [&title, &unset, ""]);
    if list.is_empty() {
        let key = keymap::first_key(Mode::Live, Action::Break);
        let text = format!("none; {key} sets one at the line under the cursor, :break main.handle at a place");
        panel::notice(buf, inner, &[(text, theme.dim)]);
        return;
    }
    rows(buf, inner, theme, list.cursor, session.focus == Focus::Breakpoints, |at| {
        let row = list.row(at)?;
        let words = list.words(row);
        let number = match row {
            Row::Set(known) => format!("{} {:>2} ", words.mark, known.breakpoint.id),
            Row::Unset(_) => "✗  - ".to_owned(),
        };
        Some(shifted(parts(number, words, theme), list.shift))
    });
}

/// Breakpoints that are set when the process itself is attached to. They are below the depths in one list with them.
pub fn wanted(debug: &Debug, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let [forget, toggle] = [Action::Break, Action::Toggle].map(|action| keymap::first_key(Mode::Depths, action));
    let live = keymap::first_key(Mode::Depths, Action::DebugLive);
    let below = format!("{forget} forget it  {toggle} off/on");
    let title = format!("{live} sets {} of the last time", words::count(debug.wanted().len(), "breakpoint"));
    let inner = panel::draw(buf, area, theme, &title, "", &below);
    let selected = debug.cursor.at.checked_sub(Depth::ALL.len());
    let mut cursor = Cursor { at: selected.unwrap_or_default(), top: 0 };
    cursor.settle(debug.wanted().len(), inner.height.into());
    if selected.is_none() {
        // None of them.
        cursor.at = usize::MAX;
    }
    rows(buf, inner, theme, cursor, true, |at| {
        let words = Words::wanted(debug.wanted().get(at)?);
        Some(parts(format!("{} ", words.mark), words, theme))
    });
}

fn parts(number: String, words: Words, theme: &Theme) -> Vec<(String, Style)> {
    let spaced = |text: String| if text.is_empty() { text } else { format!("  {text}") };
    vec![
        (number, theme.label),
        (words.place, theme.text),
        (spaced(words.hits), theme.dim),
        (spaced(words.when), theme.special),
        (spaced(words.trouble), theme.bad),
        (spaced(words.logged), theme.dim),
    ]
}

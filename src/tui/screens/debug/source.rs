//! The source of the selected call.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pane, rows, searched};
use crate::tui::app::debug::breakpoints::mark;
use crate::tui::app::debug::source::Shown;
use crate::tui::app::debug::{Focus, Session};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let source = &session.source;
    let found = searched(source.search.as_ref());
    let title = match &source.shown {
        Shown::Text(text) => format!("{}{found}", text.path),
        Shown::Instructions(_) => format!("Instructions{found}"),
        Shown::Nothing => "Source".to_owned(),
    };
    let below = source
        .missing
        .as_deref()
        .map_or_else(String::new, |why| format!("{why}; {} says where", keymap::first_key(Mode::Debug, Action::Rule)));
    // Of a long path the end is what one wants to see.
    let room = usize::from(area.width).saturating_sub(8);
    let wide = cells::width(&title);
    let title = if wide > room && room > 1 { format!("…{}", cells::skip(&title, wide - room + 1)) } else { title };
    let inner = pane(session, Focus::Source, buf, area, theme, [&title, "", &below]);
    if source.is_empty() {
        let text = match (source.error.as_ref().or(session.stack.error.as_ref()), &source.missing) {
            (Some(error), _) => (error.clone(), theme.bad),
            (None, Some(missing)) => (missing.clone(), theme.warn),
            (None, None) if source.call.is_none() => ("no call is selected".to_owned(), theme.dim),
            (None, None) => ("reading …".to_owned(), theme.dim),
        };
        panel::notice(buf, inner, &[text]);
        return;
    }
    let digits = source.len().to_string().len().max(3);
    rows(buf, inner, theme, source.cursor, session.focus == Focus::Source, |at| {
        let line = source.line(at)?;
        let here = source.marks(at);
        let style = if here { theme.heading } else { theme.text };
        let stops = session.breakpoint_at(at);
        let marked = match (stops, here) {
            (Some(stops), _) => mark(stops),
            (None, true) => "→",
            (None, false) => " ",
        };
        let number = match &source.shown {
            Shown::Text(_) => format!("{:>digits$}{marked}", at + 1),
            _ => marked.to_owned(),
        };
        let text = cells::skip(&line, source.shift).to_owned();
        Some(vec![(number, if here { theme.heading } else { theme.dim }), (text, style)])
    });
}

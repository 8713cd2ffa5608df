//! The stack of the selected goroutine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pane, rows, searched, shifted};
use crate::tui::app::debug::place::Place;
use crate::tui::app::debug::session::THREAD;
use crate::tui::app::debug::{Focus, Session};
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let stack = &session.stack;
    let of = match stack.goroutine {
        None => String::new(),
        Some(THREAD) => " of a thread".to_owned(),
        Some(goroutine) => format!(" of goroutine {goroutine}"),
    };
    let title = format!("Stack{of}{}", searched(stack.search.as_ref()));
    let busy = if stack.busy { "reading …" } else { "" };
    let inner = pane(session, Focus::Stack, buf, area, theme, [&title, busy, ""]);
    if let Some(error) = &stack.error {
        panel::notice(buf, inner, &[(error.clone(), theme.bad)]);
        return;
    }
    if stack.frames.is_empty() && !stack.busy {
        panel::notice(buf, inner, &[("no goroutine is selected".to_owned(), theme.dim)]);
    }
    rows(buf, inner, theme, stack.cursor, session.focus == Focus::Stack, |at| {
        let frame = stack.frames.get(at)?;
        let place = Place::from(&frame.location);
        let mut parts = vec![
            (format!("{at:>2} "), theme.label),
            (format!("{} ", place.short()), theme.text),
            (place.spot(), theme.dim),
        ];
        if frame.location.optimised {
            parts.push((" optimised".to_owned(), theme.warn));
        }
        if !frame.defers.is_empty() {
            parts.push((format!(" {} deferred", frame.defers.len()), theme.dim));
        }
        if let Some(error) = &frame.error {
            parts.push((format!(" the stack ends here: {}", error.safe()), theme.bad));
        }
        Some(shifted(parts, stack.shift))
    });
}

//! The stack of the selected goroutine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pane, rows, searched, shifted};
use crate::delve::model::Defer;
use crate::tui::app::debug::place::Place;
use crate::tui::app::debug::{Focus, Session, thread};
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;

/// How many deferred calls are named; the others are counted.
const NAMED: usize = 3;

/// What a call has deferred, the next to be called first.
fn deferred(defers: &[Defer]) -> String {
    let name = |defer: &Defer| match &defer.unreadable {
        Some(_) => "?".to_owned(),
        None => Place::from(&defer.call).short().to_owned(),
    };
    let mut names: Vec<String> = defers.iter().take(NAMED).map(name).collect();
    let more = defers.len().saturating_sub(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names.join(", ")
}

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let stack = &session.stack;
    let of = match stack.goroutine {
        None => String::new(),
        Some(goroutine) => format!(" of {}", thread::words(goroutine)),
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
            parts.push((format!(" defers {}", deferred(&frame.defers)), theme.dim));
        }
        if let Some(error) = &frame.error {
            parts.push((format!(" the stack ends here: {}", error.safe()), theme.bad));
        }
        Some(shifted(parts, stack.shift))
    });
}

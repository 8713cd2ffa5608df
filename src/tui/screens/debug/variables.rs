//! Values of the selected call.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pane, rows, searched, shifted};
use crate::delve::model::Variable;
use crate::tui::app::debug::variables::Sort;
use crate::tui::app::debug::{Focus, Session};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let variables = &session.variables;
    let frame = variables.call.map_or_else(String::new, |call| format!(" of call {}", call.frame));
    let title = format!("Variables{frame}{}", searched(variables.search.as_ref()));
    let busy = if variables.busy { "reading …" } else { "" };
    let below = variables.error.as_deref().unwrap_or_default();
    let inner = pane(session, Focus::Variables, buf, area, theme, [&title, busy, below]);
    if variables.rows.is_empty() {
        let text = match (&variables.error, variables.call, variables.busy) {
            (Some(error), ..) => (error.clone(), theme.bad),
            (None, None, _) => ("no call is selected".to_owned(), theme.dim),
            (None, Some(_), true) => ("reading …".to_owned(), theme.dim),
            (None, Some(_), false) => {
                let key = keymap::first_key(Mode::Debug, Action::Print);
                (format!("this call has none; {key} evaluates an expression"), theme.dim)
            }
        };
        let mut lines = vec![text];
        if let Some(limits) = &session.opened.limits {
            lines.push((format!("{}. There are no {}.", limits.why, limits.without), theme.text));
            lines.push((format!("What works: {}.", limits.with), theme.text));
            lines.push((format!("try: {}", limits.help), theme.text));
        }
        panel::notice(buf, inner, &lines);
        return;
    }
    rows(buf, inner, theme, variables.cursor, session.focus == Focus::Variables, |at| {
        let row = variables.rows.get(at)?;
        let root = variables.root(row);
        let mark = match row.open {
            Some(true) => "▾ ",
            Some(false) => "▸ ",
            None => "  ",
        };
        let (name, value) = variables.words(row);
        let sort = root.map_or("", |root| match root.sort {
            Sort::Printed => "= ",
            Sort::Watch => "◉ ",
            Sort::Argument | Sort::Local => "",
        });
        let style = match root {
            Some(root) if root.error.is_some() => theme.bad,
            Some(root) if root.changed => theme.warn,
            // Nothing has gone wrong, and most calls have some of these.
            _ if variables.value(&row.path).is_some_and(Variable::is_optimised_away) => theme.dim,
            _ if variables.value(&row.path).is_some_and(|value| value.unreadable.is_some()) => theme.bad,
            _ if row.more => theme.dim,
            _ => theme.text,
        };
        let mut parts = vec![
            (format!("{}{mark}{sort}", "  ".repeat(row.depth)), theme.dim),
            (name, theme.label),
            (" ".to_owned(), theme.dim),
            (value, style),
        ];
        if root.is_some_and(|root| root.changed) {
            parts.insert(1, ("changed ".to_owned(), theme.warn));
        }
        if variables.value(&row.path).is_some_and(|value| value.shadowed) && root.is_some() {
            parts.push((" (hidden by an inner one)".to_owned(), theme.dim));
        }
        Some(shifted(parts, variables.shift))
    });
}

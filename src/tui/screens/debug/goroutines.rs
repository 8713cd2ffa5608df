//! The list of goroutines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{pane, rows, shifted};
use crate::tui::app::debug::goroutines::{Group, Line, Row};
use crate::tui::app::debug::place::short_group;
use crate::tui::app::debug::{Focus, Session, thread};
use crate::tui::message::debug::{By, Which};
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::words;

pub fn draw(session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let list = &session.goroutines;
    let which = match list.which {
        Which::User => "",
        Which::All => ", all",
        Which::System => ", the runtime's",
    };
    let by = match list.by {
        None => "",
        Some(By::User) => " ─ by place in the program",
        Some(By::Current) => " ─ by place",
        Some(By::Start) => " ─ by start",
    };
    let filter = list.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let more = if list.next.is_some() && list.error.is_none() { "+" } else { "" };
    let read = words::count_short(list.read());
    let title = if list.are_threads() {
        format!("Threads {read}{filter}")
    } else {
        format!("Goroutines {read}{more}{which}{by}{filter}")
    };
    let busy = if list.busy { "reading …" } else { "" };
    let shown = if list.filter.is_some() { format!("{} shown", list.rows.len()) } else { String::new() };
    let inner = pane(session, Focus::Goroutines, buf, area, theme, [&title, busy, &shown]);
    if let Some(error) = &list.error {
        let mut lines = vec![(error.clone(), theme.bad)];
        if let Some(limits) = &session.opened.limits {
            lines.push((format!("{}. There are no {}.", limits.why, limits.without), theme.text));
            lines.push((format!("try: {}", limits.help), theme.text));
        }
        lines.push(("The stack is that of one thread.".to_owned(), theme.text));
        panel::notice(buf, inner, &lines);
        return;
    }
    if list.rows.is_empty() {
        let text = match (list.busy || list.next.is_some(), &list.filter) {
            (true, _) => "reading …",
            (false, Some(_)) => "nothing passes the filter",
            (false, None) => "there are none",
        };
        panel::notice(buf, inner, &[(text.to_owned(), theme.dim)]);
        return;
    }
    rows(buf, inner, theme, list.cursor, session.focus == Focus::Goroutines, |at| {
        let parts = match *list.rows.get(at)? {
            Row::Group(group) => self::group(list.groups.get(group)?, theme),
            Row::Line(_) => line(list.at(at)?, list.by, "", theme),
            Row::Member(..) => line(list.at(at)?, list.by, "  ", theme),
        };
        Some(shifted(parts, list.shift))
    });
}

fn group(group: &Group, theme: &Theme) -> Vec<(String, ratatui::style::Style)> {
    let mark = if group.open { "▾" } else { "▸" };
    let hidden = group.total.saturating_sub(group.members.len() as u64);
    let more =
        if group.open && hidden > 0 { format!(" ({} not listed)", words::count_short(hidden)) } else { String::new() };
    vec![
        (format!("{mark} {:>5} ", words::count_short(group.total)), theme.label),
        (short_group(&group.name), theme.text),
        (more, theme.dim),
    ]
}

fn line(line: &Line, by: Option<By>, indent: &str, theme: &Theme) -> Vec<(String, ratatui::style::Style)> {
    let place = match by {
        Some(By::Start) | None => &line.user,
        Some(By::Current) => &line.start,
        Some(By::User) => &line.current,
    };
    if let Some(thread) = thread::thread(line.id) {
        let place = &line.current;
        return vec![
            (format!("{indent}{thread:>7} "), theme.label),
            (format!("{} ", place.short()), theme.text),
            (place.spot(), theme.dim),
        ];
    }
    let labels = if line.labels.is_empty() { String::new() } else { format!("  {}", line.labels) };
    vec![
        (format!("{indent}{:>6} ", line.id), theme.label),
        (format!("{:<13} ", line.state), theme.special),
        (format!("{} ", place.short()), theme.text),
        (place.spot(), theme.dim),
        (labels, theme.dim),
    ]
}

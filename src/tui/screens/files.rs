//! A directory.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{nothing, stale};
use crate::inspect::files::Kind;
use crate::tui::app::files::{Sort, label, letter, shown};
use crate::tui::app::workspace::Workspace;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{Column, Table};
use crate::tui::words;

const COLUMNS: [Column; 5] = [
    Column::text("MODE", 10, 0),
    Column::text("OWNER", 13, 72),
    Column::number("SIZE", 9, 0),
    Column::text("MODIFIED (UTC)", 19, 90),
    Column::text("NAME", 0, 0),
];

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let files = &work.files;
    let all = files.entries.shown.as_ref().map_or(0, |listing| listing.entries.len());
    let filter = files.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let busy = files.wanted.as_ref().map_or_else(String::new, |path| format!(" ─ reading {} …", shown(path)));
    let title = format!("{}{filter}{busy}", shown(&files.path));
    let mut below = format!("{}/{all}", files.order.len());
    if files.entries.shown.as_ref().is_some_and(|listing| listing.cut) {
        below.push_str(" · THERE ARE MORE");
    }
    if !files.hidden {
        below.push_str(" · dotfiles hidden");
    }
    let inner = panel::draw(buf, area, theme, &title, &stale(work, clock, files.entries.at), &below);
    if files.entries.shown.is_none() || (files.entries.error.is_some() && all == 0) {
        panel::notice(buf, inner, &nothing(work, files.entries.error.as_ref(), theme));
        return;
    }
    if files.order.is_empty() {
        let text =
            if all == 0 { "the directory is empty" } else { "no name passes the filter, or all start with a dot" };
        panel::notice(buf, inner, &[(text.to_owned(), theme.text)]);
        return;
    }
    let sorted = match files.sort {
        Sort::Name => 4,
        Sort::Size => 2,
        Sort::Modified => 3,
    };
    let table = Table {
        columns: &COLUMNS,
        sorted: Some((sorted, files.reverse)),
        len: files.order.len(),
        cursor: files.cursor,
        shift: 0,
    };
    table.draw(buf, inner, theme, |row| {
        let entry = files.row(row)?;
        let name = match entry.kind {
            Kind::Directory | Kind::Symlink => theme.special,
            Kind::File => theme.text,
            _ => theme.warn,
        };
        let kind = letter(entry.kind);
        let Some(meta) = &entry.meta else {
            let unknown = ("-".to_owned(), theme.dim);
            let mode = (format!("{kind}?????????"), theme.dim);
            return Some(vec![mode, unknown.clone(), unknown.clone(), unknown, (label(entry), name)]);
        };
        let size = match meta.device {
            Some((major, minor)) => format!("{major},{minor}"),
            None => words::bytes(meta.size),
        };
        Some(vec![
            (words::mode(kind, meta.mode), theme.dim),
            (format!("{}:{}", meta.uid, meta.gid), theme.dim),
            (size, theme.text),
            (words::moment(meta.modified), theme.dim),
            (label(entry), name),
        ])
    });
}

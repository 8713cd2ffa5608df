//! The list of processes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{nothing, stale};
use crate::tui::app::procs::{Sort, command, user};
use crate::tui::app::workspace::Workspace;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::{Column, Table};
use crate::tui::words;

const COLUMNS: [Column; 9] = [
    Column::number("PID", 7, 0),
    Column::text("USER", 10, 60),
    Column::text("S", 2, 0),
    Column::number("CPU%", 6, 0),
    Column::number("RSS", 8, 0),
    Column::number("THR", 5, 76),
    Column::number("AGE", 8, 88),
    Column::number("TIME", 8, 100),
    Column::text("COMMAND", 0, 0),
];

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let procs = &work.procs;
    let data = work.processes.shown.as_ref();
    let filter = procs.filter.as_ref().map_or_else(String::new, |filter| {
        let all = data.map_or(0, |data| data.list.len());
        format!(" ─ filter: {} ({}/{all})", filter.text, procs.rows.len())
    });
    let tree = procs.tree && procs.filter.is_none();
    let shape = if tree { "tree" } else { "flat" };
    let below = work.processes.error.as_ref().map_or("", |error| &error.message);
    let title = format!("Processes ─ {shape}{filter}");
    let inner = panel::draw(buf, area, theme, &title, &stale(work, clock, work.processes.at), below);
    let Some(data) = data else {
        panel::notice(buf, inner, &nothing(work, work.processes.error.as_ref(), theme));
        return;
    };
    let sorted = match procs.sort {
        Sort::Pid => 0,
        Sort::User => 1,
        Sort::Cpu => 3,
        Sort::Memory => 4,
        Sort::Threads => 5,
        Sort::Age => 6,
        Sort::Command => 8,
    };
    let table = Table {
        columns: &COLUMNS,
        sorted: (!tree).then_some((sorted, procs.reverse)),
        len: procs.rows.len(),
        cursor: procs.cursor,
        shift: procs.shift,
    };
    table.draw(buf, inner, theme, |at| {
        let row = procs.rows.get(at)?;
        let process = data.list.get(row.at)?;
        let recent = data.recent.get(row.at).copied().flatten();
        let state = match process.state {
            'Z' | 'D' | 'T' | 't' => theme.bad,
            'R' => theme.good,
            _ => theme.text,
        };
        Some(vec![
            (process.pid.to_string(), theme.text),
            (user(process), theme.text),
            (process.state.to_string(), state),
            (recent.map_or_else(|| "-".to_owned(), |recent| format!("{recent:.1}")), theme.text),
            (words::bytes(process.rss), theme.text),
            (process.threads.to_string(), theme.text),
            (words::span(process.age), theme.dim),
            (words::cpu(process.cpu), theme.dim),
            (format!("{}{}", row.branch, command(process)), theme.text),
        ])
    });
}

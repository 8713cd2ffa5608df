//! The network.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{nothing, stale};
use crate::tui::app::net::Section;
use crate::tui::app::workspace::Workspace;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::panel;
use crate::tui::widgets::table::Table;

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let net = &work.net;
    let sections: Vec<String> = Section::ALL
        .into_iter()
        .zip(&net.tables)
        .map(|(section, table)| {
            let name = format!("{} {}", section.title(), table.rows.len());
            if section == net.section { format!("[{name}]") } else { name }
        })
        .collect();
    let table = net.table();
    let filter = table.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let title = format!("{}{filter}", sections.join(" "));
    let below = match (&table.missing, &net.data.error) {
        (Some(why), _) => why.clone(),
        (None, Some(error)) => error.message.clone(),
        (None, None) if !net.data.shown.as_ref().is_none_or(|data| data.notes.is_empty()) => {
            net.data.shown.iter().flat_map(|data| &data.notes).next().cloned().unwrap_or_default()
        }
        (None, None) => format!("{}/{}", table.order.len(), table.rows.len()),
    };
    let inner = panel::draw(buf, area, theme, &title, &stale(work, clock, net.data.at), &below);
    if net.data.shown.is_none() {
        panel::notice(buf, inner, &nothing(work, net.data.error.as_ref(), theme));
        return;
    }
    if table.order.is_empty() {
        let text = match (&table.missing, table.rows.is_empty()) {
            (Some(why), _) => (why.clone(), theme.bad),
            (None, true) => (format!("there are no {}", net.section.title()), theme.text),
            (None, false) => ("nothing passes the filter".to_owned(), theme.text),
        };
        panel::notice(buf, inner, &[text]);
        return;
    }
    let columns = net.section.columns();
    let drawn = Table {
        columns,
        sorted: table.sort.map(|at| (at, table.reverse)),
        len: table.order.len(),
        cursor: table.cursor,
        shift: net.shift,
    };
    drawn.draw(buf, inner, theme, |row| {
        let cells = table.row(row)?;
        Some(
            cells
                .iter()
                .map(|cell| {
                    let style = match cell.as_str() {
                        "LISTEN" => theme.good,
                        "-" => theme.dim,
                        _ => theme.text,
                    };
                    (cell.clone(), style)
                })
                .collect(),
        )
    });
}

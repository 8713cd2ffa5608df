//! The list of a cluster's pods, and what is known of the selected container.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::engine::kube::list::Row;
use crate::text::Untrusted;
use crate::tui::app::App;
use crate::tui::app::pods::row::{self, Mood};
use crate::tui::app::pods::{Pods, Sort};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::theme::Theme;
use crate::tui::widgets::table::{Cell, Column, Table};
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

/// From these widths on there are columns for these.
const AGE_FROM: u16 = 96;
const NODE_FROM: u16 = 118;
const IMAGE_FROM: u16 = 136;
const STATE: u16 = 18;
const RESTARTS: u16 = 4;
const AGE: u16 = 7;
const NODE: u16 = 16;
const IMAGE: u16 = 24;

/// What a column shows.
type Show = fn(&Row, &App) -> String;

/// The columns that fit, each with what it is sorted by. Names get the room that they need, if there is.
fn columns(pods: &Pods, width: u16) -> Vec<(Column, Option<Sort>, Show)> {
    let last = if width < AGE_FROM { 9 } else { 24 };
    let mut others: Vec<(Column, Option<Sort>, Show)> = vec![
        (Column::text("STATE", STATE, 0), Some(Sort::State), |row, _| {
            let state = row::state(row);
            format!("{} {}", state.sign, state.word)
        }),
        (Column::number("RST", RESTARTS, 0), Some(Sort::Restarts), |row, _| row.restarts.to_string()),
        (Column::text("LAST END", last, 0), None, |row, app| row::last(row, app.clock.wall)),
        (Column::text("AGE", AGE, AGE_FROM), Some(Sort::Age), |row, app| {
            row::ago(row.created, app.clock.wall).unwrap_or_else(|| "-".to_owned())
        }),
        (Column::text("NODE", NODE, NODE_FROM), Some(Sort::Node), |row, _| row.node.clone().unwrap_or_default()),
        (Column::text("IMAGE", IMAGE, IMAGE_FROM), None, |row, _| row.image.clone()),
    ];
    others.retain(|(column, ..)| column.from <= width);
    let taken: u16 = others.iter().map(|(column, ..)| column.width + 1).sum();
    // What is left over goes to the last one.
    if let Some((column, ..)) = others.last_mut() {
        column.width = 0;
    }
    let room = width.saturating_sub(taken + 2);
    let wide = |name: usize, most: u16| u16::try_from(name).unwrap_or(most).min(most).max(4);
    let namespace = if pods.place.everywhere { wide(pods.widths.namespace.max(9), room / 4) } else { 0 };
    let rest = room.saturating_sub(if namespace > 0 { namespace + 1 } else { 0 });
    let container = wide(pods.widths.container.max(9), rest / 3);
    let pod = wide(pods.widths.pod, rest.saturating_sub(container + 2));
    let mut columns: Vec<(Column, Option<Sort>, Show)> = Vec::new();
    if namespace > 0 {
        columns.push((Column::text("NAMESPACE", namespace, 0), None, |row, _| row.namespace.clone()));
    }
    columns.push((Column::text("POD", pod, 0), Some(Sort::Pod), |row, _| row.pod.clone()));
    columns.push((Column::text("CONTAINER", container, 0), None, |row, _| row.container.clone()));
    columns.extend(others);
    columns
}

pub fn draw(app: &App, buf: &mut Buffer, theme: &Theme) {
    let pods = &app.pods;
    let areas = layout::pods((buf.area.width, buf.area.height), pods.stale());
    let filter = pods.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let old = pods.listed.at.filter(|_| pods.stale());
    let old =
        old.map_or_else(String::new, |at| format!("STALE, {} old", words::span(app.clock.uptime.saturating_sub(at))));
    let more = pods.listed.shown.as_ref().filter(|listed| listed.cut).map_or_else(String::new, |listed| {
        listed.more.map_or_else(
            || "more pods are not listed".to_owned(),
            |more| format!("{} not listed", words::count(usize::try_from(more).unwrap_or(usize::MAX), "more pod")),
        )
    });
    let inner = panel::draw(buf, areas.list, theme, &format!("Pods{filter}"), &old, &more);
    if pods.order.is_empty() {
        panel::notice(buf, inner, &why_empty(app));
    } else {
        panel::notice(buf, areas.trouble, &trouble(app, areas.trouble.width));
        table(app, buf, areas.table, theme);
    }
    if let Some(area) = areas.details {
        details(app, pods.selected(), buf, area, theme);
    }
}

fn table(app: &App, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let pods = &app.pods;
    let all = columns(pods, area.width);
    let columns: Vec<Column> = all.iter().map(|(column, ..)| *column).collect();
    let sorted = all.iter().position(|(_, sort, _)| *sort == Some(pods.sort));
    let table = Table {
        columns: &columns,
        sorted: sorted.map(|at| (at, pods.reverse)),
        len: pods.order.len(),
        cursor: pods.cursor,
        shift: 0,
    };
    let old = pods.stale();
    let style = |style: Style| if old { theme.dim } else { style };
    table.draw(buf, area, theme, |at| {
        let row = pods.row(at)?;
        // Of the same pod as the row above: that is said once.
        let above = at.checked_sub(1).and_then(|at| pods.row(at));
        let again = above.is_some_and(|above| above.pod == row.pod && above.namespace == row.namespace);
        let mood = match row::state(row).mood {
            Mood::Bad => theme.bad,
            Mood::Warn => theme.warn,
            Mood::Good => theme.good,
            Mood::Done => theme.dim,
        };
        let cell = |(column, _, show): &(Column, Option<Sort>, Show)| -> Cell {
            let own = match column.title {
                "STATE" => mood,
                "POD" | "NAMESPACE" if again => theme.dim,
                "POD" | "NAMESPACE" | "CONTAINER" => theme.text,
                "RST" if row.restarts > 0 => theme.warn,
                _ => theme.dim,
            };
            (show(row, app), style(own))
        };
        Some(all.iter().map(cell).collect())
    });
}

/// Why the rows are old, in as many lines as there are for that.
fn trouble(app: &App, width: u16) -> Vec<(String, Style)> {
    let theme = &app.theme;
    let Some(failure) = app.pods.trouble() else { return Vec::new() };
    let room = usize::from(width.saturating_sub(2));
    // The message may be longer than its part of the lines, and what to try stands there in any case.
    let cut = |text: &str, lines: usize| {
        let text = Untrusted::from(text).safe().into_string();
        cells::wrap(&text, room).into_iter().take(lines).collect::<Vec<_>>()
    };
    let again = keymap::first_key(Mode::Pods, Action::Refresh);
    let hint = failure.hint.clone().unwrap_or_else(|| format!("{again} asks again"));
    let mut lines: Vec<(String, Style)> = cut(&failure.message, 2).into_iter().map(|line| (line, theme.bad)).collect();
    lines.extend(cut(&format!("try: {hint}"), 1).into_iter().map(|line| (line, theme.text)));
    lines
}

fn why_empty(app: &App) -> Vec<(String, Style)> {
    let (theme, pods) = (&app.theme, &app.pods);
    let line = |text: &str, style| (Untrusted::from(text).safe().into_string(), style);
    if let Some(failure) = pods.trouble() {
        let mut lines = vec![line(&failure.message, theme.bad)];
        lines.extend(failure.hint.iter().flat_map(|hint| words::tries(hint)).map(|hint| line(&hint, theme.text)));
        let key = |action| keymap::first_key(Mode::Pods, action);
        let (again, namespace, context) = (key(Action::Refresh), key(Action::Namespace), key(Action::Context));
        let keys = if app.enabled(Action::Namespace).is_ok() {
            format!("{again} asks again; {namespace} chooses another namespace, {context} another context")
        } else {
            format!("{again} reads it again")
        };
        lines.push(line(&keys, theme.dim));
        return lines;
    }
    match &pods.listed.shown {
        None if pods.contexts.is_none() => vec![line("reading the configuration …", theme.dim)],
        None => vec![line(&format!("asking {} …", pods.context()), theme.dim)],
        Some(listed) if listed.rows.is_empty() => {
            let selected = pods.place.selector.as_ref().map_or_else(String::new, |of| format!(" with labels {of}"));
            let place = if pods.place.everywhere {
                "in any namespace".to_owned()
            } else {
                format!("in namespace {}", pods.namespace())
            };
            vec![line(&format!("there are no pods{selected} {place}"), theme.text)]
        }
        Some(listed) => {
            let noun = words::count(listed.rows.len(), "container");
            let text = format!("none of {noun} is shown: see the filter and the choice of running ones");
            vec![line(&text, theme.text)]
        }
    }
}

fn details(app: &App, row: Option<&Row>, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let title = row.map_or_else(String::new, row::target);
    let inner = panel::draw(buf, area, theme, &Untrusted::from(title.as_str()).safe().into_string(), "", "");
    let Some(row) = row else { return };
    let now = app.clock.wall;
    let since = |time| row::ago(time, now).map_or_else(|| "-".to_owned(), |ago| format!("{ago} ago"));
    let state = row::state(row);
    let mut facts = vec![
        ("image", row.image.clone()),
        ("state", format!("{} {}", state.sign, state.word)),
        ("message", row.message.clone()),
        ("restarts", row.restarts.to_string()),
        ("last end", row::last(row, now)),
        ("its log", previous(app, row)),
        ("node", row.node.clone().unwrap_or_default()),
        ("started", since(row.started)),
        ("created", since(row.created)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    // A column is left free at the right.
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    panel::facts(buf, inner, theme, &facts, 9, 2);
}

/// What to type for the log of a run that has ended.
fn previous(app: &App, row: &Row) -> String {
    if row.last.is_none() || row.restarts == 0 {
        return String::new();
    }
    let context = app.pods.place.context.as_ref().map_or_else(String::new, |name| format!(" --context {name}"));
    format!("scratchdbg logs --previous{context} {}", row::target(row))
}

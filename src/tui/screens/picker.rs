//! The list of containers, and what is known of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::engine::{State, Summary};
use crate::tui::app::App;
use crate::tui::app::picker::{Sort, state_sign, state_word};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::theme::Theme;
use crate::tui::widgets::table::{Column, Table};
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

/// The name gets the room it needs, as long as the status keeps enough to be read: names are what is looked for.
fn columns(app: &App, width: u16) -> [Column; 4] {
    const STATE: u16 = 12;
    const IMAGE: u16 = 18;
    const IMAGE_FROM: u16 = 76;
    let image = if width >= IMAGE_FROM { IMAGE + 1 } else { 0 };
    let most = width.saturating_sub(STATE + image + 18).max(12);
    let longest = app.picker.containers.iter().flatten().map(|container| cells::width(&container.name)).max();
    let name = longest.and_then(|longest| u16::try_from(longest).ok()).unwrap_or(most).clamp(12, most);
    [
        Column::text("STATE", STATE, 0),
        Column::text("NAME", name, 0),
        Column::text("IMAGE", IMAGE, IMAGE_FROM),
        Column::text("STATUS", 0, 0),
    ]
}

pub fn draw(app: &App, buf: &mut Buffer, theme: &Theme) {
    let (list, details) = layout::picker((buf.area.width, buf.area.height));
    let picker = &app.picker;
    let filter = picker.filter.as_ref().map_or_else(String::new, |filter| format!(" ─ filter: {}", filter.text));
    let age = if app.engine.is_some() && picker.containers.is_some() { "STALE" } else { "" };
    let inner = panel::draw(buf, list, theme, &format!("Containers{filter}"), age, "");
    if picker.order.is_empty() {
        panel::notice(buf, inner, &why_empty(app));
    } else {
        let sorted = match picker.sort {
            Sort::State => 0,
            Sort::Name => 1,
            Sort::Image => 2,
            Sort::Created => 3,
        };
        let table = Table {
            columns: &columns(app, inner.width),
            sorted: Some((sorted, picker.reverse)),
            len: picker.order.len(),
            cursor: picker.cursor,
            shift: 0,
        };
        table.draw(buf, inner, theme, |row| {
            let container = picker.row(row)?;
            let style = match container.state {
                State::Running => theme.good,
                State::Paused | State::Restarting => theme.warn,
                State::Dead => theme.bad,
                _ => theme.dim,
            };
            Some(vec![
                (format!("{} {}", state_sign(container.state), state_word(container.state)), style),
                (container.name.clone(), theme.text),
                (container.image.clone(), theme.text),
                (container.status.clone(), theme.dim),
            ])
        });
    }
    if let Some(area) = details {
        selected(app, picker.selected(), buf, area, theme);
    }
}

fn why_empty(app: &App) -> Vec<(String, ratatui::style::Style)> {
    let theme = &app.theme;
    match (&app.engine, &app.picker.containers) {
        (Some((failure, attempt)), _) => {
            let mut lines = vec![(failure.message.clone(), theme.bad)];
            if let Some(hint) = &failure.hint {
                lines.extend(words::tries(hint).map(|line| (line, theme.text)));
            }
            lines
                .push((format!("asked {} so far; it goes on", words::count(*attempt as usize + 1, "time")), theme.dim));
            if let Some(Ok(_)) = &app.pods.contexts {
                let key = keymap::first_key(Mode::Picker, Action::Pods);
                lines.push((String::new(), theme.text));
                lines.push((format!("{key} shows the pods of the cluster {}", app.pods.context()), theme.text));
            }
            lines
        }
        (None, None) => vec![("asking the engine …".to_owned(), theme.dim)],
        (None, Some(all)) if all.is_empty() => {
            vec![("there are no containers".to_owned(), theme.text)]
        }
        (None, Some(all)) => {
            let noun = words::count(all.len(), "container");
            vec![(format!("none of {noun} is shown: see the filter and the choice of running ones"), theme.text)]
        }
    }
}

fn selected(app: &App, container: Option<&Summary>, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let inner = panel::draw(buf, area, theme, container.map_or("", |container| &container.name), "", "");
    let Some(container) = container else { return };
    let created = container.created.and_then(|time| app.clock.wall.duration_since(time).ok());
    let facts = [
        ("id", container.id.get(..12).unwrap_or(&container.id).to_owned()),
        ("image", container.image.clone()),
        ("state", format!("{} {}", state_sign(container.state), state_word(container.state))),
        ("status", container.status.clone()),
        ("created", created.map_or_else(|| "-".to_owned(), |age| format!("{} ago", words::span(age)))),
        ("command", container.command.clone()),
    ];
    panel::facts(buf, inner, theme, &facts, 8, usize::MAX);
}

//! Drawing. Nothing here changes the state.
//!
//! ```text
//! crumb    scratchdbg  docker ▸ shop-api (a1b2c3d4e5f6) ▸ pid 7
//! tabs     1 Overview  2 Procs [3 Logs] 4 Files  5 Net  6 Activity  7 Debug  8 Go
//! body     one pane with a border; the picker and the overview have two where there is room
//! status   RUNNING  a small message                    FOLLOW  FROZEN +132  dropped 12  RO
//! footer   keys of the pane; or the line being typed
//! ```
//!
//! Layers (help, messages, questions, one long line) lie over the body.

mod activity;
mod choose;
mod chrome;
mod debug;
mod files;
mod golang;
mod layers;
mod logs;
mod net;
mod overview;
mod picker;
mod pods;
mod process;
mod procs;
mod viewer;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::app::App;
use super::app::pods::Source;
use super::app::workspace::Workspace;
use super::keymap::Mode;
use super::layout;
use super::theme::Theme;
use super::widgets::cells;
pub use chrome::tab_at;
pub use layers::rows as layer_rows;

/// Draws everything. Gives where the cursor is to stand, if a line is being typed.
pub fn draw(app: &App, buf: &mut Buffer) -> Option<Position> {
    let area = buf.area;
    let size = (area.width, area.height);
    if !layout::fits(size) {
        let (width, height) = layout::MIN;
        cells::put(buf, 0, 0, area.width, &format!("too small (needs {width}x{height})"), Style::new());
        return None;
    }
    let areas = layout::areas(size, app.work.is_some());
    chrome::crumb(app, buf, areas.crumb);
    if let Some(tabs) = areas.tabs {
        chrome::tabs(app, buf, tabs);
    }
    pane(app, buf, areas.body);
    for layer in &app.layers {
        layers::draw(layer, app, buf);
    }
    chrome::status(app, buf, areas.status);
    chrome::footer(app, buf, areas.footer)
}

fn pane(app: &App, buf: &mut Buffer, body: Rect) {
    let theme = &app.theme;
    let Some(work) = &app.work else {
        match app.source {
            Source::Engine => picker::draw(app, buf, theme),
            Source::Cluster => pods::draw(app, buf, theme),
        }
        return;
    };
    match work.mode() {
        Mode::Overview => overview::draw(work, app.clock, (buf.area.width, buf.area.height), buf, theme),
        Mode::Procs => procs::draw(work, app.clock, buf, body, theme),
        Mode::Process => process::draw(work, app.clock, buf, body, theme),
        Mode::Logs => logs::draw(work, app.clock, buf, body, theme),
        Mode::Files => files::draw(work, app.clock, buf, body, theme),
        Mode::Viewer => viewer::draw(work, app.clock, buf, body, theme),
        Mode::Net => net::draw(work, app.clock, buf, body, theme),
        Mode::Activity => activity::draw(&app.activity, buf, body, theme),
        Mode::Goroutines => golang::draw(work, app.clock, buf, theme),
        Mode::Depths => debug::depths(app, work, buf, body, theme),
        Mode::Copy | Mode::Live => {
            if let Some(session) = &work.debug.session {
                debug::draw(app, session, buf, theme);
            }
        }
        Mode::Threads => {
            if let Some(view) = &work.debug.threads {
                debug::threads::draw(app, work, view, buf, theme);
            }
        }
        _ => {}
    }
}

/// What stands at the border of a pane whose data are old: why, and how old.
fn stale(work: &Workspace, clock: crate::tui::message::Clock, at: Option<std::time::Duration>) -> String {
    match (work.lost_at, at) {
        (Some(_), Some(at)) => {
            format!("STALE, {} old", crate::tui::words::span(clock.uptime.saturating_sub(at)))
        }
        (Some(_), None) => "not read".to_owned(),
        _ => String::new(),
    }
}

/// Why a pane has nothing to show, with what to try.
fn nothing(work: &Workspace, error: Option<&crate::exit::Failure>, theme: &Theme) -> Vec<(String, Style)> {
    use crate::tui::app::workspace::Connection;
    let mut lines = Vec::new();
    let failure = match (&work.connection, error) {
        (Connection::Refused(failure), _) => Some(failure),
        (_, error) => error,
    };
    match (failure, work.trouble()) {
        (Some(failure), _) => {
            lines.push((failure.message.clone(), theme.bad));
            if let Some(hint) = &failure.hint {
                lines.extend(crate::tui::words::tries(hint).map(|line| (line, theme.text)));
            }
        }
        (None, Some(trouble)) => lines.push((trouble, theme.warn)),
        (None, None) => lines.push(("reading …".to_owned(), theme.dim)),
    }
    lines
}

#[cfg(test)]
pub mod dump;
#[cfg(test)]
mod tests;

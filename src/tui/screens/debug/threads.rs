//! The threads of a process, without a debugger: the threads, the registers of one, and what is where in memory.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::app::debug::threads::{Pane, View};
use crate::tui::app::workspace::Workspace;
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

/// What can be had where Delve cannot look, as a line of the list of depths.
pub fn depth(theme: &Theme) -> Vec<(String, Style)> {
    let line = [("threads", theme.text), ("about 1 ms", theme.text), ("nothing", theme.text)];
    let line = line.into_iter().chain([("threads, registers, where memory is; of any program", theme.dim)]);
    line.map(|(text, style)| (text.to_owned(), style)).collect()
}

/// The same below the list, with what does it, and what saves the whole of it.
pub fn offer(app: &App, work: &Workspace, theme: &Theme) -> Vec<(String, Style)> {
    if app.read_only || work.debug.without_delve().is_none() {
        return Vec::new();
    }
    let key = keymap::first_key(Mode::Depths, Action::Snapshot);
    let name = crate::text::escape(work.title().as_bytes());
    vec![
        (String::new(), theme.text),
        (
            format!("{key} shows its threads: where each is, and its registers. They stop for about a millisecond."),
            theme.text,
        ),
        (format!("scratchdbg core {name} -o FILE saves all of it, for gdb or lldb."), theme.dim),
    ]
}

pub fn draw(app: &App, work: &Workspace, view: &View, buf: &mut Buffer, theme: &Theme) {
    let areas = layout::threads((buf.area.width, buf.area.height), view.beside);
    header(app, work, view, buf, areas.header, theme);
    for pane in Pane::ALL {
        let area = areas.of(pane);
        if !area.is_empty() {
            one(view, pane, buf, area, theme);
        }
    }
}

/// What is looked at, how long it was stopped for it, why there is no more, and what saves all of it.
fn header(app: &App, work: &Workspace, view: &View, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let mut x = area.x + 1;
    let room = |x: u16| area.right().saturating_sub(x + 1);
    let time = words::time_of_day(view.at);
    let time = time.get(..8).unwrap_or(&time);
    let stopped = view.threads.stopped.unwrap_or_default().as_secs_f64() * 1e3;
    let chip = format!("THREADS {time}, {stopped:.1} ms");
    x += cells::put_cut(buf, x, area.y, room(x), &chip, theme.heading) + 1;
    if let Some((_, stage)) = &work.debug.opening {
        cells::put_cut(buf, x, area.y, room(x), &format!("─ again: {stage} …"), theme.warn);
        return;
    }
    let age = app.clock.wall.duration_since(view.at).unwrap_or_default();
    let name = crate::text::escape(work.title().as_bytes());
    let mut parts = vec![format!("{} old", words::span(age))];
    parts.push(if view.why.is_empty() { format!("process {}", view.threads.pid) } else { view.why.clone() });
    parts.push(format!("scratchdbg core {name} -o FILE saves it for gdb or lldb"));
    cells::put_cut(buf, x, area.y, room(x), &format!("─ {}", parts.join(" · ")), theme.dim);
}

fn one(view: &View, pane: Pane, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let focused = view.focus == pane;
    let title = match pane {
        Pane::Threads => format!("Threads {}", view.rows(pane)),
        Pane::Registers => {
            view.selected().map_or_else(String::new, |thread| format!("Registers of thread {}", thread.about.tid))
        }
        Pane::Memory => "Memory".to_owned(),
    };
    let inner = panel::pane(focused, buf, area, theme, [&title, "", ""]);
    super::rows(buf, inner, theme, view.cursor(pane), focused, |row| {
        let line = view.line(pane, row)?;
        let marked = pane == Pane::Memory && !view.mark(row).is_empty();
        let style = if marked { theme.heading } else { theme.text };
        Some(vec![(cells::skip(&line, view.shift(pane)).to_owned(), style)])
    });
}

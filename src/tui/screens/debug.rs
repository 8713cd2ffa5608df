//! The Debug tab: what looking closer would cost, and the panes of a session.

mod breakpoints;
mod goroutines;
mod source;
mod stack;
pub(super) mod threads;
mod variables;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{nothing, stale};
use crate::inspect::files::human_size;
use crate::tui::app::App;
use crate::tui::app::debug::{Depth, Focus, Session};
use crate::tui::app::workspace::Workspace;
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::message::Clock;
use crate::tui::message::debug::{LIMIT, Prospect, Subject};
use crate::tui::theme::Theme;
use crate::tui::widgets::list::rows;
use crate::tui::widgets::table::{Column, Table};
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

const DEPTHS: [Column; 4] = [
    Column::text("DEPTH", 9, 0),
    Column::text("STOPS IT FOR", 15, 0),
    Column::text("COPIES", 9, 0),
    Column::text("SHOWS", 0, 0),
];

/// How deep one can look, and what that costs.
pub fn depths(app: &App, work: &Workspace, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let debug = &work.debug;
    let shown = debug.prospect.shown.as_deref();
    let title = shown.map_or_else(|| "Debug".to_owned(), |prospect| format!("Debug ─ {}", whom(prospect)));
    let wanted =
        if debug.wanted().is_empty() { 0 } else { u16::try_from(debug.wanted().len() + 2).unwrap_or(u16::MAX) };
    let wanted = wanted.min((area.height / 3).max(3));
    let list = Rect { y: area.bottom().saturating_sub(wanted), height: wanted, ..area };
    breakpoints::wanted(debug, buf, list, theme);
    let area = Rect { height: area.height.saturating_sub(wanted), ..area };
    let inner = panel::draw(buf, area, theme, &title, &stale(work, app.clock, debug.prospect.at), "");
    let table = Table { columns: &DEPTHS, sorted: None, len: Depth::ALL.len(), cursor: debug.cursor, shift: 0 };
    let rows = Rect { height: inner.height.min(1 + u16::try_from(Depth::ALL.len()).unwrap_or(u16::MAX)), ..inner };
    table.draw(buf, rows, theme, |at| {
        let unknown = || "?".to_owned();
        match Depth::ALL.get(at)? {
            Depth::Snapshot if debug.without_delve().is_some() => Some(threads::depth(theme)),
            Depth::Live if debug.without_delve().is_some() => None,
            Depth::Snapshot => Some(vec![
                ("snapshot".to_owned(), theme.text),
                (shown.map_or_else(unknown, |prospect| pause(prospect.pause)), theme.text),
                (shown.map_or_else(unknown, size), theme.text),
                (
                    shows(shown, "goroutines, stacks, variables", "threads, their stacks and instructions")
                        + ", at one moment",
                    theme.dim,
                ),
            ]),
            Depth::Live => Some(vec![
                ("live".to_owned(), theme.text),
                (shown.and_then(|prospect| prospect.attaching).map_or_else(unknown, pause), theme.text),
                ("nothing".to_owned(), theme.text),
                (
                    shows(shown, "breakpoints", "breakpoints on functions")
                        + &format!(", steps; stands still, {} s at most", LIMIT.as_secs()),
                    theme.dim,
                ),
            ]),
        }
    });
    let below = Rect { y: rows.bottom(), height: inner.height.saturating_sub(rows.height), ..inner };
    panel::notice(buf, below, &notes(app, work, theme));
}

/// What there is to be seen of a program, or of a stripped one.
fn shows(prospect: Option<&Prospect>, all: &str, stripped: &str) -> String {
    let limited = prospect.is_some_and(|prospect| prospect.limits.is_some());
    if limited { stripped } else { all }.to_owned()
}

fn whom(prospect: &Prospect) -> String {
    let go = prospect.go.as_ref().map_or_else(|_| String::new(), |go| format!(", {go}"));
    format!("{}{go}", prospect.process)
}

fn pause(pause: std::time::Duration) -> String {
    let milliseconds = pause.as_secs_f64() * 1e3;
    let digits = usize::from(milliseconds < 100.0);
    format!("about {milliseconds:.digits$} ms")
}

fn size(prospect: &Prospect) -> String {
    human_size(prospect.weight.writable.saturating_add(prospect.weight.constant).min(prospect.most))
}

/// What is below the list: what is being done, why it cannot be done, or how it is done.
fn notes(app: &App, work: &Workspace, theme: &Theme) -> Vec<(String, Style)> {
    let mut lines = vec![(String::new(), theme.text)];
    if let Some((_, stage)) = &work.debug.opening {
        lines.push((format!("{stage} …"), theme.warn));
        return lines;
    }
    if !work.live() {
        lines.extend(nothing(work, work.debug.prospect.error.as_ref(), theme));
        return lines;
    }
    match work.debug.ready(app.read_only) {
        Err(None) => lines.push(("reading …".to_owned(), theme.dim)),
        Err(Some(failure)) => {
            lines.push((failure.message, theme.bad));
            lines.extend(failure.hint.iter().flat_map(|hint| words::tries(hint)).map(|line| (line, theme.text)));
            lines.extend(threads::offer(app, work, theme));
        }
        Ok(()) => {
            let key = keymap::first_key(Mode::Depths, Action::Snapshot);
            lines.push((
                format!("{key} takes a snapshot. The process runs on at once, whatever happens here."),
                theme.text,
            ));
            let prospect = work.debug.prospect.shown.as_deref();
            if let Some(prospect) = prospect {
                let (writable, threads) = (human_size(prospect.weight.writable), prospect.weight.threads);
                let text = format!("{writable} that it may write are copied while its {threads} threads are stopped.");
                lines.push((text, theme.dim));
                if let Ok(debugger) = &prospect.debugger {
                    lines.push((
                        format!("The copy stays in this host's memory, and is opened by {debugger}."),
                        theme.dim,
                    ));
                }
                if let Ok(Some(file)) = &prospect.debug_file {
                    lines.push((format!("What was stripped from the program is in {file}."), theme.dim));
                }
                let all = prospect.weight.writable.saturating_add(prospect.weight.constant);
                if all > prospect.most {
                    let text = format!(
                        "Of {} only {} are taken: more would crowd this host.",
                        human_size(all),
                        size(prospect)
                    );
                    lines.push((text, theme.warn));
                }
            }
            if let Some(limits) = prospect.and_then(|prospect| prospect.limits.as_ref()) {
                lines.push((format!("{}. There will be no {}.", limits.why, limits.without), theme.warn));
                lines.push((format!("try: {}", limits.help), theme.text));
            }
            let key = keymap::first_key(Mode::Depths, Action::DebugLive);
            lines.push((
                format!("{key} attaches to the process itself. It asks first, and a guard looks after it."),
                theme.text,
            ));
        }
    }
    lines
}

/// A session.
pub fn draw(app: &App, session: &Session, buf: &mut Buffer, theme: &Theme) {
    let areas = layout::debug((buf.area.width, buf.area.height), session.beside, session.is_live());
    header(app, session, buf, areas.header, theme);
    source::draw(session, buf, areas.of(Focus::Source), theme);
    for (focus, draw) in [
        (Focus::Goroutines, goroutines::draw as fn(&Session, &mut Buffer, Rect, &Theme)),
        (Focus::Stack, stack::draw),
        (Focus::Variables, variables::draw),
        (Focus::Breakpoints, breakpoints::draw),
    ] {
        let area = areas.of(focus);
        if !area.is_empty() {
            draw(session, buf, area, theme);
        }
    }
}

/// What is looked at, how old it is, and by what.
fn header(app: &App, session: &Session, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let mut x = area.x + 1;
    let room = |x: u16| area.right().saturating_sub(x + 1);
    // How long it may stand still is in sight, however long the reason is why it does.
    let health = session.health_words(app.clock.uptime);
    let wide = u16::try_from(cells::width(&health)).unwrap_or(u16::MAX).saturating_add(3);
    let left = if health.is_empty() { room(x) } else { room(x).saturating_sub(wide) };
    x += cells::put_cut(buf, x, area.y, left, &session.chip(app.clock.uptime), theme.heading) + 1;
    if !health.is_empty() {
        x += cells::put_cut(buf, x, area.y, room(x), &format!("─ {health}"), theme.bad) + 1;
    }
    if let Some(ended) = &session.ended {
        cells::put_cut(buf, x, area.y, room(x), &format!("─ the debugger has ended: {ended}"), theme.bad);
        return;
    }
    if let Some((_, stage)) = app.work.as_ref().and_then(|work| work.debug.opening.as_ref()) {
        cells::put_cut(buf, x, area.y, room(x), &format!("─ another one: {stage} …"), theme.warn);
        return;
    }
    cells::put_cut(buf, x, area.y, room(x), &facts(session, app.clock), theme.dim);
}

fn facts(session: &Session, clock: Clock) -> String {
    let versions = &session.opened.versions;
    let mut parts = Vec::new();
    match &session.opened.subject {
        Subject::Snapshot(snapshot) => {
            let age = clock.wall.duration_since(snapshot.at).unwrap_or_default();
            parts.push(format!("{} old", words::span(age)));
            parts.push(format!("process {}", session.opened.pid));
            parts.push(human_size(snapshot.size));
            if snapshot.left_out > 0 {
                parts.push(format!("{} left out", human_size(snapshot.left_out)));
            }
        }
        Subject::Live(at) => {
            let held = clock.wall.duration_since(*at).unwrap_or_default();
            parts.push(format!("process {}, held for {}", session.opened.pid, words::span(held)));
            let set = session.breakpoints.set.len();
            parts.extend((set > 0).then(|| words::count(set, "breakpoint")));
        }
    }
    let go = versions.go.safe();
    parts.push(format!("dlv {}", versions.delve.safe()));
    parts.push(if go.as_str().is_empty() { "stripped".to_owned() } else { go.into_string() });
    format!("─ {}", parts.join(" · "))
}

/// A pane of a session. Gives what is inside.
fn pane(session: &Session, focus: Focus, buf: &mut Buffer, area: Rect, theme: &Theme, words: [&str; 3]) -> Rect {
    panel::pane(session.focus == focus, buf, area, theme, words)
}

/// A text without its first columns, in cells that were made for it.
fn shifted(parts: Vec<(String, Style)>, mut shift: usize) -> Vec<(String, Style)> {
    parts
        .into_iter()
        .map(|(text, style)| {
            let wide = cells::width(&text);
            let rest = cells::skip(&text, shift).to_owned();
            shift = shift.saturating_sub(wide);
            (rest, style)
        })
        .collect()
}

/// How many of a pane's matches: ` ─ /words 3/17`.
fn searched(search: Option<&crate::tui::app::pattern::Search>) -> String {
    search.map_or_else(String::new, |search| format!(" ─ /{} {}", search.pattern.text, search.counter()))
}

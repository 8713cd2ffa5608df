//! The log.

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::nothing;
use crate::logs::{LineRef, Output};
use crate::tui::app::logs::{Flow, Logs};
use crate::tui::app::workspace::Workspace;
use crate::tui::effect::Since;
use crate::tui::message::Clock;
use crate::tui::sgr;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

pub fn draw(work: &Workspace, _clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let logs = &work.logs;
    let flow = match &logs.flow {
        Flow::Idle => "",
        Flow::Open => "live",
        Flow::Ended => "ENDED",
        Flow::Broken(_) => "BROKEN OFF",
    };
    let mut below = words::count(logs.len(), "line");
    if logs.wrap {
        below.push_str(" · wrapped");
    }
    if logs.shift > 0 {
        let _ = write!(below, " · from column {}", logs.shift);
    }
    let inner = panel::draw(buf, area, theme, &title(logs), flow, &below);
    let container = work.target.as_ref().map(|target| target.container().is_some());
    if container == Some(false) {
        let text = match work.target.as_ref().and_then(|target| target.node()) {
            Some(node) => {
                let one = &node.listed;
                format!(
                    "its node's kubelet keeps the log: kubectl logs -n {} {} -c {}",
                    one.namespace, one.pod, one.name
                )
            }
            None => "a plain process has no log that an engine keeps; see where descriptors 1 and 2 point under Procs"
                .to_owned(),
        };
        panel::notice(buf, inner, &[(text, theme.text)]);
        return;
    }
    if logs.is_empty() {
        panel::notice(buf, inner, &why_empty(work, theme));
        return;
    }
    let mut y = inner.y;
    let cursor = logs.cursor();
    for id in logs.page(inner.width.into(), inner.height.into()) {
        let Some(line) = logs.line(id) else { continue };
        if y >= inner.bottom() {
            break;
        }
        let current = logs.current == Some(id);
        let used = draw_line(logs, line, current, buf, Rect { y, height: inner.bottom() - y, ..inner }, theme);
        if id == cursor && !logs.follow {
            cells::put(buf, inner.x, y, 1, "▶", theme.selected);
        }
        y += used;
    }
}

fn range(since: Since) -> String {
    match since {
        Since::Ago(_) => format!("since {}", since.word()),
        Since::All => "all".to_owned(),
        Since::Tail | Since::After(_) => "newest".to_owned(),
    }
}

fn title(logs: &Logs) -> String {
    let mut title = format!("Logs ─ {} ─ {}", logs.streams.title(), range(logs.since));
    if let Some(filter) = &logs.filter {
        let more = if logs.settled() { "" } else { "+" };
        let all = logs.end() - logs.first();
        let _ = write!(title, " ─ filter: {} ({}{more}/{all})", filter.text, logs.len());
    }
    if let Some(search) = &logs.search {
        let _ = write!(title, " ─ /{} {}", search.text, logs.counter());
    }
    title
}

fn why_empty(work: &Workspace, theme: &Theme) -> Vec<(String, Style)> {
    let logs = &work.logs;
    match &logs.flow {
        Flow::Broken(failure) => {
            let mut lines = vec![(failure.message.clone(), theme.bad)];
            lines.extend(failure.hint.iter().flat_map(|hint| words::tries(hint)).map(|line| (line, theme.text)));
            lines
        }
        Flow::Idle => nothing(work, None, theme),
        _ if logs.end() > logs.first() => {
            vec![("no line passes the filter or the choice of streams".to_owned(), theme.text)]
        }
        Flow::Ended => vec![("the log has no lines".to_owned(), theme.text)],
        Flow::Open => vec![("no lines yet".to_owned(), theme.dim)],
    }
}

fn draw_line(logs: &Logs, line: LineRef<'_>, current: bool, buf: &mut Buffer, area: Rect, theme: &Theme) -> u16 {
    let stderr = line.output == Output::Stderr;
    let mut x = area.x + 1;
    cells::put(buf, x, area.y, 1, if stderr { "!" } else { " " }, theme.stderr);
    x += 1;
    if logs.times {
        let time = line.time.map_or_else(|| "-".to_owned(), words::time_of_day);
        cells::put(buf, x, area.y, 12, &time, theme.dim);
        x += 13;
    }
    let width = area.right().saturating_sub(x);
    let base = if stderr { theme.stderr } else { theme.text };
    let spans: Vec<(Style, String)> =
        sgr::spans(line.text).into_iter().map(|(style, text)| (base.patch(theme.foreign(style)), text)).collect();
    let text: String = spans.iter().map(|(_, text)| text.as_str()).collect();
    let mut spans = spans;
    if line.cut {
        spans.push((theme.dim, format!(" … {} in all", words::bytes(line.length))));
    }
    let places = logs.search.as_ref().map_or_else(Vec::new, |search| search.places(&text));
    let found = if current { theme.found_here } else { theme.found };
    let rows = if logs.wrap { area.height } else { 1 };
    flow(buf, Rect { x, width, height: rows, ..area }, &spans, if logs.wrap { 0 } else { logs.shift }, &places, found)
}

/// Writes styled text into an area, row by row, with places marked. Gives the rows used.
pub fn flow(
    buf: &mut Buffer,
    area: Rect,
    spans: &[(Style, String)],
    shift: usize,
    places: &[Range<usize>],
    found: Style,
) -> u16 {
    let width = usize::from(area.width);
    let (mut row, mut column, mut byte, mut skipped) = (0u16, 0usize, 0usize, 0usize);
    let mut places = places.iter().peekable();
    for (style, text) in spans {
        for grapheme in text.graphemes(true) {
            let wide = cells::width(grapheme);
            let at = byte;
            byte += grapheme.len();
            while places.peek().is_some_and(|place| place.end <= at) {
                places.next();
            }
            if skipped < shift {
                skipped += wide;
                continue;
            }
            if column + wide > width {
                row += 1;
                column = 0;
                if row >= area.height {
                    if area.width > 0 {
                        cells::put(buf, area.right() - 1, area.y + row - 1, 1, "…", *style);
                    }
                    return row;
                }
            }
            let style = if places.peek().is_some_and(|place| place.contains(&at)) { found } else { *style };
            let x = area.x + u16::try_from(column).unwrap_or(area.width);
            cells::put(buf, x, area.y + row, u16::try_from(wide).unwrap_or(1), grapheme, style);
            column += wide;
        }
    }
    row + 1
}

/// Lays a style over places of a text that stands in one row.
pub fn mark(buf: &mut Buffer, x: u16, y: u16, end: u16, text: &str, places: &[Range<usize>], style: Style) {
    for place in places {
        let before = cells::width(text.get(..place.start).unwrap_or_default());
        let wide = cells::width(text.get(place.clone()).unwrap_or_default());
        let (Ok(before), Ok(wide)) = (u16::try_from(before), u16::try_from(wide)) else { continue };
        let start = x.saturating_add(before);
        if start < end {
            cells::restyle(buf, Rect::new(start, y, wide.min(end - start), 1), style);
        }
    }
}

//! One file, as text or hexadecimal.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{nothing, stale};
use crate::tui::app::files::shown;
use crate::tui::app::viewer::{HEX_ROW, Viewer};
use crate::tui::app::workspace::Workspace;
use crate::tui::message::Clock;
use crate::tui::sgr;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

pub fn draw(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let Some(viewer) = &work.viewer else { return };
    let window = viewer.window.shown.as_ref();
    let search = viewer.matches.as_ref().map_or_else(String::new, |matches| {
        format!(" ─ /{} {}", matches.pattern.text, viewer.counter().unwrap_or_default())
    });
    let way = if viewer.hex { "hex" } else { "text" };
    let size =
        window.and_then(|window| window.size).map_or_else(String::new, |size| format!(" of {}", words::bytes(size)));
    let mut below = format!("{way} · byte {}{size}", viewer.top_byte());
    if let Some(window) = window.filter(|window| window.offset > 0 || !window.end) {
        let end = window.offset + window.data.len() as u64;
        let _ = write!(below, " · loaded {}–{}", words::bytes(window.offset), words::bytes(end));
    }
    if viewer.truncated {
        below.push_str(" · IT SHRANK");
    }
    if let Some(error) = &viewer.window.error {
        below.clone_from(&error.message);
    }
    let title = format!("{}{search}", shown(&viewer.path));
    let inner = panel::draw(buf, area, theme, &title, &stale(work, clock, viewer.window.at), &below);
    let Some(window) = window else {
        panel::notice(buf, inner, &nothing(work, viewer.window.error.as_ref(), theme));
        return;
    };
    if window.data.is_empty() {
        panel::notice(buf, inner, &[("the file is empty".to_owned(), theme.text)]);
        return;
    }
    for line in 0..inner.height {
        let row = viewer.scroll.top + usize::from(line);
        let Some(bytes) = viewer.bytes(row) else { break };
        let at = Rect { y: inner.y + line, height: 1, ..inner };
        if viewer.hex {
            let offset = window.offset + viewer.row(row).map_or(0, |row| row.start as u64);
            hex_row(viewer, offset, row, bytes, buf, at, theme);
        } else {
            text_row(viewer, row, bytes, buf, at, theme);
        }
    }
}

fn text_row(viewer: &Viewer, row: usize, bytes: &[u8], buf: &mut Buffer, area: Rect, theme: &Theme) {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let spans: Vec<(Style, String)> =
        sgr::spans(bytes).into_iter().map(|(style, text)| (theme.text.patch(theme.foreign(style)), text)).collect();
    let text: String = spans.iter().map(|(_, text)| text.as_str()).collect();
    let places = viewer.matches.as_ref().map_or_else(Vec::new, |matches| matches.pattern.places(&text));
    let current = viewer.current().zip(viewer.row(row)).is_some_and(|(at, row)| row.contains(&at));
    let found = if current { theme.found_here } else { theme.found };
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    super::logs::flow(buf, area, &spans, viewer.shift, &places, found);
}

fn hex_row(viewer: &Viewer, offset: u64, row: usize, bytes: &[u8], buf: &mut Buffer, area: Rect, theme: &Theme) {
    let x = area.x + 1;
    let right = area.right();
    // The rows are the same for every file, so they are moved sideways by dropping the offset first.
    let mut x = x + cells::put(buf, x, area.y, right.saturating_sub(x), &format!("{offset:08x}  "), theme.dim);
    let start = viewer.row(row).map_or(0, |row| row.start);
    let is_match =
        |at: usize| viewer.matches.as_ref().is_some_and(|matches| matches.offsets.binary_search(&(start + at)).is_ok());
    let style = |at: usize| match (is_match(at), viewer.current() == Some(start + at)) {
        (true, true) => theme.found_here,
        (true, false) => theme.found,
        _ => theme.text,
    };
    for at in 0..HEX_ROW {
        let text = bytes.get(at).map_or_else(|| "  ".to_owned(), |byte| format!("{byte:02x}"));
        x += cells::put(buf, x, area.y, right.saturating_sub(x), &text, style(at));
        x += if at == HEX_ROW / 2 - 1 { 2 } else { 1 };
    }
    x += 1;
    for (at, byte) in bytes.iter().enumerate() {
        let text =
            if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte).to_string() } else { "·".to_owned() };
        x += cells::put(buf, x, area.y, right.saturating_sub(x), &text, style(at));
    }
}

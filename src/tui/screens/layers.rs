//! What lies over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::app::layer::{Confirm, Help, HelpRow, Layer, LongLine, Message};
use crate::tui::keymap::{self, Action, Mode};
use crate::tui::layout;
use crate::tui::sgr;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};

/// Columns of a message.
const MESSAGE: u16 = 72;

fn area(layer: &Layer, size: (u16, u16)) -> Rect {
    match layer {
        Layer::Help(_) | Layer::Line(_) => layout::large_overlay(size),
        Layer::Choose(choose) => super::choose::area(choose, size),
        Layer::Message(message) => {
            let lines = message_lines(message, size).len();
            layout::overlay(size, MESSAGE, u16::try_from(lines + 2).unwrap_or(u16::MAX).min(size.1.saturating_sub(2)))
        }
        Layer::Confirm(confirm) => {
            let lines = |text: &str| cells::wrap(text, inner_width(size)).len();
            let lines = lines(&confirm.question) + lines(&confirm.note) + 1;
            let height = u16::try_from(lines + 2).unwrap_or(u16::MAX);
            layout::overlay(size, MESSAGE, height.max(7).min(size.1))
        }
    }
}

fn inner_width(size: (u16, u16)) -> usize {
    usize::from(MESSAGE.min(size.0).saturating_sub(4))
}

fn message_lines(message: &Message, size: (u16, u16)) -> Vec<String> {
    message.paragraphs().iter().flat_map(|paragraph| cells::wrap(paragraph, inner_width(size))).collect()
}

fn long_lines(line: &LongLine, width: usize) -> usize {
    let columns: usize = sgr::spans(&line.text).iter().map(|(_, text)| cells::width(text)).sum();
    columns.div_ceil(width.max(1)).max(1)
}

/// How many rows a layer has, and how many of them are shown.
#[must_use]
pub fn rows(layer: &Layer, size: (u16, u16)) -> (usize, usize) {
    let inner = layout::inside(area(layer, size));
    let len = match layer {
        Layer::Help(help) => help.rows().len(),
        Layer::Message(message) => message_lines(message, size).len(),
        // A wide letter that does not fit at the end of a row moves to the next one: leave room for that.
        Layer::Line(line) => long_lines(line, usize::from(inner.width.saturating_sub(2))) + 1,
        Layer::Confirm(_) => 0,
        Layer::Choose(choose) => return super::choose::rows(choose, size),
    };
    (len, inner.height.into())
}

/// Draws a layer over what is there.
pub fn draw(layer: &Layer, app: &App, buf: &mut Buffer) {
    let size = (buf.area.width, buf.area.height);
    let area = area(layer, size);
    cells::clear(buf, area);
    match layer {
        Layer::Help(help) => draw_help(help, buf, area, &app.theme),
        Layer::Message(message) => draw_message(message, size, buf, area, &app.theme),
        Layer::Confirm(confirm) => draw_confirm(confirm, buf, area, &app.theme),
        Layer::Line(line) => draw_long_line(line, buf, area, &app.theme),
        Layer::Choose(choose) => super::choose::draw(choose, buf, area, &app.theme),
    }
}

fn draw_help(help: &Help, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let rows = help.rows();
    let height = usize::from(layout::inside(area).height);
    let last = (help.scroll.top + height).min(rows.len());
    let right = format!("{}-{last}/{}", help.scroll.top + 1, rows.len());
    let filter = match &help.filter {
        Some(filter) => format!(" ─ filter: {}", filter.text),
        None => format!(" ─ {} to filter", keymap::first_key(Mode::Help, Action::Search)),
    };
    let inner = panel::draw(buf, area, theme, &format!("Help ─ {}{filter}", help.mode.title()), &right, "");
    for (row, y) in rows.iter().skip(help.scroll.top).zip(inner.y..inner.bottom()) {
        match row {
            HelpRow::Heading(title) => {
                cells::put(buf, inner.x + 1, y, inner.width, title, theme.heading);
            }
            HelpRow::Entry { keys, name, help, disabled } => {
                let (key, text) = if disabled.is_some() { (theme.dim, theme.dim) } else { (theme.key, theme.text) };
                let room = inner.width.saturating_sub(2);
                let narrow = room < 80;
                let (keys_wide, name_wide) = if narrow { (12, 0) } else { (16, 22) };
                let x = inner.x + 2;
                cells::put_cut(buf, x, y, keys_wide, keys, key);
                cells::put_cut(buf, x + keys_wide + 1, y, name_wide, name, theme.dim);
                let x = x + keys_wide + 1 + if narrow { 0 } else { name_wide + 1 };
                let help = disabled.map_or_else(|| (*help).to_owned(), |why| format!("{help} (not now: {why})"));
                cells::put_cut(buf, x, y, inner.right().saturating_sub(x), &help, text);
            }
        }
    }
}

fn draw_message(message: &Message, size: (u16, u16), buf: &mut Buffer, area: Rect, theme: &Theme) {
    let key = keymap::first_key(Mode::Message, Action::Close);
    let inner = panel::draw(buf, area, theme, &message.title, "", &format!("{key} close"));
    let lines = message_lines(message, size);
    for (at, (line, y)) in lines.iter().skip(message.scroll.top).zip(inner.y..inner.bottom()).enumerate() {
        let style = if at + message.scroll.top == 0 { theme.bad } else { theme.text };
        cells::put(buf, inner.x + 1, y, inner.width.saturating_sub(1), line, style);
    }
}

fn draw_confirm(confirm: &Confirm, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let inner = panel::draw(buf, area, theme, "Question", "", "");
    let yes = keymap::first_key(Mode::Confirm, Action::Yes);
    let no = keymap::first_key(Mode::Confirm, Action::No);
    let lines: [(String, Style); 3] = [
        (confirm.question.clone(), theme.warn),
        (confirm.note.clone(), theme.text),
        (format!("[{no}] no, leave it    {yes} yes, {}", confirm.verb), theme.key),
    ];
    panel::notice(buf, inner, &lines);
}

fn draw_long_line(line: &LongLine, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let key = keymap::first_key(Mode::Line, Action::Close);
    let right = format!("{} bytes", line.text.len());
    let inner = panel::draw(buf, area, theme, "Line", &right, &format!("{key} close"));
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let spans: Vec<(Style, String)> =
        sgr::spans(&line.text).into_iter().map(|(style, text)| (theme.foreign(style), text)).collect();
    let shift = line.scroll.top * usize::from(inner.width);
    super::logs::flow(buf, inner, &spans, shift, &[], theme.found);
}

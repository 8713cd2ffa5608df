//! What the container is, on one page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::stale;
use crate::inspect::process::Part;
use crate::tui::app::overview::{Group, Tone, columns};
use crate::tui::app::workspace::Workspace;
use crate::tui::layout;
use crate::tui::message::Clock;
use crate::tui::theme::Theme;
use crate::tui::widgets::{cells, panel};
use crate::tui::words;

pub fn draw(work: &Workspace, clock: Clock, size: (u16, u16), buf: &mut Buffer, theme: &Theme) {
    let (top, left, right) = layout::overview(size);
    rates(work, clock, buf, top, theme);
    let [what, how] = columns(work, clock);
    if let Some(right) = right {
        let inner = panel::draw(buf, left, theme, "What it is", "", "");
        groups(&what, work.overview.top, buf, inner, theme);
        let inner = panel::draw(buf, right, theme, "How it is set up", "", "");
        groups(&how, work.overview.top, buf, inner, theme);
    } else {
        let all: Vec<Group> = what.into_iter().chain(how).collect();
        let rows = all.iter().map(|group| group.facts.len() + 2).sum::<usize>().saturating_sub(1);
        let last = (work.overview.top + usize::from(layout::inside(left).height)).min(rows);
        let right = format!("{}-{last}/{rows}", work.overview.top + 1);
        let inner = panel::draw(buf, left, theme, "Overview", &right, "");
        groups(&all, work.overview.top, buf, inner, theme);
    }
}

fn groups(groups: &[Group], top: usize, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let mut row = 0usize;
    let mut line = |draw: &mut dyn FnMut(u16)| {
        if let Some(y) = row.checked_sub(top).and_then(|y| u16::try_from(y).ok()).filter(|y| *y < area.height) {
            draw(area.y + y);
        }
        row += 1;
    };
    for group in groups {
        line(&mut |y| {
            cells::put_cut(buf, area.x + 1, y, area.width.saturating_sub(1), group.title, theme.heading);
        });
        for fact in &group.facts {
            let style = match fact.tone {
                Tone::Plain => theme.text,
                Tone::Good => theme.good,
                Tone::Warn => theme.warn,
                Tone::Bad => theme.bad,
            };
            let sign = match fact.tone {
                Tone::Plain | Tone::Good => "",
                Tone::Warn => "! ",
                Tone::Bad => "✗ ",
            };
            line(&mut |y| {
                cells::put_cut(buf, area.x + 2, y, 11, fact.name, theme.label);
                let room = area.width.saturating_sub(15);
                cells::put_cut(buf, area.x + 14, y, room, &format!("{sign}{}", fact.value), style);
            });
        }
        line(&mut |_| {});
    }
}

fn rates(work: &Workspace, clock: Clock, buf: &mut Buffer, area: Rect, theme: &Theme) {
    let inner = panel::draw(buf, area, theme, "Now", &stale(work, clock, work.processes.at), "");
    if inner.height < 2 {
        return;
    }
    let half = inner.width / 2;
    let cpu = work.rates.cpu.back();
    let rss = work.rates.rss.back();
    let list = work.processes.shown.as_ref().map(|data| data.list.as_slice());
    let text = cpu.map_or_else(|| "CPU -".to_owned(), |cpu| format!("CPU {cpu:.1}%"));
    let used = cells::put(buf, inner.x + 1, inner.y, half, &text, theme.text) + 2;
    let most = work.rates.cpu.iter().copied().fold(1.0, f64::max);
    let room = half.saturating_sub(used + 2);
    spark(buf, inner.x + used, inner.y, room, work.rates.cpu.iter().map(|cpu| cpu / most), theme);
    let limit = work.target.as_ref().and_then(|target| target.container()).and_then(|c| c.memory_limit);
    let of = limit.map_or_else(String::new, |limit| format!(" of {}", words::bytes(limit)));
    let text = rss.map_or_else(|| "MEM -".to_owned(), |rss| format!("MEM {}{of}", words::bytes(*rss)));
    let x = inner.x + half;
    let used = cells::put(buf, x, inner.y, half, &text, theme.text) + 1;
    #[allow(clippy::cast_precision_loss, reason = "a bar has eight heights")]
    let share = |bytes: &u64| *bytes as f64 / (*work.rates.rss.iter().max().unwrap_or(&1)).max(1) as f64;
    spark(buf, x + used, inner.y, half.saturating_sub(used + 1), work.rates.rss.iter().map(share), theme);
    let mut parts = Vec::new();
    if let Some(list) = list {
        parts.push(words::count(list.len(), "process").replace("processs", "processes"));
        let threads = list.iter().fold(0u64, |sum, process| sum.saturating_add(process.threads));
        parts.push(format!("threads {threads}"));
    }
    if let Some(Part::Ok(fds)) = work.init.shown.as_ref().map(|detail| &detail.fds) {
        parts.push(format!("open files {}", fds.len()));
    }
    if let Some(error) = &work.processes.error {
        cells::put_cut(buf, inner.x + 1, inner.y + 1, inner.width.saturating_sub(2), &error.message, theme.bad);
    } else {
        let text = if parts.is_empty() {
            work.trouble().unwrap_or_else(|| "reading …".to_owned())
        } else {
            parts.join("   ")
        };
        cells::put_cut(buf, inner.x + 1, inner.y + 1, inner.width.saturating_sub(2), &text, theme.dim);
    }
}

/// The newest values as bars, newest at the right.
fn spark(buf: &mut Buffer, x: u16, y: u16, room: u16, values: impl DoubleEndedIterator<Item = f64>, theme: &Theme) {
    const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let room = room.min(40);
    let newest: Vec<f64> = values.rev().take(room.into()).collect();
    let start = x + room.saturating_sub(u16::try_from(newest.len()).unwrap_or(room));
    for (at, value) in (start..).zip(newest.iter().rev()) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bars")]
        let bar = (value.clamp(0.0, 1.0) * 7.0).round() as usize;
        cells::put(buf, at, y, 1, BARS.get(bar).copied().unwrap_or(" "), theme.good);
    }
}

//! Copying to the clipboard. Only text that is safe to show leaves.

use super::layer::Layer;
use super::pods::Source;
use super::{App, files, picker, pods, procs};
use crate::text::Untrusted;
use crate::tui::app::overview;
use crate::tui::effect::Effect;
use crate::tui::keymap::Mode;
use crate::tui::sgr;
use crate::tui::words;

/// Longest text that is copied. Base64 makes a third more of it, and terminals take about 74 kB.
pub const MAX: usize = 55_000;

impl App {
    /// Copies what is selected, or all of it.
    pub(super) fn yank(&mut self, all: bool) {
        let Some((what, text)) = self.yanked(all) else {
            self.say("there is nothing to copy");
            return;
        };
        if text.len() > MAX {
            let size = words::bytes(text.len() as u64);
            self.say(format!("{what}: {size} is more than a terminal takes ({})", words::bytes(MAX as u64)));
            return;
        }
        self.say(format!("copied {what} ({}) by the terminal (OSC 52)", words::bytes(text.len() as u64)));
        self.effect(Effect::Copy(text));
    }

    fn yanked(&self, all: bool) -> Option<(&'static str, String)> {
        match self.layers.last() {
            Some(Layer::Line(line)) => return Some(("the line", plain(&line.text))),
            Some(Layer::Message(message)) => return Some(("the message", message.paragraphs().join("\n"))),
            _ => {}
        }
        let Some(work) = &self.work else {
            return match (self.source, all) {
                (Source::Engine, true) => Some(("the list", picker::text(&self.picker).join("\n"))),
                (Source::Engine, false) => Some(("the id", safe(&self.picker.selected()?.id))),
                (Source::Cluster, true) => Some(("the list", pods::text(&self.pods).join("\n"))),
                (Source::Cluster, false) => Some(("the target", safe(&pods::row::target(self.pods.selected()?)))),
            };
        };
        let (width, height) = self.page();
        match (work.mode(), all) {
            (Mode::Overview, true) => Some(("the page", overview::text(work, self.clock).join("\n"))),
            (Mode::Overview, false) => Some(match work.target.as_ref()?.container() {
                Some(container) => ("the id", safe(&container.id)),
                None => ("the name", work.title()),
            }),
            (Mode::Procs, true) => {
                let data = work.processes.shown.as_ref()?;
                let lines = work.procs.rows.iter().filter_map(|row| {
                    let process = data.list.get(row.at)?;
                    Some(format!("{:>7} {}{}", process.pid, row.branch, procs::command(process)))
                });
                Some(("the list", join(lines)))
            }
            (Mode::Procs, false) => {
                let data = work.processes.shown.as_ref()?;
                Some(("the command", procs::command(work.procs.selected(data)?)))
            }
            (Mode::Process, true) => {
                Some(("the page", join(work.process.as_ref()?.lines.iter().map(|line| line.text.clone()))))
            }
            (Mode::Process, false) => {
                let view = work.process.as_ref()?;
                Some(("the line", view.lines.get(view.cursor.at)?.text.trim().to_owned()))
            }
            (Mode::Logs, true) => {
                let lines = work.logs.page(width, height).filter_map(|id| Some(plain(work.logs.line(id)?.text)));
                Some(("the lines on the screen", join(lines)))
            }
            (Mode::Logs, false) => Some(("the line", plain(work.logs.line(work.logs.cursor())?.text))),
            (Mode::Files, true) => {
                let lines = (0..work.files.order.len()).filter_map(|row| Some(files::label(work.files.row(row)?)));
                Some(("the list", join(lines)))
            }
            (Mode::Files, false) => Some(("the path", files::shown(&work.files.selected_path()?))),
            (Mode::Viewer, true) => {
                let viewer = work.viewer.as_ref()?;
                let rows = (viewer.scroll.top..viewer.scroll.top + height).filter_map(|row| viewer.bytes(row));
                Some(("the text on the screen", join(rows.map(|row| plain(row.strip_suffix(b"\n").unwrap_or(row))))))
            }
            (Mode::Viewer, false) => Some(("the path", files::shown(&work.viewer.as_ref()?.path))),
            (Mode::Activity, true) => {
                let lines = (0..self.activity.order.len()).filter_map(|row| self.activity.line(row));
                Some(("the list", join(lines)))
            }
            (Mode::Activity, false) => Some(("the step", self.activity.line(self.activity.cursor.at)?)),
            (Mode::Copy | Mode::Live, true) => {
                let session = work.debug.session.as_ref()?;
                Some(("the pane", join((0..session.rows()).filter_map(|row| session.copied(row)))))
            }
            (Mode::Copy | Mode::Live, false) => {
                let session = work.debug.session.as_ref()?;
                Some(("the line", session.copied(session.selected())?.trim().to_owned()))
            }
            (Mode::Threads, true) => {
                let view = work.debug.threads.as_ref()?;
                Some(("the pane", join((0..view.rows(view.focus)).filter_map(|row| view.line(view.focus, row)))))
            }
            (Mode::Threads, false) => {
                let view = work.debug.threads.as_ref()?;
                Some(("the line", view.line(view.focus, view.cursor(view.focus).at)?.trim().to_owned()))
            }
            (Mode::Goroutines, all) => {
                let lines = work.golang.copied(all);
                let what = if all { "the pane" } else { "the line" };
                Some((what, join(lines.into_iter()))).filter(|(_, text)| !text.is_empty())
            }
            (Mode::Net, true) => {
                let table = work.net.table();
                Some(("the list", join((0..table.order.len()).filter_map(|row| Some(table.row(row)?.join("  "))))))
            }
            (Mode::Net, false) => {
                let table = work.net.table();
                Some(("the line", table.row(table.cursor.at)?.join("  ")))
            }
            _ => None,
        }
    }
}

/// Lines until there are more than can be copied.
fn join(lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str(&line);
        out.push('\n');
        if out.len() > MAX {
            break;
        }
    }
    out
}

fn plain(bytes: &[u8]) -> String {
    sgr::spans(bytes).into_iter().map(|(_, text)| text).collect()
}

fn safe(text: &str) -> String {
    Untrusted::from(text).safe().into_string()
}

//! What is around the panes: where one is, tabs, state, keys.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::target::TargetName;
use crate::tui::app::App;
use crate::tui::app::files;
use crate::tui::app::pods::Source;
use crate::tui::app::workspace::{Connection, Workspace};
use crate::tui::keymap::{self, Action, Mode, Tab};
use crate::tui::widgets::cells;
use crate::tui::words;

/// Where one is.
pub fn crumb(app: &App, buf: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let mut x = area.x + 1;
    x += cells::put(buf, x, area.y, area.width, "scratchdbg", theme.heading) + 2;
    let mut parts = Vec::new();
    match (&app.work, app.source) {
        (None, Source::Cluster) => {
            parts.extend(["pods".to_owned(), app.pods.context(), app.pods.namespace()]);
            parts.extend(app.pods.place.selector.clone());
            if app.pods.running_only {
                parts.push("running".to_owned());
            }
        }
        (None, Source::Engine) => {
            let which = if app.picker.running_only { "running" } else { "all" };
            parts.push(format!("containers ▸ {which}"));
        }
        (Some(work), _) => {
            if !of_engine(work) && app.pods.contexts.is_some() {
                parts.push(app.pods.context());
            }
            let id = work.target.as_ref().and_then(|target| target.container()).and_then(|c| c.id.get(..12));
            let id = id.map_or_else(String::new, |id| format!(" ({id})"));
            parts.push(format!("{}{id}", files::shown(work.title().as_bytes())));
            match work.mode() {
                Mode::Process => parts.extend(work.process.as_ref().map(|view| format!("pid {}", view.pid))),
                Mode::Files => parts.push(files::shown(&work.files.path)),
                Mode::Copy | Mode::Live => parts.extend(work.debug.session.iter().flat_map(|session| session.crumbs())),
                Mode::Viewer => parts.extend(work.viewer.as_ref().map(|viewer| files::shown(&viewer.path))),
                _ => {}
            }
        }
    }
    cells::put_cut(buf, x, area.y, area.right().saturating_sub(x + 1), &parts.join(" ▸ "), theme.text);
}

/// Whether an engine has to do with what is open: with a pod none has.
fn of_engine(work: &Workspace) -> bool {
    !matches!(work.name, TargetName::Pod(_))
}

/// Letters of a title where there is no room for whole ones.
const SHORT: [usize; 2] = [4, 3];

/// What the tabs are labelled with, the chosen one in brackets. Where there is no room, the others are cut.
fn labels(width: u16, chosen: Tab) -> Vec<(Tab, String)> {
    let label = |(tab, number): (Tab, usize), letters: usize| {
        let title = tab.title();
        let cut = title.get(..letters).unwrap_or(title);
        (tab, if tab == chosen { format!("[{number} {title}]") } else { format!(" {number} {cut} ") })
    };
    let all = |letters| Tab::ALL.into_iter().zip(1..).map(|tab| label(tab, letters)).collect::<Vec<_>>();
    let fits = |labels: &Vec<(Tab, String)>| {
        labels.iter().map(|(_, label)| cells::width(label)).sum::<usize>() <= width.into()
    };
    let mut tries = [usize::MAX].into_iter().chain(SHORT).map(all);
    tries.find(fits).unwrap_or_else(|| all(0))
}

/// The tabs.
pub fn tabs(app: &App, buf: &mut Buffer, area: Rect) {
    let Some(work) = &app.work else { return };
    let mut x = area.x;
    for (tab, label) in labels(area.width, work.tab) {
        let style = if tab == work.tab { app.theme.selected } else { app.theme.text };
        x += cells::put(buf, x, area.y, area.right().saturating_sub(x), &label, style);
    }
}

/// The tab at a column of a screen of that width.
#[must_use]
pub fn tab_at(column: u16, width: u16, chosen: Tab) -> Option<Tab> {
    let mut x = 0;
    let mut at_column = labels(width, chosen).into_iter().filter(|(_, label)| {
        x += cells::width(label);
        usize::from(column) < x
    });
    at_column.next().map(|(tab, _)| tab)
}

/// State, a small message, and what is switched on.
pub fn status(app: &App, buf: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let (word, style) = match &app.work {
        Some(work) => {
            let style = match work.connection {
                Connection::Live => theme.good,
                Connection::Opening | Connection::Reconnecting { .. } => theme.warn,
                _ => theme.bad,
            };
            let age = work
                .lost_at
                .map_or_else(String::new, |at| format!(" for {}", words::span(app.clock.uptime.saturating_sub(at))));
            let age = if matches!(work.connection, Connection::Opening) { String::new() } else { age };
            (format!("{}{age}", work.state_word()), style)
        }
        None if app.source.is_cluster() => pods(app),
        None => match (&app.picker.containers, &app.engine) {
            (_, Some((_, attempt))) => (format!("ENGINE LOST, try {}", attempt + 1), theme.bad),
            (None, None) => ("ASKING THE ENGINE".to_owned(), theme.warn),
            (Some(containers), None) => (format!("{}/{} shown", app.picker.order.len(), containers.len()), theme.text),
        },
    };
    let mut x = area.x + 1;
    x += cells::put_cut(buf, x, area.y, area.width / 2, &word, style) + 2;
    let chips = chips(app);
    let mut right = area.right();
    for (text, style) in chips.iter().rev() {
        let width = u16::try_from(cells::width(text)).unwrap_or(u16::MAX).saturating_add(2);
        if right < x.saturating_add(width) {
            break;
        }
        right -= width;
        cells::put(buf, right, area.y, width, &format!(" {text} "), *style);
    }
    if let Some((toast, _)) = &app.toast {
        cells::put_cut(buf, x, area.y, right.saturating_sub(x + 1), toast, theme.warn);
    } else if let Some((failure, _)) = app.engine.as_ref().filter(|_| app.work.as_deref().is_some_and(of_engine)) {
        let text = format!("engine: {}", failure.message);
        cells::put_cut(buf, x, area.y, right.saturating_sub(x + 1), &text, theme.bad);
    } else if let Some(why) = app.work.as_ref().filter(|work| work.lost_at.is_some()).and_then(|work| work.trouble()) {
        cells::put_cut(buf, x, area.y, right.saturating_sub(x + 1), &why, theme.dim);
    }
}

/// How it is with the list of pods.
fn pods(app: &App) -> (String, Style) {
    let (pods, theme) = (&app.pods, &app.theme);
    if pods.trouble().is_some() {
        return ("NOT LISTED".to_owned(), theme.bad);
    }
    let Some(listed) = &pods.listed.shown else {
        return match pods.waits(app.clock.uptime) {
            Some(time) if time.as_secs() > 1 => (format!("ASKING THE CLUSTER for {}", words::span(time)), theme.warn),
            _ => ("ASKING THE CLUSTER".to_owned(), theme.warn),
        };
    };
    let shown = format!("{}/{} shown of {}", pods.order.len(), listed.rows.len(), words::count(listed.pods, "pod"));
    (shown, theme.text)
}

fn chips(app: &App) -> Vec<(String, Style)> {
    let theme = &app.theme;
    let mut chips = Vec::new();
    if let Some(first) = app.pending.first() {
        chips.push((format!("{first} …"), theme.dim));
    }
    if let Some(work) = &app.work {
        if let Some(copied) = work.copying {
            chips.push((format!("copying {}", words::bytes(copied)), theme.warn));
        }
        if work.logs.save.is_some() {
            chips.push(("saving".to_owned(), theme.warn));
        }
        let following = |follow| {
            if follow { ("FOLLOW".to_owned(), theme.good) } else { ("SCROLLED".to_owned(), theme.warn) }
        };
        match work.mode() {
            Mode::Activity => chips.push(following(app.activity.follow)),
            Mode::Logs => {
                chips.push(following(work.logs.follow));
                if work.logs.dropped() > 0 {
                    chips.push((format!("dropped {}", work.logs.dropped()), theme.dim));
                }
            }
            Mode::Viewer if work.viewer.as_ref().is_some_and(|viewer| viewer.follow) => {
                chips.push(("FOLLOW".to_owned(), theme.good));
            }
            _ => {}
        }
        if app.frozen {
            chips.push((format!("FROZEN +{}", app.held + work.logs.held_back()), theme.chip));
        }
    } else if app.frozen {
        chips.push(("FROZEN".to_owned(), theme.chip));
    }
    if app.mouse {
        chips.push(("MOUSE".to_owned(), theme.dim));
    }
    if app.read_only {
        chips.push(("RO".to_owned(), theme.chip));
    }
    chips
}

/// The line being typed; or the most useful keys, as many as fit whole.
pub fn footer(app: &App, buf: &mut Buffer, area: Rect) -> Option<Position> {
    let theme = &app.theme;
    if let Some(prompt) = &app.prompt {
        let label = prompt.label();
        let x = area.x + 1;
        let used = cells::put(buf, x, area.y, area.width.saturating_sub(1), label, theme.key);
        let room = usize::from(area.width.saturating_sub(used + 3));
        let before = cells::width(prompt.text.get(..prompt.cursor).unwrap_or_default());
        let shift = before.saturating_sub(room);
        let text = cells::skip(&prompt.text, shift);
        cells::put(buf, x + used, area.y, area.width.saturating_sub(used + 2), text, theme.text);
        let column = u16::try_from(before - shift).unwrap_or_default();
        return Some(Position::new((x + used + column).min(area.right().saturating_sub(1)), area.y));
    }
    let active = keymap::active(app.mode());
    let wide = |binding: &keymap::Binding| {
        let width = cells::width(keymap::first(binding.keys)) + 1 + cells::width(binding.hint);
        u16::try_from(width).unwrap_or(u16::MAX)
    };
    // The way to all other keys is never left out.
    let help = active.iter().find(|binding| binding.action == Action::Help);
    let mut reserved = help.map_or(0, |help| wide(help) + 2);
    let mut x = area.x + 1;
    for binding in active.iter().filter(|binding| !binding.hint.is_empty()) {
        // What cannot be done now need not be advertised.
        if app.layers.is_empty() && app.enabled(binding.action).is_err() {
            continue;
        }
        let key = keymap::first(binding.keys);
        let width = wide(binding);
        if binding.action == Action::Help {
            reserved = 0;
        } else if x.saturating_add(width).saturating_add(reserved) > area.right() {
            continue;
        }
        x += cells::put(buf, x, area.y, width, key, theme.key) + 1;
        x += cells::put(buf, x, area.y, width, binding.hint, theme.dim) + 2;
    }
    None
}

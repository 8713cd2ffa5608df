//! What can be done before a session: what it costs is known, and nothing is done without a yes.

use super::Depth;
use crate::debuggee;
use crate::inspect::files::human_size;
use crate::tui::app::App;
use crate::tui::app::held::Held;
use crate::tui::app::layer::{Confirm, Layer};
use crate::tui::effect::Effect;
use crate::tui::keymap::Action;
use crate::tui::message::debug::LIMIT;
use crate::tui::words;

impl App {
    /// Asks whether the process may be stopped for a moment.
    pub(super) fn confirm_snapshot(&mut self) {
        let Some(work) = &self.work else { return };
        let Some(prospect) = &work.debug.prospect.shown else { return };
        let (generation, pid) = (work.generation, Some(prospect.process.pid));
        let bytes = prospect.weight.writable.saturating_add(prospect.weight.constant);
        let question = format!("Take a snapshot of {}?", prospect.process);
        let note = format!(
            "It stops for about {:.1} ms and then runs on, whatever happens here. {} are kept in this host's memory \
             until the session ends.",
            prospect.pause.as_secs_f64() * 1e3,
            human_size(bytes.min(prospect.most)),
        );
        self.sessions += 1;
        let yes = Effect::Snapshot { generation, session: self.sessions, pid };
        self.layers.push(Layer::Confirm(Confirm { question, note, verb: "take it", yes }));
    }

    /// Asks whether the process may be stopped for as long as somebody looks.
    pub(super) fn confirm_attach(&mut self) {
        let Some(work) = &self.work else { return };
        let Some(prospect) = &work.debug.prospect.shown else { return };
        let (generation, pid) = (work.generation, Some(prospect.process.pid));
        let breakpoints = work.debug.wanted().to_vec();
        let again = match breakpoints.len() {
            0 => String::new(),
            count => format!(" It sets {} of the last time again.", words::count(count, "breakpoint")),
        };
        let question = format!("Attach Delve to {}?", prospect.process);
        let stops = prospect
            .attaching
            .map_or_else(String::new, |time| format!("for about {} ms at once, and ", time.as_millis()));
        let health = work.target.as_ref().and_then(|target| debuggee::health_words(target, self.clock.wall));
        let health = health.map_or_else(|| "and a health check fails".to_owned(), |words| format!("and {words}"));
        let note = format!(
            "It stops {stops}whenever Delve has it, for {} s at a time at most. Meanwhile it answers nobody, {health}. A guard sees \
             to it that it goes on as before, however this ends.{}{again}",
            LIMIT.as_secs(),
            prospect.risk.map_or_else(String::new, |risk| format!(" But {risk}."))
        );
        self.sessions += 1;
        let yes = Effect::Attach { generation, session: self.sessions, pid, breakpoints };
        self.layers.push(Layer::Confirm(Confirm { question, note, verb: "attach", yes }));
    }

    /// Names a file that has what was stripped from the program, and asks anew what a look would cost.
    pub(super) fn name_debug_file(&mut self, argument: Option<&str>) {
        let Some(work) = &mut self.work else { return };
        work.debug.prospect = Held::default();
        self.effect(Effect::DebugFile { path: argument.map(str::to_owned) });
    }

    /// Takes a breakpoint off those that are to be set, or has it set out of force.
    pub(super) fn change_wanted(&mut self, action: Action) {
        let Some(debug) = self.work.as_mut().map(|work| &mut work.debug) else { return };
        let Some((at, wanted)) = debug.wanted_at_cursor() else { return };
        if action == Action::Toggle {
            wanted.enabled = !wanted.enabled;
        } else if let Some(all) = &mut debug.wanted {
            all.remove(at);
        }
    }

    /// Whether a breakpoint of those to be set is selected.
    pub(in crate::tui::app) fn may_change_wanted(&self) -> Result<(), &'static str> {
        let debug = self.work.as_ref().map(|work| &work.debug);
        let selected = debug.is_some_and(|debug| debug.cursor.at >= Depth::ALL.len());
        if selected { Ok(()) } else { Err("no breakpoint is selected") }
    }

    /// Why no snapshot can be taken now, in a few words; the pane has the whole of it.
    pub(in crate::tui::app) fn may_snapshot(&self, action: Action) -> Result<(), &'static str> {
        let Some(work) = &self.work else { return Err("open a container first") };
        if work.debug.opening.is_some() {
            return Err("one is being taken");
        }
        if !work.live() {
            return Err("the container cannot be reached now");
        }
        match work.debug.ready(self.read_only) {
            Ok(()) if work.debug.wanted.is_none() => Err("what it would cost is not known yet"),
            Ok(()) => Ok(()),
            // Its threads can be looked at.
            Err(_) if !self.read_only && action == Action::Snapshot && work.debug.without_delve().is_some() => Ok(()),
            Err(None) => Err("what it would cost is not known yet"),
            Err(Some(failure)) if failure.message == debuggee::forbidden().message => Err("--read-only forbids it"),
            Err(Some(_)) => Err("it cannot be had: the pane says why"),
        }
    }
}

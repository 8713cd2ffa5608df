//! What can be done now, and why not.

use super::App;
use super::debug::Focus;
use super::pods::Source;
use crate::inspect::files::Kind;
use crate::tui::keymap::{Action, Mode};

const NOT_BUILT: &str = "this scratchdbg was built without Kubernetes";

impl App {
    /// Whether an action works now in the pane; if not, why.
    ///
    /// # Errors
    /// In words.
    pub fn enabled(&self, action: Action) -> Result<(), &'static str> {
        let mode = self.pane();
        let need = |holds: bool, why: &'static str| if holds { Ok(()) } else { Err(why) };
        match action {
            Action::Tab(_) | Action::NextTab | Action::PreviousTab | Action::Pid => {
                need(self.work.is_some(), "open a container first")
            }
            Action::Containers => {
                need(self.work.is_some() || self.source.is_cluster(), "this is the list of containers")
            }
            Action::Pods => need(cfg!(feature = "kube"), NOT_BUILT),
            Action::Context | Action::Namespace | Action::Everywhere => {
                need(cfg!(feature = "kube"), NOT_BUILT)?;
                match &self.pods.contexts {
                    Some(Err(_)) => Err("no cluster can be chosen"),
                    Some(Ok(contexts)) => need(
                        action != Action::Context || !contexts.all.is_empty(),
                        "there is no other cluster to choose",
                    ),
                    None => Ok(()),
                }
            }
            Action::Next | Action::Previous => need(self.searching(), "nothing is searched for"),
            Action::Open | Action::OpenLogs | Action::Go => need(self.has_selection(), "nothing is selected"),
            Action::Yank if mode != Mode::Overview => need(self.has_selection(), "nothing is selected"),
            Action::Sort | Action::Reverse if mode == Mode::Procs => {
                let flat = self.work.as_ref().is_some_and(|work| !work.procs.tree || work.procs.filter.is_some());
                need(flat, "the tree has its own order")
            }
            Action::Reveal => {
                let any =
                    self.work.as_ref().and_then(|work| work.process.as_ref()).is_some_and(|view| view.secrets > 0);
                need(any, "nothing here looks like a secret")
            }
            Action::Save => {
                let Some(work) = &self.work else { return Err("open a container first") };
                need(!work.logs.is_empty(), "there are no lines")?;
                need(work.logs.save.is_none(), "a file is being written")
            }
            Action::Since => {
                let container = self.work.as_ref().and_then(|work| work.target.as_ref()).and_then(|t| t.container());
                need(container.is_some(), "there is no engine that keeps a log")
            }
            Action::Snapshot | Action::DebugLive => self.may_snapshot(action),
            Action::Break | Action::Toggle if mode == Mode::Depths => self.may_change_wanted(),
            Action::Continue
            | Action::StepOver
            | Action::StepIn
            | Action::StepOut
            | Action::RunTo
            | Action::Halt
            | Action::Break
            | Action::Trace
            | Action::Toggle
            | Action::HitCondition
            | Action::Set
            | Action::Condition => self.may_run(action),
            Action::Unpin => {
                let session = self.work.as_ref().and_then(|work| work.debug.session.as_deref());
                let on = session
                    .is_some_and(|session| session.focus == Focus::Variables && session.variables.on_expression());
                need(on, "no expression is selected")
            }
            Action::Print | Action::Pin => {
                let session = self.work.as_ref().and_then(|work| work.debug.session.as_deref());
                need(session.is_some_and(|session| session.ended.is_none()), "the debugger has ended")
            }
            Action::Copy => {
                let Some(work) = &self.work else { return Err("open a container first") };
                need(work.copying.is_none(), "a file is being copied")?;
                need(work.live(), "the container cannot be reached now")?;
                if mode == Mode::Files {
                    let kind = work.files.selected().map(|entry| entry.kind);
                    need(matches!(kind, Some(Kind::File | Kind::Symlink)), "only files can be copied out here")?;
                }
                Ok(())
            }
            Action::Follow if mode == Mode::Viewer => {
                need(self.work.as_ref().is_some_and(|work| work.live()), "the container cannot be reached now")
            }
            Action::Parent => {
                let root = self.work.as_ref().is_none_or(|work| work.files.path == b"/");
                need(!root, "this is the root directory")
            }
            _ => Ok(()),
        }
    }

    fn searching(&self) -> bool {
        let Some(work) = &self.work else { return false };
        match work.mode() {
            Mode::Process => work.process.as_ref().is_some_and(|view| view.search.is_some()),
            Mode::Logs => work.logs.search.is_some(),
            Mode::Viewer => work.viewer.as_ref().is_some_and(|viewer| viewer.matches.is_some()),
            Mode::Copy | Mode::Live => work.debug.session.as_ref().is_some_and(|session| session.searches()),
            _ => false,
        }
    }

    fn has_selection(&self) -> bool {
        let Some(work) = &self.work else {
            return match self.source {
                Source::Engine => self.picker.selected().is_some(),
                Source::Cluster => self.pods.selected().is_some(),
            };
        };
        match work.mode() {
            Mode::Procs => work.processes.shown.as_ref().and_then(|data| work.procs.selected(data)).is_some(),
            Mode::Process => work.process.as_ref().is_some_and(|view| !view.lines.is_empty()),
            Mode::Logs => !work.logs.is_empty(),
            Mode::Files => work.files.selected().is_some(),
            Mode::Net => !work.net.table().order.is_empty(),
            Mode::Goroutines => !work.golang.rows.is_empty(),
            Mode::Activity => !self.activity.order.is_empty(),
            Mode::Copy | Mode::Live => work.debug.session.as_ref().is_some_and(|session| session.rows() > 0),
            Mode::Threads => work.debug.threads.as_ref().is_some_and(|view| view.rows(view.focus) > 0),
            _ => true,
        }
    }
}

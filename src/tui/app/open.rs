//! Opening and leaving containers.

use super::workspace::{Connection, Manner, Workspace};
use super::{App, Layer};
use crate::target::TargetName;
use crate::tui::effect::Effect;

impl App {
    /// Opens a target in place of what is open.
    pub(super) fn open(&mut self, name: TargetName) {
        self.open_so(name, Manner::Enter);
    }

    /// The same, entered or not.
    pub(super) fn open_so(&mut self, name: TargetName, manner: Manner) {
        self.end_debug();
        self.generation += 1;
        let generation = self.generation;
        self.work = Some(Box::new(Workspace { manner, ..Workspace::new(name.clone(), generation) }));
        self.layers.clear();
        self.set_frozen(false);
        self.effect(opening(generation, name, manner));
    }

    /// Enters the same target again. What is on the screen stays.
    pub(super) fn reopen(&mut self) {
        self.generation += 1;
        let generation = self.generation;
        let Some(work) = &mut self.work else { return };
        work.forget_requests();
        work.generation = generation;
        work.opening = true;
        let trouble = work.trouble().unwrap_or_else(|| "asked for".to_owned());
        work.connection = match &work.connection {
            Connection::Opening | Connection::Outside => Connection::Opening,
            Connection::Lost { reason, attempt } | Connection::Reconnecting { reason, attempt } => {
                Connection::Reconnecting { reason: reason.clone(), attempt: attempt + 1 }
            }
            Connection::Down => Connection::Down,
            Connection::Live | Connection::Refused(_) => Connection::Reconnecting { reason: trouble, attempt: 1 },
        };
        let effect = opening(generation, work.name.clone(), work.manner);
        self.effect(effect);
    }

    /// Back to the list of containers.
    pub(super) fn leave(&mut self) {
        self.end_debug();
        if self.work.take().is_some() {
            self.effect(Effect::Close);
        }
        self.direct = false;
        self.set_frozen(false);
    }

    /// Ends the session with the debugger, also one that is being opened.
    fn end_debug(&mut self) {
        let Some(work) = &mut self.work else { return };
        let open = work.debug.session.take().map(|session| session.number);
        let opening = work.debug.opening.take().map(|(session, _)| session);
        self.effects.extend(open.into_iter().chain(opening).map(|session| Effect::EndDebug { session }));
    }

    /// One level back; at the first screen it is over.
    pub(super) fn back(&mut self) {
        let Some(work) = &mut self.work else {
            self.quit();
            return;
        };
        if work.up() {
            return;
        }
        if self.direct { self.quit() } else { self.leave() }
    }

    pub(super) fn quit(&mut self) {
        self.quit = true;
        self.effect(Effect::Quit);
    }

    /// Takes away one layer: what lies on top, then search and filter, then the view. Never quits.
    pub(super) fn peel(&mut self) {
        if let Some(layer) = self.layers.pop() {
            match layer {
                Layer::Help(mut help) => {
                    if help.filter.take().is_some() {
                        self.layers.push(Layer::Help(help));
                    }
                }
                Layer::Choose(mut choose) => {
                    if choose.filter.take().is_some() {
                        self.layers.push(Layer::Choose(choose));
                    }
                }
                Layer::Message(_) | Layer::Confirm(_) | Layer::Line(_) => {}
            }
            return;
        }
        if self.clear_pattern() {
            return;
        }
        if self.frozen {
            self.set_frozen(false);
            return;
        }
        let Some(work) = &mut self.work else { return };
        if !work.up() {
            self.leave();
        }
    }

    /// Takes away the search or the filter of the pane, the search first.
    fn clear_pattern(&mut self) -> bool {
        let Some(work) = &mut self.work else {
            let had = self.list_filter().is_some();
            self.filter_list(None);
            return had;
        };
        use crate::tui::keymap::Mode;
        match work.mode() {
            Mode::Procs => {
                let had = work.procs.filter.take().is_some();
                work.arrange_procs();
                had
            }
            Mode::Process => work.process.as_mut().is_some_and(|view| view.search.take().is_some()),
            Mode::Logs if work.logs.search.is_some() => {
                work.logs.set_search(None);
                true
            }
            Mode::Logs if work.logs.filter.is_some() => {
                let more = work.logs.set_filter(None);
                self.scan_more(more);
                true
            }
            Mode::Files => {
                let had = work.files.filter.take().is_some();
                work.files.arrange();
                had
            }
            Mode::Viewer => work.viewer.as_mut().is_some_and(|viewer| viewer.matches.take().is_some()),
            Mode::Net => {
                let table = work.net.table_mut();
                let had = table.filter.take().is_some();
                table.arrange();
                had
            }
            Mode::Copy | Mode::Live => work.debug.session.as_mut().is_some_and(|session| {
                let had = session.pattern().is_some();
                session.find(None);
                had
            }),
            Mode::Goroutines => {
                let had = work.golang.filter.take().is_some();
                work.golang.arrange();
                had
            }
            Mode::Activity => {
                let had = self.activity.filter.is_some();
                self.activity.set_filter(None);
                had
            }
            _ => false,
        }
    }
}

/// How a target is opened.
fn opening(generation: u64, name: TargetName, manner: Manner) -> Effect {
    match manner {
        Manner::Enter => Effect::Open { generation, name },
        Manner::Ask => Effect::Approach { generation, name, log: false },
        Manner::Log => Effect::Approach { generation, name, log: true },
    }
}

impl Workspace {
    /// Leaves one process, one file or one place of goroutines. False if there is no such level.
    fn up(&mut self) -> bool {
        match self.mode() {
            crate::tui::keymap::Mode::Process => self.process = None,
            crate::tui::keymap::Mode::Viewer => self.viewer = None,
            crate::tui::keymap::Mode::Goroutines => return self.golang.up(),
            _ => return false,
        }
        true
    }

    /// Filters and sorts the processes anew.
    pub(super) fn arrange_procs(&mut self) {
        if let Some(data) = &self.processes.shown {
            let selected = self.procs.selected(data).map(|process| process.pid);
            self.procs.arrange(selected, data);
        }
    }
}

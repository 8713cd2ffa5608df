//! What is read again and again while a view is on the screen.

use std::time::Duration;

use super::App;
use super::logs::Flow;
use crate::tui::effect::Effect;
use crate::tui::keymap::Tab;
use crate::tui::message::{Place, Request};

const PROCESSES: Duration = Duration::from_secs(2);
const DETAIL: Duration = Duration::from_secs(5);
const INIT: Duration = Duration::from_secs(10);
const NETWORK: Duration = Duration::from_secs(3);
const PROSPECT: Duration = Duration::from_secs(30);
const GROWING: Duration = Duration::from_secs(1);
/// Asked for once.
const ONCE: Duration = Duration::MAX;

impl App {
    pub(super) fn poll(&mut self) {
        let now = self.clock.uptime;
        let Some(work) = &mut self.work else {
            // What is held still is not read anew.
            if self.source.is_cluster()
                && !self.frozen
                && let Some((number, place)) = self.pods.due(now)
            {
                self.effect(Effect::Pods { number, place });
            }
            return;
        };
        let generation = work.generation;
        let mut requests = Vec::new();
        // The log is the engine's: it can be read of a container that does not run, too.
        if work.tab == Tab::Logs
            && work.logs.flow == Flow::Idle
            && work.target.as_ref().is_some_and(|target| target.container().is_some())
        {
            let since = work.logs.since;
            self.start_log(since);
            return;
        }
        // What was copied of a process can be looked at when the process is gone.
        if work.shows_session() {
            self.poll_session();
            return;
        }
        if !work.live() {
            return;
        }
        let init = work.session.as_ref().map(|session| session.init);
        match work.tab {
            Tab::Overview => {
                if work.processes.due(now, PROCESSES) {
                    requests.push(Request::Processes);
                }
                if let Some(init) = init.filter(|_| work.init.due(now, INIT)) {
                    requests.push(Request::Init(init));
                }
                if work.program.due(now, ONCE) {
                    requests.push(Request::Program);
                }
                // It reads more than all others: what is looked for first is there by then.
                if work.program.shown.is_some() && work.check.due(now, ONCE) {
                    requests.push(Request::Check);
                }
            }
            Tab::Procs => match &mut work.process {
                Some(view) => {
                    if view.detail.due(now, DETAIL) {
                        requests.push(Request::Detail(view.pid));
                    }
                }
                None => {
                    if work.processes.due(now, PROCESSES) {
                        requests.push(Request::Processes);
                    }
                }
            },
            Tab::Logs | Tab::Activity => {}
            Tab::Files => match &mut work.viewer {
                Some(viewer) => {
                    if viewer.follow && viewer.window.due(now, GROWING) {
                        requests.push(Request::View { path: viewer.path.clone(), from: Place::End });
                    }
                }
                None => {
                    if work.files.wanted.is_none()
                        && work.files.entries.shown.is_none()
                        && work.files.entries.due(now, ONCE)
                    {
                        requests.push(Request::List(work.files.path.clone()));
                    }
                }
            },
            Tab::Debug => {
                if work.debug.opening.is_none() && work.debug.prospect.due(now, PROSPECT) {
                    let pid = work.debug.pid;
                    self.effect(Effect::Weigh { generation, pid });
                    return;
                }
            }
            Tab::Go => {
                let every = work.golang.every();
                if work.golang.data.due(now, every) {
                    requests.push(Request::Goroutines(work.golang.pid));
                }
            }
            Tab::Net => {
                if work.net.data.due(now, NETWORK) {
                    requests.push(Request::Network);
                }
            }
        }
        self.effects.extend(requests.into_iter().map(|request| Effect::Read { generation, request }));
    }
}

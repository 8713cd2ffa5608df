//! What comes in from outside.

use super::logs::Flow;
use super::picker::alive;
use super::procs::Processes;
use super::workspace::{self, Connection, Workspace};
use super::{App, layer};
use crate::engine::{Container, Summary};
use crate::exit::{Exit, Failure};
use crate::logs::Line;
use crate::tui::effect::{Effect, Since};
use crate::tui::keymap::Tab;
use crate::tui::message::{Answer, Clock, Job, Log, Msg, Opened, Request, SaveError, Timer};
use crate::tui::words;

impl App {
    pub(super) fn receive(&mut self, msg: Msg) {
        if let Msg::Tick(clock) = msg {
            self.tick(clock);
            return;
        }
        let visible = match &msg {
            Msg::Log { .. } | Msg::Continue(Job::Scan) => self.work.as_ref().is_some_and(|work| work.tab == Tab::Logs),
            Msg::Activity(_) => self.work.as_ref().is_some_and(|work| work.tab == Tab::Activity),
            Msg::Prospect { .. } => self.work.as_ref().is_some_and(|work| work.tab == Tab::Debug),
            Msg::Timer(_) | Msg::Continue(Job::Save) => false,
            _ => true,
        };
        self.dirty |= visible;
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Mouse(mouse) => self.mouse(mouse),
            Msg::Resize(width, height) => {
                self.size = (width, height);
                // Sizes in between may have cut what was drawn, even if the last one is the one before them.
                self.effect(Effect::Redraw);
            }
            Msg::Tick(_) | Msg::Yanked(Ok(())) => {}
            Msg::Containers(result) => self.containers(result),
            Msg::Contexts(result) => self.contexts(result),
            Msg::Pods { number, result } => self.pods.arrive(number, result, self.clock.uptime),
            Msg::Namespaces { number, result } => self.namespaces(number, result),
            Msg::Approached { generation, target, why } => self.approached(generation, *target, why),
            Msg::Opened { generation, result } => self.opened(generation, result),
            Msg::Inspected { generation, target } => {
                if let Some(work) = self.current(generation) {
                    let runs = target.container().is_some_and(|container| alive(container.state));
                    work.target = Some(*target);
                    let down = work.connection == Connection::Down && !work.opening;
                    // Its log is the engine's, and goes on even where it cannot be entered.
                    if runs && work.logs.flow == Flow::Ended {
                        self.resume_log();
                    }
                    if runs && down {
                        self.reopen();
                    }
                    self.health_told();
                }
            }
            Msg::Lost { generation, reason } => {
                if self.current(generation).is_some() {
                    self.lost(&reason, 0);
                }
            }
            Msg::Activity(record) => {
                if !self.activity.arrive(record, self.clock.uptime, self.frozen) {
                    self.held += 1;
                }
            }
            Msg::Reading { generation, request, result } => self.reading(generation, request, result),
            Msg::Prospect { generation, result } => self.prospect(generation, result),
            Msg::Debug { session, told } => self.debug_told(session, told),
            Msg::Log { stream, what } => self.log(stream, what),
            Msg::Timer(timer) => self.timer(timer),
            Msg::Continue(Job::Scan) => {
                let more = self.work.as_mut().is_some_and(|work| {
                    work.logs.scanning = false;
                    work.logs.scan()
                });
                self.scan_more(more);
            }
            Msg::Continue(Job::Save) => self.save_more(),
            Msg::SaveOpened(result) => self.save_opened(result),
            Msg::Saved(Ok(bytes)) => self.say(format!("saved {}", words::bytes(bytes))),
            Msg::Saved(Err(failure)) => {
                if let Some(work) = &mut self.work {
                    work.logs.save = None;
                }
                self.fail("Save", failure);
            }
            Msg::Copying(bytes) => {
                if let Some(work) = &mut self.work {
                    work.copying = Some(bytes);
                }
            }
            Msg::CopiedOut(result) => self.copied_out(result),
            Msg::Yanked(Err(failure)) => self.fail("Copy to the clipboard", failure),
        }
    }

    fn tick(&mut self, clock: Clock) {
        self.clock = clock;
        if self.toast.as_ref().is_some_and(|(_, until)| *until <= clock.uptime) {
            self.toast = None;
            self.dirty = true;
        }
        // Ages of old data are on the screen.
        self.dirty |= match &self.work {
            Some(work) => work.lost_at.is_some() || work.shows_session(),
            None => self.source.is_cluster(),
        };
    }

    /// The open container, if an answer is for it.
    fn current(&mut self, generation: u64) -> Option<&mut Workspace> {
        self.work.as_deref_mut().filter(|work| work.generation == generation)
    }

    fn containers(&mut self, result: Result<Vec<Summary>, Failure>) {
        match result {
            Ok(containers) => {
                if self.engine.take().is_some() {
                    self.say("the engine answers again");
                }
                self.compare(&containers);
                self.picker.set(containers);
            }
            Err(failure) => {
                let attempt = self.engine.as_ref().map_or(0, |(_, attempt)| attempt + 1);
                self.effect(Effect::After(workspace::pause(attempt), Timer::Engine));
                // Then there may be a cluster all the same.
                if self.work.is_none() && self.pods.contexts.is_none() {
                    self.effect(Effect::Contexts);
                }
                self.engine = Some((failure, attempt));
            }
        }
    }

    /// Looks whether the open container changed in the engine's eyes.
    fn compare(&mut self, containers: &[Summary]) {
        let Some(work) = self.work.as_deref() else { return };
        let generation = work.generation;
        let Some(before) = work.target.as_ref().and_then(|target| target.container()) else { return };
        let now = containers.iter().find(|now| now.id == before.id || now.name == before.name);
        match (now, &work.connection) {
            (Some(now), Connection::Down | Connection::Lost { .. }) if alive(now.state) && !work.opening => {
                self.reopen();
            }
            (Some(now), _) if now.id == before.id && (now.state != before.state || sickens(now, before)) => {
                self.effect(Effect::Inspect { generation });
            }
            (None, Connection::Live) => self.effect(Effect::Inspect { generation }),
            _ => {}
        }
    }

    fn opened(&mut self, generation: u64, result: Result<Box<Opened>, Failure>) {
        let now = self.clock.uptime;
        let Some(work) = self.current(generation) else { return };
        let first = work.target.is_none();
        let attempt = match work.connection {
            Connection::Reconnecting { attempt, .. } => attempt,
            _ => 0,
        };
        work.forget_requests();
        work.opening = false;
        match result {
            Ok(opened) => {
                let opened = *opened;
                let runs = opened.target.container().is_none_or(|container| alive(container.state));
                work.target = Some(opened.target);
                match opened.session {
                    Ok(session) => {
                        let again = work.session.is_some();
                        work.session = Some(session);
                        work.connection = Connection::Live;
                        work.lost_at = None;
                        work.golang.renewed();
                        if again {
                            self.say("connected again");
                        }
                        self.resume_log();
                    }
                    Err(_) if !runs => self.down(),
                    Err(failure) if lasting(&failure) => {
                        work.connection = Connection::Refused(failure.clone());
                        work.lost_at.get_or_insert(now);
                        if first {
                            self.fail("Enter the container", failure);
                        }
                    }
                    Err(failure) => self.lost(&failure.message, attempt),
                }
            }
            // A container that is removed and made anew has the same name again: it is waited for.
            Err(failure) if first && lasting(&failure) => {
                work.connection = Connection::Refused(failure.clone());
                work.lost_at.get_or_insert(now);
                if self.direct {
                    // It was named on the command line: that is where the error belongs.
                    self.fatal = Some(failure);
                    self.quit();
                } else {
                    self.fail("Open", failure);
                }
            }
            Err(failure) => self.lost(&failure.message, attempt),
        }
    }

    pub(super) fn down(&mut self) {
        let now = self.clock.uptime;
        let Some(work) = &mut self.work else { return };
        work.connection = Connection::Down;
        work.lost_at.get_or_insert(now);
        let generation = work.generation;
        // It may have started again while it was found ended, and what the engine told of that went by.
        self.effect(Effect::Inspect { generation });
        // The engine tells when it starts; this is for engines that do not answer.
        self.effect(Effect::After(workspace::pause(u32::MAX), Timer::Reopen(generation)));
    }

    pub(super) fn lost(&mut self, reason: &str, attempt: u32) {
        let now = self.clock.uptime;
        let Some(work) = &mut self.work else { return };
        work.forget_requests();
        work.connection = Connection::Lost { reason: reason.to_owned(), attempt };
        work.lost_at.get_or_insert(now);
        let timer = Timer::Reopen(work.generation);
        self.effect(Effect::After(workspace::pause(attempt), timer));
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Engine => {
                if self.engine.is_some() {
                    self.effect(Effect::Watch);
                }
            }
            Timer::Reopen(generation) => {
                let waits = self.current(generation).is_some_and(|work| {
                    !work.opening && matches!(work.connection, Connection::Lost { .. } | Connection::Down)
                });
                if waits {
                    self.reopen();
                }
            }
            Timer::Log(stream) => {
                let broken = self.work.as_ref().is_some_and(|work| {
                    work.logs.stream == stream && matches!(work.logs.flow, Flow::Broken(_)) && work.live()
                });
                if broken {
                    self.resume_log();
                }
            }
        }
    }

    fn reading(&mut self, generation: u64, request: Request, result: Result<Answer, Failure>) {
        let (now, frozen) = (self.clock.uptime, self.frozen);
        let page = self.page().1;
        let Some(work) = self.current(generation) else { return };
        let shown = match (request, result) {
            (Request::Processes, Ok(Answer::Processes(list, at))) => {
                let selected = work.processes.shown.as_ref().and_then(|data| work.procs.selected(data)).map(|p| p.pid);
                let recent = work.rates.take(&list, at);
                let shown = work.processes.arrive(Ok(Processes { list, recent }), now, frozen);
                if let Some(data) = work.processes.shown.as_ref().filter(|_| shown) {
                    work.procs.arrange(selected, data);
                }
                shown
            }
            (Request::Processes, Err(failure)) => work.processes.arrive(Err(failure), now, frozen),
            (Request::Init(_), Ok(Answer::Detail(detail))) => work.init.arrive(Ok(detail), now, frozen),
            (Request::Init(_), Err(failure)) => work.init.arrive(Err(failure), now, frozen),
            (Request::Program, Ok(Answer::Program(program))) => work.program.arrive(Ok(program), now, frozen),
            (Request::Program, Err(failure)) => work.program.arrive(Err(failure), now, frozen),
            (Request::Check, Ok(Answer::Check(checked))) => work.check.arrive(Ok(checked), now, frozen),
            (Request::Check, Err(failure)) => work.check.arrive(Err(failure), now, frozen),
            (Request::Detail(pid), result) => {
                let Some(view) = work.process.as_mut().filter(|view| view.pid == pid) else { return };
                let shown = match result {
                    Ok(Answer::Detail(detail)) => view.detail.arrive(Ok(detail), now, frozen),
                    Ok(_) => return,
                    Err(failure) => view.detail.arrive(Err(failure), now, frozen),
                };
                if shown {
                    view.arrange();
                }
                shown
            }
            (Request::Network, Ok(Answer::Network(network))) => {
                let shown = work.net.data.arrive(Ok(network), now, frozen);
                if shown {
                    work.net.arrange();
                }
                shown
            }
            (Request::Network, Err(failure)) => work.net.data.arrive(Err(failure), now, frozen),
            // What was asked of another process is not looked at any more.
            (Request::Goroutines(pid), _) if pid != work.golang.pid => return,
            (Request::Goroutines(_), Ok(Answer::Goroutines(data))) => {
                let shown = work.golang.data.arrive(Ok(data), now, frozen);
                if shown {
                    work.golang.arrived();
                }
                shown
            }
            (Request::Goroutines(_), Err(failure)) => work.golang.data.arrive(Err(failure), now, frozen),
            (Request::List(path) | Request::Open(path), result) => return self.listed(path, result),
            (Request::View { path, .. }, result) => {
                let Some(viewer) = work.viewer.as_mut().filter(|viewer| viewer.path == path) else { return };
                match result {
                    Ok(Answer::Window(window)) => {
                        viewer.window.done();
                        viewer.window.at = Some(now);
                        viewer.window.error = None;
                        viewer.arrive(window, page);
                    }
                    Ok(_) => {}
                    Err(failure) => {
                        viewer.window.arrive(Err(failure), now, frozen);
                    }
                }
                true
            }
            _ => true,
        };
        if !shown {
            self.held += 1;
        }
    }

    fn listed(&mut self, path: Vec<u8>, result: Result<Answer, Failure>) {
        let now = self.clock.uptime;
        let page = self.page().1;
        let Some(work) = &mut self.work else { return };
        if work.files.wanted.as_ref().is_some_and(|wanted| *wanted != path) {
            return;
        }
        work.files.wanted = None;
        work.files.entries.done();
        match result {
            Ok(Answer::Files(listing)) => {
                work.files.entries.at = Some(now);
                work.files.arrive(path, listing);
            }
            Ok(Answer::Window(window)) => {
                let mut viewer = super::viewer::Viewer::new(path);
                viewer.window.at = Some(now);
                viewer.arrive(window, page);
                work.viewer = Some(viewer);
            }
            Ok(_) => {}
            Err(failure) if path == work.files.path => work.files.entries.error = Some(failure),
            Err(failure) => self.fail(format!("Open {}", super::files::shown(&path)), failure),
        }
    }

    fn log(&mut self, stream: u64, what: Log) {
        let Some(work) = self.work.as_deref_mut().filter(|work| work.logs.stream == stream) else { return };
        match what {
            Log::Lines(lines) => {
                let lines = fresh(lines, work.logs.resumed_after);
                let more = work.logs.push(lines);
                self.scan_more(more);
            }
            Log::Ended(Ok(())) => work.logs.flow = Flow::Ended,
            Log::Ended(Err(failure)) => {
                work.logs.flow = Flow::Broken(failure);
                self.effect(Effect::After(workspace::pause(2), Timer::Log(stream)));
            }
        }
    }

    /// Goes on with the log after it broke off.
    fn resume_log(&mut self) {
        let Some(work) = &self.work else { return };
        if matches!(work.logs.flow, Flow::Ended | Flow::Broken(_)) {
            let since = work.logs.newest.map_or(work.logs.since, Since::After);
            self.start_log(since);
        }
    }

    /// Asks for the log. What is there stays.
    pub(super) fn start_log(&mut self, since: Since) {
        self.streams += 1;
        let stream = self.streams;
        let Some(work) = &mut self.work else { return };
        work.logs.stream = stream;
        work.logs.flow = Flow::Open;
        work.logs.resumed_after = match since {
            Since::After(time) => Some(time),
            _ => None,
        };
        self.effect(Effect::Logs { stream, since });
    }

    pub(super) fn scan_more(&mut self, more: bool) {
        if let Some(work) = &mut self.work
            && more
            && !work.logs.scanning
        {
            work.logs.scanning = true;
            self.effect(Effect::Continue(Job::Scan));
        }
    }

    fn save_opened(&mut self, result: Result<(), SaveError>) {
        let Some(work) = &mut self.work else { return };
        let Some(save) = &work.logs.save else {
            self.effect(Effect::SaveClose);
            return;
        };
        match result {
            Ok(()) => self.save_more(),
            Err(SaveError::Exists) => {
                let path = save.path.clone();
                let yes = Effect::SaveOpen { path: path.clone(), overwrite: true };
                self.replace(&path, yes);
            }
            Err(SaveError::Failed(failure)) => {
                work.logs.save = None;
                self.fail("Save the log", failure);
            }
        }
    }

    fn save_more(&mut self) {
        let Some(work) = &mut self.work else { return };
        if work.logs.save.is_none() {
            return;
        }
        match work.logs.save_chunk() {
            Some(chunk) => {
                if !chunk.is_empty() {
                    self.effect(Effect::SaveChunk(chunk));
                }
                self.effect(Effect::Continue(Job::Save));
            }
            None => self.effect(Effect::SaveClose),
        }
    }

    fn copied_out(&mut self, result: Result<u64, SaveError>) {
        let asked = self.work.as_mut().and_then(|work| {
            work.copying = None;
            work.copy_asked.take()
        });
        match (result, asked) {
            (Ok(bytes), Some((_, to))) => {
                self.say(format!("copied {} to {}", words::bytes(bytes), super::files::shown(to.as_bytes())));
            }
            (Ok(bytes), None) => self.say(format!("copied {}", words::bytes(bytes))),
            (Err(SaveError::Exists), Some((from, to))) => {
                let Some(work) = &mut self.work else { return };
                work.copy_asked = Some((from.clone(), to.clone()));
                let yes = Effect::CopyOut { generation: work.generation, from, to: to.clone(), overwrite: true };
                self.replace(&to, yes);
            }
            (Err(SaveError::Exists), None) => {}
            (Err(SaveError::Failed(failure)), _) => self.fail("Copy out", failure),
        }
    }

    fn replace(&mut self, path: &str, yes: Effect) {
        self.layers.push(super::Layer::Confirm(layer::Confirm {
            question: format!("Replace {} on this host?", super::files::shown(path.as_bytes())),
            note: "There is a file of that name. Its contents will be lost.".to_owned(),
            verb: "replace it",
            yes,
        }));
    }
}

/// Whether trying again will not help.
fn lasting(failure: &Failure) -> bool {
    matches!(failure.exit, Exit::NotPermitted | Exit::Usage | Exit::NoTarget | Exit::No)
}

/// A stream that goes on may begin with lines that were there already.
fn fresh(lines: Vec<Line>, after: Option<std::time::SystemTime>) -> Vec<Line> {
    let Some(after) = after else { return lines };
    lines.into_iter().filter(|line| line.time.is_none_or(|time| time > after)).collect()
}

/// Whether a container's health has turned since, in the engine's words (`Up 2 hours (unhealthy)`).
fn sickens(now: &Summary, before: &Container) -> bool {
    let was = before.health.as_deref() == Some("unhealthy");
    now.status.contains(if was { "(healthy)" } else { "(unhealthy)" })
}

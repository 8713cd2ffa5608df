//! Doing what a key or a command says.

use super::layer::{Confirm, Help, Layer, LongLine};
use super::process::ProcessView;
use super::prompt::Purpose;
use super::workspace::{Connection, Manner};
use super::{App, files};
use crate::inspect::files::Kind;
use crate::target::{ContainerPid, TargetName};
use crate::tui::effect::{Effect, Since};
use crate::tui::keymap::{Action, Mode, Tab};
use crate::tui::message::{Place, Request};
use crate::tui::theme::Theme;

impl App {
    /// Does an action; `argument` is what followed its name on the `:` line.
    pub(super) fn act(&mut self, action: Action, argument: Option<&str>) {
        if self.prompt.is_some() && !matches!(action, Action::Quit | Action::Suspend | Action::Redraw) {
            self.edit(action);
            return;
        }
        if self.layers.is_empty()
            && let Err(why) = self.enabled(action)
        {
            self.say(why);
            return;
        }
        if self.go(action) {
            return;
        }
        if let (Some(Layer::Choose(_)), Action::Open | Action::Command) = (self.layers.last(), action) {
            if action == Action::Open {
                self.take_choice();
            } else {
                self.type_choice();
            }
            return;
        }
        match action {
            // What a debugger does with it everywhere.
            Action::Quit if self.halts() => self.choose_debug(Action::Halt, None),
            Action::Quit => self.quit(),
            Action::Suspend => self.effect(Effect::Suspend),
            Action::Redraw => self.effect(Effect::Redraw),
            Action::Help => self.help(),
            Action::Command => self.ask(Purpose::Command, String::new()),
            Action::Search => self.search(argument),
            Action::Peel => self.peel(),
            Action::Back => self.back(),
            Action::Close => self.close(),
            Action::Yes => self.yes(),
            Action::No => self.no(),
            Action::Tab(tab) => self.tab(tab, argument),
            Action::NextTab => self.step_tab(1),
            Action::PreviousTab => self.step_tab(-1),
            Action::NextPane => self.pane_step(true),
            Action::PreviousPane => self.pane_step(false),
            Action::Freeze => self.set_frozen(!self.frozen),
            Action::Yank => self.yank(false),
            Action::YankAll => self.yank(true),
            Action::Refresh => self.refresh(),
            Action::Mouse => {
                self.mouse = !self.mouse;
                self.say(if self.mouse { "mouse on" } else { "mouse off: the terminal selects text" });
                self.effect(Effect::Mouse(self.mouse));
            }
            Action::Theme => match argument.unwrap_or_default().parse() {
                Ok(choice) => self.theme = Theme::new(choice),
                Err(why) => self.say(why),
            },
            Action::Attach => match argument.unwrap_or_default().parse::<TargetName>() {
                Ok(name) => self.open(name),
                Err(error) => self.say(error.to_string()),
            },
            Action::Containers => self.show_containers(),
            Action::Pods | Action::Context | Action::Namespace | Action::Everywhere => {
                self.go_to_cluster(action, argument);
            }
            Action::Pid => match argument.and_then(|number| number.parse().ok()) {
                Some(pid) => self.show_process(ContainerPid(pid)),
                None => self.say("pid needs a number"),
            },
            Action::Open | Action::OpenLogs | Action::Go => self.open_selected(action),
            _ => self.choose(action, argument),
        }
    }

    /// Choices of a pane.
    fn choose(&mut self, action: Action, argument: Option<&str>) {
        let (_, page) = self.page();
        let Some(work) = &mut self.work else {
            if self.source.is_cluster() {
                self.pods.choose(action);
                return;
            }
            match action {
                Action::All => self.picker.running_only = !self.picker.running_only,
                Action::Sort => self.picker.sort = self.picker.sort.next(),
                Action::Reverse => self.picker.reverse = !self.picker.reverse,
                _ => {}
            }
            self.picker.arrange();
            return;
        };
        match (work.mode(), action) {
            (Mode::Procs, _) => {
                match action {
                    Action::Tree => work.procs.tree = !work.procs.tree,
                    Action::Sort => work.procs.sort = work.procs.sort.next(),
                    Action::Reverse => work.procs.reverse = !work.procs.reverse,
                    _ => {}
                }
                work.arrange_procs();
            }
            (Mode::Process, _) => {
                let Some(view) = &mut work.process else { return };
                match action {
                    Action::Next => view.step(true),
                    Action::Previous => view.step(false),
                    Action::Reveal => {
                        view.reveal = !view.reveal;
                        view.arrange();
                    }
                    _ => {}
                }
            }
            (Mode::Logs, _) => self.choose_logs(action, argument),
            (Mode::Depths | Mode::Copy | Mode::Live | Mode::Threads, _) => self.choose_debug(action, argument),
            (Mode::Files, Action::Parent) => self.parent(),
            (Mode::Files | Mode::Viewer, Action::Copy) => self.copy_out(argument),
            (Mode::Files, _) => {
                match action {
                    Action::Hidden => work.files.hidden = !work.files.hidden,
                    Action::Sort => work.files.sort = work.files.sort.next(),
                    Action::Reverse => work.files.reverse = !work.files.reverse,
                    _ => {}
                }
                work.files.arrange();
            }
            (Mode::Viewer, Action::Offset) => self.offset(argument),
            (Mode::Viewer, _) => {
                let Some(viewer) = &mut work.viewer else { return };
                match action {
                    Action::Next => viewer.step(true, page),
                    Action::Previous => viewer.step(false, page),
                    Action::Hex => viewer.toggle_hex(page),
                    Action::Follow => {
                        viewer.follow = !viewer.follow;
                        viewer.window.hurry();
                    }
                    _ => {}
                }
            }
            (Mode::Activity, Action::Follow) => {
                self.activity.follow = !self.activity.follow;
                self.activity.thaw();
            }
            (Mode::Goroutines, _) => work.golang.choose(action),
            (Mode::Net, _) => {
                let columns = work.net.section.columns().len();
                let table = work.net.table_mut();
                match action {
                    Action::Sort => {
                        table.sort = match table.sort {
                            None => Some(0),
                            Some(at) if at + 1 < columns => Some(at + 1),
                            Some(_) => None,
                        };
                    }
                    Action::Reverse => table.reverse = !table.reverse,
                    _ => {}
                }
                table.arrange();
            }
            _ => {}
        }
    }

    fn choose_logs(&mut self, action: Action, argument: Option<&str>) {
        let Some(work) = &mut self.work else { return };
        let logs = &mut work.logs;
        match action {
            Action::Next | Action::Previous => {
                let found = logs.step(action == Action::Next);
                if !found {
                    self.say("no match");
                }
            }
            Action::Follow => {
                logs.cursor = logs.cursor();
                logs.follow = !logs.follow;
            }
            Action::Streams => {
                let more = logs.next_streams();
                self.scan_more(more);
            }
            Action::Times => logs.times = !logs.times,
            Action::Wrap => {
                logs.wrap = !logs.wrap;
                logs.shift = 0;
            }
            Action::Since => {
                let named = argument.map(|typed| (typed, Since::named(typed)));
                let since = match named {
                    None => logs.since.next(),
                    Some((_, Some(since))) => since,
                    Some((typed, None)) => {
                        self.say(format!("{typed:?} is no range: tail, 1m, 5m, 15m, 1h or all"));
                        return;
                    }
                };
                logs.since = since;
                logs.clear();
                self.start_log(since);
            }
            Action::Filter => {
                if let Some(text) = argument {
                    self.set_filter(text);
                } else {
                    let text = logs.filter.as_ref().map_or_else(String::new, |filter| filter.text.clone());
                    self.ask(Purpose::Filter, text);
                }
            }
            Action::Save => {
                if let Some(path) = argument {
                    self.save(path);
                } else {
                    let name = files::host_name(work.title().replace('/', "_").as_bytes());
                    self.ask(Purpose::Save, format!("{name}.log"));
                }
            }
            _ => {}
        }
    }

    fn open_selected(&mut self, action: Action) {
        let Some(work) = &mut self.work else {
            if self.source.is_cluster() {
                self.open_pod(action);
                return;
            }
            if let Some(container) = self.picker.selected() {
                let name = TargetName::Container(container.name.clone());
                self.direct = false;
                self.open(name);
                if let (Action::OpenLogs, Some(work)) = (action, &mut self.work) {
                    work.tab = Tab::Logs;
                }
            }
            return;
        };
        match work.mode() {
            Mode::Procs => {
                let pid = work.processes.shown.as_ref().and_then(|data| work.procs.selected(data)).map(|p| p.pid);
                if let Some(pid) = pid {
                    self.show_process(pid);
                }
            }
            Mode::Logs => {
                let line = work.logs.line(work.logs.cursor());
                if let Some(text) = line.map(|line| line.text.to_vec()) {
                    self.layers.push(Layer::Line(LongLine { text, scroll: super::cursor::Scroll::default() }));
                }
            }
            Mode::Activity => {
                if let Some(line) = self.activity.line(self.activity.cursor.at) {
                    let scroll = super::cursor::Scroll::default();
                    self.layers.push(Layer::Line(LongLine { text: line.into_bytes(), scroll }));
                }
            }
            Mode::Goroutines => work.golang.open(),
            Mode::Copy | Mode::Live => self.open_in_session(),
            Mode::Depths => {
                if let Some(depth) = work.debug.depth() {
                    self.act(depth.action(), None);
                }
            }
            Mode::Files => {
                let Some((path, kind)) = work.files.selected_path().zip(work.files.selected().map(|entry| entry.kind))
                else {
                    return;
                };
                match kind {
                    Kind::File | Kind::Directory | Kind::Symlink | Kind::Unknown => self.browse(path),
                    Kind::Fifo => self.say("a named pipe is not opened: it would wait for a writer"),
                    Kind::Socket => self.say("a socket cannot be viewed"),
                    Kind::Character | Kind::Block => self.say("a device is not opened"),
                }
            }
            _ => {}
        }
    }

    fn show_process(&mut self, pid: ContainerPid) {
        if let Some(work) = &mut self.work {
            work.tab = Tab::Procs;
            work.process = Some(ProcessView::new(pid));
        }
    }

    /// Asks for whatever is at a path.
    fn browse(&mut self, path: Vec<u8>) {
        let Some(work) = &mut self.work else { return };
        if !work.live() {
            let why = work.trouble().unwrap_or_default();
            self.say(why);
            return;
        }
        work.files.wanted = Some(path.clone());
        let generation = work.generation;
        self.effect(Effect::Read { generation, request: Request::Open(path) });
    }

    fn parent(&mut self) {
        if let Some(work) = &mut self.work {
            work.files.remember_child();
            let path = work.files.parent();
            self.browse(path);
        }
    }

    fn tab(&mut self, tab: Tab, argument: Option<&str>) {
        let Some(work) = &mut self.work else { return };
        work.tab = tab;
        if tab == Tab::Debug {
            self.debug_process(argument);
            return;
        }
        if tab == Tab::Go {
            self.golang_process(argument);
            return;
        }
        if let (Tab::Files, Some(path)) = (tab, argument) {
            work.viewer = None;
            let path = files::clean(path.as_bytes(), &work.files.path);
            self.browse(path);
        }
    }

    /// The process that a command was given by its number inside, if it was; a number that none has is told.
    pub(super) fn process_named(&mut self, command: &str, argument: Option<&str>) -> Option<ContainerPid> {
        match argument?.parse() {
            Ok(number) if number > 0 => Some(ContainerPid(number)),
            _ => {
                self.say(format!("{command} takes the number of a process inside"));
                None
            }
        }
    }

    fn step_tab(&mut self, step: isize) {
        if let Some(work) = &mut self.work {
            work.tab = work.tab.step(step);
        }
    }

    fn pane_step(&mut self, forward: bool) {
        let Some(work) = &mut self.work else { return };
        match work.mode() {
            Mode::Process => {
                if let Some(view) = &mut work.process {
                    view.section(forward);
                }
            }
            Mode::Net => work.net.step(forward),
            Mode::Goroutines => work.golang.step(),
            Mode::Copy | Mode::Live => {
                if let Some(session) = &mut work.debug.session {
                    session.step_focus(forward);
                }
            }
            Mode::Threads => {
                if let Some(view) = self.thread_view() {
                    view.step(forward);
                }
            }
            _ => {}
        }
    }

    /// Holds the screen still, or lets it go on with what came meanwhile.
    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.held = 0;
        if !frozen {
            self.activity.thaw();
        }
        let Some(work) = &mut self.work else { return };
        work.logs.freeze(frozen);
        if frozen {
            return;
        }
        if work.processes.thaw() {
            work.arrange_procs();
        }
        work.init.thaw();
        work.program.thaw();
        work.check.thaw();
        work.debug.prospect.thaw();
        if work.golang.data.thaw() {
            work.golang.arrived();
        }
        if work.net.data.thaw() {
            work.net.arrange();
        }
        if let Some(view) = &mut work.process
            && view.detail.thaw()
        {
            view.arrange();
        }
    }

    fn refresh(&mut self) {
        let Some(work) = &mut self.work else {
            if self.source.is_cluster() {
                self.effect(Effect::Contexts);
                self.pods.listed.forget();
            } else {
                self.effect(Effect::Watch);
            }
            return;
        };
        // Its log was wanted first, and now all of it.
        if work.connection == Connection::Outside {
            work.manner = Manner::Ask;
        }
        if !work.live() {
            self.reopen();
            return;
        }
        work.forget_requests();
        let generation = work.generation;
        if work.mode() == Mode::Files {
            let path = work.files.path.clone();
            self.effect(Effect::Read { generation, request: Request::List(path) });
        } else if let Some(viewer) = work.viewer.as_mut().filter(|_| work.tab == Tab::Files) {
            viewer.truncated = false;
            let from = viewer.go_to(Place::Byte(viewer.top_byte()));
            let path = viewer.path.clone();
            self.effect(Effect::Read { generation, request: Request::View { path, from } });
        }
    }

    fn help(&mut self) {
        let mode = self.pane();
        let disabled = crate::tui::keymap::active(mode)
            .iter()
            .filter_map(|binding| self.enabled(binding.action).err().map(|why| (binding.action, why)))
            .collect();
        let scroll = super::cursor::Scroll::default();
        self.layers.push(Layer::Help(Help { mode, disabled, filter: None, scroll }));
    }

    fn close(&mut self) {
        self.peel();
    }

    fn yes(&mut self) {
        if let Some(Layer::Confirm(confirm)) = self.layers.pop() {
            match (&confirm.yes, &mut self.work) {
                (Effect::CopyOut { .. }, Some(work)) => work.copying = Some(0),
                (Effect::Open { .. }, _) => self.agreed(),
                (
                    Effect::Snapshot { session, .. } | Effect::Attach { session, .. } | Effect::Threads { session, .. },
                    Some(work),
                ) => {
                    work.debug.opening = Some((*session, "beginning".to_owned()));
                }
                _ => {}
            }
            self.effect(confirm.yes);
        }
    }

    fn no(&mut self) {
        if let Some(Layer::Confirm(Confirm { yes: Effect::Open { .. }, .. })) = self.layers.pop() {
            self.declined();
            return;
        }
        if let Some(work) = &mut self.work {
            work.copy_asked = None;
            if work.logs.save.take().is_some() {
                self.effect(Effect::SaveClose);
            }
        }
    }
}

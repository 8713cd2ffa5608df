//! What is asked for on the last line, and what becomes of the answer.

use super::layer::Layer;
use super::pattern::Pattern;
use super::pods::Source;
use super::prompt::{Prompt, Purpose};
use super::{App, HISTORY, files};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Mode};
use crate::tui::message::{Request, debug};

impl App {
    pub(super) fn search(&mut self, argument: Option<&str>) {
        if let Some(text) = argument {
            self.set_search(text);
            return;
        }
        let before = self.pattern().map_or_else(String::new, |pattern| pattern.text.clone());
        self.ask(Purpose::Search, before);
    }

    /// What is searched for, or filtered by, where `/` goes.
    fn pattern(&self) -> Option<&Pattern> {
        match self.layers.last() {
            Some(Layer::Help(help)) => return help.filter.as_ref(),
            Some(Layer::Choose(choose)) => return choose.filter.as_ref(),
            _ => {}
        }
        let Some(work) = &self.work else { return self.list_filter() };
        match work.mode() {
            Mode::Procs => work.procs.filter.as_ref(),
            Mode::Process => work.process.as_ref()?.search.as_ref().map(|search| &search.pattern),
            Mode::Logs => work.logs.search.as_ref(),
            Mode::Files => work.files.filter.as_ref(),
            Mode::Viewer => work.viewer.as_ref()?.matches.as_ref().map(|matches| &matches.pattern),
            Mode::Net => work.net.table().filter.as_ref(),
            Mode::Activity => self.activity.filter.as_ref(),
            Mode::Goroutines => work.golang.filter.as_ref(),
            Mode::Copy | Mode::Live => work.debug.session.as_ref()?.pattern(),
            _ => None,
        }
    }

    /// Lists are filtered while one types; a text is searched once the line is accepted.
    pub(super) fn prompt_changed(&mut self) {
        let live = matches!(
            self.below_prompt(),
            Mode::Help
                | Mode::Choose
                | Mode::Picker
                | Mode::Pods
                | Mode::Procs
                | Mode::Files
                | Mode::Net
                | Mode::Activity
                | Mode::Goroutines
        ) || self.work.as_ref().is_some_and(|work| work.lists_goroutines());
        if let Some(text) = self.prompt.as_ref().filter(|prompt| live && prompt.purpose == Purpose::Search) {
            let text = text.text.clone();
            self.set_search(&text);
        }
    }

    fn set_search(&mut self, text: &str) {
        let (_, page) = self.page();
        let pattern = Pattern::new(text);
        if pattern.as_ref().is_some_and(|pattern| pattern.literal) {
            self.say("no regular expression: searched for as it stands");
        }
        match self.layers.last_mut() {
            Some(Layer::Help(help)) => {
                help.filter = pattern;
                return;
            }
            Some(Layer::Choose(choose)) => {
                choose.filter = pattern;
                return;
            }
            _ => {}
        }
        let Some(work) = &mut self.work else {
            self.filter_list(pattern);
            return;
        };
        match work.mode() {
            Mode::Procs => {
                work.procs.filter = pattern;
                work.arrange_procs();
            }
            Mode::Process => {
                if let Some(view) = &mut work.process {
                    view.find(pattern);
                }
            }
            Mode::Logs => {
                let more = work.logs.set_search(pattern);
                self.scan_more(more);
            }
            Mode::Files => {
                work.files.filter = pattern;
                work.files.arrange();
            }
            Mode::Viewer => {
                if let Some(viewer) = &mut work.viewer {
                    viewer.find(pattern, page);
                }
            }
            Mode::Net => {
                let table = work.net.table_mut();
                table.filter = pattern;
                table.arrange();
            }
            Mode::Activity => self.activity.set_filter(pattern),
            Mode::Goroutines => {
                work.golang.filter = pattern;
                work.golang.arrange();
            }
            Mode::Copy | Mode::Live => {
                if let Some(session) = &mut work.debug.session {
                    session.find(pattern);
                }
            }
            _ => self.say("there is nothing to search here"),
        }
    }

    /// What the list of containers or pods is filtered by.
    pub(super) fn list_filter(&self) -> Option<&Pattern> {
        match self.source {
            Source::Engine => self.picker.filter.as_ref(),
            Source::Cluster => self.pods.filter.as_ref(),
        }
    }

    pub(super) fn filter_list(&mut self, pattern: Option<Pattern>) {
        match self.source {
            Source::Engine => {
                self.picker.filter = pattern;
                self.picker.arrange();
            }
            Source::Cluster => {
                self.pods.filter = pattern;
                self.pods.arrange();
            }
        }
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        let filter = Pattern::filter(text);
        if filter.as_ref().is_some_and(|filter| filter.literal) {
            self.say("no regular expression: filtered by it as it stands");
        }
        if let Some(work) = &mut self.work {
            let more = work.logs.set_filter(filter);
            self.scan_more(more);
        }
    }

    pub(super) fn save(&mut self, path: &str) {
        let path = path.trim();
        if path.is_empty() {
            return;
        }
        if let Some(work) = &mut self.work {
            work.logs.begin_save(path.to_owned());
            self.effect(Effect::SaveOpen { path: path.to_owned(), overwrite: false });
        }
    }

    pub(super) fn copy_out(&mut self, argument: Option<&str>) {
        let Some(work) = &self.work else { return };
        let from = match &work.viewer {
            Some(viewer) => Some(viewer.path.clone()),
            None => work.files.selected_path(),
        };
        let Some(from) = from else { return };
        if let Some(to) = argument {
            self.copy_to(from, to);
        } else {
            let name = files::host_name(&from);
            self.ask(Purpose::CopyTo(from), name);
        }
    }

    fn copy_to(&mut self, from: Vec<u8>, to: &str) {
        let to = to.trim().to_owned();
        let Some(work) = self.work.as_mut().filter(|_| !to.is_empty()) else { return };
        work.copying = Some(0);
        work.copy_asked = Some((from.clone(), to.clone()));
        let generation = work.generation;
        self.effect(Effect::CopyOut { generation, from, to, overwrite: false });
    }

    pub(super) fn offset(&mut self, argument: Option<&str>) {
        let Some(text) = argument else {
            self.ask(Purpose::Offset, String::new());
            return;
        };
        let Some(work) = &mut self.work else { return };
        let (generation, live) = (work.generation, work.live());
        let Some(viewer) = &mut work.viewer else { return };
        match viewer.offset_named(text) {
            Some(place) if live => {
                let from = viewer.go_to(place);
                viewer.window.busy = true;
                let request = Request::View { path: viewer.path.clone(), from };
                self.effect(Effect::Read { generation, request });
            }
            Some(_) => self.say("the container cannot be reached now"),
            None => self.say(format!("{text:?} is no offset: 4096, 0x1000, 50% or end")),
        }
    }

    pub(super) fn edit(&mut self, action: Action) {
        match action {
            Action::Accept => self.accept(),
            Action::Cancel => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.text.clone_from(&prompt.before);
                    self.prompt_changed();
                    self.prompt = None;
                }
            }
            action => {
                let mode = self.pane();
                let known = self.known();
                if let Some(prompt) = &mut self.prompt {
                    let purpose = prompt.purpose.clone();
                    prompt
                        .edit(action, &self.history, |before| super::command::choices(&purpose, mode, &known, before));
                    self.prompt_changed();
                }
            }
        }
    }

    fn accept(&mut self) {
        let Some(Prompt { purpose, text, .. }) = self.prompt.take() else { return };
        match purpose {
            Purpose::Command => {
                if !text.trim().is_empty() && self.history.last() != Some(&text) {
                    self.history.push(text.clone());
                    let extra = self.history.len().saturating_sub(HISTORY);
                    self.history.drain(..extra);
                }
                self.command(&text);
            }
            Purpose::Search => self.set_search(&text),
            Purpose::Filter => self.set_filter(&text),
            Purpose::Save => self.save(&text),
            Purpose::CopyTo(from) => self.copy_to(from, &text),
            Purpose::Offset => self.offset(Some(&text)),
            Purpose::Print => self.evaluate(&text, debug::Purpose::Print),
            Purpose::Pin => self.evaluate(&text, debug::Purpose::Watch),
            Purpose::Rule => self.make_rule(&text),
            Purpose::Set => self.confirm_set(&text),
            Purpose::Condition(id) => {
                self.change_breakpoint(debug::Breakpointing::Condition(id, text.trim().to_owned()));
            }
            Purpose::HitCondition(id) => {
                self.change_breakpoint(debug::Breakpointing::HitCondition(id, text.trim().to_owned()));
            }
        }
    }
}

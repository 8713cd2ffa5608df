//! What keys and commands do with the list of pods, and where it is looked.

use super::Source;
use super::choose::{Choose, What};
use super::row;
use crate::target::{TargetName, plausible};
use crate::tui::app::App;
use crate::tui::app::layer::Layer;
use crate::tui::app::prompt::Purpose;
use crate::tui::app::workspace::Manner;
use crate::tui::effect::{Effect, Place};
use crate::tui::keymap::{Action, Tab};

/// What stands for all namespaces on the `:` line, as with k9s.
const ALL: &str = "all";

impl App {
    /// Shows the pods of the cluster, in place of whatever is shown.
    pub(in crate::tui::app) fn show_pods(&mut self) {
        self.leave();
        self.source = Source::Cluster;
        if !matches!(self.pods.contexts, Some(Ok(_))) {
            self.effect(Effect::Contexts);
        }
    }

    /// Shows the containers of the engine, in place of whatever is shown.
    pub(in crate::tui::app) fn show_containers(&mut self) {
        self.leave();
        self.source = Source::Engine;
    }

    /// `:pods`, `:ctx`, `:ns`, and the keys for them.
    pub(in crate::tui::app) fn go_to_cluster(&mut self, action: Action, argument: Option<&str>) {
        self.layers.clear();
        self.show_pods();
        match (action, argument) {
            (Action::Context, Some(name)) => self.choose_context(name),
            (Action::Context, None) => {
                self.layers.push(Layer::Choose(Choose::of(What::Context, &self.pods)));
                self.effect(Effect::Contexts);
            }
            (Action::Pods | Action::Namespace, Some(name)) => self.choose_namespace(name),
            (Action::Namespace, None) => {
                self.layers.push(Layer::Choose(Choose::of(What::Namespace, &self.pods)));
                self.effect(Effect::Namespaces { number: self.pods.number });
            }
            (Action::Everywhere, _) => {
                let everywhere = !self.pods.place.everywhere;
                self.look_in(Place { everywhere, ..self.pods.place.clone() });
            }
            _ => {}
        }
    }

    pub(super) fn choose_context(&mut self, name: &str) {
        let Some(Ok(contexts)) = &self.pods.contexts else {
            // They are on their way.
            self.pods.wanted = Some(name.to_owned());
            return;
        };
        let Some(context) = contexts.named(name) else {
            self.say(format!("no context is called {name:?}"));
            return;
        };
        let namespace = Some(context.namespace.clone());
        let context = Some(context.name.clone());
        self.look_in(Place { context, namespace, everywhere: false, ..self.pods.place.clone() });
    }

    fn choose_namespace(&mut self, name: &str) {
        let place = self.pods.place.clone();
        if name == ALL {
            self.look_in(Place { everywhere: true, ..place });
        } else if plausible(name).is_ok() {
            self.look_in(Place { namespace: Some(name.to_owned()), everywhere: false, ..place });
        } else {
            self.say(format!("{name:?} is no namespace"));
        }
    }

    fn look_in(&mut self, place: Place) {
        if place != self.pods.place {
            self.pods.turn_to(place);
        }
    }

    /// Takes what is selected in the list that lies over the pane.
    pub(in crate::tui::app) fn take_choice(&mut self) {
        let Some(Layer::Choose(choose)) = self.layers.last() else { return };
        let Some(choice) = choose.selected() else {
            self.say("nothing is selected");
            return;
        };
        let what = choose.what;
        self.layers.pop();
        match (what, choice.name) {
            (What::Context, Some(name)) => self.choose_context(&name),
            (What::Namespace, Some(name)) => self.choose_namespace(&name),
            (_, None) => self.choose_namespace(ALL),
        }
    }

    /// Types the name instead of choosing it.
    pub(in crate::tui::app) fn type_choice(&mut self) {
        let Some(Layer::Choose(choose)) = self.layers.last() else { return };
        let start = match choose.what {
            What::Context => "ctx ",
            What::Namespace => "ns ",
        };
        self.layers.pop();
        self.ask(Purpose::Command, start.to_owned());
    }

    /// Opens the selected container, or only its log. A slip of a key must not add anything to a pod: that is asked first.
    pub(in crate::tui::app) fn open_pod(&mut self, action: Action) {
        let Some(row) = self.pods.selected() else { return };
        let name = match row::target(row).parse::<TargetName>() {
            Ok(name) => name,
            Err(error) => {
                self.say(error.to_string());
                return;
            }
        };
        let log = action == Action::OpenLogs;
        self.direct = false;
        let manner = match (log, self.trusting) {
            (true, _) => Manner::Log,
            (false, true) => Manner::Enter,
            (false, false) => Manner::Ask,
        };
        self.open_so(name, manner);
        if let (true, Some(work)) = (log, &mut self.work) {
            work.tab = Tab::Logs;
        }
    }
}

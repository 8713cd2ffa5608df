//! What a cluster tells, and what was found before a pod is entered.

use super::Source;
use super::choose::What;
use crate::engine::kube::Contexts;
use crate::exit::Failure;
use crate::target::Target;
use crate::tui::app::App;
use crate::tui::app::layer::{Confirm, Layer};
use crate::tui::app::workspace::{Connection, Manner};
use crate::tui::effect::Effect;
use crate::tui::keymap::Tab;
use crate::tui::message::Outside;

impl App {
    /// Which clusters can be chosen.
    pub(in crate::tui::app) fn contexts(&mut self, result: Result<Contexts, Failure>) {
        if let Ok(contexts) = &result {
            let place = &mut self.pods.place;
            place.namespace.get_or_insert_with(|| contexts.namespace.clone());
            // From here on it is that one, whatever the configuration says later: what is shown must be what is asked.
            place.context = place.context.take().or_else(|| contexts.current.clone());
        }
        let failure = result.as_ref().err().cloned();
        self.pods.contexts = Some(result);
        if let Some(wanted) = self.pods.wanted.take() {
            self.choose_context(&wanted);
        }
        self.chosen_arrived(What::Context, failure.as_ref());
    }

    /// The namespaces of the cluster.
    pub(in crate::tui::app) fn namespaces(&mut self, number: u64, result: Result<Vec<String>, Failure>) {
        if number != self.pods.number {
            return;
        }
        let failure = match result {
            Ok(names) => {
                self.pods.namespaces = names;
                None
            }
            Err(failure) => Some(failure),
        };
        self.chosen_arrived(What::Namespace, failure.as_ref());
    }

    fn chosen_arrived(&mut self, what: What, failure: Option<&Failure>) {
        for layer in &mut self.layers {
            if let Layer::Choose(choose) = layer
                && choose.what == what
            {
                choose.arrive(&self.pods, failure.cloned());
            }
        }
    }

    /// A pod was found, and is not entered: a record in it would stay, or nothing runs in it, or its log is all that is wanted.
    pub(in crate::tui::app) fn approached(&mut self, generation: u64, target: Target, why: Outside) {
        let Some(work) = self.work.as_deref_mut().filter(|work| work.generation == generation) else { return };
        let (again, name, pod) = (work.session.is_some(), work.name.clone(), of_pod(&target));
        work.forget_requests();
        work.opening = false;
        work.target = Some(target);
        match why {
            // It was looked at before: it may start again.
            Outside::Down(_) if again => self.down(),
            Outside::Down(mut failure) => {
                // What is typed elsewhere asks the cluster that is configured.
                if let (Some(context), Some(hint)) = (&self.pods.place.context, &mut failure.hint) {
                    hint.push_str("\nwith --context ");
                    hint.push_str(context);
                }
                (work.connection, work.manner, work.tab) = (Connection::Outside, Manner::Log, Tab::Logs);
                self.fail("Enter the container", failure);
            }
            Outside::Log => work.connection = Connection::Outside,
            Outside::Adds(identity) => {
                work.connection = Connection::Outside;
                self.layers.push(Layer::Confirm(Confirm {
                    question: format!("Add a container to pod {pod}, which looks as {identity}?"),
                    note: "It ends when nobody uses it any more. Its record stays in the pod until that is made anew: Kubernetes takes none back."
                        .to_owned(),
                    verb: "add it",
                    yes: Effect::Open { generation, name },
                }));
            }
        }
    }

    /// The answer to that question was yes.
    pub(in crate::tui::app) fn agreed(&mut self) {
        if let Some(work) = &mut self.work {
            (work.connection, work.opening) = (Connection::Opening, true);
        }
    }

    /// The answer to that question was no. What was seen before stays to be seen.
    pub(in crate::tui::app) fn declined(&mut self) {
        match &mut self.work {
            Some(work) if work.session.is_some() => work.manner = Manner::Log,
            _ => self.leave(),
        }
    }
}

/// The pod of a container, with its namespace.
fn of_pod(target: &Target) -> String {
    match target {
        Target::Pod(pod) => format!("{}/{}", pod.namespace, pod.pod),
        other => other.name(),
    }
}

impl Source {
    /// Whether it is a cluster.
    #[must_use]
    pub fn is_cluster(self) -> bool {
        self == Self::Cluster
    }
}

//! Choosing one of several: a context, a namespace.

use crate::exit::Failure;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::pattern::Pattern;

use super::Pods;

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The cluster.
    Context,
    /// The namespace.
    Namespace,
}

/// One of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it is called; nothing stands for all namespaces.
    pub name: Option<String>,
    /// What is to be known of it.
    pub note: String,
    /// Whether it is what is shown now.
    pub current: bool,
}

impl Choice {
    /// As it is shown.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("all namespaces")
    }
}

/// A list to choose from, over the pane.
#[derive(Debug, Clone)]
pub struct Choose {
    /// What is chosen.
    pub what: What,
    /// What there is, as far as it is known.
    pub all: Vec<Choice>,
    /// Whether more may come.
    pub busy: bool,
    /// Why no more came.
    pub failure: Option<Failure>,
    /// What names must match.
    pub filter: Option<Pattern>,
    /// Where one is.
    pub cursor: Cursor,
}

impl Choose {
    /// What can be chosen now. One is on what is shown.
    #[must_use]
    pub fn of(what: What, pods: &Pods) -> Self {
        let all = choices(what, pods);
        let at = all.iter().position(|choice| choice.current).unwrap_or_default();
        let cursor = Cursor { at, top: 0 };
        Self { what, all, busy: true, failure: None, filter: None, cursor }
    }

    /// Its rows: what matches.
    #[must_use]
    pub fn rows(&self) -> Vec<&Choice> {
        let hits = |choice: &&Choice| {
            self.filter
                .as_ref()
                .is_none_or(|filter| filter.hits(format!("{}\n{}", choice.label(), choice.note).as_bytes()))
        };
        self.all.iter().filter(hits).collect()
    }

    /// What is selected.
    #[must_use]
    pub fn selected(&self) -> Option<Choice> {
        self.rows().get(self.cursor.at).map(|choice| (*choice).clone())
    }

    /// Takes what came meanwhile. The same one stays selected.
    pub fn arrive(&mut self, pods: &Pods, failure: Option<Failure>) {
        let selected = self.selected().and_then(|choice| choice.name);
        self.all = choices(self.what, pods);
        self.busy = false;
        self.failure = failure;
        if let Some(at) = self.rows().iter().position(|choice| choice.name == selected) {
            self.cursor.at = at;
        }
    }
}

fn choices(what: What, pods: &Pods) -> Vec<Choice> {
    let contexts = pods.contexts.as_ref().and_then(|contexts| contexts.as_ref().ok());
    match what {
        What::Context => {
            let current = pods.context();
            let of = |one: &crate::engine::kube::contexts::Context| Choice {
                current: one.name == current,
                name: Some(one.name.clone()),
                note: format!("{} as {}, {}", one.cluster, one.user, one.namespace),
            };
            contexts.map_or_else(Vec::new, |contexts| contexts.all.iter().map(of).collect())
        }
        What::Namespace => {
            let shown = &pods.place;
            // What is known without asking: where one is, and where the context would lead.
            let context = contexts.and_then(|contexts| contexts.named(&pods.context()));
            let mut names: Vec<&String> = pods.namespaces.iter().collect();
            names.extend(shown.namespace.iter().chain(context.map(|context| &context.namespace)));
            names.sort();
            names.dedup();
            let one = |name: &String| Choice {
                name: Some(name.clone()),
                note: String::new(),
                current: !shown.everywhere && shown.namespace.as_ref() == Some(name),
            };
            let all = Choice { name: None, note: String::new(), current: shown.everywhere };
            std::iter::once(all).chain(names.into_iter().map(one)).collect()
        }
    }
}

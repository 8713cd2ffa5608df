//! The list of a cluster's pods, a container a row.

mod act;
mod arrive;
pub mod choose;
pub mod row;

use std::cmp::Ordering;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::engine::State;
use crate::engine::kube::Contexts;
use crate::engine::kube::list::{Listed, Row};
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;
use crate::tui::effect::Place;
use crate::tui::keymap::Action;

/// Pods that are kept at most. How many more there are is said.
pub const MOST: usize = 5000;
/// How often they are listed anew, while they are on the screen: at most, and where the cluster is slow.
const EVERY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));
/// So much longer than the cluster takes for an answer it is left alone.
const REST: u32 = 4;

/// Whose containers are listed where nothing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The engine's.
    #[default]
    Engine,
    /// A cluster's.
    Cluster,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By namespace and pod; the containers of a pod stay in their order.
    #[default]
    Pod,
    /// Those in trouble first.
    State,
    /// Those that were started again most often first.
    Restarts,
    /// Youngest first.
    Age,
    /// By node.
    Node,
}

impl Sort {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Pod => Self::State,
            Self::State => Self::Restarts,
            Self::Restarts => Self::Age,
            Self::Age => Self::Node,
            Self::Node => Self::Pod,
        }
    }
}

/// The longest names of what is shown, in columns: drawing does not look at every row for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Widths {
    /// Of namespaces.
    pub namespace: usize,
    /// Of pods.
    pub pod: usize,
    /// Of containers.
    pub container: usize,
}

/// The list of pods.
#[derive(Debug, Clone, Default)]
pub struct Pods {
    /// Which clusters can be chosen, or why none can; `None` until that was read.
    pub contexts: Option<Result<Contexts, Failure>>,
    /// Where is looked, and for what.
    pub place: Place,
    /// The pods; the last ones stay, whatever happens.
    pub listed: Held<Box<Listed>>,
    /// Which rows are shown, in order.
    pub order: Vec<usize>,
    /// How wide their names are.
    pub widths: Widths,
    /// Where one is.
    pub cursor: Cursor,
    /// What they must match.
    pub filter: Option<Pattern>,
    /// Whether only running ones are shown.
    pub running_only: bool,
    /// What they are sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reverse: bool,
    /// Namespaces that are known of.
    pub namespaces: Vec<String>,
    /// The context that was named before it was known which there are.
    wanted: Option<String>,
    /// Number of the place; answers about older ones are not for us.
    number: u64,
    /// When they were asked for, and how long that took, the last time.
    asked: Duration,
    took: Duration,
}

impl Pods {
    /// A list of that place.
    #[must_use]
    pub fn of(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    /// All rows there are.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.listed.shown.as_ref().map_or(&[], |listed| &listed.rows)
    }

    /// The container in a row of the screen.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Row> {
        self.rows().get(*self.order.get(row)?)
    }

    /// The selected container.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.row(self.cursor.at)
    }

    /// Why the last listing failed, if it did: then what is shown is old.
    #[must_use]
    pub fn trouble(&self) -> Option<&Failure> {
        match &self.contexts {
            Some(Err(failure)) => Some(failure),
            _ => self.listed.error.as_ref(),
        }
    }

    /// Whether that stands above rows: where there are none, it stands in their place.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.trouble().is_some() && !self.order.is_empty()
    }

    /// The context, as it is shown.
    #[must_use]
    pub fn context(&self) -> String {
        let configured = self.contexts.as_ref().and_then(|contexts| contexts.as_ref().ok());
        match (&self.place.context, configured) {
            (Some(name), _) => name.clone(),
            (None, Some(_)) => "the cluster of this pod".to_owned(),
            (None, None) => "no context".to_owned(),
        }
    }

    /// The namespace, as it is shown.
    #[must_use]
    pub fn namespace(&self) -> String {
        match (self.place.everywhere, &self.place.namespace) {
            (true, _) => "all namespaces".to_owned(),
            (false, Some(name)) => name.clone(),
            (false, None) => "-".to_owned(),
        }
    }

    /// How often they are listed. What went wrong for a reason is not tried again without being told to.
    fn every(&self) -> Duration {
        let (often, seldom) = EVERY;
        match &self.listed.error {
            Some(failure) if failure.exit == Exit::Unreachable => seldom,
            Some(_) => Duration::MAX,
            None => (self.took * REST).clamp(often, seldom),
        }
    }

    /// Whether they are to be listed now. From then on an answer is awaited.
    pub fn due(&mut self, now: Duration) -> Option<(u64, Place)> {
        if !matches!(self.contexts, Some(Ok(_))) || !self.listed.due(now, self.every()) {
            return None;
        }
        self.asked = now;
        Some((self.number, self.place.clone()))
    }

    /// For how long an answer is awaited, if one is.
    #[must_use]
    pub fn waits(&self, now: Duration) -> Option<Duration> {
        self.listed.busy.then(|| now.saturating_sub(self.asked))
    }

    /// Number of the place that is shown.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Takes an answer. The same container stays selected.
    pub fn arrive(&mut self, number: u64, result: Result<Box<Listed>, Failure>, now: Duration) {
        if number != self.number {
            return;
        }
        let selected = self.selected().map(name);
        self.took = now.saturating_sub(self.asked);
        self.listed.arrive(result, now, false);
        self.arrange();
        if let Some(selected) = selected {
            let at = (0..self.order.len()).find(|at| self.row(*at).map(name).as_ref() == Some(&selected));
            self.cursor.at = at.unwrap_or(self.cursor.at);
        }
    }

    /// From now on another place is shown; what was known of the one before is not.
    fn turn_to(&mut self, place: Place) {
        if place.context != self.place.context {
            self.namespaces.clear();
        }
        self.place = place;
        self.number += 1;
        self.listed = Held::default();
        self.took = Duration::ZERO;
        self.cursor = Cursor::default();
        self.arrange();
    }

    /// A choice of the list.
    pub fn choose(&mut self, action: Action) {
        match action {
            Action::All => self.running_only = !self.running_only,
            Action::Sort => self.sort = self.sort.next(),
            Action::Reverse => self.reverse = !self.reverse,
            _ => {}
        }
        self.arrange();
    }

    /// Filters and sorts.
    pub fn arrange(&mut self) {
        let mut rows: Vec<(usize, &Row)> = self
            .rows()
            .iter()
            .enumerate()
            .filter(|(_, row)| !self.running_only || row.state == State::Running)
            .filter(|(_, row)| self.filter.as_ref().is_none_or(|filter| filter.hits(&haystack(row))))
            .collect();
        // It keeps the order of what is equal: the containers of a pod stay as they were told.
        rows.sort_by(|(_, a), (_, b)| {
            let order = match self.sort {
                Sort::Pod => Ordering::Equal,
                Sort::State => row::state(a).mood.cmp(&row::state(b).mood),
                Sort::Restarts => b.restarts.cmp(&a.restarts),
                Sort::Age => b.created.cmp(&a.created),
                Sort::Node => a.node.cmp(&b.node),
            };
            order.then_with(|| (&a.namespace, &a.pod).cmp(&(&b.namespace, &b.pod)))
        });
        if self.reverse {
            rows.reverse();
        }
        let widest = |of: fn(&Row) -> &str| rows.iter().map(|(_, row)| of(row).width()).max().unwrap_or_default();
        let widths = Widths {
            namespace: widest(|row| &row.namespace),
            pod: widest(|row| &row.pod),
            container: widest(|row| &row.container),
        };
        self.order = rows.into_iter().map(|(at, _)| at).collect();
        self.widths = widths;
    }
}

/// The list as text, for the clipboard.
#[must_use]
pub fn text(pods: &Pods) -> Vec<String> {
    (0..pods.order.len())
        .filter_map(|row| pods.row(row))
        .map(|row| {
            let line = format!("{} {} {} {}", row::target(row), row::state(row).word, row.restarts, row.image);
            Untrusted::from(line.as_str()).safe().into_string()
        })
        .collect()
}

/// What no other container of the cluster is called.
fn name(row: &Row) -> (String, String, String) {
    (row.namespace.clone(), row.pod.clone(), row.container.clone())
}

fn haystack(row: &Row) -> Vec<u8> {
    let Row { namespace, pod, container, image, status, .. } = row;
    let node = row.node.as_deref().unwrap_or_default();
    let state = row::state(row).word;
    format!("{namespace}/{pod}/{container}\n{image}\n{status}\n{node}\n{state}").into_bytes()
}

#[cfg(test)]
mod tests;

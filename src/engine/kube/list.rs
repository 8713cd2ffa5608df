//! The pods that there are, container by container; and the namespaces.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::SystemTime;

use super::ask::{Question, encoded, short};
use super::{Cluster, Error, pod, wire};
use crate::engine::State;
use crate::logs::time;

/// A container of a pod, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it is.
    pub namespace: String,
    /// Its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
    /// Its image, as it was named.
    pub image: String,
    /// Where it is in its life.
    pub state: State,
    /// Why it is not running, in the kubelet's words, or how its last run ended.
    pub status: String,
    /// Whether it takes requests.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// Where it runs.
    pub node: Option<String>,
    /// Since when it runs.
    pub started: Option<SystemTime>,
    /// Since when there is its pod.
    pub created: Option<SystemTime>,
    /// How its last run ended, if one did.
    pub last: Option<Ended>,
    /// What is told beside the status, in the words of the kubelet or of whoever ended the pod; empty if nothing is.
    pub message: String,
    /// Whether its pod is being deleted.
    pub leaving: bool,
    /// The labels of its pod.
    pub labels: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// With which status.
    pub code: i64,
    /// Why, in a word (`OOMKilled`, `Error`); empty if that is not told.
    pub reason: String,
    /// When.
    pub at: Option<SystemTime>,
}

/// As much of the pods as is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Their containers.
    pub rows: Vec<Row>,
    /// How many pods these are.
    pub pods: usize,
    /// Whether there are more pods than these.
    pub cut: bool,
    /// How many more, if that is told.
    pub more: Option<u64>,
}

/// Pods that are asked for at once: an answer is read whole, and a large one takes long.
const PAGE: usize = 500;
/// Containers that pods have at most, on the average. More are not kept.
const PER_POD: usize = 8;
/// Namespaces that are asked for at once, and listed at most.
const NAMESPACES: usize = 5000;

impl Cluster {
    /// The containers of all pods of a namespace, or of all of them; with certain labels, or with any.
    ///
    /// # Errors
    /// If they may not be listed.
    pub async fn list(&self, everywhere: bool, selector: Option<&str>) -> Result<Vec<Row>, Error> {
        let namespace = (!everywhere).then(|| self.namespace());
        Ok(self.pods(namespace, selector, None).await?.iter().flat_map(rows).collect())
    }

    /// The containers of so many pods at most, of a namespace or of all.
    ///
    /// # Errors
    /// If they may not be listed.
    pub async fn list_some(
        &self,
        namespace: Option<&str>,
        selector: Option<&str>,
        most: usize,
    ) -> Result<Listed, Error> {
        let path = match namespace {
            Some(namespace) => format!("/api/v1/namespaces/{}/pods", encoded(namespace)),
            None => "/api/v1/pods".to_owned(),
        };
        let what = match namespace {
            Some(namespace) => format!("list the pods of namespace {namespace}"),
            None => "list all pods".to_owned(),
        };
        let (mut listed, mut go_on) = (Listed::default(), String::new());
        loop {
            let mut path = format!("{path}?limit={}", PAGE.min(most - listed.pods));
            for (name, value) in [("labelSelector", selector.unwrap_or_default()), ("continue", go_on.as_str())] {
                if !value.is_empty() {
                    // Writing to a `String` cannot fail.
                    let _ = write!(path, "&{name}={}", encoded(value));
                }
            }
            let page: wire::List<wire::Pod> = self.json(&Question::get(path, &what)).await?;
            // A server may know no limits.
            let kept = page.items.len().min(most - listed.pods);
            let dropped = page.items.len() - kept;
            listed.rows.extend(page.items.iter().take(kept).flat_map(rows));
            listed.pods += kept;
            if listed.rows.len() > most.saturating_mul(PER_POD) {
                listed.rows.truncate(most.saturating_mul(PER_POD));
                listed.cut = true;
                return Ok(listed);
            }
            let rest = page.metadata.remaining_item_count;
            listed.cut = dropped > 0 || !page.metadata.go_on.is_empty();
            if listed.pods >= most || page.metadata.go_on.is_empty() || kept == 0 {
                listed.more = match rest {
                    Some(rest) => Some(rest.saturating_add(dropped as u64)),
                    None if page.metadata.go_on.is_empty() => Some(dropped as u64),
                    None => None,
                };
                return Ok(listed);
            }
            go_on = page.metadata.go_on;
        }
    }

    /// The names of the namespaces.
    ///
    /// # Errors
    /// If they may not be listed, as where one has rights in some of them only.
    pub async fn namespaces(&self) -> Result<Vec<String>, Error> {
        let question = Question::get(format!("/api/v1/namespaces?limit={NAMESPACES}"), "list the namespaces");
        let list: wire::List<wire::Bare> = self.json(&question).await?;
        Ok(list.items.into_iter().take(NAMESPACES).map(|one| one.metadata.name).collect())
    }
}

fn moment(text: Option<&String>) -> Option<SystemTime> {
    text.and_then(|text| time::parse(text.as_bytes()))
}

/// What is told beside the status, as much of it as a person reads.
fn message(status: &wire::PodStatus, told: &wire::ContainerStatus) -> String {
    let of_container = match &told.state {
        wire::State { waiting: Some(waiting), .. } => waiting.message.as_str(),
        wire::State { terminated: Some(ended), .. } => ended.message.as_str(),
        _ => "",
    };
    let of_pod = status.message.as_deref().unwrap_or_default();
    short(if of_container.is_empty() { of_pod } else { of_container })
}

fn rows(of: &wire::Pod) -> impl Iterator<Item = Row> {
    of.spec.containers.iter().map(|spec| {
        let told = of.status.container_statuses.iter().find(|one| one.name == spec.name).cloned().unwrap_or_default();
        let status = match (&told.state, &told.last_state.terminated) {
            (wire::State { waiting: Some(waiting), .. }, _) => waiting.reason.clone(),
            (wire::State { terminated: Some(ended), .. }, _) => {
                format!("{} ({})", pod::words(&ended.reason, ""), ended.exit_code)
            }
            (_, Some(last)) => format!("ran before: {} ({})", pod::words(&last.reason, ""), last.exit_code),
            _ => of.status.reason.clone().unwrap_or_default(),
        };
        let last = told.state.terminated.as_ref().or(told.last_state.terminated.as_ref());
        let last = last.map(|last| Ended {
            code: last.exit_code,
            reason: last.reason.clone(),
            at: moment(last.finished_at.as_ref()),
        });
        Row {
            namespace: of.metadata.namespace.clone(),
            pod: of.metadata.name.clone(),
            container: spec.name.clone(),
            image: spec.image.clone(),
            state: pod::state(&of.status, &told),
            status,
            ready: told.ready,
            restarts: told.restart_count,
            node: of.spec.node_name.clone(),
            started: moment(told.state.running.as_ref().and_then(|running| running.started_at.as_ref())),
            created: moment(of.metadata.creation_timestamp.as_ref()),
            last,
            message: message(&of.status, &told),
            leaving: of.metadata.deletion_timestamp.is_some(),
            labels: of.metadata.labels.clone(),
        }
    })
}

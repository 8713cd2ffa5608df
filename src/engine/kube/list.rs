//! The pods that there are, container by container.

use std::time::SystemTime;

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
}

impl Cluster {
    /// The containers of all pods of a namespace, or of all of them; with certain labels, or with any.
    ///
    /// # Errors
    /// If they may not be listed.
    pub async fn list(&self, everywhere: bool, selector: Option<&str>) -> Result<Vec<Row>, Error> {
        let namespace = (!everywhere).then(|| self.namespace());
        Ok(self.pods(namespace, selector).await?.iter().flat_map(rows).collect())
    }
}

fn rows(of: &wire::Pod) -> impl Iterator<Item = Row> {
    of.spec.containers.iter().map(|spec| {
        let told = of.status.container_statuses.iter().find(|one| one.name == spec.name).cloned().unwrap_or_default();
        let started = told.state.running.as_ref().and_then(|running| running.started_at.as_ref());
        let status = match (&told.state, &told.last_state.terminated) {
            (wire::State { waiting: Some(waiting), .. }, _) => waiting.reason.clone(),
            (wire::State { terminated: Some(ended), .. }, _) => {
                format!("{} ({})", pod::words(&ended.reason, ""), ended.exit_code)
            }
            (_, Some(last)) => format!("ran before: {} ({})", pod::words(&last.reason, ""), last.exit_code),
            _ => of.status.reason.clone().unwrap_or_default(),
        };
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
            started: started.and_then(|text| time::parse(text.as_bytes())),
        }
    })
}

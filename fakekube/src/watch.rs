//! Lists, and what happens after them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::answer::Refusal;
use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::query::Query;
use crate::selector::Selector;

/// How long a watch lasts unless it is told.
const LONGEST: Duration = Duration::from_secs(1800);

/// All objects of a kind that are meant.
#[must_use]
pub fn list(cluster: &Cluster, kind: &'static Kind, namespace: Option<&str>, query: &Query) -> Value {
    let selector = Selector::new(query);
    let (mut items, version) = cluster.store.list(kind, namespace);
    items.retain(|object| selector.matches(object));
    let rest = page(&mut items, query);
    // Kind and version are said once, of the list.
    for item in &mut items {
        if let Some(fields) = item.as_object_mut() {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
    }
    let mut list = json!({
        "kind": format!("{}List", kind.name), "apiVersion": kind.api_version(),
        "metadata": { "resourceVersion": version.to_string() }, "items": items,
    });
    if let Some((go_on, count)) = rest {
        list["metadata"]["continue"] = json!(go_on);
        // Where a selector is asked for, a server does not count.
        if !selector.selects() {
            list["metadata"]["remainingItemCount"] = json!(count);
        }
    }
    list
}

/// Leaves the part of a list that `limit` and `continue` ask for. What the next part is asked for with, and how many are left.
fn page(items: &mut Vec<Value>, query: &Query) -> Option<(String, usize)> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let from = number("continue").unwrap_or(0).min(items.len());
    items.drain(..from);
    let limit = number("limit").filter(|limit| *limit > 0)?;
    let rest = items.len().saturating_sub(limit);
    items.truncate(limit);
    (rest > 0).then(|| ((from + limit).to_string(), rest))
}

struct Watch {
    cluster: Arc<Cluster>,
    kind: &'static Kind,
    namespace: Option<String>,
    selector: Selector,
    version: u64,
    ready: VecDeque<Value>,
    changes: tokio::sync::watch::Receiver<u64>,
    end: Instant,
}

fn event(change: &str, object: &Value) -> Value {
    json!({ "type": change, "object": object })
}

/// What happens to objects of a kind from now on, or from the version that is asked for; a line each.
pub fn watch(
    cluster: Arc<Cluster>,
    kind: &'static Kind,
    namespace: Option<String>,
    query: &Query,
) -> impl Stream<Item = Bytes> + Send + use<> {
    let selector = Selector::new(query);
    let from = query.get("resourceVersion").and_then(|text| text.parse().ok()).filter(|&version| version > 0);
    let seconds = query.get("timeoutSeconds").and_then(|text| text.parse().ok());
    let changes = cluster.store.changes();
    let mut ready = VecDeque::new();
    let mut version = from.unwrap_or(0);
    let initial = query.is_set("sendInitialEvents");
    if from.is_none() || initial {
        let (objects, now) = cluster.store.list(kind, namespace.as_deref());
        ready.extend(objects.iter().filter(|object| selector.matches(object)).map(|object| event("ADDED", object)));
        version = now;
    }
    if initial {
        ready.push_back(event(
            "BOOKMARK",
            &json!({
                "kind": kind.name, "apiVersion": kind.api_version(),
                "metadata": {
                    "resourceVersion": version.to_string(),
                    "annotations": { "k8s.io/initial-events-end": "true" },
                },
            }),
        ));
    }
    let expired = kind.plural == "pods" && cluster.faults.take_expiry(namespace.as_deref());
    let end = Instant::now() + seconds.map_or(LONGEST, Duration::from_secs);
    let mut watch = Watch { cluster, kind, namespace, selector, version, ready, changes, end };
    if expired {
        watch.fail(version + 1);
    }
    stream::unfold(watch, |mut watch| async {
        let event = watch.next().await?;
        let mut line = event.to_string();
        line.push('\n');
        Some((Bytes::from(line), watch))
    })
}

impl Watch {
    /// Says that the version is too old, and ends.
    fn fail(&mut self, oldest: u64) {
        let refusal = Refusal::expired(self.version, oldest);
        let status = refusal.as_status().cloned().unwrap_or_default();
        self.ready = VecDeque::from([event("ERROR", &status)]);
        self.end = Instant::now();
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if Instant::now() >= self.end {
                return None;
            }
            self.changes.mark_unchanged();
            match self.cluster.store.events_after(self.kind, self.version) {
                Ok((events, version)) => {
                    self.version = version;
                    let namespace = self.namespace.as_deref();
                    let meant = events.iter().filter(|event| {
                        namespace.is_none_or(|name| event.key.namespace == name) && self.selector.matches(&event.object)
                    });
                    self.ready.extend(meant.map(|found| event(found.change, &found.object)));
                }
                Err(oldest) => self.fail(oldest),
            }
            if self.ready.is_empty() {
                // What happened since the look counts as a change already: nothing is missed.
                timeout_at(self.end, self.changes.changed()).await.ok()?.ok()?;
            }
        }
    }
}

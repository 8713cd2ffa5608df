//! Which container of which pod a name means.

use std::fmt::Write as _;

use serde_json::Value;

use super::ask::{Question, encoded};
use super::{Cluster, Error, Pod, wire};
use crate::target::{PodKind, PodName, plausible};

/// How many names an error lists.
const MOST: usize = 6;

impl Cluster {
    /// The container that is meant. Of what makes pods, one that runs and is ready.
    ///
    /// # Errors
    /// If there is none, or none can be chosen.
    pub async fn find(&self, name: &PodName, container: Option<&str>) -> Result<Pod, Error> {
        let namespace = name.namespace.as_deref().unwrap_or(self.namespace());
        let container = name.container.as_deref().or(container);
        let pod = match name.kind {
            PodKind::Pod => self.pod(namespace, &name.name).await?,
            kind => self.pod_of(namespace, kind, &name.name).await?,
        };
        Pod::of(&pod, container)
    }

    /// The same container, as it is now.
    ///
    /// # Errors
    /// If it is not there any more.
    pub async fn again(&self, before: &Pod) -> Result<Pod, Error> {
        Pod::of(&self.pod(&before.namespace, &before.pod).await?, Some(&before.name))
    }

    async fn pod(&self, namespace: &str, name: &str) -> Result<wire::Pod, Error> {
        let what = format!("tell of pod {namespace}/{name}");
        let question = Question::get(format!("/api/v1/namespaces/{namespace}/pods/{name}"), &what);
        match self.json(&question).await {
            Err(Error::Refused { status: 404, .. }) => {
                let near = self.near(namespace, name).await;
                Err(Error::NotFound {
                    kind: PodKind::Pod,
                    name: name.to_owned(),
                    namespace: namespace.to_owned(),
                    near,
                })
            }
            other => other,
        }
    }

    /// Pods with names like that. None if they may not be listed: that is no reason to fail.
    async fn near(&self, namespace: &str, name: &str) -> Vec<String> {
        let pods = self.pods(Some(namespace), None, None).await.unwrap_or_default();
        let mut near: Vec<(bool, f64, String)> = pods
            .into_iter()
            .map(|pod| pod.metadata.name)
            .map(|one| (one.contains(name), strsim::normalized_damerau_levenshtein(&one, name), one))
            .collect();
        near.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        near.into_iter().take(MOST).map(|(.., one)| one).collect()
    }

    /// Pods of a namespace, or of all; all, or those with certain labels. With a limit, a cluster that keeps to it gives no more. What
    /// can be no pod is left out: its name would be part of an address.
    ///
    /// # Errors
    /// If they may not be listed.
    pub(super) async fn pods(
        &self,
        namespace: Option<&str>,
        selector: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Vec<wire::Pod>, Error> {
        let mut path = match namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
            None => "/api/v1/pods".to_owned(),
        };
        let labels = selector.map(|selector| format!("labelSelector={}", encoded(selector)));
        let query = [labels, limit.map(|limit| format!("limit={limit}"))];
        for (mark, part) in ['?', '&'].into_iter().zip(query.into_iter().flatten()) {
            // Writing to a `String` cannot fail.
            let _ = write!(path, "{mark}{part}");
        }
        let what = match namespace {
            Some(namespace) => format!("list the pods of namespace {namespace}"),
            None => "list all pods".to_owned(),
        };
        let mut pods = self.json::<wire::List<wire::Pod>>(&Question::get(path, &what)).await?.items;
        pods.retain(|pod| plausible(&pod.metadata.namespace).and(plausible(&pod.metadata.name)).is_ok());
        Ok(pods)
    }

    async fn pod_of(&self, namespace: &str, kind: PodKind, name: &str) -> Result<wire::Pod, Error> {
        let (group, plural) = match kind {
            PodKind::Pod => ("api/v1", "pods"),
            PodKind::Service => ("api/v1", "services"),
            PodKind::Deployment => ("apis/apps/v1", "deployments"),
            PodKind::StatefulSet => ("apis/apps/v1", "statefulsets"),
            PodKind::DaemonSet => ("apis/apps/v1", "daemonsets"),
            PodKind::Job => ("apis/batch/v1", "jobs"),
        };
        let what = format!("tell of {kind}/{name} in namespace {namespace}");
        let question = Question::get(format!("/{group}/namespaces/{namespace}/{plural}/{name}"), &what);
        let workload: wire::Workload = self.json(&question).await.map_err(|error| match error {
            Error::Refused { status: 404, .. } => {
                Error::NotFound { kind, name: name.to_owned(), namespace: namespace.to_owned(), near: Vec::new() }
            }
            other => other,
        })?;
        let none = |why: String| Error::NoPods { kind, name: name.to_owned(), namespace: namespace.to_owned(), why };
        let selector = workload.spec.selector.as_ref().and_then(|selector| selected(kind, selector));
        let selector = selector.ok_or_else(|| none("it selects none by labels".to_owned()))?;
        let pods = self.pods(Some(namespace), Some(&selector), None).await?;
        let all = pods.len();
        best(pods)
            .ok_or_else(|| none(if all == 0 { "there is none".to_owned() } else { format!("of {all}, none runs") }))
    }
}

/// The pod to look at: it runs, is ready if one is, and is the first by name, so that the same one is looked at again.
fn best(pods: Vec<wire::Pod>) -> Option<wire::Pod> {
    let ready = |pod: &wire::Pod| pod.status.conditions.iter().any(|one| one.kind == "Ready" && one.status == "True");
    let runs = |pod: &wire::Pod| pod.status.phase == "Running" && pod.metadata.deletion_timestamp.is_none();
    pods.into_iter().filter(runs).min_by_key(|pod| (!ready(pod), pod.metadata.name.clone()))
}

/// A selector as a question takes it. `None` if it selects nothing, or in a way that is not known.
fn selected(kind: PodKind, selector: &Value) -> Option<String> {
    let mut parts = Vec::new();
    let labels = if kind == PodKind::Service { selector } else { &selector["matchLabels"] };
    for (label, value) in labels.as_object().into_iter().flatten() {
        parts.push(format!("{label}={}", value.as_str()?));
    }
    if kind != PodKind::Service {
        for rule in selector["matchExpressions"].as_array().into_iter().flatten() {
            let key = rule["key"].as_str()?;
            let values = rule["values"].as_array().into_iter().flatten().map(Value::as_str);
            let values = values.collect::<Option<Vec<_>>>()?.join(",");
            parts.push(match rule["operator"].as_str()? {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "Exists" => key.to_owned(),
                "DoesNotExist" => format!("!{key}"),
                _ => return None,
            });
        }
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors() {
        let workload = json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "new", "operator": "Exists"},
                {"key": "track", "operator": "NotIn", "values": ["canary"]},
            ],
        });
        let text = selected(PodKind::Deployment, &workload).unwrap();
        assert_eq!(text, "app=web,tier in (a,b),!old,new,track notin (canary)");
        assert_eq!(selected(PodKind::Service, &json!({"app": "web"})).as_deref(), Some("app=web"));
        // Nothing selected is not everything.
        assert_eq!(selected(PodKind::Service, &json!({})), None);
        assert_eq!(selected(PodKind::Job, &json!({"matchLabels": {"a": 1}})), None);
        let unknown = json!({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]});
        assert_eq!(selected(PodKind::Deployment, &unknown), None);
    }

    #[test]
    fn one_that_is_ready_before_others() {
        let pod = |name: &str, phase: &str, ready: &str, deleted: bool| wire::Pod {
            metadata: wire::Meta {
                name: name.into(),
                deletion_timestamp: deleted.then(|| "2026-11-23T08:00:00Z".into()),
                ..wire::Meta::default()
            },
            status: wire::PodStatus {
                phase: phase.into(),
                conditions: vec![wire::Condition {
                    kind: "Ready".into(),
                    status: ready.into(),
                    ..wire::Condition::default()
                }],
                ..wire::PodStatus::default()
            },
            ..wire::Pod::default()
        };
        let name = |pods: Vec<wire::Pod>| best(pods).map(|pod| pod.metadata.name);
        let all = || {
            vec![
                pod("a", "Pending", "False", false),
                pod("b", "Running", "False", false),
                pod("d", "Running", "True", false),
                pod("c", "Running", "True", true),
            ]
        };
        assert_eq!(name(all()).as_deref(), Some("d"));
        assert_eq!(name(all().drain(..2).collect()).as_deref(), Some("b"));
        assert_eq!(name(all().drain(..1).collect()), None);
    }
}

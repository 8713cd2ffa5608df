//! The kinds of objects that the server knows, and how it offers them.

use serde_json::{Value, json};

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// `apps`; empty for the core.
    pub group: &'static str,
    /// `v1`
    pub version: &'static str,
    /// `pods`
    pub plural: &'static str,
    /// `pod`
    pub singular: &'static str,
    /// `Pod`
    pub name: &'static str,
    /// `po`
    pub short: &'static [&'static str],
    /// Whether it is in a namespace.
    pub namespaced: bool,
    /// What can be asked for below one of them.
    pub below: &'static [&'static str],
    /// `all` of kubectl means it too.
    pub in_all: bool,
}

const fn kind(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    name: &'static str,
    short: &'static [&'static str],
) -> Kind {
    let below: &[&str] = &[];
    Kind { group, version: "v1", plural, singular, name, short, namespaced: true, below, in_all: true }
}

/// What can be asked for below a pod.
const BELOW_POD: &[&str] = &["attach", "ephemeralcontainers", "exec", "log", "portforward", "status"];

/// All of them.
pub static KINDS: [Kind; 10] = [
    Kind { below: BELOW_POD, ..kind("", "pods", "pod", "Pod", &["po"]) },
    kind("", "services", "service", "Service", &["svc"]),
    Kind { namespaced: false, in_all: false, ..kind("", "namespaces", "namespace", "Namespace", &["ns"]) },
    Kind { namespaced: false, in_all: false, ..kind("", "nodes", "node", "Node", &["no"]) },
    Kind { in_all: false, ..kind("", "events", "event", "Event", &["ev"]) },
    kind("apps", "deployments", "deployment", "Deployment", &["deploy"]),
    kind("apps", "statefulsets", "statefulset", "StatefulSet", &["sts"]),
    kind("apps", "daemonsets", "daemonset", "DaemonSet", &["ds"]),
    kind("apps", "replicasets", "replicaset", "ReplicaSet", &["rs"]),
    kind("batch", "jobs", "job", "Job", &[]),
];

/// The groups, but for the core.
const GROUPS: [&str; 3] = ["apps", "batch", "authorization.k8s.io"];

impl Kind {
    /// The kind whose objects are found under this path.
    #[must_use]
    pub fn of(group: &str, plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.group == group && kind.plural == plural)
    }

    /// The kind of an object.
    #[must_use]
    pub fn of_object(object: &Value) -> Option<&'static Self> {
        let group = object["apiVersion"].as_str()?.rsplit_once('/').map_or("", |(group, _)| group);
        KINDS.iter().find(|kind| kind.group == group && object["kind"] == kind.name)
    }

    /// `apps/v1`
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// What is found at a path that tells what there is, if it is one.
#[must_use]
pub fn discovery(path: &str) -> Option<Value> {
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    match words[..] {
        ["api"] => Some(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })),
        ["apis"] => Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": GROUPS.map(group) })),
        ["api", "v1"] => Some(resources("")),
        ["apis", name] if GROUPS.contains(&name) => {
            let mut value = group(name);
            (value["kind"], value["apiVersion"]) = (json!("APIGroup"), json!("v1"));
            Some(value)
        }
        ["apis", name, "v1"] if GROUPS.contains(&name) => Some(resources(name)),
        ["version"] => Some(version()),
        _ => None,
    }
}

/// What `/version` says.
fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.2", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-06-01T00:00:00Z", "goVersion": "go1.26.0", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn group(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(group: &str) -> Value {
    let mut list = Vec::new();
    for kind in KINDS.iter().filter(|kind| kind.group == group) {
        let mut entry = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.name,
            "shortNames": kind.short, "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        });
        if kind.in_all {
            entry["categories"] = json!(["all"]);
        }
        list.push(entry);
        for below in kind.below {
            let verbs: &[&str] = match *below {
                "log" => &["get"],
                "ephemeralcontainers" | "status" => &["get", "patch", "update"],
                _ => &["create", "get"],
            };
            list.push(json!({
                "name": format!("{}/{below}", kind.plural), "singularName": "", "namespaced": true, "kind": kind.name,
                "verbs": verbs,
            }));
        }
    }
    if group == "authorization.k8s.io" {
        list.push(json!({
            "name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "namespaced": false,
            "kind": "SelfSubjectAccessReview", "verbs": ["create"],
        }));
    }
    let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list })
}

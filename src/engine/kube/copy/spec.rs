//! What a copy of a pod is made of: pure, from the pod as the cluster tells it.
//!
//! Only what is listed here is taken over. Whatever else a pod may have would give the copy work (labels, ports), end it (probes), run
//! something (hooks, other containers), or be refused (what admission has filled in).

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{COPY_OF, HELPERS, INSTALLER, KEPT, RUNS};
use crate::engine::kube::Terms;
use crate::engine::kube::pod::DEFAULT_CONTAINER;
use crate::toolkit::{HOLD, INSTALL, SHIM_COPY};

/// Names begin so.
const PREFIX: &str = "sdbg-copy-";
/// The longest name: it is a host's, too (RFC 1123, a label).
const LONGEST: usize = 63;
/// Letters at the end of a name, of which no two copies have the same.
const RANDOM: usize = 5;
/// Our own volume. It holds the helper.
const VOLUME: &str = "sdbg-helper";
/// The volume of a service account's token, which the server adds by itself.
const TOKEN: &str = "kube-api-access-";
/// How long the copy is given to end, in seconds: what is in it ends at once.
const GRACE: u64 = 2;

/// What is taken over of a pod.
const OF_POD: [&str; 20] = [
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostUsers",
    "hostname",
    "imagePullSecrets",
    "nodeSelector",
    "os",
    "resources",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "setHostnameAsFQDN",
    "subdomain",
    "tolerations",
];
/// What is taken over of its container.
const OF_CONTAINER: [&str; 9] = [
    "name",
    "image",
    "imagePullPolicy",
    "env",
    "envFrom",
    "workingDir",
    "securityContext",
    "terminationMessagePath",
    "terminationMessagePolicy",
];
/// What is taken over of its rights by what puts the helper there: who it is. It needs no others.
const OF_RIGHTS: [&str; 5] = ["runAsUser", "runAsGroup", "runAsNonRoot", "seLinuxOptions", "appArmorProfile"];

/// A copy that could be made.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Where.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The name of the pod that it is of.
    pub of: String,
    /// The container that is copied.
    pub container: String,
    /// What a person should know of it.
    pub about: About,
    /// The pod to be made.
    pub document: Value,
}

/// What a person should know of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The container's image.
    pub image: String,
    /// On which node, if that is settled.
    pub node: Option<String>,
    /// Containers that run before the others, which are left out.
    pub init: Vec<String>,
    /// Other containers, which are left out.
    pub others: Vec<String>,
    /// Volumes, each with what it is.
    pub volumes: Vec<String>,
    /// What it takes of a quota.
    pub requests: Vec<String>,
    /// When it ends in any case.
    pub ttl: Duration,
    /// After how long without use it ends, if it is left to others.
    pub kept: Option<Duration>,
}

/// The copy of a pod, with one of its containers in it. `None` if it has no such container.
pub fn of(pod: &Value, container: &str, terms: &Terms, same_node: bool) -> Option<Copy> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (meta, spec) = (&pod["metadata"], &pod["spec"]);
    let all = |list: &'static str| spec[list].as_array().map_or(&[][..], Vec::as_slice);
    let (app, init) = (all("containers"), all("initContainers"));
    let chosen = app.iter().chain(init).find(|one| one["name"] == container)?;
    let names = |list: &[Value]| list.iter().map(|one| text(&one["name"])).filter(|name| name != container).collect();
    let (of, namespace) = (text(&meta["name"]), text(&meta["namespace"]));
    let (mounts, volumes) = mounted(chosen, all("volumes"));
    let node = spec["nodeName"].as_str().filter(|_| same_node);
    let name = name(&of);
    let about = About {
        image: text(&chosen["image"]),
        node: node.map(str::to_owned),
        init: names(init),
        others: names(app),
        volumes: volumes.iter().map(described).collect(),
        requests: requests(&chosen["resources"]),
        ttl: terms.ttl,
        kept: terms.keep.then_some(terms.idle),
    };
    let runs = json!({"command": chosen["command"], "args": chosen["args"], "directory": chosen["workingDir"]});
    let mut annotations = json!({DEFAULT_CONTAINER: container, COPY_OF: of, RUNS: runs.to_string()});
    if terms.keep {
        annotations[KEPT] = json!("1");
    }
    let mut made = taken(spec, &OF_POD);
    let affinity = &spec["affinity"]["nodeAffinity"];
    if !affinity.is_null() {
        made.insert("affinity".to_owned(), json!({"nodeAffinity": affinity}));
    }
    if let Some(node) = node {
        made.insert("nodeName".to_owned(), json!(node));
    }
    let own = json!({"name": VOLUME, "emptyDir": {"sizeLimit": "1Mi"}});
    made.extend([
        ("restartPolicy".to_owned(), json!("Never")),
        ("activeDeadlineSeconds".to_owned(), json!(terms.ttl.as_secs().max(1))),
        ("terminationGracePeriodSeconds".to_owned(), json!(GRACE)),
        ("volumes".to_owned(), volumes.into_iter().chain([own]).collect()),
        ("initContainers".to_owned(), json!([installer(chosen, terms)])),
        ("containers".to_owned(), json!([stood_in_for(chosen, mounts, terms)])),
    ]);
    let document = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {COPY_OF: meta["uid"]},
            "annotations": annotations,
            // It goes with the pod that it is of, whatever becomes of us.
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": of, "uid": meta["uid"]}],
        },
        "spec": made,
    });
    Some(Copy { namespace, name, of, container: container.to_owned(), about, document })
}

/// Some fields of an object, if they are there.
fn taken(from: &Value, names: &[&str]) -> Map<String, Value> {
    let there = names.iter().filter(|name| !from[**name].is_null());
    there.map(|name| ((*name).to_owned(), from[*name].clone())).collect()
}

/// `sdbg-copy-web-7d9f-x7k2p`
fn name(of: &str) -> String {
    let room = LONGEST - PREFIX.len() - 1 - RANDOM;
    let of: String = of.chars().map(|c| if c == '.' { '-' } else { c }).take(room).collect();
    let mut random = std::hash::RandomState::new().build_hasher().finish();
    let mut letters = String::new();
    for _ in 0..RANDOM {
        letters.extend(u32::try_from(random % 36).ok().and_then(|digit| char::from_digit(digit, 36)));
        random /= 36;
    }
    format!("{PREFIX}{}-{letters}", of.trim_end_matches('-'))
}

/// What is mounted into the container, and the volumes that this takes.
fn mounted(container: &Value, volumes: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let listed = |list: &str| container[list].as_array().cloned().unwrap_or_default();
    let is_token = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(TOKEN));
    let mounts: Vec<_> = listed("volumeMounts").into_iter().filter(|mount| !is_token(&mount["name"])).collect();
    let wanted: Vec<_> = mounts.iter().chain(&listed("volumeDevices")).map(|one| one["name"].clone()).collect();
    let volumes = volumes.iter().filter(|volume| wanted.contains(&volume["name"])).cloned().collect();
    (mounts, volumes)
}

/// `data (claim web-data)`
fn described(volume: &Value) -> String {
    let name = volume["name"].as_str().unwrap_or_default();
    let of = |kind: &str, field: &str| volume[kind][field].as_str().map(str::to_owned);
    let what = if let Some(claim) = of("persistentVolumeClaim", "claimName") {
        format!("claim {claim}")
    } else if let Some(secret) = of("secret", "secretName") {
        format!("secret {secret}")
    } else if let Some(map) = of("configMap", "name") {
        format!("config map {map}")
    } else if volume.get("emptyDir").is_some() {
        "new and empty".to_owned()
    } else {
        let kinds = volume.as_object().into_iter().flatten().map(|(kind, _)| kind.as_str());
        kinds.filter(|kind| *kind != "name").collect::<Vec<_>>().join(" ")
    };
    format!("{name} ({what})")
}

/// What is asked for of a quota: `cpu 100m`.
fn requests(resources: &Value) -> Vec<String> {
    let of = |list: &str, name: &str| resources[list][name].as_str().map(str::to_owned);
    let names = ["requests", "limits"].into_iter().flat_map(|list| resources[list].as_object().into_iter().flatten());
    let mut names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    // What is limited and not asked for is asked for to its limit.
    let each = names.into_iter().filter_map(|name| {
        let value = of("requests", &name).or_else(|| of("limits", &name))?;
        Some(format!("{name} {value}"))
    });
    each.collect()
}

/// As much of a processor and of memory as the container has: a quota may want every container to say so, and a pod is given that
/// of the largest of those that run first.
fn resources(container: &Value) -> Value {
    json!(taken(&container["resources"], &["requests", "limits"]))
}

/// What puts the helper into our volume. It is allowed wherever any pod is.
fn installer(container: &Value, terms: &Terms) -> Value {
    let mut rights = taken(&container["securityContext"], &OF_RIGHTS);
    rights.extend([
        ("allowPrivilegeEscalation".to_owned(), json!(false)),
        ("readOnlyRootFilesystem".to_owned(), json!(true)),
        ("capabilities".to_owned(), json!({"drop": ["ALL"]})),
        ("seccompProfile".to_owned(), json!({"type": "RuntimeDefault"})),
    ]);
    json!({
        "name": INSTALLER,
        "image": terms.image,
        "imagePullPolicy": "IfNotPresent",
        "command": [SHIM_COPY, INSTALL, HELPERS],
        "resources": resources(container),
        "volumeMounts": [{"name": VOLUME, "mountPath": HELPERS}],
        "securityContext": rights,
    })
}

/// The container, with what holds its place in place of its program.
fn stood_in_for(container: &Value, mut mounts: Vec<Value>, terms: &Terms) -> Value {
    let seconds = |time: Duration| time.as_secs().max(1).to_string();
    mounts.push(json!({"name": VOLUME, "mountPath": HELPERS, "readOnly": true}));
    let mut made = taken(container, &OF_CONTAINER);
    made.extend(taken(container, &["volumeDevices"]));
    made.extend([
        (
            "command".to_owned(),
            json!([super::HELPER, HOLD, "--open", "--ttl", seconds(terms.ttl), "--idle", seconds(terms.idle)]),
        ),
        ("resources".to_owned(), resources(container)),
        ("volumeMounts".to_owned(), json!(mounts)),
    ]);
    Value::Object(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Value {
        json!({
            "metadata": {
                "name": "web-7d9f", "namespace": "shop", "uid": "u-1", "labels": {"app": "web"},
                "annotations": {"sidecar.istio.io/inject": "true"}, "resourceVersion": "9",
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web"}],
            },
            "spec": {
                "nodeName": "n1", "priority": 9, "priorityClassName": "high", "shareProcessNamespace": true,
                "hostPID": true, "serviceAccountName": "shop", "serviceAccount": "shop",
                "securityContext": {"fsGroup": 7}, "topologySpreadConstraints": [{}], "readinessGates": [{}],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 300,
                "affinity": {"nodeAffinity": {"a": 1}, "podAntiAffinity": {"b": 1}},
                "initContainers": [{"name": "migrate", "image": "acme/migrate:1"}],
                "containers": [
                    {
                        "name": "app", "image": "acme/shop:1", "command": ["/shop"], "args": ["-x"], "tty": true,
                        "env": [{"name": "A", "value": "1"}], "workingDir": "/srv",
                        "ports": [{"containerPort": 80, "hostPort": 80}],
                        "livenessProbe": {}, "readinessProbe": {}, "startupProbe": {}, "lifecycle": {},
                        "securityContext": {"runAsUser": 7, "capabilities": {"add": ["NET_BIND_SERVICE"]}},
                        "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "100m"}, "claims": [{"name": "gpu"}]},
                        "volumeMounts": [
                            {"name": "data", "mountPath": "/data"},
                            {"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                        ],
                    },
                    {"name": "proxy", "image": "acme/proxy:1"},
                ],
                "volumes": [
                    {"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}},
                    {"name": "kube-api-access-x", "projected": {}},
                    {"name": "of-proxy", "secret": {"secretName": "s"}},
                ],
            },
            "status": {"phase": "Running"},
        })
    }

    #[test]
    fn nothing_but_what_the_program_sees_is_taken_over() {
        let copy = of(&web(), "app", &Terms::default(), false).unwrap();
        let (meta, spec) = (&copy.document["metadata"], &copy.document["spec"]);
        assert_eq!(meta["labels"], json!({COPY_OF: "u-1"}));
        let annotations: Vec<_> = meta["annotations"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(annotations, [COPY_OF, RUNS, DEFAULT_CONTAINER]);
        assert_eq!(meta["ownerReferences"][0]["uid"], "u-1");
        assert_eq!(meta["ownerReferences"].as_array().unwrap().len(), 1);
        let mut fields: Vec<_> = spec.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        let expected = "activeDeadlineSeconds affinity containers initContainers restartPolicy securityContext \
            serviceAccountName terminationGracePeriodSeconds volumes";
        assert_eq!(fields.join(" "), expected);
        assert_eq!(spec["affinity"], json!({"nodeAffinity": {"a": 1}}));
        let app = &spec["containers"][0];
        let mut fields: Vec<_> = app.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields.join(" "), "command env image name resources securityContext volumeMounts workingDir");
        assert_eq!((&app["command"][0], &app["command"][1]), (&json!(super::super::HELPER), &json!("hold")));
        assert!(app["resources"].get("claims").is_none());
        assert_eq!(app["securityContext"], web()["spec"]["containers"][0]["securityContext"]);
        let volumes: Vec<_> = spec["volumes"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(volumes, ["data", VOLUME]);
        let about = copy.about;
        assert_eq!((about.init, about.others), (vec!["migrate".to_owned()], vec!["proxy".to_owned()]));
        assert_eq!((about.volumes, about.node), (vec!["data (claim web-data)".to_owned()], None));
        assert_eq!(about.requests, ["cpu 100m", "memory 64Mi"]);
    }

    #[test]
    fn what_puts_the_helper_there_has_no_rights_but_is_the_same_user() {
        let copy = of(&web(), "app", &Terms::default(), false).unwrap();
        let init = copy.document["spec"]["initContainers"].as_array().unwrap();
        assert_eq!(init.len(), 1);
        let rights = &init[0]["securityContext"];
        assert_eq!((&rights["runAsUser"], &rights["capabilities"]), (&json!(7), &json!({"drop": ["ALL"]})));
        assert_eq!(rights["allowPrivilegeEscalation"], false);
    }

    #[test]
    fn the_same_node_and_what_is_kept_if_asked_for() {
        let terms = Terms { keep: true, idle: Duration::from_secs(300), ..Terms::default() };
        let copy = of(&web(), "app", &terms, true).unwrap();
        assert_eq!((&copy.document["spec"]["nodeName"], &copy.about.node), (&json!("n1"), &Some("n1".to_owned())));
        assert_eq!(copy.document["metadata"]["annotations"][KEPT], "1");
        assert_eq!(copy.about.kept, Some(Duration::from_secs(300)));
        // One that runs before the others can be looked at as well.
        let init = of(&web(), "migrate", &terms, false).unwrap();
        assert_eq!(init.document["spec"]["containers"][0]["image"], "acme/migrate:1");
        assert!(of(&web(), "nobody", &terms, false).is_none());
    }

    #[test]
    fn names_are_short_and_no_two_are_the_same() {
        for pod in ["web", &"a.b-".repeat(60)] {
            let (one, other) = (name(pod), name(pod));
            assert!(one != other && one.len() <= LONGEST && one.starts_with(PREFIX), "{one}");
            assert!(crate::target::plausible(&one).is_ok() && !one.contains(['.']) && !one.contains("--"), "{one}");
        }
    }
}

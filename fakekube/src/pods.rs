//! What can be done with pods beyond reading them.

use std::sync::{Arc, PoisonError};

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::admission;
use crate::answer::{self, Answer, Refusal};
use crate::cluster::{Cluster, NODE};
use crate::ephemeral;
use crate::fault::Fault;
use crate::kind::{KINDS, Kind};
use crate::kubelet::status::now;
use crate::kubelet::{self, life};
use crate::patch::Way;
use crate::query::Query;
use crate::store::Key;

fn pods() -> &'static Kind {
    &KINDS[0]
}

/// Whether nothing is to be done but to say what would be.
fn is_dry(query: &Query) -> bool {
    query.get("dryRun") == Some("All")
}

/// Refuses what the namespace does not let be.
fn admit(cluster: &Cluster, key: &Key, pod: &Value) -> Result<(), Refusal> {
    let namespace = Kind::of("", "namespaces").map(|kind| Key::new(kind, "", &key.namespace));
    let Some(namespace) = namespace.and_then(|key| cluster.store.get(&key)) else {
        return Err(Refusal::not_found("namespaces", "", &key.namespace));
    };
    match admission::violation(&namespace, pod) {
        Some(words) => Err(Refusal::forbidden("pods", Some(&key.name), &words)),
        None => Ok(()),
    }
}

/// Makes a pod, and lets it begin.
///
/// # Errors
/// If its name is taken, or its namespace does not let it be.
pub fn create(cluster: &Arc<Cluster>, namespace: &str, query: &Query, mut pod: Value) -> Result<Value, Refusal> {
    let key = cluster.name(pods(), namespace, &mut pod);
    if key.name.is_empty() {
        return Err(Refusal::bad_request("the pod has no name"));
    }
    if pod["metadata"]["namespace"] != namespace {
        let words = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(words));
    }
    complete(&mut pod);
    admit(cluster, &key, &pod)?;
    let pick = |fault| if let Fault::Refused(words) = fault { Some(words) } else { None };
    if let Some(words) = cluster.faults.find(namespace, &key.name, "", pick) {
        return Err(Refusal::forbidden("pods", Some(&key.name), words));
    }
    if is_dry(query) {
        return Ok(pod);
    }
    let pod = cluster.store.add(&key, pod).ok_or_else(|| Refusal::exists("pods", &key.name))?;
    tokio::spawn(kubelet::start(Arc::clone(cluster), key.clone()));
    told(cluster, &key, pod)
}

/// Fills in what the API server and the scheduler fill in.
fn complete(pod: &mut Value) {
    pod["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" });
    for (name, value) in [
        ("restartPolicy", json!("Always")),
        ("nodeName", json!(NODE)),
        ("serviceAccountName", json!("default")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
        ("enableServiceLinks", json!(true)),
    ] {
        if pod["spec"][name].is_null() {
            pod["spec"][name] = value;
        }
    }
    for list in ["containers", "initContainers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            ephemeral::complete(container);
        }
    }
}

/// Ends a pod. The answer is the pod as it is on its way out.
///
/// # Errors
/// If there is none, or it is not the one that the options (`DeleteOptions`) mean.
pub fn delete(cluster: &Arc<Cluster>, key: &Key, query: &Query, options: &Value) -> Result<Answer, Refusal> {
    let missing = || Refusal::not_found("pods", "", &key.name);
    let pod = cluster.store.get(key).ok_or_else(missing)?;
    let (wanted, uid) = (&options["preconditions"]["uid"], &pod["metadata"]["uid"]);
    if !wanted.is_null() && wanted != uid {
        let words = format!(
            "Operation cannot be fulfilled on pods \"{}\": Precondition failed: UID in precondition: {}, UID in object meta: {}",
            key.name,
            wanted.as_str().unwrap_or_default(),
            uid.as_str().unwrap_or_default()
        );
        return Err(Refusal::status(409, "Conflict", words, Some(json!({ "name": key.name, "kind": "pods" }))));
    }
    if is_dry(query) {
        return Ok(answer::object(StatusCode::OK, &pod));
    }
    let pod = cluster.store.update(key, |pod| {
        pod["metadata"]["deletionTimestamp"] = json!(now());
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    });
    tokio::spawn(kubelet::end(Arc::clone(cluster), key.clone()));
    Ok(answer::object(StatusCode::OK, &pod.ok_or_else(missing)?))
}

/// Changes the list of ephemeral containers: by a patch, or by a whole pod where there is no way of patching.
///
/// # Errors
/// If there is no such pod, or the list may not be so.
pub fn ephemeral(
    cluster: &Arc<Cluster>,
    key: &Key,
    query: &Query,
    way: Option<Way>,
    asked: &Value,
) -> Result<Value, Refusal> {
    let missing = || Refusal::not_found("pods", "", &key.name);
    let _alone = cluster.patching.lock().unwrap_or_else(PoisonError::into_inner);
    let old = cluster.store.get(key).ok_or_else(missing)?;
    let asked = way.map_or_else(|| asked.clone(), |way| way.apply(&old, asked));
    let version = &asked["metadata"]["resourceVersion"];
    if version.is_string() && *version != old["metadata"]["resourceVersion"] {
        let words = "the object has been modified; please apply your changes to the latest version and try again";
        let words = format!("Operation cannot be fulfilled on pods \"{}\": {words}", key.name);
        return Err(Refusal::status(409, "Conflict", words, Some(json!({ "name": key.name, "kind": "pods" }))));
    }
    let new = ephemeral::changed(&old, &asked);
    let faults = ephemeral::faults(&old, &new);
    // Admission comes last, as in a cluster.
    if !faults.is_empty() {
        return Err(Refusal::invalid("Pod", &key.name, &faults));
    }
    admit(cluster, key, &new)?;
    if is_dry(query) {
        return Ok(new);
    }
    let list = new["spec"]["ephemeralContainers"].clone();
    let pod = cluster.store.update(key, |pod| pod["spec"]["ephemeralContainers"] = list).ok_or_else(missing)?;
    let known = old["spec"]["ephemeralContainers"].as_array().cloned().unwrap_or_default();
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    for container in pod["spec"]["ephemeralContainers"].as_array().into_iter().flatten() {
        if !known.iter().any(|old| old["name"] == container["name"]) {
            tokio::spawn(life::added(Arc::clone(cluster), key.clone(), uid.clone(), container.clone()));
        }
    }
    told(cluster, key, pod)
}

/// What who changed something hears of it.
fn told(cluster: &Cluster, key: &Key, pod: Value) -> Result<Value, Refusal> {
    if cluster.faults.take(&key.namespace, &key.name, "", Fault::LostAnswer) { Err(trouble()) } else { Ok(pod) }
}

/// Gives a pod as it is.
///
/// # Errors
/// If there is none, or the server is in trouble.
pub fn get(cluster: &Cluster, key: &Key) -> Result<Value, Refusal> {
    let pod = cluster.store.get(key).ok_or_else(|| Refusal::not_found("pods", "", &key.name))?;
    let added = pod["spec"]["ephemeralContainers"].as_array().into_iter().flatten();
    let names = added.filter_map(|one| one["name"].as_str()).chain([""]);
    let unwell = { names }.any(|name| cluster.faults.take(&key.namespace, &key.name, name, Fault::Unwell));
    if unwell { Err(trouble()) } else { Ok(pod) }
}

/// As of an API server whose store does not answer.
fn trouble() -> Refusal {
    Refusal::status(500, "InternalError", "etcdserver: request timed out", None)
}

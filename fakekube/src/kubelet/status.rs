//! The status of a pod.

use std::time::SystemTime;

use bollard::models::ContainerState;
use serde_json::{Value, json};

use super::life::Trouble;
use super::named;
use crate::store::{Key, Store};

/// Now, as objects tell the time.
#[must_use]
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// The engine's times are finer than those of a status.
fn time(fine: Option<&String>) -> Value {
    let whole = fine.and_then(|text| text.get(..19));
    whole.filter(|text| !text.starts_with("0001")).map_or_else(|| json!(now()), |text| json!(format!("{text}Z")))
}

/// A pod that has been seen, and of which nothing runs.
pub fn begin(store: &Store, key: &Key, pod: &Value) {
    let waiting = |list: &str, reason: &str| -> Vec<Value> {
        let all = pod["spec"][list].as_array().cloned().unwrap_or_default();
        let state = json!({ "waiting": { "reason": reason } });
        all.iter().map(|container| empty(&container["name"], &container["image"], &state)).collect()
    };
    let first = if pod["spec"]["initContainers"].is_array() { "PodInitializing" } else { "ContainerCreating" };
    let (init, app) = (waiting("initContainers", first), waiting("containers", first));
    store.update(key, |pod| {
        pod["status"] = json!({
            "phase": "Pending", "startTime": now(), "hostIP": "127.0.0.1", "qosClass": "BestEffort",
            "containerStatuses": app,
        });
        if !init.is_empty() {
            pod["status"]["initContainerStatuses"] = json!(init);
        }
        conditions(pod);
    });
}

/// The scheduler finds no place for the pod.
pub fn unscheduled(store: &Store, key: &Key) {
    store.update(key, |pod| {
        pod["spec"]["nodeName"] = Value::Null;
        pod["status"] = json!({ "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory. preemption: not eligible due to preemptionPolicy=Never.",
        }] });
    });
}

fn empty(name: &Value, image: &Value, state: &Value) -> Value {
    json!({
        "name": name, "image": image, "imageID": "", "ready": false, "started": false, "restartCount": 0,
        "state": state, "lastState": {},
    })
}

/// The pod's address is known.
pub fn addressed(store: &Store, key: &Key, address: &str) {
    store.update(key, |pod| {
        pod["status"]["podIP"] = json!(address);
        pod["status"]["podIPs"] = json!([{ "ip": address }]);
    });
}

/// The pod as a whole failed.
pub fn failed(store: &Store, key: &Key, reason: &str, message: &str) {
    store.update(key, |pod| {
        let state = json!({ "waiting": { "reason": reason, "message": message } });
        for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
            status["state"] = state.clone();
        }
    });
}

/// The pod has lived as long as it may.
pub fn over(store: &Store, key: &Key) {
    store.update(key, |pod| {
        for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
            status["state"] = json!({ "terminated": { "exitCode": 137, "reason": "Error", "finishedAt": now() } });
            (status["ready"], status["started"]) = (json!(false), json!(false));
        }
        pod["status"]["phase"] = json!("Failed");
        pod["status"]["reason"] = json!("DeadlineExceeded");
        pod["status"]["message"] = json!("Pod was active on the node longer than the specified deadline");
        conditions(pod);
    });
}

/// Where the status of a container is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// One that comes before the others.
    Init,
    /// One of the pod's own.
    App,
    /// One that was added.
    Ephemeral,
}

impl Sort {
    fn list(self) -> &'static str {
        match self {
            Self::Init => "initContainerStatuses",
            Self::App => "containerStatuses",
            Self::Ephemeral => "ephemeralContainerStatuses",
        }
    }
}

/// Which container's status.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// Where all objects are.
    pub store: &'a Store,
    /// Its pod.
    pub key: &'a Key,
    /// Which list it is in.
    pub sort: Sort,
    /// Its name.
    pub name: &'a str,
    /// What its image is called.
    pub image: &'a str,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Whose<'_> {
    /// Changes it; it comes to be if it is not there.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        self.store.update(self.key, |pod| {
            let list = &mut pod["status"][self.sort.list()];
            if !list.is_array() {
                *list = json!([]);
            }
            let Some(all) = list.as_array_mut() else { return };
            if !all.iter().any(|status| status["name"] == self.name) {
                all.push(empty(&json!(self.name), &json!(self.image), &json!({})));
            }
            if let Some(status) = all.iter_mut().find(|status| status["name"] == self.name) {
                change(status);
            }
            phase(pod);
            conditions(pod);
        });
    }

    /// It waits, and this is why.
    pub fn waits(&self, reason: &str, message: Option<&str>) {
        self.change(|status| {
            let mut waiting = json!({ "reason": reason });
            if let Some(message) = message {
                waiting["message"] = json!(message);
            }
            status["state"] = json!({ "waiting": waiting });
            (status["ready"], status["started"]) = (json!(false), json!(false));
        });
    }

    /// It has a trouble.
    pub fn troubled(&self, trouble: &Trouble) {
        self.waits(trouble.reason, Some(&trouble.message));
    }

    /// It runs.
    pub fn runs(&self, id: &str, image: &str, who: &Value, state: &ContainerState) {
        self.change(|status| {
            status["state"] = json!({ "running": { "startedAt": time(state.started_at.as_ref()) } });
            status["containerID"] = named(id);
            status["imageID"] = json!(format!("docker://{image}"));
            status["user"] = who.clone();
            // An ephemeral container is never said to be ready.
            status["ready"] = json!(self.sort != Sort::Ephemeral);
            status["started"] = json!(self.sort != Sort::Ephemeral);
        });
    }

    /// It has ended.
    pub fn ended(&self, id: &str, state: &ContainerState) {
        let code = state.exit_code.unwrap_or(137);
        let reason = match code {
            _ if state.oom_killed == Some(true) => "OOMKilled",
            0 => "Completed",
            _ => "Error",
        };
        self.change(|status| {
            status["state"] = json!({ "terminated": {
                "exitCode": code, "reason": reason, "containerID": named(id),
                "startedAt": time(state.started_at.as_ref()), "finishedAt": time(state.finished_at.as_ref()),
            } });
            (status["ready"], status["started"]) = (json!(self.sort == Sort::Init && code == 0), json!(false));
        });
    }

    /// It is to be started again.
    pub fn again(&self) {
        self.change(|status| {
            status["lastState"] = status["state"].clone();
            status["restartCount"] = json!(status["restartCount"].as_u64().unwrap_or(0) + 1);
        });
    }
}

fn statuses(pod: &Value) -> &[Value] {
    pod["status"]["containerStatuses"].as_array().map_or(&[], Vec::as_slice)
}

/// What the pod as a whole does.
fn phase(pod: &mut Value) {
    let all = statuses(pod);
    let state = |name: &'static str| move |status: &Value| status["state"].get(name).is_some();
    let ended = all.iter().all(state("terminated")) && !all.is_empty();
    let well = all.iter().all(|status| status["state"]["terminated"]["exitCode"] == 0);
    let policy = pod["spec"]["restartPolicy"].as_str().unwrap_or("Always");
    let over = ended && (policy == "Never" || policy == "OnFailure" && well);
    let began = |status: &Value| status["restartCount"] != 0 || status["state"].get("waiting").is_none();
    let phase = match (over, well) {
        (true, true) => "Succeeded",
        (true, false) => "Failed",
        _ if all.iter().any(began) => "Running",
        _ => "Pending",
    };
    pod["status"]["phase"] = json!(phase);
}

fn conditions(pod: &mut Value) {
    let all = statuses(pod);
    let ready = !all.is_empty() && all.iter().all(|status| status["ready"] == true);
    let since = pod["status"]["startTime"].clone();
    let one = |kind: &str, holds: bool| {
        let status = if holds { "True" } else { "False" };
        json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since })
    };
    let began = pod["status"]["phase"] != "Pending";
    let list = [("PodScheduled", true), ("Initialized", began), ("ContainersReady", ready), ("Ready", ready)];
    pod["status"]["conditions"] = json!(list.map(|(kind, holds)| one(kind, holds)));
}

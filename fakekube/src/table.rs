//! Pods as a table, which `kubectl get` asks for.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// Whether the client would rather have a table.
#[must_use]
pub fn is_wanted(accept: &str) -> bool {
    accept.split(',').next().is_some_and(|first| first.contains("as=Table"))
}

/// Pods as rows.
#[must_use]
pub fn of_pods(pods: &[Value], version: &Value) -> Value {
    let column = |name: &str, kind: &str| json!({ "name": name, "type": kind, "format": "", "description": name, "priority": 0 });
    let mut name = column("Name", "string");
    name["format"] = json!("name");
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": version },
        "columnDefinitions": [
            name, column("Ready", "string"), column("Status", "string"), column("Restarts", "string"),
            column("Age", "string"),
        ],
        "rows": pods.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(pod: &Value) -> Value {
    let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts: u64 = statuses.iter().filter_map(|status| status["restartCount"].as_u64()).sum();
    let of = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let object = json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": pod["metadata"],
    });
    let cells =
        json!([pod["metadata"]["name"], format!("{ready}/{of}"), word(pod, &statuses), restarts.to_string(), age(pod)]);
    json!({ "cells": cells, "object": object })
}

/// What it does, in one word: that of the container which tells most.
fn word(pod: &Value, statuses: &[Value]) -> String {
    if pod["metadata"].get("deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    let mut found = pod["status"]["phase"].as_str().unwrap_or_default().to_owned();
    for status in statuses.iter().rev() {
        for state in ["waiting", "terminated"] {
            if let Some(reason) = status["state"][state]["reason"].as_str() {
                reason.clone_into(&mut found);
            }
        }
    }
    found
}

fn age(pod: &Value) -> String {
    let born = pod["metadata"]["creationTimestamp"].as_str().and_then(|text| humantime::parse_rfc3339(text).ok());
    let age = born.and_then(|born| SystemTime::now().duration_since(born).ok()).unwrap_or(Duration::ZERO);
    format!("{}s", age.as_secs())
}

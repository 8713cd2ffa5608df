//! The log of a container.

use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt as _};
use hyper::body::Bytes;
use serde_json::Value;

use crate::answer::Refusal;
use crate::cluster::Cluster;
use crate::query::Query;
use crate::store::Key;
use crate::streams;

/// The bytes of a container's log, as the question asks for them.
///
/// # Errors
/// If there is no such container, or it has no log.
pub fn read(
    cluster: &Cluster,
    key: &Key,
    pod: &Value,
    query: &Query,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Refusal> {
    let name = streams::chosen(pod, query)?;
    let (previous, pod_name) = (query.is_set("previous"), &key.name);
    let Some(id) = cluster.kubelet.container(key, &name, previous) else {
        let words = if previous {
            format!("previous terminated container \"{name}\" in pod \"{pod_name}\" not found")
        } else {
            format!("container \"{name}\" in pod \"{pod_name}\" is waiting to start: {}", waiting(pod, &name))
        };
        return Err(Refusal::bad_request(words));
    };
    let mut options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(query.is_set("follow"));
    options = options.timestamps(query.is_set("timestamps"));
    if let Some(lines) = query.get("tailLines") {
        options = options.tail(lines);
    }
    if let Some(since) = since(query) {
        options = options.since(since);
    }
    let lines = lines(&cluster.engine.docker, &id, options.build());
    let mut left = query.get("limitBytes").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    Ok(lines.map(move |mut bytes| {
        bytes.truncate(left);
        left -= bytes.len();
        bytes
    }))
}

fn lines(
    docker: &bollard::Docker,
    id: &str,
    options: bollard::query_parameters::LogsOptions,
) -> impl Stream<Item = Bytes> + Send + use<> {
    let lines = docker.logs(id, Some(options));
    lines.take_while(|line| std::future::ready(line.is_ok())).filter_map(async |line| Some(line.ok()?.into_bytes()))
}

/// From when on, in seconds since 1970.
fn since(query: &Query) -> Option<i32> {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};
    let seconds = query.get("sinceSeconds").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let ago = seconds.and_then(|ago| SystemTime::now().checked_sub(ago));
    let at = query.get("sinceTime").and_then(|text| humantime::parse_rfc3339(text).ok());
    let since = ago.or(at)?.duration_since(UNIX_EPOCH).ok()?;
    i32::try_from(since.as_secs()).ok()
}

/// What a container that has not begun waits for.
fn waiting(pod: &Value, name: &str) -> String {
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let statuses = lists.iter().filter_map(|list| pod["status"][list].as_array()).flatten();
    let reason = statuses
        .filter(|status| status["name"] == name)
        .find_map(|status| status["state"]["waiting"]["reason"].as_str())
        .unwrap_or("ContainerCreating");
    match reason {
        "ErrImagePull" => "image can't be pulled".to_owned(),
        "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
        reason => reason.to_owned(),
    }
}

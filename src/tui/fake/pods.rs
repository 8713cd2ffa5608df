//! A cluster's pods.

use super::{HOSTILE, wall};
use crate::engine::State;
use crate::engine::kube::Pod;
use crate::engine::kube::contexts::{Context, Contexts};
use crate::engine::kube::list::{Ended, Listed, Row};
use crate::engine::kube::pod::{Processes, User};

#[must_use]
pub fn contexts() -> Contexts {
    let context = |name: &str, namespace: &str| Context {
        name: name.to_owned(),
        cluster: format!("{name}.example.com"),
        user: "jane".to_owned(),
        namespace: namespace.to_owned(),
    };
    Contexts {
        all: vec![context("prod-eu", "shop"), context("staging", "default"), context(HOSTILE, HOSTILE)],
        current: Some("prod-eu".to_owned()),
        namespace: "shop".to_owned(),
    }
}

fn row(namespace: &str, pod: &str, container: &str) -> Row {
    Row {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        image: "acme/shop:1.9".to_owned(),
        state: State::Running,
        status: String::new(),
        ready: true,
        restarts: 0,
        node: Some("node-1".to_owned()),
        started: Some(wall(0) - std::time::Duration::from_secs(7_500)),
        created: Some(wall(0) - std::time::Duration::from_secs(7_512)),
        last: None,
        message: String::new(),
        leaving: false,
        labels: std::collections::BTreeMap::new(),
    }
}

/// Containers in most of the states that there are.
#[must_use]
pub fn listed() -> Listed {
    let ended = |code, reason: &str, ago| {
        Some(Ended { code, reason: reason.to_owned(), at: Some(wall(0) - std::time::Duration::from_secs(ago)) })
    };
    let rows = vec![
        Row {
            status: "Completed (0)".to_owned(),
            state: State::Exited,
            ready: false,
            last: ended(0, "Completed", 240),
            ..row("jobs", "migrate-29x", "migrate")
        },
        Row {
            restarts: 3,
            last: ended(137, "OOMKilled", 4_000),
            status: "ran before: OOMKilled (137)".to_owned(),
            ..row("shop", "web-7976cf4947-bznkr", "app")
        },
        Row { ready: false, ..row("shop", "web-7976cf4947-bznkr", "proxy") },
        Row {
            restarts: 17,
            state: State::Restarting,
            status: "CrashLoopBackOff".to_owned(),
            ready: false,
            started: None,
            last: ended(2, "Error", 12),
            message: "back-off 5m0s restarting failed container=app pod=worker-6d5_shop".to_owned(),
            ..row("shop", "worker-6d5", "app")
        },
        Row {
            state: State::Created,
            status: "ErrImagePull".to_owned(),
            ready: false,
            started: None,
            message: "rpc error: failed to resolve reference registry.example/none: not found".to_owned(),
            ..row("shop", "zoo-0", "app")
        },
        Row { leaving: true, ..row("shop", "zoo-1", "app") },
    ];
    Listed { pods: 5, rows, cut: false, more: None }
}

/// A container of a pod, as it is when it was found.
#[must_use]
pub fn pod(name: &str) -> Pod {
    let mut container = super::container(&format!("shop/{name}/app"));
    container.pid = None;
    Pod {
        namespace: "shop".to_owned(),
        pod: name.to_owned(),
        uid: "u-1".to_owned(),
        name: "app".to_owned(),
        node: Some("node-1".to_owned()),
        container,
        user: User::Told { uid: 65532, gid: 0 },
        added: Vec::new(),
        dropped: Vec::new(),
        processes: Processes::Own,
        closed: None,
        over: false,
        copy: None,
        ephemeral: Vec::new(),
        ran_before: false,
        trouble: None,
    }
}

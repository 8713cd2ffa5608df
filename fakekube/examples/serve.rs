//! A server to try things on by hand: a pod of the sample web server, or so many, until standard input ends.
//!
//! `cargo run -p fakekube --example serve [COUNT]`, and then in another terminal `kubectl --kubeconfig FILE get pods`.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;

use fakekube::{FakeKube, User};
use serde_json::json;

fn main() {
    let kube = FakeKube::start();
    let kubeconfig = kube.user(User::admin("admin"));
    for user in [User::debugger("debugger"), User::editor("editor")] {
        kube.user(user);
    }
    let count = std::env::args().nth(1).map_or(1, |text| text.parse().unwrap());
    let names: Vec<_> =
        (1..=count).map(|number| if count == 1 { "web".to_owned() } else { format!("web-{number}") }).collect();
    let pod = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "labels": { "app": "shop" } },
            "spec": { "containers": [{
                "name": "app", "image": "scratchdbg-test/shop",
                "securityContext": { "runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
                    "capabilities": { "drop": ["ALL"] }, "seccompProfile": { "type": "RuntimeDefault" } },
            }] },
        })
    };
    for name in &names {
        kube.apply(pod(name));
    }
    for name in &names {
        kube.wait_for_pod("default", name, "it to run", |pod| {
            pod["status"]["containerStatuses"][0]["state"].get("running").is_some()
        });
    }
    kube.apply(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }));
    // One that comes up again and again, beside one that runs; and one that never comes up.
    let env = |port: &str| json!([{ "name": "PORT", "value": port }, { "name": "METRICS_PORT", "value": "6061" }]);
    for (name, image, port) in
        [("broken", "scratchdbg-test/shop", "no port"), ("nowhere", "registry.invalid/none", "8080")]
    {
        kube.apply(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "shop" },
            "spec": { "containers": [
                { "name": "app", "image": image, "env": env(port) },
                { "name": "beside", "image": "scratchdbg-test/shop", "env": env("8081") },
            ] },
        }));
    }
    println!("{}", kubeconfig.display());
    let _ = std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

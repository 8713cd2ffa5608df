//! A server to try things on by hand: a pod of the sample web server, until standard input ends.
//!
//! `cargo run -p fakekube --example serve`, and then in another terminal `kubectl --kubeconfig FILE get pods`.
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
    kube.run(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "web", "labels": { "app": "shop" } },
        "spec": { "containers": [{
            "name": "app", "image": "scratchdbg-test/shop",
            "securityContext": { "runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] }, "seccompProfile": { "type": "RuntimeDefault" } },
        }] },
    }));
    println!("{}", kubeconfig.display());
    let _ = std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

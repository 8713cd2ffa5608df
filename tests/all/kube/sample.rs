//! Pods for the tests.

use serde_json::{Value, json};

/// A pod of one container `app`.
pub fn pod(name: &str, container: &Value, spec: &Value) -> Value {
    let mut container = container.clone();
    container["name"] = json!("app");
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": { "app": name } }, "spec": spec,
    });
    pod["spec"]["containers"] = json!([container]);
    pod
}

/// The sample web server, as strict as it can be.
pub fn web() -> Value {
    let container = json!({ "image": "scratchdbg-test/shop", "securityContext": strict() });
    pod("web", &container, &json!({}))
}

/// What the level `restricted` wants of a container, and whose it is.
pub fn strict() -> Value {
    json!({
        "runAsUser": 65532, "runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// A container with a shell, which waits.
pub fn shell() -> Value {
    pod("box", &json!({ "image": "scratchdbg-test/shell" }), &json!({}))
}

/// A namespace that enforces this level.
pub fn namespace(name: &str, level: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": { "pod-security.kubernetes.io/enforce": level } } })
}

/// The same in a namespace.
pub fn within(namespace: &str, mut pod: Value) -> Value {
    pod["metadata"]["namespace"] = json!(namespace);
    pod
}

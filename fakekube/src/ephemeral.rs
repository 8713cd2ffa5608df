//! What the API server accepts as an ephemeral container, and what it says of the rest.

use serde_json::{Value, json};

use crate::answer::Fault;

/// What an ephemeral container cannot have.
const FORBIDDEN: [&str; 9] = [
    "ports",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
];
/// What makes a pod one that the kubelet was given by a file.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The longest name.
const LONGEST_NAME: usize = 63;

fn list(pod: &Value) -> &[Value] {
    pod["spec"]["ephemeralContainers"].as_array().map_or(&[], Vec::as_slice)
}

fn forbidden(field: impl Into<String>, words: &str) -> Fault {
    Fault { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {words}") }
}

/// The pod with the new list, and nothing else of what was asked for: this is all that may change here.
#[must_use]
pub fn changed(old: &Value, asked: &Value) -> Value {
    let mut pod = old.clone();
    let mut containers = list(asked).to_vec();
    for container in &mut containers {
        if !list(old).iter().any(|known| known == container) {
            complete(container);
        }
    }
    pod["spec"]["ephemeralContainers"] = json!(containers);
    pod
}

/// Fills in what the API server fills in.
pub fn complete(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or_default();
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let policy = if !image.contains('@') && tag.is_none_or(|tag| tag == "latest") { "Always" } else { "IfNotPresent" };
    for (name, value) in [
        ("imagePullPolicy", json!(policy)),
        ("resources", json!({})),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
    ] {
        if container[name].is_null() {
            container[name] = value;
        }
    }
}

/// What is wrong with the change from one to the other.
#[must_use]
pub fn faults(old: &Value, new: &Value) -> Vec<Fault> {
    if new["metadata"]["annotations"].get(MIRROR).is_some() {
        return vec![forbidden("", "static pods do not support ephemeral containers")];
    }
    let mut faults = Vec::new();
    for (at, container) in list(new).iter().enumerate() {
        faults.extend(of_one(new, at, container));
    }
    for known in list(old) {
        let name = known["name"].as_str().unwrap_or_default();
        let verb = match list(new).iter().find(|container| container["name"] == name) {
            None => "removed",
            Some(container) if container != known => "changed",
            Some(_) => continue,
        };
        let words = format!("existing ephemeral containers \"{name}\" may not be {verb}\n");
        faults.push(forbidden("spec.ephemeralContainers", &words));
    }
    faults
}

fn of_one(pod: &Value, at: usize, container: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let field = |name: &str| format!("spec.ephemeralContainers[{at}].{name}");
    let name = container["name"].as_str().unwrap_or_default();
    let required =
        |name: &str| Fault { reason: "FieldValueRequired", field: field(name), message: "Required value".to_owned() };
    if name.is_empty() {
        faults.push(required("name"));
    } else if !is_label(name) {
        let message = format!(
            "Invalid value: \"{name}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
             '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
             validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        );
        faults.push(Fault { reason: "FieldValueInvalid", field: field("name"), message });
    }
    let named = |list: &str| {
        let all = pod["spec"][list].as_array().map_or(&[][..], Vec::as_slice);
        all.iter().any(|other| other["name"] == name)
    };
    if named("containers") || named("initContainers") || list(pod)[..at].iter().any(|other| other["name"] == name) {
        let message = format!("Duplicate value: \"{name}\"");
        faults.push(Fault { reason: "FieldValueDuplicate", field: field("name"), message });
    }
    if container["image"].as_str().unwrap_or_default().is_empty() {
        faults.push(required("image"));
    }
    let target = container["targetContainerName"].as_str().unwrap_or_default();
    let is_target = |list: &str| {
        let all = pod["spec"][list].as_array().map_or(&[][..], Vec::as_slice);
        all.iter().any(|other| other["name"] == target)
    };
    if !target.is_empty() && !is_target("containers") && !is_target("initContainers") {
        let message = format!("Not found: \"{target}\"");
        faults.push(Fault { reason: "FieldValueNotFound", field: field("targetContainerName"), message });
    }
    for name in FORBIDDEN {
        let value = &container[name];
        let empty = value.is_null() || *value == json!([]) || *value == json!({});
        if !empty {
            faults.push(forbidden(field(name), "cannot be set for an Ephemeral Container"));
        }
    }
    for (mount, value) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
        for name in ["subPath", "subPathExpr"] {
            if value[name].as_str().is_some_and(|path| !path.is_empty()) {
                let field = field(&format!("volumeMounts[{mount}].{name}"));
                faults.push(forbidden(field, "cannot be set for an Ephemeral Container"));
            }
        }
    }
    faults
}

/// Whether a container may have this name.
fn is_label(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(good) && name.bytes().last().is_some_and(good);
    ends && name.len() <= LONGEST_NAME && name.bytes().all(|byte| good(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(list: &Value) -> Value {
        json!({ "metadata": { "name": "web" }, "spec": {
            "containers": [{ "name": "app" }], "ephemeralContainers": list } })
    }

    fn words(old: &Value, new: &Value) -> Vec<String> {
        faults(&pod(old), &pod(new)).iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect()
    }

    #[test]
    fn what_may_not_be_is_named() {
        let none = json!([]);
        let said = |container: Value| words(&none, &json!([container]));
        assert_eq!(said(json!({ "name": "dbg", "image": "x", "targetContainerName": "app" })), [""; 0]);
        assert_eq!(
            said(json!({ "name": "dbg", "image": "x", "targetContainerName": "no" })),
            ["spec.ephemeralContainers[0].targetContainerName: Not found: \"no\""]
        );
        assert_eq!(
            said(json!({ "name": "app", "image": "x" })),
            ["spec.ephemeralContainers[0].name: Duplicate value: \"app\""]
        );
        assert_eq!(
            said(json!({ "name": "dbg", "image": "x", "resources": { "limits": { "cpu": "1" } } })),
            ["spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container"]
        );
        assert_eq!(said(json!({ "name": "dbg" })), ["spec.ephemeralContainers[0].image: Required value"]);
        assert!(said(json!({ "name": "Dbg", "image": "x" }))[0].contains("RFC 1123"));
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let old = json!([{ "name": "dbg", "image": "x" }]);
        assert!(words(&old, &json!([]))[0].contains("may not be removed"));
        assert!(words(&old, &json!([{ "name": "dbg", "image": "y" }]))[0].contains("may not be changed"));
    }

    #[test]
    fn nothing_but_the_list_changes() {
        let mut asked = pod(&json!([{ "name": "dbg", "image": "x" }]));
        asked["spec"]["hostPID"] = json!(true);
        let new = changed(&pod(&json!([])), &asked);
        assert_eq!(new["spec"]["hostPID"], Value::Null);
        assert_eq!(new["spec"]["ephemeralContainers"][0]["imagePullPolicy"], "Always");
    }
}

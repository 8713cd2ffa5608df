//! Pod Security Admission: what the label of a namespace lets a pod be. Every container counts, old ones too.

use serde_json::Value;

/// The label that says which level is enforced.
const LABEL: &str = "pod-security.kubernetes.io/enforce";
/// What `baseline` lets be added.
const HARMLESS: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// The volumes that `restricted` lets be.
const VOLUMES: [&str; 7] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected"];

/// Why a pod may not be so in its namespace, if it may not.
#[must_use]
pub fn violation(namespace: &Value, pod: &Value) -> Option<String> {
    let level = namespace["metadata"]["labels"][LABEL].as_str()?;
    let found = match level {
        "baseline" => baseline(pod, false),
        "restricted" => [baseline(pod, true), restricted(pod)].concat(),
        _ => return None,
    };
    (!found.is_empty()).then(|| format!("violates PodSecurity \"{level}:latest\": {}", found.join(", ")))
}

/// Every container of a pod, of all three sorts.
fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|list| pod["spec"][list].as_array().map_or(&[][..], Vec::as_slice))
}

/// The names of the containers of which this holds.
fn names(pod: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let found = containers(pod).filter(|container| holds(&container["securityContext"]));
    found.map(|container| format!("\"{}\"", container["name"].as_str().unwrap_or_default())).collect()
}

/// `container "a"` or `containers "a", "b"`.
fn noun(names: &[String]) -> String {
    format!("{} {}", if names.len() == 1 { "container" } else { "containers" }, names.join(", "))
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().map_or_else(Vec::new, |list| list.iter().filter_map(Value::as_str).collect())
}

fn baseline(pod: &Value, and_more: bool) -> Vec<String> {
    let mut found = Vec::new();
    let host: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|name| pod["spec"][name] == true)
        .map(|name| format!("{name}=true"))
        .collect();
    if !host.is_empty() {
        found.push(format!("host namespaces ({})", host.join(", ")));
    }
    let paths: Vec<String> = pod["spec"]["volumes"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|volume| volume.get("hostPath").is_some())
        .map(|volume| format!("\"{}\"", volume["name"].as_str().unwrap_or_default()))
        .collect();
    if !paths.is_empty() {
        let noun = if paths.len() == 1 { "volume" } else { "volumes" };
        found.push(format!("hostPath volumes ({noun} {})", paths.join(", ")));
    }
    let privileged = names(pod, |context| context["privileged"] == true);
    if !privileged.is_empty() {
        found.push(format!("privileged ({} must not set securityContext.privileged=true)", noun(&privileged)));
    }
    if !and_more {
        let (who, which) = added(pod, &HARMLESS);
        if !who.is_empty() {
            let said = format!("{} must not include {which} in securityContext.capabilities.add", noun(&who));
            found.push(format!("non-default capabilities ({said})"));
        }
        let unconfined = names(pod, |context| context["seccompProfile"]["type"] == "Unconfined");
        if !unconfined.is_empty() {
            let said = "must not set securityContext.seccompProfile.type to \"Unconfined\"";
            found.push(format!("seccompProfile ({} {said})", noun(&unconfined)));
        }
    }
    found
}

/// Who adds a capability that is not one of these, and which.
fn added(pod: &Value, allowed: &[&str]) -> (Vec<String>, String) {
    let mut which: Vec<String> = Vec::new();
    for container in containers(pod) {
        for name in words(&container["securityContext"]["capabilities"]["add"]) {
            let quoted = format!("\"{name}\"");
            if !allowed.contains(&name) && !which.contains(&quoted) {
                which.push(quoted);
            }
        }
    }
    let adds = |context: &Value| words(&context["capabilities"]["add"]).iter().any(|name| !allowed.contains(name));
    which.sort();
    (names(pod, adds), which.join(", "))
}

fn restricted(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let gains = names(pod, |context| context["allowPrivilegeEscalation"] != false);
    if !gains.is_empty() {
        let said = format!("{} must set securityContext.allowPrivilegeEscalation=false", noun(&gains));
        found.push(format!("allowPrivilegeEscalation != false ({said})"));
    }
    found.extend(capabilities(pod));
    found.extend(volumes(pod));
    let whole = &pod["spec"]["securityContext"];
    found.extend(run_as(pod, whole));
    let kind = |context: &Value| context["seccompProfile"]["type"].as_str().map(str::to_owned);
    let good = |kind: Option<String>| kind.is_some_and(|kind| kind == "RuntimeDefault" || kind == "Localhost");
    let bad = names(pod, |context| kind(context).is_some() && !good(kind(context)));
    let unset = names(pod, |context| kind(context).is_none() && !good(kind(whole)));
    let said = "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"";
    if !bad.is_empty() {
        found.push(format!("seccompProfile ({} must set {said})", noun(&bad)));
    } else if !unset.is_empty() {
        found.push(format!("seccompProfile (pod or {} must set {said})", noun(&unset)));
    }
    found
}

fn capabilities(pod: &Value) -> Option<String> {
    let kept = names(pod, |context| !words(&context["capabilities"]["drop"]).contains(&"ALL"));
    let (who, which) = added(pod, &["NET_BIND_SERVICE"]);
    let mut said = Vec::new();
    if !kept.is_empty() {
        said.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", noun(&kept)));
    }
    if !who.is_empty() {
        said.push(format!("{} must not include {which} in securityContext.capabilities.add", noun(&who)));
    }
    (!said.is_empty()).then(|| format!("unrestricted capabilities ({})", said.join("; ")))
}

fn volumes(pod: &Value) -> Option<String> {
    let list = pod["spec"]["volumes"].as_array().map_or(&[][..], Vec::as_slice);
    let sort = |volume: &Value| volume.as_object()?.keys().find(|key| *key != "name").cloned();
    let bad: Vec<(String, String)> = list
        .iter()
        .filter_map(|volume| Some((volume["name"].as_str()?.to_owned(), sort(volume)?)))
        .filter(|(_, sort)| !VOLUMES.contains(&sort.as_str()))
        .collect();
    let quoted = |word: &String| format!("\"{word}\"");
    let who: Vec<String> = bad.iter().map(|(name, _)| quoted(name)).collect();
    let which: Vec<String> = bad.iter().map(|(_, sort)| quoted(sort)).collect();
    let noun = if who.len() == 1 { "volume" } else { "volumes" };
    let (who, which) = (who.join(", "), which.join(", "));
    let said = format!("restricted volume types ({noun} {who} uses restricted volume type {which})");
    (!bad.is_empty()).then_some(said)
}

fn run_as(pod: &Value, whole: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let root = names(pod, |context| context["runAsNonRoot"] == false);
    let unset = names(pod, |context| context["runAsNonRoot"].is_null() && whole["runAsNonRoot"] != true);
    let mut said = Vec::new();
    if whole["runAsNonRoot"] == false {
        said.push("pod must not set securityContext.runAsNonRoot=false".to_owned());
    }
    if !root.is_empty() {
        said.push(format!("{} must not set securityContext.runAsNonRoot=false", noun(&root)));
    }
    if said.is_empty() && !unset.is_empty() {
        said.push(format!("pod or {} must set securityContext.runAsNonRoot=true", noun(&unset)));
    }
    if !said.is_empty() {
        found.push(format!("runAsNonRoot != true ({})", said.join("; ")));
    }
    let zero = names(pod, |context| context["runAsUser"] == 0);
    let mut said = Vec::new();
    if whole["runAsUser"] == 0 {
        said.push("pod must not set runAsUser=0".to_owned());
    }
    if !zero.is_empty() {
        said.push(format!("{} must not set runAsUser=0", noun(&zero)));
    }
    if !said.is_empty() {
        found.push(format!("runAsUser=0 ({})", said.join("; ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(level: &str, containers: &Value, later: &Value) -> Option<String> {
        let namespace = json!({ "metadata": { "labels": { LABEL: level } } });
        violation(&namespace, &json!({ "spec": { "containers": containers, "ephemeralContainers": later } }))
    }

    fn good() -> Value {
        json!({ "name": "app", "securityContext": {
            "runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" } } })
    }

    #[test]
    fn restricted_in_its_own_words() {
        let bare = said("restricted", &json!([{ "name": "app" }]), &json!([]));
        assert_eq!(
            bare.as_deref(),
            Some(
                "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"app\" must \
                 set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"app\" must \
                 set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"app\" must \
                 set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"app\" must set \
                 securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
            )
        );
        assert_eq!(said("restricted", &json!([good()]), &json!([])), None);
    }

    #[test]
    fn baseline_refuses_what_kubectl_adds_by_itself() {
        let tracer = json!([{ "name": "dbg", "securityContext": { "capabilities": { "add": ["SYS_PTRACE"] } } }]);
        let words = said("baseline", &json!([{ "name": "app" }]), &tracer).unwrap_or_default();
        assert!(
            words.ends_with(
                "non-default capabilities (container \"dbg\" must not include \"SYS_PTRACE\" in \
             securityContext.capabilities.add)"
            ),
            "{words}"
        );
        assert_eq!(said("baseline", &json!([{ "name": "app" }]), &json!([{ "name": "dbg" }])), None);
        assert_eq!(said("privileged", &json!([{ "name": "app" }]), &tracer), None);
    }

    #[test]
    fn one_old_container_condemns_the_pod() {
        let words = said("restricted", &json!([{ "name": "app" }]), &json!([good()])).unwrap_or_default();
        assert!(words.contains("container \"app\" must set"), "{words}");
    }
}

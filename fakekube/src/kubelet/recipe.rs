//! What the engine is told for a container of a pod.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use serde_json::Value;

use super::identity::Identity;
use super::life::Trouble;

/// Where a container goes.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The container whose network and IPC it shares.
    pub pause: &'a str,
    /// The container whose processes it shares.
    pub processes: Option<&'a str>,
    /// Where the volumes of its pod are.
    pub volumes: &'a Path,
}

fn words(list: &Value) -> Option<Vec<String>> {
    let list = list.as_array().filter(|list| !list.is_empty())?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A container of a pod, as the engine is to make it.
///
/// # Errors
/// If a volume cannot be made.
pub fn of(pod: &Value, container: &Value, who: &Identity, place: &Place<'_>) -> Result<ContainerCreateBody, Trouble> {
    let command = words(&container["command"]);
    // A command without arguments leaves no arguments of the image.
    let arguments = words(&container["args"]).or_else(|| command.as_ref().map(|_| Vec::new()));
    let env = container["env"].as_array().into_iter().flatten();
    let env =
        env.filter_map(|pair| Some(format!("{}={}", pair["name"].as_str()?, pair["value"].as_str().unwrap_or(""))));
    let body = ContainerCreateBody {
        image: container["image"].as_str().map(str::to_owned),
        entrypoint: command,
        cmd: arguments,
        env: Some(env.collect()),
        user: Some(who.user()),
        working_dir: container["workingDir"].as_str().map(str::to_owned),
        open_stdin: Some(container["stdin"] == true),
        stdin_once: Some(container["stdinOnce"] == true),
        tty: Some(container["tty"] == true),
        host_config: Some(host(pod, container, who, place)?),
        ..ContainerCreateBody::default()
    };
    Ok(body)
}

fn host(pod: &Value, container: &Value, who: &Identity, place: &Place<'_>) -> Result<HostConfig, Trouble> {
    let context = &container["securityContext"];
    let mut options = Vec::new();
    if context["allowPrivilegeEscalation"] == false {
        options.push("no-new-privileges".to_owned());
    }
    let own = &context["seccompProfile"]["type"];
    let profile = if own.is_null() { &pod["spec"]["securityContext"]["seccompProfile"]["type"] } else { own };
    // Without a word, the kubelet filters nothing.
    if profile.is_null() || profile == "Unconfined" {
        options.push("seccomp=unconfined".to_owned());
    }
    let log = HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None };
    Ok(HostConfig {
        network_mode: Some(format!("container:{}", place.pause)),
        ipc_mode: Some(format!("container:{}", place.pause)),
        pid_mode: place.processes.map(|id| format!("container:{id}")),
        cap_add: words(&context["capabilities"]["add"]),
        cap_drop: words(&context["capabilities"]["drop"]),
        group_add: Some(who.groups.iter().map(ToString::to_string).collect()),
        privileged: Some(context["privileged"] == true),
        readonly_rootfs: Some(context["readOnlyRootFilesystem"] == true),
        security_opt: Some(options),
        binds: Some(binds(pod, container, place.volumes)?),
        log_config: Some(log),
        ..HostConfig::default()
    })
}

/// Its volumes. Only those that are empty at first are known.
fn binds(pod: &Value, container: &Value, folder: &Path) -> Result<Vec<String>, Trouble> {
    let mut binds = Vec::new();
    for mount in container["volumeMounts"].as_array().into_iter().flatten() {
        let name = mount["name"].as_str().unwrap_or_default();
        let known = pod["spec"]["volumes"].as_array().into_iter().flatten();
        let empty = known.filter(|volume| volume["name"] == name).any(|volume| volume.get("emptyDir").is_some());
        if !empty {
            let message = format!("the volume \"{name}\" is not an emptyDir: this server knows no others");
            return Err(Trouble::new("CreateContainerConfigError", message));
        }
        let source = folder.join(name);
        let done =
            fs::create_dir_all(&source).and_then(|()| fs::set_permissions(&source, fs::Permissions::from_mode(0o777)));
        done.map_err(|error| Trouble::new("CreateContainerConfigError", format!("the volume \"{name}\": {error}")))?;
        let mode = if mount["readOnly"] == true { "ro" } else { "rw" };
        binds.push(format!("{}:{}:{mode}", source.display(), mount["mountPath"].as_str().unwrap_or_default()));
    }
    Ok(binds)
}

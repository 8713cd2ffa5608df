//! What an engine says of itself.

use bollard::query_parameters::AttachContainerOptionsBuilder;
use serde::Deserialize;

use super::{Docker, Error};

/// The id of no container: ids are hashes.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an engine says of itself. All of it is its own word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Whether it is Podman.
    pub podman: bool,
    /// Its version.
    pub version: String,
    /// The newest API version it speaks.
    pub api: String,
    /// Whether it runs without root.
    pub rootless: bool,
    /// The version of its cgroups (`1` or `2`), where it says so.
    pub cgroups: Option<String>,
    /// Who makes its cgroups (`cgroupfs`, `systemd`), where it says so.
    pub cgroup_driver: Option<String>,
    /// The kernel it runs on.
    pub kernel: String,
    /// What confines its containers: `seccomp`, `apparmor`, `selinux`.
    pub security: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Build {
    version: String,
    api_version: String,
    kernel_version: String,
    arch: String,
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Info {
    cgroup_version: Option<String>,
    cgroup_driver: Option<String>,
    security_options: Option<Vec<String>>,
    /// Podman's own.
    rootless: bool,
}

impl About {
    fn new(version: Build, info: Info) -> Self {
        let known = |text: &String| !text.is_empty();
        let options = info.security_options.unwrap_or_default();
        // `name=seccomp,profile=default`
        let names: Vec<_> = options
            .iter()
            .map(|option| option.split(',').next().unwrap_or_default())
            .map(|option| option.strip_prefix("name=").unwrap_or(option).to_owned())
            .collect();
        let rootless = info.rootless || names.iter().any(|name| name == "rootless");
        Self {
            podman: version.components.iter().any(|component| component.name.contains("Podman")),
            version: version.version,
            api: version.api_version,
            rootless,
            cgroups: info.cgroup_version.filter(known),
            cgroup_driver: info.cgroup_driver.filter(known),
            kernel: version.kernel_version,
            security: names
                .into_iter()
                .filter(|name| ["seccomp", "apparmor", "selinux"].contains(&name.as_str()))
                .collect(),
        }
    }
}

impl Docker {
    /// Asks the engine about itself.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn about(&self) -> Result<About, Error> {
        let version: Build = self.transport.json("/version", "tell its version").await?;
        // A proxy before it may let less through.
        let info = match self.transport.json("/info", "tell about itself").await {
            Err(Error::Refused { .. }) => Info::default(),
            answer => answer?,
        };
        Ok(About::new(version, info))
    }

    /// What kind of machine it runs programs of, as Go names it: `amd64`, `arm64`.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn architecture(&self) -> Result<String, Error> {
        let version: Build = self.transport.json("/version", "tell its version").await?;
        Ok(version.arch)
    }

    /// Whether it takes requests that change something: a proxy before it may let questions through alone. It is asked for
    /// a stream of a container that cannot be there, so nothing is changed.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn takes_orders(&self) -> Result<bool, Error> {
        let options = AttachContainerOptionsBuilder::default().stream(true).build();
        let asked = self.bollard.attach_container(NOBODY, Some(options)).await;
        match asked.map_err(|error| self.failed("attach to a container", error)) {
            Err(Error::Refused { status: 401 | 403 | 405 | 501, .. }) => Ok(false),
            Ok(_) | Err(Error::Refused { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_say_who_they_are() {
        let docker = r#"{"Version":"20.10.24","ApiVersion":"1.41","KernelVersion":"6.1.0","Components":[{"Name":"Engine"},{"Name":"runc"}]}"#;
        let podman = r#"{"Version":"4.3.1","ApiVersion":"1.41","KernelVersion":"6.1.0","Components":[{"Name":"Podman Engine"}]}"#;
        for (version, info, shown) in [
            (
                docker,
                r#"{"CgroupVersion":"2","CgroupDriver":"systemd","SecurityOptions":["name=apparmor","name=seccomp,profile=default"]}"#,
                (false, "20.10.24", false, Some("2"), Some("systemd"), "apparmor seccomp"),
            ),
            (
                docker,
                r#"{"CgroupVersion":"2","CgroupDriver":"none","SecurityOptions":["name=rootless","name=cgroupns"]}"#,
                (false, "20.10.24", true, Some("2"), Some("none"), ""),
            ),
            (podman, r#"{"Rootless":true,"SecurityOptions":null}"#, (true, "4.3.1", true, None, None, "")),
            // One that says nothing: before API 1.41, or behind a proxy.
            ("{}", r#"{"CgroupDriver":""}"#, (false, "", false, None, None, "")),
        ] {
            let about = About::new(serde_json::from_str(version).unwrap(), serde_json::from_str(info).unwrap());
            let security = about.security.join(" ");
            let (cgroups, driver) = (about.cgroups.as_deref(), about.cgroup_driver.as_deref());
            assert_eq!(
                (about.podman, about.version.as_str(), about.rootless, cgroups, driver, security.as_str()),
                shown,
                "{info}"
            );
        }
    }
}

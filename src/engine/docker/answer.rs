//! What the engine answers, and what it means here.
//!
//! These are views of the API's documents with the few fields that are used, all of them optional. bollard's own
//! models are exact, so that one state they do not know (`stopped` of some Podman versions) or one field
//! of another type makes the whole list unreadable.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use crate::engine::health::HealthCheck;
use crate::engine::{Container, Mount, Port, State, Summary};
use crate::logs::time;
use crate::target::HostPid;

/// Reads a value, or takes its default if it is `null` or of another type.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Good(T),
        Other(IgnoredAny),
    }
    Ok(match Either::deserialize(from)? {
        Either::Good(value) => value,
        Either::Other(_) => T::default(),
    })
}

/// One element of `GET /containers/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Listed {
    #[serde(deserialize_with = "lenient")]
    id: String,
    #[serde(deserialize_with = "lenient")]
    names: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    image: String,
    #[serde(deserialize_with = "lenient")]
    state: String,
    #[serde(deserialize_with = "lenient")]
    status: String,
    #[serde(deserialize_with = "lenient")]
    created: i64,
    #[serde(deserialize_with = "lenient")]
    command: String,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, String>,
}

impl Listed {
    /// What it means. `None` without an id: then nothing could be asked of it.
    pub fn summary(self) -> Option<Summary> {
        if self.id.is_empty() {
            return None;
        }
        // A linked container also goes by `/other/alias`; its own name has one slash.
        let names = || self.names.iter().map(|name| name.trim_start_matches('/'));
        let name = names().find(|name| !name.contains('/')).or_else(|| names().next()).unwrap_or_default();
        Some(Summary {
            name: if name.is_empty() { self.id.chars().take(12).collect() } else { name.to_owned() },
            image: self.image,
            state: state(&self.state, false),
            status: self.status,
            created: u64::try_from(self.created).ok().filter(|&at| at > 0).and_then(from_epoch),
            command: self.command,
            labels: self.labels.into_iter().collect(),
            id: self.id,
        })
    }
}

/// `GET /containers/ID/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspected {
    #[serde(deserialize_with = "lenient")]
    id: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    image: String,
    #[serde(deserialize_with = "lenient")]
    created: String,
    #[serde(deserialize_with = "lenient")]
    path: String,
    #[serde(deserialize_with = "lenient")]
    args: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    restart_count: u64,
    #[serde(deserialize_with = "lenient")]
    state: InspectedState,
    #[serde(deserialize_with = "lenient")]
    config: Config,
    #[serde(deserialize_with = "lenient")]
    host_config: HostConfig,
    #[serde(deserialize_with = "lenient")]
    network_settings: NetworkSettings,
    #[serde(deserialize_with = "lenient")]
    mounts: Vec<MountPoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedState {
    #[serde(deserialize_with = "lenient")]
    status: String,
    #[serde(deserialize_with = "lenient")]
    running: bool,
    #[serde(deserialize_with = "lenient")]
    pid: i64,
    #[serde(deserialize_with = "lenient")]
    exit_code: Option<i64>,
    #[serde(rename = "OOMKilled", deserialize_with = "lenient")]
    oom_killed: bool,
    #[serde(deserialize_with = "lenient")]
    started_at: String,
    #[serde(deserialize_with = "lenient")]
    finished_at: String,
    #[serde(deserialize_with = "lenient")]
    health: Health,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Health {
    #[serde(deserialize_with = "lenient")]
    status: String,
    #[serde(deserialize_with = "lenient")]
    failing_streak: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    #[serde(deserialize_with = "lenient")]
    image: String,
    #[serde(deserialize_with = "lenient")]
    user: String,
    #[serde(deserialize_with = "lenient")]
    tty: bool,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    healthcheck: Check,
}

/// Times are in nanoseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Check {
    #[serde(deserialize_with = "lenient")]
    test: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    interval: i64,
    #[serde(deserialize_with = "lenient")]
    timeout: i64,
    #[serde(deserialize_with = "lenient")]
    retries: i64,
    #[serde(deserialize_with = "lenient")]
    start_period: i64,
}

impl Check {
    /// What it means. `NONE` switches off what the image has.
    fn health_check(&self, failing: i64) -> Option<HealthCheck> {
        let first = self.test.first().filter(|first| *first != "NONE");
        first.map(|_| HealthCheck::new(self.interval, self.timeout, self.retries, self.start_period, failing))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    #[serde(deserialize_with = "lenient")]
    readonly_rootfs: bool,
    #[serde(deserialize_with = "lenient")]
    privileged: bool,
    #[serde(deserialize_with = "lenient")]
    cap_add: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    memory: i64,
    #[serde(deserialize_with = "lenient")]
    network_mode: String,
    #[serde(deserialize_with = "lenient")]
    pid_mode: String,
    #[serde(deserialize_with = "lenient")]
    userns_mode: String,
    #[serde(deserialize_with = "lenient")]
    log_config: LogConfig,
}

/// Docker keeps a capability as it was typed, Podman with its prefix.
fn is_tracing(capability: &str) -> bool {
    let name = capability.to_ascii_uppercase();
    matches!(name.trim_start_matches("CAP_"), "SYS_PTRACE" | "ALL")
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "lenient")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    #[serde(deserialize_with = "lenient")]
    ports: BTreeMap<String, Option<Vec<Binding>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Binding {
    #[serde(deserialize_with = "lenient")]
    host_ip: String,
    #[serde(deserialize_with = "lenient")]
    host_port: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MountPoint {
    #[serde(rename = "Type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    source: String,
    #[serde(deserialize_with = "lenient")]
    destination: String,
    #[serde(rename = "RW", deserialize_with = "lenient")]
    rw: bool,
}

impl Inspected {
    /// What it means. `None` if it is no container at all.
    pub fn container(self) -> Option<Container> {
        if self.id.is_empty() {
            return None;
        }
        let state = state(&self.state.status, self.state.running);
        let alive = matches!(state, State::Running | State::Paused);
        let ended = !alive && state != State::Created;
        let name = self.name.trim_start_matches('/');
        let pid = i32::try_from(self.state.pid).ok().filter(|&pid| alive && pid > 0);
        Some(Container {
            name: if name.is_empty() { self.id.chars().take(12).collect() } else { name.to_owned() },
            image: if self.config.image.is_empty() { self.image.clone() } else { self.config.image },
            image_id: self.image,
            state,
            pid: pid.map(HostPid),
            engine_pid: pid,
            exit_code: self.state.exit_code.filter(|_| ended),
            oom_killed: self.state.oom_killed,
            created: moment(&self.created),
            started: moment(&self.state.started_at),
            finished: moment(&self.state.finished_at),
            restarts: self.restart_count,
            command: Some(self.path).filter(|path| !path.is_empty()).into_iter().chain(self.args).collect(),
            user: self.config.user,
            tty: self.config.tty,
            read_only: self.host_config.readonly_rootfs,
            privileged: self.host_config.privileged,
            may_trace: self.host_config.cap_add.iter().any(|name| is_tracing(name)),
            log_driver: self.host_config.log_config.kind,
            health_check: self.config.healthcheck.health_check(self.state.health.failing_streak),
            health: Some(self.state.health.status).filter(|health| !matches!(health.as_str(), "" | "none")),
            network_mode: self.host_config.network_mode,
            pid_mode: self.host_config.pid_mode,
            userns_mode: self.host_config.userns_mode,
            ports: ports(self.network_settings.ports),
            memory_limit: u64::try_from(self.host_config.memory).ok().filter(|&limit| limit > 0),
            labels: self.config.labels.into_iter().collect(),
            mounts: self.mounts.into_iter().map(mount).collect(),
            id: self.id,
        })
    }
}

/// Docker's words, and Podman's for the same. An unknown one counts as running if the engine says so.
fn state(word: &str, running: bool) -> State {
    match word {
        "running" | "stopping" => State::Running,
        "paused" => State::Paused,
        "created" | "configured" | "initialized" => State::Created,
        "restarting" => State::Restarting,
        "removing" => State::Removing,
        "dead" => State::Dead,
        _ if running => State::Running,
        _ => State::Exited,
    }
}

fn ports(map: BTreeMap<String, Option<Vec<Binding>>>) -> Vec<Port> {
    let mut ports = Vec::new();
    for (key, bindings) in map {
        let (number, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let Ok(container_port) = number.parse() else { continue };
        let port = Port { container_port, protocol: protocol.to_owned(), host_ip: None, host_port: None };
        match bindings {
            Some(bindings) if !bindings.is_empty() => ports.extend(bindings.into_iter().map(|binding| Port {
                host_ip: Some(binding.host_ip).filter(|ip| !ip.is_empty()),
                host_port: binding.host_port.parse().ok(),
                ..port.clone()
            })),
            _ => ports.push(port),
        }
    }
    ports.sort_by_key(|port| port.container_port);
    ports
}

fn mount(mount: MountPoint) -> Mount {
    let source = if mount.kind == "volume" && !mount.name.is_empty() { mount.name } else { mount.source };
    Mount { kind: mount.kind, source, destination: mount.destination, read_write: mount.rw }
}

/// A time as the API writes it. Go's zero time, which means never, is before all that can be read.
fn moment(text: &str) -> Option<SystemTime> {
    time::parse(text.as_bytes()).filter(|&time| time > UNIX_EPOCH)
}

fn from_epoch(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_container() {
        let text = r#"{"Id":"abc","Name":"/web","Image":"sha256:1","Created":"2026-11-23T08:00:00.5Z","Path":"/app","Args":["-v"],
            "RestartCount":3,"GraphDriver":{"Data":null},"State":{"Status":"running","Running":true,"Pid":4711,"ExitCode":0,
            "OOMKilled":false,"StartedAt":"2026-11-23T08:00:01Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"healthy","FailingStreak":1}},
            "Config":{"Image":"web:1","User":"65532","Tty":true,"Healthcheck":{"Test":["CMD","/app","-health"],"Interval":5000000000,"Timeout":2000000000,"Retries":4},
            "Labels":{"b":"2","a":"1"}},
            "HostConfig":{"ReadonlyRootfs":true,"Privileged":false,"CapAdd":["CAP_SYS_PTRACE"],"Memory":1048576,"NetworkMode":"bridge","LogConfig":{"Type":"json-file"}},
            "NetworkSettings":{"Ports":{"8080/tcp":[{"HostIp":"0.0.0.0","HostPort":"80"}],"53/udp":null}},
            "Mounts":[{"Type":"volume","Name":"data","Source":"/var/lib/x","Destination":"/data","RW":true}]}"#;
        let container = serde_json::from_str::<Inspected>(text).unwrap().container().unwrap();
        insta::assert_debug_snapshot!(container);
    }

    #[test]
    fn an_empty_answer_and_one_of_wrong_types() {
        assert!(serde_json::from_str::<Inspected>("{}").unwrap().container().is_none());
        let text = r#"{"Id":"abc","Name":null,"Args":null,"State":{"Status":"stopped","Pid":-1,"ExitCode":2,"FinishedAt":"x"},
            "Config":"?","HostConfig":{"Memory":"much","LogConfig":[]},"NetworkSettings":{"Ports":{"x":null}},"Mounts":{}}"#;
        let container = serde_json::from_str::<Inspected>(text).unwrap().container().unwrap();
        assert_eq!((container.name.as_str(), container.state, container.pid), ("abc", State::Exited, None));
        assert_eq!((container.exit_code, container.memory_limit), (Some(2), None));
    }

    #[test]
    fn what_is_not_checked_has_no_check() {
        for check in ["null", "{}", r#"{"Test":null}"#, r#"{"Test":[]}"#, r#"{"Test":["NONE"],"Interval":5}"#, "7"] {
            let text = format!(r#"{{"Id":"abc","Config":{{"Healthcheck":{check}}}}}"#);
            let container = serde_json::from_str::<Inspected>(&text).unwrap().container().unwrap();
            assert_eq!(container.health_check, None, "{check}");
        }
        let text = r#"{"Id":"abc","Config":{"Healthcheck":{"Test":["CMD-SHELL","x"],"Interval":"soon","Retries":-3}}}"#;
        let container = serde_json::from_str::<Inspected>(text).unwrap().container().unwrap();
        assert_eq!(container.health_check, Some(HealthCheck::new(0, 0, 0, 0, 0)));
    }

    #[test]
    fn podmans_times_have_offsets() {
        let text =
            r#"{"Id":"abc","Created":"2026-11-23T10:00:00.123456789+02:00","State":{"Status":"running","Pid":7}}"#;
        let container = serde_json::from_str::<Inspected>(text).unwrap().container().unwrap();
        let created = container.created.unwrap();
        assert_eq!(humantime::format_rfc3339_nanos(created).to_string(), "2026-11-23T08:00:00.123456789Z");
    }

    #[test]
    fn one_odd_container_does_not_hide_the_others() {
        let text = r#"[{"Id":"a","Names":["/other/alias","/one"],"State":"running","Created":1700000000,"Labels":null},
            {"Id":"b","Names":null,"State":"a new one","Created":-5},{"Names":["/no-id"]},{"Id":"c","Names":"?","State":7}]"#;
        let listed: Vec<Listed> = serde_json::from_str(text).unwrap();
        let list: Vec<_> = listed.into_iter().filter_map(Listed::summary).map(|one| (one.name, one.state)).collect();
        let expected = [("one", State::Running), ("b", State::Exited), ("c", State::Exited)];
        assert_eq!(list, expected.map(|(name, state)| (name.to_owned(), state)));
    }
}

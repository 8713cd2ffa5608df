//! A container of a pod: what the cluster tells of it.

use super::copy::Copied;
use super::error::Error;
use super::wire;
use crate::engine::{Container, Mount, Port, State};
use crate::logs::time;

/// The container that is meant where none is named (KEP-2227).
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// What a kubelet makes of a file of its own has this.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// A variable of what we add, which is there if it is left to others: it is all that is remembered of it.
pub const KEPT: &str = "SCRATCHDBG_KEPT";

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Where it is.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's own number: another pod of the same name has another.
    pub uid: String,
    /// The container's name in the pod.
    pub name: String,
    /// Where it runs.
    pub node: Option<String>,
    /// The container as engines tell of theirs, as far as a cluster does. It is named by namespace, pod and itself.
    pub container: Container,
    /// Who its first process is.
    pub user: User,
    /// What was added to its rights and what was taken away.
    pub added: Vec<String>,
    /// See there.
    pub dropped: Vec<String>,
    /// Whose processes are seen by who shares its own.
    pub processes: Processes,
    /// Why no container can be added to the pod, if that is known beforehand.
    pub closed: Option<Closed>,
    /// Whether it has ended for good: nothing is run in the pod again.
    pub over: bool,
    /// What it says of itself if it is a copy of another one, in which the program does not run.
    pub copy: Option<Copied>,
    /// What was added to the pod before: by us, or by others.
    pub ephemeral: Vec<Ephemeral>,
    /// What the log of an earlier run is asked for with.
    pub ran_before: bool,
    /// Why it does not run, in the kubelet's words, if it does not.
    pub trouble: Option<String>,
}

/// Who a process is, as far as a cluster tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// The kubelet says so (from Kubernetes 1.33 on).
    Told {
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// The pod asks for it. An image's group is not used by Kubernetes, but a user's from the image's own list is.
    Asked {
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Its image says, which nobody tells us.
    OfImage,
}

impl User {
    /// The numbers, if there are any.
    #[must_use]
    pub fn ids(self) -> Option<(u32, u32)> {
        match self {
            Self::Told { uid, gid } | Self::Asked { uid, gid } => Some((uid, gid)),
            Self::OfImage => None,
        }
    }
}

/// Whose processes are seen by who shares a container's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processes {
    /// Its own: the first has number 1.
    Own,
    /// Those of all containers of the pod.
    OfPod,
    /// Those of the node.
    OfNode,
}

/// Why no container can be added to a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// A file on the node says that it is there, and no API.
    Static,
    /// It is for Windows.
    Windows,
    /// It is being deleted.
    Deleted,
}

/// A container that was added to a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ephemeral {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whose processes it sees.
    pub target: Option<String>,
    /// Whether who added it left it to others, and to nobody's end but its own.
    pub kept: bool,
    /// Who it runs as, and with which rights.
    pub security: wire::SecurityContext,
    /// What it does.
    pub state: Standing,
}

/// What a container that was added does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The kubelet has said nothing yet.
    Untold,
    /// It waits.
    Waiting(wire::Waiting),
    /// It runs.
    Running,
    /// It has ended.
    Ended {
        /// Its exit status.
        code: i64,
        /// Why, in the kubelet's words.
        why: String,
    },
}

impl Standing {
    pub(super) fn of(status: Option<&wire::ContainerStatus>) -> Self {
        match status.map(|status| &status.state) {
            Some(wire::State { running: Some(_), .. }) => Self::Running,
            Some(wire::State { terminated: Some(ended), .. }) => {
                Self::Ended { code: ended.exit_code, why: words(&ended.reason, &ended.message) }
            }
            Some(wire::State { waiting: Some(waiting), .. }) => Self::Waiting(waiting.clone()),
            _ => Self::Untold,
        }
    }
}

impl Pod {
    /// One container of a pod: the one that is named, else the pod's default, else its only one.
    ///
    /// # Errors
    /// If there is no such container, or none can be chosen.
    pub fn of(pod: &wire::Pod, named: Option<&str>) -> Result<Self, Error> {
        let wire::Pod { metadata, spec, status } = pod;
        let of_pod = || format!("{}/{}", metadata.namespace, metadata.name);
        let there = || spec.containers.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let by_name = |name: &str| spec.containers.iter().chain(&spec.init_containers).find(|one| one.name == name);
        let named = named.or_else(|| metadata.annotations.get(DEFAULT_CONTAINER).map(String::as_str));
        let chosen = match (named, spec.containers.as_slice()) {
            (Some(name), _) => by_name(name).ok_or_else(|| Error::NoContainer {
                pod: of_pod(),
                name: name.to_owned(),
                there: there(),
            })?,
            (None, [only]) => only,
            (None, _) => return Err(Error::WhichContainer { pod: of_pod(), there: there() }),
        };
        let statuses = status.container_statuses.iter().chain(&status.init_container_statuses);
        let told = statuses.clone().find(|one| one.name == chosen.name).cloned().unwrap_or_default();
        let rights = &chosen.security_context;
        let added = |one: &wire::Container| Ephemeral {
            name: one.name.clone(),
            image: one.image.clone(),
            target: one.target_container_name.clone(),
            kept: one.env.iter().any(|one| one.name == KEPT),
            security: one.security_context.clone(),
            state: Standing::of(status.ephemeral_container_statuses.iter().find(|status| status.name == one.name)),
        };
        let user = user(&told, rights, &spec.security_context);
        Ok(Self {
            namespace: metadata.namespace.clone(),
            pod: metadata.name.clone(),
            uid: metadata.uid.clone(),
            name: chosen.name.clone(),
            node: spec.node_name.clone(),
            container: container(pod, chosen, &told, user),
            user,
            added: rights.capabilities.add.clone(),
            dropped: rights.capabilities.drop.clone(),
            processes: match (spec.host_pid, spec.share_process_namespace) {
                (Some(true), _) => Processes::OfNode,
                (_, Some(true)) => Processes::OfPod,
                _ => Processes::Own,
            },
            closed: match () {
                () if metadata.annotations.contains_key(MIRROR) => Some(Closed::Static),
                () if spec.os.name == "windows" => Some(Closed::Windows),
                () if metadata.deletion_timestamp.is_some() => Some(Closed::Deleted),
                () => None,
            },
            over: matches!(status.phase.as_str(), "Succeeded" | "Failed"),
            copy: Copied::of(pod),
            ephemeral: spec.ephemeral_containers.iter().map(added).collect(),
            ran_before: told.last_state.terminated.is_some(),
            trouble: trouble(status, &told),
        })
    }

    /// Whether there is a process to look at.
    ///
    /// # Errors
    /// [`Error::NotRunning`] with what became of it.
    pub fn running(&self) -> Result<(), Error> {
        match self.container.state {
            State::Running | State::Paused => Ok(()),
            _ => Err(Error::NotRunning {
                name: self.container.name.clone(),
                why: self.trouble.clone().unwrap_or_else(|| "the cluster does not tell why".to_owned()),
                ran: self.ran_before,
            }),
        }
    }

    /// Whether this is still the run that it was `before`.
    #[must_use]
    pub fn is_same_run(&self, before: &Self) -> bool {
        self.uid == before.uid && self.container.id == before.container.id
    }

    /// The container of that name among those that were added.
    #[must_use]
    pub fn added(&self, name: &str) -> Option<&Ephemeral> {
        self.ephemeral.iter().find(|one| one.name == name)
    }
}

fn user(told: &wire::ContainerStatus, rights: &wire::SecurityContext, of_pod: &wire::SecurityContext) -> User {
    if let Some(linux) = &told.user.linux {
        return User::Told { uid: linux.uid, gid: linux.gid };
    }
    match rights.run_as_user.or(of_pod.run_as_user) {
        Some(uid) => User::Asked { uid, gid: rights.run_as_group.or(of_pod.run_as_group).unwrap_or(0) },
        None => User::OfImage,
    }
}

/// Why a container does not run, if it does not.
fn trouble(status: &wire::PodStatus, told: &wire::ContainerStatus) -> Option<String> {
    if told.state.running.is_some() && !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
        return None;
    }
    let of_pod = || match (&status.reason, status.phase.as_str()) {
        (Some(reason), phase) => format!("its pod is {phase} ({reason})"),
        (None, "Succeeded") => "its pod has done what it was for".to_owned(),
        (None, "Failed") => "its pod has failed".to_owned(),
        (None, "Pending") => "its pod waits to be started".to_owned(),
        (None, phase) => format!("its pod is {phase}"),
    };
    let ended = |ended: &wire::Terminated| {
        let why = words(&ended.reason, &ended.message);
        format!("ended with status {} ({why})", ended.exit_code)
    };
    Some(match (&told.state, &told.last_state.terminated) {
        (wire::State { waiting: Some(waiting), .. }, Some(last)) => {
            format!("{}; its last run {}", words(&waiting.reason, &waiting.message), ended(last))
        }
        (wire::State { waiting: Some(waiting), .. }, None) => words(&waiting.reason, &waiting.message),
        (wire::State { terminated: Some(last), .. }, _) => format!("it {}", ended(last)),
        _ => of_pod(),
    })
}

/// A reason in a word, and what is told beside it.
#[must_use]
pub fn words(reason: &str, message: &str) -> String {
    match (reason, message.trim()) {
        ("", "") => "no reason is told".to_owned(),
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Where a container is in its life, in the words of engines.
#[must_use]
pub fn state(status: &wire::PodStatus, told: &wire::ContainerStatus) -> State {
    let over = matches!(status.phase.as_str(), "Succeeded" | "Failed");
    match &told.state {
        wire::State { running: Some(_), .. } if !over => State::Running,
        wire::State { terminated: Some(_), .. } => State::Exited,
        wire::State { .. } if over => State::Exited,
        wire::State { waiting: Some(_), .. } if told.last_state.terminated.is_some() => State::Restarting,
        _ => State::Created,
    }
}

fn container(pod: &wire::Pod, spec: &wire::Container, told: &wire::ContainerStatus, user: User) -> Container {
    let moment = |text: &Option<String>| text.as_ref().and_then(|text| time::parse(text.as_bytes()));
    let last = told.state.terminated.as_ref().or(told.last_state.terminated.as_ref());
    let id = told.container_id.as_deref().unwrap_or_default();
    let rights = &spec.security_context;
    let asks = |wanted: &str| rights.capabilities.add.iter().any(|one| one.trim_start_matches("CAP_") == wanted);
    let traces = asks("SYS_PTRACE") || asks("ALL");
    let port = |port: &wire::Port| Port {
        container_port: port.container_port,
        protocol: port.protocol.as_deref().unwrap_or("TCP").to_lowercase(),
        host_ip: None,
        host_port: port.host_port,
    };
    let mount = |mount: &wire::VolumeMount| Mount {
        kind: "volume".to_owned(),
        source: mount.name.clone(),
        destination: mount.mount_path.clone(),
        read_write: !mount.read_only,
    };
    Container {
        id: id.split_once("://").map_or(id, |(_, id)| id).to_owned(),
        name: format!("{}/{}/{}", pod.metadata.namespace, pod.metadata.name, spec.name),
        image: spec.image.clone(),
        image_id: told.image_id.clone(),
        state: state(&pod.status, told),
        pid: None,
        engine_pid: None,
        exit_code: last.map(|last| last.exit_code),
        oom_killed: last.is_some_and(|last| last.reason == "OOMKilled"),
        created: moment(&pod.metadata.creation_timestamp),
        started: told.state.running.as_ref().and_then(|running| moment(&running.started_at)),
        finished: last.and_then(|last| moment(&last.finished_at)),
        restarts: told.restart_count,
        command: spec.command.iter().chain(&spec.args).cloned().collect(),
        user: user.ids().map_or_else(|| "as its image says".to_owned(), |(uid, gid)| format!("{uid}:{gid}")),
        tty: spec.tty,
        read_only: rights.read_only_root_filesystem == Some(true),
        privileged: rights.privileged == Some(true),
        may_trace: traces,
        log_driver: "the kubelet's".to_owned(),
        health: None,
        health_check: None,
        network_mode: "pod".to_owned(),
        pid_mode: String::new(),
        userns_mode: String::new(),
        ports: spec.ports.iter().map(port).collect(),
        memory_limit: spec.resources.limits.get("memory").and_then(|text| bytes(text)),
        labels: pod.metadata.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        mounts: spec.volume_mounts.iter().map(mount).collect(),
    }
}

/// A quantity of bytes as Kubernetes writes it: `128974848`, `129M`, `123Mi`. Fractions are not read.
fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests;

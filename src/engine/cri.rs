//! The container runtime of a Kubernetes node, asked over the CRI: which process is a pod's container. containerd and CRI-O speak
//! it. Nothing is ever changed by it: with the process known, root on the node goes in by the local door.

pub mod error;
pub mod grpc;
pub mod messages;
pub mod name;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;

pub use self::error::Error;
use self::messages::{
    ContainerStatusRequest, ContainerStatusResponse, ListContainersRequest, ListContainersResponse,
    ListPodSandboxRequest, ListPodSandboxResponse, PodSandboxMetadata, VersionRequest, VersionResponse,
};
pub use self::name::Name;
use super::process;
use crate::target::HostPid;

/// The variable that names a socket, as crictl has it.
pub const VARIABLE: &str = "CONTAINER_RUNTIME_ENDPOINT";
/// Where runtimes listen: containerd, CRI-O, k3s and RKE2, k0s, MicroK8s.
const PLACES: [&str; 5] = [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
];
/// How many names an error lists.
const MOST: usize = 6;

const VERSION: &str = "/runtime.v1.RuntimeService/Version";
const LIST_PODS: &str = "/runtime.v1.RuntimeService/ListPodSandbox";
const LIST: &str = "/runtime.v1.RuntimeService/ListContainers";
const STATUS: &str = "/runtime.v1.RuntimeService/ContainerStatus";

/// Where a container is in its life, as the runtime numbers it (`ContainerState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Made, not started.
    Created,
    /// Running.
    Running,
    /// Ended.
    Exited,
    /// The runtime does not know.
    Unknown,
}

/// A runtime.
#[derive(Debug, Clone)]
pub struct Cri {
    socket: PathBuf,
}

/// A container of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its full id.
    pub id: String,
    /// Namespace of its pod.
    pub namespace: String,
    /// Its pod.
    pub pod: String,
    /// Its name in the pod.
    pub name: String,
    /// Its image, as the pod names it where the runtime tells.
    pub image: String,
    /// Where it is in its life.
    pub state: State,
    /// When it was made.
    pub created: Option<SystemTime>,
}

/// A container of a node that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What the runtime's lists say of it.
    pub listed: Listed,
    /// Its first process.
    pub pid: HostPid,
    /// When its run began.
    pub started: Option<SystemTime>,
    /// Where its runtime listens.
    pub socket: PathBuf,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Unknown => "unknown",
        })
    }
}

impl State {
    fn of_number(number: i32) -> Self {
        match number {
            0 => Self::Created,
            1 => Self::Running,
            2 => Self::Exited,
            _ => Self::Unknown,
        }
    }
}

impl Listed {
    /// What it is called as a target.
    #[must_use]
    pub fn called(&self) -> String {
        format!("cri://{}/{}/{}", self.namespace, self.pod, self.name)
    }
}

/// The sockets that may be asked: the one that is named, by the option or the variable, or else those that are there.
///
/// # Errors
/// [`Error::Address`], or [`Error::Nowhere`].
pub fn sockets(option: Option<&str>) -> Result<Vec<PathBuf>, Error> {
    let variable = std::env::var(VARIABLE).ok();
    if let Some(named) = option.or(variable.as_deref()).filter(|named| !named.is_empty()) {
        let path = Path::new(named.strip_prefix("unix://").unwrap_or(named));
        return if path.is_absolute() { Ok(vec![path.to_owned()]) } else { Err(Error::Address(named.to_owned())) };
    }
    let there: Vec<_> = PLACES.iter().map(PathBuf::from).filter(|path| path.exists()).collect();
    if there.is_empty() { Err(Error::Nowhere) } else { Ok(there) }
}

impl Cri {
    /// The first runtime of Kubernetes that answers. `option` is what `--cri-socket` says.
    ///
    /// # Errors
    /// If none does: what the first one said.
    pub async fn connect(option: Option<&str>) -> Result<Self, Error> {
        let mut first = None;
        for socket in sockets(option)? {
            let asked = VersionRequest { version: "v1".to_owned() };
            match grpc::ask::<_, VersionResponse>(&socket, VERSION, &asked).await {
                Ok(version) => {
                    let (name, number) = (version.runtime_name, version.runtime_version);
                    tracing::debug!("{name:?} {number:?} answers at {}", socket.display());
                    return Ok(Self { socket });
                }
                // Docker's own containerd is at the usual place, and is none of Kubernetes.
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or(Error::Nowhere))
    }

    /// All containers of all pods, in the order of their names.
    ///
    /// # Errors
    /// If the runtime does not answer.
    pub async fn list(&self) -> Result<Vec<Listed>, Error> {
        let (pods, containers) = futures_util::try_join!(
            grpc::ask::<_, ListPodSandboxResponse>(&self.socket, LIST_PODS, &ListPodSandboxRequest {}),
            grpc::ask::<_, ListContainersResponse>(&self.socket, LIST, &ListContainersRequest {}),
        )?;
        let pods: HashMap<String, PodSandboxMetadata> =
            pods.items.into_iter().filter_map(|pod| Some((pod.id, pod.metadata?))).collect();
        let mut all: Vec<_> = containers.containers.into_iter().filter_map(|one| listed(one, &pods)).collect();
        let key = |one: &Listed| (one.namespace.clone(), one.pod.clone(), one.name.clone(), one.created);
        all.sort_by_key(key);
        Ok(all)
    }

    /// The container that is meant, if it runs.
    ///
    /// # Errors
    /// If there is none, more than one, or it has no process on this host.
    pub async fn find(&self, name: &Name) -> Result<Node, Error> {
        let listed = choose(&self.list().await?, name)?;
        self.look(listed).await
    }

    /// What became of one that was found. Its process may be another by now.
    ///
    /// # Errors
    /// As [`Cri::find`].
    pub async fn again(before: &Node) -> Result<Node, Error> {
        Self { socket: before.socket.clone() }.look(before.listed.clone()).await
    }

    async fn look(&self, mut listed: Listed) -> Result<Node, Error> {
        let asked = ContainerStatusRequest { container_id: listed.id.clone(), verbose: true };
        let answer: ContainerStatusResponse = match grpc::ask(&self.socket, STATUS, &asked).await {
            // gRPC's NOT_FOUND
            Err(Error::Refused { status: 5, .. }) => {
                return Err(Error::NotFound { name: listed.called(), near: Vec::new() });
            }
            answer => answer?,
        };
        let status = answer.status.unwrap_or_default();
        listed.state = State::of_number(status.state);
        let name = listed.called();
        if listed.state != State::Running {
            let (exit_code, reason) = (status.exit_code, status.reason);
            return Err(Error::NotRunning { name, state: listed.state, exit_code, reason });
        }
        let started = time(status.started_at);
        // The runtime may be that of another host, or of a virtual machine.
        let pid = pid(&answer.info).filter(|&pid| process::is_of_container(pid, &listed.id, started));
        let pid = pid.ok_or(Error::NoProcess { name })?;
        Ok(Node { listed, pid, started, socket: self.socket.clone() })
    }
}

/// Of a container and its pod. Not of one whose pod is gone, or that has no name: nobody could ask for it.
fn listed(one: messages::Container, pods: &HashMap<String, PodSandboxMetadata>) -> Option<Listed> {
    let pod = pods.get(&one.pod_sandbox_id)?;
    let image = one.image.unwrap_or_default();
    let image = if image.user_specified_image.is_empty() { image.image } else { image.user_specified_image };
    Some(Listed {
        id: one.id,
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        name: one.metadata?.name,
        image,
        state: State::of_number(one.state),
        created: time(one.created_at),
    })
}

/// The process that the runtime tells of. containerd and CRI-O both have it in what they tell to whoever debugs.
fn pid(info: &HashMap<String, String>) -> Option<HostPid> {
    let info: Value = serde_json::from_str(info.get("info")?).ok()?;
    let pid = info["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
    pid.filter(|&pid| pid > 0).map(HostPid)
}

/// Nanoseconds since the epoch; 0 is none.
fn time(nanoseconds: i64) -> Option<SystemTime> {
    let nanoseconds = u64::try_from(nanoseconds).ok().filter(|&nanoseconds| nanoseconds > 0)?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

/// The one that is meant. A pod keeps containers that have ended beside the one that took their place: that runs, or was made
/// last.
fn choose(all: &[Listed], name: &Name) -> Result<Listed, Error> {
    let found: Vec<_> = match name {
        Name::Pod { namespace, pod, container } => {
            let meant = |one: &&Listed| {
                one.namespace == *namespace
                    && one.pod == *pod
                    && container.as_ref().is_none_or(|container| one.name == *container)
            };
            all.iter().filter(meant).collect()
        }
        Name::Id(id) => match all.iter().find(|one| one.id == *id) {
            Some(one) => vec![one],
            None => all.iter().filter(|one| one.id.starts_with(id.as_str())).collect(),
        },
    };
    let Some(&first) = found.first() else {
        return Err(Error::NotFound { name: name.to_string(), near: near(all, name) });
    };
    let by_id = matches!(name, Name::Id(_));
    let same = |one: &Listed| if by_id { one.id == first.id } else { one.name == first.name };
    if !found.iter().all(|one| same(one)) {
        let mut candidates: Vec<_> = found
            .iter()
            .map(|one| if by_id { format!("{} ({})", one.id, one.called()) } else { one.called() })
            .take(MOST)
            .collect();
        candidates.dedup();
        return Err(Error::Ambiguous { name: name.to_string(), candidates });
    }
    let best = found.iter().copied().max_by_key(|one| (one.state == State::Running, one.created));
    Ok(best.unwrap_or(first).clone())
}

/// What else may have been meant: what is in that pod, or the pods of that namespace, or anything.
fn near(all: &[Listed], name: &Name) -> Vec<String> {
    let Name::Pod { namespace, pod, .. } = name else { return Vec::new() };
    let of_pod = all.iter().filter(|one| one.namespace == *namespace && one.pod == *pod);
    let of_name = all.iter().filter(|one| one.pod == *pod || one.pod.starts_with(&format!("{pod}-")));
    let of_namespace = all.iter().filter(|one| one.namespace == *namespace);
    let mut near: Vec<_> = of_pod.chain(of_name).chain(of_namespace).map(Listed::called).collect();
    let mut seen = std::collections::HashSet::new();
    near.retain(|one| seen.insert(one.clone()));
    near.truncate(MOST);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, pod: &str, name: &str, state: State, created: u64) -> Listed {
        Listed {
            id: id.repeat(16),
            namespace: "default".to_owned(),
            pod: pod.to_owned(),
            name: name.to_owned(),
            image: "app:1".to_owned(),
            state,
            created: UNIX_EPOCH.checked_add(Duration::from_secs(created)),
        }
    }

    fn all() -> Vec<Listed> {
        vec![
            one("aaaa", "web-1", "app", State::Exited, 1),
            one("bbbb", "web-1", "app", State::Running, 2),
            one("bbcc", "web-1", "app", State::Exited, 3),
            one("dddd", "web-1", "proxy", State::Running, 1),
            one("eeee", "job", "run", State::Exited, 1),
            one("ffff", "job", "run", State::Exited, 2),
        ]
    }

    fn chosen(name: &str) -> Result<String, Error> {
        choose(&all(), &name.parse().unwrap()).map(|one| one.id[..4].to_owned())
    }

    #[test]
    fn which_is_meant() {
        assert_eq!(chosen("default/web-1/app").unwrap(), "bbbb");
        assert_eq!(chosen("default/web-1/proxy").unwrap(), "dddd");
        // The last run of what runs no more, and the only container of a pod.
        assert_eq!(chosen("default/job").unwrap(), "ffff");
        assert_eq!(chosen("aaa").unwrap(), "aaaa");
        assert_eq!(chosen(&"bbcc".repeat(16)).unwrap(), "bbcc");
    }

    #[test]
    fn none_and_several() {
        let error = chosen("default/web-1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cri://default/web-1 could be cri://default/web-1/app, cri://default/web-1/proxy"
        );
        let error = chosen("bbb").unwrap();
        assert_eq!(error, "bbbb");
        let Err(Error::Ambiguous { candidates, .. }) = choose(&all(), &Name::Id("bb".to_owned())) else { panic!() };
        assert_eq!(candidates.len(), 2);
        for (name, near) in [
            ("default/web-1/none", "cri://default/web-1/app"),
            ("other/web/app", "cri://default/web-1/app"),
            ("default/x/app", "cri://default/web-1/app"),
        ] {
            let Err(Error::NotFound { near: found, .. }) = choose(&all(), &name.parse().unwrap()) else { panic!() };
            assert_eq!(found.first().map(String::as_str), Some(near), "{name}");
        }
        assert!(matches!(chosen("0000"), Err(Error::NotFound { .. })));
    }

    #[test]
    fn what_runtimes_tell_of_a_process() {
        let of = |text: &str| pid(&HashMap::from([("info".to_owned(), text.to_owned())]));
        assert_eq!(of(r#"{"sandboxID":"a","pid":4711,"removing":false}"#), Some(HostPid(4711)));
        for odd in ["", "{}", "[]", r#"{"pid":0}"#, r#"{"pid":-1}"#, r#"{"pid":"7"}"#, r#"{"pid":99999999999}"#] {
            assert_eq!(of(odd), None, "{odd}");
        }
        assert_eq!(pid(&HashMap::new()), None);
    }

    #[test]
    fn a_container_without_a_pod_is_nobodys() {
        let pod = PodSandboxMetadata { name: "web".into(), namespace: "default".into(), ..Default::default() };
        let pods = HashMap::from([("p".to_owned(), pod)]);
        let container = |pod: &str, named: bool| messages::Container {
            id: "a".into(),
            pod_sandbox_id: pod.into(),
            metadata: named.then(|| messages::ContainerMetadata { name: "app".into(), attempt: 0 }),
            state: 7,
            ..Default::default()
        };
        let found = listed(container("p", true), &pods).unwrap();
        assert_eq!(
            (found.called().as_str(), found.state, found.created),
            ("cri://default/web/app", State::Unknown, None)
        );
        assert_eq!(listed(container("q", true), &pods), None);
        assert_eq!(listed(container("p", false), &pods), None);
    }
}

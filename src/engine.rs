//! What finds containers and tells of them: Docker's API, which Podman speaks too; the CRI of a Kubernetes node; and clusters.

pub mod cri;
pub mod docker;
pub mod error;
pub mod event;
pub mod health;
pub mod kube;
pub mod labels;
pub mod logs;
pub mod owner;
pub mod process;

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

pub use self::owner::Owner;

use crate::target::HostPid;

/// Where a container is in its life, as the engine names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Frozen by `docker pause`. It can still be looked at.
    Paused,
    /// Between two runs of a restart policy.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Ended, and the engine failed to clean up.
    Dead,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        })
    }
}

/// One line of the engine's list of containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Full id.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// Image as it was named.
    pub image: String,
    /// Where it is in its life.
    pub state: State,
    /// The same in the engine's words (`Up 2 hours (healthy)`, `Exited (0) 3 days ago`).
    pub status: String,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// Entry point and arguments, shortened by the engine.
    pub command: String,
    /// Labels, sorted by name.
    pub labels: Vec<(String, String)>,
}

/// One container, as the engine tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Full id, 64 hexadecimal digits.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// Image as it was named.
    pub image: String,
    /// Image id (`sha256:…`).
    pub image_id: String,
    /// Where it is in its life.
    pub state: State,
    /// Its first process. `None` unless it runs or is paused, on this host.
    pub pid: Option<HostPid>,
    /// The same as its engine counts, wherever that is: [`Container::pid`] is known to be of this host, this is not.
    pub engine_pid: Option<i32>,
    /// Exit status of the last run, if it ended.
    pub exit_code: Option<i64>,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// When its last run began.
    pub started: Option<SystemTime>,
    /// When its last run ended.
    pub finished: Option<SystemTime>,
    /// How often the engine restarted it.
    pub restarts: u64,
    /// Entry point and arguments.
    pub command: Vec<String>,
    /// User as configured, empty for the image's default of root.
    pub user: String,
    /// Whether it has a terminal: then its log is one stream and raw.
    pub tty: bool,
    /// Whether its root file system is read-only.
    pub read_only: bool,
    /// Whether it runs privileged.
    pub privileged: bool,
    /// Whether it was given `CAP_SYS_PTRACE` beyond what engines give: then it may take over any process that it sees.
    pub may_trace: bool,
    /// Log driver (`json-file`, `none`, …).
    pub log_driver: String,
    /// Health as the engine tells it (`healthy`, `unhealthy`, `starting`), if it checks.
    pub health: Option<String>,
    /// How that is checked, if it is.
    pub health_check: Option<health::HealthCheck>,
    /// Network mode (`bridge`, `host`, `none`, `container:ID`, …).
    pub network_mode: String,
    /// Pid namespace mode (empty for one of its own, `host`, `container:ID`).
    pub pid_mode: String,
    /// User namespace mode (empty for the engine's, `host`; of Podman also `private` for one of its own).
    pub userns_mode: String,
    /// Published ports as `HOST:PORT -> PORT/PROTO` parts.
    pub ports: Vec<Port>,
    /// Memory limit in bytes, if one is set.
    pub memory_limit: Option<u64>,
    /// Labels, sorted by name.
    pub labels: Vec<(String, String)>,
    /// Volumes, binds and tmpfs mounts.
    pub mounts: Vec<Mount>,
}

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Port inside.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Address on the host, if published.
    pub host_ip: Option<String>,
    /// Port on the host, if published.
    pub host_port: Option<u16>,
}

/// One mount the engine made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`, …
    pub kind: String,
    /// What is mounted: a path or a volume's name.
    pub source: String,
    /// Where, inside.
    pub destination: String,
    /// Whether it can be written.
    pub read_write: bool,
}

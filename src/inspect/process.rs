//! One process in full: `proc`.

use serde::Serialize;

use super::processes::Process;
use crate::text::Untrusted;

/// Everything the kernel tells of one process. A part that could not be read says why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detail {
    /// The line of `ps`.
    pub process: Process,
    /// The file it runs, as the link says; ` (deleted)` at its end if it is gone.
    pub exe: Part<Untrusted>,
    /// Working directory.
    pub cwd: Part<Untrusted>,
    /// Root directory.
    pub root: Part<Untrusted>,
    /// Decoded fields of proc_pid_status(5) in the kernel's order: name, value in words.
    pub status: Part<Vec<Field>>,
    /// Environment it was started with, in order.
    pub env: Part<Vec<EnvVar>>,
    /// Open descriptors.
    pub fds: Part<Vec<Fd>>,
    /// Limits.
    pub limits: Part<Vec<Limit>>,
    /// Memory by what is mapped.
    pub maps: Part<Vec<Mapping>>,
    /// Mounts it sees.
    pub mounts: Part<Vec<MountPoint>>,
    /// Capabilities by set.
    pub capabilities: Part<Vec<CapabilitySet>>,
    /// Cgroup paths, one a hierarchy, as the target sees them.
    pub cgroups: Part<Vec<Untrusted>>,
    /// Namespaces: kind and inode number.
    pub namespaces: Part<Vec<(String, u64)>>,
    /// Seccomp, `no_new_privs` and such in words.
    pub security: Part<Vec<Field>>,
}

/// A part that was read, or the reason in words why not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part<T> {
    /// It was read.
    Ok(T),
    /// It was not, and why.
    Unavailable(String),
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value, decoded.
    pub value: Untrusted,
}

/// One variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvVar {
    /// Its name.
    pub name: Untrusted,
    /// Its value.
    pub value: Untrusted,
}

/// One open descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fd {
    /// Its number.
    pub number: i32,
    /// What it is, in words: `file`, `directory`, `pipe`, `tcp 127.0.0.1:8080 listening`, `epoll`, …
    pub what: String,
    /// The link as the kernel gives it: a path, `socket:[123]`, …
    pub target: Untrusted,
    /// `r`, `w` or `rw`, if the kernel told.
    pub mode: Option<String>,
    /// Position in the file, in bytes.
    pub position: Option<u64>,
}

/// One limit of getrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Its name, as `/proc/PID/limits` has it.
    pub name: String,
    /// Soft limit; `None` is unlimited.
    pub soft: Option<u64>,
    /// Hard limit; `None` is unlimited.
    pub hard: Option<u64>,
    /// Unit, empty for a plain number.
    pub unit: String,
    /// How much is used, where it is known (open files, threads).
    pub used: Option<u64>,
}

/// Memory mapped from one file, or of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The file, or `[heap]`, `[stack]`, `anonymous`, …
    pub what: Untrusted,
    /// Regions.
    pub regions: u64,
    /// Address space in bytes.
    pub size: u64,
    /// Of these, bytes that can be executed.
    pub executable: u64,
    /// Of these, bytes that can be written.
    pub writable: u64,
}

/// One line of `/proc/PID/mountinfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MountPoint {
    /// Where.
    pub point: Untrusted,
    /// Kind of file system.
    pub kind: Untrusted,
    /// What is mounted.
    pub source: Untrusted,
    /// Options of the mount.
    pub options: Untrusted,
}

/// One of the five sets of capabilities(7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapabilitySet {
    /// `inheritable`, `permitted`, `effective`, `bounding` or `ambient`.
    pub set: String,
    /// Names (`CAP_NET_BIND_SERVICE`); a bit this version does not know is `CAP_41`.
    pub names: Vec<String>,
}

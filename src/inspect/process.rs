//! One process in full: `proc`.

pub mod capabilities;
pub mod environment;
pub mod fds;
pub mod limits;
pub mod maps;
pub mod mounts;
pub mod namespaces;
pub mod security;
pub mod signals;
pub mod status;

use futures_util::future::{join, join3, join5};
use serde::Serialize;

use super::error::why;
use super::processes::{self, MAX_STATUS, Process};
use super::users::Users;
use super::{Error, fetch, network};
use crate::shim::{self, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// How much of the arguments is read, in bytes: `MAX_ARG_STRLEN` and more (execve(2)).
pub const MAX_ARGUMENTS: u64 = 2 << 20;
/// How much of the environment is read, in bytes.
pub const MAX_ENVIRONMENT: u64 = 2 << 20;
/// How much of `maps` is read, in bytes: some 65,530 regions (`vm.max_map_count`) with long names.
pub const MAX_MAPS: u64 = 16 << 20;
/// How much of `mountinfo` is read, in bytes.
pub const MAX_MOUNTS: u64 = 4 << 20;

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

impl<T> Part<T> {
    /// What was read, if it was.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Unavailable(_) => None,
        }
    }

    /// The same part of something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Ok(value) => Part::Ok(change(value)),
            Self::Unavailable(why) => Part::Unavailable(why),
        }
    }
}

impl<T> From<Result<T, shim::Error>> for Part<T> {
    fn from(result: Result<T, shim::Error>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(error) => Self::Unavailable(why(&error)),
        }
    }
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

/// Reads one process in full. Parts that may not be read say so; the whole fails only if there is no such process.
///
/// # Errors
/// [`Error::NoProcess`] if there is none or it ended meanwhile, or what else kept its first line from being read.
pub async fn detail(shim: &Shim, pid: ContainerPid, users: &Users) -> Result<Detail, Error> {
    let process = processes::one(shim, pid, users, None).await?;
    let link = |name| async move { Part::from(shim.readlink(&fetch::proc_path(pid, name)).await.map(Untrusted::new)) };
    let text =
        |name, most| async move { fetch::prefix(shim, &fetch::proc_path(pid, name), most).await.map(|(text, _)| text) };
    let (links, texts, (status, label, namespaces), (sockets, _)) = futures_util::future::join4(
        join3(link("exe"), link("cwd"), link("root")),
        join5(
            text("environ", MAX_ENVIRONMENT),
            text("limits", MAX_STATUS),
            text("maps", MAX_MAPS),
            text("mountinfo", MAX_MOUNTS),
            text("cgroup", MAX_STATUS),
        ),
        join3(text("status", MAX_STATUS), text("attr/current", 4096), namespaces::read(shim, pid)),
        network::sockets(shim, pid),
    )
    .await;
    let (environ, limits, maps, mountinfo, cgroup) = texts;
    let fds = fds::read(shim, pid, &sockets).await;
    let stat = fetch::proc_path(pid, "stat");
    let (oom, still_there) = join(text("oom_score_adj", 64), shim.stat(&stat, false)).await;
    still_there.map_err(|error| Error::of_process(pid, &stat, error))?;
    let status = Part::from(status);
    let usage = limits::Usage::of(status.ok().map(Vec::as_slice), fds.ok().map(Vec::len));
    Ok(Detail {
        process,
        exe: links.0,
        cwd: links.1,
        root: links.2,
        env: Part::from(environ).map(|text| environment::parse(&text)),
        fds,
        limits: Part::from(limits).map(|text| limits::parse(&text, &usage)),
        maps: Part::from(maps).map(|text| maps::parse(&text)),
        mounts: Part::from(mountinfo).map(|text| mounts::parse(&text)),
        capabilities: status.clone().map(|text| capabilities::parse(&text)),
        cgroups: Part::from(cgroup).map(|text| namespaces::cgroups(&text)),
        namespaces,
        security: status.clone().map(|text| security::parse(&text, label.ok().as_deref(), oom.ok().as_deref())),
        status: status.map(|text| status::parse(&text, users)),
    })
}

#[cfg(test)]
mod tests;

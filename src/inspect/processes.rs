//! All processes the target can see: `ps`.

use std::time::Duration;

use serde::Serialize;

use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

/// One process, as a line of `ps` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Process {
    /// Its id inside.
    pub pid: ContainerPid,
    /// Its id on this host, where it can be known.
    pub host_pid: Option<HostPid>,
    /// Its parent inside; 0 for the first process and for those that entered.
    pub ppid: ContainerPid,
    /// Real user id, inside.
    pub uid: u32,
    /// The user's name from the target's own `/etc/passwd`, if it has one.
    pub user: Option<Untrusted>,
    /// State letter of proc_pid_stat(5): `R`, `S`, `D`, `T`, `t`, `Z`, …
    pub state: char,
    /// Threads.
    pub threads: u64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Processor time used so far, user and system together.
    #[serde(serialize_with = "crate::inspect::processes::seconds", rename = "cpu_seconds")]
    pub cpu: Duration,
    /// Age of the process, from its start to the reading.
    #[serde(serialize_with = "crate::inspect::processes::seconds", rename = "age_seconds")]
    pub age: Duration,
    /// Share of one processor over its whole life, in percent, as `ps` counts it.
    pub cpu_percent: f64,
    /// Start in clock ticks after boot: with `pid`, what tells a process from a later one of the same id.
    pub start_ticks: u64,
    /// The kernel's name of it (`comm`), at most 15 bytes.
    pub name: Untrusted,
    /// Its arguments; empty for a zombie or a kernel thread.
    pub command: Vec<Untrusted>,
}

pub(crate) fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

//! The threads of a process, as the kernel tells of them without stopping any.

pub mod call;

use std::time::Duration;

use futures_util::future::join3;
use serde::Serialize;

use self::call::Call;
use super::processes::stat;
use super::processes::{MAX_STATUS, TICKS_PER_SECOND};
use super::{Error, fetch};
use crate::shim::{self, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// How many threads of a process are read at most.
pub const MAX_THREADS: usize = 32_768;
/// How much of the small files of a thread is read, in bytes.
const MAX_WORD: u64 = 4096;

/// One thread.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thread {
    /// Its number inside; the first one has that of the process.
    pub tid: ContainerPid,
    /// The kernel's name of it (`comm`), at most 15 bytes.
    pub name: Untrusted,
    /// State letter of proc_pid_stat(5): `R`, `S`, `D`, `T`, `t`, `Z`, …
    pub state: char,
    /// Processor time used so far, user and system together.
    #[serde(serialize_with = "crate::inspect::processes::seconds", rename = "cpu_seconds")]
    pub cpu: Duration,
    /// Where in the kernel it waits (proc_pid_wchan(5)), if it does, and the kernel tells.
    pub waits_in: Option<Untrusted>,
    /// Which system call it is in, and where it will go on, if the kernel tells: it does so of threads that wait, to whoever
    /// might trace them.
    pub call: Option<Call>,
}

/// Reads all threads of a process, in the order of their numbers. One that ends meanwhile is left out.
///
/// # Errors
/// [`Error::NoProcess`] if there is no such process, or what else keeps its threads from being listed.
pub async fn of(shim: &Shim, pid: ContainerPid) -> Result<Vec<Thread>, Error> {
    let path = fetch::proc_path(pid, "task");
    let numbers = fetch::numbers(shim, &path, MAX_THREADS).await;
    let numbers = numbers.map_err(|error| Error::of_process(pid, &path, error))?;
    let read = fetch::each(numbers, |tid| one(shim, pid, ContainerPid(tid))).await;
    Ok(read.into_iter().flatten().collect())
}

async fn one(shim: &Shim, pid: ContainerPid, tid: ContainerPid) -> Option<Thread> {
    let read = async |file: &str, most: u64| -> Result<Vec<u8>, shim::Error> {
        fetch::whole(shim, &fetch::proc_path(pid, &format!("task/{tid}/{file}")), most).await
    };
    let (line, place, call) = join3(read("stat", MAX_STATUS), read("wchan", MAX_WORD), read("syscall", MAX_WORD)).await;
    let stat = stat::parse(&line.ok()?)?;
    Some(Thread {
        tid,
        name: stat.name,
        state: stat.state,
        cpu: Duration::from_millis(stat.cpu_ticks.saturating_mul(1000 / TICKS_PER_SECOND)),
        waits_in: place.ok().and_then(|place| parse_place(&place)),
        call: call.ok().and_then(|text| call::parse(&text)),
    })
}

/// Parses `/proc/PID/wchan` (proc_pid_wchan(5)): a function of the kernel. `0` is nowhere, or not to be told.
#[must_use]
pub fn parse_place(text: &[u8]) -> Option<Untrusted> {
    let place = text.trim_ascii();
    (!matches!(place, b"" | b"0")).then(|| place.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(parse_place(b"futex_wait_queue"), Some("futex_wait_queue".into()));
        assert_eq!((parse_place(b"0"), parse_place(b"0\n"), parse_place(b"")), (None, None, None));
    }
}

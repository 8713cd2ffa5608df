//! Which of the processes a sidecar sees is the target's first.

use crate::engine::{Container, process};
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;

/// Processes looked at, at most.
const MAX_PROCESSES: usize = 100_000;
/// Bytes read of a file that says whose a process is, at most.
const LARGEST: u64 = 64 << 10;

/// The first process of the container. It is 1 in a pid namespace of its own, and what the engine says in that of the
/// engine's host; in that of another container it is the first whose cgroup, or mounts, bear the container's id.
///
/// # Errors
/// If the processes cannot be listed.
pub async fn init(
    shim: &Shim,
    container: &Container,
    own: Option<ContainerPid>,
) -> Result<Option<ContainerPid>, Error> {
    match container.pid_mode.as_str() {
        "" | "private" => Ok(Some(ContainerPid(1))),
        "host" => Ok(container.engine_pid.map(ContainerPid)),
        _ => first_named(shim, &container.id, own).await,
    }
}

/// The first process whose cgroup, or mounts, bear a container's id.
///
/// # Errors
/// If the processes cannot be listed.
pub async fn first_named(shim: &Shim, id: &str, own: Option<ContainerPid>) -> Result<Option<ContainerPid>, Error> {
    let mut pids = Vec::new();
    let mut stream = shim.list(b"/proc", false);
    while let Some(batch) = stream.next().await {
        pids.extend(batch?.iter().filter_map(|entry| number(&entry.name)));
        if pids.len() > MAX_PROCESSES {
            break;
        }
    }
    drop(stream);
    pids.sort_unstable();
    for pid in pids.into_iter().filter(|&pid| Some(pid) != own) {
        for (file, is_named) in process::NAMED_IN {
            // One that has ended meanwhile was not the first.
            let Ok(text) = shim.read(format!("/proc/{pid}/{file}").as_bytes(), LARGEST).await else { continue };
            if is_named(&text, id) {
                return Ok(Some(pid));
            }
        }
    }
    Ok(None)
}

/// A process id as `/proc` writes it.
pub fn number(text: &[u8]) -> Option<ContainerPid> {
    let pid = std::str::from_utf8(text).ok()?.parse().ok()?;
    (pid > 0).then_some(ContainerPid(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, pid) in [("1", Some(1)), ("4711", Some(4711)), ("0", None), ("self", None), ("-1", None), ("", None)]
        {
            assert_eq!(number(text.as_bytes()), pid.map(ContainerPid), "{text}");
        }
    }
}

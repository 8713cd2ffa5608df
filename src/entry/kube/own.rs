//! Which of the processes that a helper sees are of its own container: itself, and what holds its place. They are none of the
//! target's.

use futures_util::{StreamExt as _, stream};

use crate::entry::sidecar::search;
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;

/// Processes looked at, at most: more is a node's, not a container's.
const MOST: usize = 4096;
/// How many are asked for at once.
const AT_ONCE: usize = 32;
/// Bytes read of a file that says whose a process is, at most.
const LARGEST: u64 = 64 << 10;

/// The processes of its own container, by their cgroup, which an exec joins (cgroups(7)). Where the target is in the same one, as without
/// cgroups, it is the helper alone.
///
/// # Errors
/// If the processes cannot be listed.
pub async fn of(shim: &Shim, own: Option<ContainerPid>, init: ContainerPid) -> Result<Vec<ContainerPid>, Error> {
    let only = || own.into_iter().collect();
    let (Some(ours), theirs) = (cgroup(shim, "self".to_owned()).await, cgroup(shim, init.to_string()).await) else {
        return Ok(only());
    };
    if theirs.is_none_or(|theirs| theirs == ours) {
        return Ok(only());
    }
    let mut pids = Vec::new();
    let mut names = shim.list(b"/proc", false);
    while let Some(batch) = names.next().await {
        pids.extend(batch?.iter().filter_map(|entry| search::number(&entry.name)));
        if pids.len() > MOST {
            return Ok(only());
        }
    }
    drop(names);
    let of_each = stream::iter(pids).map(|pid| async move { (pid, cgroup(shim, pid.to_string()).await) });
    let of_each: Vec<_> = of_each.buffer_unordered(AT_ONCE).collect().await;
    let found = of_each.into_iter().filter(|(_, its)| its.as_ref() == Some(&ours)).map(|(pid, _)| pid);
    Ok(found.chain(own).collect())
}

async fn cgroup(shim: &Shim, name: String) -> Option<Vec<u8>> {
    shim.read(format!("/proc/{name}/cgroup").as_bytes(), LARGEST).await.ok()
}

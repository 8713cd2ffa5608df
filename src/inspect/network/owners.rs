//! Who holds a socket: found by looking at every process's descriptors.

use std::collections::HashMap;

use super::{Owner, Socket};
use crate::inspect::process::fds;
use crate::inspect::process::namespaces::inode;
use crate::inspect::{fetch, processes};
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// How many descriptors are looked at in all.
pub const MAX_LINKS: usize = 65_536;
/// How many owners of one socket are told. A socket can be inherited by any number of processes.
pub const MAX_OWNERS: usize = 64;

/// Fills in the owners of `sockets`, and gives what could not be known, in words.
pub async fn fill(shim: &Shim, sockets: &mut [Socket]) -> Vec<String> {
    let mut at: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, socket) in sockets.iter().enumerate().filter(|(_, socket)| socket.inode != 0) {
        at.entry(socket.inode).or_default().push(index);
    }
    let mut notes = Vec::new();
    let pids = processes::pids(shim).await.unwrap_or_default();
    let (mut looked_at, mut closed, mut cut) = (0, 0, false);
    for pid in pids {
        let numbers = match fds::numbers(shim, pid).await {
            Ok(numbers) => numbers,
            Err(Error::Errno(nix::errno::Errno::EACCES | nix::errno::Errno::EPERM)) => {
                closed += 1;
                continue;
            }
            // It has ended.
            Err(_) => continue,
        };
        let room = MAX_LINKS - looked_at;
        cut = numbers.len() > room;
        let numbers = &numbers[..numbers.len().min(room)];
        looked_at += numbers.len();
        let held = held(shim, pid, numbers, &at).await;
        if !held.is_empty() {
            let name = name(shim, pid).await;
            for (fd, index) in held {
                if let Some(socket) = sockets.get_mut(index).filter(|socket| socket.owners.len() < MAX_OWNERS) {
                    socket.owners.push(Owner { pid, name: name.clone(), fd });
                }
            }
        }
        if cut {
            break;
        }
    }
    if closed > 0 {
        notes.push(format!("no permission to see the sockets of {closed} of the processes; try --as root"));
    }
    if cut {
        notes.push(format!("only the first {MAX_LINKS} descriptors were looked at for owners"));
    }
    notes
}

/// Descriptors of a process that are sockets of `at`: number and index.
async fn held(shim: &Shim, pid: ContainerPid, numbers: &[i32], at: &HashMap<u64, Vec<usize>>) -> Vec<(i32, usize)> {
    let links = fetch::each(numbers.iter().copied(), |number| async move {
        (number, shim.readlink(&fetch::proc_path(pid, &format!("fd/{number}"))).await)
    })
    .await;
    let sockets = links.into_iter().filter_map(|(number, link)| {
        let link = link.ok().filter(|link| link.starts_with(b"socket:"))?;
        Some((number, at.get(&inode(&link)?)?))
    });
    sockets.flat_map(|(number, indexes)| indexes.iter().map(move |&index| (number, index))).collect()
}

async fn name(shim: &Shim, pid: ContainerPid) -> Untrusted {
    let comm = fetch::whole(shim, &fetch::proc_path(pid, "comm"), 4096).await.unwrap_or_default();
    Untrusted::from(comm.strip_suffix(b"\n").unwrap_or(&comm))
}

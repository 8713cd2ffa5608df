//! Namespaces and cgroups of a process.

use super::Part;
use crate::inspect::error::why;
use crate::inspect::fetch;
use crate::shim::Shim;
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// The links of `/proc/PID/ns` (namespaces(7)).
const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
/// How many cgroup hierarchies are taken. Version 1 has some ten.
const MAX_CGROUPS: usize = 64;

/// Reads the namespaces a process is in.
pub async fn read(shim: &Shim, pid: ContainerPid) -> Part<Vec<(String, u64)>> {
    let links = fetch::each(KINDS, |kind| async move {
        shim.readlink(&fetch::proc_path(pid, &format!("ns/{kind}"))).await.map(|link| (kind, link))
    })
    .await;
    let mut found = Vec::new();
    let mut failed = None;
    for link in links {
        match link {
            Ok((kind, link)) => found.extend(inode(&link).map(|inode| (kind.to_owned(), inode))),
            // An old kernel has not all kinds.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if found.is_empty() => Part::Unavailable(why(&error)),
        _ => Part::Ok(found),
    }
}

/// The number in `net:[4026532184]`.
#[must_use]
pub fn inode(link: &[u8]) -> Option<u64> {
    let open = link.iter().position(|&byte| byte == b'[')?;
    fetch::decimal(link.get(open + 1..)?.strip_suffix(b"]")?)
}

/// Parses `/proc/PID/cgroup` (cgroups(7)): `PATH` of version 2, `CONTROLLERS:PATH` of version 1.
#[must_use]
pub fn cgroups(text: &[u8]) -> Vec<Untrusted> {
    let parsed = fetch::lines(text).take(MAX_CGROUPS).filter_map(|line| {
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some(if controllers.is_empty() { path.into() } else { Untrusted::new([controllers, b":", path].concat()) })
    });
    parsed.collect()
}

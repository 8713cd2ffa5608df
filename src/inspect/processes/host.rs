//! Which process of this host is which process inside: from this host's own `/proc`.

use std::collections::HashMap;
use std::fs;
use std::os::linux::fs::MetadataExt as _;
use std::path::PathBuf;

use super::stat;
use crate::inspect::fetch;
use crate::target::{ContainerPid, HostPid};

/// The id a process of this host has in its own, innermost pid namespace. `None` if it has ended.
#[must_use]
pub fn pid_inside(host: HostPid) -> Option<ContainerPid> {
    parse_nspid(&read(host, "status")?).last().copied()
}

/// The processes of `init`'s pid namespace by their ids in it. Blocks for some microseconds a process of this host.
///
/// Without the right to look at a process's namespace, the cgroup tells what belongs to the same container.
#[must_use]
pub fn pids(init: HostPid) -> HashMap<ContainerPid, HostPid> {
    let Some(level) = read(init, "status").map(|text| parse_nspid(&text).len()).filter(|&level| level > 0) else {
        return HashMap::new();
    };
    let home = Home { namespace: namespace(init), cgroup: read(init, "cgroup") };
    let names = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let hosts = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(HostPid));
    let inside = hosts.filter_map(|host| {
        // A process of a namespace further in has more ids than `init`; the one at `init`'s level counts.
        let pid = *parse_nspid(&read(host, "status")?).get(level - 1)?;
        (host == init || home.has(host, level)).then_some((pid, host))
    });
    inside.collect()
}

/// What tells that a process belongs to the target.
struct Home {
    namespace: Option<(u64, u64)>,
    cgroup: Option<Vec<u8>>,
}

impl Home {
    fn has(&self, host: HostPid, level: usize) -> bool {
        // At the first level there is but one namespace: this host's.
        if level == 1 {
            return true;
        }
        match (self.namespace, namespace(host)) {
            (Some(ours), Some(theirs)) if ours == theirs => true,
            // One further in, or one that may not be looked at.
            _ => self.cgroup.is_some() && self.cgroup == read(host, "cgroup"),
        }
    }
}

/// Device and inode of a process's pid namespace.
fn namespace(host: HostPid) -> Option<(u64, u64)> {
    let meta = fs::metadata(path(host, "ns/pid")).ok()?;
    Some((meta.st_dev(), meta.st_ino()))
}

fn read(host: HostPid, name: &str) -> Option<Vec<u8>> {
    fs::read(path(host, name)).ok()
}

fn path(host: HostPid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{host}/{name}"))
}

/// The ids of a process from the outermost namespace that can be seen to its own: the `NSpid` line of
/// proc_pid_status(5).
#[must_use]
pub fn parse_nspid(status: &[u8]) -> Vec<ContainerPid> {
    let line = stat::fields(status).find(|(name, _)| *name == b"NSpid").map(|(_, value)| value).unwrap_or_default();
    fetch::words(line).map_while(fetch::decimal).map(ContainerPid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_by_namespace() {
        for (line, ids) in
            [("NSpid:\t11307\t1", &[11307, 1][..]), ("Pid:\t5", &[]), ("NSpid:\t4\tx\t5", &[4]), ("", &[])]
        {
            let found: Vec<_> = parse_nspid(line.as_bytes()).into_iter().map(|pid| pid.0).collect();
            assert_eq!(found, ids);
        }
    }

    #[test]
    fn this_process_is_in_its_own_namespace() {
        let me = HostPid(std::process::id().cast_signed());
        let inside = pid_inside(me).unwrap();
        assert_eq!(pids(me).get(&inside), Some(&me));
        assert_eq!(pid_inside(HostPid(i32::MAX)), None);
        assert!(pids(HostPid(i32::MAX)).is_empty());
    }
}

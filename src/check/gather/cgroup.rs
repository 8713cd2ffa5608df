//! What a process is held to, by its cgroups: cgroups(7), `Documentation/admin-guide/cgroup-v2.rst` of the kernel.

use crate::inspect::fetch;
use crate::shim::Shim;
use crate::target::ContainerPid;

/// Where they are mounted, in containers too.
const ROOT: &str = "/sys/fs/cgroup";
/// Version 1 writes no limit as the largest multiple of a page.
const NO_LIMIT: u64 = 1 << 60;

/// What a process is held to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Thousandths of a processor.
    pub(super) milli_cpus: Option<u64>,
    /// Bytes of memory.
    pub(super) memory: Option<u64>,
    /// Processes and threads.
    pub(super) pids: Option<u64>,
}

/// Reads it. What cannot be read is no limit.
pub(super) async fn read(shim: &Shim, pid: ContainerPid) -> Limits {
    let text = fetch::prefix(shim, &fetch::proc_path(pid, "cgroup"), 64 << 10).await;
    let text = text.map(|(text, _)| text).unwrap_or_default();
    let number = |text: Vec<u8>| fetch::words(&text).next().and_then(fetch::decimal::<u64>);
    let of = |controller: &'static str, names: [&'static str; 2]| {
        let (second, path) = place(&text, controller);
        async move {
            let name = if second { names[0] } else { names[1] };
            let folder = if second { ROOT.to_owned() } else { format!("{ROOT}/{controller}") };
            // In a container its own cgroup is what is mounted, whatever path is told.
            for path in [path.as_slice(), b""] {
                let file = [folder.as_bytes(), path, b"/", name.as_bytes()].concat();
                if let Ok((text, _)) = fetch::prefix(shim, &file, 256).await {
                    return Some(text);
                }
            }
            None
        }
    };
    let cpu = of("cpu", ["cpu.max", "cpu.cfs_quota_us"]).await;
    let period = of("cpu", ["cpu.max", "cpu.cfs_period_us"]).await;
    Limits {
        milli_cpus: cpu.zip(period).and_then(|(quota, period)| share(&quota, &period)),
        memory: of("memory", ["memory.max", "memory.limit_in_bytes"])
            .await
            .and_then(number)
            .filter(|&limit| limit < NO_LIMIT),
        pids: of("pids", ["pids.max", "pids.max"]).await.and_then(number),
    }
}

/// Whether a controller is of version 2, and the path of the process in it (proc_pid_cgroup(5)).
fn place(text: &[u8], controller: &str) -> (bool, Vec<u8>) {
    let parse = |line: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let mut fields = line.splitn(3, |&byte| byte == b':').skip(1);
        Some((fields.next()?.to_vec(), fields.next()?.to_vec()))
    };
    let lines: Vec<_> = fetch::lines(text).filter_map(parse).collect();
    let has = |names: &[u8]| names.split(|&byte| byte == b',').any(|name| name == controller.as_bytes());
    let path = |path: &[u8]| if path == b"/" { Vec::new() } else { path.to_vec() };
    match lines.iter().find(|(names, _)| has(names)) {
        Some((_, of)) => (false, path(of)),
        None => (true, lines.iter().find(|(names, _)| names.is_empty()).map(|(_, of)| path(of)).unwrap_or_default()),
    }
}

/// `max 100000`, `50000 100000`, or the two in files of their own; -1 is no quota.
fn share(quota: &[u8], period: &[u8]) -> Option<u64> {
    let quota = fetch::words(quota).next().and_then(fetch::decimal::<u64>)?;
    let period = fetch::words(period).last().and_then(fetch::decimal::<u64>).filter(|&period| period > 0)?;
    Some(quota.saturating_mul(1000) / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas() {
        assert_eq!(share(b"max 100000\n", b"max 100000\n"), None);
        assert_eq!(share(b"150000 100000\n", b"150000 100000\n"), Some(1500));
        assert_eq!(share(b"-1\n", b"100000\n"), None);
        assert_eq!(share(b"50000\n", b"100000\n"), Some(500));
        assert_eq!(share(b"50000\n", b"0\n"), None);
    }

    #[test]
    fn places() {
        let first = b"4:memory:/docker/ab\n3:cpu,cpuacct:/\n0::/x\n";
        assert_eq!(place(first, "memory"), (false, b"/docker/ab".to_vec()));
        assert_eq!(place(first, "cpu"), (false, Vec::new()));
        assert_eq!(place(first, "pids"), (true, b"/x".to_vec()));
        assert_eq!(place(b"0::/\n", "memory"), (true, Vec::new()));
        assert_eq!(place(b"junk\n:\n", "memory"), (true, Vec::new()));
    }
}

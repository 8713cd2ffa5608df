//! What is known only of what runs.

use super::cgroup;
use crate::check::facts::{Resolver, Running, User};
use crate::engine::Container;
use crate::engine::docker::images::Given;
use crate::image::{Environment, Setup};
use crate::inspect::fetch;
use crate::inspect::network::{self, resolver};
use crate::inspect::process::{MAX_ENVIRONMENT, MAX_MOUNTS, capabilities, environment as variables, limits, mounts};
use crate::inspect::processes::{MAX_STATUS, stat};
use crate::shim::{Error, Shim};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// The most open files that are counted.
const MOST_FILES: usize = 1 << 16;
/// What the kernel and engines mount into every container.
const OF_ENGINES: [&str; 7] =
    ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"];

/// What the engine says of the container, beside how it is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Whether it is a container.
    pub container: bool,
    /// Whether it runs privileged.
    pub privileged: bool,
    /// Thousandths of a processor it may use, if limited.
    pub milli_cpus: Option<u64>,
    /// Memory it may use, in bytes, if limited.
    pub memory: Option<u64>,
    /// Processes and threads it may have, if limited.
    pub pids: Option<u64>,
    /// Ports that are published.
    pub published: Vec<u16>,
}

impl About {
    /// Of a container, and of what it was given.
    #[must_use]
    pub fn of(container: &Container, given: Given) -> Self {
        Self {
            container: true,
            privileged: container.privileged,
            milli_cpus: given.milli_cpus,
            memory: container.memory_limit,
            pids: given.pids,
            published: container.ports.iter().map(|port| port.container_port).collect(),
        }
    }
}

/// The environment it was started with. `None` if that may not be read.
pub(super) async fn environment(shim: &Shim, pid: ContainerPid) -> Option<Environment> {
    let (text, _) = fetch::prefix(shim, &fetch::proc_path(pid, "environ"), MAX_ENVIRONMENT).await.ok()?;
    let all = variables::parse(&text);
    Some(Environment::new(all.iter().map(|one| (one.name.bytes(), one.value.bytes()))))
}

/// `/proc/PID/status`, and who it runs as.
pub(super) async fn status(shim: &Shim, pid: ContainerPid) -> Result<(Vec<u8>, User), Error> {
    let (status, _) = fetch::prefix(shim, &fetch::proc_path(pid, "status"), MAX_STATUS).await?;
    let ids = |name: &[u8]| -> Vec<u32> {
        let value = stat::fields(&status).find(|(field, _)| *field == name).map(|(_, value)| value).unwrap_or_default();
        fetch::words(value).filter_map(fetch::decimal).collect()
    };
    // Real, effective, saved, file system: the second one counts for files.
    let user = User {
        uid: ids(b"Uid").get(1).copied(),
        gid: ids(b"Gid").get(1).copied().unwrap_or_default(),
        groups: ids(b"Groups"),
        ..User::default()
    };
    Ok((status, user))
}

/// What resolves names in there.
pub(super) async fn resolver(shim: &Shim, known: Resolver) -> Resolver {
    let read = resolver::read(shim).await;
    let localhost = |hosts: &Vec<(Untrusted, Vec<Untrusted>)>| {
        hosts.iter().any(|(_, names)| names.iter().any(|name| name.bytes() == b"localhost"))
    };
    Resolver { servers: read.nameservers.ok().map(Vec::len), localhost: read.hosts.ok().map(localhost), ..known }
}

/// Reads the rest.
pub(super) async fn read(shim: &Shim, pid: ContainerPid, status: &[u8], setup: &Setup, about: &About) -> Running {
    let field = |name: &[u8]| stat::fields(status).find(|(field, _)| *field == name).map(|(_, value)| value);
    let text = |name: &'static str, most| async move {
        fetch::prefix(shim, &fetch::proc_path(pid, name), most).await.map(|(text, _)| text).ok()
    };
    let (limits_text, mount_text) =
        futures_util::future::join(text("limits", MAX_STATUS), text("mountinfo", MAX_MOUNTS)).await;
    let held = cgroup::read(shim, pid).await;
    let files = limits_text.and_then(|text| {
        let all = limits::parse(&text, &limits::Usage::default());
        all.into_iter().find(|limit| limit.name == "Max open files").map(|limit| (limit.soft, limit.hard))
    });
    let mounted = mount_text.map(|text| mounts::parse(&text));
    let root = mounted.iter().flatten().rfind(|mount| mount.point.bytes() == b"/");
    let own = |point: &Untrusted| {
        let point = point.lossy();
        let below =
            |place: &str| point.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        point != "/" && !OF_ENGINES.iter().any(|place| below(place))
    };
    let sets = capabilities::parse(status);
    let exposed = setup.exposed.iter().filter_map(|port| port.lossy().split('/').next()?.parse().ok());
    let open_files = fetch::numbers(shim, &fetch::proc_path(pid, "fd"), MOST_FILES).await.ok();
    Running {
        container: about.container,
        is_first: pid.0 == 1,
        caught: field(b"SigCgt").and_then(|mask| fetch::number(mask, 16)),
        processors: field(b"Cpus_allowed_list").map(processors).filter(|&count| count > 0),
        threads: field(b"Threads").and_then(fetch::decimal),
        milli_cpus: about.milli_cpus.or(held.milli_cpus),
        memory: about.memory.or(held.memory),
        pids: about.pids.or(held.pids),
        files,
        open_files: open_files.map(|open| open.len() as u64),
        capabilities: sets.into_iter().find(|set| set.set == "effective").map(|set| set.names),
        read_only: root.map(|root| root.options.bytes().split(|&byte| byte == b',').any(|word| word == b"ro")),
        mounts: mounted.iter().flatten().map(|mount| mount.point.clone()).filter(own).take(64).collect(),
        privileged: about.privileged,
        listening: listening(shim, pid).await,
        published: about.published.iter().copied().chain(exposed).collect(),
    }
}

/// Sockets that wait for connections on all addresses.
async fn listening(shim: &Shim, pid: ContainerPid) -> Option<Vec<std::net::SocketAddr>> {
    let (sockets, notes) = network::sockets(shim, pid).await;
    if sockets.is_empty() && !notes.is_empty() {
        return None;
    }
    let open = sockets.iter().filter(|socket| socket.listens()).filter_map(|socket| socket.local);
    Some(open.filter(|local| local.ip().is_unspecified()).take(1024).collect())
}

/// How many processors a list names: `0-3,8` (cpuset(7)).
fn processors(list: &[u8]) -> u64 {
    let count = |part: &[u8]| {
        let mut range = part.splitn(2, |&byte| byte == b'-').map(fetch::decimal::<u64>);
        let (first, end) = (range.next().flatten()?, range.next());
        Some(end.unwrap_or(Some(first))?.checked_sub(first)?.saturating_add(1))
    };
    list.split(|&byte| byte == b',').filter_map(count).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        for (list, count) in [
            ("0", 1),
            ("0-3", 4),
            ("0-3,8,10-11", 7),
            ("", 0),
            ("3-0", 0),
            ("a-b", 0),
            ("0-18446744073709551615", u64::MAX),
        ] {
            assert_eq!(processors(list.as_bytes()), count, "{list}");
        }
    }
}

//! Processes of this host: targets without an engine, and what a container's pids are called outside.
//!
//! Only the host's own `/proc` is read. What a container chooses in it (names, its cgroup, how many
//! processes there are) is bounded and decides nothing beyond its own lines.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, Mode, OFlags};

use super::error::Error;
use crate::target::{ContainerPid, HostPid};
use crate::text::Untrusted;

/// The most processes that are looked at.
const MOST: usize = 1 << 17;
/// The largest file of `/proc` that is read, in bytes.
const LARGEST: u64 = 64 << 10;
/// The most arguments that are kept of a command.
const MOST_ARGUMENTS: usize = 1024;
/// Clock ticks in a second, as `/proc` counts them (`USER_HZ`): 100 on every architecture built for.
const TICKS: u64 = 100;
/// How far apart the engine's and the kernel's word on a start may be.
const START_SLACK: Duration = Duration::from_secs(2);

/// Whether a text names the container of this id.
type IsNamed = fn(&[u8], &str) -> bool;
/// The files of `/proc/PID` that tell whose the process is.
pub const NAMED_IN: [(&str, IsNamed); 2] = [("cgroup", names), ("mountinfo", mounts_name)];

/// A process of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostProcess {
    /// Its id.
    pub pid: HostPid,
    /// The kernel's name of it (`comm`).
    pub name: Untrusted,
    /// Its arguments; empty for a kernel thread or a zombie.
    pub command: Vec<Untrusted>,
    /// Real user id, on the host.
    pub uid: u32,
    /// Its id in its own, innermost pid namespace.
    pub inner_pid: ContainerPid,
    /// When it began.
    pub started: Option<SystemTime>,
    /// The same in clock ticks after boot: with `pid`, what tells it from a later one of the same id.
    pub start_ticks: u64,
}

/// One process, seen from outside and from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Outside.
    pub host: HostPid,
    /// Inside.
    pub container: ContainerPid,
    /// When it began, in clock ticks after boot.
    pub start_ticks: u64,
}

/// Looks at one process.
///
/// # Errors
/// [`Error::NoProcess`], or [`Error::Process`] if the kernel does not let us.
pub fn find(pid: HostPid) -> Result<HostProcess, Error> {
    let failed = |error: io::Error| {
        if is_missing(&error) { Error::NoProcess(pid) } else { Error::Process { pid, why: error.to_string() } }
    };
    let folder = Folder::open(pid).map_err(failed)?;
    let status = folder.status().map_err(failed)?;
    // `/proc/TID` exists for threads too, though it is not listed.
    if status.tgid != pid.0 {
        return Err(Error::NoProcess(pid));
    }
    let stat = folder.stat().map_err(failed)?;
    let command = folder.read("cmdline").map_err(failed)?;
    let command = command.strip_suffix(b"\0").unwrap_or(&command);
    let words = command.split(|&byte| byte == 0).take(MOST_ARGUMENTS);
    Ok(HostProcess {
        pid,
        name: Untrusted::new(stat.name),
        command: if command.is_empty() { Vec::new() } else { words.map(Untrusted::from).collect() },
        uid: status.uid,
        inner_pid: ContainerPid(status.pids.last().copied().unwrap_or(pid.0)),
        started: started(stat.start_ticks),
        start_ticks: stat.start_ticks,
    })
}

/// Whether a process has ended: there is none of that number, or it waits to be reaped.
#[must_use]
pub fn has_ended(pid: HostPid) -> bool {
    let stat = Folder::open(pid).and_then(|folder| folder.stat());
    stat.map_or_else(|error| is_missing(&error), |stat| matches!(stat.state, 'Z' | 'X'))
}

/// When a process began, in clock ticks after boot, by the text of its `stat` (proc_pid_stat(5)).
#[must_use]
pub fn start_ticks(stat: &[u8]) -> Option<u64> {
    parse_stat(stat).map(|stat| stat.start_ticks)
}

/// What `/proc` answers for a process that is not there, or not any more.
fn is_missing(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(errno, Some(rustix::io::Errno::NOENT | rustix::io::Errno::SRCH))
}

/// Whether a process of this host is the first one of a container the engine told of. The engine may be in a
/// virtual machine or on another host, where the same number is another process: nothing of this host may be
/// entered for it.
///
/// Its cgroup or its mounts say so by the container's id; where neither does, it is told by when it began.
#[must_use]
pub fn is_of_container(pid: HostPid, id: &str, began: Option<SystemTime>) -> bool {
    let Ok(folder) = Folder::open(pid) else { return false };
    if NAMED_IN.iter().any(|(file, is_named)| folder.read(file).is_ok_and(|text| is_named(&text, id))) {
        return true;
    }
    let start = folder.stat().ok().and_then(|stat| started(stat.start_ticks));
    let (Some(start), Some(began)) = (start, began) else { return false };
    // The engine notes the time when the process runs already; the kernel's clock tells whole seconds of boot.
    let apart = start.duration_since(began).or_else(|_| began.duration_since(start)).unwrap_or(Duration::MAX);
    apart <= START_SLACK
}

/// Whether a cgroup's path names a container: `/docker/ID`, `/system.slice/docker-ID.scope`, `/x/libpod-ID`. Only a
/// whole id will do; a short one is found in many a path by chance.
fn names(cgroup: &[u8], id: &str) -> bool {
    id.len() == 64 && memchr::memmem::find(cgroup, id.as_bytes()).is_some()
}

/// Whether a process's mounts name a container. Podman gives each a file of its own, from a folder of the container's id;
/// it does so where it can make no cgroup, too. What else it mounts may be another container's, whose network is shared.
fn mounts_name(mountinfo: &[u8], id: &str) -> bool {
    // proc_pid_mountinfo(5): three numbers, what is mounted, and where.
    mountinfo.split(|&byte| byte == b'\n').any(|line| {
        let mut fields = line.split(|&byte| byte == b' ').skip(3);
        let (root, place) = (fields.next(), fields.next());
        place == Some(b"/run/.containerenv") && root.is_some_and(|root| names(root, id))
    })
}

/// What the processes in `init`'s pid namespace, and in namespaces below it, are called on this host.
/// Empty if `init` is gone.
#[must_use]
pub fn host_pids(init: HostPid) -> HashMap<ContainerPid, HostPid> {
    pairs(init).into_iter().map(|pair| (pair.container, pair.host)).collect()
}

/// The same with start times, so that a process is not taken for a later one of the same id.
#[must_use]
pub fn pairs(init: HostPid) -> Vec<Pair> {
    let Ok(family) = Family::of(init) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut candidates: Vec<Candidate> =
        numbers.take(MOST).filter_map(|pid| Candidate::read(HostPid(pid), &family).ok().flatten()).collect();
    family.keep_members(&mut candidates);
    let pairs = candidates.into_iter().filter_map(|one| {
        let container = ContainerPid(*one.pids.get(family.depth.checked_sub(1)?)?);
        Some(Pair { host: one.pid, container, start_ticks: one.start_ticks })
    });
    pairs.collect()
}

/// What makes a process belong to the container of `init`.
struct Family {
    init: HostPid,
    /// How many pid namespaces `init` is in, counted from the one `/proc` is mounted in. 1 is the host's own.
    depth: usize,
    namespace: Option<Vec<u8>>,
    cgroup: Vec<u8>,
    start_ticks: u64,
}

struct Candidate {
    pid: HostPid,
    parent: i32,
    pids: Vec<i32>,
    /// Whether its namespace is `init`'s. `None` if the kernel does not tell us, who are not root.
    same_namespace: Option<bool>,
    same_cgroup: bool,
    start_ticks: u64,
}

impl Family {
    fn of(init: HostPid) -> io::Result<Self> {
        let folder = Folder::open(init)?;
        let status = folder.status()?;
        Ok(Self {
            init,
            depth: status.pids.len(),
            namespace: folder.namespace(),
            cgroup: folder.read("cgroup").unwrap_or_default(),
            start_ticks: folder.stat()?.start_ticks,
        })
    }

    /// Leaves the members: those in `init`'s namespace, and everything that descends from one of them. Where the
    /// kernel does not tell a namespace, the cgroup stands in for it.
    fn keep_members(&self, candidates: &mut Vec<Candidate>) {
        let parents: HashMap<i32, i32> = candidates.iter().map(|one| (one.pid.0, one.parent)).collect();
        let mut member: HashMap<i32, bool> = candidates
            .iter()
            .filter_map(|one| {
                let host = self.depth == 1;
                let known = one.same_namespace.unwrap_or(one.same_cgroup);
                (host || known || one.pid == self.init).then_some((one.pid.0, true))
            })
            .collect();
        for one in candidates.iter() {
            let mut trail = Vec::new();
            let mut at = one.pid.0;
            // Parents can change while they are read: a circle is possible, so the trail is bounded.
            let found = loop {
                if let Some(&known) = member.get(&at) {
                    break known;
                }
                trail.push(at);
                match parents.get(&at) {
                    Some(&parent) if trail.len() < parents.len() => at = parent,
                    _ => break false,
                }
            };
            member.extend(trail.into_iter().map(|pid| (pid, found)));
        }
        candidates.retain(|one| member.get(&one.pid.0) == Some(&true));
    }
}

impl Candidate {
    /// `None` if it cannot belong: it is not as deep, or older than the container.
    fn read(pid: HostPid, family: &Family) -> io::Result<Option<Self>> {
        let folder = Folder::open(pid)?;
        let status = folder.status()?;
        if status.pids.len() < family.depth {
            return Ok(None);
        }
        let stat = folder.stat()?;
        if family.depth > 1 && stat.start_ticks < family.start_ticks {
            return Ok(None);
        }
        let same_namespace = match (&family.namespace, folder.namespace()) {
            (Some(theirs), Some(its)) => Some(*theirs == its),
            _ => None,
        };
        let same_cgroup =
            !family.cgroup.is_empty() && folder.read("cgroup").is_ok_and(|cgroup| cgroup == family.cgroup);
        Ok(Some(Self {
            pid,
            parent: status.parent,
            pids: status.pids,
            same_namespace,
            same_cgroup,
            start_ticks: stat.start_ticks,
        }))
    }
}

/// `/proc/PID`, held open: everything read through it is of one process, even if its id is given to another.
struct Folder(OwnedFd);

/// What is used of `/proc/PID/status`.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    tgid: i32,
    parent: i32,
    uid: u32,
    /// Ids in each pid namespace, ours first (`NSpid`).
    pids: Vec<i32>,
}

/// What is used of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: Vec<u8>,
    /// One letter: `R`, `S`, `Z`, …
    state: char,
    start_ticks: u64,
}

impl Folder {
    fn open(pid: HostPid) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(CWD, format!("/proc/{pid}"), flags, Mode::empty())?))
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = rustix::fs::openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut bytes = Vec::new();
        File::from(file).take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn status(&self) -> io::Result<Status> {
        parse_status(&self.read("status")?).ok_or_else(|| io::Error::other("its status makes no sense"))
    }

    fn stat(&self) -> io::Result<Stat> {
        parse_stat(&self.read("stat")?).ok_or_else(|| io::Error::other("its stat makes no sense"))
    }

    fn namespace(&self) -> Option<Vec<u8>> {
        rustix::fs::readlinkat(&self.0, "ns/pid", Vec::new()).ok().map(std::ffi::CString::into_bytes)
    }
}

/// proc_pid_status(5). The kernel escapes line ends in `Name`, so no name can forge another line.
fn parse_status(text: &[u8]) -> Option<Status> {
    let field = |name: &[u8]| {
        let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        std::str::from_utf8(line).ok()
    };
    let number = |name: &[u8]| field(name)?.split_ascii_whitespace().next()?.parse().ok();
    let tgid = number(b"Tgid:")?;
    let pids = match field(b"NSpid:") {
        Some(list) => list.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?,
        // Before Linux 4.1, and without CONFIG_PID_NS.
        None => vec![tgid],
    };
    let uid = field(b"Uid:")?.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Status { tgid, parent: number(b"PPid:")?, uid, pids })
}

/// proc_pid_stat(5): the name is in parentheses and may contain them; what follows the last one is numbers.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let open = memchr::memchr(b'(', text)?;
    let close = memchr::memrchr(b')', text).filter(|&close| close > open)?;
    let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
    // Fields 3 and 22; 3 is the first after the name.
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start_ticks = fields.nth(22 - 4)?.parse().ok()?;
    Some(Stat { name: text.get(open + 1..close)?.to_vec(), state, start_ticks })
}

/// A start in ticks after boot as a time.
fn started(ticks: u64) -> Option<SystemTime> {
    let mut text = String::new();
    File::open("/proc/stat").ok()?.take(1 << 20).read_to_string(&mut text).ok()?;
    let boot = text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let per_second = TICKS;
    let nanos = (ticks % per_second).checked_mul(1_000_000_000)? / per_second;
    let age = Duration::from_secs(ticks / per_second).checked_add(Duration::from_nanos(nanos))?;
    UNIX_EPOCH.checked_add(Duration::from_secs(boot))?.checked_add(age)
}

/// Parses arbitrary bytes. For fuzzing: must not panic.
pub fn fuzz(bytes: &[u8]) {
    let _ = parse_status(bytes);
    let _ = parse_stat(bytes);
    let _ = mounts_name(bytes, "0");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_stat() {
        let status = b"Name:\ta\\nTgid:\t9\nUmask:\t0022\nTgid:\t4711\nPid:\t4711\nPPid:\t4690\nUid:\t1000\t0\t0\t0\nNSpid:\t4711\t7\t1\n";
        assert_eq!(parse_status(status), Some(Status { tgid: 4711, parent: 4690, uid: 1000, pids: vec![4711, 7, 1] }));
        assert_eq!(parse_status(b"Tgid:\t5\nPPid:\t1\nUid:\t0\n").map(|status| status.pids), Some(vec![5]));
        let stat = b"7 (a) S (b) R 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 0 0";
        assert_eq!(parse_stat(stat), Some(Stat { name: b"a) S (b".to_vec(), state: 'R', start_ticks: 987_654 }));
        for bad in [&b""[..], b"1 (x) ", b") 1 (", b"1 (x) S 1 2", b"1 x S"] {
            assert_eq!(parse_stat(bad), None);
            assert_eq!(parse_status(bad), None);
        }
    }

    #[test]
    fn this_process_is_found() {
        let pid = HostPid(i32::try_from(std::process::id()).unwrap());
        let found = find(pid).unwrap();
        assert_eq!((found.pid, found.uid), (pid, rustix::process::getuid().as_raw()));
        assert!(!found.command.is_empty() && found.start_ticks > 0);
        let age = found.started.unwrap().elapsed().unwrap();
        assert!(age < Duration::from_secs(24 * 60 * 60), "{age:?}");
        // The largest id there can be (proc_sys_kernel(5)) and beyond.
        assert_eq!(find(HostPid(i32::MAX)), Err(Error::NoProcess(HostPid(i32::MAX))));
    }

    #[test]
    fn a_thread_is_no_process() {
        let ids = std::thread::spawn(|| {
            (
                rustix::thread::gettid().as_raw_nonzero().get(),
                find(HostPid(rustix::thread::gettid().as_raw_nonzero().get())),
            )
        });
        let (thread, found) = ids.join().unwrap();
        assert_eq!(found, Err(Error::NoProcess(HostPid(thread))));
    }

    #[test]
    fn in_the_hosts_own_namespace_ids_are_the_same() {
        let pid = HostPid(i32::try_from(std::process::id()).unwrap());
        let mine = find(pid).unwrap().inner_pid;
        assert_eq!(host_pids(pid).get(&mine), Some(&pid));
        assert!(host_pids(HostPid(i32::MAX)).is_empty());
    }

    #[test]
    fn a_number_alone_does_not_make_a_process_the_containers() {
        let pid = HostPid(i32::try_from(std::process::id()).unwrap());
        let mine = find(pid).unwrap().started.unwrap();
        assert!(is_of_container(pid, "", Some(mine + Duration::from_secs(1))));
        assert!(!is_of_container(pid, "", Some(mine + Duration::from_secs(10))));
        assert!(!is_of_container(pid, "", None));
        assert!(!is_of_container(pid, &"3f2a".repeat(16), None));
        assert!(!is_of_container(HostPid(i32::MAX), "", Some(mine)));
        let id = "3f2a".repeat(16);
        for (cgroup, id, named) in [
            (format!("0::/system.slice/docker-{id}.scope"), id.as_str(), true),
            (format!("4:pids:/docker/{id}\n0::/"), &id, true),
            (format!("0::/../libpod-{id}"), &id, true),
            ("0::/".to_owned(), &id, false),
            (format!("0::/docker/{id}"), &id[..12], false),
            (format!("0::/docker/{id}"), "", false),
        ] {
            assert_eq!(names(cgroup.as_bytes(), id), named, "{cgroup}");
        }
    }

    #[test]
    fn a_file_of_its_own_names_a_container_and_one_that_is_shared_does_not() {
        let (mine, other) = ("3f2a".repeat(16), "b07e".repeat(16));
        let mounts = format!(
            "168 103 0:40 / / rw,relatime - overlay overlay rw,upperdir=/x/{other}/diff\n\
             178 168 254:0 /run/overlay-containers/{other}/userdata/hosts /etc/hosts rw - ext4 /dev/vda rw\n\
             175 168 254:0 /run/overlay-containers/{mine}/userdata/.containerenv /run/.containerenv rw - ext4 /dev/vda rw\n"
        );
        assert!(mounts_name(mounts.as_bytes(), &mine));
        assert!(!mounts_name(mounts.as_bytes(), &other));
        for (mounts, id) in [("", mine.as_str()), ("1 2 3", &mine), (&mounts, ""), (&mounts, &mine[..12])] {
            assert!(!mounts_name(mounts.as_bytes(), id), "{mounts:?} {id:?}");
        }
    }

    fn candidate(pid: i32, parent: i32, same_namespace: Option<bool>, same_cgroup: bool) -> Candidate {
        Candidate { pid: HostPid(pid), parent, pids: vec![pid, pid - 99], same_namespace, same_cgroup, start_ticks: 5 }
    }

    #[test]
    fn members_are_told_from_neighbours() {
        let family = Family { init: HostPid(100), depth: 2, namespace: None, cgroup: b"x".to_vec(), start_ticks: 5 };
        let members = |mut all: Vec<Candidate>| {
            family.keep_members(&mut all);
            all.into_iter().map(|one| one.pid.0).collect::<Vec<_>>()
        };
        // The first process, its child in a namespace below, one that entered, and another container's.
        let told = vec![
            candidate(100, 1, Some(true), true),
            candidate(101, 100, Some(false), false),
            candidate(102, 50, Some(true), true),
            candidate(200, 1, Some(false), false),
            candidate(201, 200, Some(false), true),
        ];
        assert_eq!(members(told), [100, 101, 102]);
        // Without root only cgroups and parents tell.
        let untold = vec![
            candidate(100, 1, None, true),
            candidate(101, 100, None, false),
            candidate(102, 1, None, true),
            candidate(200, 1, None, false),
        ];
        assert_eq!(members(untold), [100, 101, 102]);
        // A circle ends.
        assert_eq!(members(vec![candidate(7, 8, None, false), candidate(8, 7, None, false)]), Vec::<i32>::new());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            fuzz(&bytes);
        }
    }
}

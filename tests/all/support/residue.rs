//! What could be left behind in and around a container: taken before and after, and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, process};

use super::container::Container;
use super::engine::{ask, docker};
use super::process::{all_pids, namespace, parent, read, state};
use super::wait;

/// The namespaces that tell who is in a container.
const NAMESPACES: [&str; 6] = ["ipc", "mnt", "net", "pid", "user", "uts"];
/// What the engine has of ours.
const ENGINE: &str = "objects of the engine";
/// How much a quiet container's memory charge moves by itself.
const MEMORY_NOISE: u64 = 2 << 20;
/// How long a process that was killed may take to be gone.
const SETTLING: Duration = Duration::from_secs(5);

/// All that could be left behind, as lines under headings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residue {
    pid: i32,
    found: BTreeMap<&'static str, BTreeSet<String>>,
    memory: Option<u64>,
}

impl Residue {
    /// Looks at a running container and around it. It should be a quiet one.
    pub fn of(container: &Container) -> Self {
        Self::around(container, container.pid())
    }

    /// The same of one that is not quiet: what it uses of memory itself hides what is charged to it.
    pub fn but_for_memory(self) -> Self {
        Self { memory: None, ..self }
    }

    fn around(container: &Container, pid: i32) -> Self {
        let mut found = BTreeMap::new();
        found.insert("docker diff", lines(&container.diff()));
        found.insert("mounts of the container", lines(&read(format!("/proc/{pid}/mountinfo"))));
        let (inside, sharing) = processes_around(pid);
        found.insert("processes inside", inside);
        found.insert("processes outside that share a namespace with it", sharing);
        let groups = cgroups(pid);
        found.insert("members of its cgroups", members(&groups));
        found.insert("mounts of this host with our name", our_mounts());
        found.insert(ENGINE, engine_objects(container.id()));
        found.insert("zombies of this process", our_zombies());
        let memory = groups.iter().find_map(|group| {
            let of = |file| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok();
            of("memory.current").or_else(|| of("memory.usage_in_bytes"))
        });
        Self { pid, found, memory }
    }

    /// Asserts that all is as it was. What was killed gets a moment to go.
    ///
    /// # Panics
    /// With what came and what went.
    #[track_caller]
    pub fn assert_unchanged(&self, container: &Container) {
        let mut difference = String::new();
        let clean = wait::ask_within(SETTLING, || {
            difference = self.difference(&Self::around(container, self.pid));
            difference.is_empty().then_some(())
        });
        assert!(clean.is_some(), "something is left around {}:\n{difference}", container.name());
    }

    /// What differs, to be read; empty if nothing does.
    pub fn difference(&self, after: &Self) -> String {
        let mut text = String::new();
        let none = BTreeSet::new();
        for (heading, before) in &self.found {
            let now = after.found.get(heading).unwrap_or(&none);
            // The image of another test's sidecar lives for a blink and may have been there before.
            let changed = if *heading == ENGINE { now.difference(before).next().is_some() } else { before != now };
            if changed {
                let _ = writeln!(text, "{heading}:");
                text.extend(before.difference(now).map(|line| format!("  - {line}\n")));
                text.extend(now.difference(before).map(|line| format!("  + {line}\n")));
            }
        }
        if let (Some(before), Some(now)) = (self.memory, after.memory)
            && now > before + MEMORY_NOISE
        {
            let _ = writeln!(text, "memory charged to its cgroup:\n  - {before} bytes\n  + {now} bytes");
        }
        text
    }
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

fn name_of(pid: i32) -> String {
    format!("{pid} {:?}", read(format!("/proc/{pid}/comm")).trim_end())
}

/// The processes in the target's pid namespace, and those elsewhere that have joined another one of its namespaces.
fn processes_around(target: i32) -> (BTreeSet<String>, BTreeSet<String>) {
    // A namespace that the target shares with us says nothing, nor one of the engine's own: without root, an engine and
    // its containers are in one user namespace.
    let starter = parent(target).unwrap_or(target);
    let own: Vec<_> = NAMESPACES
        .into_iter()
        .filter_map(|kind| Some((kind, namespace(target, kind)?)))
        .filter(|(kind, its)| namespace("self", kind).as_ref() != Some(its))
        .filter(|(kind, its)| namespace(starter, kind).as_ref() != Some(its))
        .collect();
    let (mut inside, mut sharing) = (BTreeSet::new(), BTreeSet::new());
    for pid in all_pids() {
        let joined = own.iter().filter(|(kind, its)| namespace(pid, kind).as_ref() == Some(its));
        let joined: Vec<_> = joined.map(|(kind, _)| *kind).collect();
        if joined.contains(&"pid") {
            inside.insert(name_of(pid));
        } else if !joined.is_empty() {
            sharing.insert(format!("{} ({})", name_of(pid), joined.join(" ")));
        }
    }
    (inside, sharing)
}

/// The folders of the target's cgroups: one for version 2, one a controller for version 1.
fn cgroups(pid: i32) -> Vec<PathBuf> {
    let text = read(format!("/proc/{pid}/cgroup"));
    let folder = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        Some(
            Path::new("/sys/fs/cgroup")
                .join(controllers.trim_start_matches("name="))
                .join(path.trim_start_matches('/')),
        )
    };
    // The root's members are the whole host, and those of a cgroup that it was started in are the engine's.
    let engines = parent(pid).map(|starter| read(format!("/proc/{starter}/cgroup"))).unwrap_or_default();
    let own = |line: &&str| !line.ends_with(":/") && !engines.lines().any(|other| other == *line);
    text.lines().filter(own).filter_map(folder).filter(|path| path.is_dir()).collect()
}

fn members(groups: &[PathBuf]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for group in groups {
        for pid in read(group.join("cgroup.procs")).lines() {
            all.insert(format!("{pid} in {}", group.display()));
        }
    }
    all
}

fn our_mounts() -> BTreeSet<String> {
    lines(&read("/proc/self/mountinfo")).into_iter().filter(|line| line.contains("scratchdbg")).collect()
}

/// Containers that hang on to this one, and containers and images of ours that are no fixtures of the tests.
fn engine_objects(id: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let ids = docker(&["ps", "--all", "--quiet", "--no-trunc"]);
    let format = "{{.Id}} {{.Name}} {{.Config.Image}} {{.HostConfig.PidMode}} {{.HostConfig.NetworkMode}} {{.HostConfig.IpcMode}} {{json .Config.Labels}}";
    // All at once. That it fails for one that has gone meanwhile is of no interest.
    let inspected = Command::new("docker")
        .args(["inspect", "--type", "container", "--format", format])
        .args(ids.lines().filter(|other| *other != id))
        .output()
        .expect("docker inspect");
    for line in String::from_utf8_lossy(&inspected.stdout).lines() {
        let fixture = line.contains("\"scratchdbg-test\"") || line.contains("\"scratchdbg-demo\"");
        // A sidecar beside another container is another test's.
        if line.contains(id) || (line.contains("scratchdbg") && !fixture && !line.contains("io.scratchdbg.target")) {
            all.insert(format!("container {line}"));
        }
    }
    let images = ask(&["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"]);
    let ours = |line: &&str| line.contains("scratchdbg") && !line.starts_with("scratchdbg-test/");
    all.extend(images.lines().filter(ours).map(|line| format!("image {line}")));
    all
}

fn our_zombies() -> BTreeSet<String> {
    let us = i32::try_from(process::id()).ok();
    let is_one = |pid: &i32| state(*pid) == Some('Z') && parent(*pid) == us;
    all_pids().filter(is_one).map(name_of).collect()
}

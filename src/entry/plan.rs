//! Who enters where, with which rights: decided from facts alone, before anything is done.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Access, Identity};

mod map;

pub use map::IdMap;

/// Kinds of namespaces (namespaces(7)), in the order they are named to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Namespace {
    /// Users: what ids mean, and over what capabilities rule.
    User,
    /// Mounts: the file tree.
    Mnt,
    /// Process ids. Joined for children only: whoever enters does not appear in it.
    Pid,
    /// Network.
    Net,
    /// Host name.
    Uts,
    /// System V IPC.
    Ipc,
    /// View of the cgroup tree. Not the cgroup itself, which is never joined.
    Cgroup,
    /// Clocks.
    Time,
}

impl Namespace {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::User, Self::Mnt, Self::Pid, Self::Net, Self::Uts, Self::Ipc, Self::Cgroup, Self::Time];

    /// Its name in `/proc/PID/ns`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mnt => "mnt",
            Self::Pid => "pid",
            Self::Net => "net",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Cgroup => "cgroup",
            Self::Time => "time",
        }
    }

    /// Its flag for setns(2).
    #[must_use]
    pub fn flag(self) -> libc::c_int {
        match self {
            Self::User => libc::CLONE_NEWUSER,
            Self::Mnt => libc::CLONE_NEWNS,
            Self::Pid => libc::CLONE_NEWPID,
            Self::Net => libc::CLONE_NEWNET,
            Self::Uts => libc::CLONE_NEWUTS,
            Self::Ipc => libc::CLONE_NEWIPC,
            Self::Cgroup => libc::CLONE_NEWCGROUP,
            Self::Time => libc::CLONE_NEWTIME,
        }
    }
}

/// The capabilities that matter here, with their numbers of capabilities(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Capability {
    /// Read every file.
    DacReadSearch = 2,
    /// Send signals to processes of others.
    Kill = 5,
    /// Become another group.
    SetGid = 6,
    /// Become another user.
    SetUid = 7,
    /// Drop capabilities for good.
    SetPcap = 8,
    /// Change the root directory.
    SysChroot = 18,
    /// Look into other processes.
    SysPtrace = 19,
    /// Join namespaces.
    SysAdmin = 21,
}

impl Capability {
    /// As a bit of a capability set.
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Names of those in a capability set.
    #[must_use]
    pub fn names(set: u64) -> Vec<String> {
        Self::ALL.iter().filter(|one| set & one.bit() != 0).map(ToString::to_string).collect()
    }

    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DacReadSearch,
        Self::Kill,
        Self::SetGid,
        Self::SetUid,
        Self::SetPcap,
        Self::SysChroot,
        Self::SysPtrace,
        Self::SysAdmin,
    ];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::Kill => "CAP_KILL",
            Self::SetGid => "CAP_SETGID",
            Self::SetUid => "CAP_SETUID",
            Self::SetPcap => "CAP_SETPCAP",
            Self::SysChroot => "CAP_SYS_CHROOT",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
        })
    }
}

/// Ids of a process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ids {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// What was found out about the target and about us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Namespaces that differ from ours.
    pub differing: Vec<Namespace>,
    /// Whether the target's root directory is another one than ours.
    pub other_root: bool,
    /// Whether the target's root is the root of a mount, so that the view can be locked.
    pub root_is_mount: bool,
    /// The target's ids, as numbers of our user namespace.
    pub target: Ids,
    /// Its permitted capabilities.
    pub target_permitted: u64,
    /// Whether it may be looked at by its own user (prctl(2), `PR_SET_DUMPABLE`).
    pub target_dumpable: bool,
    /// `/proc/PID/uid_map`, if the user namespace differs.
    pub uid_map: IdMap,
    /// `/proc/PID/gid_map`, if the user namespace differs.
    pub gid_map: IdMap,
    /// Whether setgroups(2) is allowed in the target's user namespace.
    pub setgroups: bool,
    /// Our own ids.
    pub ours: Ids,
    /// Our effective capabilities.
    pub our_effective: u64,
    /// Whether Yama lets only those look that have a capability.
    pub restricted: bool,
}

/// What will be done to enter one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Namespaces to join.
    pub join: Vec<Namespace>,
    /// Whether to change the root directory.
    pub chroot: bool,
    /// How the file tree is seen.
    pub view: View,
    /// Ids to look with, as numbers of the target's user namespace.
    pub ids: Ids,
    /// Whether these have to be taken on, being others than ours.
    pub become_them: bool,
    /// Capabilities kept inside.
    pub keep: u64,
    /// Capabilities needed on the way in.
    pub need: u64,
    /// Whether files may be written.
    pub write: bool,
}

/// How the file tree is seen from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// Through a private copy of the mounts on which nothing can be written, run or acted on.
    Locked,
    /// As the target's own rights allow: the session may write.
    Writable,
    /// As the target's own rights allow, for the lack of `CAP_SYS_ADMIN`, which same-user targets do not need.
    Unprivileged,
    /// As the target's own rights allow: its root is a plain directory, which cannot be locked.
    PlainRoot,
    /// As the sidecar's user may. A sidecar has no right to lock a view; its helper opens nothing for writing.
    Sidecar,
}

/// A capability that is missing, and what it is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Which.
    pub capability: Capability,
    /// For what.
    pub purpose: Purpose,
}

/// What a capability is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Joining the namespaces.
    Join,
    /// Changing the root directory.
    Root,
    /// Becoming the target's user.
    User,
    /// Becoming the target's groups.
    Group,
    /// Looking at the process.
    Look,
    /// Reading every file.
    ReadAll,
}

impl Purpose {
    /// In words: what it is for.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Join => "to join its namespaces",
            Self::Root => "to see its root directory",
            Self::User => "to become its user",
            Self::Group => "to become its groups",
            Self::Look => "to look at its process",
            Self::ReadAll => "to read every file",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoPlan {
    /// These capabilities are missing.
    Missing(Vec<Missing>),
    /// The user asked for has no number in the target's user namespace.
    Unmapped(u32),
}

impl Plan {
    /// Decides how to enter.
    ///
    /// # Errors
    /// What is missing, all of it at once.
    pub fn new(facts: &Facts, access: &Access) -> Result<Self, NoPlan> {
        let own_users = !facts.differing.contains(&Namespace::User);
        let ids = ids(facts, access, own_users)?;
        // A process without capabilities may be looked at by its own user; any other takes SYS_PTRACE.
        let has_right = facts.our_effective & Capability::SysPtrace.bit() != 0;
        let looks = access.identity == Identity::Target
            && (facts.target_permitted & !facts.our_kept(own_users) != 0
                || !facts.target_dumpable
                || (has_right && (facts.target_permitted != 0 || (access.memory && facts.restricted))));
        let keep = match access.identity {
            Identity::Target if looks => Capability::SysPtrace.bit(),
            Identity::Target | Identity::User { .. } => 0,
            Identity::Root => Capability::SysPtrace.bit() | Capability::DacReadSearch.bit(),
        };
        let admin = facts.our_effective & Capability::SysAdmin.bit() != 0;
        let view = match () {
            () if access.write => View::Writable,
            () if !facts.root_is_mount => View::PlainRoot,
            () if !admin && facts.differing.is_empty() => View::Unprivileged,
            () => View::Locked,
        };

        let mut need = Vec::new();
        let mut want = |wanted: bool, capability, purpose| {
            if wanted {
                need.push(Missing { capability, purpose });
            }
        };
        let joins = !facts.differing.is_empty();
        want(joins, Capability::SysAdmin, Purpose::Join);
        want(joins, Capability::SysPtrace, Purpose::Look);
        want(facts.other_root || facts.differing.contains(&Namespace::Mnt), Capability::SysChroot, Purpose::Root);
        want(ids.uid != facts.ours.uid || !own_users, Capability::SetUid, Purpose::User);
        want(
            ids.gid != facts.ours.gid || ids.groups != facts.ours.groups || !own_users,
            Capability::SetGid,
            Purpose::Group,
        );
        want(!joins && keep & Capability::SysPtrace.bit() != 0, Capability::SysPtrace, Purpose::Look);
        want(keep & Capability::DacReadSearch.bit() != 0, Capability::DacReadSearch, Purpose::ReadAll);
        let missing: Vec<_> =
            need.iter().copied().filter(|need| facts.our_effective & need.capability.bit() == 0).collect();
        if !missing.is_empty() {
            return Err(NoPlan::Missing(missing));
        }

        let sealing = if view == View::Locked { Capability::SysAdmin.bit() } else { 0 };
        // Dropping capabilities for good takes one itself; who has none has nothing to drop.
        let drops = facts.our_effective & Capability::SetPcap.bit();
        Ok(Self {
            join: facts.differing.clone(),
            chroot: facts.other_root || facts.differing.contains(&Namespace::Mnt),
            view,
            become_them: !(own_users && ids == facts.ours),
            ids,
            keep,
            need: need.iter().fold(keep | sealing | drops, |bits, need| bits | need.capability.bit()),
            write: access.write,
        })
    }

    /// Names of the namespaces joined.
    #[must_use]
    pub fn namespaces(&self) -> Vec<&'static str> {
        self.join.iter().map(|namespace| namespace.name()).collect()
    }

    /// Who looks, in words: `65532:65532, no capabilities`.
    #[must_use]
    pub fn identity(&self) -> String {
        let who = format!("{}:{}", self.ids.uid, self.ids.gid);
        let kept = Capability::names(self.keep);
        if kept.is_empty() { format!("{who}, no capabilities") } else { format!("{who}, {}", kept.join(", ")) }
    }

    /// How the file tree is seen, in words.
    #[must_use]
    pub fn view(&self) -> &'static str {
        match self.view {
            View::Locked => "read-only for us",
            View::Writable => "writable, as asked for",
            View::Unprivileged => "as this user may",
            View::PlainRoot => "as its user may (its root is a plain directory)",
            View::Sidecar => "as its user may; nothing is opened for writing",
        }
    }
}

impl Facts {
    /// Capabilities of ours that outrank the target's when we look at it: none is counted on, since all are
    /// dropped on the way in, unless nothing is joined and nothing dropped.
    fn our_kept(&self, own_users: bool) -> u64 {
        if own_users && self.differing.is_empty() && self.ours == self.target { self.our_effective } else { 0 }
    }
}

fn ids(facts: &Facts, access: &Access, own_users: bool) -> Result<Ids, NoPlan> {
    match access.identity {
        Identity::Root => Ok(Ids::default()),
        Identity::User { uid, gid } => Ok(Ids { uid, gid, groups: Vec::new() }),
        Identity::Target if own_users => Ok(facts.target.clone()),
        Identity::Target => {
            let uid = facts.uid_map.inside(facts.target.uid).ok_or(NoPlan::Unmapped(facts.target.uid))?;
            let gid = facts.gid_map.inside(facts.target.gid).ok_or(NoPlan::Unmapped(facts.target.gid))?;
            let groups = facts.target.groups.iter().filter(|_| facts.setgroups);
            Ok(Ids { uid, gid, groups: groups.filter_map(|&group| facts.gid_map.inside(group)).collect() })
        }
    }
}

#[cfg(test)]
mod tests;

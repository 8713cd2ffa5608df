//! As whom a container that is added may look, the best first, and never with more than looking takes.
//!
//! The kernel lets a process look into another of the same user **and group** that has no capability which it lacks itself; for any
//! other it wants `CAP_SYS_PTRACE` (ptrace(2)), which a cluster gives to user 0 alone: added to another user it is not effective.
//!
//! `DAC_READ_SEARCH`, by which root could read every file, is never asked for: with it a process opens any file of the node by its
//! handle (open_by_handle_at(2)), and not every runtime's filter is against that.

use crate::engine::kube::{Pod, Security};
use crate::entry::Identity;
use crate::entry::plan::Capability;

/// A way to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// In words.
    pub words: &'static str,
    /// Who it is, and with which rights.
    pub security: Security,
}

impl Level {
    /// Who looks, in words: `65532:0, no capabilities`.
    pub fn identity(&self) -> String {
        let Security { uid, gid, add, drop } = &self.security;
        let capabilities = match (add.as_slice(), drop.iter().any(|one| one == "ALL")) {
            ([], true) => "no capabilities".to_owned(),
            ([], false) => "the runtime's usual capabilities".to_owned(),
            (add, true) => add.join(", "),
            (add, false) => format!("the runtime's usual capabilities and {}", add.join(", ")),
        };
        format!("{uid}:{gid}, {capabilities}")
    }

    /// Capabilities kept, as bits, of those that matter here.
    pub fn keep(&self) -> u64 {
        let has = |name: &str| self.security.add.iter().any(|one| one == name);
        if has("SYS_PTRACE") { Capability::SysPtrace.bit() } else { 0 }
    }
}

/// As a container itself is: for a copy, in which who looks is begun in it. The numbers are for a plan; where nobody tells them, they
/// are root's until they are seen.
pub fn own(pod: &Pod) -> Level {
    let (uid, gid) = pod.user.ids().unwrap_or((0, 0));
    let security = Security { uid, gid, add: pod.added.clone(), drop: pod.dropped.clone() };
    Level { words: "as the container itself", security }
}

/// The ways to look at a container, the best first. `None` if nobody tells who it is.
pub fn ladder(pod: &Pod, identity: Identity) -> Option<Vec<Level>> {
    let (uid, gid) = match identity {
        Identity::Target => pod.user.ids()?,
        Identity::Root => return Some(vec![traces(0)]),
        Identity::User { uid, gid } => return Some(vec![bare("as asked for", uid, gid)]),
    };
    if uid != 0 {
        // Whoever is not root has no capabilities, whatever the pod asks for.
        return Some(vec![bare("as the target's own user", uid, gid)]);
    }
    if has_none(pod) {
        return Some(vec![bare("as root without capabilities, as the target", uid, gid)]);
    }
    let mut levels = vec![traces(gid)];
    // A policy that forbids to add capabilities allows those that the target has.
    levels.extend(mirror(pod, gid));
    Some(levels)
}

/// A user without capabilities.
fn bare(words: &'static str, uid: u32, gid: u32) -> Level {
    let security = Security { uid, gid, add: Vec::new(), drop: vec!["ALL".to_owned()] };
    Level { words, security }
}

/// Root with the right to look and no other.
fn traces(gid: u32) -> Level {
    let (add, drop) = (vec!["SYS_PTRACE".to_owned()], vec!["ALL".to_owned()]);
    Level { words: "as root with the right to look", security: Security { uid: 0, gid, add, drop } }
}

/// Root with just the capabilities of the target, so that it has none which we lack.
fn mirror(pod: &Pod, gid: u32) -> Option<Level> {
    let plain = |name: &String| name.strip_prefix("CAP_").unwrap_or(name).to_owned();
    let add: Vec<String> = pod.added.iter().map(plain).collect();
    let drop: Vec<String> = pod.dropped.iter().map(plain).collect();
    // A cluster refuses SYS_ADMIN to whoever may not get more rights, and these are more than looking is worth.
    let too_much = add.iter().any(|one| one == "SYS_ADMIN" || one == "ALL");
    let words = "as root with the target's own capabilities";
    (!pod.container.privileged && !too_much).then_some(Level { words, security: Security { uid: 0, gid, add, drop } })
}

/// Whether the target has no capability although it is root.
fn has_none(pod: &Pod) -> bool {
    pod.added.is_empty() && pod.dropped.iter().any(|one| one == "ALL") && !pod.container.privileged
}

//! As whom a sidecar looks.
//!
//! The kernel lets a process look into another of the same user that holds no capability it lacks itself; for any other
//! it wants `CAP_SYS_PTRACE` (ptrace(2), "Ptrace access mode checking"). An engine gives capabilities to user 0 alone.

use crate::entry::plan::{Capability, Ids};
use crate::entry::status::Status;

/// Who exists in every image: nobody in particular.
const NOBODY: u32 = 65534;

/// A user, and whether it may look into others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Its ids.
    pub ids: Ids,
    /// Whether it holds `CAP_SYS_PTRACE`.
    pub looks: bool,
}

impl Who {
    /// Root, with the right to look and no other.
    pub fn root() -> Self {
        Self { ids: Ids::default(), looks: true }
    }

    /// A user without rights.
    pub fn user(uid: u32, gid: u32) -> Self {
        Self { ids: Ids { uid, gid, groups: Vec::new() }, looks: false }
    }

    /// Somebody who can see who the target is, and nothing of it.
    pub fn nobody() -> Self {
        Self::user(NOBODY, NOBODY)
    }

    /// Who can look into a process that is like this: its own user if that is enough, else root.
    pub fn of(status: &Status) -> Self {
        match status {
            Status { permitted: 0, ids, .. } => Self { ids: ids.clone(), looks: false },
            Status { ids: ids @ Ids { uid: 0, .. }, .. } => Self { ids: ids.clone(), looks: true },
            _ => Self::root(),
        }
    }

    /// Capabilities kept, as bits.
    pub fn keep(&self) -> u64 {
        if self.looks { Capability::SysPtrace.bit() } else { 0 }
    }
}

/// Who a container's configuration says that it runs as: `USER` of its image or `--user`. A name means nothing without
/// the image's `/etc/passwd`, which is not at hand.
pub fn of_config(user: &str) -> Option<Who> {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let number = |text: &str| match text {
        "" | "root" => Some(0),
        text => text.parse::<u32>().ok(),
    };
    match (number(user)?, number(group)?) {
        (0, gid) => Some(Who { ids: Ids { gid, ..Ids::default() }, ..Who::root() }),
        (uid, gid) => Some(Who::user(uid, gid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_configurations() {
        let root = |gid| Some(Who { ids: Ids { gid, ..Ids::default() }, looks: true });
        for (user, who) in [
            ("", root(0)),
            ("0", root(0)),
            ("root", root(0)),
            ("root:5", root(5)),
            ("65532", Some(Who::user(65532, 0))),
            ("65532:7", Some(Who::user(65532, 7))),
            ("app", None),
            ("65532:staff", None),
            ("-1", None),
        ] {
            assert_eq!(of_config(user), who, "{user:?}");
        }
    }

    #[test]
    fn of_processes() {
        let status =
            |uid, permitted| Status { ids: Ids { uid, gid: 5, groups: vec![6] }, permitted, ..Status::default() };
        let ids = |uid| Ids { uid, gid: 5, groups: vec![6] };
        assert_eq!(Who::of(&status(7, 0)), Who { ids: ids(7), looks: false });
        assert_eq!(Who::of(&status(0, 0)), Who { ids: ids(0), looks: false });
        assert_eq!(Who::of(&status(0, 1)), Who { ids: ids(0), looks: true });
        // No engine gives this user the right to look, so it takes root.
        assert_eq!(Who::of(&status(7, 1)), Who::root());
    }

    #[test]
    fn never_more_than_the_right_to_look() {
        assert_eq!(Capability::names(Who::root().keep()), ["CAP_SYS_PTRACE"]);
        assert_eq!(Capability::names(Who::user(7, 7).keep()).len(), 0);
        assert_eq!((Who::root().keep(), Who::nobody().keep()), (1 << 19, 0));
    }
}

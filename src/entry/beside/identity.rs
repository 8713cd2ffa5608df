//! As whom a sidecar debugs.
//!
//! The kernel lets a process trace another one of the same user that holds no capability which it lacks itself; for any other
//! it wants `CAP_SYS_PTRACE` (ptrace(2), "Ptrace access mode checking"). So does Yama where it is at work, unless
//! the other one is a descendant (`Documentation/admin-guide/LSM/Yama.rst`). What `/proc` shows to a process's own user alone (its
//! memory among it) is shown to others with `CAP_DAC_READ_SEARCH` only, by which any file of the engine's host can be opened
//! by handle. So that is never asked for: who needs the one right *becomes* the process's user with it.

use crate::entry::plan::{Capability, Ids};
use crate::entry::status::Status;

/// Who debugs a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As whom the engine starts the sidecar.
    pub ids: Ids,
    /// The capabilities that it gives, as bits.
    pub capabilities: u64,
    /// Whom it then becomes. It keeps `CAP_SYS_PTRACE` alone.
    pub becomes: Option<Ids>,
}

impl Who {
    /// Whoever may trace a process that is like this. `restricted` is that Yama lets only those with a capability.
    pub fn of(status: &Status, restricted: bool) -> Self {
        let ids = status.ids.clone();
        let trace = Capability::SysPtrace.bit();
        match status {
            Status { permitted: 0, .. } if !restricted => Self { ids, capabilities: 0, becomes: None },
            Status { ids: Ids { uid: 0, .. }, .. } => Self { ids, capabilities: trace, becomes: None },
            // An engine gives capabilities to user 0 alone.
            _ => Self {
                ids: Ids::default(),
                capabilities: trace | Capability::SetUid.bit() | Capability::SetGid.bit(),
                becomes: Some(ids),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_it_takes() {
        let status =
            |uid, permitted| Status { ids: Ids { uid, gid: 5, groups: vec![6] }, permitted, ..Status::default() };
        let of = |uid, permitted, restricted| {
            let who = Who::of(&status(uid, permitted), restricted);
            (who.ids.uid, Capability::names(who.capabilities).join(" "), who.becomes.map(|ids| ids.uid))
        };
        let (trace, become_it) = ("CAP_SYS_PTRACE".to_owned(), "CAP_SETGID CAP_SETUID CAP_SYS_PTRACE".to_owned());
        for (uid, permitted, restricted, who) in [
            (7, 0, false, (7, String::new(), None)),
            (0, 0, false, (0, String::new(), None)),
            (0, 1, false, (0, trace.clone(), None)),
            (0, 0, true, (0, trace, None)),
            (7, 1, false, (0, become_it.clone(), Some(7))),
            (7, 0, true, (0, become_it, Some(7))),
        ] {
            assert_eq!(of(uid, permitted, restricted), who, "{uid} {permitted} {restricted}");
        }
        let groups = Who::of(&status(7, 0), true).becomes.unwrap().groups;
        assert_eq!(groups, [6]);
    }
}

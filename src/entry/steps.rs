//! The steps of the local door in words: of a plan, and as they were done.

use nix::errno::Errno;

use super::broker::message::{Step, Stopped};
use super::plan::{Capability, Plan, View};
use crate::activity::{Journal, Made};
use crate::door::Door;
use crate::target::HostPid;

/// What takes every one of them back: they are all of one process.
const UNDO: &str = "the helper's end";

impl Plan {
    /// What a worker does, in order, as orders. What only looks, and what is the worker's own housekeeping, is left out.
    #[must_use]
    pub fn steps(&self, name: &str, pid: HostPid) -> Vec<(Step, String)> {
        let list = |set: u64| Capability::names(set).join(" ");
        let kept = match list(self.keep) {
            none if none.is_empty() => "drop all rights for good".to_owned(),
            kept => format!("keep {kept}, and drop all other rights for good"),
        };
        let way = match list(self.need) {
            none if none.is_empty() => "drop all rights that there are".to_owned(),
            need => format!("drop all rights but what the way in takes: {need}"),
        };
        let who = format!("become {}:{}", self.ids.uid, self.ids.gid);
        let steps = [
            (true, Step::Pidfd, format!("hold {name} (process {pid}) by a pidfd")),
            (true, Step::Fork, "start a worker process".to_owned()),
            (true, Step::Lower, way),
            (!self.join.is_empty(), Step::Join, format!("join its namespaces: {}", self.namespaces().join(" "))),
            (self.chroot, Step::Root, "change to its root directory".to_owned()),
            (self.view == View::Locked, Step::View, "make our view of its files read-only".to_owned()),
            (self.become_them, Step::User, who),
            (true, Step::Drop, kept),
            (true, Step::Filter, "install the system call filter".to_owned()),
            (true, Step::Exec, "execute the helper from a sealed memory file".to_owned()),
        ];
        steps.into_iter().filter(|(planned, ..)| *planned).map(|(_, step, words)| (step, words)).collect()
    }
}

/// Records what the broker did to enter a process.
pub(super) fn record(
    journal: &Journal,
    name: &str,
    pid: HostPid,
    plan: Option<&Plan>,
    done: &[Step],
    failed: Option<Stopped>,
) -> Made {
    // Without a plan it has come no further than to hold the process.
    let planned = plan.map_or_else(Vec::new, |plan| plan.steps(name, pid));
    let words = |step: Step| planned.iter().find(|(other, _)| *other == step).map(|(_, words)| words.as_str());
    let mut made = journal.none();
    for step in done {
        if let Some(words) = words(*step) {
            made = made.and(journal.done(Some(Door::Local), words, Some(UNDO)));
        }
        // The one step that may be gone on without.
        if *step == Step::Exec
            && !done.contains(&Step::View)
            && let Some(words) = words(Step::View)
        {
            journal.failed(Some(Door::Local), words, &"it takes Linux 5.12; the helper opens nothing for writing");
        }
    }
    if let Some(Stopped { step, errno }) = failed {
        journal.failed(Some(Door::Local), words(step).unwrap_or(step.words()), &Errno::from_raw(errno).desc());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::plan::{Ids, Namespace};

    fn plan() -> Plan {
        Plan {
            join: vec![Namespace::Mnt, Namespace::Pid],
            chroot: true,
            view: View::Locked,
            ids: Ids { uid: 65532, gid: 7, groups: vec![] },
            become_them: true,
            keep: Capability::SysPtrace.bit(),
            need: Capability::SysAdmin.bit() | Capability::SysPtrace.bit(),
            write: false,
        }
    }

    fn lines(plan: Option<&Plan>, done: &[Step], failed: Option<Stopped>) -> Vec<String> {
        let journal = Journal::default();
        record(&journal, "shop", HostPid(7), plan, done, failed);
        journal.lines()
    }

    #[test]
    fn what_was_done_is_told_in_order_and_what_was_not_is_not() {
        let all: Vec<Step> = plan().steps("shop", HostPid(7)).into_iter().map(|(step, _)| step).collect();
        let told = lines(Some(&plan()), &all, None);
        assert_eq!(told.len(), all.len());
        assert_eq!(told[0], format!("local: done: hold shop (process 7) by a pidfd (undone by: {UNDO})"));
        assert!(told[3].contains("join its namespaces: mnt pid"), "{told:?}");
        assert!(told[6].contains("become 65532:7") && told[7].contains("keep CAP_SYS_PTRACE, and drop"), "{told:?}");

        let failed = Some(Stopped { step: Step::Join, errno: libc::EPERM });
        let told = lines(Some(&plan()), &all[..3], failed);
        assert_eq!(told.len(), 4);
        assert_eq!(told[3], "local: failed: join its namespaces: mnt pid: Operation not permitted");
    }

    #[test]
    fn a_view_that_could_not_be_locked_is_not_told_as_locked() {
        let all = plan().steps("shop", HostPid(7));
        let done: Vec<Step> = all.into_iter().map(|(step, _)| step).filter(|step| *step != Step::View).collect();
        let told = lines(Some(&plan()), &done, None);
        assert!(
            told.last().unwrap().contains("failed: make our view of its files read-only: it takes Linux"),
            "{told:?}"
        );
    }

    #[test]
    fn a_failure_before_there_is_a_plan_is_told() {
        let failed = Some(Stopped { step: Step::Facts, errno: libc::EACCES });
        let told = lines(None, &[Step::Pidfd], failed);
        assert_eq!(told, ["local: failed: reading the process's identity from /proc: Permission denied"]);
    }
}

//! The door of pods: an ephemeral container that shares the target's processes, and a helper that is begun in it.
//!
//! The helper is the same, and so are the frames. They come through the WebSocket of an exec, and a [`pump`] makes a socket of it. The
//! container itself only holds the place: it ends when nobody has used it for a while, whatever becomes of us. It is never
//! attached to: all that goes through an attached terminal is written to the pod's log, and what an exec says is not.
//!
//! A container that was added stays in the pod's list for as long as there is the pod. So as whom it looks is settled by dry
//! runs, which leave nothing; and one that still runs from before is used again.

mod error;
mod holder;
mod level;
mod own;
mod pump;
#[cfg(feature = "kube")]
#[cfg(test)]
mod tests;

use futures_util::future::join_all;
use nix::errno::Errno;

pub use self::error::Error;
use self::holder::Holder;
use self::level::Level;
use super::plan::{Ids, Namespace, Plan, View};
use super::sidecar::search;
use super::status::Status;
use super::tracer::{Tracer, Way};
use super::{Access, Door, Entered, Via};
use crate::activity::Journal;
use crate::engine::kube::pod::Processes;
use crate::engine::kube::{Cluster, Pod, Right};
use crate::shim::{self, Shim};
use crate::target::ContainerPid;

/// Bytes read of a `status` file at most.
const STATUS: u64 = 64 << 10;

/// How it would be entered: as whom, by the cluster's own word. Nothing is added.
pub(super) async fn plan(cluster: &Cluster, pod: &Pod, access: &Access) -> Result<Plan, Error> {
    let levels = first(cluster, pod, access).await?;
    let (level, _) = holder::choose(cluster, pod, &levels, None).await?;
    Ok(done_as(pod, &level))
}

/// What is seen before anything is asked for: whether it can be done at all, and as whom it may be tried, the best first.
async fn first(cluster: &Cluster, pod: &Pod, access: &Access) -> Result<Vec<Level>, Error> {
    let name = || pod.container.name.clone();
    if access.via != Via::Auto {
        return Err(Error::OtherDoor { name: name() });
    }
    if access.write {
        return Err(Error::ReadOnly { name: name() });
    }
    if let Some(closed) = pod.closed {
        return Err(Error::Closed { pod: format!("{}/{}", pod.namespace, pod.pod), closed });
    }
    let levels = level::ladder(pod, access.identity).ok_or_else(|| Error::WhoIsIt { name: name() })?;
    let missing = missing(cluster, pod).await;
    if !missing.is_empty() {
        return Err(Error::Rights { namespace: pod.namespace.clone(), missing });
    }
    Ok(levels)
}

/// Rights that are missing for sure. A cluster that does not say is asked by doing it.
async fn missing(cluster: &Cluster, pod: &Pod) -> Vec<Right> {
    // Before Kubernetes 1.35 `create` on exec is not asked for: whether it is, is seen then.
    let rights = [Right::ADD, Right::EXEC_GET];
    let may = join_all(rights.map(|right| cluster.may(&pod.namespace, right))).await;
    rights.into_iter().zip(may).filter(|(_, may)| matches!(may, Ok(false))).map(|(right, _)| right).collect()
}

/// Enters through a container of a pod.
pub(super) async fn enter(cluster: &Cluster, pod: &Pod, access: &Access, journal: &Journal) -> Result<Entered, Error> {
    let levels = first(cluster, pod, access).await?;
    let (mut gone, mut holder) = (None, Holder::of(cluster, pod, &levels, journal, None).await?);
    let (shim, level, notice) = loop {
        let (notice, level, name) = (holder.notice(pod), holder.level().clone(), holder.name().to_owned());
        let was_there = !holder.is_new();
        match holder.begin().await {
            // One that was left to others may have ended just now, before the cluster tells: then one is added, once.
            Err(Error::NoHelper { .. }) if was_there && gone.is_none() => {
                holder = Holder::of(cluster, pod, &levels, journal, Some(&name)).await?;
                gone = Some(name);
            }
            begun => break (begun?, level, notice),
        }
    };
    let (shim, init) = go_in(shim, pod, &level, journal).await?;
    let plan = done_as(pod, &level);
    Ok(Entered { shim, plan, init, door: Door::Kube, tracer: Tracer(Way::Nobody), notice })
}

/// Finds the target among the processes that the helper sees, and sends it to that one's root.
async fn go_in(mut shim: Shim, pod: &Pod, level: &Level, journal: &Journal) -> Result<(Shim, ContainerPid), Error> {
    let name = || pod.container.name.clone();
    let lost = |cause| Error::Shim { name: name(), cause };
    let own = shim.readlink(b"/proc/self").await.ok().and_then(|text| search::number(&text));
    let init = match pod.processes {
        Processes::Own => Some(ContainerPid(1)),
        Processes::OfPod | Processes::OfNode => {
            search::first_named(&shim, &pod.container.id, own).await.map_err(lost)?
        }
    };
    let init = init.ok_or_else(|| Error::NotFound { name: name() })?;
    let what = format!("send the helper to the root directory of process {init}");
    let step = journal.begin(Some(Door::Kube), &what, Some("the helper's end"));
    let ours = match pod.processes {
        Processes::OfNode => own.into_iter().collect(),
        Processes::Own | Processes::OfPod => own::of(&shim, own, init).await.map_err(lost)?,
    };
    match shim.enter_root(init, ours).await {
        Ok(()) => {
            let (made, ended) = (step.end(&Ok::<_, Error>(())), shim.ended());
            tokio::spawn(async move {
                ended.await;
                made.undone();
            });
            Ok((shim, init))
        }
        Err(cause) => {
            step.end(&Err::<(), _>(&cause));
            Err(match cause {
                shim::Error::Errno(Errno::EACCES | Errno::EPERM) => {
                    let truly = look(&shim, init).await;
                    Error::Kept { name: name(), identity: level.identity(), pid: init, truly }
                }
                shim::Error::Errno(Errno::ESRCH | Errno::ENOENT) => Error::Gone { name: name() },
                cause => lost(cause),
            })
        }
    }
}

/// Who a process is, from what everybody may read of it.
async fn look(shim: &Shim, pid: ContainerPid) -> Option<Status> {
    let text = shim.read(format!("/proc/{pid}/status").as_bytes(), STATUS).await.ok()?;
    Status::parse(&text)
}

/// What was done, in the words of a plan.
fn done_as(pod: &Pod, level: &Level) -> Plan {
    let pids = Some(Namespace::Pid).filter(|_| pod.processes != Processes::OfNode);
    Plan {
        join: pids.into_iter().chain([Namespace::Net]).collect(),
        chroot: true,
        view: View::Sidecar,
        ids: Ids { uid: level.security.uid, gid: level.security.gid, groups: Vec::new() },
        become_them: false,
        keep: level.keep(),
        need: 0,
        write: false,
    }
}

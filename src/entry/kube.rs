//! The door of pods: an ephemeral container that shares the target's processes, and a helper that is begun in it.
//!
//! The helper is the same, and so are the frames. They come through the WebSocket of an exec, and a [`pump`] makes a socket of it. The
//! container itself only holds the place: it ends when nobody has used it for a while, whatever becomes of us. It is never
//! attached to: all that goes through an attached terminal is written to the pod's log, and what an exec says is not. What debugs is
//! begun by another exec ([`Debugger`]), in the same container.
//!
//! A container that was added stays in the pod's list for as long as there is the pod. So as whom it looks is settled by dry
//! runs, which leave nothing; and one that still runs from before is used again.

pub mod copy;
mod debugger;
mod ending;
mod error;
mod holder;
mod level;
mod own;
mod ports;
mod pump;
#[cfg(feature = "kube")]
#[cfg(test)]
mod tests;

use futures_util::future::join_all;
use nix::errno::Errno;

pub use self::debugger::Debugger;
use self::debugger::There;
pub use self::error::Error;
use self::holder::Holder;
use self::level::Level;
pub use self::ports::{PodLink, Ports};
use super::beside::outside::{Beside, Place};
use super::plan::{Ids, Namespace, Plan, View};
use super::sidecar::search;
use super::status::Status;
use super::tracer::{Tracer, Way};
use super::{Access, Door, Entered, Identity, Via};
use crate::activity::Journal;
use crate::engine::kube::pod::Processes;
use crate::engine::kube::{Cluster, Pod, Right};
use crate::shim::{self, Shim};
use crate::target::ContainerPid;

/// Bytes read of a `status` file at most.
const STATUS: u64 = 64 << 10;

/// How it would be entered: as whom, by the cluster's own word. Nothing is added.
pub(super) async fn plan(cluster: &Cluster, pod: &Pod, access: &Access) -> Result<Plan, Error> {
    if pod.copy.is_some() {
        let level = in_copy(pod, access).map_err(|error| *error)?;
        return Ok(done_as(pod, &level));
    }
    let levels = first(cluster, pod, access).await?;
    let (level, _) = holder::choose(cluster, pod, &levels, None).await?;
    Ok(done_as(pod, &level))
}

/// As whom a container would be added to the pod. `None` if one that was left there is used again. Nothing is added.
pub(super) async fn addition(cluster: &Cluster, pod: &Pod, access: &Access) -> Result<Option<String>, Error> {
    if pod.copy.is_some() {
        return in_copy(pod, access).map(|_| None).map_err(|error| *error);
    }
    let levels = first(cluster, pod, access).await?;
    let (level, there) = holder::choose(cluster, pod, &levels, None).await?;
    Ok(there.is_none().then(|| level.identity()))
}

/// Whether entering a pod would add something to it, as far as that is seen without asking.
pub(super) fn would_add(cluster: &Cluster, pod: &Pod, access: &Access) -> bool {
    let can = access.via == Via::Auto && !access.write && pod.closed.is_none() && pod.copy.is_none();
    can && level::ladder(pod, access.identity).is_some_and(|levels| holder::is_wanted(cluster, pod, &levels))
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
    // Before Kubernetes 1.35 `create` on exec is not asked for: whether it is, is seen then.
    let mut missing = missing_of(cluster, pod, [Right::ADD, Right::EXEC_GET]).await;
    if !holder::is_wanted(cluster, pod, &levels) {
        // One that was left is used, and if that ends just now, the cluster says what is missing.
        missing.retain(|right| *right != Right::ADD);
    }
    if !missing.is_empty() {
        return Err(Error::Rights { namespace: pod.namespace.clone(), missing });
    }
    Ok(levels)
}

/// Rights that are missing for sure. A cluster that does not say is asked by doing it.
async fn missing_of<const N: usize>(cluster: &Cluster, pod: &Pod, rights: [Right; N]) -> Vec<Right> {
    let may = join_all(rights.map(|right| cluster.may(&pod.namespace, right))).await;
    rights.into_iter().zip(may).filter(|(_, may)| matches!(may, Ok(false))).map(|(right, _)| right).collect()
}

/// As whom a copy is looked at: its container's own user, since the helper is begun in that container itself.
fn in_copy(pod: &Pod, access: &Access) -> Result<Level, Box<Error>> {
    let name = || pod.container.name.clone();
    match access {
        Access { via: Via::Local | Via::Sidecar, .. } => Err(Error::OtherDoor { name: name() }.into()),
        Access { write: true, .. } => Err(Error::ReadOnly { name: name() }.into()),
        Access { identity: Identity::Root | Identity::User { .. }, .. } => Err(Error::OwnUser { name: name() }.into()),
        _ => Ok(level::own(pod)),
    }
}

/// Enters a copy: where its program would be is a holder already.
async fn enter_copy(cluster: &Cluster, pod: &Pod, access: &Access, journal: &Journal) -> Result<Entered, Error> {
    let level = in_copy(pod, access).map_err(|error| *error)?;
    let shim = Holder::of_copy(cluster, pod, level.clone(), journal).begin().await?;
    let (shim, init) = go_in(shim, pod, &level, journal).await?;
    let mut plan = done_as(pod, &level);
    if let Some(status) = look(&shim, init).await {
        plan.ids = status.ids;
    }
    let (cluster, pod, journal) = (cluster.clone(), pod.clone(), journal.clone());
    let holder = pod.name.clone();
    let tracer = beside(Debugger { cluster, pod, holder, level, there: There::IN_COPY, journal }, &shim);
    Ok(Entered { shim, plan, init, door: Door::Kube, tracer, notice: None })
}

/// Enters through a container of a pod.
pub(super) async fn enter(cluster: &Cluster, pod: &Pod, access: &Access, journal: &Journal) -> Result<Entered, Error> {
    if pod.copy.is_some() {
        return enter_copy(cluster, pod, access, journal).await;
    }
    let levels = first(cluster, pod, access).await?;
    let (mut gone, mut holder) = (None, Holder::of(cluster, pod, &levels, journal, None).await?);
    let (shim, level, notice, name) = loop {
        let (notice, level, name) = (holder.notice(pod), holder.level().clone(), holder.name().to_owned());
        let was_there = !holder.is_new();
        match holder.begin().await {
            // One that was left to others may have ended just now, before the cluster tells: then one is added, once.
            Err(Error::NoHelper { .. }) if was_there && gone.is_none() => {
                holder = Holder::of(cluster, pod, &levels, journal, Some(&name)).await?;
                gone = Some(name);
            }
            begun => break (begun?, level, notice, name),
        }
    };
    let there = There::look(&shim).await;
    let (shim, init) = go_in(shim, pod, &level, journal).await?;
    let plan = done_as(pod, &level);
    let (cluster, pod, journal) = (cluster.clone(), pod.clone(), journal.clone());
    let tracer = beside(Debugger { cluster, pod, holder: name, level, there, journal }, &shim);
    Ok(Entered { shim, plan, init, door: Door::Kube, tracer, notice })
}

/// Who debugs there, if anybody.
fn beside(debugger: Debugger, shim: &Shim) -> Tracer {
    let (target, shim) = (debugger.target(), shim.clone());
    Tracer(Way::Beside(Box::new(Beside { target, place: Place::Pod(Box::new(debugger)), shim })))
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

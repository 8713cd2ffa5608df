//! The sidecar door: a throw-away container beside the target, for whoever may use the engine.
//!
//! The helper is the same, and so are the frames. They come through the engine's attach stream, and a [`pump`] makes a
//! socket of it. Nothing can be passed over it but bytes.

mod identity;
pub(super) mod pump;
pub(super) mod search;

use std::sync::Arc;

use nix::errno::Errno;
use tokio::net::UnixStream;

use self::identity::Who;
use super::beside::outside::{Beside, Maker, Place};
use super::plan::{Capability, Namespace, Plan, View};
use super::status::Status;
use super::tracer::{Tracer, Way};
use super::{Access, Door, Entered, Error, Identity, SHIM};
use crate::activity::Journal;
use crate::engine::Container;
use crate::engine::docker::sidecar::{Packed, Recipe, Sidecar};
use crate::engine::docker::{Docker, LeftoverKind};
use crate::shim::{self, Leash, Shim};
use crate::target::ContainerPid;

/// The helper's place in its image. Its own user can run it and not read it: see `broker/program.rs`.
const PROGRAM: &str = "/shim";
/// What the helper may take of memory, in bytes: it uses a few hundred KiB, and 4 MiB when
/// all its tunnels are full; what the kernel keeps for their sockets may count as well.
const MEMORY: i64 = 32 << 20;
/// The letter that makes the helper a sidecar's; see `shim/src/main.rs`.
const ARGUMENT: &str = "s";
/// Bytes read of a `status` file at most.
const STATUS: u64 = 64 << 10;

/// How it would be entered, as far as the engine tells: whoever a name is, is seen from beside it only.
pub(super) fn plan(container: &Container, access: &Access) -> Result<Plan, Error> {
    first(container, access).map(|who| done_as(container, &who))
}

/// As whom it is tried first.
fn first(container: &Container, access: &Access) -> Result<Who, Error> {
    if access.write {
        return Err(Error::ReadOnly { target: container.name.clone() });
    }
    // What starts a sidecar holds every capability while it is already among the target's processes, as with every
    // `docker exec`. The kernel protects it from all but who may trace. A privileged target needs no such way out.
    if container.may_trace && !container.privileged && !access.trusting {
        return Err(Error::AtItsMercy { target: container.name.clone() });
    }
    Ok(match access.identity {
        Identity::Target => identity::of_config(&container.user).unwrap_or_else(Who::nobody),
        Identity::Root => Who::root(),
        Identity::User { uid, gid } => Who::user(uid, gid),
    })
}

/// Enters through a container of its own.
pub(super) async fn enter(
    engine: &Docker,
    container: &Container,
    access: &Access,
    journal: &Journal,
) -> Result<Entered, Error> {
    let target = || container.name.clone();
    let lost = |cause| Error::Shim { target: target(), cause };
    let mut who = first(container, access)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let mut shim = start(engine, container, &who).await?;
        let own = shim.readlink(b"/proc/self").await.ok().and_then(|text| search::number(&text));
        let init = search::init(&shim, container, own).await.map_err(lost)?;
        let init = init.ok_or_else(|| Error::Lost { target: target() })?;
        let what = format!("send the helper to the root directory of process {init}");
        let step = journal.begin(Some(Door::Sidecar), &what, Some("the helper's end"));
        match shim.enter_root(init, own.into_iter().collect()).await {
            Ok(()) => {
                let (made, ended) = (step.end(&Ok::<_, Error>(())), shim.ended());
                tokio::spawn(async move {
                    ended.await;
                    made.undone();
                });
                let maker = Maker { engine: engine.clone(), container: container.clone() };
                let place = Place::Sidecar(Box::new(maker));
                let beside = Beside { target: target(), place, shim: shim.clone() };
                let tracer = Tracer(Way::Beside(Box::new(beside)));
                return Ok(Entered {
                    shim,
                    plan: done_as(container, &who),
                    init,
                    door: Door::Sidecar,
                    tracer,
                    notice: None,
                });
            }
            Err(cause @ shim::Error::Errno(Errno::EACCES | Errno::EPERM)) => {
                let truly = if access.identity == Identity::Target { look(&shim, init).await } else { None };
                let truly = truly.filter(|truly| *truly != who && tries < 2);
                let next =
                    truly.as_ref().map(|truly| format!("; tried next: as {}", done_as(container, truly).identity()));
                step.end(&Err::<(), _>(format!("{cause}{}", next.unwrap_or_default())));
                match truly {
                    Some(truly) => who = truly,
                    None => {
                        return Err(Error::Kept {
                            target: target(),
                            identity: done_as(container, &who).identity(),
                            cause,
                        });
                    }
                }
            }
            result @ Err(shim::Error::Errno(Errno::ESRCH | Errno::ENOENT)) => {
                step.end(&result);
                return Err(Error::Gone { target: target() });
            }
            Err(cause) => {
                step.end(&Err::<(), _>(&cause));
                return Err(lost(cause));
            }
        }
    }
}

/// Starts a sidecar and waits for the helper's first word.
async fn start(engine: &Docker, container: &Container, who: &Who) -> Result<Shim, Error> {
    let target = || container.name.clone();
    let capabilities = Capability::names(who.keep());
    let recipe = Recipe {
        target: container.id.clone(),
        pid_mode: container.pid_mode.clone(),
        network_mode: Some(container.network_mode.clone()),
        userns_mode: container.userns_mode.clone(),
        files: vec![Packed { path: PROGRAM.to_owned(), mode: 0o111, bytes: SHIM.into() }],
        arguments: vec![ARGUMENT.to_owned()],
        memory: MEMORY,
        scratch: None,
        user: format!("{}:{}", who.ids.uid, who.ids.gid),
        groups: who.ids.groups.iter().map(u32::to_string).collect(),
        capabilities: capabilities.iter().map(|name| name.trim_start_matches("CAP_").to_owned()).collect(),
    };
    let Sidecar { id, output, input, made, rest } =
        engine.sidecar(recipe).await.map_err(|cause| Error::Engine { target: target(), cause })?;
    let failed = |_: std::io::Error| Error::Shim { target: target(), cause: shim::Error::Closed };
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
    theirs.set_nonblocking(true).map_err(failed)?;
    let (engine, sidecar, taken) = (engine.clone(), Arc::<str>::from(id), made.clone());
    tokio::spawn(pump::run(UnixStream::from_std(theirs).map_err(failed)?, output, input, made, rest));
    let leash = Leash::new(move || {
        if remove(&engine, &sidecar) {
            taken.undone();
        }
    });
    Shim::start(ours, leash).await.map_err(|cause| Error::Shim { target: target(), cause })
}

/// Takes a sidecar that does not answer away. On a thread of its own, so with a runtime of its own. One that cannot be
/// removed has lost its input with us, and `clean` finds it.
fn remove(engine: &Docker, id: &str) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.is_ok_and(|runtime| runtime.block_on(engine.remove(LeftoverKind::Container, id)).is_ok())
}

/// Who a process is, from what everybody may read of it.
async fn look(shim: &Shim, pid: ContainerPid) -> Option<Who> {
    let text = shim.read(format!("/proc/{pid}/status").as_bytes(), STATUS).await.ok()?;
    Status::parse(&text).map(|status| Who::of(&status))
}

/// What was done, in the words of a plan.
fn done_as(container: &Container, who: &Who) -> Plan {
    let users = Some(Namespace::User).filter(|_| !matches!(container.userns_mode.as_str(), "" | "host"));
    Plan {
        join: users.into_iter().chain([Namespace::Pid, Namespace::Net]).collect(),
        chroot: true,
        view: View::Sidecar,
        ids: who.ids.clone(),
        become_them: false,
        keep: who.keep(),
        need: 0,
        write: false,
    }
}

//! The sidecar door: a throw-away container beside the target, for whoever may use the engine.
//!
//! The helper is the same, and so are the frames. They come through the engine's attach stream, and a [`pump`] makes a
//! socket of it. Nothing can be passed over it but bytes.

mod identity;
mod pump;
mod search;

use std::sync::Arc;

use nix::errno::Errno;
use tokio::net::UnixStream;

use self::identity::Who;
use super::plan::{Capability, Namespace, Plan, View};
use super::status::Status;
use super::{Access, Door, Entered, Error, Identity, SHIM};
use crate::engine::Container;
use crate::engine::docker::sidecar::{Recipe, Sidecar};
use crate::engine::docker::{Docker, LeftoverKind};
use crate::shim::{self, Leash, Shim};
use crate::target::ContainerPid;

/// The letter that makes the helper a sidecar's; see `shim/src/main.rs`.
const ARGUMENT: &str = "s";
/// Bytes read of a `status` file at most.
const STATUS: u64 = 64 << 10;

/// How it would be entered, as far as the engine tells: whoever a name is, is seen from beside it only.
pub(super) fn plan(container: &Container, access: &Access) -> Result<Plan, Error> {
    first(container, access).map(|who| done_as(&who))
}

/// As whom it is tried first.
fn first(container: &Container, access: &Access) -> Result<Who, Error> {
    if access.write {
        return Err(Error::ReadOnly { target: container.name.clone() });
    }
    Ok(match access.identity {
        Identity::Target => identity::of_config(&container.user).unwrap_or_else(Who::nobody),
        Identity::Root => Who::root(),
        Identity::User { uid, gid } => Who::user(uid, gid),
    })
}

/// Enters through a container of its own.
pub(super) async fn enter(engine: &Docker, container: &Container, access: &Access) -> Result<Entered, Error> {
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
        match shim.enter_root(init, own).await {
            Ok(()) => {
                return Ok(Entered { shim, plan: done_as(&who), init, door: Door::Sidecar });
            }
            Err(cause @ shim::Error::Errno(Errno::EACCES | Errno::EPERM)) => {
                let truly = if access.identity == Identity::Target { look(&shim, init).await } else { None };
                match truly.filter(|truly| *truly != who && tries < 2) {
                    Some(truly) => who = truly,
                    None => return Err(Error::Kept { target: target(), identity: done_as(&who).identity(), cause }),
                }
            }
            Err(shim::Error::Errno(Errno::ESRCH | Errno::ENOENT)) => return Err(Error::Gone { target: target() }),
            Err(cause) => return Err(lost(cause)),
        }
    }
}

/// Starts a sidecar and waits for the helper's first word.
async fn start(engine: &Docker, container: &Container, who: &Who) -> Result<Shim, Error> {
    let target = || container.name.clone();
    let capabilities = Capability::names(who.keep());
    let recipe = Recipe {
        target: container.id.clone(),
        program: SHIM,
        argument: ARGUMENT,
        user: format!("{}:{}", who.ids.uid, who.ids.gid),
        groups: who.ids.groups.iter().map(u32::to_string).collect(),
        capabilities: capabilities.iter().map(|name| name.trim_start_matches("CAP_").to_owned()).collect(),
    };
    let Sidecar { id, output, input, rest } =
        engine.sidecar(recipe).await.map_err(|cause| Error::Engine { target: target(), cause })?;
    let failed = |_: std::io::Error| Error::Shim { target: target(), cause: shim::Error::Closed };
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
    theirs.set_nonblocking(true).map_err(failed)?;
    tokio::spawn(pump::run(UnixStream::from_std(theirs).map_err(failed)?, output, input, rest));
    let (engine, sidecar) = (engine.clone(), Arc::<str>::from(id));
    let leash = Leash::new(move || remove(&engine, &sidecar));
    Shim::start(ours, leash).await.map_err(|cause| Error::Shim { target: target(), cause })
}

/// Takes a sidecar that does not answer away. On a thread of its own, so with a runtime of its own.
fn remove(engine: &Docker, id: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // A sidecar that cannot be removed here has lost its input with us, and `clean` finds it.
    if let Ok(runtime) = runtime
        && let Err(error) = runtime.block_on(engine.remove(LeftoverKind::Container, id))
    {
        tracing::info!("the sidecar {id} could not be removed: {error}");
    }
}

/// Who a process is, from what everybody may read of it.
async fn look(shim: &Shim, pid: ContainerPid) -> Option<Who> {
    let text = shim.read(format!("/proc/{pid}/status").as_bytes(), STATUS).await.ok()?;
    Status::parse(&text).map(|status| Who::of(&status))
}

/// What was done, in the words of a plan.
fn done_as(who: &Who) -> Plan {
    Plan {
        join: vec![Namespace::Pid, Namespace::Net],
        chroot: true,
        view: View::Sidecar,
        ids: who.ids.clone(),
        become_them: false,
        keep: who.keep(),
        need: 0,
        write: false,
    }
}

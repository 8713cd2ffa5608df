//! Finding a target and entering it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, mpsc};

use super::{Shared, caught, golang};
use crate::activity::Journal;
use crate::door::Door;
use crate::engine::Owner;
use crate::engine::cri::Cri;
use crate::entry::{self, Entered, Tracer};
use crate::exit::{Exit, Failure};
use crate::inspect::processes::{self, Process};
use crate::inspect::users::{self, Users};
use crate::shim::Shim;
use crate::target::{ContainerPid, HostPid, NotRunning, Target, TargetName};
use crate::tui::message::{self, Msg, Opened, Outside};

/// What is open. Cheap to clone; the helper inside ends with the last clone.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) target: Target,
    inside: Option<Arc<Inside>>,
}

/// What was learned inside.
pub(super) struct Inside {
    pub(super) shim: Shim,
    pub(super) init: ContainerPid,
    pub(super) tracer: Tracer,
    pub(super) owner: Option<Owner>,
    pub(super) goroutines: golang::Kept,
    pub(super) journal: Journal,
    pub(super) door: Door,
    host: Option<HostPid>,
    users: OnceCell<Users>,
    pids: Mutex<HashMap<ContainerPid, HostPid>>,
}

impl Session {
    /// What is inside, or why there is nothing.
    pub(super) fn inside(&self) -> Result<Arc<Inside>, Failure> {
        let missing = || Failure::new(Exit::NoTarget, format!("{} is not entered", self.target.name()));
        self.inside.clone().ok_or_else(missing)
    }
}

impl Inside {
    pub(super) async fn users(&self) -> &Users {
        self.users.get_or_init(|| users::read(&self.shim)).await
    }

    /// What processes are called on this host. Looked up again only when there are new ones: it costs a look at every
    /// process of this host.
    pub(super) async fn host_pids(&self, list: &[ContainerPid]) -> HashMap<ContainerPid, HostPid> {
        let known = self.pids.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(init) = self.host.filter(|_| list.iter().any(|pid| !known.contains_key(pid))) else { return known };
        let found =
            tokio::task::spawn_blocking(move || crate::engine::process::host_pids(init)).await.unwrap_or_default();
        self.pids.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&found);
        found
    }

    pub(super) async fn processes(&self) -> Result<Vec<Process>, Failure> {
        let pids = processes::pids(&self.shim).await?;
        let host = self.host_pids(&pids).await;
        Ok(processes::all(&self.shim, self.users().await, &host).await?)
    }
}

/// Finds a target, enters it if it runs, tells, and then waits for its end to tell that too.
pub(super) async fn open(shared: Arc<Shared>, out: mpsc::Sender<Msg>, generation: u64, name: TargetName) {
    let for_task = Arc::clone(&shared);
    let found = caught(async move { find(&for_task, &name).await }).await;
    let (target, entered) = match found {
        Ok(found) => found,
        Err(failure) => {
            let _ = out.send(Msg::Opened { generation, result: Err(failure) }).await;
            return;
        }
    };
    let host = target.init();
    let (inside, session) = match entered {
        Ok(Entered { shim, plan, init, door, tracer, notice: _ }) => {
            let told = message::Session {
                namespaces: plan.join.iter().map(|namespace| namespace.name().to_owned()).collect(),
                identity: plan.identity(),
                door: door.to_string(),
                init,
            };
            let owner = shared.owner(&target).await.ok().flatten();
            let (users, pids, goroutines) = (OnceCell::new(), Mutex::new(HashMap::new()), golang::Kept::default());
            let journal = shared.journal.clone();
            let inside = Inside { shim, init, tracer, owner, goroutines, journal, door, host, users, pids };
            (Some(Arc::new(inside)), Ok(told))
        }
        Err(failure) => (None, Err(failure)),
    };
    let shim = inside.as_ref().map(|inside| inside.shim.clone());
    shared.set(Some((generation, Session { target: target.clone(), inside })));
    let opened = Box::new(Opened { target, session });
    if out.send(Msg::Opened { generation, result: Ok(opened) }).await.is_err() {
        return;
    }
    if let Some(shim) = shim {
        let reason = match shim.gone().await {
            Ok(()) => "the container ended".to_owned(),
            Err(error) => error.to_string(),
        };
        let _ = out.send(Msg::Lost { generation, reason }).await;
    }
}

/// Finds a target, and enters it only if nothing is added to it by that.
pub(super) async fn approach(
    shared: Arc<Shared>,
    out: mpsc::Sender<Msg>,
    generation: u64,
    name: TargetName,
    log: bool,
) {
    let (for_task, named) = (Arc::clone(&shared), name.clone());
    let looked = caught(async move { look(&for_task, &named, log).await }).await;
    let stay = |target: &Target| shared.set(Some((generation, Session { target: target.clone(), inside: None })));
    let msg = match looked {
        Ok((_, Ok(None))) => return open(shared, out, generation, name).await,
        Ok((target, Ok(Some(why)))) => {
            stay(&target);
            Msg::Approached { generation, target: Box::new(target), why }
        }
        Ok((target, Err(failure))) => {
            stay(&target);
            Msg::Opened { generation, result: Ok(Box::new(Opened { target, session: Err(failure) })) }
        }
        Err(failure) => Msg::Opened { generation, result: Err(failure) },
    };
    let _ = out.send(msg).await;
}

/// What is there, and why it is not entered at once, if it is not.
async fn look(
    shared: &Shared,
    name: &TargetName,
    log: bool,
) -> Result<(Target, Result<Option<Outside>, Failure>), Failure> {
    let target = named(shared, name).await?;
    if log {
        return Ok((target, Ok(Some(Outside::Log))));
    }
    if let Err(failure) = target.running() {
        return Ok((target, Ok(Some(Outside::Down(failure)))));
    }
    let owner = shared.owner(&target).await?;
    let adds = entry::addition(owner.as_ref(), &target, &shared.access).await;
    let why = adds.map(|adds| adds.map(Outside::Adds)).map_err(Failure::from);
    Ok((target, why))
}

async fn named(shared: &Shared, name: &TargetName) -> Result<Target, Failure> {
    Ok(match name {
        TargetName::Container(name) => Target::Container(Box::new(shared.engine()?.resolve(name).await?)),
        TargetName::Process(pid) => Target::Process(*pid),
        TargetName::Pod(name) => {
            Target::Pod(Box::new(shared.cluster().await?.find(name, shared.clusters.container.as_deref()).await?))
        }
        TargetName::Node(name) => {
            let cri = Cri::connect(shared.clusters.cri_socket.as_deref()).await?;
            Target::Node(Box::new(cri.find(name).await?))
        }
        TargetName::Image(_) => return Err(NotRunning(name.clone()).into()),
    })
}

async fn find(shared: &Shared, name: &TargetName) -> Result<(Target, Result<Entered, Failure>), Failure> {
    let target = named(shared, name).await?;
    if let Err(failure) = target.running() {
        return Ok((target, Err(failure)));
    }
    let owner = shared.owner(&target).await?;
    let entered = entry::enter(Ok(&shared.broker), owner.as_ref(), &target, &shared.access, &shared.journal).await;
    match still_the_same(shared, &target).await {
        Ok(()) => Ok((target, entered.map_err(Failure::from))),
        // That it ended just now explains it better than the step that failed.
        Err((Some(ended), failure)) => Ok((ended, Err(failure))),
        Err((None, failure)) => Ok((target, Err(failure))),
    }
}

/// Between asking the engine for a process id and holding the process, the container may have ended and its id may
/// have gone to another process. The engine is asked again once the process is held.
///
/// # Errors
/// What became of it, and what it is now if it does not run any more.
pub(super) async fn still_the_same(shared: &Shared, target: &Target) -> Result<(), (Option<Target>, Failure)> {
    let Some(owner) = shared.owner(target).await.map_err(|failure| (None, failure))? else { return Ok(()) };
    let after = owner.again(target).await.map_err(|failure| (None, failure))?;
    if let Err(failure) = after.running() {
        return Err((Some(after), failure));
    }
    if !after.is_same_run(target) {
        return Err((None, entry::Error::Moved { target: target.name() }.into()));
    }
    Ok(())
}

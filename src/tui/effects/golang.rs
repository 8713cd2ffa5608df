//! Goroutines of a process that runs on.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::session::Inside;
use crate::debuggee;
use crate::exit::Failure;
use crate::goroutines::{Error, Session};
use crate::target::{ContainerPid, Target};
use crate::text::Untrusted;
use crate::tui::message::Goroutines;

/// The process that was looked into last: finding what is read of it takes longer than the reading.
pub(super) type Kept = Mutex<Option<Opened>>;

/// A process that is looked into.
pub(super) struct Opened {
    /// What was asked for.
    asked: Option<ContainerPid>,
    pid: ContainerPid,
    go: Untrusted,
    module: Untrusted,
    session: Session,
}

/// Reads all goroutines.
pub(super) async fn read(
    target: &Target,
    inside: &Inside,
    asked: Option<ContainerPid>,
) -> Result<Arc<Goroutines>, Failure> {
    let mut kept = inside.goroutines.lock().await;
    // After a failure it is looked for anew: it may be another process by now.
    let mut opened = match kept.take().filter(|opened| opened.asked == asked) {
        Some(opened) => opened,
        None => open(target, inside, asked).await?,
    };
    let dump = opened.session.read().await?;
    let (pid, go, module) = (opened.pid, opened.go.clone(), opened.module.clone());
    *kept = Some(opened);
    Ok(Arc::new(Goroutines { pid, go, module, dump }))
}

async fn open(target: &Target, inside: &Inside, asked: Option<ContainerPid>) -> Result<Opened, Failure> {
    let (pid, go) = debuggee::choose(&inside.shim, target, inside.init, asked).await?;
    let go = go.map_err(|cause| Error::NotGo { pid, cause })?;
    let what = format!("open the memory of process {pid} for reading, while it runs on");
    let step = inside.journal.begin(Some(inside.door), &what, Some("the end of this view"));
    let session = Session::open(&inside.shim, pid, &go).await;
    step.end(&session);
    let module = go.main.map(|module| module.path).unwrap_or_default();
    Ok(Opened { asked, pid, go: go.go_version, module, session: session? })
}

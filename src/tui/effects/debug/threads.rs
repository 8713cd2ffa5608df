//! Reading the threads of a process, which stops it for a moment.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::sync::mpsc;

use super::super::{Shared, caught};
use super::open::{Meant, meant};
use super::{Aim, Teller};
use crate::entry::snapshot::{self, Terms};
use crate::exit::{Exit, Failure};
use crate::target::ContainerPid;
use crate::threads::{self, Threads};
use crate::tui::message::Msg;
use crate::tui::message::debug::Told;

/// Reads them, and tells the screen.
pub(in crate::tui::effects) async fn take(
    shared: Arc<Shared>,
    out: mpsc::Sender<Msg>,
    generation: u64,
    session: u64,
    pid: ContainerPid,
) {
    let teller = Teller { out, session };
    teller.stage("reading the registers").await;
    let result = caught(async move { read(&shared, generation, pid).await }).await;
    teller.tell(result.map_or_else(Told::Ended, |threads| Told::Threads(Box::new(threads)))).await;
}

async fn read(shared: &Shared, generation: u64, pid: ContainerPid) -> Result<Threads, Failure> {
    let aim = Aim { generation, pid: Some(pid), file: None };
    let Meant { target, inside, found, terms } = meant(shared, &aim).await?;
    let (process, tracer) = (&found.process, &inside.tracer);
    let memory = |error: std::io::Error| Failure::new(Exit::No, format!("no memory file can be made: {error}"));
    let core = memfd_create("scratchdbg-registers", MemfdFlags::CLOEXEC).map_err(|error| memory(error.into()))?;
    let out: OwnedFd = core.try_clone().map_err(memory)?;
    let what = format!("stop {process} and read its registers");
    let step = shared.journal.begin(Some(tracer.door()), &what, Some("it is let go at once, or at our end"));
    let taken = snapshot::take(tracer, &target.name(), process, Terms { most: 0, ..terms }, out, |_| ()).await;
    step.end(&taken).undone();
    let stopped = taken?.thawed.stopped;
    let core = threads::contents(File::from(core)).map_err(memory)?;
    let threads = threads::of_core(&inside.shim, process.pid, &core, stopped).await;
    threads.map_err(|error| Failure::new(Exit::No, format!("{}: {error}", target.name())))
}

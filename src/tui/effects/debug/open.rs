//! Opening a session: which process, what it would cost, a copy of it, and the debugger over that.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{MemfdFlags, memfd_create};

use super::super::Shared;
use super::super::session::{Inside, still_the_same};
use super::Teller;
use super::guarded::Guarded;
use super::rules::{self, Remembered};
use super::source::Finder;
use crate::corefile::Order;
use crate::debuggee::{self, Debuggee};
use crate::delve::client::Stopped;
use crate::delve::core::{self, Opened as Opening};
use crate::delve::cost;
use crate::delve::find::{self, Found};
use crate::delve::guard;
use crate::delve::model::{State, Stop, Versions};
use crate::delve::version::{Gate, INSTALL, Limits, gate, go_minor};
use crate::door::Door;
use crate::entry::snapshot;
use crate::exit::{Exit, Failure};
use crate::golang::{BuildInfo, debuginfo};
use crate::shim::Bulk;
use crate::target::{ContainerPid, Target};
use crate::tui::message::debug::{LIMIT, Opened, Prospect, Snapshot, Subject};

/// How long a process may be stopped at most; what is not copied by then is left out. As `core` does.
const PAUSE: Duration = Duration::from_secs(1);
/// What it is for, in a message that says why not.
const PURPOSE: &str = "take a core of";

/// A session that is open.
pub(super) struct Session {
    pub(super) opened: Opened,
    pub(super) delve: Stopped,
    pub(super) finder: Finder,
    /// How the process stands, if it is a live one.
    pub(super) state: Option<Box<State>>,
    /// The debugger's process: it ends with this.
    pub(super) held: Held,
}

/// Who holds the debugger's process.
pub(super) enum Held {
    /// Over a core.
    Core(#[expect(dead_code, reason = "it is dropped")] Box<Opening>),
    /// On a live process.
    Live(Guarded),
}

impl Held {
    /// Waits until it has ended by itself, and says why. Over a core the connection tells.
    pub(super) async fn ended(&mut self) -> Failure {
        match self {
            Self::Core(_) => std::future::pending().await,
            Self::Live(guarded) => guarded.ended().await,
        }
    }
}

/// The process that is meant.
struct Meant {
    target: Target,
    inside: Arc<Inside>,
    found: Debuggee,
    order: Order,
}

async fn meant(shared: &Shared, generation: u64, pid: Option<ContainerPid>) -> Result<Meant, Failure> {
    let gone = || Failure::new(Exit::NoTarget, "the container was left");
    let session = shared.session(generation).ok_or_else(gone)?;
    let (target, inside) = (session.target.clone(), session.inside()?);
    let init = debuggee::allowed(&target, inside.door, PURPOSE)?;
    let found = debuggee::find(&inside.shim, &target, inside.init, init, pid).await;
    let found = found.map_err(|error| match error {
        several @ debuggee::Error::Several { .. } => {
            Failure::from(several).try_this("say which: `:debug PID`; the tab Procs names them")
        }
        error => error.into(),
    })?;
    // Asked once more now that the start is known, which tells the process from all later ones of its number.
    still_the_same(shared, &target).await.map_err(|(_, failure)| failure)?;
    let most = debuggee::half_of_what_is_free();
    let order = Order { pid: found.host, start_ticks: found.start_ticks, most, pause: PAUSE };
    Ok(Meant { target, inside, found, order })
}

/// What its program says of itself.
///
/// # Errors
/// If Go did not make it, or that cannot be known.
fn made_by(found: &Debuggee) -> Result<&BuildInfo, Failure> {
    found.go.as_ref().map_err(|error| {
        let pid = found.pid;
        if error.is_no() {
            let failure = Failure::new(Exit::No, format!("process {pid} was not made by Go"));
            return failure.try_this("scratchdbg core takes a core file of it, for gdb or lldb");
        }
        let failure = Failure::new(Exit::No, format!("the program of process {pid}: {error}"));
        failure.try_this("where the target's own user may not read it: --as root")
    })
}

/// What a look would cost.
pub(super) async fn prospect(shared: &Shared, generation: u64, pid: Option<ContainerPid>) -> Result<Prospect, Failure> {
    let Meant { target, inside, found, order } = meant(shared, generation, pid).await?;
    let file = debuginfo::of_process(&inside.shim, found.pid).await;
    let weight = snapshot::weigh(Ok(&shared.broker), &target.name(), order).await?;
    let debugger = debugger(found.go.as_ref().ok()).await;
    let debugger = debugger.map(|found| format!("dlv {} ({})", found.version, found.path.display()));
    Ok(Prospect {
        pid: found.pid,
        host: found.host,
        go: made_by(&found).map(|go| go.go_version.safe().into_string()),
        weight,
        pause: debuggee::expected_pause(&weight),
        attaching: file.ok().map(|file| cost::of_attaching(&file)),
        most: order.most,
        debugger,
    })
}

/// Takes a snapshot and opens it.
pub(super) async fn copy(
    shared: &Shared,
    teller: &Teller,
    generation: u64,
    pid: Option<ContainerPid>,
) -> Result<Session, Failure> {
    teller.stage("looking which process it is").await;
    let Meant { target, inside, found, order } = meant(shared, generation, pid).await?;
    let go = made_by(&found)?;
    let dlv = debugger(Some(go)).await?;
    let memory = |error: rustix::io::Errno| Failure::new(Exit::No, format!("no memory file can be made: {error}"));
    let core: OwnedFd = memfd_create("scratchdbg-core", MemfdFlags::CLOEXEC).map_err(memory)?;
    let out = core.try_clone().map_err(|error| Failure::new(Exit::No, error.to_string()))?;

    teller.stage("copying the process").await;
    let at = SystemTime::now();
    let what = format!("stop process {} and copy its memory", order.pid);
    let step = shared.journal.begin(Some(Door::Local), &what, Some("it is let go at once, or at our end"));
    let taken = snapshot::take(Ok(&shared.broker), &target.name(), order, out, |_| ()).await;
    step.end(&taken).undone();
    let taken = taken?;
    let program = program(&inside, found.pid).await?;

    teller.stage("opening the copy in Delve").await;
    let (program, core) = (core::Source::Open(program.into()), core::Source::Open(core));
    let order = core::Order { dlv: &dlv.path, program, core, debug_file: None };
    let (delve, _, opened) = core::open(order).await?;
    let versions = delve.versions().await?;
    let guessed = rules::guess(&delve, Some(go)).await;
    let finder = Finder::new(Remembered::of(&target, Some(go)), guessed);
    let snapshot =
        Snapshot { at, pause: taken.thawed.stopped, size: taken.written.size, left_out: taken.written.left_out };
    let limits = limits(&dlv, &versions);
    let (pid, subject, rules) = (found.pid, Subject::Snapshot(snapshot), finder.rules());
    let opened_for = Opened { pid, subject, versions, limits, rules };
    Ok(Session { opened: opened_for, delve, finder, state: None, held: Held::Core(Box::new(opened)) })
}

/// Attaches to the process itself, which stops it.
pub(super) async fn attach(
    shared: &Shared,
    teller: &Teller,
    generation: u64,
    pid: Option<ContainerPid>,
) -> Result<Session, Failure> {
    teller.stage("looking which process it is").await;
    let Meant { target, found, order, .. } = meant(shared, generation, pid).await?;
    let go = made_by(&found)?;
    let dlv = debugger(Some(go)).await?;
    let program = File::open(&dlv.path)
        .map_err(|error| Failure::new(Exit::No, format!("cannot open {}: {error}", dlv.path.display())))?;

    teller.stage("attaching: it stands still").await;
    let at = SystemTime::now();
    let order = guard::Order {
        pid: order.pid,
        start_ticks: order.start_ticks,
        pause: Some(LIMIT),
        delve: None,
        debug_file: None,
    };
    let name = target.name();
    let (mut guarded, stream) = Guarded::start(shared, &name, order, program.into()).await?;
    let (delve, mut state) = match Stopped::open(stream).await {
        Ok(opened) => opened,
        Err(error) => {
            let why = tokio::time::timeout(super::SHORTLY, guarded.ended()).await;
            return Err(why.unwrap_or_else(|_| error.into()));
        }
    };
    // Delve does not say why it stands still: because it was attached to.
    state.stop = Stop::Attached;
    let versions = delve.versions().await?;
    let guessed = rules::guess(&delve, Some(go)).await;
    let finder = Finder::new(Remembered::of(&target, Some(go)), guessed);
    let limits = limits(&dlv, &versions);
    let (pid, subject, rules) = (found.pid, Subject::Live(at), finder.rules());
    let opened = Opened { pid, subject, versions, limits, rules };
    Ok(Session { opened, delve, finder, state: Some(Box::new(state)), held: Held::Live(guarded) })
}

/// What it cannot show of this program. A stripped one does not say which Go built it.
fn limits(dlv: &Found, versions: &Versions) -> Option<Limits> {
    match gate(dlv.version, None, versions.go.bytes().is_empty()) {
        Gate::Limited(limits) => Some(limits),
        Gate::Good | Gate::Refused(_) => None,
    }
}

/// The program's own file, opened inside.
async fn program(inside: &Inside, pid: ContainerPid) -> Result<File, Failure> {
    let path = inside.shim.readlink(format!("/proc/{pid}/exe").as_bytes()).await;
    let failed = |error| Failure::new(Exit::No, format!("the program of process {pid} cannot be read: {error}"));
    match inside.shim.bulk(&path.map_err(failed)?).await.map_err(failed)? {
        Bulk::File(file, _) => tokio::task::spawn_blocking(|| readable(file))
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
            .map_err(|error| Failure::new(Exit::No, format!("the program cannot be copied: {error}"))),
        Bulk::Stream(..) => Err(Failure::new(Exit::NotPermitted, "the program cannot be passed out through this door")),
    }
}

/// A file that can be opened anew by its descriptor, as the debugger does: this very one, or a copy.
fn readable(file: File) -> std::io::Result<File> {
    if File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).is_ok() {
        return Ok(file);
    }
    let mut copy = File::from(memfd_create("scratchdbg-program", MemfdFlags::CLOEXEC)?);
    std::io::copy(&mut &file, &mut copy)?;
    Ok(copy)
}

/// The debugger, if it is one for this program. Asked before the process is touched.
async fn debugger(go: Option<&BuildInfo>) -> Result<Found, Failure> {
    let found = find::find(None).await?;
    let minor = go.and_then(|go| go_minor(&go.go_version.lossy()));
    // Whether it is stripped shows when it is open: then there is less to be seen, but nothing is lost.
    match gate(found.version, minor, false) {
        Gate::Refused(refusal) => {
            Err(Failure::new(Exit::No, refusal.to_string()).try_this(format!("get a newer one: {INSTALL}")))
        }
        Gate::Good | Gate::Limited(_) => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang;
    use crate::target::HostPid;

    #[test]
    fn what_cannot_be_read_is_not_said_to_be_something_else() {
        let why = |error| {
            let (pid, host) = (ContainerPid(1), HostPid(4711));
            made_by(&Debuggee { pid, host, start_ticks: 9, go: Err(error) }).unwrap_err().message
        };
        assert_eq!(why(golang::Error::NotGo), "process 1 was not made by Go");
        let unreadable = golang::Error::Io(std::io::ErrorKind::PermissionDenied);
        assert_eq!(why(unreadable), "the program of process 1: it cannot be read: permission denied");
        assert!(why(golang::Error::TooOld).contains("older than 1.18"));
    }

    #[test]
    fn a_program_is_not_copied_without_need() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "ELF").unwrap();
        let file = readable(File::open(&path).unwrap()).unwrap();
        let same = |file: &File| std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        assert_eq!(same(&file), path);
    }
}

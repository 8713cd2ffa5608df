//! Opening a session: which process, what it would cost, a copy of it, and the debugger over that.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{MemfdFlags, memfd_create};

use super::super::Shared;
use super::super::session::{Inside, still_the_same};
use super::breakpoints::{self, Breakpoints};
use super::guarded::Guarded;
use super::remembered::Remembered;
use super::rules;
use super::source::Finder;
use super::{Aim, Teller};
use crate::corefile;
use crate::debuggee::{self, Debuggee};
use crate::delve::client::Stopped;
use crate::delve::core::{self, Opened as Opening};
use crate::delve::cost;
use crate::delve::debugfile::{self, DebugFile};
use crate::delve::find::{self, Found};
use crate::delve::model::{State, Stop, Versions};
use crate::delve::version::{Gate, INSTALL, Limits, Version, gate, go_minor};
use crate::entry::snapshot::{self, Terms};
use crate::entry::{self, guard};
use crate::exit::{Exit, Failure};
use crate::golang::debuginfo::DebugInfo;
use crate::golang::{BuildInfo, debuginfo};
use crate::target::Target;
use crate::text;
use crate::tui::message::debug::{LIMIT, Opened, Prospect, Snapshot, Subject};

/// How long a process may be stopped at most; what is not copied by then is left out. As `core` does.
const PAUSE: Duration = Duration::from_secs(1);

/// A session that is open.
pub(super) struct Session {
    pub(super) opened: Opened,
    pub(super) delve: Stopped,
    pub(super) finder: Finder,
    pub(super) breakpoints: Breakpoints,
    /// How the process stands, if it is a live one.
    pub(super) state: Option<Box<State>>,
    /// Since when the process stands still, if it is a live one.
    pub(super) stands: Option<Instant>,
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
pub(super) struct Meant {
    pub(super) target: Target,
    pub(super) inside: Arc<Inside>,
    pub(super) found: Debuggee,
    pub(super) terms: Terms,
}

pub(super) async fn meant(shared: &Shared, aim: &Aim) -> Result<Meant, Failure> {
    let gone = || Failure::new(Exit::NoTarget, "the container was left");
    let session = shared.session(aim.generation).ok_or_else(gone)?;
    let (target, inside) = (session.target.clone(), session.inside()?);
    let found = debuggee::find(&inside.shim, &inside.tracer, &target, inside.init, aim.pid).await;
    let found = found.map_err(|error| match error {
        several @ debuggee::Error::Several { .. } => {
            Failure::from(several).try_this("say which: `:debug PID`; the tab Procs names them")
        }
        error => error.into(),
    })?;
    // Asked once more now that the start is known, which tells the process from all later ones of its number.
    still_the_same(shared, &target).await.map_err(|(_, failure)| failure)?;
    let terms = Terms { most: corefile::half_of_what_is_free(), pause: PAUSE };
    Ok(Meant { target, inside, found, terms })
}

/// What its program says of itself.
///
/// # Errors
/// If Go did not make it, or that cannot be known.
fn made_by(found: &Debuggee) -> Result<&BuildInfo, Failure> {
    found.go.as_ref().map_err(|error| {
        let pid = found.process.pid;
        if error.is_no() {
            return Failure::new(Exit::No, format!("process {pid} was not made by Go"));
        }
        let failure = Failure::new(Exit::No, format!("the program of process {pid}: {error}"));
        failure.try_this("where the target's own user may not read it: --as root")
    })
}

/// What a look would cost.
pub(super) async fn prospect(shared: &Shared, aim: &Aim) -> Result<Prospect, Failure> {
    let Meant { target, inside, found, terms } = meant(shared, aim).await?;
    let file = stripped_off(&inside, &found, aim).await;
    let weight = snapshot::weigh(&inside.tracer, &target.name(), &found.process, terms).await?;
    let debugger = debugger(found.go.as_ref().ok()).await;
    let stripped = file.as_ref().is_ok_and(|(program, _)| program.as_ref().is_some_and(|program| program.stripped));
    let limits = debugger.as_ref().ok().and_then(|found| limits_of(found.version, stripped));
    let debugger = debugger.map(|found| format!("dlv {} ({})", found.version, found.path.display()));
    Ok(Prospect {
        process: found.process,
        risk: inside.tracer.risk(),
        go: made_by(&found).map(|go| go.go_version.safe().into_string()),
        weight,
        pause: debuggee::expected_pause(&weight),
        attaching: file.as_ref().ok().and_then(|(program, _)| program.as_ref()).map(cost::of_attaching),
        most: terms.most,
        limits,
        debugger,
        debug_file: file.map(|(_, file)| file.map(|file| text::escape(file.path.as_os_str().as_encoded_bytes()))),
        remembered: breakpoints::read(&Remembered::of(&target, found.go.as_ref().ok())),
    })
}

/// Takes a snapshot and opens it.
pub(super) async fn copy(shared: &Shared, teller: &Teller, aim: &Aim) -> Result<Session, Failure> {
    teller.stage("looking which process it is").await;
    let Meant { target, inside, found, terms } = meant(shared, aim).await?;
    let go = made_by(&found)?;
    let dlv = debugger(Some(go)).await?;
    let (_, file) = stripped_off(&inside, &found, aim).await?;
    let memory = |error: rustix::io::Errno| Failure::new(Exit::No, format!("no memory file can be made: {error}"));
    let core: OwnedFd = memfd_create("scratchdbg-core", MemfdFlags::CLOEXEC).map_err(memory)?;
    let out = core.try_clone().map_err(|error| Failure::new(Exit::No, error.to_string()))?;

    teller.stage("copying the process").await;
    let at = SystemTime::now();
    let what = format!("stop {} and copy its memory", found.process);
    let door = inside.tracer.door();
    let step = shared.journal.begin(Some(door), &what, Some("it is let go at once, or at our end"));
    let taken = snapshot::take(&inside.tracer, &target.name(), &found.process, terms, out, |_| ()).await;
    step.end(&taken).undone();
    let taken = taken?;
    let program = debuggee::program(&inside.shim, found.process.pid).await?;

    teller.stage("opening the copy in Delve").await;
    let (program, core) = (core::Source::Open(program.into()), core::Source::Open(core));
    let order = core::Order { dlv: &dlv.path, program, core, debug_file: file.as_ref() };
    let (delve, _, opened) = core::open(order).await?;
    let versions = delve.versions().await?;
    let guessed = rules::guess(&delve, Some(go)).await;
    let remembered = Remembered::of(&target, Some(go));
    let (finder, breakpoints) = (Finder::new(remembered.clone(), guessed), Breakpoints::new(remembered));
    let snapshot =
        Snapshot { at, pause: taken.thawed.stopped, size: taken.written.size, left_out: taken.written.left_out };
    let limits = limits(dlv.version, &versions);
    let (pid, subject, rules) = (found.process.pid, Subject::Snapshot(snapshot), finder.rules());
    let opened_for = Opened { pid, subject, versions, limits, rules };
    Ok(Session {
        opened: opened_for,
        delve,
        finder,
        breakpoints,
        state: None,
        stands: None,
        held: Held::Core(Box::new(opened)),
    })
}

/// Attaches to the process itself, which stops it.
pub(super) async fn attach(shared: &Shared, teller: &Teller, aim: &Aim) -> Result<Session, Failure> {
    teller.stage("looking which process it is").await;
    let Meant { target, inside, found, .. } = meant(shared, aim).await?;
    let go = made_by(&found)?;
    let (version, path) = live_debugger(&inside, go).await?;
    let file = if inside.tracer.takes_debug_files() {
        stripped_off(&inside, &found, aim).await?.1
    } else if aim.file.is_some() {
        return Err(entry::Error::no_debug_file().into());
    } else {
        None
    };
    let handed_on = |error| Failure::new(Exit::No, format!("the debug file cannot be handed on: {error}"));
    let opened = file.as_ref().map(DebugFile::open).transpose().map_err(handed_on)?;
    let cannot = |path: &Path, error| Failure::new(Exit::No, format!("cannot open {}: {error}", path.display()));
    let program = path.map(|path| File::open(&path).map_err(|error| cannot(&path, error))).transpose()?;

    teller.stage("attaching: it stands still").await;
    let (at, stands) = (SystemTime::now(), Instant::now());
    let terms = guard::Terms { pause: Some(LIMIT), debug_file: file.as_ref().map(|file| file.build_id) };
    let name = target.name();
    let (mut guarded, stream) =
        Guarded::start(shared, &inside.tracer, &name, found.process, terms, program.map(OwnedFd::from), opened).await?;
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
    let remembered = Remembered::of(&target, Some(go));
    let (finder, breakpoints) = (Finder::new(remembered.clone(), guessed), Breakpoints::new(remembered));
    let limits = limits(version, &versions);
    let (pid, subject, rules) = (found.process.pid, Subject::Live(at), finder.rules());
    let opened = Opened { pid, subject, versions, limits, rules };
    let (state, stands) = (Some(Box::new(state)), Some(stands));
    Ok(Session { opened, delve, finder, breakpoints, state, stands, held: Held::Live(guarded) })
}

/// What a debugger has to read of the program, if that can be told, and what was stripped from it, if that is on this host: the
/// file that somebody named, or one in the usual place.
///
/// # Errors
/// If the one that was named is not the program's.
async fn stripped_off(
    inside: &Inside,
    found: &Debuggee,
    aim: &Aim,
) -> Result<(Option<DebugInfo>, Option<DebugFile>), Failure> {
    let program = match debuginfo::of_process(&inside.shim, found.process.pid).await {
        Ok(program) => program,
        Err(error) if aim.file.is_some() => return Err(Failure::from(error).on("the program")),
        Err(_) => return Ok((None, None)),
    };
    let wanted = debugfile::Wanted { file: aim.file.as_deref(), directories: &[] };
    let file = debugfile::find(&program, wanted).await.map_err(|error| {
        let cannot_be_opened = matches!(error, debugfile::Error::Open { .. });
        let failure = Failure::from(error);
        if cannot_be_opened {
            failure.try_this("`:debugfile FILE` names another one, `:debugfile` none")
        } else {
            failure
        }
    })?;
    let all = file.as_ref().map_or(program, |file| file.with(&program));
    Ok((Some(all), file))
}

/// What it cannot show of this program. A stripped one does not say which Go built it.
fn limits(dlv: Version, versions: &Versions) -> Option<Limits> {
    limits_of(dlv, versions.go.bytes().is_empty())
}

fn limits_of(dlv: Version, stripped: bool) -> Option<Limits> {
    match gate(dlv, None, stripped) {
        Gate::Limited(limits) => Some(limits),
        Gate::Good | Gate::Refused(_) => None,
    }
}

/// The debugger, if it is one for this program. Asked before the process is touched.
async fn debugger(go: Option<&BuildInfo>) -> Result<Found, Failure> {
    let found = find::find(None).await?;
    good(found.version, go)?;
    Ok(found)
}

/// The same for the process itself: which it is, and its program, if that is one of this host.
async fn live_debugger(inside: &Inside, go: &BuildInfo) -> Result<(Version, Option<PathBuf>), Failure> {
    match inside.tracer.own_delve(false).await? {
        Some(own) => good(own.version, Some(go)).map(|()| (own.version, None)),
        None => debugger(Some(go)).await.map(|found| (found.version, Some(found.path))),
    }
}

fn good(version: Version, go: Option<&BuildInfo>) -> Result<(), Failure> {
    let minor = go.and_then(|go| go_minor(&go.go_version.lossy()));
    // Whether it is stripped shows when it is open: then there is less to be seen, but nothing is lost.
    match gate(version, minor, false) {
        Gate::Refused(refusal) => {
            Err(Failure::new(Exit::No, refusal.to_string()).try_this(format!("get a newer one: {INSTALL}")))
        }
        Gate::Good | Gate::Limited(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tracer::Tracee;
    use crate::golang;
    use crate::target::{ContainerPid, HostPid};

    #[test]
    fn what_cannot_be_read_is_not_said_to_be_something_else() {
        let why = |error| {
            let process = Tracee { pid: ContainerPid(1), host: Some(HostPid(4711)), start_ticks: 9 };
            made_by(&Debuggee { process, go: Err(error) }).unwrap_err().message
        };
        assert_eq!(why(golang::Error::NotGo), "process 1 was not made by Go");
        let unreadable = golang::Error::Io(std::io::ErrorKind::PermissionDenied);
        assert_eq!(why(unreadable), "the program of process 1: it cannot be read: permission denied");
        assert!(why(golang::Error::TooOld).contains("older than 1.18"));
    }
}

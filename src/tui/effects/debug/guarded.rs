//! The guard over a live process, as a session has it.

use std::os::fd::OwnedFd;

use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::activity::Made;
use crate::delve::guard::{Report, Told, Why};
use crate::entry::Tracer;
use crate::entry::guard::{self, Guard, NotConnected, Terms};
use crate::entry::tracer::Tracee;
use crate::exit::{Exit, Failure};
use crate::tui::effects::Shared;

/// A guard at work. Dropped, it ends the debugger, and the process goes on.
pub(super) struct Guarded {
    /// Said by being dropped: that nobody looks any more.
    _looks: oneshot::Sender<()>,
    over: oneshot::Receiver<Failure>,
}

impl Guarded {
    /// Starts one, and with it the debugger.
    pub(super) async fn start(
        shared: &Shared,
        tracer: &Tracer,
        name: &str,
        process: Tracee,
        terms: Terms,
        program: Option<OwnedFd>,
        debug_file: Option<OwnedFd>,
    ) -> Result<(Self, UnixStream), Failure> {
        let what = format!("let Delve debug {process}");
        let step = shared.journal.begin(Some(tracer.door()), &what, Some("a guard has it let go"));
        match connected(tracer, name, process, terms, program, debug_file).await {
            Ok((guard, stream)) => {
                let made = step.end(&Ok::<_, String>(()));
                let (looks, nobody) = oneshot::channel();
                let (tell, over) = oneshot::channel();
                // Goes on when the session has gone: until the process was let go.
                tokio::spawn(watch(guard, name.to_owned(), made, nobody, tell));
                Ok((Self { _looks: looks, over }, stream))
            }
            Err(failure) => {
                step.end(&Err::<(), _>(&failure.message)).undone();
                Err(failure)
            }
        }
    }

    /// Waits until the guard has ended the session, and says why.
    pub(super) async fn ended(&mut self) -> Failure {
        let gone = || Failure::new(Exit::No, "the guard has ended");
        (&mut self.over).await.unwrap_or_else(|_| gone())
    }
}

async fn connected(
    tracer: &Tracer,
    name: &str,
    process: Tracee,
    terms: Terms,
    program: Option<OwnedFd>,
    debug_file: Option<OwnedFd>,
) -> Result<(Guard, UnixStream), Failure> {
    let mut guard = guard::start(tracer, name, process, terms, program, debug_file).await?;
    match guard.connected().await {
        Ok(stream) => Ok((guard, stream)),
        Err(NotConnected::Failed(failure)) => Err(failure),
        Err(NotConnected::Ended(report)) => Err(failed(name, None, &report)),
    }
}

/// Watches it until the process was let go.
async fn watch(
    mut guard: Guard,
    name: String,
    made: Made,
    mut nobody: oneshot::Receiver<()>,
    tell: oneshot::Sender<Failure>,
) {
    let (mut why, mut looks) = (None, true);
    let failure = loop {
        let told = tokio::select! {
            _ = &mut nobody, if looks => {
                looks = false;
                guard.end();
                continue;
            }
            told = guard.next() => told,
        };
        match told {
            Ok((Told::Ending(reason), _)) => why = Some(reason),
            Ok((Told::Ended(report), _)) => {
                made.undone();
                break failed(&name, why, &report);
            }
            Ok(_) => {}
            Err(error) => break error.into(),
        }
    };
    // Nobody may look any more.
    let _ = tell.send(failure);
}

/// Why there is no debugger any more.
fn failed(name: &str, why: Option<Why>, report: &Report) -> Failure {
    if !report.runs {
        return Failure::new(Exit::NoTarget, format!("{name}: the process has ended"));
    }
    if let Some(words) = why.and_then(Why::words) {
        return Failure::new(Exit::No, format!("{name}: {words}"));
    }
    let line = report.last_words();
    let line = line.safe();
    Failure::new(Exit::No, format!("{name}: let go, because dlv has ended: {line}"))
}

//! A session of Delve on a live process, from its start to the word on how the process is.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::net::UnixStream;

use super::suited::{self, Suited};
use crate::activity::Made;
use crate::cli::Dlv;
use crate::commands::Context;
use crate::commands::process::Chosen;
use crate::debuggee;
use crate::delve::cost;
use crate::delve::debugfile::DebugFile;
use crate::delve::guard::{Report, Told};
use crate::entry::guard::{self, Guard, NotConnected, Terms};
use crate::exit::{Exit, Failure};

/// What every session of one command has in common.
pub struct Session {
    /// Delve's, if it is one of this host, and what it is called.
    program: Option<PathBuf>,
    shown: String,
    pause: Option<Duration>,
    debug_file: Option<DebugFile>,
}

/// A guard at work, and the step that it is.
pub struct Guarded {
    guard: Guard,
    step: Made,
}

impl Session {
    /// Finds Delve, sees whether it is good for this program before that is touched, and says what it will cost.
    pub async fn new(context: &Context, args: &Dlv, chosen: &Chosen) -> Result<Self, Failure> {
        let Suited { program_file, name, go, program, debug_file, .. } =
            suited::find(context, args, chosen, true).await?;
        let pause = (!args.no_limit).then_some(args.pause);
        let limit = pause.map_or_else(
            || "for as long as somebody debugs it (--no-limit)".to_owned(),
            |pause| format!("for {} at most (--pause)", humantime::format_duration(pause)),
        );
        context.tell(&format!(
            "{}, {}: attaching will stop it for about {} ms; stopped by Delve, it stands still {limit}",
            chosen.process,
            go.go_version.safe().as_str(),
            cost::of_attaching(&program).as_millis()
        ));
        if let Some(words) = debuggee::health_words(&chosen.target, SystemTime::now()) {
            context.tell(&words);
        }
        if let Some(risk) = chosen.entered.tracer.risk() {
            context.tell(risk);
        }
        Ok(Self { program: program_file, shown: name, pause, debug_file })
    }

    /// Attaches Delve, which stops the process.
    pub async fn attach(&self, context: &Context, chosen: &Chosen) -> Result<(Guarded, UnixStream), Failure> {
        let shown = &self.shown;
        let opened = self.program.as_ref().map(File::open).transpose();
        let program = opened.map_err(|error| Failure::new(Exit::No, format!("cannot open {shown}: {error}")))?;
        let program = program.map(OwnedFd::from);
        let (terms, debug_file) = self.terms()?;
        let (process, tracer) = (chosen.process, &chosen.entered.tracer);
        let what = format!("let {shown} debug {process}");
        let undo = "Delve lets it go; a guard sees to it";
        let step = context.journal.begin(Some(tracer.door()), &what, Some(undo));
        let attached = async {
            let mut guard = guard::start(tracer, &chosen.target.name(), process, terms, program, debug_file).await?;
            match guard.connected().await {
                Ok(stream) => Ok((guard, stream)),
                Err(NotConnected::Failed(failure)) => Err(failure),
                Err(NotConnected::Ended(report)) => {
                    let (name, words) = (chosen.target.name(), report.last_words());
                    Err(Failure::new(Exit::No, format!("{name}: dlv has ended: {}", words.safe())))
                }
            }
        };
        match attached.await {
            Ok((guard, stream)) => Ok((Guarded { guard, step: step.end(&Ok::<(), String>(())) }, stream)),
            Err(failure) => {
                step.end(&Err::<(), _>(&failure.message)).undone();
                Err(failure)
            }
        }
    }

    fn terms(&self) -> Result<(Terms, Option<OwnedFd>), Failure> {
        let failed = |error| Failure::new(Exit::No, format!("the debug file cannot be handed on: {error}"));
        let file = self.debug_file.as_ref().map(DebugFile::open).transpose().map_err(failed)?;
        let debug_file = self.debug_file.as_ref().map(|file| file.build_id);
        Ok((Terms { pause: self.pause, debug_file }, file))
    }

    /// Waits until Delve has let go, and says how the process is. Until `work` is done it may take as long as it likes.
    pub async fn until(
        &self,
        context: &Context,
        chosen: &Chosen,
        guarded: Guarded,
        work: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let Guarded { mut guard, step } = guarded;
        let mut work = std::pin::pin!(work);
        let mut at_work = true;
        loop {
            let told = tokio::select! {
                () = &mut work, if at_work => {
                    at_work = false;
                    guard.end();
                    continue;
                }
                told = guard.next() => told?,
            };
            match told {
                (Told::Ending(why), _) => {
                    if let Some(words) = why.words() {
                        context.tell(&format!("{}: {words}", chosen.target.name()));
                    }
                }
                (Told::Ended(report), _) => {
                    step.undone();
                    if at_work {
                        // Delve has gone, and its last words may be on their way to whoever asked for them.
                        let _ = tokio::time::timeout(GOODBYE, &mut work).await;
                    }
                    return ended(context, chosen, &report);
                }
                (Told::Started(_) | Told::Connected | Told::Failed(_), _) => {}
            }
        }
    }
}

/// How long the last of Delve's words may take to get where they are wanted.
const GOODBYE: Duration = Duration::from_secs(2);

/// How the process is left.
fn ended(context: &Context, chosen: &Chosen, report: &Report) -> Result<(), Failure> {
    let name = chosen.target.name();
    if !report.runs {
        return Err(Failure::new(Exit::NoTarget, format!("{name}: process {} has ended", chosen.process.pid)));
    }
    if report.differs > 0 {
        let message = format!(
            "{name}: its program differs from its file in {} bytes, which is not Delve's doing",
            report.differs
        );
        context.tell(&message);
    }
    context.tell(&format!("{name}: let go, without a breakpoint left in it; it runs on"));
    Ok(())
}

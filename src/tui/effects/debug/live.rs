//! A process that is set running and stopped again, and the breakpoints that stop it.

use std::time::{Duration, Instant};

use super::answer;
use super::breakpoints::Breakpoints;
use crate::activity::Journal;
use crate::delve::client::{After, Error, Resume, Running, Stopped};
use crate::delve::model::{NewBreakpoint, State};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;
use crate::tui::message::debug::{Call, Motion, Run, Told};

/// The connection, as far as the process lets us use it.
pub(super) enum Delve {
    /// Everything can be asked.
    Stopped(Stopped),
    /// It can be stopped.
    Running(Running),
    /// The process has ended.
    Ended,
}

/// What is remembered from one run to the next.
pub(super) struct Runs {
    /// A breakpoint that is there for one run only.
    once: Option<i64>,
    /// The others.
    pub(super) breakpoints: Breakpoints,
    journal: Journal,
    /// Since when the process stands still, or is to: from then on it may answer nobody.
    stands: Option<Instant>,
}

impl Runs {
    /// Of a process that stands still since then, if it is a live one.
    pub(super) fn new(breakpoints: Breakpoints, journal: Journal, stands: Option<Instant>) -> Self {
        Self { once: None, breakpoints, journal, stands }
    }

    /// How long it has stood still.
    pub(super) fn stood(&self) -> Duration {
        self.stands.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// It is asked to stop.
    pub(super) fn halts(&mut self) {
        self.stands.get_or_insert_with(Instant::now);
    }

    /// It was not stopped.
    pub(super) fn runs_on(&mut self) {
        self.stands = None;
    }

    /// Changes a variable of the process. Gives what to tell.
    pub(super) async fn set(&self, delve: &Stopped, call: Call, name: String, value: String) -> Told {
        let step = self.journal.begin(Some(Door::Local), &format!("set {name} to {value} in the process"), None);
        let result = delve.set(answer::scope(call), &name, &value).await;
        step.end(&result);
        match result {
            Ok(()) => Told::Set { name, value },
            Err(error) => Told::Refused(error.into()),
        }
    }

    /// Lets the process run on. Gives what to tell.
    pub(super) async fn run(&mut self, delve: Stopped, how: &Run) -> (Delve, Vec<Told>) {
        let how = match how {
            Run::On => Resume::Continue,
            Run::Over => Resume::Next,
            Run::Into => Resume::Step,
            Run::Out => Resume::StepOut,
            Run::To(place) => match delve.set_breakpoint(&NewBreakpoint::at(place.clone())).await {
                Ok(known) => {
                    self.once = Some(known.id);
                    Resume::Continue
                }
                // There may be one already: that stops it, too.
                Err(Error::Refused(why)) if why.as_str().contains("Breakpoint exists") => Resume::Continue,
                Err(error) => return (Delve::Stopped(delve), vec![Told::Refused(error.into())]),
            },
        };
        let (delve, running) = resume(delve, how).await;
        let told = running.err().unwrap_or_else(|| Told::Moved(Motion::Running(self.stood())));
        if matches!(delve, Delve::Running(_)) {
            self.stands = None;
        }
        (delve, vec![told])
    }

    /// The run is over. A breakpoint that only logs does not end it.
    pub(super) async fn over(&mut self, running: Running) -> Result<(Delve, Vec<Told>), Failure> {
        self.stands.get_or_insert_with(Instant::now);
        let (delve, state) = match running.stopped().await? {
            After::Exited(status) => return Ok((Delve::Ended, vec![Told::Moved(Motion::Exited(status))])),
            After::Refused(delve, error) => {
                let state = delve.state().await?;
                let told =
                    vec![Told::Moved(Motion::Stopped(Box::new(state), self.stood())), Told::Refused(error.into())];
                return Ok((Delve::Stopped(delve), told));
            }
            After::Stopped(delve, state) => (delve, state),
        };
        let mut told = traces(&state);
        if state.only_traced() {
            let (delve, running) = resume(delve, Resume::Continue).await;
            told.extend(running.err());
            self.stands = None;
            return Ok((delve, told));
        }
        if let Some(id) = self.once.take() {
            // Gone already is as good.
            let _ = delve.clear_breakpoint(id).await;
        }
        told.push(Told::Moved(Motion::Stopped(state, self.stood())));
        // How often they were hit. That they cannot be listed is told when somebody does something with them.
        told.extend(self.breakpoints.marks(&delve).await.ok().map(|marks| Told::Breakpoints(marks, None)));
        Ok((Delve::Stopped(delve), told))
    }
}

async fn resume(delve: Stopped, how: Resume) -> (Delve, Result<(), Told>) {
    match delve.resume(how).await {
        Ok(running) => (Delve::Running(running), Ok(())),
        Err(error) => (Delve::Ended, Err(Told::Ended(error.into()))),
    }
}

fn traces(state: &State) -> Vec<Told> {
    let traced = state.hits().filter(|(_, hit)| hit.breakpoint.tracepoint);
    let words = |text: &Untrusted| text.safe().into_string();
    traced
        .map(|(thread, hit)| {
            let place = words(&hit.breakpoint.location.function);
            let goroutine = thread.goroutine.map_or_else(String::new, |goroutine| format!("goroutine {goroutine}: "));
            let values = hit.arguments.iter().chain(&hit.variables);
            let values: Vec<String> =
                values.map(|value| format!("{}={}", words(&value.name), words(&value.value))).collect();
            let text = format!("{goroutine}{place}({})", values.join(", "));
            Told::Traced { id: hit.breakpoint.id, hits: hit.breakpoint.hits, text }
        })
        .collect()
}

/// Why something cannot be done while the process runs.
pub(super) fn runs() -> Failure {
    Failure::new(Exit::No, "the process runs").try_this("halt it first")
}

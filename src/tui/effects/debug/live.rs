//! A process that is set running and stopped again, and the breakpoints that stop it.

use crate::delve::client::{After, Error, Resume, Running, Stopped};
use crate::delve::model::{Change, NewBreakpoint, Place, State};
use crate::exit::{Exit, Failure};
use crate::text::Untrusted;
use crate::tui::message::debug::{Breakpointing, Motion, Run, Told};

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
#[derive(Default)]
pub(super) struct Runs {
    /// A breakpoint that is there for one run only.
    once: Option<i64>,
}

impl Runs {
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
        resume(delve, how).await
    }

    /// The run is over. A breakpoint that only logs does not end it.
    pub(super) async fn over(&mut self, running: Running) -> Result<(Delve, Vec<Told>), Failure> {
        let (delve, state) = match running.stopped().await? {
            After::Exited(status) => return Ok((Delve::Ended, vec![Told::Moved(Motion::Exited(status))])),
            After::Refused(delve, error) => {
                let state = delve.state().await?;
                let told = vec![Told::Moved(Motion::Stopped(Box::new(state))), Told::Refused(error.into())];
                return Ok((Delve::Stopped(delve), told));
            }
            After::Stopped(delve, state) => (delve, state),
        };
        let mut told = traces(&state);
        if state.only_traced() {
            let (delve, more) = resume(delve, Resume::Continue).await;
            told.extend(more.into_iter().filter(|told| !matches!(told, Told::Moved(Motion::Running))));
            return Ok((delve, told));
        }
        if let Some(id) = self.once.take() {
            // Gone already is as good.
            let _ = delve.clear_breakpoint(id).await;
        }
        told.push(Told::Moved(Motion::Stopped(state)));
        Ok((Delve::Stopped(delve), told))
    }
}

async fn resume(delve: Stopped, how: Resume) -> (Delve, Vec<Told>) {
    match delve.resume(how).await {
        Ok(running) => (Delve::Running(running), vec![Told::Moved(Motion::Running)]),
        Err(error) => (Delve::Ended, vec![Told::Ended(error.into())]),
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
            Told::Traced(format!("{goroutine}{place}({})", values.join(", ")))
        })
        .collect()
}

/// Sets, changes or takes away a breakpoint. Gives what to tell.
pub(super) async fn breakpoint(delve: &Stopped, what: &Breakpointing) -> Vec<Told> {
    let done = match what {
        Breakpointing::Set(place) => set(delve, place, false).await,
        Breakpointing::Trace(place) => set(delve, place, true).await,
        Breakpointing::Clear(id) => delve.clear_breakpoint(*id).await,
        Breakpointing::Condition(id, condition) => {
            let change = Change { condition: Some(condition.clone()), ..Change::default() };
            delve.change_breakpoint(*id, &change).await
        }
    };
    let mut told: Vec<Told> = done.err().map(|error| Told::Refused(error.into())).into_iter().collect();
    match delve.breakpoints().await {
        Ok(all) => told.push(Told::Breakpoints(all)),
        Err(error) => told.push(Told::Refused(error.into())),
    }
    told
}

async fn set(delve: &Stopped, place: &Place, tracepoint: bool) -> Result<(), Error> {
    let mut new = NewBreakpoint::at(place.clone());
    new.tracepoint = tracepoint;
    new.arguments = tracepoint.then(crate::delve::model::Load::default);
    delve.set_breakpoint(&new).await.map(drop)
}

/// Why something cannot be done while the process runs.
pub(super) fn runs() -> Failure {
    Failure::new(Exit::No, "the process runs").try_this("halt it first")
}

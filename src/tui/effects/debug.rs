//! Sessions with the debugger. Each is a task that owns the connection and answers one question after the other.

mod answer;
mod breakpoints;
mod guarded;
mod live;
mod open;
mod remembered;
mod rules;
mod source;
pub(super) mod threads;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Shared, Task};
use crate::delve::client::Stopped;
use crate::delve::model::PathRule;
use crate::exit::{Exit, Failure};
use crate::target::ContainerPid;
use crate::tui::message::Msg;
use crate::tui::message::debug::{Breakpointing, Call, Motion, Question, Rules, Run, Told, Wanted};
use live::{Delve, Runs};
use source::Finder;

/// How long the guard may take to say why a debugger has ended.
const SHORTLY: Duration = Duration::from_secs(2);

/// How deep a session looks.
pub(super) enum How {
    /// Into a copy.
    Snapshot,
    /// Into the process itself, where these breakpoints are to be set.
    Live(Vec<Wanted>),
}

/// What a session is told to do.
pub(super) enum Order {
    /// Answer.
    Ask(Question),
    /// Look for sources by these rules, and remember them.
    Rules(Vec<PathRule>),
    /// Let the process run on.
    Run(Run),
    /// Stop it.
    Halt,
    /// It has stopped by itself.
    Stopped,
    /// Set, change or take away a breakpoint.
    Breakpoint(Breakpointing),
    /// Change a variable.
    Set {
        /// The call in which it is looked up.
        call: Call,
        /// As Go names it.
        name: String,
        /// What it is to be.
        value: String,
    },
}

/// The sessions that are open: one, and for a moment another one that takes its place.
#[derive(Default)]
pub(super) struct Sessions {
    open: Vec<(u64, Task, mpsc::UnboundedSender<Order>)>,
    /// What was stripped from the program, as somebody named it.
    pub(super) file: Option<PathBuf>,
}

/// Which process is meant, and what there is of its program.
#[derive(Debug, Clone)]
struct Aim {
    generation: u64,
    /// The process; nothing picks it.
    pid: Option<ContainerPid>,
    /// What was stripped from the program, as somebody named it.
    file: Option<PathBuf>,
}

impl Sessions {
    /// Begins one, as deep as `how` says.
    pub(super) fn begin(
        &mut self,
        shared: Arc<Shared>,
        out: mpsc::Sender<Msg>,
        generation: u64,
        number: u64,
        pid: Option<ContainerPid>,
        how: How,
    ) {
        let (sender, orders) = mpsc::unbounded_channel();
        let mut task = Task::default();
        let aim = Aim { generation, pid, file: self.file.clone() };
        task.replace(async move {
            let teller = Teller { out, session: number };
            // A task of its own: a panic in it is a failure like others, and it ends when this one is ended.
            let mut one = JoinSet::new();
            one.spawn(run(shared, teller.clone(), aim, how, orders));
            let failure = match one.join_next().await {
                Some(Ok(Err(failure))) => failure,
                Some(Err(error)) if error.is_panic() => {
                    Failure::new(Exit::No, "the session failed in a way it should not").try_this("please report it")
                }
                // Nobody asks any more.
                _ => return,
            };
            teller.tell(Told::Ended(failure)).await;
        });
        self.open.push((number, task, sender));
    }

    /// Tells one what to do.
    pub(super) fn order(&self, number: u64, order: Order) {
        if let Some((_, _, sender)) = self.open.iter().find(|(session, ..)| *session == number) {
            // One that has ended has said so.
            let _ = sender.send(order);
        }
    }

    /// Ends one, and with it its debugger.
    pub(super) fn end(&mut self, number: u64) {
        self.open.retain(|(session, ..)| *session != number);
    }
}

/// Tells the screen of a session.
#[derive(Clone)]
struct Teller {
    out: mpsc::Sender<Msg>,
    session: u64,
}

impl Teller {
    /// False if nobody listens any more.
    async fn tell(&self, told: Told) -> bool {
        self.out.send(Msg::Debug { session: self.session, told }).await.is_ok()
    }

    async fn stage(&self, stage: &str) {
        self.tell(Told::Stage(stage.to_owned())).await;
    }
}

/// Says what a look would cost.
pub(super) async fn weigh(
    shared: Arc<Shared>,
    out: mpsc::Sender<Msg>,
    generation: u64,
    pid: Option<ContainerPid>,
    file: Option<PathBuf>,
) {
    let aim = Aim { generation, pid, file };
    let result = super::caught(async move { open::prospect(&shared, &aim).await.map(Box::new) }).await;
    let _ = out.send(Msg::Prospect { generation, result }).await;
}

/// A whole session.
async fn run(
    shared: Arc<Shared>,
    teller: Teller,
    aim: Aim,
    how: How,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> Result<(), Failure> {
    let journal = shared.journal.clone();
    let (session, wanted) = match how {
        How::Snapshot => (open::copy(&shared, &teller, &aim).await?, Vec::new()),
        How::Live(wanted) => (open::attach(&shared, &teller, &aim).await?, wanted),
    };
    // Dropped when nobody asks any more; the debugger ends with it.
    let (delve, mut finder, mut held) = (session.delve, session.finder, session.held);
    let mut runs = Runs::new(session.breakpoints, journal, session.stands);
    if !teller.tell(Told::Opened(Box::new(session.opened))).await {
        return Ok(());
    }
    if let Some(state) = session.state {
        teller.tell(Told::Moved(Motion::Stopped(state, runs.stood()))).await;
        for told in runs.breakpoints.restore(&delve, wanted).await {
            teller.tell(told).await;
        }
    }
    tokio::select! {
        served = serve(delve, runs, &mut finder, &teller, &mut orders) => match served {
            // The guard knows better why the debugger has ended.
            Err(failure) => Err(timeout(SHORTLY, held.ended()).await.unwrap_or(failure)),
            Ok(()) => Ok(()),
        },
        failure = held.ended() => Err(failure),
    }
}

/// Does what a session is told to do, until nobody tells it anything any more.
///
/// # Errors
/// If the debugger has ended.
async fn serve(
    delve: Stopped,
    mut runs: Runs,
    finder: &mut Finder,
    teller: &Teller,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> Result<(), Failure> {
    let (mut delve, mut waiting) = (Delve::Stopped(delve), VecDeque::new());
    loop {
        let order = match (waiting.pop_front(), &mut delve) {
            (Some(order), _) => Some(order),
            // A process that runs is waited for, too.
            (None, Delve::Running(running)) => tokio::select! {
                order = orders.recv() => order,
                () = running.ended() => Some(Order::Stopped),
            },
            (None, _) => orders.recv().await,
        };
        let Some(order) = order else { return Ok(()) };
        delve = obey(delve, &mut runs, finder, teller, order).await?;
        // What came meanwhile, without what something newer has made needless.
        while let Ok(order) = orders.try_recv() {
            queue(&mut waiting, order);
        }
    }
}

/// Does one thing.
async fn obey(
    mut delve: Delve,
    runs: &mut Runs,
    finder: &mut Finder,
    teller: &Teller,
    order: Order,
) -> Result<Delve, Failure> {
    let mut told = Vec::new();
    match (order, delve) {
        (Order::Rules(rules), same) => {
            let hindered = finder.remember(rules).await.err();
            told.push(Told::Rules(finder.rules(), hindered));
            delve = same;
        }
        (Order::Ask(question @ Question::Source(_)), same) => {
            let Question::Source(file) = &question else { return Ok(same) };
            let result = finder.source(file).await;
            told.push(Told::Replied { question, result });
            delve = same;
        }
        (Order::Ask(question), Delve::Stopped(stopped)) => {
            let result = answer::answer(&stopped, &question).await;
            let gone = result.as_ref().is_err_and(answer::ends);
            let result = result.map_err(Failure::from);
            let failure = result.as_ref().err().filter(|_| gone).cloned();
            teller.tell(Told::Replied { question, result }).await;
            if let Some(failure) = failure {
                return Err(failure);
            }
            delve = Delve::Stopped(stopped);
        }
        (Order::Run(how), Delve::Stopped(stopped)) => (delve, told) = runs.run(stopped, &how).await,
        (Order::Breakpoint(what), Delve::Stopped(stopped)) => {
            told = runs.breakpoints.change(&stopped, &what).await;
            delve = Delve::Stopped(stopped);
        }
        (Order::Set { call, name, value }, Delve::Stopped(stopped)) => {
            told.push(runs.set(&stopped, call, name, value).await);
            delve = Delve::Stopped(stopped);
        }
        (Order::Run(_) | Order::Breakpoint(_) | Order::Set { .. }, same) => {
            told.push(Told::Refused(live::runs()));
            delve = same;
        }
        (Order::Halt, Delve::Running(running)) => {
            runs.halts();
            if let Err(error) = running.halt().await {
                runs.runs_on();
                told.push(Told::Refused(error.into()));
            }
            delve = Delve::Running(running);
        }
        (Order::Stopped, Delve::Running(running)) => (delve, told) = runs.over(running).await?,
        // Asked just before it was set running: it is asked anew when it stops. Or it stands still already.
        (Order::Ask(_) | Order::Halt | Order::Stopped, same) => delve = same,
    }
    for told in told {
        teller.tell(told).await;
    }
    Ok(delve)
}

/// Puts an order behind those that wait. One that it makes needless is not done.
fn queue(waiting: &mut VecDeque<Order>, order: Order) {
    if let Order::Ask(question) = &order {
        waiting.retain(|older| !matches!(older, Order::Ask(asked) if question.replaces(asked)));
    }
    waiting.push_back(order);
}

/// What the screen is told of rules at first.
fn known(made: Vec<PathRule>, guessed: Vec<PathRule>) -> Rules {
    Rules { made, guessed }
}

#[cfg(test)]
mod tests;

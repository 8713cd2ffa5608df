//! Answering questions by the debugger.

use crate::delve::client::{Error, Stopped};
use crate::delve::model::{Filter, Goroutine, Grouping, Load, Location, Matching, Page, Scope, Status, Thread};
use crate::tui::app::debug::thread::{as_goroutine, thread};
use crate::tui::message::debug::{By, Call, Purpose, Question, Reply, Which};

/// Goroutines of a page. Delve takes some 50 ms for them.
const PAGE: u32 = 500;
/// Goroutines that are grouped at once.
const GROUPED: u32 = 5000;
/// Members of a group that are told.
const MEMBERS: u32 = 20;
/// Instructions before and after the one of a call.
const AROUND: usize = 400;

/// Answers one.
pub(super) async fn answer(delve: &Stopped, question: &Question) -> Result<Reply, Error> {
    if let Some(thread) = thread(asked_of(question)) {
        delve.switch_thread(thread).await?;
    }
    Ok(match question {
        Question::Goroutines { from, which } => {
            let page = delve.goroutines(*from, PAGE, &filters(*which)).await;
            Reply::Goroutines(match page {
                // Of a stripped program it finds none, and does not say by which Go it was built.
                Err(Error::Refused(_)) if delve.versions().await?.go.bytes().is_empty() => threads(delve).await?,
                page => page?,
            })
        }
        Question::Groups { from, which, by } => {
            let by = match by {
                By::User => Grouping::User,
                By::Current => Grouping::Current,
                By::Start => Grouping::Start,
            };
            Reply::Groups(delve.groups(*from, GROUPED, &by, MEMBERS, &filters(*which)).await?)
        }
        Question::Stack { goroutine, depth } => Reply::Stack(delve.stack(of(*goroutine), *depth, None).await?),
        Question::Variables(call) => {
            let arguments = delve.arguments(scope(*call), Load::LINE).await?;
            let locals = delve.locals(scope(*call), Load::LINE).await?;
            Reply::Variables { arguments, locals }
        }
        Question::Evaluate { call, expression, purpose } => {
            let load = if matches!(purpose, Purpose::More(_)) { Load::WHOLE } else { Load::LINE };
            Reply::Value(Box::new(delve.eval(scope(*call), expression, load).await?))
        }
        Question::Instructions { call, pc } => {
            let mut instructions = delve.disassemble(scope(*call), *pc).await?;
            let at = instructions.iter().position(|instruction| instruction.location.pc >= *pc).unwrap_or(0);
            instructions.truncate(at.saturating_add(AROUND));
            instructions.drain(..at.saturating_sub(AROUND).min(instructions.len()));
            Reply::Instructions(instructions)
        }
        // The sources are on this host.
        Question::Source(_) => return Err(Error::Malformed("the debugger has no sources")),
    })
}

/// Whether the debugger answers nothing any more.
pub(super) fn ends(error: &Error) -> bool {
    matches!(error, Error::Gone | Error::Stuck { .. })
}

/// The goroutine, or what stands for one, that a question is about.
fn asked_of(question: &Question) -> i64 {
    match question {
        Question::Stack { goroutine, .. } => *goroutine,
        Question::Variables(call) | Question::Evaluate { call, .. } | Question::Instructions { call, .. } => {
            call.goroutine
        }
        Question::Goroutines { .. } | Question::Groups { .. } | Question::Source(_) => 0,
    }
}

/// What stands for goroutines where there are none: the threads.
async fn threads(delve: &Stopped) -> Result<Page, Error> {
    let line = |thread: Thread| Goroutine {
        id: as_goroutine(thread.id),
        status: Status::Running,
        wait: None,
        waits_since: None,
        current: thread.location.clone(),
        user: thread.location,
        go_statement: Location::default(),
        start: Location::default(),
        thread: Some(thread.id),
        labels: Vec::new(),
        unreadable: None,
    };
    let mut all = delve.threads().await?;
    // Delve tells them in any order.
    all.sort_by_key(|thread| thread.id);
    Ok(Page { goroutines: all.into_iter().map(line).collect(), next: None })
}

/// Threads are no goroutines to Delve: it takes the current one then.
fn of(goroutine: i64) -> Option<i64> {
    (goroutine >= 0).then_some(goroutine)
}

pub(super) fn scope(call: Call) -> Scope {
    Scope { goroutine: of(call.goroutine), frame: call.frame, deferred: 0 }
}

fn filters(which: Which) -> Vec<Filter> {
    let filter = |negated| vec![Filter { matching: Matching::NotRuntime, negated }];
    match which {
        Which::User => filter(false),
        Which::All => Vec::new(),
        Which::System => filter(true),
    }
}

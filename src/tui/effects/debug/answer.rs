//! Answering questions by the debugger.

use crate::delve::client::{Error, Stopped};
use crate::delve::model::{Filter, Grouping, Load, Matching, Scope};
use crate::tui::app::debug::session::THREAD;
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
    Ok(match question {
        Question::Goroutines { from, which } => {
            Reply::Goroutines(delve.goroutines(*from, PAGE, &filters(*which)).await?)
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

fn of(goroutine: i64) -> Option<i64> {
    (goroutine != THREAD).then_some(goroutine)
}

fn scope(call: Call) -> Scope {
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

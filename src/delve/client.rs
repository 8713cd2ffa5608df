//! The calls of a debugger, sorted by whether the target is stopped.
//!
//! ```text
//!   Stopped ── resume ──▶ Running ── stopped ──▶ Stopped, or the process ended
//!      every call            halt, state
//! ```
//!
//! A call may be dropped at any time: its answer is read and thrown away when it comes, and the next call waits for it.

mod error;
mod link;
mod running;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

pub use self::error::Error;
pub use self::running::{After, Control, Running};

use self::link::Link;
use super::model::{
    Breakpoint, Change, Filter, Frame, Grouping, Groups, Instruction, Load, Location, NewBreakpoint, Page, PathRule,
    Place, Register, Scope, State, Stop, Thread, Variable, Versions,
};
use super::rpc::{self, request};
use crate::text::Untrusted;

/// How long Delve may take to end, once it has let go.
const ENDING: Duration = Duration::from_secs(10);

/// How the target is to run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Until something stops it.
    Continue,
    /// To the next line of this function.
    Next,
    /// To the next line, into calls.
    Step,
    /// Until this function returns.
    StepOut,
    /// One instruction.
    StepInstruction,
    /// One instruction, over calls.
    NextInstruction,
    /// Calls a function of the target, in its current goroutine. What it does, it does.
    Call(String),
}

/// A connection to Delve while the target is stopped: everything can be asked. To drop it ends Delve, which lets go of
/// the process first.
#[derive(Debug)]
pub struct Stopped {
    link: Arc<Link>,
}

impl Stopped {
    /// Speaks to a Delve that attaches or opens a core just now, and waits until it has. Gives what it found.
    ///
    /// # Errors
    /// [`Error::Gone`] if it could not: its standard error says why.
    pub async fn open<S>(stream: S) -> Result<(Self, State), Error>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let opened = Self { link: Arc::new(Link::new(stream)) };
        let versions = opened.versions().await?;
        *opened.link.go.lock().unwrap_or_else(PoisonError::into_inner) = versions.go_minor();
        let state = opened.state().await?;
        if state.running {
            return Err(Error::Malformed("it was to be stopped, and runs"));
        }
        Ok((opened, state))
    }

    /// Which Delve, which Go, and how.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn versions(&self) -> Result<Versions, Error> {
        self.link.ask(&request::GetVersion {}).await
    }

    /// How things stand.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn state(&self) -> Result<State, Error> {
        self.link.ask(&request::State { non_blocking: request::True }).await
    }

    /// Goroutines from `start` on, which is 0 or what came with the page before. Of `count` those are told that the
    /// filters leave.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn goroutines(&self, start: u64, count: u32, filters: &[Filter]) -> Result<Page, Error> {
        let filters = filters.iter().map(request::Filter::from).collect();
        self.link.ask(&request::ListGoroutines { start, count, filters, ..Default::default() }).await
    }

    /// Groups `look_at` goroutines from `start` on, and tells at most `members` of each group.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn groups(
        &self,
        start: u64,
        look_at: u32,
        by: &Grouping,
        members: u32,
        filters: &[Filter],
    ) -> Result<Groups, Error> {
        const MOST_GROUPS: u32 = 1000;
        let filters = filters.iter().map(request::Filter::from).collect();
        let (group_by, group_by_key) = request::grouping(by);
        let (max_group_members, max_groups) = (members, MOST_GROUPS);
        let request = request::ListGoroutines {
            start,
            count: look_at,
            filters,
            group_by,
            group_by_key,
            max_group_members,
            max_groups,
            eval_scope: None,
        };
        let reply = self.link.exact(&request).await?;
        Ok(reply.groups(*self.link.go.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// At most `depth` calls of a goroutine, the innermost first, and what they deferred. `None` is the current thread, which works
    /// on stripped programs too. With `load` also their arguments and locals.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn stack(&self, goroutine: Option<i64>, depth: u32, load: Option<Load>) -> Result<Vec<Frame>, Error> {
        let (id, cfg) = (goroutine.unwrap_or(-1), load.map(request::Load::from));
        // Delve gives one more than it is asked for.
        let depth = depth.saturating_sub(1);
        self.link.ask(&request::Stacktrace { id, depth, full: load.is_some(), defers: true, cfg }).await
    }

    /// Local variables.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn locals(&self, scope: Scope, load: Load) -> Result<Vec<Variable>, Error> {
        self.link.ask(&request::ListLocalVars { scope: scope.into(), cfg: load.into() }).await
    }

    /// Arguments, and what is to be returned.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn arguments(&self, scope: Scope, load: Load) -> Result<Vec<Variable>, Error> {
        self.link.ask(&request::ListFunctionArgs { scope: scope.into(), cfg: load.into() }).await
    }

    /// Variables of packages whose names match a regular expression.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn package_variables(&self, filter: &str, load: Load) -> Result<Vec<Variable>, Error> {
        self.link.ask(&request::ListPackageVars { filter, cfg: load.into() }).await
    }

    /// The value of an expression. Nothing runs for it.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn eval(&self, scope: Scope, expression: &str, load: Load) -> Result<Variable, Error> {
        self.link.ask(&request::Eval { scope: scope.into(), expr: expression, cfg: load.into() }).await
    }

    /// Changes a number, a boolean or a pointer. Delve cannot change anything else.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn set(&self, scope: Scope, variable: &str, value: &str) -> Result<(), Error> {
        self.link.ask(&request::Set { scope: scope.into(), symbol: variable, value }).await
    }

    /// The breakpoints that were set here.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn breakpoints(&self) -> Result<Vec<Breakpoint>, Error> {
        let mut all = self.link.ask(&request::ListBreakpoints { all: false }).await?;
        all.retain(|breakpoint| breakpoint.id > 0);
        Ok(all)
    }

    /// Sets a breakpoint.
    ///
    /// # Errors
    /// As every call: see [`Error`]. Also if the place is none, or several.
    pub async fn set_breakpoint(&self, new: &NewBreakpoint) -> Result<Breakpoint, Error> {
        let mut breakpoint = request::NewBreakpoint {
            name: &new.name,
            cond: &new.condition,
            hit_cond: &new.hit_condition,
            tracepoint: new.tracepoint,
            goroutine: new.tracepoint || new.stack > 0,
            stack: new.stack,
            variables: &new.variables,
            load_args: new.arguments.map(request::Load::from),
            ..Default::default()
        };
        let addresses;
        match &new.place {
            Place::Function(name) => (breakpoint.function, breakpoint.line) = (name, Some(-1)),
            Place::Address(address) => breakpoint.addr = Some(*address),
            Place::Line { file, line } => {
                addresses = self.addresses(&format!("{file}:{line}"), &new.rules).await?;
                (breakpoint.addr, breakpoint.addrs) = (addresses.first().copied(), &addresses);
            }
            Place::Expression(text) => {
                addresses = self.addresses(text, &new.rules).await?;
                (breakpoint.addr, breakpoint.addrs) = (addresses.first().copied(), &addresses);
            }
        }
        self.link.ask(&request::CreateBreakpoint { breakpoint }).await
    }

    /// Every address of one place.
    async fn addresses(&self, place: &str, rules: &[PathRule]) -> Result<Vec<u64>, Error> {
        let refused = |why: String| Error::Refused(rpc::first_line(&why));
        let found = match (self.link.exact(&find(Scope::current(), place, rules)).await, pattern(place)) {
            // Of a stripped program Delve finds functions by their names, but methods by a pattern alone (1.27.1).
            (Err(refused @ Error::Refused(_)), Some(pattern)) => {
                let again = self.link.exact(&find(Scope::current(), &pattern, rules)).await;
                again.map_err(|error| if matches!(error, Error::Refused(_)) { refused } else { error })
            }
            (found, _) => found,
        };
        let mut found = found?.locations;
        match (found.pop(), found.len()) {
            (None, _) => Err(refused(format!("nothing is at {place}"))),
            (Some(only), 0) if only.pcs.is_empty() && only.pc == 0 => Err(refused(format!("no code is at {place}"))),
            (Some(only), 0) if only.pcs.is_empty() => Ok(vec![only.pc]),
            (Some(only), 0) => Ok(only.pcs),
            (Some(_), more) => Err(refused(format!("{place} is at {} places: say which", more + 1))),
        }
    }

    /// Changes a breakpoint. If Delve says no, it stays as it was.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn change_breakpoint(&self, id: i64, change: &Change) -> Result<(), Error> {
        let before = self.link.exact(&request::GetBreakpoint { id }).await?.breakpoint;
        let mut breakpoint = before.clone();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                breakpoint.insert(name.to_owned(), value);
            }
        };
        set("Cond", change.condition.clone().map(Value::from));
        set("HitCond", change.hit_condition.clone().map(Value::from));
        set("continue", change.tracepoint.map(Value::from));
        set("disabled", change.enabled.map(|enabled| Value::from(!enabled)));
        set("variables", change.variables.clone().map(Value::from));
        let changed = self.link.ask(&request::AmendBreakpoint { breakpoint: &breakpoint }).await;
        if let Err(Error::Refused(_)) = changed {
            // Delve forgets a condition before it reads the new one (1.27.1).
            self.link.ask(&request::AmendBreakpoint { breakpoint: &before }).await?;
        }
        changed
    }

    /// Puts a breakpoint out of force, or back.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn toggle_breakpoint(&self, id: i64) -> Result<Breakpoint, Error> {
        self.link.ask(&request::ToggleBreakpoint { id }).await
    }

    /// Takes a breakpoint away.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn clear_breakpoint(&self, id: i64) -> Result<(), Error> {
        self.link.ask(&request::ClearBreakpoint { id }).await
    }

    /// Where a place in Delve's notation is: `main.go:12`, `main.handle`, `*0x46c1e3`, `/regex/`.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn find(&self, scope: Scope, place: &str, rules: &[PathRule]) -> Result<Vec<Location>, Error> {
        self.link.ask(&find(scope, place, rules)).await
    }

    /// Source files whose names match a regular expression.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn sources(&self, filter: &str) -> Result<Vec<Untrusted>, Error> {
        self.link.ask(&request::ListSources { filter }).await
    }

    /// Functions whose names match a regular expression.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn functions(&self, filter: &str) -> Result<Vec<Untrusted>, Error> {
        self.link.ask(&request::ListFunctions { filter }).await
    }

    /// All threads.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn threads(&self) -> Result<Vec<Thread>, Error> {
        self.link.ask(&request::ListThreads {}).await
    }

    /// The registers of a thread. `None` is the current one.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn registers(&self, thread: Option<i64>) -> Result<Vec<Register>, Error> {
        self.link.ask(&request::ListRegisters { thread: thread.unwrap_or(0), include_fp: false }).await
    }

    /// The function that an address is in.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn disassemble(&self, scope: Scope, address: u64) -> Result<Vec<Instruction>, Error> {
        const GO: u8 = 2;
        self.link.ask(&request::Disassemble { scope: scope.into(), start: address, end: 0, flavour: GO }).await
    }

    /// What is in memory: at most 64 KiB (1000 bytes before Delve 1.21).
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn memory(&self, address: u64, length: u32) -> Result<Vec<u8>, Error> {
        self.link.ask(&request::ExamineMemory { address, length }).await
    }

    /// Guesses rules for source files: `main_package` is its import path, `goroot` where this host has Go, and `modules`
    /// where it has which module. Since Delve 1.24.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn guess_path_rules(
        &self,
        main_package: &str,
        goroot: &str,
        modules: &[(String, String)],
    ) -> Result<Vec<PathRule>, Error> {
        let args = request::Has {
            import_path_of_main_package: main_package,
            client_goroot: goroot,
            client_module_directories: modules.iter().map(|(path, dir)| (path.as_str(), dir.as_str())).collect(),
        };
        self.link.ask(&request::GuessSubstitutePath { args }).await
    }

    /// From now on what is current is of this goroutine.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn switch_goroutine(&self, id: i64) -> Result<State, Error> {
        let goroutine = Some(id);
        self.link.ask(&request::Command { name: "switchGoroutine", goroutine, ..Default::default() }).await
    }

    /// From now on what is current is of this thread.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn switch_thread(&self, id: i64) -> Result<State, Error> {
        let thread = Some(id);
        self.link.ask(&request::Command { name: "switchThread", thread, ..Default::default() }).await
    }

    /// Forgets a step that was interrupted by a breakpoint.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn cancel_step(&self) -> Result<(), Error> {
        self.link.ask(&request::CancelNext {}).await
    }

    /// Lets the target run. First it waits for the answer to a call that was given up.
    ///
    /// # Errors
    /// If Delve is gone or stuck. That it says no, [`Running::stopped`] tells.
    pub async fn resume(self, how: Resume) -> Result<Running, Error> {
        let mut command = request::Command { name: "continue", ..Default::default() };
        command.name = match &how {
            Resume::Continue => "continue",
            Resume::Next => "next",
            Resume::Step => "step",
            Resume::StepOut => "stepOut",
            Resume::StepInstruction => "stepInstruction",
            Resume::NextInstruction => "nextInstruction",
            Resume::Call(expression) => {
                command.expression = Some(expression);
                "call"
            }
        };
        if matches!(how, Resume::StepOut | Resume::Call(_)) {
            command.returned = Some(Load::WHOLE.into());
        }
        self.idle().await?;
        let reply = self.link.send(&command, None)?;
        let ends = match how {
            Resume::Continue => Stop::Unknown,
            Resume::Call(_) => Stop::Called,
            _ => Stop::Stepped,
        };
        Ok(Running::new(self.link, reply, ends))
    }

    /// Waits until Delve has answered everything that was asked.
    async fn idle(&self) -> Result<(), Error> {
        const SECONDS: u64 = 120;
        let stuck = Error::Stuck { method: "what was given up", seconds: SECONDS };
        timeout(Duration::from_secs(SECONDS), self.link.turn()).await.map_err(|_| stuck)?.map(drop)
    }

    /// Clears the breakpoints that were set here, lets go of the process, and waits until Delve has closed the connection.
    ///
    /// # Errors
    /// If Delve says no, or does not end. It lets go of the process in any case: the connection closes.
    pub async fn detach(self) -> Result<(), Error> {
        match self.breakpoints().await {
            Ok(all) => {
                for breakpoint in all {
                    // Delve takes away what is left when it lets go.
                    drop(self.clear_breakpoint(breakpoint.id).await);
                }
            }
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        self.idle().await?;
        match self.link.ask(&request::Detach { kill: request::False }).await {
            // It may be faster gone than its answer is here.
            Ok(()) | Err(Error::Gone) => {}
            Err(error) => return Err(error),
        }
        let stuck = Error::Stuck { method: "Detach", seconds: ENDING.as_secs() };
        timeout(ENDING, self.link.closed()).await.map_err(|_| stuck)
    }
}

/// A pattern for functions of this name, in Delve's notation. `None` if it cannot be the name of one.
fn pattern(place: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || "._/-*()[]".contains(c);
    let begins = place.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '(');
    // Delve takes a slash for the end of the pattern.
    let escaped = || regex::escape(place).replace('/', "\\/");
    (begins && place.chars().all(is_name)).then(|| format!("/(^|[.\\/]){}$/", escaped()))
}

fn find<'a>(scope: Scope, place: &'a str, rules: &[PathRule]) -> request::FindLocation<'a> {
    let rule = |rule: &PathRule| [rule.from.lossy().into_owned(), rule.to.lossy().into_owned()];
    request::FindLocation {
        scope: scope.into(),
        loc: place,
        include_non_executable_lines: true,
        substitute_path_rules: rules.iter().map(rule).collect(),
    }
}

//! What is asked. The names are Delve's (`service/rpc2`, `service/api`).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{Request, reply};
use crate::delve::model;

macro_rules! request {
    ($name:ident -> $reply:ty $(, $seconds:literal s)?) => {
        impl Request for $name {
            const METHOD: &'static str = stringify!($name);
            $(const SECONDS: u64 = $seconds;)?
            type Reply = $reply;
        }
    };
    ($name:ident<'_> -> $reply:ty $(, $seconds:literal s)?) => {
        impl Request for $name<'_> {
            const METHOD: &'static str = stringify!($name);
            $(const SECONDS: u64 = $seconds;)?
            type Reply = $reply;
        }
    };
}

/// The first question: it is answered when Delve has read the program's debug information.
#[derive(Serialize, Debug)]
pub struct GetVersion {}
request!(GetVersion -> reply::Version, 180 s);

/// How things stand.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct State {
    /// Whether to answer even if the target runs. Without it nothing more is read until it stops.
    pub non_blocking: True,
}
request!(State -> reply::Stated);

/// What can only be true.
#[derive(Debug, Clone, Copy)]
pub struct True;

impl Serialize for True {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

/// What can only be false.
#[derive(Debug, Clone, Copy)]
pub struct False;

impl Serialize for False {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(false)
    }
}

/// Lets the target run, or halts it, or looks at something else.
#[derive(Serialize, Debug, Default)]
pub struct Command<'a> {
    /// What to do.
    pub name: &'a str,
    #[serde(rename = "threadID", skip_serializing_if = "Option::is_none")]
    /// With `switchThread`.
    pub thread: Option<i64>,
    #[serde(rename = "goroutineID", skip_serializing_if = "Option::is_none")]
    /// With `switchGoroutine`, `call`.
    pub goroutine: Option<i64>,
    #[serde(rename = "expr", skip_serializing_if = "Option::is_none")]
    /// With `call`.
    pub expression: Option<&'a str>,
    #[serde(rename = "ReturnInfoLoadConfig", skip_serializing_if = "Option::is_none")]
    /// How much of what a function returned is to be told.
    pub returned: Option<Load>,
}
request!(Command<'_> -> reply::Stated);

/// How much of a variable is loaded.
#[derive(Serialize, Debug, Clone, Copy)]
#[serde(rename_all = "PascalCase")]
pub struct Load {
    follow_pointers: bool,
    max_variable_recurse: u32,
    max_string_len: u32,
    max_array_values: u32,
    max_struct_fields: u32,
}

impl From<model::Load> for Load {
    fn from(load: model::Load) -> Self {
        Self {
            follow_pointers: load.pointers,
            max_variable_recurse: load.depth,
            max_string_len: load.string,
            max_array_values: load.elements,
            max_struct_fields: load.fields,
        }
    }
}

/// In which call names are looked up.
#[derive(Serialize, Debug, Clone, Copy)]
#[serde(rename_all = "PascalCase")]
pub struct Scope {
    #[serde(rename = "GoroutineID")]
    goroutine: i64,
    frame: usize,
    deferred_call: usize,
}

impl From<model::Scope> for Scope {
    fn from(scope: model::Scope) -> Self {
        Self { goroutine: scope.goroutine.unwrap_or(-1), frame: scope.frame, deferred_call: scope.deferred }
    }
}

/// Which goroutines.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Filter<'a> {
    kind: u8,
    negated: bool,
    arg: &'a str,
}

impl<'a> From<&'a model::Filter> for Filter<'a> {
    fn from(filter: &'a model::Filter) -> Self {
        use model::Matching::*;
        let (kind, arg) = match &filter.matching {
            Current(text) => (1, text.as_str()),
            User(text) => (2, text.as_str()),
            GoStatement(text) => (3, text.as_str()),
            Start(text) => (4, text.as_str()),
            Label(text) => (5, text.as_str()),
            Running => (6, ""),
            NotRuntime => (7, ""),
            OnChannel(text) => (8, text.as_str()),
        };
        Self { kind, negated: filter.negated, arg }
    }
}

/// Goroutines, in pages or in groups.
#[derive(Serialize, Debug, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListGoroutines<'a> {
    /// Where to begin: what came as `Nextg`.
    pub start: u64,
    /// How many.
    pub count: u32,
    /// Only these.
    pub filters: Vec<Filter<'a>>,
    /// 0: no groups.
    pub group_by: u8,
    /// The label's name, if they are grouped by a label.
    pub group_by_key: &'a str,
    /// How many are told of each group.
    pub max_group_members: u32,
    /// How many groups.
    pub max_groups: u32,
    /// Where the expression of a filter is looked up.
    pub eval_scope: Option<Scope>,
}
request!(ListGoroutines<'_> -> reply::Goroutines, 120 s);

/// By Delve's number, and the name of the label.
#[must_use]
pub fn grouping(by: &model::Grouping) -> (u8, &str) {
    use model::Grouping::*;
    match by {
        Current => (1, ""),
        User => (2, ""),
        GoStatement => (3, ""),
        Start => (4, ""),
        Label(key) => (5, key.as_str()),
        Running => (6, ""),
        NotRuntime => (7, ""),
    }
}

/// The calls of a goroutine.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Stacktrace {
    /// -1: of the current thread.
    pub id: i64,
    /// How many calls, less one.
    pub depth: u32,
    /// Whether with variables.
    pub full: bool,
    /// Whether with what they deferred.
    pub defers: bool,
    /// How much of the variables.
    pub cfg: Option<Load>,
}
request!(Stacktrace -> reply::Stack, 60 s);

/// Local variables.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListLocalVars {
    /// Of which call.
    pub scope: Scope,
    /// How much of them.
    pub cfg: Load,
}
request!(ListLocalVars -> reply::Variables);

/// Arguments.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListFunctionArgs {
    /// Of which call.
    pub scope: Scope,
    /// How much of them.
    pub cfg: Load,
}
request!(ListFunctionArgs -> reply::Arguments);

/// Variables of packages.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListPackageVars<'a> {
    /// A regular expression.
    pub filter: &'a str,
    /// How much of them.
    pub cfg: Load,
}
request!(ListPackageVars<'_> -> reply::Variables, 60 s);

/// The value of an expression.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Eval<'a> {
    /// Where its names are looked up.
    pub scope: Scope,
    /// The expression.
    pub expr: &'a str,
    /// How much of it.
    pub cfg: Load,
}
request!(Eval<'_> -> reply::Evaluated);

/// Changes a variable.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Set<'a> {
    /// Where its name is looked up.
    pub scope: Scope,
    /// The variable.
    pub symbol: &'a str,
    /// An expression.
    pub value: &'a str,
}
request!(Set<'_> -> reply::Nothing);

/// A breakpoint to be.
#[derive(Serialize, Debug, Default)]
#[serde(rename_all = "PascalCase")]
pub struct NewBreakpoint<'a> {
    /// Its name; letters and digits only.
    #[serde(rename = "name")]
    pub name: &'a str,
    /// The function it is at, if it is at no address.
    #[serde(rename = "functionName", skip_serializing_if = "str::is_empty")]
    pub function: &'a str,
    /// -1: the function's beginning, after its prologue.
    #[serde(rename = "line", skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
    /// Where it is.
    #[serde(rename = "addr", skip_serializing_if = "Option::is_none")]
    pub addr: Option<u64>,
    /// Everywhere it is.
    #[serde(rename = "addrs", skip_serializing_if = "<[u64]>::is_empty")]
    pub addrs: &'a [u64],
    /// Stop only if this is true.
    pub cond: &'a str,
    /// Stop only at such a number of hits.
    pub hit_cond: &'a str,
    /// Only log.
    #[serde(rename = "continue")]
    pub tracepoint: bool,
    /// Whether to tell the goroutine.
    #[serde(rename = "goroutine")]
    pub goroutine: bool,
    /// How many calls to tell.
    #[serde(rename = "stacktrace")]
    pub stack: u32,
    /// What to evaluate.
    #[serde(rename = "variables", skip_serializing_if = "<[String]>::is_empty")]
    pub variables: &'a [String],
    /// How much of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_args: Option<Load>,
}

/// Sets a breakpoint.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct CreateBreakpoint<'a> {
    /// The breakpoint.
    pub breakpoint: NewBreakpoint<'a>,
}
request!(CreateBreakpoint<'_> -> reply::OneBreakpoint);

/// A breakpoint, with all that Delve keeps of it.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GetBreakpoint {
    /// Its number.
    pub id: i64,
}
request!(GetBreakpoint -> reply::WholeBreakpoint);

/// Changes a breakpoint.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct AmendBreakpoint<'a> {
    /// What came from [`GetBreakpoint`], changed.
    pub breakpoint: &'a serde_json::Map<String, serde_json::Value>,
}
request!(AmendBreakpoint<'_> -> reply::Nothing);

/// Puts a breakpoint out of force, or back.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ToggleBreakpoint {
    /// Its number.
    pub id: i64,
}
request!(ToggleBreakpoint -> reply::OneBreakpoint);

/// Takes a breakpoint away.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ClearBreakpoint {
    /// Its number.
    pub id: i64,
}
request!(ClearBreakpoint -> reply::Nothing);

/// All breakpoints.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListBreakpoints {
    /// Whether those of Delve itself too.
    pub all: bool,
}
request!(ListBreakpoints -> reply::Breakpoints);

/// Where a notation leads to.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct FindLocation<'a> {
    /// Where its names are looked up.
    pub scope: Scope,
    /// The notation.
    pub loc: &'a str,
    /// Whether lines without code count.
    pub include_non_executable_lines: bool,
    /// What the program calls a file, and what this host does.
    pub substitute_path_rules: Vec<[String; 2]>,
}
request!(FindLocation<'_> -> reply::Locations);

/// Names of source files.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListSources<'a> {
    /// A regular expression.
    pub filter: &'a str,
}
request!(ListSources<'_> -> reply::Names);

/// Names of functions.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListFunctions<'a> {
    /// A regular expression.
    pub filter: &'a str,
}
request!(ListFunctions<'_> -> reply::Names);

/// All threads.
#[derive(Serialize, Debug)]
pub struct ListThreads {}
request!(ListThreads -> reply::Threads);

/// Registers of a thread.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ListRegisters {
    /// 0: of the current one.
    #[serde(rename = "ThreadID")]
    pub thread: i64,
    /// Whether those for fractions and vectors too.
    pub include_fp: bool,
}
request!(ListRegisters -> reply::Registers);

/// Instructions of the function that an address is in.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Disassemble {
    /// Which instruction is current.
    pub scope: Scope,
    /// The address.
    #[serde(rename = "StartPC")]
    pub start: u64,
    /// Where to end. 0: with the function.
    #[serde(rename = "EndPC")]
    pub end: u64,
    /// 2: as Go's assembler writes.
    pub flavour: u8,
}
request!(Disassemble -> reply::Instructions);

/// What is in memory.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct ExamineMemory {
    /// Where.
    pub address: u64,
    /// How many bytes.
    pub length: u32,
}
request!(ExamineMemory -> reply::Memory);

/// Guesses where this host has the sources.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct GuessSubstitutePath<'a> {
    /// What this host has.
    pub args: Has<'a>,
}
request!(GuessSubstitutePath<'_> -> reply::Rules);

/// Where this host has sources.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Has<'a> {
    /// The package that has `main`.
    pub import_path_of_main_package: &'a str,
    /// Where Go is.
    #[serde(rename = "ClientGOROOT")]
    pub client_goroot: &'a str,
    /// Where modules are, by their paths.
    pub client_module_directories: BTreeMap<&'a str, &'a str>,
}

/// Forgets a step that was interrupted.
#[derive(Serialize, Debug)]
pub struct CancelNext {}
request!(CancelNext -> reply::Nothing);

/// Lets go of the process and ends Delve. It cannot be asked to kill.
#[derive(Serialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub struct Detach {
    /// Whether the process is killed.
    pub kill: False,
}
request!(Detach -> reply::Nothing);

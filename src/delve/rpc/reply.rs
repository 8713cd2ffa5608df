//! What is answered. The names are Delve's (`service/rpc2`, `service/api`); everything may be missing or null.
#![allow(missing_docs)] // Each is what its name says, and is read by `convert` alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// What Go writes for an empty list is `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

macro_rules! replies {
    ($($(#[$about:meta])* $name:ident { $($($key:literal)? $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Deserialize, Debug, Default, Clone)]
        pub struct $name {
            $(#[serde(default, deserialize_with = "or_default" $(, rename = $key)?)] pub $field: $type,)*
        }
    )*};
}

replies! {
    Nothing {}
    Version { "DelveVersion" delve: String, "TargetGoVersion" go: String, "Backend" backend: String }
    Stated { "State" state: State }
    State {
        "Pid" pid: i64, "Running" running: bool, "exited" exited: bool, "exitStatus" exit_status: i64,
        "currentThread" thread: Option<Thread>, "currentGoroutine" goroutine: Option<Goroutine>,
        "Threads" threads: Vec<Thread>, "NextInProgress" next_in_progress: bool, "StopReason" stop_reason: Word,
    }
    Thread {
        id: i64, pc: u64, file: String, line: i64, function: Option<Function>, "goroutineID" goroutine: i64,
        "breakPoint" breakpoint: Option<Breakpoint>, "breakPointInfo" info: Option<BreakpointInfo>,
        "ReturnValues" returned: Vec<Variable>, "CallReturn" called: bool,
    }
    BreakpointInfo { stacktrace: Vec<Frame>, variables: Vec<Variable>, arguments: Vec<Variable> }
    Function { name: String, optimized: bool }
    Location { pc: u64, file: String, line: i64, function: Option<Function>, pcs: Vec<u64> }
    Goroutines {
        "Goroutines" goroutines: Vec<Goroutine>, "Nextg" next: Option<i64>, "Groups" groups: Vec<Group>,
        "TooManyGroups" too_many_groups: bool,
    }
    Goroutine {
        id: i64, "currentLoc" current: Location, "userCurrentLoc" user: Location,
        "goStatementLoc" go_statement: Location, "startLoc" start: Location, "threadID" thread: i64, status: u64,
        "waitSince" wait_since: i64, "waitReason" wait_reason: i64, unreadable: String,
        labels: BTreeMap<String, String>,
    }
    Group { "Name" name: String, "Offset" offset: i64, "Count" count: i64, "Total" total: i64 }
    Stack { "Locations" frames: Vec<Frame> }
    Frame {
        pc: u64, file: String, line: i64, function: Option<Function>, "Locals" locals: Vec<Variable>,
        "Arguments" arguments: Vec<Variable>, "Defers" defers: Vec<Defer>, "Bottom" bottom: bool, "Err" error: String,
    }
    Defer {
        "DeferredLoc" call: Location, "DeferLoc" statement: Location, "Unreadable" unreadable: String,
    }
    Variables { "Variables" variables: Vec<Variable> }
    Arguments { "Args" variables: Vec<Variable> }
    Evaluated { "Variable" variable: Variable }
    Variable {
        name: String, addr: u64, "onlyAddr" only_addr: bool, "type" type_name: String, flags: u64, kind: u64,
        value: String, "StringValueBytes" bytes: Option<String>, len: i64, cap: i64, children: Vec<Variable>,
        base: u64, unreadable: String,
    }
    OneBreakpoint { "Breakpoint" breakpoint: Breakpoint }
    WholeBreakpoint { "Breakpoint" breakpoint: serde_json::Map<String, serde_json::Value> }
    Breakpoints { "Breakpoints" breakpoints: Vec<Breakpoint> }
    Breakpoint {
        id: i64, name: String, addr: u64, addrs: Vec<u64>, file: String, line: i64, "functionName" function: String,
        "Cond" condition: String, "HitCond" hit_condition: String, "continue" tracepoint: bool,
        variables: Vec<String>, "WatchExpr" watches: String, "totalHitCount" hits: u64, disabled: bool,
    }
    Locations { "Locations" locations: Vec<Location> }
    Threads { "Threads" threads: Vec<Thread> }
    Registers { "Regs" registers: Vec<Register> }
    Register { "Name" name: String, "Value" value: String }
    Instructions { "Disassemble" instructions: Vec<Instruction> }
    Instruction {
        "Loc" location: Location, "DestLoc" destination: Option<Location>, "Text" text: String,
        "Bytes" bytes: String, "Breakpoint" breakpoint: bool, "AtPC" current: bool,
    }
    Memory { "Mem" bytes: String }
    Rules { "List" rules: Vec<[String; 2]> }
}

/// Sources or functions.
#[derive(Deserialize, Debug, Default, Clone)]
pub struct Names {
    #[serde(default, deserialize_with = "or_default", alias = "Sources", alias = "Funcs")]
    pub names: Vec<String>,
}

/// A number in some versions, words in others.
#[derive(Deserialize, Debug, Clone)]
#[serde(untagged)]
pub enum Word {
    Number(i64),
    Text(String),
}

impl Default for Word {
    fn default() -> Self {
        Self::Number(0)
    }
}

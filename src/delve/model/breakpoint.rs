//! Breakpoints.

use super::{Load, Location, PathRule};
use crate::text::Untrusted;

/// A breakpoint that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breakpoint {
    /// Its number, from 1 on. Negative ones are Delve's own.
    pub id: i64,
    /// The name it was given.
    pub name: Untrusted,
    /// Where it is.
    pub location: Location,
    /// Every address it is set at: a function that was inlined has several.
    pub addresses: Vec<u64>,
    /// Stops only if this is true.
    pub condition: Untrusted,
    /// Stops only if the number of hits is so: `> 10`, `% 3`.
    pub hit_condition: Untrusted,
    /// Whether it only logs. The client runs on by itself only if it is told to.
    pub tracepoint: bool,
    /// How often it was hit.
    pub hits: u64,
    /// Whether it is in force.
    pub enabled: bool,
    /// The expression it watches, if it is a watchpoint.
    pub watches: Untrusted,
    /// Expressions that are evaluated at each hit.
    pub variables: Vec<Untrusted>,
}

/// Where a breakpoint is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, as the program calls it, or as this host does if rules say what is what.
    Line {
        /// The file.
        file: String,
        /// The line, from 1 on.
        line: u32,
    },
    /// The beginning of a function: `main.handle`, `net/http.(*conn).serve`.
    Function(String),
    /// An instruction.
    Address(u64),
    /// Delve's own notation: `main.go:12`, `*0x46c1e3`, `main.handle:3`, `/regex/`.
    Expression(String),
}

/// A breakpoint to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBreakpoint {
    /// Where.
    pub place: Place,
    /// A name for it; may be empty.
    pub name: String,
    /// Stop only if this is true; may be empty.
    pub condition: String,
    /// Stop only if the number of hits is so; may be empty.
    pub hit_condition: String,
    /// Only log.
    pub tracepoint: bool,
    /// Expressions to evaluate at each hit.
    pub variables: Vec<String>,
    /// How many calls of the stack to tell at each hit.
    pub stack: u32,
    /// Whether arguments are to be told at each hit, and how much of them.
    pub arguments: Option<Load>,
    /// What this host calls the program's files.
    pub rules: Vec<PathRule>,
}

impl NewBreakpoint {
    /// One that always stops.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            place,
            name: String::new(),
            condition: String::new(),
            hit_condition: String::new(),
            tracepoint: false,
            variables: Vec::new(),
            stack: 0,
            arguments: None,
            rules: Vec::new(),
        }
    }
}

/// What is to be changed of a breakpoint. What is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Stop only if this is true.
    pub condition: Option<String>,
    /// Stop only if the number of hits is so.
    pub hit_condition: Option<String>,
    /// Only log.
    pub tracepoint: Option<bool>,
    /// Whether it is in force.
    pub enabled: Option<bool>,
    /// Expressions to evaluate at each hit.
    pub variables: Option<Vec<String>>,
}

//! Goroutines as JSON: each stack once, with those who have it.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Program;
use crate::commands::output;
use crate::exit::Failure;
use crate::golang::symbols::Frame;
use crate::goroutines::filter::Filter;
use crate::goroutines::group::{Group, groups};
use crate::goroutines::{Dump, Figures, Goroutine, State, Tally};
use crate::target::ContainerPid;
use crate::text::Untrusted;

/// The JSON document.
#[derive(Serialize)]
struct Document<'d> {
    pid: ContainerPid,
    go: &'d Untrusted,
    #[serde(serialize_with = "seconds")]
    took_seconds: Duration,
    #[serde(flatten)]
    tally: Tally,
    runtime: &'d Figures,
    groups: Vec<OfGroup<'d>>,
}

/// A group.
#[derive(Serialize)]
pub struct OfGroup<'d> {
    count: usize,
    state: State,
    /// What a dump of Go's own would say: what it waits for, or else its state.
    words: &'static str,
    #[serde(serialize_with = "maybe_seconds")]
    longest_wait_seconds: Option<Duration>,
    stack: Option<Vec<OfFrame<'d>>>,
    cut: bool,
    created_by: Option<Creator>,
    /// Of many pods, each has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    goroutines: Option<Vec<One<'d>>>,
}

/// A call.
#[derive(Serialize)]
struct OfFrame<'d> {
    function: &'d Untrusted,
    file: &'d Untrusted,
    line: u32,
    inlined: bool,
    runtime: bool,
}

/// Where it was started.
#[derive(Serialize)]
struct Creator {
    function: Untrusted,
    file: Untrusted,
    line: u32,
}

/// A goroutine.
#[derive(Serialize)]
pub struct One<'d> {
    id: u64,
    #[serde(serialize_with = "maybe_seconds", skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    locked: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    system: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, &'d Untrusted>,
}

/// Writes at most so many groups.
///
/// # Errors
/// If they cannot be written.
pub fn write(
    out: &mut dyn Write,
    dump: &Dump,
    program: &Program,
    filter: &Filter,
    limit: usize,
) -> Result<(), Failure> {
    let groups = groups(dump, filter);
    let document = Document {
        pid: program.pid,
        go: &program.go,
        took_seconds: dump.took,
        tally: dump.tally,
        runtime: &dump.figures,
        groups: groups.iter().take(limit).map(|group| OfGroup::new(dump, group)).collect(),
    };
    output::document(out, &document)
}

impl<'d> OfGroup<'d> {
    /// One of a dump.
    pub fn new(dump: &'d Dump, group: &Group) -> Self {
        let members: Vec<_> = group.members.iter().filter_map(|&index| dump.goroutines.get(index)).collect();
        let frames = |stack| dump.frames(Some(stack)).map(OfFrame::new).collect();
        let creator = dump.creator(group.place.created_by);
        Self {
            count: members.len(),
            state: members.first().map_or(State::Unknown, |one| one.state),
            words: group.place.words,
            longest_wait_seconds: group.longest,
            stack: group.place.stack.map(frames),
            cut: group.place.stack.and_then(|stack| dump.stacks.get(stack as usize)).is_some_and(|stack| stack.cut),
            created_by: creator.map(|Frame { function, file, line, .. }| Creator { function, file, line }),
            goroutines: Some(members.into_iter().map(|goroutine| One::new(dump, goroutine)).collect()),
        }
    }

    /// The same without its goroutines, which are told elsewhere.
    pub fn without_members(dump: &'d Dump, group: &Group) -> Self {
        let first = Group { members: group.members.iter().take(1).copied().collect(), ..group.clone() };
        Self { count: group.members.len(), goroutines: None, ..Self::new(dump, &first) }
    }
}

impl<'d> OfFrame<'d> {
    fn new(frame: &'d Frame) -> Self {
        let Frame { function, file, line, inlined, .. } = frame;
        Self { function, file, line: *line, inlined: *inlined, runtime: frame.is_internal() }
    }
}

impl<'d> One<'d> {
    /// One of a dump.
    pub fn new(dump: &'d Dump, goroutine: &Goroutine) -> Self {
        let labels = dump.labels(goroutine.labels).iter().map(|(key, value)| (key.lossy().into_owned(), value));
        Self {
            id: goroutine.id,
            wait_seconds: goroutine.waited,
            parent: Some(goroutine.parent).filter(|&parent| parent != 0),
            thread: goroutine.thread,
            locked: goroutine.locked,
            system: goroutine.system,
            labels: labels.collect(),
        }
    }
}

/// A length of time in seconds.
pub fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// The same, if it is known.
#[allow(clippy::ref_option, reason = "serde calls it with what the field is")]
pub fn maybe_seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

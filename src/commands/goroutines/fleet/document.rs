//! The same as JSON.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::OfPod;
use super::builds::{self, Build, RunBy};
use crate::commands::fleet::{Document, Fleet};
use crate::commands::goroutines::json::{OfGroup, One, maybe_seconds, seconds};
use crate::commands::output;
use crate::exit::Failure;
use crate::goroutines::filter::Filter;
use crate::goroutines::group::{Group, groups};
use crate::goroutines::merge::Merge;
use crate::goroutines::{Figures, Tally};
use crate::target::ContainerPid;

/// What one pod says.
#[derive(Serialize)]
struct Answer<'a> {
    pid: ContainerPid,
    build: &'a Build,
    #[serde(serialize_with = "seconds")]
    took_seconds: Duration,
    #[serde(flatten)]
    tally: Tally,
    runtime: &'a Figures,
}

/// What all of them say together.
#[derive(Serialize)]
struct Merged<'a> {
    #[serde(flatten)]
    tally: Tally,
    builds: Vec<RunBy<'a>>,
    groups: Vec<OfAll<'a>>,
}

/// A group, and how it is spread.
#[derive(Serialize)]
struct OfAll<'a> {
    #[serde(flatten)]
    group: OfGroup<'a>,
    pods: Vec<InPod<'a>>,
}

#[derive(Serialize)]
struct InPod<'a> {
    namespace: &'a str,
    pod: &'a str,
    count: usize,
    #[serde(serialize_with = "maybe_seconds")]
    longest_wait_seconds: Option<Duration>,
    goroutines: Vec<One<'a>>,
}

/// Writes it, with at most so many groups.
pub fn write(
    out: &mut dyn Write,
    fleet: &Fleet<OfPod>,
    merge: &Merge,
    filter: &Filter,
    limit: usize,
) -> Result<(), Failure> {
    let dump = merge.dump();
    let told: Vec<_> = fleet.given().map(|(member, pod)| (member.called.as_str(), &pod.build)).collect();
    let groups = groups(dump, filter);
    let merged = Merged {
        tally: dump.tally,
        builds: builds::run_by(&told),
        groups: groups.iter().take(limit).map(|group| of_all(fleet, merge, group)).collect(),
    };
    output::document(out, &Document::new(fleet, answer_of, merged))
}

fn answer_of(pod: &OfPod) -> Answer<'_> {
    Answer { pid: pod.program.pid, build: &pod.build, took_seconds: pod.took, tally: pod.tally, runtime: &pod.figures }
}

fn of_all<'a>(fleet: &'a Fleet<OfPod>, merge: &'a Merge, group: &Group) -> OfAll<'a> {
    let dump = merge.dump();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for &index in &group.members {
        let Some(number) = merge.process(index) else { continue };
        if members.len() <= number {
            members.resize_with(number + 1, Vec::new);
        }
        if let Some(of_pod) = members.get_mut(number) {
            of_pod.push(index);
        }
    }
    let in_pod = |(member, pod): (&'a crate::commands::fleet::Member, &'a OfPod)| {
        let indices = members.get(pod.number).filter(|some| !some.is_empty())?;
        let all = || indices.iter().filter_map(|&index| dump.goroutines.get(index));
        Some(InPod {
            namespace: &member.namespace,
            pod: &member.pod,
            count: indices.len(),
            longest_wait_seconds: all().filter_map(|one| one.waited).max(),
            goroutines: all().map(|one| One::new(dump, one)).collect(),
        })
    };
    OfAll { group: OfGroup::without_members(dump, group), pods: fleet.given().filter_map(in_pod).collect() }
}

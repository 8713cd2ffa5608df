//! The answers of many pods as one JSON document: each pod's own, and what was made of all of them.

use serde::Serialize;

use super::{Fleet, Member};
use crate::exit::{Exit, Failure};

/// The document.
#[derive(Serialize)]
pub struct Document<'a, P, M> {
    selector: &'a str,
    /// `null` for all.
    namespace: Option<&'a str>,
    answered: usize,
    failed: usize,
    pods: Vec<OfPod<'a, P>>,
    /// Those that are over, and were not looked into.
    over: Vec<OfMember<'a>>,
    #[serde(flatten)]
    merged: M,
}

#[derive(Serialize)]
struct OfMember<'a> {
    namespace: &'a str,
    pod: &'a str,
    container: Option<&'a str>,
    node: Option<&'a str>,
}

#[derive(Serialize)]
struct OfPod<'a, P> {
    #[serde(flatten)]
    member: OfMember<'a>,
    /// `null` of one that gave an answer.
    error: Option<OfError<'a>>,
    #[serde(flatten)]
    answer: Option<P>,
}

#[derive(Serialize)]
struct OfError<'a> {
    kind: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

impl<'a, P, M> Document<'a, P, M> {
    /// `answer` makes of what was found what is told of one pod; `merged` is what was made of all.
    pub fn new<T>(fleet: &'a Fleet<T>, mut answer: impl FnMut(&'a T) -> P, merged: M) -> Self {
        let answered = fleet.given().count();
        let pods = fleet.answers.iter().map(|one| OfPod {
            member: OfMember::of(&one.member),
            error: one.found.as_ref().err().map(OfError::of),
            answer: one.found.as_ref().ok().map(&mut answer),
        });
        Self {
            selector: &fleet.selection.selector,
            namespace: fleet.namespace.as_deref(),
            answered,
            failed: fleet.answers.len() - answered,
            pods: pods.collect(),
            over: fleet.over.iter().map(OfMember::of).collect(),
            merged,
        }
    }
}

impl<'a> OfMember<'a> {
    fn of(member: &'a Member) -> Self {
        let Member { namespace, pod, container, node, .. } = member;
        Self { namespace, pod, container: container.as_deref(), node: node.as_deref() }
    }
}

impl<'a> OfError<'a> {
    fn of(failure: &'a Failure) -> Self {
        let kind = match failure.exit {
            Exit::Done | Exit::No => "failed",
            Exit::Usage => "usage",
            Exit::NotPermitted => "not_permitted",
            Exit::NoTarget => "no_target",
            Exit::Unreachable => "unreachable",
        };
        Self { kind, message: &failure.message, hint: failure.hint.as_deref() }
    }
}

//! Many pods in one command: those with certain labels are looked into, a few at a time, and what each says or why it says nothing
//! is collected. What is made of the answers is each command's own business.

mod document;
mod failures;
pub mod spread;

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

pub use self::document::Document;
use super::{Context, question};
use crate::cli;
use crate::engine::kube::{Pod, Selected, Selection, holding};
use crate::entry::{self, Access, Entered};
use crate::exit::{Exit, Failure};
use crate::target::Target;

/// The most pods that are looked into in one go.
const MOST: usize = 500;
/// So many are added to without a question.
const FEW: usize = 3;
/// How long one pod may take, beside the start of what is added to it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pod that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// The container, if one could be chosen.
    pub container: Option<String>,
    /// Where it runs.
    pub node: Option<String>,
    /// What to call it: by its name alone where all are of one namespace.
    pub called: String,
}

/// What became of a pod.
#[derive(Debug)]
pub struct Answer<T> {
    /// Which.
    pub member: Member,
    /// What was found, or why nothing was.
    pub found: Result<T, Failure>,
}

/// What became of all of them.
#[derive(Debug)]
pub struct Fleet<T> {
    /// Which were meant.
    pub selection: Selection,
    /// In which namespace, if in one.
    pub namespace: Option<String>,
    /// Those that were looked into, by namespace and name.
    pub answers: Vec<Answer<T>>,
    /// Those that are over, and were not.
    pub over: Vec<Member>,
}

/// Which pods were typed.
pub fn selection(context: &Context, args: &cli::Fleet) -> Selection {
    Selection {
        // clap sees to it that there is one where there is no target.
        selector: args.selector.clone().unwrap_or_default(),
        everywhere: args.all_namespaces,
        container: context.global.kube.container.clone(),
    }
}

/// Looks into all pods that are meant. What is added to one for that ends as soon as that one has been looked into.
///
/// # Errors
/// If there are none, or nothing may be added to them. That one gives no answer is no failure of all.
pub async fn look<T>(
    context: &Context,
    args: &cli::Fleet,
    access: &Access,
    work: impl AsyncFn(&Target, &Entered) -> Result<T, Failure>,
) -> Result<Fleet<T>, Failure> {
    let cluster = context.cluster().await?;
    let selection = selection(context, args);
    let (over, all): (Vec<_>, Vec<_>) =
        cluster.select(&selection, MOST).await?.into_iter().partition(|selected| selected.over);
    let over: Vec<_> = over.iter().map(|one| Member::of(one, selection.everywhere)).collect();
    if all.is_empty() {
        let place = cluster.place(&selection);
        let what = format!("{} with the labels {} {place}, and all are over", pods(over.len()), selection.selector);
        return Err(Failure::new(Exit::NoTarget, what).try_this("see how with `scratchdbg list --pods`"));
    }
    agree(context, &all, access).await?;
    let work = &work;
    let looking = spread_over_nodes(all).into_iter().map(|selected| async {
        let member = Member::of(&selected, selection.everywhere);
        let found = match selected.container {
            Ok(pod) => one(context, pod, access, work, &member.called).await,
            Err(error) => Err(error.into()),
        };
        Answer { member, found }
    });
    let mut answers: Vec<_> = stream::iter(looking).buffer_unordered(args.at_once).collect().await;
    answers.sort_by(|a, b| (&a.member.namespace, &a.member.pod).cmp(&(&b.member.namespace, &b.member.pod)));
    let namespace = (!selection.everywhere).then(|| cluster.namespace().to_owned());
    tell_of_records(context);
    Ok(Fleet { selection, namespace, answers, over })
}

async fn one<T>(
    context: &Context,
    pod: Pod,
    access: &Access,
    work: &impl AsyncFn(&Target, &Entered) -> Result<T, Failure>,
    called: &str,
) -> Result<T, Failure> {
    let target = Target::Pod(Box::new(pod));
    let looking = async {
        let entered = context.enter_found(&target, access).await?;
        match work(&target, &entered).await {
            Err(failure) => Err(context.explained_of(&target, failure).await),
            found => found,
        }
    };
    let patience = context.global.kube.timeout + PATIENCE;
    // Given up, what was added is ended all the same: whoever holds it sees to that.
    tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| {
        let what = format!("{called} gave no answer within {} s", patience.as_secs());
        Err(Failure::new(Exit::No, what).try_this("is its node alive? `kubectl get nodes`"))
    })
}

/// What is added to a pod stays in its list: where that is many pods, a person has to want it.
async fn agree(context: &Context, all: &[Selected], access: &Access) -> Result<(), Failure> {
    let cluster = context.cluster().await?;
    let runs = |pod: &&Pod| pod.running().is_ok() && entry::would_add(cluster, pod, access);
    let count = all.iter().filter_map(|one| one.container.as_ref().ok()).filter(runs).count();
    if count <= FEW {
        return Ok(());
    }
    let would =
        format!("a container would be added to each of {count} pods, whose record stays until a pod is made anew");
    let until = match context.global.kube.keep {
        Some(idle) => format!("runs until nobody has used it for {}", humantime::format_duration(idle)),
        None => "ends with this command".to_owned(),
    };
    let question = format!(
        "A container ({}) is added to each of {count} pods. It {until}; its record stays in the pod until that is made anew. Add them?",
        cluster.terms().image
    );
    question::ask(context, &would, &question, "nothing was added")
}

/// What stays in the pods, if anything.
fn tell_of_records(context: &Context) {
    let count = holding::added();
    if count == 0 {
        return;
    }
    let (what, them, records) = match count {
        1 => (
            "1 container was added to a pod and".to_owned(),
            "it",
            "its record stays in the pod until that is made anew",
        ),
        _ => (
            format!("{count} containers were added to pods and"),
            "them",
            "their records stay in the pods until these are made anew",
        ),
    };
    let until = match (context.global.kube.keep, count) {
        (None, 1) => "ends with this command".to_owned(),
        (None, _) => "end with this command".to_owned(),
        (Some(idle), _) => format!("stay until nobody has used {them} for {}", humantime::format_duration(idle)),
    };
    context.tell(&format!("{what} {until}; {records}"));
}

/// In another order: the first pods of all nodes, then the second ones. A node that is silent then holds up fewer at once.
fn spread_over_nodes(all: Vec<Selected>) -> Vec<Selected> {
    let mut of_node: HashMap<Option<String>, usize> = HashMap::new();
    let mut numbered: Vec<_> = all
        .into_iter()
        .map(|one| {
            let count = of_node.entry(one.node.clone()).or_default();
            *count += 1;
            (*count, one)
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, one)| one).collect()
}

/// `3 pods`
fn pods(count: usize) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}

impl Member {
    /// Of a pod that was selected.
    pub fn of(selected: &Selected, everywhere: bool) -> Self {
        let Selected { namespace, pod, node, container, .. } = selected;
        Self {
            namespace: namespace.clone(),
            pod: pod.clone(),
            container: container.as_ref().ok().map(|pod| pod.name.clone()),
            node: node.clone(),
            called: if everywhere { format!("{namespace}/{pod}") } else { pod.clone() },
        }
    }
}

impl<T> Fleet<T> {
    /// Those that gave an answer, with it.
    pub fn given(&self) -> impl Iterator<Item = (&Member, &T)> {
        self.answers.iter().filter_map(|one| Some((&one.member, one.found.as_ref().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kube::Error;

    #[test]
    fn a_silent_node_does_not_hold_up_all_at_once() {
        let selected = |pod: &str, node: &str| Selected {
            namespace: "shop".into(),
            pod: pod.into(),
            node: Some(node.into()),
            over: false,
            container: Err(Error::NotBuilt),
        };
        let all = [("a", "n1"), ("b", "n1"), ("c", "n1"), ("d", "n2"), ("e", "n3"), ("f", "n2")];
        let order = spread_over_nodes(all.map(|(pod, node)| selected(pod, node)).into());
        let names: Vec<_> = order.iter().map(|one| one.pod.as_str()).collect();
        assert_eq!(names, ["a", "d", "e", "b", "f", "c"]);
    }
}

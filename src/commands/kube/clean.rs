//! `kube clean`: deletes copies of pods that were left, because whoever made them was killed.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::commands::table::{Align, Table, width};
use crate::commands::{Context, output, question};
use crate::engine::kube::copy::COPY_OF;
use crate::engine::kube::wire;
use crate::exit::{Exit, Failure};
use crate::logs::time;

/// For how long one may wait to begin, before it counts as left.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    deleted: &'a [Left],
    failed: &'a [Failed],
}

/// A copy that was left.
#[derive(Debug, Clone, Serialize)]
struct Left {
    namespace: String,
    pod: String,
    /// The pod that it is of.
    of: String,
    /// `Succeeded`, as the cluster has it.
    phase: String,
    #[serde(skip)]
    uid: String,
}

/// What could not be deleted.
#[derive(Debug, Serialize)]
struct Failed {
    #[serde(flatten)]
    left: Left,
    why: String,
}

/// Runs the command: lists, asks, deletes.
///
/// # Errors
/// If the cluster does not answer, the answer is no, or something could not be deleted.
pub async fn run(context: &Context, everywhere: bool, running: bool) -> Result<(), Failure> {
    let cluster = context.cluster().await?;
    let all = cluster.copies(everywhere).await?;
    let now = SystemTime::now();
    let found: Vec<Left> = all.iter().filter(|pod| running || is_left(pod, now)).map(left).collect();
    if !found.is_empty() {
        if context.global.read_only {
            let what = format!("{} left, but --read-only forbids deleting them", count(found.len()));
            return Err(Failure::new(Exit::NotPermitted, what).try_this("leave out --read-only"));
        }
        if !context.global.quiet || !context.global.yes {
            eprint!("{}", table(&found).text(width()));
        }
        let what = count(found.len());
        question::ask(context, &format!("{what} would be deleted"), &format!("Delete {what}?"), "nothing was deleted")?;
    }
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for left in found {
        let what = format!("delete pod {}/{}, a copy of {}", left.namespace, left.pod, left.of);
        let step = context.journal.begin(Some(crate::door::Door::Kube), &what, None);
        let gone = cluster.delete_pod(&left.namespace, &left.pod, Some(&left.uid)).await;
        step.end(&gone);
        match gone {
            Ok(()) => deleted.push(left),
            Err(error) => failed.push(Failed { left, why: error.to_string() }),
        }
    }
    let mut out = std::io::stdout().lock();
    if context.global.json {
        output::document(&mut out, &Document { deleted: &deleted, failed: &failed })?;
    } else if deleted.is_empty() && failed.is_empty() {
        let others = all.len();
        let more = if others > 0 { format!("; {} that may be in use", count(others)) } else { String::new() };
        writeln!(out, "nothing is left{more}").map_err(|error| output::failure(&error))?;
    } else {
        writeln!(out, "deleted {}", count(deleted.len())).map_err(|error| output::failure(&error))?;
    }
    match failed.as_slice() {
        [] => Ok(()),
        [first, ..] => {
            let what = format!("{} of {} could not be deleted", failed.len(), failed.len() + deleted.len());
            Err(Failure::new(Exit::No, format!("{what}: {}", first.why)))
        }
    }
}

/// Whether nobody can be using it any more.
fn is_left(pod: &wire::Pod, now: SystemTime) -> bool {
    match pod.status.phase.as_str() {
        "Succeeded" | "Failed" => true,
        "Pending" => {
            let made = pod.metadata.creation_timestamp.as_ref().and_then(|text| time::parse(text.as_bytes()));
            made.and_then(|made| now.duration_since(made).ok()).is_some_and(|age| age > PATIENCE)
        }
        _ => false,
    }
}

fn left(pod: &wire::Pod) -> Left {
    let meta = &pod.metadata;
    Left {
        namespace: meta.namespace.clone(),
        pod: meta.name.clone(),
        of: meta.annotations.get(COPY_OF).cloned().unwrap_or_default(),
        phase: pod.status.phase.clone(),
        uid: meta.uid.clone(),
    }
}

fn count(number: usize) -> String {
    if number == 1 { "1 copy of a pod".to_owned() } else { format!("{number} copies of pods") }
}

fn table(found: &[Left]) -> Table {
    let mut table = Table::new(&["NAMESPACE", "POD", "COPY OF", "PHASE"].map(|title| (title, Align::Left)));
    for one in found {
        table.row([one.namespace.clone(), one.pod.clone(), one.of.clone(), one.phase.clone()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_in_use_is_no_leftover() {
        let made = time::parse(b"2026-11-24T03:00:00Z").unwrap();
        let pod = |phase: &str| wire::Pod {
            metadata: wire::Meta {
                creation_timestamp: Some("2026-11-24T03:00:00Z".to_owned()),
                ..wire::Meta::default()
            },
            status: wire::PodStatus { phase: phase.to_owned(), ..wire::PodStatus::default() },
            ..wire::Pod::default()
        };
        let (soon, late) = (made + Duration::from_secs(60), made + Duration::from_secs(601));
        for (phase, at, left) in [
            ("Succeeded", soon, true),
            ("Failed", soon, true),
            ("Running", late, false),
            ("Unknown", late, false),
            ("Pending", soon, false),
            ("Pending", late, true),
        ] {
            assert_eq!(is_left(&pod(phase), at), left, "{phase}");
        }
    }
}

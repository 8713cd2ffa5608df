//! `list --pods`: the containers of pods.

use std::io::Write as _;
use std::time::SystemTime;

use serde::Serialize;

use crate::cli;
use crate::commands::table::{Align, Table, width};
use crate::commands::{Context, output, words};
use crate::engine::State;
use crate::engine::kube::list;
use crate::exit::Failure;

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    containers: &'a [Row],
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    namespace: String,
    pod: String,
    container: String,
    /// What to type for it.
    target: String,
    image: String,
    state: State,
    /// Why it does not run, or how its last run ended; empty if there is nothing to tell.
    status: String,
    ready: bool,
    restarts: u64,
    node: Option<String>,
    started: Option<String>,
    #[serde(skip)]
    age: String,
}

/// Runs the command.
///
/// # Errors
/// If the cluster does not answer, or does not let its pods be listed.
pub async fn run(context: &Context, args: &cli::List) -> Result<(), Failure> {
    let found = context.cluster().await?.list(args.all_namespaces, args.selector.as_deref()).await?;
    let wanted = |one: &list::Row| !args.running || one.state == State::Running;
    let now = SystemTime::now();
    let rows: Vec<Row> = found.into_iter().filter(wanted).map(|one| Row::of(one, now)).collect();
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &Document { containers: &rows })?;
    } else if rows.is_empty() {
        context.tell("no pods");
    } else {
        out.extend_from_slice(table(&rows, args.all_namespaces).text(width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

impl Row {
    fn of(one: list::Row, now: SystemTime) -> Self {
        let age = one.started.and_then(|started| now.duration_since(started).ok());
        Self {
            target: format!("k8s://{}/{}/{}", one.namespace, one.pod, one.container),
            age: age.map_or_else(|| "-".to_owned(), words::age),
            started: one.started.and_then(words::rfc3339),
            namespace: one.namespace,
            pod: one.pod,
            container: one.container,
            image: one.image,
            state: one.state,
            status: one.status,
            ready: one.ready,
            restarts: one.restarts,
            node: one.node,
        }
    }
}

fn table(rows: &[Row], everywhere: bool) -> Table {
    let left = ["POD", "CONTAINER", "IMAGE", "STATE"].map(|title| (title, Align::Left));
    let right = [("RESTARTS", Align::Right), ("AGE", Align::Right)];
    let mut titles: Vec<_> = left.into_iter().chain(right).collect();
    titles.extend([("NODE", Align::Left), ("STATUS", Align::Left)]);
    if everywhere {
        titles.insert(0, ("NAMESPACE", Align::Left));
    }
    let mut table = Table::new(&titles);
    for row in rows {
        let mut cells = vec![
            row.pod.clone(),
            row.container.clone(),
            row.image.clone(),
            row.state.to_string(),
            row.restarts.to_string(),
            row.age.clone(),
            row.node.clone().unwrap_or_else(|| "-".to_owned()),
            row.status.clone(),
        ];
        if everywhere {
            cells.insert(0, row.namespace.clone());
        }
        table.row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn pods_for_people_and_for_programs() {
        let row = |container: &str, state, status: &str, restarts| list::Row {
            namespace: "shop".into(),
            pod: "web-7d9f-x2x".into(),
            container: container.into(),
            image: "acme/shop:1.9".into(),
            state,
            status: status.into(),
            ready: state == State::Running,
            restarts,
            node: Some("n1".into()),
            started: (state == State::Running).then_some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
            created: None,
            last: None,
            message: String::new(),
            leaving: false,
            labels: std::collections::BTreeMap::new(),
        };
        let rows = [
            row("app", State::Running, "ran before: OOMKilled (137)", 3),
            row("proxy", State::Restarting, "CrashLoopBackOff", 17),
        ];
        let rows = rows.map(|one| Row::of(one, UNIX_EPOCH + Duration::from_secs(1_700_003_700)));
        insta::assert_snapshot!(format!("{}\n{}", table(&rows, false).text(None), table(&rows, true).text(None)));
        let mut json = Vec::new();
        output::document(&mut json, &Document { containers: &rows[..1] }).unwrap();
        insta::assert_snapshot!(String::from_utf8(json).unwrap());
    }
}

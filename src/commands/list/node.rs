//! `list --cri`: the containers of the node that this host is, as its runtime knows them.

use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::super::table::{Align, Table};
use super::super::{Context, words};
use super::{AT_ONCE, Go, look_within};
use crate::engine::cri::{Cri, Listed, Name, State};
use crate::exit::Failure;
use crate::inspect::kind::ImageKind;
use crate::target::TargetName;

/// The JSON document.
#[derive(Serialize)]
pub struct Document<'a> {
    containers: &'a [Row],
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is called as a target.
    target: String,
    namespace: String,
    pod: String,
    container: String,
    id: String,
    image: String,
    state: State,
    created: Option<String>,
    /// `null` if it could not be looked into.
    kind: Option<ImageKind>,
    /// `null` if it is no Go program, or could not be looked into.
    go: Option<Go>,
}

impl<'a> Document<'a> {
    /// Of these containers.
    pub fn of(rows: &'a [Row]) -> Self {
        Self { containers: rows }
    }
}

/// All of them, or only those that run.
///
/// # Errors
/// If the runtime does not answer. That a container cannot be looked into is no error.
pub async fn rows(context: &Context, running: bool) -> Result<Vec<Row>, Failure> {
    let cri = Cri::connect(context.global.cri_socket.as_deref()).await?;
    let mut found = cri.list().await?;
    if running {
        found.retain(|one| one.state == State::Running);
    }
    Ok(stream::iter(found).map(|one| row(context, one)).buffered(AT_ONCE).collect().await)
}

async fn row(context: &Context, one: Listed) -> Row {
    let mut seen = (None, None);
    if one.state == State::Running {
        seen = look_within(context, &TargetName::Node(Name::Id(one.id.clone())), &one.called()).await;
    }
    Row {
        target: one.called(),
        namespace: one.namespace,
        pod: one.pod,
        container: one.name,
        id: one.id,
        image: one.image,
        state: one.state,
        created: one.created.and_then(words::rfc3339),
        kind: seen.0,
        go: seen.1.map(Go::from),
    }
}

/// For people.
pub fn table(rows: &[Row]) -> Table {
    let titles = ["NAMESPACE", "POD", "CONTAINER", "IMAGE", "STATE", "KIND", "GO"];
    let mut table = Table::new(&titles.map(|title| (title, Align::Left)));
    for row in rows {
        table.row([
            row.namespace.clone(),
            row.pod.clone(),
            row.container.clone(),
            row.image.clone(),
            row.state.to_string(),
            row.kind.map_or_else(|| "-".to_owned(), |kind| kind.to_string()),
            row.go.as_ref().map_or_else(|| "-".to_owned(), Go::shown),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::super::output;
    use super::*;

    #[test]
    fn a_list_for_people_and_for_programs() {
        let row = |pod: &str, state, kind| Row {
            target: format!("cri://default/{pod}/app"),
            namespace: "default".into(),
            pod: pod.into(),
            container: "app".into(),
            id: "3f2a".repeat(16),
            image: "acme/shop:1.9".into(),
            state,
            created: Some("2026-11-23T08:00:00Z".into()),
            kind,
            go: None,
        };
        let rows = [row("web-1", State::Running, Some(ImageKind::Scratch)), row("job\x1b[2J", State::Exited, None)];
        insta::assert_snapshot!(table(&rows).text(None));
        let mut json = Vec::new();
        output::document(&mut json, &Document::of(&rows)).unwrap();
        insta::assert_snapshot!(String::from_utf8(json).unwrap());
    }
}

//! `list`: containers, and what kind they are.

mod node;
mod pods;

use std::io::Write as _;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::table::{Align, Table, width};
use super::{Context, output, words};
use crate::cli;
use crate::engine::{State, Summary};
use crate::entry::Via;
use crate::exit::Failure;
use crate::golang::{self, BuildInfo};
use crate::inspect::kind::{self, ImageKind};
use crate::target::TargetName;
use crate::text::Untrusted;

/// How long one container may be looked into. What is not known by then is left out.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many containers are looked into at once.
const AT_ONCE: usize = 8;

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    containers: &'a [Row],
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    id: String,
    name: String,
    image: String,
    state: State,
    /// The engine's own words.
    status: String,
    created: Option<String>,
    command: String,
    /// `null` if it could not be looked into.
    kind: Option<ImageKind>,
    /// `null` if it is no Go program, or could not be looked into.
    go: Option<Go>,
}

/// What is known of a Go program.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Go {
    version: Untrusted,
    path: Option<Untrusted>,
    module: Option<Untrusted>,
    module_version: Option<Untrusted>,
}

/// Runs the command. All states are listed: what one looks for is often what has ended.
///
/// # Errors
/// If the engine does not answer. That a container cannot be looked into is no error.
pub async fn run(context: &Context, args: &cli::List) -> Result<(), Failure> {
    if args.pods {
        return pods::run(context, args).await;
    }
    if args.cri {
        let rows = node::rows(context, args.running).await?;
        return print(context, &node::Document::of(&rows), rows.is_empty(), || node::table(&rows));
    }
    let mut found = context.engine()?.list().await?;
    if args.running {
        found.retain(|one| is_alive(one.state));
    }
    let rows: Vec<Row> = stream::iter(found).map(|one| row(context, one)).buffered(AT_ONCE).collect().await;
    print(context, &Document { containers: &rows }, rows.is_empty(), || table(&rows))
}

fn print<T: Serialize>(context: &Context, document: &T, none: bool, table: impl Fn() -> Table) -> Result<(), Failure> {
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, document)?;
    } else if none {
        if !context.global.quiet {
            eprintln!("no containers");
        }
    } else {
        out.extend_from_slice(table().text(width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

fn is_alive(state: State) -> bool {
    matches!(state, State::Running | State::Paused)
}

async fn row(context: &Context, one: Summary) -> Row {
    let mut seen = (None, None);
    if is_alive(one.state) {
        seen = look_within(context, &TargetName::Container(one.id.clone()), &one.name).await;
    }
    Row {
        id: one.id,
        name: one.name,
        image: one.image,
        state: one.state,
        status: one.status,
        created: one.created.and_then(words::rfc3339),
        command: one.command,
        kind: seen.0,
        go: seen.1.map(Go::from),
    }
}

/// What was seen of a container, if anything.
type Seen = (Option<ImageKind>, Option<BuildInfo>);

async fn look_within(context: &Context, name: &TargetName, called: &str) -> Seen {
    match tokio::time::timeout(PATIENCE, look(context, name)).await {
        Ok(Ok(found)) => return found,
        Ok(Err(failure)) => tracing::debug!("{called} was not looked into: {failure}"),
        Err(_) => tracing::debug!("{called} was not looked into within {PATIENCE:?}"),
    }
    (None, None)
}

async fn look(context: &Context, name: &TargetName) -> Result<Seen, Failure> {
    let mut access = context.global.access();
    // A list must not start a container beside each that it lists, unless that is what was asked for.
    if access.via == Via::Auto {
        access.via = Via::Local;
    }
    let (_, entered) = context.enter_with(name, &access).await?;
    let shim = &entered.shim;
    let (kind, go) = futures_util::join!(kind::of(shim), golang::of_process(shim, entered.init));
    Ok((kind.ok(), go.ok()))
}

impl From<BuildInfo> for Go {
    fn from(info: BuildInfo) -> Self {
        let (module, module_version) = info.main.map(|main| (main.path, main.version)).unzip();
        Self { version: info.go_version, path: info.path, module, module_version }
    }
}

impl Go {
    /// Its version, in a column that says that it is Go's.
    fn shown(&self) -> String {
        self.version.lossy().trim_start_matches("go").to_owned()
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["NAME", "IMAGE", "STATE", "KIND", "GO", "STATUS"].map(|title| (title, Align::Left)));
    for row in rows {
        table.row([
            row.name.clone(),
            row.image.clone(),
            row.state.to_string(),
            row.kind.map_or_else(|| "-".to_owned(), |kind| kind.to_string()),
            row.go.as_ref().map_or_else(|| "-".to_owned(), Go::shown),
            row.status.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_for_people_and_for_programs() {
        let row = |name: &str, state, kind| Row {
            id: "3f2a".repeat(16),
            name: name.into(),
            image: "acme/shop:1.9".into(),
            state,
            status: "Up 2 hours".into(),
            created: Some("2026-11-23T08:00:00Z".into()),
            command: "/shop serve".into(),
            kind,
            go: kind.map(|_| Go {
                version: "go1.27.3".into(),
                path: Some("acme.com/shop".into()),
                module: Some("acme.com/shop".into()),
                module_version: Some("\x1b[2J".into()),
            }),
        };
        let rows = [row("shop", State::Running, Some(ImageKind::Scratch)), row("old", State::Exited, None)];
        insta::assert_snapshot!(table(&rows).text(None));
        let mut json = Vec::new();
        output::document(&mut json, &Document { containers: &rows }).unwrap();
        insta::assert_snapshot!(String::from_utf8(json).unwrap());
    }
}

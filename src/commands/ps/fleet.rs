//! `ps` of many pods: one table, pod by pod.

use std::io::Write as _;

use serde::Serialize;

use super::{COLUMNS, read, rows};
use crate::cli;
use crate::commands::fleet::{self, Document, Fleet};
use crate::commands::table::{Align, Table, width};
use crate::commands::{Context, output};
use crate::exit::Failure;
use crate::inspect::processes::Process;

/// What one pod says.
#[derive(Serialize)]
struct Answer<'a> {
    processes: &'a [Process],
}

/// What is known of all of them.
#[derive(Serialize)]
struct Merged {
    /// How many processes all have together.
    count: usize,
}

/// Runs the command on all pods that are meant.
///
/// # Errors
/// If there are none, or some gave no answer.
pub async fn run(context: &Context, args: &cli::Ps) -> Result<(), Failure> {
    let access = context.global.access();
    let fleet = fleet::look(context, &args.fleet, &access, async |target, entered| read(target, entered).await).await?;
    let mut out = Vec::new();
    if context.global.json {
        let merged = Merged { count: fleet.given().map(|(_, processes)| processes.len()).sum() };
        output::document(&mut out, &Document::new(&fleet, |processes| Answer { processes }, merged))?;
    } else if fleet.given().next().is_some() {
        out.extend_from_slice(table(&fleet).text(width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    fleet.conclude(context)
}

fn table(fleet: &Fleet<Vec<Process>>) -> Table {
    // Their ids on a node are not known here.
    let shown = || COLUMNS.into_iter().enumerate().filter(|(_, (title, _))| *title != "HOST-PID");
    let columns: Vec<_> = [("POD", Align::Left)].into_iter().chain(shown().map(|(_, column)| column)).collect();
    let mut table = Table::new(&columns);
    for (member, processes) in fleet.given() {
        for row in rows(processes) {
            let cells = shown().filter_map(|(at, _)| row.get(at)).map(String::as_str);
            table.row([member.called.as_str()].into_iter().chain(cells));
        }
    }
    table
}

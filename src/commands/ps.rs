//! `ps`: the processes, as a tree.

mod fleet;

use std::io::Write as _;

use serde::Serialize;

use super::table::{Align, Table, width};
use super::{Context, output, words};
use crate::cli;
use crate::engine;
use crate::entry::Entered;
use crate::exit::Failure;
use crate::inspect::files::human_size;
use crate::inspect::processes::{self, Process};
use crate::inspect::users;
use crate::target::Target;

/// A tree deeper than this is drawn no further to the right.
const MAX_INDENT: usize = 24;

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    processes: &'a [Process],
}

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered or its processes not read.
pub async fn run(context: &Context, args: &cli::Ps) -> Result<(), Failure> {
    let Some(name) = &args.target else { return fleet::run(context, args).await };
    let (target, entered) = context.enter(name).await?;
    let processes = read(&target, &entered).await?;
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &Document { processes: &processes })?;
    } else {
        out.extend_from_slice(table(&processes).text(width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

async fn read(target: &Target, entered: &Entered) -> Result<Vec<Process>, Failure> {
    let users = users::read(&entered.shim).await;
    let host = target.init().map(engine::process::host_pids).unwrap_or_default();
    Ok(processes::all(&entered.shim, &users, &host).await?)
}

fn table(processes: &[Process]) -> Table {
    let mut table = Table::new(&COLUMNS);
    for row in rows(processes) {
        table.row(row);
    }
    table
}

const COLUMNS: [(&str, Align); 9] = [
    ("PID", Align::Right),
    ("HOST-PID", Align::Right),
    ("USER", Align::Left),
    ("STATE", Align::Left),
    ("CPU", Align::Right),
    ("RSS", Align::Right),
    ("THREADS", Align::Right),
    ("AGE", Align::Right),
    ("COMMAND", Align::Left),
];

/// The tree, line by line.
fn rows(processes: &[Process]) -> impl Iterator<Item = [String; 9]> {
    processes::tree(processes).into_iter().filter_map(|(depth, index)| {
        let process = processes.get(index)?;
        let user = process.user.as_ref().map_or_else(|| process.uid.to_string(), |user| user.safe().into_string());
        Some([
            process.pid.to_string(),
            process.host_pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            user,
            process.state.to_string(),
            format!("{:.1}%", process.cpu_percent),
            human_size(process.rss),
            process.threads.to_string(),
            words::age(process.age),
            format!("{}{}", "  ".repeat(depth.min(MAX_INDENT)), process.command_line()),
        ])
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::target::ContainerPid;
    use crate::target::HostPid;

    #[test]
    fn a_tree() {
        let process = |pid: i32, parent: i32, command: &str| Process {
            pid: ContainerPid(pid),
            host_pid: (pid == 1).then_some(HostPid(4711)),
            ppid: ContainerPid(parent),
            uid: 65532,
            user: (pid == 1).then(|| "app".into()),
            state: 'S',
            threads: 5,
            rss: 5 << 20,
            cpu: Duration::from_secs(1),
            age: Duration::from_secs(3700),
            cpu_percent: 0.3,
            start_ticks: 7,
            name: "app\x1b".into(),
            command: command.split_whitespace().map(Into::into).collect(),
        };
        let processes = [process(1, 0, "/app --port 8080"), process(9, 7, ""), process(7, 1, "/worker")];
        insta::assert_snapshot!(table(&processes).text(None));
        let mut json = Vec::new();
        output::document(&mut json, &Document { processes: &processes[..1] }).unwrap();
        insta::assert_snapshot!(String::from_utf8(json).unwrap());
    }
}

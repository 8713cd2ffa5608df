//! Goroutines again and again: which groups grow, and which shrink.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::Program;
use crate::cli::Goroutines;
use crate::commands::{Context, output, words};
use crate::exit::Failure;
use crate::goroutines::filter::Filter;
use crate::goroutines::watch::{Change, Watch};
use crate::goroutines::{Dump, Figures, Session, Tally};

/// Changes of one reading that are told.
const TOLD: usize = 20;
/// Readings in a row in which a group grew, from which on that is told.
const GROWS: u32 = 3;

/// One reading, as a line of JSON.
#[derive(Serialize)]
struct Line<'d> {
    time: Option<String>,
    goroutines: usize,
    #[serde(flatten)]
    tally: Tally,
    runtime: &'d Figures,
    changes: Vec<OfChange<'d>>,
}

/// A group that changed.
#[derive(Serialize)]
struct OfChange<'d> {
    before: usize,
    now: usize,
    first: usize,
    grew_in_a_row: u32,
    group: &'d str,
}

/// Runs until it has read so often, or is interrupted.
///
/// # Errors
/// If they cannot be read any more, or nothing be written.
pub async fn run(
    context: &Context,
    session: &mut Session,
    program: &Program,
    filter: &Filter,
    args: &Goroutines,
    interval: Duration,
) -> Result<(), Failure> {
    let mut watch = Watch::default();
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let limit = args.limit.unwrap_or(TOLD);
    for sample in 0..args.samples.unwrap_or(u64::MAX) {
        ticks.tick().await;
        let dump = session.read().await?;
        let changes = watch.next(&dump, filter);
        let sieve = filter.of(&dump);
        let count = dump.goroutines.iter().filter(|one| sieve.keeps(&dump, one)).count();
        let mut out = io::stdout().lock();
        if context.global.json {
            line(&mut out, &dump, count, &changes)?;
        } else {
            if sample == 0 {
                let (pid, go) = (program.pid, program.go.safe());
                context.tell(&format!(
                    "process {pid} ({go}), every {}; end it with Ctrl-C",
                    humantime::format_duration(interval)
                ));
            }
            text(&mut out, &dump, count, &changes, limit).map_err(|error| output::failure(&error))?;
        }
    }
    Ok(())
}

fn line(out: &mut dyn Write, dump: &Dump, count: usize, changes: &[Change]) -> Result<(), Failure> {
    fn of(change: &Change) -> OfChange<'_> {
        let Change { before, now, first, grew, title } = change;
        OfChange { before: *before, now: *now, first: *first, grew_in_a_row: *grew, group: title }
    }
    let time = words::rfc3339(std::time::SystemTime::now());
    let changes = changes.iter().map(of).collect();
    output::line(out, &Line { time, goroutines: count, tally: dump.tally, runtime: &dump.figures, changes })
}

fn text(out: &mut dyn Write, dump: &Dump, count: usize, changes: &[Change], limit: usize) -> io::Result<()> {
    let time = words::rfc3339(std::time::SystemTime::now()).unwrap_or_default();
    let figures = super::figures(&dump.figures);
    let more = if figures.is_empty() { String::new() } else { format!("; {figures}") };
    writeln!(out, "{time}  {count} goroutines{more}")?;
    for change in changes.iter().take(limit) {
        let grows =
            if change.grew >= GROWS { format!("  grows, {} readings in a row", change.grew) } else { String::new() };
        writeln!(out, "  {:>6}  now {:>6}  {}{grows}", change.by(), change.now, change.title)?;
    }
    if changes.len() > limit {
        writeln!(out, "  {} more groups changed", changes.len() - limit)?;
    }
    out.flush()
}

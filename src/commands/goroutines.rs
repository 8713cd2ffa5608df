//! `goroutines`: all goroutines of a Go program that runs on.

mod fleet;
mod grouped;
mod json;
mod watch;

use std::io::{self, Write};

use super::{Context, output, words};
use crate::cli::{GoroutineFormat, Goroutines};
use crate::debuggee;
use crate::entry::{Access, Entered};
use crate::exit::Failure;
use crate::golang::BuildInfo;
use crate::goroutines::filter::Filter;
use crate::goroutines::{Error, Figures, Session, Tally, folded, panic};
use crate::inspect::files::human_size;
use crate::target::{ContainerPid, Target};
use crate::text::Untrusted;

/// Whose goroutines they are.
struct Program {
    pid: ContainerPid,
    go: Untrusted,
}

/// Runs the command.
///
/// # Errors
/// If there is no such process, or its goroutines cannot be read.
pub async fn run(context: &Context, args: &Goroutines) -> Result<(), Failure> {
    let Some(name) = &args.target else { return fleet::run(context, args).await };
    let access = Access { memory: true, ..context.global.access() };
    let (target, entered) = context.enter_with(name, &access).await?;
    let (mut session, program, _) = open(context, &target, &entered, args.pid).await?;
    let filter = filter(args);
    if let Some(interval) = args.watch {
        return watch::run(context, &mut session, &program, &filter, args, interval).await;
    }
    let dump = session.read().await?;
    tell(context, &dump.tally);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let limit = args.limit.unwrap_or(usize::MAX);
    if context.global.json {
        json::write(&mut out, &dump, &program, &filter, limit)?;
    } else {
        let written = match args.format {
            GoroutineFormat::Grouped => grouped::write(&mut out, &dump, &program, &filter, args.runtime, limit),
            GoroutineFormat::Panic => panic::write(&mut out, &dump, &filter, args.runtime, limit),
            GoroutineFormat::Folded => folded::write(&mut out, &dump, &filter, args.runtime),
        };
        written.map_err(|error| output::failure(&error))?;
    }
    out.flush().map_err(|error| output::failure(&error))
}

/// Opens the memory of the process that is meant, and tells what its program says of itself.
async fn open(
    context: &Context,
    target: &Target,
    entered: &Entered,
    asked: Option<ContainerPid>,
) -> Result<(Session, Program, BuildInfo), Failure> {
    let (pid, go) = debuggee::choose(&entered.shim, target, entered.init, asked).await?;
    let go = go.map_err(|cause| Error::NotGo { pid, cause })?;
    let what = format!("open the memory of process {pid} for reading, while it runs on");
    let step = context.journal.begin(Some(entered.door), &what, Some("the end of this command"));
    let session = Session::open(&entered.shim, pid, &go).await;
    step.end(&session);
    Ok((session?, Program { pid, go: go.go_version.clone() }, go))
}

/// What is asked for.
fn filter(args: &Goroutines) -> Filter {
    Filter {
        states: args.state.clone(),
        functions: args.function.clone(),
        labels: args.label.clone(),
        system: args.runtime,
    }
}

/// What went wrong with some of them, if anything did.
fn tell(context: &Context, tally: &Tally) {
    let Tally { moving, unreadable, left_out, .. } = *tally;
    for (count, what) in [
        (moving, "changed each time they were read: they are listed without a stack"),
        (unreadable, "could not be read"),
        (left_out, "are left out: there are too many"),
    ] {
        if count > 0 {
            context.tell(&format!("{count} goroutines {what}"));
        }
    }
}

/// What the runtime says of itself in one line, for a person; empty if nothing is known.
fn figures(figures: &Figures) -> String {
    let Figures { gomaxprocs, threads, uptime, gc_cycles, heap_in_use, heap_goal, memory_limit } = *figures;
    let all = [
        gomaxprocs.map(|count| format!("GOMAXPROCS {count}")),
        threads.map(|count| format!("threads {count}")),
        uptime.map(|time| format!("up {}", words::age(time))),
        gc_cycles.map(|count| format!("GC cycles {count}")),
        heap_in_use.map(|size| format!("heap in use {}", human_size(size))),
        heap_goal.map(|size| format!("goal {}", human_size(size))),
        memory_limit.map(|size| format!("limit {}", human_size(size))),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

//! `threads`: the threads of a process, whatever made it.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use serde::Serialize;

use super::core::milliseconds;
use super::process::{self, Chosen};
use super::table::{Align, Table, width};
use super::{Context, output};
use crate::cli;
use crate::debuggee;
use crate::entry::snapshot::{self, Terms};
use crate::exit::{Exit, Failure};
use crate::target::{ContainerPid, HostPid};
use crate::threads::{self, Thread, Threads};

/// How long they may be stopped at most.
const PAUSE: Duration = Duration::from_secs(1);

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    pid: ContainerPid,
    host_pid: Option<HostPid>,
    /// How long it was stopped, if it was.
    pause_ms: Option<f64>,
    threads: &'a [Thread],
}

/// Runs the command.
///
/// # Errors
/// If there is no such process, or its threads cannot be read, or stopped.
pub async fn run(context: &Context, args: &cli::Threads) -> Result<(), Failure> {
    if args.registers && context.global.read_only {
        let failure =
            Failure::new(Exit::Usage, "--registers stops the process for a moment, and --read-only forbids that");
        return Err(failure.try_this("without --registers it is not stopped"));
    }
    let (threads, host) = if args.registers {
        let chosen = process::choose(context, &args.target, args.pid).await?;
        (stopped(context, &chosen).await?, chosen.process.host)
    } else {
        let (target, entered) = context.enter(&args.target).await?;
        let (pid, _) = debuggee::choose(&entered.shim, &target, entered.init, args.pid).await?;
        let host = target.init().and_then(|init| crate::engine::process::host_pids(init).get(&pid).copied());
        (threads::running(&entered.shim, pid).await?, host)
    };
    let mut out = Vec::new();
    if context.global.json {
        let pause_ms = threads.stopped.map(milliseconds);
        let document = Document { pid: threads.pid, host_pid: host, pause_ms, threads: &threads.all };
        output::document(&mut out, &document)?;
    } else {
        out.extend_from_slice(table(&threads).text(width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    if let Some(time) = threads.stopped {
        context.tell(&format!("stopped for {:.2} ms", milliseconds(time)));
    } else if threads.all.iter().any(|thread| thread.spot.is_none()) {
        context.tell("where a thread is that runs: --registers, which stops it for about a millisecond");
    }
    Ok(())
}

/// Stops them, reads their registers, and lets them go.
async fn stopped(context: &Context, chosen: &Chosen) -> Result<Threads, Failure> {
    let memory = |error: std::io::Error| Failure::new(Exit::No, format!("no memory file can be made: {error}"));
    let core = memfd_create("scratchdbg-registers", MemfdFlags::CLOEXEC).map_err(|error| memory(error.into()))?;
    let out: OwnedFd = core.try_clone().map_err(memory)?;
    let (process, tracer) = (&chosen.process, &chosen.entered.tracer);
    let what = format!("stop {process} and read its registers");
    let step = context.journal.begin(Some(tracer.door()), &what, Some("it is let go at once, or at our end"));
    let weighed = |weight: &crate::corefile::Weight| {
        let pause = milliseconds(debuggee::expected_pause(weight));
        context.tell(&format!("{process}: {} threads stopped for about {pause:.1} ms", weight.threads));
    };
    let terms = Terms { most: 0, pause: PAUSE };
    let taken = snapshot::take(tracer, &chosen.target.name(), process, terms, out, weighed).await;
    step.end(&taken).undone();
    let core = threads::contents(core.into()).map_err(memory)?;
    let threads = threads::of_core(&chosen.entered.shim, process.pid, &core, taken?.thawed.stopped).await;
    threads.map_err(|error| Failure::new(Exit::No, format!("{}: {error}", chosen.target.name())))
}

fn table(threads: &Threads) -> Table {
    let mut table = Table::new(&[
        ("TID", Align::Right),
        ("NAME", Align::Left),
        ("STATE", Align::Left),
        ("CPU", Align::Right),
        ("CALL", Align::Left),
        ("PC", Align::Left),
        ("WHERE", Align::Left),
    ]);
    for Thread { about, spot, .. } in &threads.all {
        let nothing = || "-".to_owned();
        table.row([
            about.tid.to_string(),
            about.name.safe().into_string(),
            about.state.to_string(),
            format!("{:.2}s", about.cpu.as_secs_f64()),
            about.call.map_or_else(nothing, |call| call.word()),
            spot.as_ref().map_or_else(nothing, |spot| format!("{:#x}", spot.pc)),
            spot.as_ref().map_or_else(nothing, threads::Spot::words),
        ]);
    }
    table
}

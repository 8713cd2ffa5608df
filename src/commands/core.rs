//! `core`: a core file of a process that runs on.

use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::cp::{here, local};
use super::process::{self, Chosen};
use super::{Context, output};
use crate::cli::Core;
use crate::corefile::{self, Weight};
use crate::debuggee;
use crate::entry::snapshot::{self, Taken, Terms};
use crate::exit::{Exit, Failure};
use crate::golang;
use crate::inspect::files::human_size;
use crate::target::{ContainerPid, HostPid};
use crate::text::{self, Untrusted};

/// Longer than anybody means to stop a process.
const LONGEST: Duration = Duration::from_secs(3600);

/// The JSON document.
#[derive(Serialize)]
struct Document {
    pid: ContainerPid,
    host_pid: Option<HostPid>,
    go: Option<Untrusted>,
    #[serde(skip)]
    not_go: bool,
    threads: u64,
    writable_bytes: u64,
    constant_bytes: u64,
    expected_pause_ms: f64,
    #[serde(flatten)]
    done: Option<Done>,
}

/// The part of it that there is when something was done.
#[derive(Serialize)]
struct Done {
    file: String,
    size: u64,
    pause_ms: f64,
    left_out_bytes: u64,
    unreadable_bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// If there is no such process, it cannot be held, or the file not be written. It runs on in any case.
pub async fn run(context: &Context, args: &Core) -> Result<(), Failure> {
    if args.output.is_some() && context.global.read_only {
        return Err(debuggee::forbidden().try_this("core --dry-run says what there is to be taken"));
    }
    let chosen = process::choose(context, &args.target, args.pid).await?;
    let terms = terms(args.most, args.pause.min(LONGEST));
    let (weight, done) = if let Some(path) = &args.output {
        let (weight, done) = into_file(context, &chosen, terms, path).await?;
        (weight, Some(done))
    } else {
        let (tracer, name) = (&chosen.entered.tracer, chosen.target.name());
        let weight = snapshot::weigh(tracer, &name, &chosen.process, terms).await?;
        context.tell(&format!("would take {}", words(&chosen, &weight)));
        (weight, None)
    };
    let document = Document {
        pid: chosen.process.pid,
        host_pid: chosen.process.host,
        not_go: chosen.go.as_ref().is_err_and(golang::Error::is_no),
        go: chosen.go.ok().map(|info| info.go_version),
        threads: weight.threads,
        writable_bytes: weight.writable,
        constant_bytes: weight.constant,
        expected_pause_ms: milliseconds(debuggee::expected_pause(&weight)),
        done,
    };
    report(context, &document)
}

/// What is to be taken of a process; without `most`, as much as half of what memory this host has to spare.
pub fn terms(most: Option<u64>, pause: Duration) -> Terms {
    Terms { most: most.unwrap_or_else(corefile::half_of_what_is_free), pause }
}

/// Takes it into a file.
async fn into_file(context: &Context, chosen: &Chosen, terms: Terms, path: &Path) -> Result<(Weight, Done), Failure> {
    let shown = text::escape(path.as_os_str().as_bytes());
    let failed = |error: std::io::Error| here(&format!("cannot write {shown}"), &error);
    let (parent, name) = local::parent(path).map_err(failed)?;
    if rustix::fs::statat(&parent, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok() && !context.global.yes {
        return Err(Failure::new(Exit::No, format!("{shown} is there already")).try_this("--yes replaces it"));
    }
    let mut staged = local::Staged::new(parent.as_fd(), name).map_err(failed)?;
    let out: OwnedFd = staged.file().try_clone().map_err(failed)?.into();
    let Taken { weight, thawed, written } = take(context, chosen, terms, out).await?;
    // It has everything in it that the process had: keys, passwords, what its users sent.
    staged.keep(name, 0o600).map_err(failed)?;
    if written.left_out > 0 {
        let left_out = human_size(written.left_out);
        context.tell(&format!("left out: {left_out} for want of time (--pause) or room (--most)"));
    }
    let done = Done {
        file: path.display().to_string(),
        size: written.size,
        pause_ms: milliseconds(thawed.stopped),
        left_out_bytes: written.left_out,
        unreadable_bytes: written.unreadable,
    };
    Ok((weight, done))
}

/// Takes it into an open file, and tells what there is before anything is stopped.
///
/// # Errors
/// If it could not be taken: then the process runs on, too.
pub async fn take(context: &Context, chosen: &Chosen, terms: Terms, out: OwnedFd) -> Result<Taken, Failure> {
    let (process, tracer) = (&chosen.process, &chosen.entered.tracer);
    let what = format!("stop {process} and copy its memory");
    let step = context.journal.begin(Some(tracer.door()), &what, Some("it is let go at once, or at our end"));
    let weighed = |weight: &Weight| context.tell(&format!("taking {}", words(chosen, weight)));
    let taken = snapshot::take(tracer, &chosen.target.name(), process, terms, out, weighed).await;
    step.end(&taken).undone();
    Ok(taken?)
}

/// Rounded to microseconds, as the clock is read.
pub fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn words(chosen: &Chosen, weight: &Weight) -> String {
    format!(
        "{}: {} that it may write, {} that it may not; {} threads stopped for about {:.1} ms",
        chosen.process,
        human_size(weight.writable),
        human_size(weight.constant),
        weight.threads,
        milliseconds(debuggee::expected_pause(weight)),
    )
}

fn report(context: &Context, document: &Document) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        return output::document(&mut out, document);
    }
    let Some(done) = &document.done else { return Ok(()) };
    let file = text::escape(done.file.as_bytes());
    let line = format!("{file}: {}; stopped for {:.1} ms", human_size(done.size), done.pause_ms);
    writeln!(out, "{line}").map_err(|error| output::failure(&error))?;
    context.tell(if document.not_go {
        "it holds all that the process had in memory; not made by Go: open it with gdb or lldb"
    } else {
        "it holds all that the process had in memory; open it with: dlv core PROGRAM FILE"
    });
    Ok(())
}

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
use crate::corefile::{Order, Thawed, Told, Weight, Written};
use crate::door::Door;
use crate::entry::{self, snapshot};
use crate::exit::{Exit, Failure};
use crate::golang;
use crate::inspect::files::human_size;
use crate::target::{ContainerPid, HostPid, Target};
use crate::text::{self, Untrusted};

/// How long a pause is, beside the copying: stopping and letting go of the threads.
const STOPPING: Duration = Duration::from_millis(2);
/// How long copying takes, a mebibyte.
const COPYING: Duration = Duration::from_micros(300);
/// Longer than anybody means to stop a process.
const LONGEST: Duration = Duration::from_secs(3600);

/// The JSON document.
#[derive(Serialize)]
struct Document {
    pid: ContainerPid,
    host_pid: HostPid,
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
        let message = "a core stops the process for a moment, and --read-only forbids that";
        return Err(Failure::new(Exit::Usage, message).try_this("core --dry-run says what there is to be taken"));
    }
    let Chosen { target, pid, host, start_ticks, go, .. } =
        process::choose(context, &args.target, args.pid, "take a core of").await?;
    let most = args.most.unwrap_or_else(half_of_what_is_free);
    let order = Order { pid: host, start_ticks, most, pause: args.pause.min(LONGEST) };

    let (weight, done) = match &args.output {
        Some(path) => take(context, &target, pid, order, path).await?,
        None => (follow(context, &target, pid, order, None).await?.0, None),
    };
    let document = Document {
        pid,
        host_pid: host,
        not_go: matches!(go, Err(golang::Error::NotGo | golang::Error::NotElf)),
        go: go.ok().map(|info| info.go_version),
        threads: weight.threads,
        writable_bytes: weight.writable,
        constant_bytes: weight.constant,
        expected_pause_ms: milliseconds(expected(&weight)),
        done,
    };
    report(context, &document)
}

/// Takes it into a file.
async fn take(
    context: &Context,
    target: &Target,
    pid: ContainerPid,
    order: Order,
    path: &Path,
) -> Result<(Weight, Option<Done>), Failure> {
    let shown = text::escape(path.as_os_str().as_bytes());
    let failed = |error: std::io::Error| here(&format!("cannot write {shown}"), &error);
    let (parent, name) = local::parent(path).map_err(failed)?;
    if rustix::fs::statat(&parent, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok() && !context.global.yes {
        return Err(Failure::new(Exit::No, format!("{shown} is there already")).try_this("--yes replaces it"));
    }
    let mut staged = local::Staged::new(parent.as_fd(), name).map_err(failed)?;
    let out: OwnedFd = staged.file().try_clone().map_err(failed)?.into();

    let what = format!("stop process {} and copy its memory", order.pid);
    let step = context.journal.begin(Some(Door::Local), &what, Some("it is let go at once, or at our end"));
    let result = follow(context, target, pid, order, Some(out)).await;
    step.end(&result.as_ref().map_err(|failure| &failure.message)).undone();
    let (weight, taken) = result?;
    let (thawed, written) = taken.ok_or_else(|| lost(target))?;
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
    Ok((weight, Some(done)))
}

/// Has it taken into `out`, or only weighed, and tells what there is before anything is stopped.
async fn follow(
    context: &Context,
    target: &Target,
    pid: ContainerPid,
    order: Order,
    out: Option<OwnedFd>,
) -> Result<(Weight, Option<(Thawed, Written)>), Failure> {
    let only_weighed = out.is_none();
    let snapshot = snapshot::begin(context.broker(), &target.name(), order, out).await?;
    let (mut weighed, mut thawed) = (None, None);
    loop {
        match (snapshot.next().await, weighed, thawed) {
            (Ok(Told::Weighed(weight)), ..) => {
                let verb = if only_weighed { "would take" } else { "taking" };
                context.tell(&format!("{verb} {}", words(pid, &order, &weight)));
                if only_weighed {
                    return Ok((weight, None));
                }
                weighed = Some(weight);
            }
            (Ok(Told::Thawed(how)), ..) => thawed = Some(how),
            (Ok(Told::Written(written)), Some(weight), Some(thawed)) => return Ok((weight, Some((thawed, written)))),
            (Ok(Told::Failed(error)), ..) => return Err(Failure::from(error).on(target.name())),
            (Ok(Told::Written(_)), ..) => return Err(lost(target)),
            // Its own alarm has ended it, or somebody else has: the process goes on.
            (Err(entry::Error::BrokerEnded { .. }), _, None) => {
                let message = format!("{}: the core was given up, and the process goes on", target.name());
                return Err(Failure::new(Exit::No, message).try_this("try again; a longer --pause may be needed"));
            }
            (Err(error), ..) => return Err(error.into()),
        }
    }
}

fn lost(target: &Target) -> Failure {
    Failure::new(Exit::No, format!("{}: the core was not taken in the right order", target.name()))
}

/// How long the process will probably be stopped.
fn expected(weight: &Weight) -> Duration {
    STOPPING + COPYING.mul_f64(mebibytes(weight.writable))
}

#[allow(clippy::cast_precision_loss, reason = "for a person")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Rounded to microseconds, as the clock is read.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn words(pid: ContainerPid, order: &Order, weight: &Weight) -> String {
    format!(
        "process {pid} ({} on this host): {} that it may write, {} that it may not; {} threads stopped for about {:.1} ms",
        order.pid,
        human_size(weight.writable),
        human_size(weight.constant),
        weight.threads,
        milliseconds(expected(weight)),
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
    context.tell(match document.not_go {
        false => "it holds all that the process had in memory; open it with: dlv core PROGRAM FILE",
        true => "it holds all that the process had in memory; not made by Go: open it with gdb or lldb",
    });
    Ok(())
}

/// Half of the memory that this host has to spare (proc_meminfo(5)); 1 GiB where it does not tell.
fn half_of_what_is_free() -> u64 {
    let available = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    };
    available().map_or(1 << 30, |kibibytes| kibibytes.saturating_mul(1 << 10) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_expected_by_what_there_is_to_copy() {
        let weight = |mebibytes: u64| Weight { writable: mebibytes << 20, constant: 1 << 30, threads: 9 };
        assert!(expected(&weight(1)) < Duration::from_millis(5));
        assert!(expected(&weight(1000)) > expected(&weight(100)) * 5);
        assert!(half_of_what_is_free() > 1 << 20);
    }
}

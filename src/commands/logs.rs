//! `logs`: a container's log, as fast as the engine gives it.

mod fleet;
mod shown;
mod sink;

use std::io::{self, IsTerminal as _};
use std::time::{Duration, SystemTime};

use futures_util::{FutureExt as _, StreamExt as _};
use rustix::event::{PollFd, PollFlags, Timespec};

use self::shown::{Shown, Wanted};
use self::sink::{Form, Sink};
use super::{Context, output};
use crate::cli;
use crate::engine::Owner;
use crate::engine::logs::LogOptions;
use crate::exit::{Exit, Failure};
use crate::logs::filter::Filter;
use crate::logs::lines::Lines;
use crate::logs::time;
use crate::target::{Target, TargetName};

/// The longest line that is written whole where lines are looked at, in bytes. Nothing is cut where bytes pass through.
const LONGEST: usize = 1 << 20;
/// How often a follower that has nothing to write looks whether anybody still reads.
const LOOK_AROUND: Duration = Duration::from_millis(500);

/// Runs the command.
///
/// # Errors
/// If there is no such container, its log is not kept, or the engine goes away.
pub async fn run(context: &Context, args: &cli::Logs) -> Result<(), Failure> {
    let Some(name) = &args.target else { return fleet::run(context, args).await };
    let wanted = Wanted::new(args)?;
    let json = context.global.json;
    let options = LogOptions { timestamps: args.timestamps || json, ..options(args)? };
    let (target, owner) = find(context, name).await?;
    let tty = target.container().is_some_and(|container| container.tty);
    if matches!(target, Target::Pod(_)) {
        of_pods(args)?;
    }
    warn(context, &wanted);
    let forms = forms(context, if wanted.everything() { Form::Raw } else { Form::Text });
    let mut sink = Sink::new(forms);
    let eager = options.follow || forms.iter().any(|form| matches!(form, Form::Terminal { .. }));

    let mut log = owner.logs(&target, &options, args.previous).await?;
    let mut lines = Lines::new(options.timestamps, tty, LONGEST);
    let mut shown = Shown::new(&wanted, args.timestamps, None);
    let mut cut = 0_u64;
    loop {
        let next = if let Some(next) = log.next().now_or_never() {
            next
        } else {
            if eager {
                sink.flush().map_err(|error| output::failure(&error))?;
            }
            wait(&mut log, options.follow).await?
        };
        let Some(piece) = next else { break };
        // What came before an error is written before the error is told.
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                lines.finish(&mut |line| shown.line(&mut sink, line, &mut cut));
                sink.flush().map_err(|error| output::failure(&error))?;
                return Err(error);
            }
        };
        if sink.form(piece.output) == Form::Raw {
            sink.bytes(piece.output, &piece.bytes);
        } else {
            lines.feed(&piece, &mut |line| shown.line(&mut sink, line, &mut cut));
        }
        sink.check().map_err(|error| output::failure(&error))?;
    }
    lines.finish(&mut |line| shown.line(&mut sink, line, &mut cut));
    sink.flush().map_err(|error| output::failure(&error))?;
    tell_of_cut(context, cut);
    Ok(())
}

/// How both outputs are written: `plain` to what is no terminal.
fn forms(context: &Context, plain: Form) -> [Form; 2] {
    let form = |terminal| match (context.global.json, terminal) {
        (true, _) => Form::Json,
        (false, true) => Form::Terminal { colour: context.color() },
        (false, false) => plain,
    };
    [form(io::stdout().is_terminal()), form(io::stderr().is_terminal())]
}

/// What a filter is taken for that cannot be read as one.
fn warn(context: &Context, wanted: &Wanted) {
    if let Some(warning) = wanted.filter.as_ref().and_then(Filter::warning) {
        context.tell(warning);
    }
}

fn tell_of_cut(context: &Context, cut: u64) {
    if cut > 0 && !context.global.json {
        context.tell(&format!("{cut} lines were longer than {LONGEST} bytes and were cut"));
    }
}

/// Waits for more. A follower whose reader has gone (`| head`) ends even if the container has nothing more to say.
async fn wait<S>(log: &mut S, follow: bool) -> Result<Option<S::Item>, Failure>
where
    S: futures_util::Stream + Unpin,
{
    if !follow {
        return Ok(log.next().await);
    }
    loop {
        if let Ok(next) = tokio::time::timeout(LOOK_AROUND, log.next()).await {
            return Ok(next);
        }
        somebody_reads()?;
    }
}

/// Fails as a write would if nobody reads standard output any more.
fn somebody_reads() -> Result<(), Failure> {
    let stdout = io::stdout();
    // No event is asked for: an error of the pipe is always told.
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
        && fds[0].revents().contains(PollFlags::ERR)
    {
        return Err(output::failure(&io::ErrorKind::BrokenPipe.into()));
    }
    Ok(())
}

async fn find(context: &Context, name: &TargetName) -> Result<(Target, Owner), Failure> {
    let target = context.find(name).await?;
    if let Some(owner) = context.owner(&target).await? {
        return Ok((target, owner));
    }
    let usage = |what: &str, hint: String| Err(Failure::new(Exit::Usage, what).try_this(hint));
    match &target {
        Target::Node(node) => usage(
            "the log of a pod's container is kept by its node's kubelet",
            format!("kubectl logs -n {} {} -c {}", node.listed.namespace, node.listed.pod, node.listed.name),
        ),
        target => usage(
            "an engine keeps the log of a container, not of a plain process",
            format!("see where its output goes with `scratchdbg proc {}` (descriptors 1 and 2)", target.name()),
        ),
    }
}

/// What a cluster cannot do.
///
/// # Errors
/// If that is asked for.
fn of_pods(args: &cli::Logs) -> Result<(), Failure> {
    let no = |what: &str, hint: &str| Err(Failure::new(Exit::Usage, what).try_this(hint));
    if args.stdout || args.stderr {
        return no("a cluster does not tell a container's two outputs apart", "leave out --stdout and --stderr");
    }
    if args.until.is_some() {
        return no("a cluster gives a log from some time on, and always to its end", "leave out --until");
    }
    Ok(())
}

fn options(args: &cli::Logs) -> Result<LogOptions, Failure> {
    let now = SystemTime::now();
    let moment = |name: &str, text: &Option<String>| {
        let read = |text: &String| time::typed(text, now).map_err(|why| Failure::new(Exit::Usage, why).on(name));
        text.as_ref().map(read).transpose()
    };
    Ok(LogOptions {
        follow: args.follow,
        since: moment("--since", &args.since)?,
        until: moment("--until", &args.until)?,
        tail: args.tail,
        timestamps: args.timestamps,
        stdout: !args.stderr,
        stderr: !args.stdout,
    })
}

//! `logs`: a container's log, as fast as the engine gives it.

mod sink;

use std::io::{self, IsTerminal as _};
use std::time::{Duration, SystemTime};

use futures_util::{FutureExt as _, StreamExt as _};
use rustix::event::{PollFd, PollFlags, Timespec};

use self::sink::{Form, Sink};
use super::{Context, output};
use crate::cli;
use crate::engine::Owner;
use crate::engine::logs::{LogOptions, Output};
use crate::exit::{Exit, Failure};
use crate::logs::filter::Filter;
use crate::logs::level::Level;
use crate::logs::lines::Lines;
use crate::logs::{LineRef, time};
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
    let wanted = Wanted::new(args)?;
    let json = context.global.json;
    let options = LogOptions { timestamps: args.timestamps || json, ..options(args)? };
    let (target, owner) = find(context, &args.target).await?;
    let tty = target.container().is_some_and(|container| container.tty);
    if matches!(target, Target::Pod(_)) {
        of_pods(args)?;
    }
    if let Some(warning) = wanted.filter.as_ref().and_then(Filter::warning).filter(|_| !context.global.quiet) {
        eprintln!("{}", crate::text::Untrusted::from(warning).safe());
    }
    let form = |terminal| match (json, terminal) {
        (true, _) => Form::Json,
        (false, true) => Form::Terminal { colour: context.color() },
        (false, false) if wanted.everything() => Form::Raw,
        (false, false) => Form::Text,
    };
    let forms = [form(io::stdout().is_terminal()), if json { Form::Json } else { form(io::stderr().is_terminal()) }];
    let mut sink = Sink::new(forms);
    let eager = options.follow || forms.iter().any(|form| matches!(form, Form::Terminal { .. }));

    let mut log = owner.logs(&target, &options, args.previous).await?;
    let mut lines = Lines::new(options.timestamps, tty, LONGEST);
    let mut shown = Shown { wanted, times: args.timestamps, last: [None; 2] };
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
    if cut > 0 && !json && !context.global.quiet {
        eprintln!("{cut} lines were longer than {LONGEST} bytes and were cut");
    }
    Ok(())
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
        let stdout = io::stdout();
        // No event is asked for: an error of the pipe is always told.
        let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
            && fds[0].revents().contains(PollFlags::ERR)
        {
            return Err(output::failure(&io::ErrorKind::BrokenPipe.into()));
        }
    }
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

/// Which lines are wanted.
struct Wanted {
    filter: Option<Filter>,
    level: Option<Level>,
}

impl Wanted {
    fn new(args: &cli::Logs) -> Result<Self, Failure> {
        let level = args.level.as_deref().map(str::parse).transpose();
        Ok(Self {
            filter: args.grep.as_deref().and_then(Filter::new),
            level: level.map_err(|why: String| Failure::new(Exit::Usage, why).on("--level"))?,
        })
    }

    fn everything(&self) -> bool {
        self.filter.is_none() && self.level.is_none()
    }
}

/// What has been shown, as far as it decides what is shown next.
struct Shown {
    wanted: Wanted,
    times: bool,
    /// The level of the last line of each output that told one.
    last: [Option<Level>; 2],
}

impl Shown {
    fn line(&mut self, sink: &mut Sink, line: LineRef<'_>, cut: &mut u64) {
        let needs_level = self.wanted.level.is_some() || sink.form(line.output) == Form::Json;
        let own = if needs_level { Level::detect(line.text) } else { None };
        if let Some(least) = self.wanted.level {
            // A line that tells no level (a stack trace, say) counts with the line before it.
            let last = &mut self.last[line.output as usize];
            *last = own.or(*last);
            if last.is_none_or(|level| level < least) {
                return;
            }
        }
        if self.wanted.filter.as_ref().is_some_and(|filter| !filter.accepts(line.text)) {
            return;
        }
        *cut += u64::from(line.cut);
        sink.line(line, own, self.times);
    }
}

const _: () = assert!(Output::Stdout as usize == 0 && Output::Stderr as usize == 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(level: Option<Level>, grep: Option<&str>, lines: &[(Output, &str)]) -> String {
        let mut sink = Sink::apart(Form::Text);
        let wanted = Wanted { filter: grep.and_then(Filter::new), level };
        let mut shown = Shown { wanted, times: false, last: [None; 2] };
        for (output, text) in lines {
            let line = LineRef { output: *output, time: None, text: text.as_bytes(), cut: false, length: 0 };
            shown.line(&mut sink, line, &mut 0);
        }
        sink.text()
    }

    #[test]
    fn a_trace_goes_with_the_line_before_it() {
        use Output::{Stderr, Stdout};
        let lines = [
            (Stdout, "before any level"),
            (Stdout, "level=info msg=fine"),
            (Stderr, "panic: oh no"),
            (Stdout, "still fine"),
            (Stderr, "goroutine 1 [running]:"),
            (Stdout, "level=error msg=bad"),
            (Stdout, "  at main.go:7"),
        ];
        let errors = "level=error msg=bad\n  at main.go:7\npanic: oh no\ngoroutine 1 [running]:\n";
        assert_eq!(shown(Some(Level::Error), None, &lines), errors);
        assert_eq!(shown(Some(Level::Error), Some("!main"), &lines), errors.replace("  at main.go:7\n", ""));
        assert_eq!(shown(None, Some("FINE"), &lines), "");
        assert_eq!(shown(None, Some("fine"), &lines), "level=info msg=fine\nstill fine\n");
    }
}

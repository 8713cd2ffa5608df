//! What can be typed about programs, most of them Go's.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Fleet, pid};
use crate::goroutines::filter::Label;
use crate::target::{ContainerPid, TargetName};

/// `go`
#[derive(Debug, Args)]
pub struct Go {
    /// Container, `pid://N`, or `image://REF` for an image that does not run.
    pub target: TargetName,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// Which program a copy of a pod (--copy) would run, where neither the pod nor its files tell.
    #[arg(long, value_name = "PATH", conflicts_with = "pid")]
    pub program: Option<String>,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// Container, `pid://N`, or `image://REF` for an image that does not run: of the engine, or a file of `docker save`, or an
    /// OCI layout, by a path.
    #[arg(required_unless_present = "selector")]
    pub target: Option<TargetName>,
    /// Or many pods.
    #[command(flatten)]
    pub fleet: Fleet,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// Which program a copy of a pod (--copy) would run, where neither the pod nor its files tell.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["pid", "selector"])]
    pub program: Option<String>,
    /// From which findings on it ends with status 1.
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    pub fail_on: FailOn,
}

/// From which findings on `check` ends with status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Warnings and failures.
    Warning,
    /// Failures.
    #[default]
    Failure,
    /// None.
    Never,
}

/// `goroutines`
#[derive(Debug, Args)]
pub struct Goroutines {
    /// Container, or `pid://N`.
    #[arg(required_unless_present = "selector")]
    pub target: Option<TargetName>,
    /// Or many pods.
    #[command(flatten)]
    pub fleet: Fleet,
    /// Which process, as numbered inside; otherwise the first, or the only one that Go made.
    #[arg(long, value_name = "N", value_parser = pid)]
    pub pid: Option<ContainerPid>,
    /// How to write them: grouped by stack; one by one, as a Go program does that panics; or as input for flame graphs.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub format: GoroutineFormat,
    /// Only those that do or wait for this: `chan receive`, `select`, `running`; may be given again for others.
    #[arg(long, value_name = "WORDS")]
    pub state: Vec<String>,
    /// Only those with this in the name of a function they are in, or that started them; may be given again.
    #[arg(long, value_name = "NAME")]
    pub function: Vec<String>,
    /// Only those with this label of runtime/pprof; may be given again.
    #[arg(long, value_name = "KEY[=VALUE]")]
    pub label: Vec<Label>,
    /// At most so many groups, or goroutines where they are written one by one.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The runtime's own goroutines and calls, too.
    #[arg(long)]
    pub runtime: bool,
    /// Read them again and again, and tell which groups grow and shrink.
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", require_equals = true,
          value_parser = interval, conflicts_with_all = ["format", "selector"])]
    pub watch: Option<Duration>,
    /// Watch for so many readings; without it until interrupted.
    #[arg(long, value_name = "N", requires = "watch")]
    pub samples: Option<u64>,
}

/// How goroutines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum GoroutineFormat {
    /// Those with the same stack together, the most first.
    #[default]
    Grouped,
    /// One by one, as a Go program writes them when it panics.
    Panic,
    /// A stack and a number a line, as tools for flame graphs read it.
    Folded,
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_millis(100) { Err("at least 100ms".to_owned()) } else { Ok(time) }
}

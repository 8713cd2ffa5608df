//! What can be typed: the clap definitions, and nothing else.

mod cluster;
mod debug;
mod fleet;
mod forward;
mod golang;

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::cluster::{Debugger, Image, Kube, KubeCommand, Listed, Toolkit};
pub use self::debug::{Core, Dlv, Threads};
pub use self::fleet::Fleet;
pub use self::forward::Forward;
pub use self::golang::{Check, FailOn, Go, GoroutineFormat, Goroutines};
use crate::entry::{Access, Identity, Via};
use crate::target::{ContainerPid, TargetName, TargetPath};

/// See inside a running container that has no shell.
#[derive(Debug, Parser)]
#[command(name = "scratchdbg", version, max_term_width = 100)]
#[command(after_help = "With no command, opens the screen: `scratchdbg myapp` is `scratchdbg attach myapp`.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Container to open; a picker without one.
    pub target: Option<TargetName>,
    /// Options every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// Options every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print JSON: one document, or one object a line for streams.
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// The door to go in by: from this host as root, or through a container beside the target.
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    pub via: Via,
    /// Whose eyes: the target's own user, root (sees every file), or `UID[:GID]`.
    #[arg(long = "as", global = true, value_name = "WHO", default_value = "target", help_heading = "Global options")]
    pub identity: Identity,
    /// The engine to ask, as in DOCKER_HOST.
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub host: Option<String>,
    /// The socket of the node's container runtime, for cri:// targets, as in CONTAINER_RUNTIME_ENDPOINT.
    #[arg(long, global = true, value_name = "PATH", help_heading = "Global options")]
    pub cri_socket: Option<String>,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Global options")]
    pub color: Color,
    /// Tell each step that takes rights or changes anything; twice for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Say nothing but the answer and errors.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Refuse everything that changes anything.
    #[arg(long, global = true, help_heading = "Global options")]
    pub read_only: bool,
    /// Answer yes to questions, and trust the target where that is asked for.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Of pods.
    #[command(flatten)]
    pub kube: Kube,
}

impl Cli {
    /// What to do: the command, or opening the target that was named without one.
    ///
    /// # Errors
    /// A target before a command, which clap could only forbid together with options before it.
    pub fn wanted(self) -> Result<(Command, Global), TargetName> {
        match (self.command, self.target) {
            (Some(_), Some(target)) => Err(target),
            (Some(command), None) => Ok((command, self.global)),
            (None, target) => Ok((Command::Attach { target, dry_run: false, pods: Listed::default() }, self.global)),
        }
    }
}

impl Command {
    /// Whether it asks the container runtime of a Kubernetes node.
    #[must_use]
    pub fn is_on_node(&self) -> bool {
        let is = |target: &TargetName| matches!(target, TargetName::Node(_));
        match self {
            Self::List(list) => list.cri,
            Self::Proc { target, .. }
            | Self::Net { target }
            | Self::Threads(Threads { target, .. })
            | Self::Go(Go { target, .. })
            | Self::Core(Core { target, .. })
            | Self::Dlv(Dlv { target, .. })
            | Self::Forward(Forward { target, .. }) => is(target),
            Self::Attach { target, .. }
            | Self::Ps(Ps { target, .. })
            | Self::Check(Check { target, .. })
            | Self::Goroutines(Goroutines { target, .. })
            | Self::Logs(Logs { target, .. }) => target.as_ref().is_some_and(is),
            Self::Ls(ls) => is(&ls.place.target),
            Self::Cat(cat) => is(&cat.place.target),
            Self::Cp(Cp { source, destination, .. }) => {
                [source, destination].iter().any(|end| end.as_encoded_bytes().starts_with(b"cri://"))
            }
            Self::Doctor
            | Self::Clean
            | Self::Config
            | Self::Image(_)
            | Self::Kube(_)
            | Self::Undertaker { .. }
            | Self::Beside
            | Self::Completions { .. }
            | Self::Man
            | Self::Keys => false,
        }
    }
}

impl Global {
    /// How to enter a target, without the right to write.
    #[must_use]
    pub fn access(&self) -> Access {
        Access { via: self.via, identity: self.identity, trusting: self.yes, ..Access::default() }
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the screen on a container; or a picker: of the engine's containers, or, with -n, --context, --kubeconfig, -l or -A, of
    /// pods.
    Attach {
        /// Container, or `pid://N`.
        target: Option<TargetName>,
        /// Say how it would be entered, and do nothing.
        #[arg(long, requires = "target")]
        dry_run: bool,
        /// Which pods are listed.
        #[command(flatten)]
        pods: Listed,
    },
    /// List containers.
    #[command(visible_alias = "list-containers")]
    List(List),
    /// Show the processes.
    Ps(Ps),
    /// Show one process in full.
    Proc {
        /// Container, or `pid://N`.
        target: TargetName,
        /// Process id inside; the first process without one.
        #[arg(value_parser = pid)]
        pid: Option<ContainerPid>,
    },
    /// Show the threads of a process, whatever made it: what each waits for, and where it is.
    Threads(Threads),
    /// Show sockets with their owners, interfaces, routes and the resolver.
    Net {
        /// Container, or `pid://N`.
        target: TargetName,
    },
    /// Make ports of this host lead to ports inside, what listens on the loopback alone included.
    Forward(Forward),
    /// List files.
    Ls(Ls),
    /// Print a file.
    Cat(Cat),
    /// Copy files out, or in with --write.
    Cp(Cp),
    /// Show what a Go program says of itself: version, modules, how it was built.
    Go(Go),
    /// Tell why a program fails in an image that has little else in it, each finding with its fix.
    Check(Check),
    /// Show all goroutines of a Go program with their stacks, while it runs on.
    Goroutines(Goroutines),
    /// Take a core file of a running process, which is stopped for milliseconds. Opens in dlv.
    Core(Core),
    /// Debug a live process with Delve, under a guard that sees to it that the process goes on.
    Dlv(Dlv),
    /// Show the log.
    Logs(Logs),
    /// Tell whether this host can do all that, and how to fix what it cannot.
    Doctor,
    /// Remove whatever scratchdbg left on an engine.
    Clean,
    /// Print what is settled for all commands, where, and by whom.
    Config,
    /// Make the image that a cluster needs, in which pods are debugged.
    #[command(subcommand)]
    Image(Image),
    /// Waits for the end of who started it, and takes away what that left half made. Nobody types it.
    #[command(hide = true)]
    Undertaker {
        /// What the names begin with.
        maker: String,
    },
    /// Takes a core or debugs beside a target, in a sidecar, as it is told there. Nobody types it.
    #[command(hide = true)]
    Beside,
    /// What a cluster's administrator is asked for.
    #[command(subcommand)]
    Kube(KubeCommand),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
    /// Print the keys of the screen.
    Keys,
}

/// `list`
#[derive(Debug, Args)]
pub struct List {
    /// Only those that run.
    #[arg(long)]
    pub running: bool,
    /// Those of the Kubernetes node that this host is, which take no engine: as its container runtime knows them.
    #[arg(long)]
    pub cri: bool,
    /// The containers of pods of a cluster, not those of an engine.
    #[arg(long)]
    pub pods: bool,
    /// Pods of all namespaces.
    #[arg(short = 'A', long, requires = "pods")]
    pub all_namespaces: bool,
    /// Only pods with these labels, as kubectl takes them: app=web,tier!=cache.
    #[arg(short = 'l', long, requires = "pods", value_name = "LABELS")]
    pub selector: Option<String>,
}

/// `ps`
#[derive(Debug, Args)]
pub struct Ps {
    /// Container, or `pid://N`.
    #[arg(required_unless_present = "selector")]
    pub target: Option<TargetName>,
    /// Or many pods.
    #[command(flatten)]
    pub fleet: Fleet,
}

/// `ls`
#[derive(Debug, Args)]
pub struct Ls {
    /// TARGET:PATH
    #[arg(value_name = "TARGET:PATH", value_parser = target_path())]
    pub place: TargetPath,
    /// Long listing: what is printed anyway. For fingers that know `ls`.
    #[arg(short, long, hide = true)]
    pub long: bool,
    /// Names that start with a dot too: they are listed anyway.
    #[arg(short, long, hide = true)]
    pub all: bool,
    /// Names only, one a line.
    #[arg(short = '1', long)]
    pub names: bool,
    /// Leave out names that start with a dot.
    #[arg(long)]
    pub no_dotfiles: bool,
    /// The directory itself, not what is in it.
    #[arg(short, long)]
    pub directory: bool,
    /// What to sort by.
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,
    /// Sort the other way round.
    #[arg(short, long)]
    pub reverse: bool,
}

/// What `ls` sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Sort {
    /// Bytes of the name.
    #[default]
    Name,
    /// Size, largest first.
    Size,
    /// Last change, newest first.
    Time,
}

/// `cat`
#[derive(Debug, Args)]
pub struct Cat {
    /// TARGET:PATH
    #[arg(value_name = "TARGET:PATH", value_parser = target_path())]
    pub place: TargetPath,
    /// First byte to print.
    #[arg(long, default_value_t = 0)]
    pub offset: u64,
    /// How many bytes at most.
    #[arg(long)]
    pub bytes: Option<u64>,
}

/// `cp`
#[derive(Debug, Args)]
pub struct Cp {
    /// TARGET:PATH, or a local path with --write.
    pub source: OsString,
    /// A local path (`-` for standard output), or TARGET:PATH with --write.
    pub destination: OsString,
    /// Allow writing into the target.
    #[arg(long)]
    pub write: bool,
}

/// `logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Container.
    #[arg(required_unless_present = "selector")]
    pub target: Option<TargetName>,
    /// Or many pods.
    #[command(flatten)]
    pub fleet: Fleet,
    /// Go on as lines come.
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines since then: 5m, 1h30m, RFC 3339 or seconds since the epoch.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only lines until then.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only the last so many lines.
    #[arg(long, value_name = "N")]
    pub tail: Option<u64>,
    /// Only lines that match; !RE for those that do not.
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
    /// Only lines of this level or above: trace, debug, info, warn, error, fatal.
    #[arg(long)]
    pub level: Option<String>,
    /// Put the time before each line.
    #[arg(short, long)]
    pub timestamps: bool,
    /// Only standard output.
    #[arg(long, conflicts_with = "stderr")]
    pub stdout: bool,
    /// Only standard error.
    #[arg(long)]
    pub stderr: bool,
    /// The log of the run before this one. Of pods.
    #[arg(short, long)]
    pub previous: bool,
}

fn target_path() -> impl TypedValueParser<Value = TargetPath> {
    OsStringValueParser::new().try_map(|text| TargetPath::typed(&text))
}

fn pid(text: &str) -> Result<ContainerPid, String> {
    match text.parse() {
        Ok(pid) if pid > 0 => Ok(ContainerPid(pid)),
        _ => Err("a process id is a number above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_a_command() {
        let cli = Cli::try_parse_from(["scratchdbg", "--json", "list"]).unwrap();
        assert!(cli.global.json && cli.target.is_none() && matches!(cli.command, Some(Command::List(_))));
    }

    #[test]
    fn a_bare_name_is_a_target() {
        let cli = Cli::try_parse_from(["scratchdbg", "myapp"]).unwrap();
        assert_eq!(cli.target, Some(TargetName::Container("myapp".into())));
        assert!(cli.command.is_none());
    }

    #[test]
    fn one_target_or_the_labels_of_many() {
        let parsed = |line: &str| Cli::try_parse_from(line.split(' '));
        for name in ["ps", "check", "goroutines", "logs"] {
            assert!(parsed(&format!("scratchdbg {name} -l app=web -A --at-once 3")).is_ok(), "{name}");
            for wrong in ["", " web -l app=web", " web -A", " web --at-once 3", " -l app=web --at-once 0"] {
                let error = parsed(&format!("scratchdbg {name}{wrong}")).unwrap_err();
                assert!(error.use_stderr(), "{name}{wrong}: {error}");
            }
        }
        assert!(parsed("scratchdbg goroutines web --watch").is_ok());
        assert!(parsed("scratchdbg goroutines -l app=web --watch").is_err());
        let Command::Goroutines(Goroutines { target: None, fleet, .. }) =
            parsed("scratchdbg goroutines -l app=web").unwrap().wanted().unwrap().0
        else {
            panic!("a target")
        };
        assert_eq!((fleet.selector.as_deref(), fleet.at_once), (Some("app=web"), 8));
    }

    #[test]
    fn options_stand_anywhere_and_a_target_behind_its_command() {
        let parsed = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap().wanted();
        for line in ["scratchdbg --json ps myapp", "scratchdbg ps --json myapp", "scratchdbg ps myapp --json"] {
            let (command, global) = parsed(line).unwrap();
            assert!(matches!(command, Command::Ps(_)) && global.json, "{line}");
        }
        assert_eq!(parsed("scratchdbg myapp ps other").unwrap_err(), TargetName::Container("myapp".into()));
    }
}

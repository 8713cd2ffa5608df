//! The subcommands, one file each, and what they share.

mod attach;
mod cat;
mod check;
mod clean;
mod config;
mod copy;
mod core;
mod cp;
mod dlv;
mod doctor;
mod dry_run;
mod fleet;
mod forward;
mod generated;
mod go;
mod goroutines;
pub mod image;
mod kube;
mod list;
mod logs;
mod ls;
mod net;
pub mod output;
pub mod plugin;
mod proc;
mod process;
mod ps;
mod question;
mod signals;
pub mod table;
mod threads;
mod toolkit;
pub mod words;

use std::cell::OnceCell;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::activity::Journal;
use crate::cli::{self, Cli, Color, Command, Global};
use crate::door::Door;
use crate::engine::Owner;
use crate::engine::cri::{self, Cri};
use crate::engine::docker::Docker;
use crate::engine::docker::sidecar::{self, undertaker};
use crate::engine::kube::Cluster;
use crate::entry::{self, Access, Broker, Entered, NoBroker, Reach};
use crate::exit::{Exit, Failure};
use crate::invoker::Invoker;
use crate::settings::Settings;
use crate::sys;
use crate::target::{NotRunning, PodKind, Target, TargetName};
use crate::text::Untrusted;

/// Does what was typed.
///
/// # Errors
/// Whatever a person should be told, with the status to end with.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let (command, global) = cli.wanted().map_err(|target| {
        Failure::new(Exit::Usage, format!("{target} stands before the command"))
            .try_this("the target comes after it: scratchdbg ps TARGET")
    })?;
    copy::suits(&command, &global)?;
    // What is debugged from a sidecar is told to it there. It has one thread, no engine and no broker.
    if matches!(command, Command::Beside) {
        return entry::beside::inside::run();
    }
    // The screen has standard error's terminal for itself.
    if !matches!(command, Command::Attach { .. }) {
        trace(global.verbose, global.color);
    }
    // Forked before the first thread; see `entry/broker.rs`.
    let broker = enters(&command).then(Broker::start);
    undertaker::appoint(global.host.clone());
    let mut context = Context::new(global, broker);
    match &command {
        Command::Completions { shell } => return generated::completions(*shell),
        Command::Man => return generated::man(),
        Command::Keys => return generated::keys(),
        Command::Undertaker { maker } => return bury(&context, maker),
        // It asks the kernel what root may, and no container.
        Command::Doctor => {}
        _ => context.give_root_back(command.is_on_node()),
    }
    // Theirs, now that it is theirs alone that can be read.
    context.global.kube.settings = Settings::read()?;
    match command {
        Command::Attach { target: Some(target), dry_run: true, .. } => {
            runtime(false)?.block_on(dry_run::run(&context, &target))
        }
        Command::Attach { target, pods, .. } => {
            let runtime = runtime(true)?;
            let result = runtime.block_on(async {
                let result = attach::run(&context, target, pods).await;
                entry::settle().await;
                result
            });
            // A task that waits for a file or an engine must not hold up the end.
            runtime.shutdown_background();
            // Such a task may hold the broker still.
            if let Ok(broker) = context.broker() {
                broker.end();
            }
            result
        }
        command => {
            // It waits for signals itself, and they are no failure of it.
            if !matches!(command, Command::Forward(_)) {
                sidecar::signals::finish_before_ending();
            }
            runtime(false)?.block_on(async {
                let result = match dispatch(&context, &command).await {
                    Err(failure) => Err(context.explained(failure).await),
                    done => done,
                };
                entry::settle().await;
                result
            })
        }
    }
}

/// Waits for whoever started this one. If it was killed, takes away what it left half made.
fn bury(context: &Context, maker: &str) -> Result<(), Failure> {
    // What its maker was given is not to be kept by who outlives it: the lock of a flock(1), for one. Nothing of its own is open yet.
    if let Err(error) = sys::close_from(3) {
        tracing::debug!("descriptors of the maker stay open: {error}");
    }
    if undertaker::maker_was_killed() {
        let engine = context.engine()?;
        runtime(false)?.block_on(undertaker::bury(engine, maker));
    }
    Ok(())
}

async fn dispatch(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(list) => list::run(context, list).await,
        Command::Ps(ps) => ps::run(context, ps).await,
        Command::Proc { target, pid } => proc::run(context, target, *pid).await,
        Command::Threads(threads) => threads::run(context, threads).await,
        Command::Net { target } => net::run(context, target).await,
        Command::Forward(forward) => forward::run(context, forward).await,
        Command::Ls(ls) => ls::run(context, ls).await,
        Command::Cat(cat) => cat::run(context, cat).await,
        Command::Cp(cp) => cp::run(context, cp).await,
        Command::Goroutines(goroutines) => goroutines::run(context, goroutines).await,
        Command::Core(core) => core::run(context, core).await,
        Command::Dlv(dlv) => dlv::run(context, dlv).await,
        Command::Logs(logs) => logs::run(context, logs).await,
        Command::Go(go) => go::run(context, go).await,
        Command::Check(check) => check::run(context, check).await,
        Command::Doctor => doctor::run(context).await,
        Command::Clean => clean::run(context).await,
        Command::Config => config::run(context),
        Command::Kube(command) => kube::run(context, *command).await,
        Command::Image(image) => toolkit::run(context, image).await,
        // Handled by the caller, which needs no runtime for them or another one.
        Command::Undertaker { .. }
        | Command::Beside
        | Command::Attach { .. }
        | Command::Completions { .. }
        | Command::Man
        | Command::Keys => Ok(()),
    }
}

/// Whether a command goes inside.
fn enters(command: &Command) -> bool {
    match command {
        Command::Attach { .. }
        | Command::List(_)
        | Command::Ps(_)
        | Command::Proc { .. }
        | Command::Threads(_)
        | Command::Net { .. }
        | Command::Forward(_)
        | Command::Ls(_)
        | Command::Cat(_)
        | Command::Cp(_)
        | Command::Goroutines(_)
        | Command::Core(_)
        | Command::Dlv(_)
        | Command::Doctor => true,
        // An image is not entered.
        Command::Go(cli::Go { target, .. }) => !matches!(target, TargetName::Image(_)),
        Command::Check(cli::Check { target, .. }) => !matches!(target, Some(TargetName::Image(_))),
        Command::Undertaker { .. }
        | Command::Beside
        | Command::Logs(_)
        | Command::Clean
        | Command::Config
        | Command::Kube(_)
        | Command::Image(_)
        | Command::Completions { .. }
        | Command::Man
        | Command::Keys => false,
    }
}

/// The screen gets a second thread, so that a flood of log lines does not hold up the keys; a command starts faster
/// without one.
fn runtime(screen: bool) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = if screen {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2);
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let made = builder.enable_all().build();
    made.map_err(|error| Failure::new(Exit::No, format!("cannot start: {error}")))
}

/// `-v` says what was done, on standard error: every step of `crate::activity`. `-vv` says what is begun, too.
fn trace(verbose: u8, color: Color) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // What the libraries tell of every frame that they send is nobody's business here.
    let own = Targets::new().with_targets([("scratchdbg", level), ("activity", level)]);
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    let subscriber = subscriber.with_ansi(colored(color, std::io::stderr().is_terminal()));
    // Set once, here; a second time cannot be.
    let _ = tracing::subscriber::set_global_default(subscriber.without_time().finish().with(own));
}

/// What every command is given.
pub struct Context {
    /// The options typed.
    pub global: Global,
    /// What is done, step by step.
    pub journal: Journal,
    broker: Option<Result<Broker, NoBroker>>,
    engine: OnceCell<Docker>,
    cluster: OnceCell<Cluster>,
    /// What was entered, and how.
    entered: OnceCell<(Target, Door)>,
}

impl Context {
    /// Puts one together. A command that never goes inside has no broker.
    #[must_use]
    pub fn new(global: Global, broker: Option<Result<Broker, NoBroker>>) -> Self {
        Self {
            global,
            journal: Journal::default(),
            broker,
            engine: OnceCell::new(),
            cluster: OnceCell::new(),
            entered: OnceCell::new(),
        }
    }

    /// The privileged half.
    ///
    /// # Errors
    /// If it could not be started.
    pub fn broker(&self) -> Result<&Broker, entry::Error> {
        match &self.broker {
            Some(Ok(broker)) => Ok(broker),
            Some(Err(error)) => Err(error.clone().into()),
            None => Err(NoBroker::not_asked_for().into()),
        }
    }

    /// The engine. Connected at first use.
    ///
    /// # Errors
    /// If the options and the environment name no engine that could be asked.
    pub fn engine(&self) -> Result<&Docker, Failure> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Docker::connect(self.global.host.as_deref(), &self.journal)?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// The cluster. Connected at first use.
    ///
    /// # Errors
    /// If the options and the configuration name none that could be asked.
    pub async fn cluster(&self) -> Result<&Cluster, Failure> {
        if let Some(cluster) = self.cluster.get() {
            return Ok(cluster);
        }
        let cluster = Cluster::connect(&self.global.kube.options(), &self.journal).await?;
        Ok(self.cluster.get_or_init(|| cluster))
    }

    /// Who knows a target; a plain process is known to nobody.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn owner(&self, target: &Target) -> Result<Option<Owner>, Failure> {
        Ok(match target {
            Target::Container(_) => Some(Owner::Engine(self.engine()?.clone())),
            Target::Pod(_) => Some(Owner::Cluster(self.cluster().await?.clone())),
            Target::Node(_) => Some(Owner::Runtime),
            Target::Process(_) => None,
        })
    }

    /// Goes on as whoever typed `sudo`. Only the broker needs root; and, if that answers to nobody else, whoever asks a node's
    /// runtime.
    fn give_root_back(&self, on_node: bool) {
        let Some(invoker) = Invoker::of_this_process() else { return };
        let runtimes = if on_node { cri::sockets(self.global.cri_socket.as_deref()).ok() } else { None };
        // Chosen now: its configuration and its certificates may be root's own.
        let socket = match &runtimes {
            Some(sockets) => sockets.first().map(PathBuf::as_path),
            None => self.engine().ok().and_then(Docker::socket),
        };
        let what =
            format!("go on as user {}, who became root by {}; only the broker stays root", invoker.uid, invoker.by);
        self.journal.begin(None, &what, None).end(&invoker.take_over(socket));
    }

    /// Finds what a name means.
    ///
    /// # Errors
    /// If there is no such target, or more than one.
    pub async fn find(&self, name: &TargetName) -> Result<Target, Failure> {
        match &self.meant(name)? {
            TargetName::Container(name) => Ok(Target::Container(Box::new(self.engine()?.resolve(name).await?))),
            TargetName::Process(pid) => {
                crate::engine::process::find(*pid)?;
                Ok(Target::Process(*pid))
            }
            TargetName::Node(name) => {
                let cri = Cri::connect(self.global.cri_socket.as_deref()).await?;
                Ok(Target::Node(Box::new(cri.find(name).await?)))
            }
            TargetName::Pod(name) => {
                let container = self.global.kube.container.as_deref();
                let pod = self.cluster().await?.find(name, container).await?;
                if name.kind != PodKind::Pod {
                    self.tell(&format!("{name} is looked at in k8s://{}", pod.container.name));
                }
                Ok(Target::Pod(Box::new(pod)))
            }
            TargetName::Image(_) => Err(NotRunning(name.clone()).into()),
        }
    }

    /// Finds a target that runs, and who knows it, if anybody does.
    ///
    /// # Errors
    /// As [`Context::find`], or if it does not run.
    pub async fn find_running(&self, name: &TargetName) -> Result<(Target, Option<Owner>), Failure> {
        let target = self.find(name).await?;
        target.running()?;
        let owner = self.owner(&target).await?;
        Ok((target, owner))
    }

    /// Finds a target and goes in to look.
    ///
    /// # Errors
    /// If it cannot be found, does not run, or cannot be entered.
    pub async fn enter(&self, name: &TargetName) -> Result<(Target, Entered), Failure> {
        self.enter_with(name, &self.global.access()).await
    }

    /// The same, with other rights than the options say.
    ///
    /// # Errors
    /// As [`Context::enter`].
    pub async fn enter_with(&self, name: &TargetName, access: &Access) -> Result<(Target, Entered), Failure> {
        let mut target = self.find(name).await?;
        if self.global.kube.copy {
            target = copy::of(self, &target).await?;
        }
        let entered = self.enter_found(&target, access).await?;
        if let Some(notice) = &entered.notice {
            self.tell(notice);
        }
        // Empty until now: a command enters one target, or a fleet, which explains itself.
        let _ = self.entered.set((target.clone(), entered.door));
        Ok((target, entered))
    }

    /// Finds a target, and what its ports are reached with.
    ///
    /// # Errors
    /// As [`Context::enter`].
    pub async fn reach(&self, name: &TargetName) -> Result<(Target, Reach), Failure> {
        let (target, owner) = self.find_running(name).await?;
        let reach = entry::reach(self.broker(), owner.as_ref(), &target, &self.global.access(), &self.journal).await;
        self.still_the_same(&target).await?;
        let reach = reach?;
        let _ = self.entered.set((target.clone(), reach.door()));
        Ok((target, reach))
    }

    /// The same of one that was found. What a person should know of it is not told yet.
    ///
    /// # Errors
    /// If it does not run, or cannot be entered.
    pub async fn enter_found(&self, target: &Target, access: &Access) -> Result<Entered, Failure> {
        target.running()?;
        let owner = self.owner(target).await?;
        let entered = entry::enter(self.broker(), owner.as_ref(), target, access, &self.journal).await;
        // Asked of a failure too: that it ended just now explains it better than the step it was in.
        self.still_the_same(target).await?;
        Ok(entered?)
    }

    /// A failure inside, or what explains it better: that the target has ended, or was started anew.
    async fn explained(&self, failure: Failure) -> Failure {
        let Some((target, door)) = self.entered.get().filter(|_| failure.exit == Exit::No) else { return failure };
        let failure = match self.explained_of(target, failure).await {
            ended if ended.exit == Exit::NoTarget => return ended,
            failure => failure,
        };
        // The engine may not have noticed yet.
        match target.init() {
            Some(init) if *door == Door::Local && crate::engine::process::has_ended(init) => {
                entry::Error::Gone { target: target.name() }.into()
            }
            _ => failure,
        }
    }

    /// The same of a target that is named.
    async fn explained_of(&self, target: &Target, failure: Failure) -> Failure {
        match self.still_the_same(target).await {
            Err(ended) if ended.exit == Exit::NoTarget && failure.exit == Exit::No => ended,
            _ => failure,
        }
    }

    /// Between asking the engine for a process id and holding the process, the container may have ended and
    /// its id may have gone to another process. The engine is asked again once the process is held.
    async fn still_the_same(&self, target: &Target) -> Result<(), Failure> {
        if let Some(owner) = self.owner(target).await? {
            let after = owner.again(target).await?;
            after.running()?;
            if !after.is_same_run(target) {
                return Err(entry::Error::Moved { target: target.name() }.into());
            }
        }
        Ok(())
    }

    /// Tells a person something that is no answer.
    pub fn tell(&self, line: &str) {
        if !self.global.quiet {
            // Nobody may be reading any more.
            let _ = writeln!(std::io::stderr(), "{}", Untrusted::from(line).safe());
        }
    }

    /// Whether standard output gets colour.
    #[must_use]
    pub fn color(&self) -> bool {
        colored(self.global.color, std::io::stdout().is_terminal())
    }
}

/// Whether a stream gets colour, as asked for, and as the environment wishes (no-color.org).
fn colored(color: Color, terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

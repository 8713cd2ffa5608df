//! Doing what the state wants done: engine, session and files. Everything here is a task that answers with a message.

mod cluster;
mod copy;
mod debug;
mod engine;
mod golang;
mod read;
mod save;
mod session;
mod worker;

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::effect::Effect;
use super::message::Msg;
use super::runtime::Runner;
use crate::activity::{Journal, Record};
use crate::engine::Owner;
use crate::engine::docker::Docker;
use crate::engine::kube::Options;
use crate::entry::{Access, Broker};
use crate::exit::{Exit, Failure};
use crate::target::{Target, TargetName};
use session::Session;
use worker::{Order, Worker};

/// Does effects in the world.
pub struct Live {
    shared: Arc<Shared>,
    out: mpsc::Sender<Msg>,
    worker: Worker,
    watch: Task,
    pods: Task,
    namespaces: Task,
    open: Task,
    logs: Task,
    copy: Task,
    save: Option<save::Writer>,
    debug: debug::Sessions,
    /// What was opened last.
    target: Option<TargetName>,
    _activity: Task,
}

/// Where pods are looked for.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// Which cluster, and as whom.
    pub options: Options,
    /// Which container of a pod, where the name does not tell.
    pub container: Option<String>,
    /// Where the container runtime of this node listens, if that was said.
    pub cri_socket: Option<String>,
}

/// What tasks share.
struct Shared {
    engine: Result<Docker, Failure>,
    /// Where pods are looked for.
    clusters: Clusters,
    /// The one that is chosen.
    cluster: Mutex<cluster::Chosen>,
    access: Access,
    broker: Broker,
    journal: Journal,
    /// What is open, with the number of its opening.
    session: Mutex<Option<(u64, Session)>>,
}

impl Shared {
    fn engine(&self) -> Result<Docker, Failure> {
        self.engine.clone()
    }

    /// Who knows a target; a plain process is known to nobody.
    async fn owner(&self, target: &Target) -> Result<Option<Owner>, Failure> {
        Ok(match target {
            Target::Container(_) => Some(Owner::Engine(self.engine()?)),
            Target::Pod(_) => Some(Owner::Cluster(self.cluster().await?)),
            Target::Node(_) => Some(Owner::Runtime),
            Target::Process(_) => None,
        })
    }

    fn session(&self, generation: u64) -> Option<Session> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().filter(|(number, _)| *number == generation).map(|(_, session)| session.clone())
    }

    fn current(&self) -> Option<Session> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.as_ref().map(|(_, session)| session.clone())
    }

    fn set(&self, session: Option<(u64, Session)>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }
}

/// A task of which there is one at a time. Ends with what holds it.
#[derive(Default)]
struct Task(Option<AbortHandle>);

impl Task {
    fn replace(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.stop();
        self.0 = Some(tokio::spawn(future).abort_handle());
    }

    fn stop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Live {
    /// Something that does effects; answers go to `out`.
    #[must_use]
    pub fn new(
        engine: Result<Docker, Failure>,
        clusters: Clusters,
        access: Access,
        broker: Broker,
        journal: Journal,
        out: mpsc::Sender<Msg>,
    ) -> Self {
        let mut activity = Task::default();
        activity.replace(tell(journal.watch(), out.clone()));
        let shared = Arc::new(Shared {
            engine,
            clusters,
            cluster: Mutex::default(),
            access,
            broker,
            journal,
            session: Mutex::new(None),
        });
        Self {
            shared,
            worker: Worker::start(out.clone()),
            out,
            watch: Task::default(),
            pods: Task::default(),
            namespaces: Task::default(),
            open: Task::default(),
            logs: Task::default(),
            copy: Task::default(),
            save: None,
            debug: debug::Sessions::default(),
            target: None,
            _activity: activity,
        }
    }
}

impl Live {
    /// From now on this is the target.
    fn turn_to(&mut self, name: &TargetName) {
        self.shared.set(None);
        // A debug file is of this target's program, as often as that is entered.
        if self.target.as_ref() != Some(name) {
            (self.debug.file, self.target) = (None, Some(name.clone()));
        }
    }
}

impl Runner for Live {
    fn run(&mut self, effect: Effect) {
        let (shared, out) = (Arc::clone(&self.shared), self.out.clone());
        match effect {
            Effect::Watch => self.watch.replace(engine::watch(shared, out)),
            Effect::Contexts => {
                tokio::spawn(cluster::contexts(shared, out));
            }
            Effect::Pods { number, place } => {
                shared.choose(&place);
                self.pods.replace(cluster::pods(shared, out, number, place));
            }
            Effect::Namespaces { number } => self.namespaces.replace(cluster::namespaces(shared, out, number)),
            Effect::Open { generation, name } => {
                self.turn_to(&name);
                self.open.replace(session::open(shared, out, generation, name));
            }
            Effect::Approach { generation, name, log } => {
                self.turn_to(&name);
                self.open.replace(session::approach(shared, out, generation, name, log));
            }
            Effect::Inspect { generation } => {
                tokio::spawn(engine::inspect(shared, out, generation));
            }
            Effect::Close => {
                self.open.stop();
                self.logs.stop();
                self.copy.stop();
                shared.set(None);
            }
            Effect::Read { generation, request } => {
                let Some(session) = shared.session(generation) else { return };
                if !self.worker.order(Order { session, generation, request: request.clone() }) {
                    let failure = Failure::new(Exit::No, "the thread that reads has ended");
                    let result = Err(failure);
                    tokio::spawn(async move { out.send(Msg::Reading { generation, request, result }).await });
                }
            }
            Effect::Weigh { generation, pid } => {
                tokio::spawn(debug::weigh(shared, out, generation, pid, self.debug.file.clone()));
            }
            Effect::DebugFile { path } => self.debug.file = path.map(PathBuf::from),
            Effect::Snapshot { generation, session, pid } => {
                self.debug.begin(shared, out, generation, session, pid, debug::How::Snapshot);
            }
            Effect::Threads { generation, session, pid } => {
                tokio::spawn(debug::threads::take(shared, out, generation, session, pid));
            }
            Effect::Attach { generation, session, pid, breakpoints } => {
                self.debug.begin(shared, out, generation, session, pid, debug::How::Live(breakpoints));
            }
            Effect::Debug { session, question } => self.debug.order(session, debug::Order::Ask(question)),
            Effect::Rules { session, rules } => self.debug.order(session, debug::Order::Rules(rules)),
            Effect::Run { session, how } => self.debug.order(session, debug::Order::Run(how)),
            Effect::Halt { session } => self.debug.order(session, debug::Order::Halt),
            Effect::Breakpoint { session, what } => self.debug.order(session, debug::Order::Breakpoint(what)),
            Effect::Set { session, call, name, value } => {
                self.debug.order(session, debug::Order::Set { call, name, value });
            }
            Effect::EndDebug { session } => self.debug.end(session),
            Effect::Logs { stream, since } => self.logs.replace(engine::logs(shared, out, stream, since)),
            Effect::After(delay, timer) => {
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = out.send(Msg::Timer(timer)).await;
                });
            }
            Effect::SaveOpen { path, overwrite } => {
                self.save = Some(save::Writer::open(path, overwrite, &shared.journal, out));
            }
            Effect::SaveChunk(bytes) => {
                if let Some(save) = &self.save {
                    save.write(bytes);
                }
            }
            // Dropping it closes the file.
            Effect::SaveClose => self.save = None,
            Effect::CopyOut { generation, from, to, overwrite } => {
                if let Some(session) = shared.session(generation) {
                    self.copy.replace(copy::out(session, shared.journal.clone(), out, from, to, overwrite));
                }
            }
            // These are the loop's.
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Mouse(_)
            | Effect::Copy(_)
            | Effect::Continue(_) => {}
        }
    }
}

/// Tells of the steps that are done, whenever there is something new.
async fn tell(mut journal: watch::Receiver<Arc<Record>>, out: mpsc::Sender<Msg>) {
    while journal.changed().await.is_ok() {
        let record = Arc::clone(&journal.borrow_and_update());
        if out.send(Msg::Activity(record)).await.is_err() {
            return;
        }
    }
}

/// Waits for a task of its own. A panic in it is a failure like others: hostile input must not end the program.
async fn caught<T: Send + 'static>(
    future: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::spawn(future).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            Err(Failure::new(Exit::No, "the reading failed in a way it should not").try_this("please report it"))
        }
        Err(_) => Err(Failure::new(Exit::No, "the reading was ended")),
    }
}

/// An error of this host's files.
fn host_failure(error: &std::io::Error, path: &str) -> Failure {
    Failure::new(Exit::No, format!("{path}: {error}"))
}

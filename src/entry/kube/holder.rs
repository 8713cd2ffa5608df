//! The container that holds our place in a pod: chosen, added, waited for, used, and ended.

use std::os::unix::net::UnixStream as Socket;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ending::Ending;
use super::error::{Error, advice, is_for_want_of_image};
use super::level::Level;
use super::pump;
use crate::activity::{Journal, Made};
use crate::engine::State;
use crate::engine::docker::sidecar::signals;
use crate::engine::kube::add::No;
use crate::engine::kube::holding::{self, Promise};
use crate::engine::kube::pod::Standing;
use crate::engine::kube::{self, Addition, Cluster, Pod, Terms};
use crate::shim::{self, Leash, Shim};
use crate::toolkit::{self, HOLD, SHIM_PROGRAM};

/// Names begin so.
const PREFIX: &str = "sdbg";
/// The longest name (RFC 1123, a label).
const LONGEST: usize = 63;
/// How often another name is tried, if somebody was faster.
const TRIES: usize = 3;
/// How often it is asked whether it has started: at first, and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// A container that holds our place, and runs.
pub struct Holder {
    cluster: Cluster,
    pod: Pod,
    level: Level,
    name: String,
    image: String,
    /// The helper's place in it.
    program: &'static str,
    /// What was made; `None` if it was there before.
    made: Option<Made>,
    kept: bool,
    journal: Journal,
    /// While it is held, the process does not end: whoever gives the holder up has it ended first.
    holding: Option<Promise>,
}

/// Chooses the best way to look that is allowed, and a holder that looks so, if one runs, but not that which has `gone`. Nothing is
/// added.
///
/// # Errors
/// If none is allowed.
pub async fn choose(
    cluster: &Cluster,
    pod: &Pod,
    levels: &[Level],
    gone: Option<&str>,
) -> Result<(Level, Option<String>), Error> {
    let image = &cluster.terms().image;
    let mut refusals = Vec::new();
    for level in levels {
        if let Some(there) = running(pod, level, image, gone) {
            return Ok((level.clone(), Some(there)));
        }
        match cluster.try_add(pod, &addition(pod, level, cluster.terms())).await {
            Ok(()) => return suits(cluster, pod).await.map(|()| (level.clone(), None)),
            Err(No::Policy(message)) => refusals.push((level.words, message)),
            // Whoever may not add one may use one that looks in a lesser way.
            Err(no @ No::Right(_)) => {
                let lesser = levels.iter().find_map(|level| Some((level, running(pod, level, image, gone)?)));
                let (level, there) = lesser.ok_or_else(|| refused(no))?;
                return Ok((level.clone(), Some(there)));
            }
            Err(no) => return Err(refused(no)),
        }
    }
    Err(Error::Policy { namespace: pod.namespace.clone(), name: pod.container.name.clone(), refusals })
}

/// Whether the node can run what is made on this host, where nobody has named another image.
async fn suits(cluster: &Cluster, pod: &Pod) -> Result<(), Error> {
    let (terms, ours) = (cluster.terms(), toolkit::architecture());
    let (Some(node), false) = (&pod.node, terms.named) else { return Ok(()) };
    match cluster.machine(node).await {
        Some(theirs) if theirs != ours => {
            Err(Error::Machine { node: node.clone(), theirs, image: terms.image.clone(), ours })
        }
        _ => Ok(()),
    }
}

fn refused(no: No) -> Error {
    match no {
        No::Right(message) => Error::Right { what: "add a container to the pod", message },
        No::TooOld => Error::TooOld,
        No::Failed(error) => error.into(),
        No::Policy(message) | No::Taken(message) => {
            kube::Error::Refused { what: "add a container to the pod".to_owned(), status: 422, message }.into()
        }
    }
}

/// A holder of the same target that looks in the same way, and that was left to others. One that was added for a single command ends
/// with that, perhaps just now.
fn running(pod: &Pod, level: &Level, image: &str, gone: Option<&str>) -> Option<String> {
    let same = pod.ephemeral.iter().find(|one| {
        one.name.starts_with(PREFIX)
            && Some(one.name.as_str()) != gone
            && one.kept
            && one.state == Standing::Running
            && one.image == image
            && one.target.as_deref() == Some(&pod.name)
            && level.security.is_of(&one.security)
    });
    same.map(|one| one.name.clone())
}

fn addition(pod: &Pod, level: &Level, terms: &Terms) -> Addition {
    let seconds = |time: Duration| time.as_secs().max(1).to_string();
    let (ttl, idle) = (seconds(terms.ttl), seconds(terms.idle));
    Addition {
        name: free_name(pod),
        image: terms.image.clone(),
        kept: terms.keep,
        command: [SHIM_PROGRAM, HOLD, "--ttl", &ttl, "--idle", &idle].map(str::to_owned).to_vec(),
        security: level.security.clone(),
    }
}

/// Whether a pod would be given one more: not if one runs that looks in one of these ways.
pub fn is_wanted(cluster: &Cluster, pod: &Pod, levels: &[Level]) -> bool {
    let image = &cluster.terms().image;
    !levels.iter().any(|level| running(pod, level, image, None).is_some())
}

/// A name that none of the pod's containers has had: `sdbg-app-1`.
pub fn free_name(pod: &Pod) -> String {
    let room = LONGEST - PREFIX.len() - "--9999".len();
    let target = pod.name.get(..room).unwrap_or(&pod.name).trim_end_matches('-');
    let numbered = |number: usize| format!("{PREFIX}-{target}-{number}");
    // There are fewer than one more than there are.
    let free = (1..=pod.ephemeral.len() + 1).map(numbered).find(|name| pod.added(name).is_none());
    free.unwrap_or_else(|| numbered(0))
}

impl Holder {
    /// One that runs: from before, but not that which has `gone`; or added now.
    ///
    /// # Errors
    /// If it may not be added, or does not start.
    pub async fn of(
        cluster: &Cluster,
        pod: &Pod,
        levels: &[Level],
        journal: &Journal,
        gone: Option<&str>,
    ) -> Result<Self, Error> {
        let holder = |pod: &Pod, level: Level, name: String, made: Option<Made>, holding: Option<Promise>| Self {
            cluster: cluster.clone(),
            pod: pod.clone(),
            level,
            name,
            image: cluster.terms().image.clone(),
            program: SHIM_PROGRAM,
            kept: cluster.terms().keep,
            made,
            journal: journal.clone(),
            holding,
        };
        let mut pod = pod.clone();
        let mut tries = 0;
        loop {
            tries += 1;
            let (level, there) = choose(cluster, &pod, levels, gone).await?;
            if let Some(name) = there {
                return Ok(holder(&pod, level, name, None, None));
            }
            let addition = addition(&pod, &level, cluster.terms());
            signals::guard();
            // Before anything is there to be ended, so that no signal comes between.
            let holding = holding::promise().await;
            if holding::is_ending() {
                return Err(Error::Ending { name: pod.container.name });
            }
            match cluster.add(&pod, &addition).await {
                Ok(made) => {
                    holding::count();
                    // Of one that is not ended here there is nothing to wait for.
                    let holding = Some(holding).filter(|_| !cluster.terms().keep);
                    let mut holder = holder(&pod, level, addition.name, Some(made), holding);
                    let patience = cluster.terms().patience;
                    tokio::select! {
                        waited = holder.wait(patience) => if let Err(error) = waited {
                            // There is nothing to be ended, unless nobody knows; what starts later ends by itself.
                            if !matches!(error, Error::Cluster(_)) {
                                holder.made = None;
                            }
                            return Err(error);
                        },
                        // Dropped, it is ended.
                        () = holding::told_to_end() => return Err(Error::Ending { name: pod.container.name }),
                    }
                    return Ok(holder);
                }
                // Somebody was faster: it may be just what is wanted.
                Err(No::Taken(_)) if tries < TRIES => pod = cluster.again(&pod).await?,
                Err(no) => return Err(refused(no)),
            }
        }
    }

    /// The one that a copy has in place of its program. It ends with the copy.
    pub fn of_copy(cluster: &Cluster, pod: &Pod, level: Level, journal: &Journal) -> Self {
        Self {
            cluster: cluster.clone(),
            pod: pod.clone(),
            level,
            name: pod.name.clone(),
            image: pod.copy.as_ref().map(|copy| copy.helper.clone()).unwrap_or_default(),
            program: kube::copy::HELPER,
            kept: true,
            made: None,
            journal: journal.clone(),
            holding: None,
        }
    }

    /// Its name in the pod.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was added now.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// As whom it looks.
    pub fn level(&self) -> &Level {
        &self.level
    }

    /// What a person should know of it.
    pub fn notice(&self, pod: &Pod) -> Option<String> {
        self.made.as_ref()?;
        let until = if self.kept {
            format!("runs until nobody has used it for {}", humantime::format_duration(self.cluster.terms().idle))
        } else {
            "ends with this command".to_owned()
        };
        Some(format!(
            "{} was added to pod {}/{} and {until}; its record stays in the pod until that is made anew",
            self.name, pod.namespace, pod.pod
        ))
    }

    /// Waits until it runs. It is asked, and not watched: to get a pod is a right that is there already, and to watch is another.
    async fn wait(&self, patience: Duration) -> Result<(), Error> {
        let (mut pause, last) = PAUSES;
        let of_pod = || format!("{}/{}", self.pod.namespace, self.pod.pod);
        let begun = Instant::now();
        loop {
            let pod = match self.cluster.again(&self.pod).await {
                // It may be over in a moment, and what was added stays in the pod for good.
                Err(error) if error.is_no_answer() && begun.elapsed() < patience => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(last);
                    continue;
                }
                answer => answer?,
            };
            let standing = pod.added(&self.name).map_or(&Standing::Untold, |one| &one.state);
            match standing {
                Standing::Running => return Ok(()),
                Standing::Ended { code, why } => {
                    let (holder, why, name) = (self.name.clone(), why.clone(), pod.container.name.clone());
                    return Err(Error::Ended { holder, pod: of_pod(), code: *code, why, name });
                }
                Standing::Waiting(waiting) if advice(&waiting.reason, &self.image).is_some() => {
                    let there = match &pod.node {
                        Some(node) if is_for_want_of_image(&waiting.reason) => self.cluster.toolkits_on(node).await,
                        _ => Vec::new(),
                    };
                    return Err(Error::Stuck {
                        holder: self.name.clone(),
                        pod: of_pod(),
                        image: self.image.clone(),
                        waiting: Box::new(waiting.clone()),
                        there,
                    });
                }
                Standing::Waiting(_) | Standing::Untold => {}
            }
            if begun.elapsed() >= patience {
                return Err(Error::Late {
                    holder: self.name.clone(),
                    pod: of_pod(),
                    node: pod.node.clone().unwrap_or_else(|| "its node".to_owned()),
                    seconds: patience.as_secs(),
                    seen: match standing {
                        Standing::Waiting(waiting) => kube::pod::words(&waiting.reason, &waiting.message),
                        _ => "nothing is told of it".to_owned(),
                    },
                    told: *standing != Standing::Untold,
                    target_runs: pod.container.state == State::Running,
                    name: pod.container.name.clone(),
                });
            }
            tokio::time::sleep(pause.min(patience.saturating_sub(begun.elapsed()))).await;
            pause = (pause * 2).min(last);
        }
    }

    /// Begins the helper in it. When that ends, so does the holder, if it was added for this process alone.
    ///
    /// # Errors
    /// If it does not begin, or does not speak as it should.
    pub async fn begin(mut self) -> Result<Shim, Error> {
        let no_helper = |why: String| Error::NoHelper {
            program: "helper",
            holder: self.name.clone(),
            image: self.image.clone(),
            why,
        };
        let exec = self.cluster.exec(&self.pod, &self.name, &[self.program]).await;
        let exec = match exec {
            Ok(exec) => exec,
            Err(error) => {
                let error = match error {
                    kube::Error::Refused { status: 403, message, .. } => {
                        Error::Right { what: "begin a program in the container that was added", message }
                    }
                    kube::Error::Refused { message, .. } => no_helper(message),
                    other => other.into(),
                };
                self.end().await;
                return Err(error);
            }
        };
        let failed = |_: std::io::Error| no_helper("this host gives no socket".to_owned());
        let (ours, theirs) = Socket::pair().map_err(failed)?;
        theirs.set_nonblocking(true).map_err(failed)?;
        let theirs = UnixStream::from_std(theirs).map_err(failed)?;
        let (cut, is_cut) = oneshot::channel();
        let (told, why) = oneshot::channel();
        let (holder, image) = (self.name.clone(), self.image.clone());
        let name = self.pod.container.name.clone();
        tokio::spawn(self.serve(theirs, exec, is_cut, told));
        let cut = Mutex::new(Some(cut));
        let leash = Leash::new(move || {
            if let Some(cut) = cut.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // It may have ended by itself.
                let _ = cut.send(());
            }
        });
        match Shim::start(ours, leash).await {
            Ok(shim) => Ok(shim),
            // The cluster knows better than the connection why there was no first word.
            Err(shim::Error::Closed) => {
                let why = why.await.ok().flatten().unwrap_or_else(|| "it has ended at once".to_owned());
                Err(Error::NoHelper { program: "helper", holder, image, why })
            }
            Err(cause) => Err(Error::Shim { name, cause }),
        }
    }

    async fn serve(
        mut self,
        socket: UnixStream,
        exec: kube::Exec,
        cut: oneshot::Receiver<()>,
        told: oneshot::Sender<Option<String>>,
    ) {
        let why = pump::run(socket, exec, cut).await;
        // Nobody may be waiting for it any more.
        let _ = told.send(why);
        self.end().await;
    }

    /// Ends it, if it was added for this process alone.
    async fn end(&mut self) {
        if let Some(ending) = self.ending() {
            ending.end().await;
        }
    }

    /// What is left to be done at its end, once.
    fn ending(&mut self) -> Option<Ending> {
        let made = self.made.take().filter(|_| !self.kept)?;
        Some(Ending {
            cluster: self.cluster.clone(),
            pod: self.pod.clone(),
            name: self.name.clone(),
            image: self.image.clone(),
            made,
            journal: self.journal.clone(),
            _holding: self.holding.take(),
        })
    }
}

/// Whoever waits for it, or works with it, may be cancelled at any time: it does not outlive that.
impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(ending) = self.ending()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(ending.end());
        }
    }
}

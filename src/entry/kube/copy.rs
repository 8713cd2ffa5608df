//! A copy of a pod: settled by a dry run, made, waited for, and deleted at the end, however that comes.

use std::io::Write as _;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::error::{Error, advice, is_for_want_of_image};
use super::missing_of;
use crate::activity::Journal;
use crate::engine::docker::sidecar::signals;
use crate::engine::kube::add::No;
use crate::engine::kube::copy::{Copy, Part, Progress};
use crate::engine::kube::holding::{self, Promise};
use crate::engine::kube::pod::{Closed, Standing, words};
use crate::engine::kube::{self, Cluster, Pod, Right};
use crate::text::Untrusted;

/// How often it is asked how far it has come: at first, and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often its deletion is tried, and how long after each other.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// What would be done to look into a copy.
pub enum Prepared {
    /// One that was left to others is used.
    There(Box<Pod>),
    /// One would be made.
    New(Box<Copy>),
}

/// Settles whether a pod can be copied, and how. Nothing is made.
///
/// # Errors
/// If it cannot be, or may not be.
pub async fn prepare(cluster: &Cluster, pod: &Pod, same_node: bool) -> Result<Prepared, Error> {
    if let Some(closed @ (Closed::Windows | Closed::Deleted)) = pod.closed {
        return Err(Error::NoCopy { pod: format!("{}/{}", pod.namespace, pod.pod), closed });
    }
    let there = cluster.kept_copy(pod).await;
    let mut missing = missing_of(cluster, pod, [Right::MAKE, Right::DELETE, Right::EXEC_GET]).await;
    if there.is_some() {
        missing.retain(|right| *right == Right::EXEC_GET);
    }
    if !missing.is_empty() {
        return Err(Error::CopyRights { namespace: pod.namespace.clone(), missing });
    }
    if let Some(there) = there {
        return Ok(Prepared::There(Box::new(there)));
    }
    let copy = cluster.copy_of(pod, same_node).await?;
    match cluster.try_copy(&copy).await {
        Ok(()) => Ok(Prepared::New(Box::new(copy))),
        Err(no) => Err(refused(&copy, no)),
    }
}

fn refused(copy: &Copy, no: No) -> Error {
    let pod = format!("{}/{}", copy.namespace, copy.of);
    match no {
        No::Right(message) => Error::Right { what: "make a copy of the pod", message },
        No::Policy(message) => Error::CopyRefused { pod, message },
        No::Failed(error) => error.into(),
        No::TooOld => Error::CopyRefused { pod, message: No::TooOld.to_string() },
        No::Taken(message) => {
            kube::Error::Refused { what: "make a copy of the pod".to_owned(), status: 409, message }.into()
        }
    }
}

/// Makes the copy and waits until it can be used. It is deleted when the process ends, whatever ends it but a kill; unless it is
/// left to others. One that cannot be used is deleted at once.
///
/// # Errors
/// If it is refused after all, or does not begin in time.
pub async fn make(cluster: &Cluster, copy: &Copy, journal: &Journal) -> Result<Pod, Error> {
    signals::guard();
    let gone = || Error::CopyGone { pod: format!("{}/{}", copy.namespace, copy.name) };
    let (tell, told) = oneshot::channel();
    let (keep, kept) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let keeper = Keeper {
        cluster: cluster.clone(),
        copy: copy.clone(),
        journal: journal.clone(),
        // Promised before it is there: a signal that comes while it is being made waits for it.
        _promise: holding::promise().await,
        _end: end,
    };
    // A thread of its own: a command may be held up for ever, by a pipe that nobody reads.
    let begun = std::thread::Builder::new().name("copy".to_owned()).spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(keeper.run(tell, kept));
        }
    });
    begun.map_err(|_| gone())?;
    let made = match told.await {
        Ok(Ok(())) => wait(cluster, copy).await,
        Ok(Err(no)) => Err(refused(copy, no)),
        Err(_) => Err(gone()),
    };
    if made.is_ok() {
        // It listens for as long as the process lives.
        let _ = keep.send(());
    } else {
        drop(keep);
        // Whoever reads of the failure finds it gone.
        let _ = ended.await;
    }
    made
}

/// Who sees to it that a copy does not stay.
struct Keeper {
    cluster: Cluster,
    copy: Copy,
    journal: Journal,
    _promise: Promise,
    _end: oneshot::Sender<()>,
}

impl Keeper {
    /// Makes the copy, tells, and deletes it in the end. `kept` comes when it is of use; if it does not come, nobody is there who
    /// could use it.
    async fn run(self, tell: oneshot::Sender<Result<(), No>>, kept: oneshot::Receiver<()>) {
        let cluster = self.cluster.anew();
        let made = cluster.make_copy(&self.copy).await;
        // An answer that did not come does not mean that it was not made.
        let is_there = match &made {
            Ok(_) => true,
            Err(No::Failed(error)) => error.is_no_answer(),
            Err(_) => false,
        };
        let (step, answer) = match made {
            Ok(step) => (Some(step), Ok(())),
            Err(no) => (None, Err(no)),
        };
        let _ = tell.send(answer);
        if step.is_some() {
            let is_of_use = tokio::select! {
                kept = kept => kept.is_ok(),
                () = holding::told_to_end() => false,
            };
            match (is_of_use, self.copy.about.kept) {
                (true, Some(_)) => return,
                (true, None) => holding::told_to_end().await,
                (false, _) => {}
            }
        }
        if is_there
            && delete(&cluster, &self.copy, &self.journal).await
            && let Some(step) = step
        {
            step.undone();
        }
    }
}

/// Deletes the copy. True if it is gone.
async fn delete(cluster: &Cluster, copy: &Copy, journal: &Journal) -> bool {
    let what = format!("delete pod {}/{}, the copy of {}", copy.namespace, copy.name, copy.of);
    let step = journal.begin(Some(crate::door::Door::Kube), &what, None);
    let mut deleted = cluster.delete_pod(&copy.namespace, &copy.name, None).await;
    for _ in 1..TRIES {
        if deleted.is_ok() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        deleted = cluster.delete_pod(&copy.namespace, &copy.name, None).await;
    }
    step.end(&deleted);
    if let Err(error) = &deleted {
        let left = format!(
            "pod {}/{} is left: {error}; it ends by itself, and goes with pod {} or by scratchdbg kube clean",
            copy.namespace, copy.name, copy.of
        );
        // Whoever is told of failures has had theirs. Nobody may be reading any more.
        let _ = writeln!(std::io::stderr(), "{}", Untrusted::from(left.as_str()).safe());
    }
    deleted.is_ok()
}

/// Waits until the copy can be used. It is asked, and not watched: to watch is another right.
async fn wait(cluster: &Cluster, copy: &Copy) -> Result<Pod, Error> {
    let terms = cluster.terms();
    let of_pod = || format!("{}/{}", copy.namespace, copy.name);
    let (mut pause, last) = PAUSES;
    let begun = Instant::now();
    loop {
        let (part, standing, node) = match cluster.progress(copy).await {
            Ok(Progress::Ready(pod)) => return Ok(*pod),
            Ok(Progress::Gone) => return Err(Error::CopyGone { pod: of_pod() }),
            Ok(Progress::Of { part, standing, node }) => (part, standing, node),
            // It may be over in a moment, and what was made is not given up for it.
            Err(error) if error.is_no_answer() && begun.elapsed() < terms.patience => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(last);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(mut error) = hopeless(copy, part, &standing, &terms.image) {
            if let (Error::Stuck { waiting, there, .. }, Some(node)) = (&mut error, node)
                && is_for_want_of_image(&waiting.reason)
            {
                *there = cluster.toolkits_on(&node).await;
            }
            return Err(error);
        }
        if begun.elapsed() >= terms.patience {
            let seen = match &standing {
                Standing::Waiting(waiting) => words(&waiting.reason, &waiting.message),
                _ => "nothing is told of it".to_owned(),
            };
            let warned = cluster.warnings(&copy.namespace, &copy.name).await.pop();
            let seen = warned
                .filter(|warned| !seen.contains(warned.as_str()))
                .map_or_else(|| seen.clone(), |warned| format!("{seen}; {warned}"));
            return Err(Error::CopyLate { pod: of_pod(), seconds: terms.patience.as_secs(), seen });
        }
        tokio::time::sleep(pause.min(terms.patience.saturating_sub(begun.elapsed()))).await;
        pause = (pause * 2).min(last);
    }
}

/// Why a copy will never be of use, if that is clear.
fn hopeless(copy: &Copy, part: Part, standing: &Standing, image: &str) -> Option<Error> {
    let pod = format!("{}/{}", copy.namespace, copy.name);
    match (part, standing) {
        (Part::Installer, Standing::Waiting(waiting)) if advice(&waiting.reason, image).is_some() => {
            Some(Error::Stuck {
                holder: kube::copy::INSTALLER.to_owned(),
                pod,
                image: image.to_owned(),
                waiting: Box::new(waiting.clone()),
                there: Vec::new(),
            })
        }
        (Part::Container, Standing::Waiting(waiting)) if advice(&waiting.reason, &copy.about.image).is_some() => {
            Some(Error::CopyStuck {
                pod,
                of: copy.of.clone(),
                container: copy.container.clone(),
                why: words(&waiting.reason, &waiting.message),
            })
        }
        (Part::Installer, Standing::Ended { code, why }) if *code != 0 => {
            let why = format!("{why}, status {code}");
            Some(Error::NoHelper { program: "helper", holder: pod, image: image.to_owned(), why })
        }
        (Part::Container | Part::Pod, Standing::Ended { why, .. }) => Some(Error::CopyStuck {
            pod,
            of: copy.of.clone(),
            container: copy.container.clone(),
            why: format!("it has ended: {why}"),
        }),
        _ => None,
    }
}

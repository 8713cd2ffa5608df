//! What goes wrong, and where: a test orders it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The image of a container that is started from now on cannot be had.
    ErrImagePull,
    /// The kubelet cannot make a container that is started from now on.
    CreateContainerConfigError,
    /// A container that is started from now on says `ContainerCreating` for ever.
    NeverStarts,
    /// No node has room for a pod that is made from now on.
    Unschedulable,
    /// A policy of the cluster's own refuses a pod that is to be made, in these words.
    Refused(&'static str),
    /// What becomes of a container is told so much later.
    SlowStatus(Duration),
    /// The next watch of pods says at once that it is too late for it.
    WatchExpired,
    /// Exec, attach and port-forward: the connection breaks after so many bytes from inside, with no good-bye.
    Dropped(u64),
    /// Exec and attach: a connection that is open breaks, and so does one that is opened, with no good-bye.
    Cut,
    /// Exec and attach: a connection that is open stays open, and nothing goes through it.
    Silent,
    /// Exec and attach speak `v4.channel.k8s.io` alone.
    V4Only,
    /// Exec and attach are answered with status 500 and plain words, as by a kubelet that is late.
    PlainText500,
}

/// What goes wrong at present.
#[derive(Default)]
pub struct Faults {
    all: Mutex<Vec<(String, Fault)>>,
    /// How often that has changed.
    changes: watch::Sender<u64>,
}

impl Faults {
    /// Lets something go wrong at `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`. A place that ends in `*` is every one that begins so.
    pub fn add(&self, place: &str, fault: Fault) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push((place.to_owned(), fault));
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Waits until this one goes wrong there; or not any more.
    pub async fn until(&self, namespace: &str, pod: &str, container: &str, fault: Fault, wrong: bool) {
        let mut changes = self.changes.subscribe();
        while self.has(namespace, pod, container, fault) != wrong {
            // It lives as long as this.
            let _ = changes.changed().await;
        }
    }

    /// Nothing goes wrong there any more.
    pub fn clear(&self, place: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| known != place);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// What goes wrong there, of the sort that this picks.
    pub fn find<T>(&self, namespace: &str, pod: &str, container: &str, pick: impl Fn(Fault) -> Option<T>) -> Option<T> {
        let (whole, part) = (format!("{namespace}/{pod}"), format!("{namespace}/{pod}/{container}"));
        let faults = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let is_here = |place: &str| match place.strip_suffix('*') {
            Some(start) => whole.starts_with(start),
            None => place == whole || place == part,
        };
        faults.iter().filter(|(place, _)| is_here(place)).find_map(|&(_, fault)| pick(fault))
    }

    /// Whether this one goes wrong there.
    pub fn has(&self, namespace: &str, pod: &str, container: &str, fault: Fault) -> bool {
        self.find(namespace, pod, container, |found| (found == fault).then_some(())).is_some()
    }

    /// Whether a watch is to expire. It does so once.
    pub fn take_expiry(&self, namespace: Option<&str>) -> bool {
        let mut faults = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let here = |place: &str| namespace.is_none_or(|name| place.split('/').next() == Some(name));
        let found = faults.iter().position(|(place, fault)| *fault == Fault::WatchExpired && here(place));
        found.map(|at| faults.remove(at)).is_some()
    }
}

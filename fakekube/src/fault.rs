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
    /// The next pod that is made, or container that is added, is; and who asked for it hears that the server is in trouble.
    LostAnswer,
    /// Who asks for the pod the next time hears that the server is in trouble. Of a container: once that has been added.
    Unwell,
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

/// Whether a place is that pod, or that container of it.
fn is_at(place: &str, namespace: &str, pod: &str, container: &str) -> bool {
    let (whole, part) = (format!("{namespace}/{pod}"), format!("{namespace}/{pod}/{container}"));
    match place.strip_suffix('*') {
        Some(start) => whole.starts_with(start),
        None => place == whole || place == part,
    }
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
        let faults = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let here = faults.iter().filter(|(place, _)| is_at(place, namespace, pod, container));
        here.map(|&(_, fault)| fault).find_map(pick)
    }

    /// Whether this one goes wrong there. It does so once.
    pub fn take(&self, namespace: &str, pod: &str, container: &str, fault: Fault) -> bool {
        let mut faults = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let found = faults.iter().position(|(place, one)| *one == fault && is_at(place, namespace, pod, container));
        found.map(|at| faults.remove(at)).is_some()
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

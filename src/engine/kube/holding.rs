//! What was added to pods for this process alone, and the promise to end it with the process.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, watch};

/// How long their end is waited for when the process ends. If that does not come, they end by themselves.
const SETTLE: Duration = Duration::from_secs(5);

static HOLDING: RwLock<()> = RwLock::const_new(());
static ENDING: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

static ADDED: AtomicUsize = AtomicUsize::new(0);

/// The promise: while it is held, the process does not end.
pub type Promise = RwLockReadGuard<'static, ()>;

/// Promises to end something.
pub async fn promise() -> Promise {
    HOLDING.read().await
}

/// Tells all who have promised something to do it now, and waits until it is done. For the end of the process.
pub async fn settle() {
    end_all();
    // After that time they end by themselves, as they do when we are killed.
    let _ = tokio::time::timeout(SETTLE, HOLDING.write()).await;
}

/// Tells all who have promised something to do it now: a signal ends the process.
pub fn end_all() {
    ENDING.send_replace(true);
}

/// Returns when that was told.
pub async fn told_to_end() {
    let mut told = ENDING.subscribe();
    // The sender lives as long as the process.
    let _ = told.wait_for(|ending| *ending).await;
}

/// Whether that was told: nothing is added any more.
#[must_use]
pub fn is_ending() -> bool {
    *ENDING.borrow()
}

/// One more was added.
pub fn count() {
    ADDED.fetch_add(1, Ordering::Relaxed);
}

/// How many containers this process has added to pods: so many records stay.
#[must_use]
pub fn added() -> usize {
    ADDED.load(Ordering::Relaxed)
}

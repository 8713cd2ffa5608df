//! A signal that ends a command must not leave a sidecar half made, nor what was added to a pod.
//!
//! The screen handles signals itself. A command has no handler, so that it ends at once even while it writes into a pipe
//! nobody reads; only once it makes one of these does a thread of its own wait for signals.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::settle;
use crate::engine::kube::holding;

static WANTED: AtomicBool = AtomicBool::new(false);

/// From the first sidecar on, signals end the process only when none is half made. For commands.
pub fn finish_before_ending() {
    WANTED.store(true, Ordering::Relaxed);
}

/// Starts to wait for signals, if that is wanted, once.
pub fn guard() {
    if WANTED.swap(false, Ordering::Relaxed) {
        let (ready, set) = std::sync::mpsc::channel();
        std::thread::spawn(move || wait(&ready));
        // Comes within microseconds, or never if the thread could not do it: then signals do what they did before.
        let _ = set.recv();
    }
}

fn wait(ready: &std::sync::mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let Some(any) = any() else { return };
        let _ = ready.send(());
        let number = any.await;
        holding::end_all();
        futures_util::join!(settle(), holding::settle());
        // As a shell tells of a command that a signal ended.
        std::process::exit(128 + number);
    });
}

/// The first signal that would end the process. From now on they do not end it by themselves. `None` if that cannot be had.
pub fn any() -> Option<impl Future<Output = i32>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else { return None };
    Some(async move {
        tokio::select! {
            _ = interrupt.recv() => libc::SIGINT,
            _ = terminate.recv() => libc::SIGTERM,
            _ = hangup.recv() => libc::SIGHUP,
        }
    })
}

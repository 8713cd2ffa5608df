//! Who takes away what was half made when its maker was killed.
//!
//! SIGKILL gives nobody the chance to clean up. So with the first sidecar this program is started once more, in a process
//! group of its own, and waits at the end of a pipe. A word in it says that nothing is half made any more. If the pipe ends
//! without it, the maker was killed: what it made and never started is taken away, by the name that this maker alone gives.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Leftover, LeftoverKind, token};
use crate::engine::docker::Docker;

/// Its command, which nobody types.
pub const COMMAND: &str = "undertaker";
/// How long it may take to end when it is dismissed, and how often that is looked at. It takes a millisecond.
const GOODBYE: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(1);
/// Between two looks at the engine, which may still be making what was asked for last.
const AGAIN: Duration = Duration::from_secs(1);
/// Looks in a row that find nothing, until there is nothing.
const QUIET: usize = 3;
/// How long it looks at all: the engine may be away for a while, or slow. What is left then, `clean` takes away.
const PATIENCE: Duration = Duration::from_secs(120);

enum State {
    /// Not wanted: a test, or a program that is none of ours.
    Unwanted,
    /// To be called with the first sidecar, for this engine.
    Wanted(Option<String>),
    Waiting(Child),
    Dismissed,
}

static STATE: Mutex<State> = Mutex::new(State::Unwanted);

/// Whether something may be left of which nobody knows: an engine did not answer, or was not there to take it away again.
static UNSURE: AtomicBool = AtomicBool::new(false);

/// What was asked for last may or may not have been done: there is something to look for when all is over.
pub(super) fn stay() {
    UNSURE.store(true, Ordering::Relaxed);
}

/// From the first sidecar on, somebody waits for our end. For commands, with the engine's address as it was typed.
pub fn appoint(host: Option<String>) {
    *STATE.lock().unwrap_or_else(PoisonError::into_inner) = State::Wanted(host);
}

/// Starts it, once. Without it, what a killed maker leaves waits for the next sidecar.
pub(super) fn call() {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let State::Wanted(host) = &*state else { return };
    // This very program, even if its file was replaced meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("scratchdbg").args([COMMAND, token()]);
    if let Some(host) = host {
        command.args(["--host", host]);
    }
    // A group of its own, so that neither a closed terminal nor its keys end it, from its first moment on. It must not keep a
    // directory in use, nor a terminal or a pipe of ours open.
    command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    *state = command.spawn().map_or(State::Dismissed, State::Waiting);
}

/// Nothing is half made any more, and nothing will be.
pub(super) async fn dismiss() {
    let state = std::mem::replace(&mut *STATE.lock().unwrap_or_else(PoisonError::into_inner), State::Dismissed);
    let State::Waiting(mut child) = state else { return };
    if UNSURE.load(Ordering::Relaxed) {
        return;
    }
    if let Some(mut pipe) = child.stdin.take() {
        let _ = pipe.write_all(b".");
    }
    // Who starts processes leaves none to init, which in a container may never look after them.
    let waiting = async {
        while matches!(child.try_wait(), Ok(None)) {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(GOODBYE, waiting).await;
}

/// Whether the maker was killed. Waits for its end, or its word.
#[must_use]
pub fn maker_was_killed() -> bool {
    let mut word = [0];
    !std::io::stdin().read(&mut word).is_ok_and(|length| length > 0)
}

/// Takes away what this maker made and never started, until there is nothing more.
pub async fn bury(engine: &Docker, maker: &str) {
    let (mut quiet, mut before) = (0, HashSet::new());
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match engine.leftovers().await {
            Ok(all) => {
                let its: Vec<_> = all.iter().filter(|one| is_of(one, maker)).collect();
                quiet = if its.is_empty() { quiet + 1 } else { 0 };
                // Containers come first. One that runs ends by itself, and its image can go only then. An image that no
                // container uses is forced away: a Podman that was killed meanwhile may believe in one that it has lost.
                // One without a name may be about to get one, but not for a whole look.
                let lasting = |one: &&Leftover| named(one).is_some() || before.contains(&one.id);
                for one in its.iter().copied().filter(|one| one.unused).filter(lasting) {
                    let _ = match one.kind {
                        LeftoverKind::Container => engine.remove_unforced(one.kind, &one.id).await,
                        LeftoverKind::Image => engine.remove(one.kind, &one.id).await,
                    };
                }
                before = its.iter().map(|one| one.id.clone()).collect();
            }
            // It may come back.
            Err(_) => quiet = 0,
        }
        if quiet == QUIET {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn is_of(one: &Leftover, maker: &str) -> bool {
    let before = match one.kind {
        LeftoverKind::Container => format!("scratchdbg-{maker}-"),
        LeftoverKind::Image => format!("{}:{maker}-", super::REPOSITORY),
    };
    // Nobody else wants an image without a name.
    named(one).map_or(one.kind == LeftoverKind::Image, |name| name.starts_with(&before))
}

/// Its name, if it has one of ours: Podman takes the name of an image that it then does not remove because a container uses it, and
/// leaves one whose maker was killed with the tag that nobody asked for. It puts `localhost/` before the names of all.
fn named(one: &Leftover) -> Option<&str> {
    let name = one.name.as_deref()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let is_nobodys = one.kind == LeftoverKind::Image && name.strip_prefix(super::REPOSITORY) == Some(":latest");
    (!is_nobodys).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_maker_made_is_its() {
        let one = |kind, name: Option<&str>| Leftover {
            kind,
            id: "x".to_owned(),
            name: name.map(str::to_owned),
            status: None,
            created: None,
            unused: true,
        };
        for (kind, name, its) in [
            (LeftoverKind::Container, Some("scratchdbg-1a2b-0"), true),
            (LeftoverKind::Container, Some("scratchdbg-1a2bc-0"), false),
            (LeftoverKind::Container, Some("shop"), false),
            (LeftoverKind::Container, None, false),
            (LeftoverKind::Image, Some("scratchdbg-helper:1a2b-7"), true),
            (LeftoverKind::Image, Some("localhost/scratchdbg-helper:1a2b-7"), true),
            (LeftoverKind::Image, Some("scratchdbg-helper:1a2-7"), false),
            (LeftoverKind::Image, None, true),
            (LeftoverKind::Image, Some("localhost/scratchdbg-helper:latest"), true),
            (LeftoverKind::Container, Some("scratchdbg-helper:latest"), false),
        ] {
            assert_eq!(is_of(&one(kind, name), "1a2b"), its, "{kind} {name:?}");
        }
    }
}

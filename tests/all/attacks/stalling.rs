//! A file system of the container's own that never answers.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Score, said, settle};
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::support::process::{all_pids, command_line, has_ended, namespace, state};
use crate::support::wait;
use crate::{require_engine, require_root};

/// Longer than a helper may be silent.
const LONG: Duration = Duration::from_secs(8);

fn stalling() -> Container {
    let flags = ["--device=/dev/fuse", "--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined"];
    flags.into_iter().fold(Run::attacker(&["fuse", "/stall"]), Run::flag).start()
}

/// A host's `cat`, which cannot even be killed.
fn naive(container: &Container) -> (Score, Child) {
    let path = format!("/proc/{}/root/stall/file", container.pid());
    let mut cat = Command::new("cat").arg(path).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let waited = wait::ask_within(LONG, || cat.try_wait().unwrap());
    (Score { won: usize::from(waited.is_none()), tried: 1 }, cat)
}

/// What of ours is in there: helpers of the local door.
fn helpers(container: &Container) -> Vec<i32> {
    let network = namespace(container.pid(), "net");
    let ours = |&pid: &i32| command_line(pid).starts_with("scratchdbg-shim\0") && namespace(pid, "net") == network;
    all_pids().filter(ours).collect()
}

#[test]
fn a_file_system_that_never_answers() {
    require_engine!();
    require_root!();
    let container = stalling();
    let (file, folder) = (container.at("/stall/file"), container.at("/stall"));
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy").display().to_string();
    let commands: [&[&str]; 4] =
        [&["cat", &file], &["ls", &folder], &["cp", &file, &copy], &["cat", &file, "--via", "sidecar"]];
    // All at once, for each takes as long as a helper may be silent. A command that waits for ever fails by its time.
    let (mut ours, mut naive) = (Score::default(), None);
    thread::scope(|scope| {
        let all: Vec<_> = commands.iter().map(|command| scope.spawn(move || scratchdbg(command))).collect();
        naive = Some(self::naive(&container));
        for one in all {
            one.join().unwrap().fails_with(1, &["answer"]);
            ours.count(false);
        }
    });
    let held = helpers(&container);
    let (naive, mut cat) = naive.unwrap();
    assert!(said(&container, "holding").len() > commands.len(), "everybody was held");
    settle("file system of the container's never answers", naive, ours);

    // The kernel keeps who waits for such an answer, dead or not, until the file system ends with its container.
    assert!(held.iter().all(|&pid| state(pid) == Some('D')), "{held:?}");
    container.engine_does("kill");
    container.wait_for_state("exited");
    wait::until("those it held to be free", || held.iter().all(|&pid| has_ended(pid)).then_some(()));
    wait::until("the naive one to be free", || cat.try_wait().unwrap());
}

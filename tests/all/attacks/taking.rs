//! A container that takes a helper over, or would have it run the container's code.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Score, said, settle};
use crate::support::command::{binary, run, run_within, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::engine::docker;
use crate::support::wait;
use crate::{require_engine, require_root};

/// Longer than any question to the engine may take.
const LONG: Duration = Duration::from_secs(75);

/// How often a library of the container's was loaded by somebody.
fn loaded(container: &Container) -> usize {
    let marks = scratchdbg(&["cat", &container.at("/tmp/owned")]);
    marks.text().lines().count()
}

#[test]
fn no_library_of_the_container_is_ever_loaded() {
    require_engine!();
    require_root!();
    let container = Run::attacker(&["wait"]).start();
    let name = container.name();
    // A static program of the C library's, run by the host in the container's root.
    let folder = tempfile::tempdir().unwrap();
    let lookup = folder.path().join("lookup");
    docker(&["cp", &container.at("/lookup"), lookup.to_str().unwrap()]);
    std::fs::set_permissions(&lookup, std::fs::Permissions::from_mode(0o755)).unwrap();

    let (root, file) = (container.at("/"), container.at("/etc/nsswitch.conf"));
    let copy = folder.path().join("copy");
    let commands: [&[&str]; 8] = [
        &["list"],
        &["ps", name],
        &["proc", name],
        &["net", name],
        &["ls", &root],
        &["cat", &file],
        &["cp", &file, copy.to_str().unwrap(), "--yes"],
        &["logs", name],
    ];
    let ours = Score::of(commands.len() * 2, |turn| {
        let mut args = commands[turn / 2].to_vec();
        args.extend(["--via", ["local", "sidecar"][turn % 2]]);
        scratchdbg(&args).ok();
        loaded(&container) > 0
    });
    let naive = Score::until_won(3, || {
        let mut command = Command::new(&lookup);
        command.arg(container.pid().to_string()).stdin(Stdio::null());
        run(command).ok();
        loaded(&container) > 0
    });
    settle("library planted by nsswitch.conf runs in who looks up a name", naive, ours);
}

/// The helper says what its captor wants. A command that waits for it without end fails by its time.
#[test]
fn a_helper_taken_over_is_not_believed() {
    require_engine!();
    // An engine that has to do with a process that is held by another one is slow; it is waited for half a minute.
    let ls = |container: &Container| {
        run_within(LONG, binary(&["ls", "-1", &container.at("/"), "--via", "sidecar", "--yes"]))
    };
    let truth = ls(&Run::attacker(&["wait"]).start()).quietly().text();
    for lie in ["oversized", "noise", "wrong-id", "endless", "silence"] {
        let attacker = Run::attacker(&["hijack", lie]).flag("--cap-add=SYS_PTRACE").start();
        let (mut taken, mut ours) = (Score::default(), Score::default());
        // Some are quicker than their captor.
        while ours.tried < 1 && taken.tried < 60 {
            let ended = ls(&attacker);
            ended.is_safe_to_show();
            let caught = said(&attacker, "hijacked").len() > taken.won;
            taken.count(caught);
            if caught {
                ours.count(ended.code() == 0 && ended.text() != truth);
            }
        }
        settle(&format!("helper is taken over and tells lies: {lie}"), taken, ours);
        // Its captor can keep a dead one from being removed, as it can any process that it traces; but not for longer
        // than it lives itself.
        attacker.engine_does("kill");
        let label = format!("label=io.scratchdbg.target={}", attacker.id());
        wait::until("no sidecar to be left", || {
            docker(&["ps", "--all", "--quiet", "--filter", &label]).is_empty().then_some(())
        });
    }
}

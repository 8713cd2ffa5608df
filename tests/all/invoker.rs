//! Whoever typed `sudo`: only the broker stays root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::sidecar::still;
use crate::support::command::{Ended, binary, run, scratchdbg};
use crate::support::container::Run;
use crate::support::held::Held;
use crate::support::process::status;
use crate::support::pty::{Setup, key};
use crate::support::residue::Residue;
use crate::support::unprivileged::NOBODY;
use crate::{require_engine, require_root};

/// What `sudo` tells those it starts. This is run by root, so it is all that there is of `sudo` in it.
fn by_sudo(mut command: Command) -> Command {
    command.env("SUDO_UID", NOBODY.to_string()).env("SUDO_GID", NOBODY.to_string());
    command
}

fn sudo(args: &[&str]) -> Ended {
    run(by_sudo(binary(args)))
}

/// Their four user ids, no capability, and nobody else of theirs may look into it.
#[track_caller]
fn is_theirs(pid: i32) {
    let uid = NOBODY.to_string();
    assert_eq!(status(pid, "Uid"), [uid.as_str(); 4]);
    assert_eq!(status(pid, "Gid"), [uid.as_str(); 4]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(pid, set), ["0".repeat(16)], "{set}");
    }
    assert_eq!(fs::metadata(format!("/proc/{pid}/status")).unwrap().uid(), 0);
}

#[test]
fn all_but_the_broker_is_theirs() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let mut command = by_sudo(binary(&["cat", &container.at("/toolbox")]));
    command.stdin(Stdio::null());
    let held = Held::command(command);
    is_theirs(held.main());
    assert_eq!(status(held.broker(), "Uid"), ["0"; 4]);
    held.let_go();

    let mut terminal = by_sudo_terminal(container.name());
    terminal.wait_for("scratch: no shell");
    is_theirs(terminal.pid());
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
}

fn by_sudo_terminal(name: &str) -> crate::support::pty::Terminal {
    let id = NOBODY.to_string();
    Setup::scratchdbg(&["attach", name]).env("SUDO_UID", &id).env("SUDO_GID", &id).start()
}

#[test]
fn they_see_what_root_sees() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().start();
    let (name, place) = (container.name(), container.at("/"));
    let before = Residue::of(&container);
    for args in [["ls", &place], ["ps", name], ["net", name]] {
        let args = [&args[..], &["--json", "--via", "local"]].concat();
        assert_eq!(still(sudo(&args).quietly().json()), still(scratchdbg(&args).quietly().json()), "{args:?}");
    }
    assert_eq!(sudo(&["logs", name]).quietly().text(), "ready\n");
    let environment = |ended: Ended| ended.quietly().json()["env"].clone();
    assert_eq!(environment(sudo(&["proc", name, "--json"])), environment(scratchdbg(&["proc", name, "--json"])));
    before.assert_unchanged(&container);
}

#[test]
fn files_here_are_theirs() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (container.at("/etc/notes.txt"), folder.path().join("copy"));
    // Root's own folder is not theirs to write into, nor its files to read.
    let refused = sudo(&["cp", &from, to.to_str().unwrap()]);
    refused.fails_with(3, &["permission denied", "as you, not as root", "env -u SUDO_UID"]);
    let secret = folder.path().join("secret");
    fs::write(&secret, "root's own").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = sudo(&["cp", "--write", secret.to_str().unwrap(), &container.at("/stolen")]);
    refused.fails_with(3, &["permission denied", "as you, not as root"]);
    assert_eq!(container.diff(), "");

    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    sudo(&["cp", &from, to.to_str().unwrap()]).quietly();
    assert_eq!(fs::metadata(&to).unwrap().uid(), NOBODY);
}

#[test]
fn who_is_killed_leaves_nothing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        // The kernel lets nobody's death kill a process of root's: the broker has to notice by itself.
        let held = Held::command(by_sudo(binary(&["cat", &container.at("/toolbox")])));
        held.signal(signal);
        held.wait_for_helpers_to_end();
        drop(held);
        before.assert_unchanged(&container);
    }
}

#[test]
fn where_only_root_reaches_the_engine_it_stays_root() {
    require_engine!();
    require_root!();
    let Some(socket) = crate::names::socket() else { return };
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let link = folder.path().join("engine.sock");
    symlink(socket, &link).unwrap();
    let address = format!("unix://{}", link.display());
    let ended = sudo(&["ls", &container.at("/"), "-v", "--host", &address]).ok();
    assert!(ended.stderr.contains("only root may use the engine's socket"), "{}", ended.stderr);
    let ended = sudo(&["ls", &container.at("/"), "-v"]).ok();
    assert!(ended.stderr.contains("done: go on as user 65534, who became root by sudo"), "{}", ended.stderr);
}

//! What `doctor` says, to root and to somebody without rights.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Ended, binary, run, scratchdbg};
use crate::support::container::Run;
use crate::support::engine::{docker, is_podman};
use crate::support::process::has_ended;
use crate::support::residue::Residue;
use crate::support::unprivileged::{NOBODY, Unprivileged};
use crate::{require_engine, require_root};

/// The check of this name: its verdict, and all that it says.
fn check(json: &Value, name: &str) -> (String, String) {
    let all = json.as_array().expect("a list of checks");
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {json:#}"));
    let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
    (text("verdict"), format!("{}\n{}", text("seen"), text("fix")))
}

#[track_caller]
fn says(json: &Value, name: &str, verdict: &str, words: &[&str]) {
    let (found, said) = check(json, name);
    assert_eq!(found, verdict, "{name}: {said}");
    for words in words {
        assert!(said.contains(words), "{name}: no {words:?} in: {said}");
    }
}

fn failures(json: &Value) -> Vec<&Value> {
    json.as_array().unwrap().iter().filter(|one| one["verdict"] == "fail").collect()
}

#[test]
fn root_beside_the_engine_has_every_way_in() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    let ended = scratchdbg(&["doctor", "--json"]).quietly();
    let json = ended.json();
    says(&json, "ways in", "ok", &["local, and sidecar"]);
    for name in ["pidfd", "openat2", "close_range", "setns by pidfd", "capabilities", "entering", "sidecar door"] {
        says(&json, name, "ok", &[]);
    }
    let version = docker(&["version", "--format", "{{.Server.Version}}"]);
    let kind = if is_podman() { "Podman " } else { "Docker " };
    says(&json, "engine", "ok", &[kind, &version, "API 1."]);
    says(&json, "engine's processes", "ok", &["on this host"]);
    says(&json, "terminal", "info", &["commands need none"]);
    let text = scratchdbg(&["doctor"]).quietly();
    text.is_safe_to_show();
    assert!(text.text().contains("ok    ways in"), "{}", text.text());
    before.assert_unchanged(&container);
}

#[test]
fn who_may_use_the_engine_needs_no_root() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    let json = Unprivileged::of_the_engines_group().runs(&["doctor", "--json"]).quietly().json();
    assert_eq!(failures(&json), Vec::<&Value>::new());
    says(&json, "ways in", "ok", &["sidecar: every container", "sudo"]);
    says(&json, "capabilities", "info", &["missing CAP_SYS_PTRACE to look at its process", "needs none"]);
    says(&json, "sidecar door", "ok", &[]);
    before.assert_unchanged(&container);
}

#[test]
fn who_may_do_nothing_is_told_what_to_try() {
    require_engine!();
    require_root!();
    let ended = Unprivileged::of_group(NOBODY).runs(&["doctor", "--json"]).ends_with(1);
    let json = ended.json();
    says(&json, "engine", "fail", &["permission denied", "usermod -aG docker"]);
    says(&json, "ways in", "fail", &["rights are missing", "sudo scratchdbg", "usermod -aG docker"]);
    says(&json, "capabilities", "warn", &["CAP_SYS_ADMIN to join its namespaces"]);
}

/// A program that writes down who it is and never ends.
fn hangs(folder: &Path, name: &str) {
    let path = folder.join(name);
    let script = format!("#!/bin/sh\necho $$ >{}/{name}.pid\nexec tail -f /dev/null\n", folder.display());
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn with_programs(folder: &Path) -> Ended {
    let mut command = binary(&["doctor", "--json"]);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    // Another Delve of this host would be taken instead.
    command.env("PATH", path).env("TMUX", "/nonexistent,1,0").env("SCRATCHDBG_DLV", folder.join("dlv"));
    run(command)
}

#[test]
fn no_program_keeps_it_waiting() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["podman", "dlv", "tmux"] {
        hangs(folder.path(), name);
    }
    let json = with_programs(folder.path()).json();
    says(&json, "dlv", "warn", &["no answer within 2 s", "go install"]);
    says(&json, "podman", "info", &["no answer within 2 s"]);
    says(&json, "clipboard", "warn", &["no answer within 2 s", "set-clipboard on"]);
    for name in ["podman", "dlv", "tmux"] {
        let pid = fs::read_to_string(folder.path().join(format!("{name}.pid"))).unwrap();
        assert!(has_ended(pid.trim().parse().unwrap()), "{name} still runs");
    }
}

#[test]
fn asking_delve_leaves_no_settings_behind() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("dlv");
    // As Delve itself does at every start.
    let script = "#!/bin/sh\nmkdir -p \"$HOME/.config/dlv\" \"$XDG_CONFIG_HOME/dlv\"\nprintf 'Delve Debugger\\nVersion: 1.27.1\\n'\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = binary(&["doctor", "--json"]);
    let search = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    command.env("PATH", search).env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    says(
        &run(command).json(),
        "dlv",
        "ok",
        &["the debugger takes", "version 1.27.1, good for programs of Go 1.19 to 1.27"],
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

//! Looks at a container in every way there is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::bundle::Bundle;
use super::kind::Kind;
use crate::support::command::{Ended, scratchdbg};
use crate::support::container::Container;
use crate::support::engine::{inspect, is_podman};
use crate::support::pty::{Terminal, key};
use crate::support::residue::Residue;
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;

/// The doors.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    Local,
    Sidecar,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Sidecar => "sidecar",
        }
    }

    /// Whoever goes through it: root, but through the sidecar of somebody's own engine nobody but them.
    pub fn looker(self) -> Looker {
        let user = match self {
            Self::Local => None,
            Self::Sidecar => Unprivileged::owner_of_the_engine(),
        };
        Looker { way: vec!["--via", self.name()], user }
    }
}

/// Somebody who looks through a door.
pub struct Looker {
    /// What is said of the way in.
    way: Vec<&'static str>,
    /// Without rights on this host; nobody if it is root.
    user: Option<Unprivileged>,
}

impl Looker {
    /// The same, who trusts what they look at.
    fn trusting(mut self) -> Self {
        self.way.push("--yes");
        self
    }

    /// Runs `scratchdbg ARGS… --via DOOR` to its end.
    pub fn runs(&self, args: &[&str]) -> Ended {
        self.asks(&[args, &self.way].concat())
    }

    /// Runs `scratchdbg ARGS…` to its end.
    pub fn asks(&self, args: &[&str]) -> Ended {
        self.user.as_ref().map_or_else(|| scratchdbg(args), |user| user.runs(args))
    }

    /// The screen.
    pub fn attaches(&self, name: &str) -> Terminal {
        let args = [&["attach", name], &*self.way].concat();
        self.user.as_ref().map_or_else(|| Terminal::scratchdbg(&args), |user| user.terminal(&args))
    }
}

/// Looks through a door, and asserts what is seen and that nothing is left.
pub fn through(door: Door, kind: &Kind) {
    let (name, mut looker) = (kind.container.name(), door.looker());
    let before = Residue::of(&kind.container);
    if matches!(door, Door::Sidecar) && kind.traces {
        // It could take over what starts one: only who trusts it gets one.
        looker.runs(&["ps", name]).fails_with(3, &["no sidecar was put beside", "CAP_SYS_PTRACE", "--yes"]);
        before.assert_unchanged(&kind.container);
        looker = looker.trusting();
    }
    if matches!(door, Door::Sidecar) && kind.paused && is_podman() {
        // It starts nothing that leans on a container that is paused.
        looker.runs(&["ps", name]).fails_with(1, &["cannot put a sidecar beside", "--via local"]);
        before.assert_unchanged(&kind.container);
        return;
    }

    let json = |args: &[&str]| looker.runs(&[args, &["--json"]].concat()).quietly().json();
    ps(&json(&["ps", name]), kind);
    proc(&json(&["proc", name]), kind);
    net(&json(&["net", name]));
    ls(&json(&["ls", &kind.container.at("/")]), kind);
    files(&looker, kind);
    let log = looker.runs(&["logs", name]).quietly();
    assert!(log.text().contains(kind.printed), "{}", log.text());

    let mut terminal = looker.attaches(name);
    // The program was found and read, and so was the image it comes from.
    terminal.wait_for(kind.image);
    terminal.wait_for(&format!("door        {}", door.name()));
    terminal.wait_for(kind.program);
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
    before.assert_unchanged(&kind.container);
}

#[track_caller]
fn list<'a>(value: &'a Value, what: &str) -> &'a [Value] {
    value.as_array().unwrap_or_else(|| panic!("no {what}: {value:#}"))
}

#[track_caller]
fn ps(json: &Value, kind: &Kind) {
    let all = list(&json["processes"], "processes");
    let base = kind.program.rsplit('/').next().unwrap();
    let its = |one: &&Value| one["host_pid"] == kind.container.pid();
    let first = all.iter().find(its).unwrap_or_else(|| panic!("its first process is not among {all:#?}"));
    assert!(first["rss"].as_u64().is_some_and(|bytes| bytes > 0), "{first:#}");
    let named = all.iter().any(|one| one["command"].to_string().contains(base) || kind.program == "/bin/busybox");
    assert!(named, "{base} is not among {all:#?}");
    // A sidecar is in there with it, and is none of its processes. Among those of the host are other tests' sidecars.
    let of_the_host = inspect(kind.container.id())["HostConfig"]["PidMode"] == "host";
    assert!(of_the_host || !all.iter().any(|one| one["name"] == "shim"), "{all:#?}");
    assert_eq!(all.len() > 1, kind.many, "{all:#?}");
}

#[track_caller]
fn proc(json: &Value, kind: &Kind) {
    assert_eq!(json["process"]["host_pid"], kind.container.pid(), "{json:#}");
    // The most private of what is to be read: who cannot look into it sees none of this.
    for part in ["exe", "cwd", "env", "fds", "limits", "maps", "mounts", "capabilities"] {
        assert!(!json[part]["ok"].is_null(), "{part} was not read: {json:#}");
    }
    assert!(list(&json["env"]["ok"], "environment").iter().any(|one| one["name"] == "PATH"), "{json:#}");
}

#[track_caller]
fn net(json: &Value) {
    assert!(list(&json["interfaces"]["ok"], "interfaces").iter().any(|one| one["name"] == "lo"), "{json:#}");
    list(&json["sockets"]["ok"], "sockets");
}

#[track_caller]
fn ls(json: &Value, kind: &Kind) {
    let top = kind.program.split('/').nth(1).unwrap();
    assert!(list(&json["entries"], "entries").iter().any(|one| one["name"] == top), "{json:#}");
}

/// `cat` and `cp`, of a small file and of the program.
#[track_caller]
fn files(looker: &Looker, kind: &Kind) {
    let (path, bytes) = kind.file;
    let read = looker.runs(&["cat", &kind.container.at(path)]).quietly();
    assert!(bytes.is_empty() || read.stdout == bytes, "{path}");
    let folder = tempfile::tempdir().unwrap();
    // Whoever looks may copy to there.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let copy = folder.path().join("copy");
    looker.runs(&["cp", &kind.container.at(path), copy.to_str().unwrap()]).ok();
    assert_eq!(fs::read(copy).unwrap(), read.stdout);
    looker.runs(&["cat", &kind.container.at("/no/such/file")]).fails_with(1, &["/no/such/file"]);
}

/// Of what does not run: its log, why there is no more, and a screen that says so.
pub fn at_what_does_not_run(container: &Container, why: &str, printed: &str, screen: &str) {
    let name = container.name();
    for looker in [Door::Local, Door::Sidecar].map(Door::looker) {
        looker.runs(&["ps", name]).fails_with(4, &[name, why]);
        looker.runs(&["ls", &container.at("/")]).fails_with(4, &[name, why]);
    }
    assert!(scratchdbg(&["logs", name]).ok().text().contains(printed));
    let mut terminal = Terminal::scratchdbg(&["attach", name]);
    terminal.wait_for(screen);
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
}

/// Of what may run or not when it is asked: its log, and an answer that fits one of both.
pub fn at_what_comes_and_goes(container: &Container, printed: &str) {
    wait::until("a log", || scratchdbg(&["logs", container.name()]).ok().stderr.contains(printed).then_some(()));
    for _ in 0..30 {
        let ended = scratchdbg(&["ps", container.name(), "--via", "local"]);
        // Or the engine has not noticed yet that it has ended, and there is no such process.
        let late = ended.code() == 3 && ended.stderr.contains("its process is not here");
        assert!(matches!(ended.code(), 0 | 4) || late, "{ended:?}");
    }
}

/// Of a process that no engine knows: all but a log.
pub fn at_a_process(bundle: &Bundle) {
    let name = format!("pid://{}", bundle.pid());
    let json = |verb: &str, of: &str| scratchdbg(&[verb, of, "--json"]).quietly().json();
    let all = json("ps", &name);
    assert_eq!(all["processes"][0]["host_pid"], bundle.pid(), "{all:#}");
    assert_eq!(all["processes"][0]["uid"], 0, "as it is numbered inside: {all:#}");
    let own = json("proc", &name);
    assert!(!own["fds"]["ok"].is_null() && !own["env"]["ok"].is_null(), "{own:#}");
    net(&json("net", &name));
    let root = json("ls", &format!("{name}:/"));
    assert!(
        list(&root["entries"], "entries").iter().any(|one| one["name"] == "toolbox" && one["uid"] == 0),
        "{root:#}"
    );
    let read = scratchdbg(&["cat", &format!("{name}:/etc/notes.txt")]).quietly();
    assert_eq!(read.stdout, include_bytes!("../../fixtures/toolbox/notes.txt"));
    scratchdbg(&["ps", &name, "--via", "sidecar"]).fails_with(2, &["no engine is asked for", "--via local"]);
    let mut terminal = Terminal::scratchdbg(&["attach", &name]);
    terminal.wait_for("scratch: no shell");
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
}

//! Containers of a Kubernetes node, by the container runtime of that node: a containerd that is the test's own.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::command::{BINARY, Ended, binary, run, scratchdbg};
use crate::support::process::{all_pids, namespace};
use crate::support::pty::Terminal;
use crate::support::runtime::{self, Runtime};
use crate::support::{skip, wait};
use crate::{require_engine, require_root};

/// Asks with the socket of a runtime.
struct Asked<'r>(&'r Runtime);

impl Asked<'_> {
    fn words(&self, args: &[&str]) -> Vec<String> {
        let mut words: Vec<String> = args.iter().map(|&word| word.to_owned()).collect();
        words.extend(["--cri-socket".to_owned(), format!("unix://{}", self.0.socket().display())]);
        words
    }

    fn runs(&self, args: &[&str]) -> Ended {
        scratchdbg(&self.words(args))
    }

    /// The screen, once it has looked inside.
    fn shows(&self) -> Terminal {
        let words = self.words(&["attach", APP]);
        let terminal = Terminal::scratchdbg(&words.iter().map(String::as_str).collect::<Vec<_>>());
        terminal.wait_for("scratch: no shell");
        terminal
    }
}

/// Everybody in the namespaces of a process, and its mounts.
fn around(pid: i64) -> (Vec<i32>, String) {
    let same = |other: &i32, kind| namespace(*other, kind).is_some() && namespace(*other, kind) == namespace(pid, kind);
    let mut all: Vec<_> = all_pids().filter(|other| ["pid", "mnt"].iter().any(|kind| same(other, kind))).collect();
    all.sort_unstable();
    (all, fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap())
}

/// What is called so by its pod.
const APP: &str = "cri://default/web-1/app";

#[test]
fn what_a_node_runs() {
    require_engine!();
    require_root!();
    if !skip::go_on(runtime::missing()) {
        return;
    }
    let mut runtime = Runtime::start();
    assert_eq!(
        Asked(&runtime).runs(&["list", "--cri", "--json", "-q"]).quietly().json()["containers"],
        serde_json::json!([])
    );
    let web = runtime.pod("default", "web-1");
    let gone = runtime.run(&web, "app", 0, &["crowd", "10"]);
    runtime.stop(&gone);
    let app = runtime.run(&web, "app", 1, &["crowd", "100"]);
    let job = runtime.pod("batch", "job-1");
    let side = runtime.run(&job, "side", 0, &["sleep"]);
    let asked = Asked(&runtime);

    is_listed(&asked, &app);
    let pid = is_found(&asked, &app);
    let before = around(pid);
    is_looked_into(&asked, pid);
    is_shown(&asked);
    wait::until("nothing to be left of that", || (around(pid) == before).then_some(()));
    what_cannot_be_is_said(&asked, &gone);
    whoever_asks(&asked);
    ends_while_it_is_looked_at(&asked, &app, pid);
    runtime.stop(&side);
}

/// All of them are listed, and looked into where they run.
fn is_listed(asked: &Asked<'_>, app: &str) {
    let list = asked.runs(&["list", "--cri", "--json"]).quietly().json();
    let rows = list["containers"].as_array().unwrap();
    let shown: Vec<_> =
        rows.iter().map(|row| (row["target"].as_str().unwrap(), row["state"].as_str().unwrap())).collect();
    assert_eq!(
        shown,
        [
            ("cri://batch/job-1/side", "running"),
            ("cri://default/web-1/app", "exited"),
            ("cri://default/web-1/app", "running")
        ]
    );
    assert_eq!((&rows[2]["id"], &rows[2]["kind"]), (&app.into(), &"scratch".into()), "{list:#}");
    assert!(rows[2]["go"]["version"].as_str().unwrap().starts_with("go1."));
    assert_eq!(
        asked.runs(&["list", "--cri", "--running", "--json"]).quietly().json()["containers"].as_array().unwrap().len(),
        2
    );
    let text = asked.runs(&["list", "--cri"]).quietly().text();
    assert!(text.lines().count() == 4 && text.contains("web-1") && text.contains("scratchdbg-test/toolbox"), "{text}");
}

/// The run that lives is the one that is meant, by whatever name. Its first process.
fn is_found(asked: &Asked<'_>, app: &str) -> i64 {
    let ps = asked.runs(&["ps", APP, "--json"]).quietly().json();
    let first = &ps["processes"][0];
    assert_eq!(first["pid"], 1, "{ps:#}");
    let pid = first["host_pid"].as_i64().unwrap();
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert!(cgroup.contains(app), "{cgroup}");
    for name in [format!("cri://{app}"), format!("cri://{}", &app[..12]), "cri://default/web-1".to_owned()] {
        let same = asked.runs(&["ps", &name, "--json"]).quietly().json();
        assert_eq!(same["processes"][0]["host_pid"], pid, "{name}");
    }
    pid
}

/// As any process of this host.
fn is_looked_into(asked: &Asked<'_>, pid: i64) {
    let by_pid = format!("pid://{pid}");
    let of = |path: &str| asked.runs(&["cat", &format!("{APP}:{path}")]).quietly().stdout;
    assert!(of("/toolbox") == scratchdbg(&["cat", &format!("{by_pid}:/toolbox")]).quietly().stdout);
    let names = |target: &str| -> Vec<Value> {
        let listed = asked.runs(&["ls", &format!("{target}:/"), "--json"]).quietly().json();
        listed["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect()
    };
    assert!(names(APP) == names(&by_pid) && names(APP).contains(&"toolbox".into()));
    let proc = asked.runs(&["proc", APP, "--json"]).quietly().json();
    assert_eq!((&proc["process"]["uid"], &proc["process"]["host_pid"]), (&65532.into(), &pid.into()));
    let goroutines = asked.runs(&["goroutines", APP, "--json"]).quietly().json();
    assert!(goroutines.to_string().contains("crowd"), "{goroutines:#}");
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).display().to_string();
    let core = asked.runs(&["core", APP, "-o", &out("core"), "--json", "-q"]).quietly().json();
    assert_eq!(
        (&core["host_pid"], core["size"].as_u64()),
        (&pid.into(), fs::metadata(out("core")).ok().map(|file| file.len()))
    );
    asked.runs(&["cp", &format!("{APP}:/toolbox"), &out("copy")]).ok();
    assert!(fs::read(out("copy")).unwrap() == of("/toolbox"));
    let checked = asked.runs(&["check", APP, "--json", "--fail-on", "never"]).quietly().json();
    assert!(checked["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{checked:#}");
    let plan = asked.runs(&["attach", APP, "--dry-run"]).quietly().text();
    assert!(plan.contains("local") && plan.contains("ask the container runtime again"), "{plan}");
}

fn is_shown(asked: &Asked<'_>) {
    let mut terminal = asked.shows();
    terminal.wait_for("default/web-1");
    terminal.press("q");
    assert!(terminal.wait_exit().success());
}

/// With the way out.
fn what_cannot_be_is_said(asked: &Asked<'_>, gone: &str) {
    asked.runs(&["ps", &format!("cri://{gone}")]).fails_with(4, &["not running", "it ended with status 137"]);
    asked.runs(&["ps", "cri://default/web-1/none"]).fails_with(4, &["no container", "cri://default/web-1/app"]);
    asked.runs(&["ps", "cri://other/web-1/app"]).fails_with(4, &["no container", "cri://default/web-1/app"]);
    asked.runs(&["ps", APP, "--via", "sidecar"]).fails_with(2, &["no sidecar", "--via local"]);
    asked.runs(&["logs", APP]).fails_with(2, &["kubectl logs -n default web-1 -c app"]);
    scratchdbg(&["ps", "cri://a/b/c/d"]).ends_with(2);
    scratchdbg(&["ps", APP, "--cri-socket", "/nonexistent"]).fails_with(5, &["/nonexistent", "--cri-socket"]);
    scratchdbg(&["ps", APP, "--cri-socket", "here"]).fails_with(2, &["here", "unix://"]);
    let mut command = binary(&["ps", APP]);
    command.env("CONTAINER_RUNTIME_ENDPOINT", format!("unix://{}", asked.0.socket().display()));
    run(command).quietly();
}

/// Who is not root is told so; who became root by sudo goes on as themselves, with the group that the socket is open to.
fn whoever_asks(asked: &Asked<'_>) {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY]).args(asked.words(&["ps", APP]));
    run(command).fails_with(3, &["permission denied", "sudo"]);
    let mut command = binary(&asked.words(&["ps", APP, "-v"]));
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
    let ended = run(command).ok();
    assert!(ended.stderr.contains("done: go on as user 65534"), "{}", ended.stderr);
}

fn ends_while_it_is_looked_at(asked: &Asked<'_>, app: &str, pid: i64) {
    let its_mounts = namespace(pid, "mnt").unwrap();
    let terminal = asked.shows();
    asked.0.stop(app);
    terminal.wait_for("not running");
    drop(terminal);
    asked.runs(&["ps", APP]).fails_with(4, &["not running"]);
    let inside = |other: &i32| namespace(*other, "mnt").is_some_and(|mounts| mounts == its_mounts);
    wait::until("the helper to be gone", || all_pids().all(|other| !inside(&other)).then_some(()));
}

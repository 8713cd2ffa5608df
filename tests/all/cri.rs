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
}

/// Everybody in the namespaces of a process, and its mounts.
fn around(pid: i64) -> (Vec<i32>, String) {
    let same = |other: &i32, kind| namespace(*other, kind).is_some() && namespace(*other, kind) == namespace(pid, kind);
    let mut all: Vec<_> = all_pids().filter(|other| ["pid", "mnt"].iter().any(|kind| same(other, kind))).collect();
    all.sort_unstable();
    (all, fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap())
}

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

    // All of them are listed, and looked into where they run.
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
    assert_eq!((&rows[2]["id"], &rows[2]["kind"]), (&app.as_str().into(), &"scratch".into()), "{list:#}");
    assert!(rows[2]["go"]["version"].as_str().unwrap().starts_with("go1."));
    assert_eq!(
        asked.runs(&["list", "--cri", "--running", "--json"]).quietly().json()["containers"].as_array().unwrap().len(),
        2
    );
    let text = asked.runs(&["list", "--cri"]).quietly().text();
    assert!(text.lines().count() == 4 && text.contains("web-1") && text.contains("scratchdbg-test/toolbox"), "{text}");

    // The run that lives is the one that is meant, by whatever name.
    let ps = asked.runs(&["ps", "cri://default/web-1/app", "--json"]).quietly().json();
    let first = &ps["processes"][0];
    assert_eq!(first["pid"], 1, "{ps:#}");
    let pid = first["host_pid"].as_i64().unwrap();
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert!(cgroup.contains(&app), "{cgroup}");
    let before = around(pid);
    for name in [format!("cri://{app}"), format!("cri://{}", &app[..12]), "cri://default/web-1".to_owned()] {
        let same = asked.runs(&["ps", &name, "--json"]).quietly().json();
        assert_eq!(same["processes"][0]["host_pid"], pid, "{name}");
    }

    // As of any process of this host.
    let (by_name, by_pid) = ("cri://default/web-1/app", format!("pid://{pid}"));
    let of = |path: &str| asked.runs(&["cat", &format!("{by_name}:{path}")]).quietly().stdout;
    assert!(of("/toolbox") == scratchdbg(&["cat", &format!("{by_pid}:/toolbox")]).quietly().stdout);
    let names = |target: &str| -> Vec<Value> {
        let listed = asked.runs(&["ls", &format!("{target}:/"), "--json"]).quietly().json();
        listed["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect()
    };
    assert!(names(by_name) == names(&by_pid) && names(by_name).contains(&"toolbox".into()));
    let proc = asked.runs(&["proc", by_name, "--json"]).quietly().json();
    assert_eq!((&proc["process"]["uid"], &proc["process"]["host_pid"]), (&65532.into(), &pid.into()));
    let goroutines = asked.runs(&["goroutines", by_name, "--json"]).quietly().json();
    assert!(goroutines.to_string().contains("crowd"), "{goroutines:#}");
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).display().to_string();
    let core = asked.runs(&["core", by_name, "-o", &out("core"), "--json", "-q"]).quietly().json();
    assert_eq!(
        (&core["host_pid"], core["size"].as_u64()),
        (&pid.into(), fs::metadata(out("core")).ok().map(|file| file.len()))
    );
    asked.runs(&["cp", &format!("{by_name}:/toolbox"), &out("copy")]).ok();
    assert!(fs::read(out("copy")).unwrap() == of("/toolbox"));
    let checked = asked.runs(&["check", by_name, "--json", "--fail-on", "never"]).quietly().json();
    assert!(checked["findings"].as_array().is_some_and(|findings| !findings.is_empty()), "{checked:#}");
    let plan = asked.runs(&["attach", by_name, "--dry-run"]).quietly().text();
    assert!(plan.contains("local") && plan.contains("ask the container runtime again"), "{plan}");

    // The screen, too.
    let words = asked.words(&["attach", by_name]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::scratchdbg(&words);
    terminal.wait_for("default/web-1");
    terminal.wait_for("scratch: no shell");
    terminal.press("q");
    assert!(terminal.wait_exit().success());

    // Nothing of that is left.
    assert_eq!(around(pid), before);

    // What cannot be, is said with the way out.
    asked.runs(&["ps", &format!("cri://{gone}")]).fails_with(4, &["not running", "it ended with status 137"]);
    asked.runs(&["ps", "cri://default/web-1/none"]).fails_with(4, &["no container", "cri://default/web-1/app"]);
    asked.runs(&["ps", "cri://other/web-1/app"]).fails_with(4, &["no container", "cri://default/web-1/app"]);
    asked.runs(&["ps", by_name, "--via", "sidecar"]).fails_with(2, &["no sidecar", "--via local"]);
    asked.runs(&["logs", by_name]).fails_with(2, &["kubectl logs -n default web-1 -c app"]);
    scratchdbg(&["ps", "cri://a/b/c/d"]).ends_with(2);
    scratchdbg(&["ps", by_name, "--cri-socket", "/nonexistent"]).fails_with(5, &["/nonexistent", "--cri-socket"]);
    scratchdbg(&["ps", by_name, "--cri-socket", "here"]).fails_with(2, &["here", "unix://"]);
    let mut command = binary(&["ps", by_name]);
    command.env("CONTAINER_RUNTIME_ENDPOINT", format!("unix://{}", runtime.socket().display()));
    run(command).quietly();

    // Who is not root is told so; who became root by sudo goes on as themselves, with the group that the socket is open to.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", BINARY]).args(asked.words(&["ps", by_name]));
    run(command).fails_with(3, &["permission denied", "sudo"]);
    let mut command = binary(&asked.words(&["ps", by_name, "-v"]));
    command.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
    let ended = run(command).ok();
    assert!(ended.stderr.contains("done: go on as user 65534"), "{}", ended.stderr);

    // It ends while it is looked at.
    let its_mounts = namespace(pid, "mnt").unwrap();
    let terminal = Terminal::scratchdbg(&words);
    terminal.wait_for("scratch: no shell");
    runtime.stop(&app);
    terminal.wait_for("not running");
    drop(terminal);
    asked.runs(&["ps", by_name]).fails_with(4, &["not running"]);
    let inside = |other: &i32| namespace(*other, "mnt").is_some_and(|mounts| mounts == its_mounts);
    wait::until("the helper to be gone", || all_pids().all(|other| !inside(&other)).then_some(()));
    runtime.stop(&side);
}

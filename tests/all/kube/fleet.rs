//! Many pods in one command: what all of them say is one answer, who says nothing is named with the reason, and nothing that was
//! added to any of them runs on.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use fakekube::{FakeKube, Fault, User};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::looker::{Looker, added, all_ended, pod, shop};
use crate::support::engine::try_docker;
use crate::support::pty::key;
use crate::support::wait;
use crate::{require_engine, require_kubectl};

/// A pod of the fleet, whose containers are to run or are not.
fn web(name: &str, container: Value) -> Value {
    let mut pod = pod("default", name, container, &json!({}));
    pod["metadata"]["labels"] = json!({"app": "web", "name": name});
    pod
}

fn runs(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["state"].get("running").is_some()
}

/// A cluster with these pods of the sample web server. They are begun at once.
fn fleet(kube: &FakeKube, names: &[String]) {
    for name in names {
        kube.apply(web(name, shop()));
    }
    for name in names {
        kube.wait_for_pod("default", name, "it to run", runs);
        kube.wait_for_log("default", name, "app", "shop open");
    }
}

/// Whether the engine says so of one of its containers.
fn is_running(id: &str) -> bool {
    try_docker(&["inspect", "--format", "{{.State.Running}}", id]) == Ok("true".into())
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("web-{number:02}")).collect()
}

fn all_added(kube: &FakeKube, names: &[String]) -> usize {
    names.iter().map(|name| added(kube, "default", name).len()).sum()
}

#[test]
fn twenty_pods_three_of_which_fail_in_different_ways() {
    require_engine!();
    let kube = FakeKube::start();
    let names = names(20);
    let (well, ill) = names.split_at(17);
    fleet(&kube, &[well, &ill[1..]].concat());
    kube.apply(web(
        &ill[0],
        json!({"image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", "echo no coins; exit 3"]}),
    ));
    // By then it is left alone for seconds before it is tried again.
    kube.wait_for_pod("default", &ill[0], "a long back-off", |pod| {
        let status = &pod["status"]["containerStatuses"][0];
        let waits = status["state"]["waiting"]["reason"] == "CrashLoopBackOff";
        waits && status["restartCount"].as_u64() >= Some(4)
    });
    kube.breaks(&format!("default/{}", ill[1]), Fault::ErrImagePull);
    kube.breaks(&format!("default/{}", ill[2]), Fault::NeverStarts);
    let jane = Looker::new(&kube, User::debugger("jane"));

    // So many records that stay are not made unasked.
    let asked = jane.runs(&["goroutines", "-l", "app=web"]);
    asked.fails_with(2, &["added to each of 19 pods", "no terminal to ask on", "--yes"]);
    assert_eq!(all_added(&kube, &names), 0);

    let told = jane.runs(&["goroutines", "-l", "app=web", "--yes", "--timeout", "8s", "--json"]).ends_with(1);
    for words in [
        "19 containers were added to pods and end with this command",
        "web-18: default/web-18/app does not run",
        "web-19: sdbg-app-1 cannot start in pod default/web-19: ErrImagePull",
        "web-20: sdbg-app-1 did not start in pod default/web-20 within 8 s",
        "17 of 20 pods answered",
    ] {
        assert!(told.stderr.contains(words), "no {words:?} in:\n{}", told.stderr);
    }
    told.is_safe_to_show();
    let document = told.json();
    assert_eq!((&document["answered"], &document["failed"]), (&17.into(), &3.into()));
    let kinds: Vec<_> = document["pods"].as_array().unwrap().iter().map(|one| one["error"]["kind"].as_str()).collect();
    assert_eq!(kinds[..17], [None; 17]);
    assert_eq!(kinds[17..], [Some("no_target"), Some("failed"), Some("failed")]);
    // The same stack in all of them is one group, and each pod has as many as it says for itself.
    let groups = document["groups"].as_array().unwrap();
    let count = |value: &Value| value["count"].as_u64().unwrap();
    let main = groups.iter().find(|group| group["stack"].to_string().contains("\"main.main\"")).unwrap();
    assert_eq!((count(main), main["pods"].as_array().unwrap().len()), (17, 17), "{main:#}");
    for group in groups {
        assert_eq!(count(group), group["pods"].as_array().unwrap().iter().map(count).sum::<u64>());
    }
    assert_eq!(document["builds"].as_array().unwrap().len(), 1);
    for name in well {
        let ended = all_ended(&kube, "default", name);
        assert_eq!((ended.len(), &ended[0]["exitCode"]), (1, &0.into()), "{name}");
    }

    // The log of what crashes is there as well as any, and of all of them the first line comes first.
    let log = jane.runs(&["logs", "-l", "app=web", "--timestamps"]).quietly().text();
    let mut times: Vec<_> = log.lines().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
    let open = log.lines().filter(|line| line.contains("shop open")).count();
    assert_eq!((open, times.is_sorted()), (19, true), "{log}");
    times.sort();
    for name in &names {
        assert!(log.lines().any(|line| line.starts_with(&format!("{name} | "))), "{name} is not in:\n{log}");
    }
    let lines = jane.runs(&["logs", "-l", "app=web,name!=web-18", "--tail", "1", "--json"]).quietly().json_lines();
    let said: Vec<_> = lines.iter().map(|line| (line["pod"].as_str().unwrap(), line["container"].as_str())).collect();
    assert!(said.len() == 19 && said.contains(&("web-20", Some("app"))), "{said:?}");
}

#[test]
fn one_table_and_one_report_and_what_was_left_is_used_again() {
    require_engine!();
    let kube = FakeKube::start();
    let names = names(4);
    fleet(&kube, &names);
    let over = json!({"image": "scratchdbg-test/toolbox", "args": ["no such part"]});
    let mut over = web("web-99", over);
    over["spec"]["restartPolicy"] = json!("Never");
    kube.apply(over);
    kube.wait_for_pod("default", "web-99", "its end", |pod| pod["status"]["phase"] == "Failed");
    let jane = Looker::new(&kube, User::debugger("jane"));
    let mut terminal = jane.screen(&["ps", "-l", "app=web"]);
    terminal.wait_for("is added to each of 4 pods");
    terminal.wait_for("Add them? [y/N]");
    terminal.press("n");
    terminal.press(key::ENTER);
    assert_eq!(terminal.wait_exit().exit_code(), 1, "{}", terminal.framed());
    assert_eq!(all_added(&kube, &names), 0);
    let ps = jane.runs(&["ps", "-l", "app=web", "--yes", "--keep=60s"]).ok();
    assert!(ps.stderr.contains("stay until nobody has used them for 1m"), "{}", ps.stderr);
    assert!(ps.stderr.contains("1 pod is over, and left out: web-99"), "{}", ps.stderr);
    let rows: Vec<_> =
        ps.text().lines().skip(1).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert_eq!(rows, names);
    // Nothing more is added, so nobody is asked.
    let check = jane.runs(&["check", "-l", "app=web", "-q", "--fail-on", "never"]).quietly().text();
    assert!(check.contains("4 pods with app=web: ") && check.matches("users.").count() == 0, "{check}");
    let failing = jane.runs(&["check", "-l", "app=web", "-q", "--json"]);
    let document = failing.json();
    let failures = document["counts"]["failure"].as_u64().unwrap();
    assert_eq!(failing.code(), i32::from(failures > 0));
    let of_all = document["findings"].as_array().unwrap().iter().all(|one| one["pods"].as_array().unwrap().len() == 4);
    assert!(of_all && !document["findings"].as_array().unwrap().is_empty(), "{document:#}");
    let groups = jane.runs(&["goroutines", "-l", "app=web", "-q", "-A"]).quietly().text();
    assert!(groups.contains("(4 pods, each read in") && groups.contains("in all 4 pods, 1 each"), "{groups}");
    assert_eq!(all_added(&kube, &names), 4);
}

/// In the middle of it: some containers have been added, and the cluster does not even tell yet that they run.
#[test]
fn a_signal_in_the_middle_leaves_no_container_running() {
    require_engine!();
    let kube = FakeKube::start();
    let names = names(4);
    fleet(&kube, &names);
    let jane = Looker::new(&kube, User::debugger("jane"));
    for name in &names {
        kube.breaks(&format!("default/{name}/sdbg-app-1"), Fault::SlowStatus(Duration::from_secs(4)));
    }
    let args = ["goroutines", "-l", "app=web", "--yes", "-q", "--at-once", "3"];
    let mut child = jane.command(&args).stdout(File::create(kube.folder().join("out")).unwrap()).spawn().unwrap();
    let ids = || names.iter().filter_map(|name| kube.container_id("default", name, "sdbg-app-1")).collect::<Vec<_>>();
    let ids = wait::until("three that run", || {
        Some(ids()).filter(|ids| ids.len() == 3 && ids.iter().all(|id| is_running(id)))
    });
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Told to end, and not left to end by themselves when nobody has used them for a minute.
    wait::until("the end of all", || ids.iter().all(|id| !is_running(id)).then_some(()));
    // And nothing was begun any more.
    assert_eq!(all_added(&kube, &names), 3);
}

#[test]
fn a_pod_that_dies_meanwhile_takes_nobody_along() {
    require_engine!();
    let kube = FakeKube::start();
    let names = names(3);
    fleet(&kube, &names);
    let jane = Looker::new(&kube, User::debugger("jane"));
    kube.breaks("default/web-02/sdbg-app-1", Fault::SlowStatus(Duration::from_secs(2)));
    let (out, err) = (kube.folder().join("out"), kube.folder().join("err"));
    let mut command = jane.command(&["goroutines", "-l", "app=web", "--json"]);
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    wait::until("one that runs", || kube.container_id("default", "web-02", "sdbg-app-1").filter(|id| is_running(id)));
    try_docker(&["kill", &kube.container_id("default", "web-02", "app").unwrap()]).unwrap();
    let status = child.wait().unwrap();
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(status.code(), Some(1), "{}", text(&err));
    assert!(text(&err).contains("2 of 3 pods answered"), "{}", text(&err));
    let document: Value = serde_json::from_str(&text(&out)).unwrap();
    let failed: Vec<_> = document["pods"].as_array().unwrap().iter().map(|one| !one["error"].is_null()).collect();
    assert_eq!(failed, [false, true, false]);
    for name in &names {
        all_ended(&kube, "default", name);
    }
}

/// Says who it is, and waits.
fn speaker(name: &str) -> Value {
    let words = format!("echo hello from {name}; exec /bin/sleep 600");
    web(name, json!({"image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", words]}))
}

#[test]
fn pods_that_come_are_followed_and_those_that_go_end_quietly() {
    require_engine!();
    require_kubectl!();
    let kube = FakeKube::start();
    kube.run(speaker("web-1"));
    kube.run(speaker("web-2"));
    let jane = Looker::new(&kube, User::debugger("jane"));
    let (out, err) = (kube.folder().join("out"), kube.folder().join("err"));
    let mut command = jane.command(&["logs", "-l", "app=web", "-f", "--json"]);
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let mut child = command.spawn().unwrap();
    let said = |pod: &str, times: usize| {
        let count = || {
            let text = std::fs::read_to_string(&out).unwrap();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.filter(|line| line["pod"] == pod && line["text"] == format!("hello from {pod}")).count()
        };
        wait::until(&format!("{times} words of {pod}"), || (count() >= times).then_some(()));
        assert_eq!(count(), times, "{pod}");
    };
    said("web-1", 1);
    said("web-2", 1);
    // One comes, one is started anew, one goes.
    kube.run(speaker("web-3"));
    try_docker(&["kill", &kube.container_id("default", "web-1", "app").unwrap()]).unwrap();
    let admin = kube.user(User::admin("admin"));
    crate::support::kubectl::run_kubectl(&admin, &["delete", "pod", "web-2", "--wait=false"]).ok();
    said("web-3", 1);
    said("web-1", 2);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    child.wait().unwrap();
    said("web-2", 1);
    assert_eq!(std::fs::read_to_string(&err).unwrap(), "");
}

#[test]
fn what_cannot_be_is_told_before_anything_is_added() {
    require_engine!();
    let kube = FakeKube::start();
    let names = names(2);
    fleet(&kube, &names);
    let jane = Looker::new(&kube, User::debugger("jane"));
    jane.runs(&["ps", "-l", "app=other"])
        .fails_with(4, &["no pod has the labels app=other in namespace default", "-A"]);
    jane.runs(&["ps", "-l", ""]).fails_with(2, &["without a label"]);
    jane.runs(&["ps", "-l", "deploy/web"]).fails_with(4, &["deploy/web is a TARGET"]);
    jane.runs(&["logs", "-l", "app=web", "--stderr"]).fails_with(2, &["does not tell"]);
    jane.runs(&["logs", "-l", "app=web", "-f", "--previous"]).fails_with(2, &["leave out -f"]);
    let panic = ["goroutines", "-l", "app=web", "--format", "panic"];
    jane.runs(&panic).fails_with(2, &["--format"]);
    let both = jane.runs(&["check", "pod/web-01", "-l", "app=web"]).ends_with(2);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
    let without = Looker::new(&kube, User::debugger("joe").but_not("list", "pods"));
    without.runs(&["ps", "-l", "app=web"]).fails_with(3, &["cannot list resource \"pods\"", "kube rbac"]);
    // The same reason is told once.
    let without = Looker::new(&kube, User::debugger("joe").but_not("get", "pods/exec"));
    let told = without.runs(&["goroutines", "-l", "app=web"]).ends_with(3);
    assert!(told.stderr.contains("2 pods (web-01, web-02): RBAC does not let you look"), "{}", told.stderr);
    assert!(told.stderr.contains("none of 2 pods answered"), "{}", told.stderr);
    assert_eq!(told.text(), "");
    let crowd = ["ps", "-l", "app=web", "-c", "nobody"];
    let told = jane.runs(&crowd).ends_with(4);
    assert!(told.stderr.contains("pod POD has no container \"nobody\""), "{}", told.stderr);
    assert_eq!(all_added(&kube, &names), 0);
}

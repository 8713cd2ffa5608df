//! What is seen of a pod is what is there, by the target's own user, and with nothing left running.

use fakekube::{FakeKube, Fault, User};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::looker::{Looker, added, all_ended, namespace, pod, restricted, shop};
use crate::sidecar::still;
use crate::support::command::{BINARY, run, scratchdbg};
use crate::support::engine::try_docker;
use crate::support::kubectl::kubectl;
use crate::support::wait;
use crate::{require_engine, require_kubectl, require_root};

const WEB: &str = "k8s://shop/web";

#[test]
fn a_pod_in_a_restricted_namespace_is_seen_as_from_its_node() {
    require_engine!();
    require_root!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    // One is added, and used by all that follow.
    let first = jane.runs(&["ps", WEB, "--keep=60s", "--json"]).ok();
    assert!(first.stderr.contains("sdbg-app-1 was added to pod shop/web"), "{}", first.stderr);
    let processes = first.json()["processes"].as_array().unwrap().clone();
    assert_eq!(
        (&processes[0]["pid"], &processes[0]["name"], &processes[0]["uid"]),
        (&1.into(), &"shop".into(), &65532.into())
    );
    // What holds our place is none of the target's.
    assert_eq!(processes.len(), 1, "{processes:#?}");

    let node = kube.container_id("shop", "web", "app").unwrap();
    let local = |args: &[&str]| scratchdbg(&[args, &["--via", "local", "--json"]].concat()).quietly().json();
    let at = |target: &str, path: &str| format!("{target}:{path}");
    for path in ["/", "/etc/shop", "/shop"] {
        let ours = jane.runs(&["ls", &at(WEB, path), "--json"]).quietly().json();
        assert_eq!(still(ours), still(local(&["ls", &at(&node, path)])), "{path}");
    }
    let ours = jane.runs(&["cat", &at(WEB, "/shop")]).quietly().stdout;
    let theirs = scratchdbg(&["cat", &at(&node, "/shop"), "--via", "local"]).quietly().stdout;
    assert!(ours == theirs && !ours.is_empty());
    let copied = jane.runs(&["cp", &at(WEB, "/etc/shop/config.json"), "-"]).quietly().stdout;
    assert!(!copied.is_empty() && serde_json::from_slice::<Value>(&copied).is_ok());
    let (ours, theirs) = (jane.runs(&["proc", WEB, "--json"]).quietly().json(), local(&["proc", &node]));
    for part in ["exe", "cwd", "env", "limits", "capabilities"] {
        assert_eq!(still(ours[part].clone()), still(theirs[part].clone()), "{part}");
    }
    let sockets = jane.runs(&["net", WEB]).quietly().text();
    assert!(sockets.contains("127.0.0.1:6060") && sockets.contains("shop"), "{sockets}");
    let go = jane.runs(&["go", WEB, "--json"]).quietly().json();
    assert_eq!(go, local(&["go", &node]));
    let groups = jane.runs(&["goroutines", WEB, "--runtime", "--json"]).quietly().json();
    let all = groups["groups"].as_array().unwrap();
    let ends: Vec<_> = all.iter().filter_map(|group| group["stack"].as_array()?.last()?["function"].as_str()).collect();
    assert!(ends.contains(&"runtime.main"), "{ends:?}");
    assert_eq!(groups["unreadable"], 0);
    jane.runs(&["threads", WEB]).quietly();
    let check = jane.runs(&["check", WEB, "--fail-on", "never", "--json"]).quietly().json();
    assert_eq!((&check["kind"], &check["uid"]), (&"container".into(), &65532.into()));

    let all = added(&kube, "shop", "web");
    assert_eq!(all.len(), 1, "{all:#?}");
    let rights = &all[0]["securityContext"];
    assert_eq!((&rights["runAsUser"], &rights["runAsGroup"]), (&65532.into(), &0.into()));
    assert_eq!(rights["capabilities"]["drop"], json!(["ALL"]));
}

#[test]
fn what_was_added_ends_with_the_command_and_nothing_but_its_record_stays() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let ended = jane.runs(&["ls", "k8s://shop/web/app:/", "-v"]).ok();
    for words in ["ends with this command", "its record stays in the pod", "kube: done: end sdbg-app-1", "undone: "] {
        assert!(ended.stderr.contains(words), "no {words:?} in:\n{}", ended.stderr);
    }
    let how = all_ended(&kube, "shop", "web");
    assert_eq!(how.len(), 1);
    assert_eq!(how[0]["exitCode"], 0, "{how:#?}");
    // Another command adds another one: a name cannot be used again.
    jane.runs(&["ls", "k8s://shop/web/app:/", "-q"]).quietly();
    let names: Vec<_> = added(&kube, "shop", "web").iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&"sdbg-app-2".into()), "{names:?}");
    all_ended(&kube, "shop", "web");
    // A dry run adds nothing, but knows as whom.
    let plan = jane.runs(&["attach", WEB, "--dry-run", "--json"]).quietly().json();
    assert_eq!((&plan["door"], &plan["uid"], &plan["gid"]), (&"kube".into(), &65532.into(), &0.into()));
    assert_eq!((&plan["keeps"], added(&kube, "shop", "web").len()), (&json!([]), 2));
}

#[test]
fn somebody_who_is_killed_leaves_nothing_running_for_long() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let folder = kube.folder().join("copied");
    // It goes on for as long as nobody reads what it watches.
    let args = ["goroutines", WEB, "--watch=200ms", "--json", "--keep=2s"];
    let mut child = jane.command(&args).stdout(std::fs::File::create(folder).unwrap()).spawn().unwrap();
    let running = |pod: &Value| pod["status"]["ephemeralContainerStatuses"][0]["state"].get("running").is_some();
    kube.wait_for_pod("shop", "web", "the holder to run", running);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(all_ended(&kube, "shop", "web")[0]["exitCode"], 0);
}

/// The cluster may tell of a holder that it runs for a while after its end.
#[test]
fn one_that_has_just_ended_is_no_obstacle() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    jane.runs(&["ls", "k8s://shop/web:/", "-q", "--keep=60s"]).quietly();
    kube.breaks("shop/web/sdbg-app-1", Fault::PlainText500);
    jane.runs(&["ls", "k8s://shop/web:/", "-q"]).quietly();
    assert_eq!(added(&kube, "shop", "web").len(), 2);
}

/// As Ctrl-C does, and a session that ends.
#[test]
fn a_signal_ends_what_was_added_before_it_ends_the_command() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    for (number, signal) in (1..).zip([Signal::SIGINT, Signal::SIGTERM]) {
        let out = kube.folder().join(signal.as_str());
        let args = ["goroutines", WEB, "--watch=200ms", "--json", "-q"];
        let mut child = jane.command(&args).stdout(std::fs::File::create(&out).unwrap()).spawn().unwrap();
        wait::until("something to be read", || std::fs::metadata(&out).is_ok_and(|file| file.len() > 0).then_some(()));
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal as i32));
        let ended = all_ended(&kube, "shop", "web");
        assert_eq!((ended.len(), &ended[number - 1]["exitCode"]), (number, &0.into()));
    }
}

#[test]
fn the_app_is_found_where_it_is_not_the_first_process() {
    require_engine!();
    let kube = FakeKube::start();
    let mut shared = pod("default", "web", shop(), &json!({"shareProcessNamespace": true}));
    let side = json!({"name": "side", "image": "scratchdbg-test/toolbox", "args": ["sleep"]});
    shared["spec"]["containers"].as_array_mut().unwrap().insert(0, side);
    kube.run(shared);
    let jane = Looker::new(&kube, User::debugger("jane"));
    jane.runs(&["ls", "pod/web:/"]).fails_with(2, &["several containers: side, app", "-c"]);
    let names = jane.runs(&["ls", "pod/web:/", "-c", "app", "-1", "-q", "--keep=60s"]).quietly().text();
    assert!(names.lines().any(|name| name == "shop"), "{names}");
    let go = jane.runs(&["go", "pod/web", "-c", "app", "--json"]).quietly().json();
    assert!(go.to_string().contains("shop"), "{go:#}");
}

#[test]
fn no_more_rights_than_a_policy_allows_and_looking_takes() {
    require_engine!();
    let kube = FakeKube::start();
    let jane = Looker::new(&kube, User::debugger("jane"));
    for level in ["privileged", "baseline"] {
        namespace(&kube, level, level);
        // Root, with what the runtime gives.
        kube.run(pod(level, "box", json!({"image": "scratchdbg-test/toolbox", "args": ["sleep"]}), &json!({})));
    }
    for (level, add) in [("privileged", json!(["SYS_PTRACE"])), ("baseline", json!([]))] {
        let place = format!("k8s://{level}/box");
        jane.runs(&["ls", &format!("{place}:/proc/1/fd"), "-q"]).quietly();
        jane.runs(&["cat", &format!("{place}:/toolbox"), "-q"]).quietly();
        for one in added(&kube, level, "box") {
            let given = &one["securityContext"]["capabilities"]["add"];
            assert_eq!(given.as_array().cloned().unwrap_or_default(), *add.as_array().unwrap(), "{level}: {one:#}");
        }
    }
}

#[test]
fn logs_and_lists() {
    require_engine!();
    let kube = restricted();
    let labels = json!({"matchLabels": {"app": "web"}});
    kube.apply(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": labels}}));
    let crash = json!({"image": "scratchdbg-test/shell", "command": ["/bin/sh", "-c", "echo no more coins; exit 3"]});
    kube.apply(pod("default", "crash", crash, &json!({})));
    let jane = Looker::new(&kube, User::debugger("jane").may(&["get"], &["deployments"]));
    let log = jane.runs(&["logs", WEB, "--tail", "1"]).quietly().text();
    assert!(log.contains("shop") && log.lines().count() == 1, "{log}");
    let lines = jane.runs(&["logs", WEB, "--json", "--grep", "shop open"]).quietly().json_lines();
    assert!(lines[0]["time"].is_string(), "{lines:?}");
    jane.runs(&["logs", WEB, "--stderr"]).fails_with(2, &["does not tell", "outputs apart"]);
    jane.runs(&["logs", WEB, "--previous"]).fails_with(1, &["previous terminated container \"app\""]);
    let named = jane.runs(&["logs", "deploy/web", "-n", "shop", "--tail", "1"]).ok();
    assert!(named.stderr.contains("deploy/web is looked at in k8s://shop/web/app"), "{}", named.stderr);

    kube.wait_for_pod("default", "crash", "a back-off", |pod| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    });
    assert_eq!(jane.runs(&["logs", "pod/crash", "--previous"]).quietly().text(), "no more coins\n");
    let down = jane.runs(&["ps", "pod/crash"]);
    down.fails_with(4, &["CrashLoopBackOff", "with status 3", "logs --previous k8s://default/crash/app"]);
    let list = jane.runs(&["list", "--pods", "-A", "--json"]).quietly().json();
    let of = |pod: &str| list["containers"].as_array().unwrap().iter().find(|one| one["pod"] == pod).unwrap().clone();
    assert_eq!((&of("web")["state"], &of("web")["target"]), (&"running".into(), &"k8s://shop/web/app".into()));
    assert_eq!((&of("crash")["state"], &of("crash")["status"]), (&"restarting".into(), &"CrashLoopBackOff".into()));
    let some = jane.runs(&["list", "--pods", "-n", "shop", "-l", "app in (web)"]).quietly().text();
    assert!(some.contains("web") && !some.contains("crash"), "{some}");
}

#[test]
fn an_older_protocol_does_as_well_and_a_broken_line_is_told() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    kube.breaks("shop/web", Fault::V4Only);
    jane.runs(&["ls", "k8s://shop/web:/", "-q"]).quietly();
    all_ended(&kube, "shop", "web");
    kube.mend("shop/web");
    kube.breaks("shop/web/sdbg-app-2", Fault::Dropped(2000));
    let lost = jane.runs(&["cat", "k8s://shop/web:/shop", "-q"]);
    assert!(lost.code() != 0 && lost.stderr.contains("the helper has ended"), "{lost:?}");
}

/// kubectl runs a plugin by its name, and asks another name what could be typed next.
#[test]
fn the_plugin_is_the_same_program_under_another_name() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let named = |name: &str, args: &[&str]| {
        let path = kube.folder().join(name);
        let _ = std::os::unix::fs::symlink(BINARY, &path);
        let mut command = std::process::Command::new(path);
        command.args(args).stdin(std::process::Stdio::null());
        run(jane.dressed(command))
    };
    let ps = named("kubectl-scratchdbg", &["ps", "web", "-n", "shop", "-q"]).quietly().text();
    assert!(ps.contains("/shop"), "{ps}");
    assert!(named("kubectl-scratchdbg", &["list", "-n", "shop"]).quietly().text().contains("web"));
    let help = named("kubectl-scratchdbg", &["--help"]).quietly().text();
    assert!(help.contains("kubectl scratchdbg"), "{help}");
    let next = named("kubectl_complete-scratchdbg", &["cat", "-n", "shop", "w"]).quietly().text();
    assert_eq!(next, "web:/\trunning\n:4\n");
    let next = named("kubectl_complete-scratchdbg", &["gor"]).quietly().text();
    assert!(next.starts_with("goroutines\t") && next.ends_with(":4\n"), "{next}");
    all_ended(&kube, "shop", "web");
}

#[test]
fn kubectl_finds_the_plugin_and_completes_what_is_typed() {
    require_engine!();
    require_kubectl!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let folder = kube.folder().join("plugins");
    std::fs::create_dir(&folder).unwrap();
    for name in ["kubectl-scratchdbg", "kubectl_complete-scratchdbg"] {
        std::os::unix::fs::symlink(BINARY, folder.join(name)).unwrap();
    }
    let asks = |args: &[&str]| {
        let mut command = jane.dressed(kubectl(jane.kubeconfig(), args));
        command.env("PATH", &folder);
        run(command)
    };
    let ps = asks(&["scratchdbg", "ps", "web", "-n", "shop", "-q"]).quietly().text();
    assert!(ps.contains("/shop"), "{ps}");
    asks(&["scratchdbg", "ls", "-n", "shop", "nothing:/"]).fails_with(4, &["there is no pod/nothing"]);
    let next = asks(&["__complete", "scratchdbg", "ps", "-n", "shop", "w"]).ok().text();
    assert!(next.starts_with("web\trunning\n"), "{next}");
    all_ended(&kube, "shop", "web");
}

/// The engine's own count, to see that no helper stays.
#[test]
fn no_process_of_ours_stays_in_the_pod() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let app = kube.container_id("shop", "web", "app").unwrap();
    let before = try_docker(&["diff", &app]).unwrap();
    jane.runs(&["ps", WEB, "-q"]).quietly();
    all_ended(&kube, "shop", "web");
    wait::until("no helper to be left", || {
        let top = try_docker(&["top", &app]).ok()?;
        (!top.contains("scratchdbg-shim")).then_some(())
    });
    assert_eq!(try_docker(&["diff", &app]).unwrap(), before);
}

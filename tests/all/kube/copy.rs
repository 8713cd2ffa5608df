//! `--copy`: what crashes again and again is looked at in a copy of its pod, in which it does not run, and of which nothing stays.

mod endings;
mod refusals;

use fakekube::{FakeKube, User};
use serde_json::{Value, json};

use super::looker::{Looker, namespace, pod, strict};
use crate::require_engine;
use crate::support::pty::key;
use crate::support::wait;

/// The pod that crashes.
pub const CRASHES: &str = "k8s://shop/web";
/// Every copy of it.
pub const COPIES: &str = "shop/sdbg-copy-web*";

/// Who may look, and may make and delete pods.
pub fn copier() -> User {
    User::debugger("jane").may(&["create", "delete"], &["pods"])
}

/// A cluster whose namespace `shop` enforces `restricted`, with a pod in it whose only container, of an image with one program and a file,
/// ends with an error as often as it is started.
pub fn crashing() -> FakeKube {
    let kube = FakeKube::start();
    namespace(&kube, "shop", "restricted");
    kube.apply(sample());
    kube.wait_for_pod("shop", "web", "a back-off", |pod| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    });
    kube
}

fn sample() -> Value {
    let mut rights = strict();
    rights["readOnlyRootFilesystem"] = json!(true);
    let app = json!({
        "image": "scratchdbg-test/shop",
        "env": [{"name": "SHOP_CONFIG", "value": "/nowhere/config.json"}, {"name": "COINS", "value": "7"}],
        "securityContext": rights,
        "livenessProbe": {"httpGet": {"port": 8080}},
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "10m"}},
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
    });
    let migrate = json!({"name": "migrate", "image": "scratchdbg-test/toolbox", "args": ["ls", "/"], "securityContext": strict()});
    let spec = json!({"volumes": [{"name": "work", "emptyDir": {}}], "initContainers": [migrate]});
    pod("shop", "web", app, &spec)
}

/// The copies that there are.
pub fn copies(looker: &Looker) -> Vec<String> {
    let list = looker.runs(&["list", "--pods", "-n", "shop", "--json"]).quietly().json();
    let names = list["containers"].as_array().unwrap().iter().filter_map(|one| one["pod"].as_str());
    names.filter(|name| name.starts_with("sdbg-copy-web-")).map(str::to_owned).collect()
}

/// Waits until there is a copy, and gives its name.
pub fn copy(looker: &Looker) -> String {
    wait::until("a copy", || copies(looker).pop())
}

/// Waits until there is none.
pub fn no_copy(looker: &Looker) {
    wait::until("the copy to go", || copies(looker).is_empty().then_some(()));
}

#[test]
fn why_it_crashes_is_seen_in_a_copy_in_which_it_does_not_run() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    // What points there.
    let told = jane.runs(&["ls", &format!("{CRASHES}:/")]);
    told.fails_with(4, &["CrashLoopBackOff", "logs --previous k8s://shop/web/app", "--copy"]);
    assert!(copies(&jane).is_empty());

    let looks = |args: &[&str]| jane.runs(&[args, &["--copy", "--yes"]].concat());
    // One is left, and used by all that follow.
    let first = looks(&["ls", &format!("{CRASHES}:/"), "-1", "--keep=60s"]).ok();
    assert!(
        first.stderr.contains("in which its program does not run; it runs until nobody has used it for 1m"),
        "{}",
        first.stderr
    );
    let name = copy(&jane);
    let names = first.text();
    assert!(names.lines().any(|name| name == "shop") && names.lines().any(|name| name == "work"), "{names}");

    let made = kube.pod("shop", &name);
    let (meta, spec) = (&made["metadata"], &made["spec"]);
    let source = kube.pod("shop", "web");
    // No Service sends it anything, no controller counts it, and it goes with what it is of.
    assert_eq!(meta["labels"], json!({"io.scratchdbg.copy-of": source["metadata"]["uid"]}));
    assert_eq!(jane.runs(&["list", "--pods", "-n", "shop", "-l", "app=web", "-q"]).quietly().text().lines().count(), 2);
    assert_eq!(meta["ownerReferences"][0]["uid"], source["metadata"]["uid"]);
    assert_eq!((&spec["restartPolicy"], &spec["activeDeadlineSeconds"]), (&"Never".into(), &3600.into()));
    let (app, was) = (&spec["containers"][0], &source["spec"]["containers"][0]);
    for part in ["env", "image", "securityContext"] {
        assert_eq!(app[part], was[part], "{part}");
    }
    assert!(app["livenessProbe"].is_null() && app["ports"].is_null());
    assert_eq!(spec["initContainers"].as_array().unwrap().len(), 1, "what runs before the program runs again");
    assert_eq!(made["status"]["containerStatuses"][0]["user"]["linux"]["uid"], 65532);

    let looks = |args: &[&str]| looks(&[args, &["-q"]].concat());
    let config = looks(&["cat", &format!("{CRASHES}:/etc/shop/config.json")]).quietly().stdout;
    assert!(serde_json::from_slice::<Value>(&config).unwrap()["products"].is_array());
    let copied = looks(&["cp", &format!("{CRASHES}:/etc/shop/config.json"), "-"]).quietly().stdout;
    assert_eq!(copied, config);
    let process = looks(&["proc", CRASHES, "--json"]).quietly().json();
    let env = process["env"].to_string();
    assert!(env.contains("SHOP_CONFIG") && env.contains("COINS"), "{env}");
    let all = looks(&["ps", CRASHES, "--json"]).quietly().json();
    let all = all["processes"].as_array().unwrap();
    assert_eq!((all.len(), &all[0]["name"], &all[0]["uid"]), (1, &"scratchdbg-shim".into(), &65532.into()));
    let go = looks(&["go", CRASHES, "--json"]).quietly().json();
    assert!(go["Path"].as_str().unwrap().contains("shop"), "{go:#}");
    looks(&["net", CRASHES]).quietly();
    // The copy can be named itself, too.
    let direct = jane.runs(&["ls", &format!("k8s://shop/{name}:/"), "-1", "-q"]).quietly().text();
    assert_eq!(direct, names);
    jane.runs(&["goroutines", &format!("k8s://shop/{name}")]).fails_with(2, &["its program does not run"]);
    jane.runs(&["ls", &format!("k8s://shop/{name}:/"), "--as", "root"]).fails_with(2, &["its own user alone"]);

    assert_eq!(copies(&jane), std::slice::from_ref(&name), "another copy was made");
    // It was not run, not once: all that was ever said in there is who holds its place.
    let log = jane.runs(&["logs", &format!("k8s://shop/{name}/app")]).quietly().text();
    assert!(log.lines().count() == 1 && log.starts_with("{\"scratchdbg\":"), "{log}");
    // With the pod that it is of, it goes.
    kube.delete_pod("shop", "web");
    no_copy(&jane);
}

#[test]
fn what_is_checked_is_the_program_as_it_would_run() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let check =
        jane.runs(&["check", CRASHES, "--copy", "--yes", "-q", "--json", "--fail-on", "never"]).quietly().json();
    assert_eq!(
        (&check["kind"], &check["uid"], &check["program"]["path"]),
        (&"copy".into(), &65532.into(), &"/shop".into())
    );
    assert_eq!((&check["program"]["dynamic"], &check["program"]["go_version"].is_string()), (&false.into(), &true));
    let findings = check["findings"].as_array().unwrap();
    let of =
        |id: &str| findings.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {findings:#?}"));
    // These are of the container, and not of its image: it is as it would be.
    assert_eq!(of("exposure.root")["status"], "ok");
    assert_eq!(of("exposure.capabilities")["message"], "it has no capabilities");
    assert!(!check.to_string().contains("scratchdbg-shim"), "{check:#}");
    no_copy(&jane);
}

/// What the pod says is run counts, whether it is there or not; and where nobody says, it is asked for.
#[test]
fn a_program_that_is_not_there_or_that_nobody_names() {
    require_engine!();
    let kube = FakeKube::start();
    let jane = Looker::new(&kube, copier());
    let run = |name: &str, container: Value| {
        kube.apply(pod("default", name, container, &json!({})));
        kube.wait_for_pod("default", name, "trouble", |pod| {
            !pod["status"]["containerStatuses"][0]["state"]["waiting"].is_null()
        });
    };
    let check = |name: &str, more: &[&str]| {
        jane.runs(&[&["check", &format!("pod/{name}"), "--copy", "--yes", "-q", "--json"][..], more].concat())
    };
    run("lost", json!({"image": "scratchdbg-test/shop", "command": ["/bin/server"], "securityContext": strict()}));
    let lost = check("lost", &[]).ends_with(1).json();
    assert_eq!(lost["program"]["path"], "/bin/server");
    assert!(lost["findings"][0]["message"].as_str().unwrap().contains("/bin/server"), "{lost:#}");

    run("many", json!({"image": "scratchdbg-test/toolbox", "args": ["gone"]}));
    check("many", &[])
        .fails_with(2, &["does not say what container app runs", "it has /first-byte, /toolbox", "--program"]);
    let told = check("many", &["--program", "/toolbox", "--fail-on", "never"]).quietly().json();
    assert_eq!(told["program"]["path"], "/toolbox");
}

#[test]
fn the_screen_is_shown_of_a_copy_after_a_question() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let mut terminal = jane.screen(&["attach", CRASHES, "--copy"]);
    terminal.wait_for("CrashLoopBackOff");
    terminal.wait_for("its program does not run: a helper holds its place");
    terminal.wait_for("init containers (migrate)");
    terminal.wait_for("work (new and empty)");
    terminal.wait_for("Make it? [y/N]");
    assert!(copies(&jane).is_empty());
    terminal.press("y\n");
    terminal.wait_for("this is a copy of pod web");
    let name = copy(&jane);
    terminal.wait_for(&name);
    terminal.press("4");
    terminal.wait_for("etc/");
    terminal.press("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    no_copy(&jane);

    let mut terminal = jane.screen(&["attach", CRASHES, "--copy"]);
    terminal.wait_for("Make it? [y/N]");
    terminal.press("n");
    terminal.press(key::ENTER);
    terminal.wait_for("no copy was made");
    assert_eq!(terminal.wait_exit().exit_code(), 1);
    assert!(copies(&jane).is_empty());
}

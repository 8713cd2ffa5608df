//! The list of pods on the screen: which cluster, which namespace, which container; in a real terminal.

use std::path::Path;

use fakekube::{FakeKube, User};
use serde_json::json;

use super::looker::{Looker, added, all_ended, namespace, pod, restricted, shop};
use crate::require_engine;
use crate::support::pty::{Setup, Terminal, key};

/// The screen, with the configurations of several users.
fn screen(looker: &Looker, others: &[&Path], size: (u16, u16), args: &[&str]) -> Terminal {
    let mut files = vec![looker.kubeconfig().display().to_string()];
    files.extend(others.iter().map(|file| file.display().to_string()));
    let setup = looker.dress(Setup::scratchdbg(args)).env("KUBECONFIG", &files.join(":"));
    setup.size(size.0, size.1).start()
}

/// Waits until the row that is selected has this.
fn wait_for_row(terminal: &Terminal, text: &str) {
    terminal.wait_until(&format!("{text:?} selected"), |screen| {
        screen.contents().lines().any(|line| line.contains('▶') && line.contains(text))
    });
}

#[test]
fn from_a_context_to_a_pod_and_back() {
    require_engine!();
    let kube = restricted();
    kube.run(pod("shop", "zoo", shop(), &json!({})));
    // Jane may look into pods, and does not see which namespaces there are. Guest may do nothing.
    let jane = Looker::new(&kube, User::debugger("jane"));
    let guest = kube.user(User::new("guest"));
    let mut terminal = screen(&jane, &[&guest], (80, 24), &["attach", "--context", "guest"]);
    terminal.wait_for("pods ▸ guest ▸ default");
    terminal.wait_for("the cluster refused to list the pods of namespace default");
    // Another context: both are in the configuration, and no cluster is asked for that.
    terminal.press("c");
    terminal.wait_for("Contexts");
    terminal.press("/jane\r");
    wait_for_row(&terminal, "jane");
    terminal.press(key::ENTER);
    terminal.wait_for("pods ▸ jane ▸ default");
    terminal.wait_for("there are no pods in namespace default");
    // Namespaces are not told: one is typed.
    terminal.press("n");
    terminal.wait_for("refused to list the namespaces");
    terminal.press(":");
    terminal.wait_for(":ns ");
    terminal.press("shop\r");
    terminal.wait_for("pods ▸ jane ▸ shop");
    terminal.wait_for("2/2 shown of 2 pods");
    terminal.press("j");
    wait_for_row(&terminal, "zoo");
    // A slip of the key, and another one: nothing was added.
    terminal.press(key::ENTER);
    terminal.wait_for("Add a container to pod shop/zoo, which looks as 65532:0, no");
    terminal.press(key::ENTER);
    terminal.wait_for("2/2 shown of 2 pods");
    wait_for_row(&terminal, "zoo");
    assert_eq!(added(&kube, "shop", "zoo").len(), 0);
    // Its log takes nothing either.
    terminal.press("l");
    terminal.wait_for("shop open");
    terminal.press("q");
    wait_for_row(&terminal, "zoo");
    assert_eq!(added(&kube, "shop", "zoo").len(), 0);
    // And now it is meant.
    terminal.press(key::ENTER);
    terminal.wait_for("Add a container to pod shop/zoo");
    terminal.press("y");
    terminal.wait_for("jane ▸ shop/zoo/app");
    terminal.press("2");
    terminal.wait_for("/shop");
    terminal.press("q");
    terminal.wait_for("pods ▸ jane ▸ shop");
    wait_for_row(&terminal, "zoo");
    assert_eq!(all_ended(&kube, "shop", "zoo").len(), 1, "left, it ends");
    terminal.press("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    assert_eq!(added(&kube, "shop", "web").len(), 0);
}

#[test]
fn one_that_was_kept_is_used_again_unasked() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    jane.runs(&["ps", "--keep", "k8s://shop/web"]).ok();
    let mut terminal = screen(&jane, &[], (120, 36), &["attach", "-n", "shop", "--keep"]);
    wait_for_row(&terminal, "web");
    terminal.press(key::ENTER);
    terminal.wait_for("scratch: no shell");
    terminal.press("qq");
    terminal.wait_exit();
    assert_eq!(added(&kube, "shop", "web").len(), 1);
    // And one that would have to be added is, where that was said beforehand.
    let mut terminal = screen(&jane, &[], (120, 36), &["attach", "-n", "shop", "--yes", "--as", "65532:0"]);
    wait_for_row(&terminal, "web");
    terminal.press(key::ENTER);
    terminal.wait_for("scratch: no shell");
    terminal.press("qq");
    terminal.wait_exit();
}

#[test]
fn what_does_not_run_shows_its_log_and_adds_nothing() {
    require_engine!();
    let kube = FakeKube::start();
    namespace(&kube, "shop", "privileged");
    let broken = json!({"image": "scratchdbg-test/shop", "env": [{"name": "PORT", "value": "no port"}]});
    kube.apply(pod("shop", "broken", broken, &json!({})));
    // The message of the kubelet has the image in it.
    let hostile = json!({"image": "registry.invalid/\u{1b}]0;owned\u{7}\u{1b}[2Jnone"});
    kube.apply(pod("shop", "hostile", hostile, &json!({})));
    // By then it is down for seconds, and up for none.
    kube.wait_for_pod("shop", "broken", "it to fail again and again", |pod| {
        pod["status"]["containerStatuses"][0]["restartCount"].as_u64() >= Some(4)
    });
    let jane = Looker::new(&kube, User::debugger("jane"));
    let mut terminal = screen(&jane, &[], (160, 45), &["attach", "-n", "shop"]);
    terminal.wait_for("CrashLoopBackOff");
    wait_for_row(&terminal, "broken");
    terminal.press("j");
    wait_for_row(&terminal, "hostile");
    terminal.wait_for("\\x1b[2Jnone");
    terminal.press("k");
    wait_for_row(&terminal, "broken");
    terminal.press(key::ENTER);
    terminal.wait_for("shop/broken/app does not run");
    terminal.wait_for("scratchdbg logs --previous k8s://shop/broken/");
    terminal.wait_for("with --context jane");
    terminal.press(key::ESC);
    // A key that came at once after it would be another one, with Alt.
    terminal.wait_for_no("Esc close");
    terminal.wait_for("shop stopped");
    terminal.press("q");
    wait_for_row(&terminal, "broken");
    terminal.press("q");
    terminal.wait_exit();
    assert_eq!(added(&kube, "shop", "broken").len(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(!raw.contains("\u{1b}]0;owned"), "it drove the terminal");
}

#[test]
fn the_last_list_stays_while_the_cluster_is_away_and_no_engine_is_no_end() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    // No engine answers: the pods are a key away.
    let mut terminal = screen(&jane, &[], (100, 30), &["attach"]);
    terminal.wait_for("Tab shows the pods of the cluster jane");
    terminal.press(key::TAB);
    terminal.wait_for("pods ▸ jane ▸ default");
    terminal.press("0");
    terminal.wait_for("1/1 shown of 1 pod");
    wait_for_row(&terminal, "web");
    drop(kube);
    terminal.wait_for("STALE");
    terminal.wait_for("does not answer");
    wait_for_row(&terminal, "web");
    terminal.press("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

#[test]
fn without_a_configuration_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    let setup = Setup::scratchdbg(&["attach"]).env("HOME", home.path().to_str().unwrap()).env("KUBECONFIG", "");
    let mut terminal = setup.env("DOCKER_HOST", "unix:///nonexistent/docker.sock").start();
    terminal.wait_for("no engine answers");
    terminal.wait_for_no("shows the pods of the cluster");
    terminal.press(key::TAB);
    terminal.wait_for("no cluster can be chosen");
    terminal.press("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}

#[test]
fn a_plugin_of_kubectl_begins_with_the_pods() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("kubectl-scratchdbg");
    std::os::unix::fs::symlink(crate::support::command::BINARY, &link).unwrap();
    let setup = jane.dress(Setup::program(link.to_str().unwrap(), &["-n", "shop"]));
    let mut terminal = setup.start();
    terminal.wait_for("pods ▸ jane ▸ shop");
    wait_for_row(&terminal, "web");
    // Of the labels that are asked for, there is none.
    terminal.press("q");
    terminal.wait_exit();
    let mut terminal = screen(&jane, &[], (80, 24), &["attach", "-n", "shop", "-l", "app=other"]);
    terminal.wait_for("there are no pods with labels app=other in namespace shop");
    terminal.press("q");
    terminal.wait_exit();
}

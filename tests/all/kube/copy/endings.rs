//! However a command ends, its copy does not stay.

use std::io::Read as _;
use std::process::{Child, Stdio};

use fakekube::Fault;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{CRASHES, copier, copies, copy, crashing, no_copy};
use crate::kube::looker::{Looker, pod, strict};
use crate::require_engine;
use crate::support::pty::key;

/// A command that goes on for as long as nobody reads what it says, in a copy of its own.
fn busy(jane: &Looker, more: &[&str]) -> Child {
    let place = format!("{CRASHES}:/shop");
    let args = [&["cat", &place, "--copy", "--yes", "-q"], more].concat();
    let mut child = jane.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    child
}

#[test]
fn when_it_is_done_and_when_it_fails() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let done = jane.runs(&["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-v"]).ok();
    for words in ["kube: done: make pod shop/sdbg-copy-web-", "kube: done: delete pod shop/sdbg-copy-web-", "undone: "]
    {
        assert!(done.stderr.contains(words), "no {words:?} in:\n{}", done.stderr);
    }
    no_copy(&jane);
    let failed = jane.runs(&["cat", &format!("{CRASHES}:/nothing"), "--copy", "--yes", "-q"]);
    failed.fails_with(1, &["/nothing"]);
    no_copy(&jane);
}

#[test]
fn when_a_signal_ends_it() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut child = busy(&jane, &[]);
        copy(&jane);
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal as i32));
        no_copy(&jane);
    }
}

/// The copy is there, and does not run yet.
#[test]
fn when_a_signal_comes_while_it_is_made() {
    require_engine!();
    let kube = crashing();
    kube.breaks(super::COPIES, Fault::NeverStarts);
    let jane = Looker::new(&kube, copier());
    let args = ["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-q"];
    let mut child = jane.command(&args).spawn().unwrap();
    copy(&jane);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    no_copy(&jane);

    // Ctrl-C, before there is a screen.
    let mut terminal = jane.screen(&["attach", CRASHES, "--copy"]);
    terminal.wait_for("Make it? [y/N]");
    terminal.press("y\n");
    copy(&jane);
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 130, "{}", terminal.framed());
    no_copy(&jane);
}

/// It was made, and who asked for it hears otherwise.
#[test]
fn when_the_answer_is_lost() {
    require_engine!();
    let kube = crashing();
    kube.breaks(super::COPIES, Fault::LostAnswer);
    let jane = Looker::new(&kube, copier());
    let looks = || jane.runs(&["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-v"]);
    let told = looks().ends_with(1);
    for words in ["etcdserver: request timed out", "kube: done: delete pod shop/sdbg-copy-web-"] {
        assert!(told.stderr.contains(words), "no {words:?} in:\n{}", told.stderr);
    }
    no_copy(&jane);
    // In trouble for a moment, it is asked again.
    for _ in 0..3 {
        kube.breaks(super::COPIES, Fault::Unwell);
    }
    looks().ok();
    no_copy(&jane);
}

/// A right that was there when it was made may be gone.
#[test]
fn when_it_may_not_be_deleted_any_more() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let mut child = busy(&jane, &[]);
    kube.user(copier().but_not("delete", "pods"));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    drop(child.stdout.take());
    let told = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    for words in ["is left", "cannot delete resource \"pods\"", "it ends by itself", "kube clean"] {
        assert!(told.contains(words), "no {words:?} in:\n{told}");
    }
    assert_eq!(copies(&jane).len(), 1);
}

/// Nobody is left who could delete it: it ends by itself, and its record can be taken away.
#[test]
fn when_it_is_killed() {
    require_engine!();
    let kube = crashing();
    let jane = Looker::new(&kube, copier());
    let mut child = busy(&jane, &["--keep=2s"]);
    let name = copy(&jane);
    let clean = || jane.runs(&["kube", "clean", "-n", "shop", "--yes", "-q"]).quietly().text();
    assert_eq!(clean(), "nothing is left; 1 copy of a pod that may be in use\n");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(copies(&jane), std::slice::from_ref(&name));
    assert_eq!(kube.pod("shop", &name)["spec"]["activeDeadlineSeconds"], 3600);
    let over = |pod: &Value| pod["status"]["phase"] == "Succeeded";
    kube.wait_for_pod("shop", &name, "the holder to end by itself", over);
    // One that has ended is used by nobody.
    jane.runs(&["ls", &format!("{CRASHES}:/"), "--copy", "--yes", "-q"]).quietly();
    jane.runs(&["kube", "clean", "-n", "shop"]).ends_with(2);
    assert_eq!(clean(), "deleted 1 copy of a pod\n");
    no_copy(&jane);
    assert_eq!(clean(), "nothing is left\n");
    // A label alone makes no copy.
    let done = json!({"image": "scratchdbg-test/toolbox", "args": ["ls", "/"], "securityContext": strict()});
    let mut labelled = pod("shop", "done", done, &json!({"restartPolicy": "Never"}));
    labelled["metadata"]["labels"]["io.scratchdbg.copy-of"] = "u".into();
    kube.apply(labelled);
    kube.wait_for_pod("shop", "done", "it to end", over);
    assert_eq!(clean(), "nothing is left\n");
}

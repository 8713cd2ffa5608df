//! What was done, told: on the screen in its own tab, on the command line with `-v`.

use std::process::{Command, Stdio};

use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::support::engine::{docker, inspect};
use crate::support::pty::{Setup, Terminal, key};
use crate::support::unprivileged::Unprivileged;
use crate::support::wait;
use crate::{require_engine, require_root};

/// The steps of the local door into a hardened container, in order.
const LOCAL: [&str; 10] = [
    "by a pidfd",
    "start a worker process",
    "drop all rights but what the way in takes",
    "join its namespaces: mnt",
    "change to its root directory",
    "make our view of its files read-only",
    "become 65532:0",
    "rights for good",
    "install the system call filter",
    "execute the helper",
];
/// Those of the sidecar door. Others of the engine may come between: what somebody left is taken away.
const SIDECAR: [&str; 6] = [
    "import image scratchdbg-helper:",
    "create container scratchdbg-",
    "remove image ",
    "attach to container scratchdbg-",
    "start container scratchdbg-",
    "send the helper to the root directory",
];

/// The lines that hold these words, one after the other, whatever stands between.
fn in_order<'t>(text: &'t str, words: &[&str]) -> Option<Vec<&'t str>> {
    let mut lines = text.lines();
    words.iter().map(|words| lines.find(|line| line.contains(words))).collect()
}

#[track_caller]
fn ordered<'t>(text: &'t str, words: &[&str]) -> Vec<&'t str> {
    in_order(text, words).unwrap_or_else(|| panic!("not in this order: {words:?} in:\n{text}"))
}

/// The columns of a row: door, outcome, and whether it was undone.
fn columns(row: &str) -> Vec<&str> {
    row.split_whitespace().filter(|word| !matches!(*word, "│" | "│▶")).skip(1).take(3).collect()
}

/// A terminal that has room for all steps, with the tab open.
fn attached(args: &[&str]) -> Terminal {
    let terminal = Setup::scratchdbg(args).size(160, 50).start();
    terminal.wait_for("scratch: no shell");
    terminal
}

fn wait_in_order(terminal: &Terminal, words: &[&str]) {
    terminal.wait_until(&format!("{words:?}"), |screen| in_order(&screen.contents(), words).is_some());
}

#[test]
fn the_tab_lists_the_steps_of_the_local_door_and_what_became_of_them() {
    require_engine!();
    require_root!();
    let shop = Run::shop().hardened().start();
    let mut terminal = attached(&["attach", shop.name(), "--via", "local"]);
    terminal.press("6");
    wait_in_order(&terminal, &LOCAL);
    for row in ordered(&terminal.text(), &LOCAL) {
        assert_eq!(columns(row), ["local", "done", "no"], "{row}");
        assert!(row.contains("the helper's end"), "{row}");
    }
    terminal.press(key::ENTER);
    terminal.wait_for("local: done: execute the helper from a sealed memory file (undone by: ");
    terminal.press(key::ESC);

    terminal.wait_for("drop all rights for good");

    // The target starts anew: what was done before is undone, and done again. So soon after its start it may not be
    // what it will be, and is looked at with a right more.
    shop.engine_does("restart");
    let again: Vec<&str> = LOCAL.into_iter().chain(LOCAL).collect();
    wait_in_order(&terminal, &again);
    for (at, row) in ordered(&terminal.text(), &again).into_iter().enumerate() {
        assert_eq!(columns(row), ["local", "done", if at < LOCAL.len() { "yes" } else { "no" }], "{row}");
    }
    terminal.press("/");
    terminal.press("pidfd\r");
    terminal.wait_for("filter: pidfd (2/20)");
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
}

#[test]
fn the_tab_lists_what_was_made_on_the_engine_and_what_was_taken_away() {
    require_engine!();
    let shop = Run::shop().hardened().start();
    let mut terminal = attached(&["attach", shop.name(), "--via", "sidecar"]);
    terminal.press("6");
    wait_in_order(&terminal, &SIDECAR);
    let text = terminal.text();
    let rows = ordered(&text, &SIDECAR);
    let states: Vec<_> = rows.iter().map(|row| columns(row)[2]).collect();
    assert_eq!(states, ["yes", "no", "-", "no", "no", "no"], "the image has gone:\n{text}");
    assert!(rows.iter().all(|row| columns(row)[..2] == ["sidecar", "done"]), "{text}");

    // The names are the engine's own, and what takes them back would do so.
    let name = rows[1].split("create container ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(inspect(name)["HostConfig"]["PidMode"], format!("container:{}", shop.id()));
    assert!(rows[1].contains(&format!("docker rm -f {name}")), "{}", rows[1]);
    docker(&["rm", "-f", name]);
    let again: Vec<&str> = SIDECAR.into_iter().chain(SIDECAR).collect();
    wait_in_order(&terminal, &again);
    terminal.wait_until("the first to be undone", |screen| {
        in_order(&screen.contents(), &SIDECAR).is_some_and(|rows| columns(rows[1]) == ["sidecar", "done", "yes"])
    });
    terminal.press(key::CTRL_C);
    assert!(terminal.wait_exit().success());
}

#[test]
fn verbose_tells_each_step_with_its_outcome_and_its_undoing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().start();
    // Nothing changes there by itself.
    let place = container.at("/etc");
    let plain = scratchdbg(&["ls", &place]).quietly();
    let told = scratchdbg(&["ls", &place, "-v"]).ok();
    assert_eq!(told.text(), plain.text(), "the answer alone is on standard output");
    told.is_safe_to_show();
    let lines: Vec<_> = told.stderr.lines().filter(|line| line.contains(": done: ")).collect();
    assert_eq!(lines.len(), LOCAL.len(), "{}", told.stderr);
    ordered(&told.stderr, &LOCAL);
    assert!(lines.iter().all(|line| line.contains("local: done: ") && line.contains("(undone by: the helper's end)")));

    let told = scratchdbg(&["ls", &place, "-v", "--via", "sidecar"]).ok();
    ordered(&told.stderr, &SIDECAR);
    ordered(&told.stderr, &["(undone by: docker rmi scratchdbg-helper:", "sidecar: undone: import image"]);
    assert!(told.stderr.contains("(undone by: docker rm -f scratchdbg-"), "{}", told.stderr);
}

#[test]
fn verbose_tells_of_a_door_that_stays_shut_and_of_what_is_tried_next() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let member = Unprivileged::of_the_engines_group();
    let told = member.runs(&["ls", &container.at("/"), "-v"]).ok();
    let shut = format!("local: failed: enter {} from this host: ", container.name());
    let rest: Vec<&str> = std::iter::once(shut.as_str()).chain(SIDECAR).collect();
    let lines = ordered(&told.stderr, &rest);
    assert!(lines[0].contains("CAP_SYS_ADMIN") && lines[0].ends_with("; tried next: a sidecar"), "{}", lines[0]);
}

#[test]
fn verbose_tells_which_step_failed_after_those_that_were_done() {
    require_root!();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sleep", "60"]).stdin(Stdio::null());
    let mut other = command.spawn().unwrap();
    let map = format!("/proc/{}/uid_map", other.id());
    wait::until("its user namespace", || {
        std::fs::read_to_string(&map).ok().filter(|map| !map.is_empty() && !map.contains("4294967295"))
    });
    // Nobody has this number in there.
    let told = scratchdbg(&["ls", &format!("pid://{}:/", other.id()), "--as", "5:5", "-v"]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_ne!(told.code(), 0);
    ordered(
        &told.stderr,
        &["done: join its namespaces: user", "failed: become 5:5: Invalid argument", "failed: enter"],
    );
    assert!(!told.stderr.contains("execute the helper"), "{}", told.stderr);
}

#[test]
fn verbose_tells_what_was_written() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    let here = here.to_str().unwrap();
    let told = scratchdbg(&["cp", "-q", "-v", &container.at("/toolbox"), here]).ok();
    ordered(&told.stderr, &[&format!("done: write {here} on this host (undone by: removing it)")]);
    let told = scratchdbg(&["cp", "-v", "--write", here, &container.at("/new")]).ok();
    let made = format!("local: done: make or empty /new in {} (--write) (undone by: ", container.name());
    ordered(&told.stderr, &["install the system call filter", &made]);
    assert!(!told.stderr.contains("read-only"), "the view is not locked, and not said to be: {}", told.stderr);
    // Reading is no step.
    let told = scratchdbg(&["logs", "-v", container.name()]).ok();
    assert_eq!(told.stderr, "");
}

//! What the commands answer when they cannot do what was asked: the exit status, and words that help.

use std::os::unix::fs::MetadataExt as _;
use std::{fs, io};

use crate::support::command::{binary, run, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::unprivileged::{NOBODY, Unprivileged};
use crate::support::wait;
use crate::{require_engine, require_root};

const NO: i32 = 1;
const USAGE: i32 = 2;
const NOT_PERMITTED: i32 = 3;
const NO_TARGET: i32 = 4;
const UNREACHABLE: i32 = 5;

/// Each command that goes inside, asked of this target.
fn inside(target: &str) -> [Vec<String>; 8] {
    let at = |path: &str| format!("{target}:{path}");
    [
        vec!["ps".into(), target.into()],
        vec!["proc".into(), target.into()],
        vec!["net".into(), target.into()],
        vec!["go".into(), target.into()],
        vec!["check".into(), target.into()],
        vec!["ls".into(), at("/")],
        vec!["cat".into(), at("/toolbox")],
        vec!["cp".into(), at("/toolbox"), "/dev/null/nowhere".into()],
    ]
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    require_engine!();
    require_root!();
    let one = Run::toolbox(&["sleep"]).start();
    let two = Run::toolbox(&["sleep"]).start();

    let misspelt = format!("{}x", one.name());
    for command in inside(&misspelt) {
        scratchdbg(&command).fails_with(NO_TARGET, &["no container", &misspelt, one.name()]);
    }
    scratchdbg(&["logs", &misspelt]).fails_with(NO_TARGET, &[one.name()]);
    scratchdbg(&["ps", "\x1b[2J"]).fails_with(NO_TARGET, &["\\u{1b}[2J"]);

    let both = one.name().trim_end_matches(|c: char| c.is_ascii_digit());
    for command in inside(both) {
        scratchdbg(&command).fails_with(USAGE, &[one.name(), two.name(), &one.id()[..12], "type more"]);
    }

    scratchdbg(&["ps", "pid://2147483647"]).fails_with(NO_TARGET, &["no process 2147483647"]);
    scratchdbg(&["proc", one.name(), "4194300"]).fails_with(NO, &["no process 4194300", "scratchdbg ps"]);
    for command in [vec!["ls", "/nothing"], vec!["cat", "/nothing"], vec!["cat", "/toolbox/below"]] {
        let place = one.at(command[1]);
        scratchdbg(&[command[0], &place]).fails_with(NO, &[command[1], "in the target"]);
    }
    scratchdbg(&["cat", &one.at("/etc")]).fails_with(NO, &["/etc in the target is a directory", "scratchdbg ls"]);
    scratchdbg(&["cat", "--as", "1000", &one.at("/proc/1/environ")]).fails_with(NOT_PERMITTED, &["--as root"]);
}

#[test]
fn each_state_has_its_own_answer() {
    require_engine!();
    require_root!();
    let asked = |container: &Container, words: &[&str]| {
        for command in inside(container.name()) {
            scratchdbg(&command).fails_with(NO_TARGET, &[&[container.name()], words].concat());
        }
    };
    let log = |container: &Container| scratchdbg(&["logs", container.name()]).ok();

    let created = Run::toolbox(&["sleep"]).create();
    asked(&created, &["never started", "docker start"]);
    assert_eq!(log(&created).text(), "");

    let crashed = Run::toolbox(&["crash"]).without_waiting().start();
    crashed.wait_for_state("exited");
    asked(&crashed, &["ended with status 3 at 2", "scratchdbg logs"]);
    assert_eq!(log(&crashed).stderr, "fatal: no database\n");

    let container = Run::toolbox(&["sleep"]).start();
    container.engine_does("kill");
    container.wait_for_state("exited");
    asked(&container, &["ended with status 137"]);
    assert_eq!(log(&container).text(), "ready\n");
    container.engine_does("start");
    container.wait_for_state("running");
    container.engine_does("pause");
    for command in &inside(container.name())[..5] {
        scratchdbg(command).quietly();
    }
    assert!(log(&container).text().starts_with("ready\n"));
    container.engine_does("unpause");

    let looping = Run::toolbox(&["crash"]).flag("--restart=always").without_waiting().start();
    wait::until("an answer about a container between two runs", || {
        let ended = scratchdbg(&["ps", looping.name()]);
        ended.stderr.contains("about to be restarted").then(|| ended.ends_with(NO_TARGET))
    });
    assert!(log(&looping).stderr.contains("fatal: no database"));
}

#[test]
fn what_is_not_permitted_names_what_is_missing() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let unprivileged = |gid: u32, args: &[String]| Unprivileged::of_group(gid).runs(args);
    let words = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SETUID", "CAP_SYS_CHROOT", "sudo"];
    for command in inside(&format!("pid://{}", container.pid())) {
        unprivileged(NOBODY, &command).fails_with(NOT_PERMITTED, &words);
    }
    // Whoever may talk to the engine gets no further from this host than anybody else.
    let socket = fs::metadata("/var/run/docker.sock").ok().filter(|meta| meta.mode() & 0o022 == 0o020);
    if let Some(socket) = socket {
        let ps = ["ps", container.name(), "--via", "local"].map(str::to_owned);
        unprivileged(socket.gid(), &ps).fails_with(NOT_PERMITTED, &words);
        let list = unprivileged(socket.gid(), &["list".into()]).quietly().text();
        assert!(list.contains(container.name()), "{list}");
        unprivileged(NOBODY, &["list".into()]).fails_with(UNREACHABLE, &["permission denied", "docker group"]);
    }
}

#[test]
fn an_engine_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("unix://{}", folder.path().join("nowhere.sock").display());
    let mut commands = inside("any").to_vec();
    commands.extend([vec!["list".into()], vec!["logs".into(), "any".into()], vec!["clean".into()]]);
    for mut command in commands {
        command.splice(0..0, ["--host".to_owned(), nowhere.clone()]);
        scratchdbg(&command).fails_with(UNREACHABLE, &["nowhere.sock", "DOCKER_HOST", "pid://N"]);
    }
    // A socket that nobody listens at.
    let deaf = folder.path().join("deaf.sock");
    drop(std::os::unix::net::UnixListener::bind(&deaf).unwrap());
    scratchdbg(&["list", "--host", &format!("unix://{}", deaf.display())]).fails_with(UNREACHABLE, &["not running"]);
}

#[test]
fn a_process_needs_no_engine() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().start();
    let target = format!("pid://{}", container.pid());
    let alone = |args: &[String]| {
        let mut command = binary(args);
        command.env("DOCKER_HOST", "unix:///nowhere");
        run(command)
    };
    for command in &inside(&target)[..5] {
        alone(command).quietly();
    }
    let json = alone(&["ps".into(), target.clone(), "--json".into()]).quietly().json();
    assert_eq!(json["processes"][0]["command"], serde_json::json!(["/toolbox", "sleep"]));
    alone(&["logs".into(), target]).fails_with(USAGE, &["not of a plain process", "scratchdbg proc"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    let wrong: [&[&str]; 19] = [
        &["frobnicate", "this", "that"],
        &["ps"],
        &["ps", ""],
        &["ps", "pid://0"],
        &["ps", "pid://abc"],
        &["ps", "k8s://a/b/c"],
        &["proc", "x", "0"],
        &["proc", "x", "-1"],
        &["ls", "x"],
        &["ls", "x:relative"],
        &["cat", "x:/etc/passwd", "--bytes", "many"],
        &["cat", "--json", "x:/etc/passwd"],
        &["cp", "here", "there"],
        &["cp", "a:/b", "c:/d"],
        &["logs", "x", "--since", "yesterday-ish"],
        &["logs", "x", "--level", "loud"],
        &["ps", "x", "--as", "somebody"],
        &["x", "ps", "y"],
        &["--no-such-option"],
    ];
    for args in wrong {
        let ended = scratchdbg(args).ends_with(USAGE);
        assert_eq!(ended.text(), "", "{args:?}");
        assert!(!ended.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_terminal_there_is_no_screen() {
    for args in [&[] as &[&str], &["any"], &["attach"], &["attach", "any"]] {
        scratchdbg(args).fails_with(USAGE, &["needs a terminal", "ps", "--json"]);
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["emit", "20000"]).start();
    let name = container.name();
    let (file, folder) = (container.at("/toolbox"), container.at("/"));
    let commands: [&[&str]; 16] = [
        &["list"],
        &["list", "--json"],
        &["ps", name],
        &["ps", name, "--json"],
        &["proc", name],
        &["net", name],
        &["go", name],
        &["check", name],
        &["check", name, "--json"],
        &["ls", &folder],
        &["ls", &folder, "--json"],
        &["cat", &file],
        &["cp", &file, "-"],
        &["logs", name],
        &["logs", name, "--json"],
        &["logs", name, "--follow", "--tail", "5"],
    ];
    for args in commands {
        closed(args);
    }
}

/// Runs it into a pipe that nobody reads any more.
#[track_caller]
fn closed(args: &[&str]) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("stderr");
    let mut child = binary(args).stdout(writer).stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
    let status = wait::until(&format!("{args:?} to end"), || child.try_wait().unwrap());
    // The half of a log that went to standard error has its reader still.
    let said: String = fs::read_to_string(said).unwrap().lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{args:?}");
}

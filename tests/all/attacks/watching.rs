//! A first process that opens, reads and traces whatever appears among its processes.

use std::collections::BTreeSet;

use super::{Score, said, settle};
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::support::engine::docker;
use crate::{require_engine, require_root};

/// How often we go in.
const VISITS: usize = 15;

/// Whose processes it got at.
fn victims(attacker: &Container) -> BTreeSet<String> {
    said(attacker, "won").iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// A program that anybody may read, in a container beside it, as the same user and without any right.
fn naive(attacker: &Container, user: &str) -> Score {
    let mut before = victims(attacker).len();
    Score::until_won(60, || {
        let (pid, user) = (format!("--pid=container:{}", attacker.id()), format!("--user={user}"));
        docker(&["run", "--rm", &pid, &user, "--cap-drop=ALL", "scratchdbg-test/attacker", "once"]);
        let after = victims(attacker).len();
        std::mem::replace(&mut before, after) < after
    })
}

fn visits(attacker: &Container, via: &str) -> Score {
    let mut before = victims(attacker).len();
    Score::of(VISITS, |_| {
        scratchdbg(&["ls", &attacker.at("/"), "--via", via]).quietly();
        let after = victims(attacker).len();
        std::mem::replace(&mut before, after) < after
    })
}

#[test]
fn from_this_host_there_is_nothing_to_be_seen() {
    require_engine!();
    require_root!();
    for (who, run, user) in [
        ("root", Run::attacker(&["peek"]), "0"),
        ("a user", Run::attacker(&["peek"]).hardened(), "65532"),
        ("root with SYS_PTRACE", Run::attacker(&["peek"]).flag("--cap-add=SYS_PTRACE"), "0"),
    ] {
        let attacker = run.start();
        let ours = visits(&attacker, "local");
        assert_eq!(said(&attacker, "seen"), Vec::<String>::new());
        settle(&format!("first process looks into what enters, {who}, local door"), naive(&attacker, user), ours);
    }
}

#[test]
fn a_sidecar_is_seen_and_keeps_itself_to_itself() {
    require_engine!();
    for (who, run, user) in
        [("root", Run::attacker(&["peek"]), "0"), ("a user", Run::attacker(&["peek"]).hardened(), "65532")]
    {
        let attacker = run.start();
        let ours = visits(&attacker, "sidecar");
        assert!(!said(&attacker, "seen").is_empty(), "nothing was seen, so nothing was tried");
        settle(&format!("first process looks into what enters, {who}, sidecar"), naive(&attacker, user), ours);
    }
}

/// The engine's own program holds every capability while it is already among the container's processes.
#[test]
fn where_it_could_be_taken_over_there_is_no_sidecar() {
    require_engine!();
    let attacker = Run::attacker(&["peek"]).flag("--cap-add=SYS_PTRACE").start();
    let ours = Score::of(VISITS, |_| {
        scratchdbg(&["ls", &attacker.at("/"), "--via", "sidecar"])
            .fails_with(3, &["CAP_SYS_PTRACE", "--via local", "--yes"]);
        !said(&attacker, "seen").is_empty()
    });
    let all_powerful = |line: &String| line.contains(" seize ") && line.ends_with("000001fffeffffff");
    let naive = Score::until_won(60, || {
        docker(&["exec", attacker.id(), "/attacker", "once"]);
        said(&attacker, "won").iter().any(all_powerful)
    });
    settle("first process with SYS_PTRACE seizes what has every capability", naive, ours);
}

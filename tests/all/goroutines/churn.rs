//! A program whose goroutines never stand still is read all the same: what moved is counted, and nothing that is shown is
//! made up.

use serde_json::Value;

use super::program::{Program, go_of_setup, go_of_this_host};
use crate::require_root;
use crate::support::command::scratchdbg;
use crate::support::{process, skip};

/// Readings.
const ROUNDS: usize = 30;

/// A stack that a goroutine of this program can have: from a function that goroutines begin with to one that it calls.
fn makes_sense(calls: &[&str]) -> bool {
    let known = |name: &&str| name.starts_with("main.") || !name.starts_with("0x");
    let begins = calls.last().is_some_and(|first| {
        let begins =
            ["main.main", "main.park.", "main.churn.", "runtime.", "main.recursive", "main.accept", "main.blocked"];
        let more = [
            "main.choose",
            "main.worker",
            "main.locked",
            "main.deep",
            "main.(*store)",
            "main.generic",
            "main.deferred",
            "main.recovered",
            "sync.",
            "time.Sleep",
        ];
        begins.iter().chain(&more).any(|begin| first.starts_with(begin))
    });
    // What calls itself is called by itself, or by what began.
    calls.iter().all(known) && begins
}

fn churned(go: Option<std::path::PathBuf>) {
    require_root!();
    let Some(go) = go.filter(|go| go.exists()) else {
        skip::go_on(Some("there is no such Go: scripts/setup matrix".to_owned()));
        return;
    };
    let program = Program::start(&go, &["-ldflags=-s -w"], &["churn"]);
    let (mut listed, mut without) = (0, 0);
    for round in 0..ROUNDS {
        let document = scratchdbg(&["goroutines", &program.target(), "--runtime", "--json"]).ok().json();
        let number = |name: &str| document[name].as_u64().unwrap();
        let mut here = 0;
        for group in document["groups"].as_array().unwrap() {
            here += group["count"].as_u64().unwrap();
            let Some(stack) = group["stack"].as_array() else {
                without += group["count"].as_u64().unwrap();
                continue;
            };
            let calls: Vec<_> = stack.iter().map(|frame| frame["function"].as_str().unwrap()).collect();
            assert!(makes_sense(&calls), "round {round}: {group}");
        }
        // Each that is there is listed; those without a stack are told of.
        assert_eq!(here, number("alive"));
        assert!(here > 90, "{here}");
        listed += here;
        let running = running(&document);
        assert!(number("moving") + running >= missing(&document), "round {round}: {document}");
    }
    // Some can be read even so: how many is for the scheduler to say, and a busy host leaves few.
    assert!(without * 10 < listed * 9, "{without} of {listed} without a stack");
    assert_eq!(program.ask("anything"), "ok");
    assert!(!process::has_ended(program.pid()));
}

fn missing(document: &Value) -> u64 {
    let groups = document["groups"].as_array().unwrap().iter();
    groups.filter(|group| group["stack"].is_null()).map(|group| group["count"].as_u64().unwrap()).sum()
}

/// Those that have no stack to be read, by what they do.
fn running(document: &Value) -> u64 {
    let groups = document["groups"].as_array().unwrap().iter();
    let no_stack = |group: &&Value| matches!(group["state"].as_str().unwrap(), "running" | "copystack");
    groups.filter(no_stack).map(|group| group["count"].as_u64().unwrap()).sum()
}

#[test]
fn a_program_that_never_stands_still_is_read() {
    churned(go_of_this_host());
}

#[test]
fn one_of_a_new_go_too() {
    churned(Some(go_of_setup("1.27.3")));
}

//! Ways to write them, and to choose among them; and what the runtime says of itself beside them.

use super::program::{Program, go_of_setup, go_of_this_host};
use crate::require_root;
use crate::support::command::{Ended, scratchdbg};
use crate::support::skip;

fn program(go: Option<std::path::PathBuf>, args: &[&str]) -> Option<Program> {
    let go = go.filter(|go| go.exists());
    skip::go_on(go.is_none().then(|| "there is no such Go: scripts/setup matrix".to_owned()))
        .then(|| Program::start(&go.unwrap(), &["-ldflags=-s -w"], args))
}

fn asked(program: &Program, args: &[&str]) -> Ended {
    scratchdbg(&[&["goroutines", &program.target()], args].concat())
}

#[test]
fn groups_of_them_for_a_person() {
    require_root!();
    let Some(program) = program(go_of_this_host(), &["500"]) else { return };
    let text = asked(&program, &[]).quietly().text();
    let first: Vec<_> = text.split("\n\n").nth(1).unwrap().lines().collect();
    assert!(first[0].starts_with("500 × chan receive"), "{text}");
    let called = |line: &str, name: &str| line.trim().starts_with(name) && line.contains("goroutines/main.go:");
    assert!(called(first[1], "main.member  ("), "{text}");
    assert!(first.iter().any(|line| called(line, "created by main.crowd  (")), "{text}");
    assert!(text.lines().next().unwrap().contains(" of the runtime's own"), "{text}");
    assert!(text.contains("main.deep × 60  ("), "{text}");
    assert!(text.contains("labels route=/orders, tenant=acme"), "{text}");
    let less = asked(&program, &["--limit", "1"]).quietly().text();
    assert_eq!(less.matches(" × chan receive").count(), 1, "{less}");
    assert!(less.contains(" more groups"), "{less}");
    assert!(!text.contains("runtime.gopark") && asked(&program, &["--runtime"]).ok().text().contains("runtime.gopark"));
}

#[test]
fn only_those_that_are_asked_for() {
    require_root!();
    for go in [go_of_this_host(), Some(go_of_setup("1.27.3"))] {
        let Some(program) = program(go, &[]) else { return };
        let count = |args: &[&str]| {
            let document = asked(&program, &[args, &["--json"]].concat()).ok().json();
            document["groups"].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum::<u64>()
        };
        let all = count(&[]);
        assert_eq!(count(&["--label", "tenant=acme"]), 1);
        assert_eq!(
            (count(&["--label", "tenant"]), count(&["--label", "tenant=other"]), count(&["--label", "who"])),
            (1, 0, 0)
        );
        assert_eq!((count(&["--state", "select (no cases)"]), count(&["--state", "syscall"])), (1, 1));
        assert!(count(&["--state", "select", "--state", "IO wait"]) > 3);
        assert_eq!((count(&["--function", "main.(*store).take"]), count(&["--function", "main.nothing"])), (1, 0));
        // Who started one counts as well.
        assert!(count(&["--function", "main.park"]) >= 24 && count(&["--runtime"]) > all);
        assert_eq!(count(&["--function", "main.park", "--function", "main.deferred", "--state", "chan receive"]), 1);
    }
}

#[test]
fn input_for_flame_graphs() {
    require_root!();
    let Some(program) = program(go_of_this_host(), &["500"]) else { return };
    let text = asked(&program, &["--format", "folded"]).quietly().text();
    assert!(text.lines().any(|line| line.ends_with("main.member 500")), "{text}");
    for line in text.lines() {
        let (stack, count) = line.rsplit_once(' ').unwrap();
        assert!(count.parse::<u64>().unwrap() > 0 && !stack.is_empty(), "{line}");
    }
}

#[test]
fn what_the_runtime_says_of_itself() {
    require_root!();
    for go in [go_of_this_host(), Some(go_of_setup("1.24.11")), Some(go_of_setup("1.27.3"))] {
        let Some(program) = program(go, &["2000"]) else { return };
        for _ in 0..3 {
            program.ask("gc");
        }
        let told = program.ask("memory");
        let told: Vec<u64> = told.split(' ').map(|number| number.parse().unwrap()).collect();
        let document = asked(&program, &["--json"]).ok().json();
        let said = |name: &str| {
            document["runtime"][name].as_u64().unwrap_or_else(|| panic!("{name}: {}", document["runtime"]))
        };
        let ours = [said("gc_cycles"), said("gomaxprocs"), said("heap_goal")];
        assert_eq!(ours, [told[0], told[3], told[2]], "{}", document["runtime"]);
        // It has asked for memory to tell it.
        assert!(said("heap_in_use").abs_diff(told[1]) < 1 << 20, "{} and {}", said("heap_in_use"), told[1]);
        assert!(said("threads") > 2 && document["runtime"]["uptime_seconds"].as_f64().unwrap() < 60.0);
        let text = asked(&program, &[]).ok().text();
        assert!(text.contains(&format!("GOMAXPROCS {}, threads ", told[3])), "{text}");
    }
}

/// Built by a Go that is to come, as far as the program says.
fn of_a_go_to_come(flags: &[&str]) -> Option<(tempfile::TempDir, Program)> {
    let go = go_of_this_host()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    super::program::build(&go, flags, &path);
    let mut bytes = std::fs::read(&path).unwrap();
    for at in memchr_all(&bytes, b"go1.19") {
        bytes[at..at + 6].copy_from_slice(b"go1.99");
    }
    std::fs::write(&path, bytes).unwrap();
    let program = Program::run(&path, &[]);
    Some((folder, program))
}

#[test]
fn a_release_that_is_not_known_says_so() {
    require_root!();
    let Some((_folder, program)) = of_a_go_to_come(&["-ldflags=-s -w"]) else { return };
    let said = ["was built by go1.99", "only Go 1.19, 1.21 to 1.", "scratchdbg dlv"];
    asked(&program, &[]).fails_with(1, &said);
}

#[test]
fn a_release_that_is_not_known_is_read_by_its_debug_information() {
    require_root!();
    let Some((_folder, program)) = of_a_go_to_come(&[]) else { return };
    let text = asked(&program, &[]).quietly().text();
    // What it waits for is a number that nothing tells the meaning of. Of three workers one may have got what they wait for.
    assert!(
        text.contains(" × waiting, up to") && text.contains("main.deep × 60  (") && text.contains("GOMAXPROCS "),
        "{text}"
    );
}

fn memchr_all(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted).map(|(at, _)| at).collect()
}

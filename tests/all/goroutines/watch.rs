//! A group that grows is told of, by how much and for how long.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::program::{Program, go_of_this_host};
use crate::require_root;
use crate::support::command::{binary, scratchdbg};

#[test]
fn a_leak_shows() {
    require_root!();
    let Some(go) = go_of_this_host() else { return };
    let program = Program::start(&go, &[], &[]);
    let mut command = binary(&["goroutines", &program.target(), "--watch=100ms", "--samples", "200", "--json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let (mut grew, mut count) = (0, 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        for change in line["changes"].as_array().unwrap() {
            if change["group"].as_str().unwrap().contains("main.leak")
                && change["now"].as_u64() > change["before"].as_u64()
            {
                assert!(change["group"].as_str().unwrap().starts_with("chan receive"), "{change}");
                (grew, count) = (change["grew_in_a_row"].as_u64().unwrap(), change["now"].as_u64().unwrap());
            }
        }
        if grew >= 3 {
            break;
        }
        program.ask("leak");
    }
    let _ = child.kill();
    let _ = child.wait();
    assert!(grew >= 3 && count >= 30 && count % 10 == 0, "{grew}, {count}");
    let text = scratchdbg(&["goroutines", &program.target(), "--watch=100ms", "--samples", "2"]).ok().text();
    assert_eq!(text.lines().filter(|line| line.contains(" goroutines; GOMAXPROCS ")).count(), 2, "{text}");
}

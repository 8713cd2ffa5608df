//! What is made of the goroutines of several pods, for people and for programs.

use std::time::Duration;

use clap::Parser as _;

use super::*;
use crate::cli::{Cli, Command};
use crate::commands::fleet::{Answer, Member};
use crate::engine::kube::Selection;
use crate::golang::BuildInfo;
use crate::golang::buildinfo::Module;
use crate::golang::symbols::Frame;
use crate::goroutines::{Dump, Goroutine, Stack, State};
use crate::target::ContainerPid;

fn frame(function: &str, line: u32) -> Frame {
    let function = format!("example.com/shop.{function}");
    Frame {
        function: function.as_str().into(),
        file: "shop/main.go".into(),
        line,
        inlined: false,
        wrapper: false,
        offset: 0,
    }
}

/// A process with so many goroutines in each of these functions.
fn dump(functions: &[(&str, usize)]) -> Dump {
    let mut dump = Dump { took: Duration::from_micros(2100), ..Dump::default() };
    for (number, (name, count)) in (0..).zip(functions) {
        dump.calls.push(vec![frame(name, 10)]);
        dump.addresses.push(u64::from(number));
        dump.stacks.push(Stack { calls: vec![number], cut: false });
        for _ in 0..*count {
            dump.goroutines.push(Goroutine {
                id: dump.goroutines.len() as u64 + 1,
                state: State::Waiting,
                reason: Some("chan receive"),
                waited: Some(Duration::from_secs(count.saturating_mul(60) as u64)),
                parent: 1,
                created_by: None,
                thread: None,
                locked: false,
                labels: None,
                stack: Some(number),
                system: false,
            });
        }
    }
    dump.tally.alive = dump.goroutines.len();
    dump.figures.heap_in_use = Some(dump.goroutines.len() as u64 * 1_000_000);
    dump
}

fn build(version: &str) -> Build {
    let main = Module { path: "example.com/shop".into(), version: version.into(), ..Module::default() };
    let settings = vec![("vcs.revision".into(), "0123456789abcdef0123456789abcdef01234567".into())];
    let info = BuildInfo { go_version: "go1.27.3".into(), main: Some(main), settings, ..BuildInfo::default() };
    let container = crate::engine::Container {
        image: format!("acme/shop:{version}"),
        image_id: format!("sha256:{version}"),
        ..crate::tui::fake::container("shop")
    };
    Build::of(&info, Some(&container))
}

/// Pods that answered in another order than that of their names, and one that did not.
fn fleet() -> (Fleet<OfPod>, Merge) {
    let mut merge = Merge::default();
    let member = |pod: &str| Member {
        namespace: "shop".into(),
        pod: pod.into(),
        container: Some("app".into()),
        node: Some("n1".into()),
        called: pod.into(),
    };
    let said = [
        ("web-e", "v1.8", vec![("pay", 2), ("serve", 1)]),
        ("web-a", "v1.9", vec![("serve", 1), ("pay", 3)]),
        ("web-d", "v1.9", vec![("serve", 1), ("pay", 40), ("leak\x1b", 1)]),
        ("web-b", "v1.9", vec![("serve", 1), ("pay", 3)]),
    ];
    let mut answers: Vec<_> = (0..)
        .zip(said)
        .map(|(number, (pod, version, functions))| {
            let dump = dump(&functions);
            merge.add(number, &dump);
            let program = Program { pid: ContainerPid(1), go: "go1.27.3".into() };
            let found = OfPod {
                number,
                program,
                build: build(version),
                tally: dump.tally,
                figures: dump.figures,
                took: dump.took,
            };
            Answer { member: member(pod), found: Ok(found) }
        })
        .collect();
    let failure = Failure::new(Exit::NoTarget, "shop/web-c/app does not run: CrashLoopBackOff").try_this("see its log");
    answers.push(Answer { member: member("web-c"), found: Err(failure) });
    answers.sort_by(|a, b| a.member.pod.cmp(&b.member.pod));
    let selection = Selection { selector: "app=web".into(), everywhere: false, container: None };
    (Fleet { selection, namespace: Some("shop".into()), answers, over: vec![member("web-old")] }, merge)
}

fn written(line: &str) -> String {
    let (command, global) = Cli::try_parse_from(line.split(' ')).unwrap().wanted().unwrap();
    let Command::Goroutines(args) = command else { panic!("{line}") };
    let (fleet, merge) = fleet();
    let mut out = Vec::new();
    write(&mut out, global.json, &fleet, &merge, &super::super::filter(&args), &args).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_same_stack_once_with_how_it_is_spread() {
    insta::assert_snapshot!(written("scratchdbg goroutines -l app=web"));
    let less = written("scratchdbg goroutines -l app=web --function pay --limit 1");
    assert!(less.starts_with("48 goroutines in 1 group; 5 not asked for (4 pods"), "{less}");
    let folded = written("scratchdbg goroutines -l app=web --format folded");
    assert_eq!(folded, "example.com/shop.leak\\x1b 1\nexample.com/shop.pay 48\nexample.com/shop.serve 4\n");
}

#[test]
fn each_pod_and_all_of_them_as_json() {
    let text = written("scratchdbg goroutines -l app=web --limit 2 --json");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["answered"], &document["failed"], &document["alive"]), (&4.into(), &1.into(), &53.into()));
    let first = &document["groups"][0];
    assert_eq!((&first["count"], first["pods"].as_array().unwrap().len()), (&48.into(), 4));
    let named: Vec<_> = first["pods"].as_array().unwrap().iter().map(|one| (&one["pod"], &one["count"])).collect();
    assert_eq!(named[2], (&"web-d".into(), &40.into()));
    assert_eq!(first["pods"][2]["goroutines"].as_array().unwrap().len(), 40);
    assert!(first.get("goroutines").is_none() && document["groups"].as_array().unwrap().len() == 2);
    assert_eq!(document["builds"][0]["pods"], serde_json::json!(["web-a", "web-b", "web-d"]));
    insta::assert_snapshot!(serde_json::to_string_pretty(&document["pods"].as_array().unwrap()[1..3]).unwrap());
}

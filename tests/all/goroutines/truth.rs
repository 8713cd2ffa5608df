//! What is read from outside is what the program says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use scratchdbg::golang::buildinfo;
use scratchdbg::golang::image::Image;
use scratchdbg::golang::layout::{self, Layout, dwarf};
use scratchdbg::golang::window::Window;
use serde_json::Value;

use super::program::{Program, Told, go_of_setup, go_of_this_host};
use crate::require_root;
use crate::support::command::scratchdbg;
use crate::support::{skip, wait};

/// Ways to build it.
const WAYS: [(&str, &[&str]); 4] = [
    ("as it comes", &[]),
    ("stripped", &["-ldflags=-s -w"]),
    ("put anywhere, and stripped", &["-buildmode=pie", "-ldflags=-s -w"]),
    ("not optimised", &["-gcflags=-N -l"]),
];

/// What we say, from JSON.
pub fn read(document: &Value) -> BTreeMap<u64, Told> {
    let mut all = BTreeMap::new();
    for group in document["groups"].as_array().unwrap() {
        let call = |frame: &Value| {
            let at = format!("{}:{}", frame["file"].as_str().unwrap(), frame["line"]);
            (frame["function"].as_str().unwrap().to_owned(), at)
        };
        let calls: Vec<_> = group["stack"].as_array().into_iter().flatten().map(call).collect();
        let created_by = Some(&group["created_by"]).filter(|by| !by.is_null()).map(call);
        for one in group["goroutines"].as_array().unwrap() {
            let told = Told {
                words: group["words"].as_str().unwrap().to_owned(),
                calls: calls.clone(),
                created_by: created_by.clone(),
                parent: one["parent"].as_u64(),
                locked: one["locked"].as_bool().unwrap_or_default(),
            };
            assert!(all.insert(one["id"].as_u64().unwrap(), told.comparable()).is_none(), "twice: {one}");
        }
    }
    all
}

/// The first one is the one that answers: it runs when it tells, and waits when it is looked at.
const TELLER: u64 = 1;

/// How the two differ, but for the one that tells.
fn difference(ours: &BTreeMap<u64, Told>, theirs: &BTreeMap<u64, Told>) -> Option<String> {
    let mut text = String::new();
    for id in ours.keys().chain(theirs.keys()).filter(|&&id| id != TELLER) {
        if ours.get(id) != theirs.get(id) {
            let (ours, theirs) = (ours.get(id), theirs.get(id));
            text.extend([format!("goroutine {id}\n  ours:   {ours:?}\n  theirs: {theirs:?}\n")]);
        }
    }
    (!text.is_empty()).then_some(text)
}

fn same_as_itself(go: Option<PathBuf>, ways: &[(&str, &[&str])]) {
    require_root!();
    let Some(go) = go.filter(|go| go.exists()) else {
        skip::go_on(Some("there is no such Go: scripts/setup matrix".to_owned()));
        return;
    };
    for (way, flags) in ways {
        let program = Program::start(&go, flags, &[]);
        let text = scratchdbg(&["goroutines", &program.target(), "--format", "panic"]).quietly().text();
        let (ours, theirs) = (Told::all(&text), program.stacks());
        assert!(ours.len() > 25, "{way}: {}", ours.len());
        assert_eq!(ours[&TELLER].calls.last().unwrap().0, "main.main", "{way}");
        if let Some(difference) = difference(&ours, &theirs) {
            panic!("{}, {way}: what it shows\n{difference}", go.display());
        }
        // All there is, and of the runtime's own: they do something now and then, so whatever moved counts for nothing.
        let all = || {
            let document = scratchdbg(&["goroutines", &program.target(), "--runtime", "--json"]).quietly().json();
            assert_eq!((&document["unreadable"], &document["left_out"]), (&0.into(), &0.into()), "{way}");
            read(&document)
        };
        let stood = wait::until("the runtime to stand still", || {
            let (before, after) = (all(), all());
            (before == after).then_some(after)
        });
        if let Some(difference) = difference(&stood, &program.last_words()) {
            panic!("{}, {way}: all there is\n{difference}", go.display());
        }
    }
}

#[test]
fn go_of_the_system() {
    same_as_itself(go_of_this_host(), &WAYS);
}

#[test]
fn go_1_24() {
    same_as_itself(Some(go_of_setup("1.24.11")), &WAYS);
}

#[test]
fn go_1_27() {
    same_as_itself(Some(go_of_setup("1.27.3")), &WAYS);
}

/// The table is what the debug information of each Go says.
#[test]
fn the_table_of_layouts_is_true() {
    let at_hand = std::fs::read_dir(super::program::cache().join("go")).into_iter().flatten().flatten();
    let at_hand = at_hand.map(|entry| entry.path().join("go/bin/go")).chain(go_of_this_host());
    let folder = tempfile::tempdir().unwrap();
    for go in at_hand.filter(|go| go.exists()) {
        let path = folder.path().join("program");
        super::program::build(&go, &[], &path);
        let mut image = Image::new(Window::whole(std::fs::read(&path).unwrap())).unwrap();
        let info = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let info = info.block_on(buildinfo::read(&std::fs::File::open(&path).unwrap())).unwrap();
        let minor = layout::minor(&info.go_version.lossy()).unwrap();
        let Some(row) = Layout::of(minor) else { continue };
        let told = dwarf::read(&mut image, minor).unwrap();
        let told = Layout { wrapper: row.wrapper, wait_reasons: row.wait_reasons, ..told };
        assert_eq!(&told, row, "{}", go.display());
    }
}

/// Those that are at hand for the table of layouts, beside what the set-up brings: `scripts/go-layouts --fetch`.
#[test]
fn every_other_go_at_hand() {
    require_root!();
    let at_hand = std::fs::read_dir(super::program::cache().join("go")).into_iter().flatten().flatten();
    for version in at_hand.map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        if !["1.24.11", "1.27.3"].contains(&version.as_str()) {
            // Other ways take Go's library to be built anew.
            same_as_itself(Some(go_of_setup(&version)), &WAYS[..2]);
        }
    }
}

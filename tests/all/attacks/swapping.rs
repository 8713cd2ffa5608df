//! What is looked at becomes something else between one step and the next.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Score, settle};
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::{require_engine, require_root};

const SECRET: &str = "the host's own";

/// How often the naive way is tried at most. The exchange takes some microseconds.
const MANY: usize = 200_000;

/// A folder of the host's, and a container in which harmless names are exchanged with links to it, over and over.
fn linked() -> (TempDir, Container) {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("secret"), SECRET).unwrap();
    fs::write(place.path().join("host-only"), SECRET).unwrap();
    let part = ["links", "/data/race", place.path().to_str().unwrap()];
    let container = Run::attacker(&part).flag("--mount=type=tmpfs,dst=/data").start();
    (place, container)
}

/// The place as the host names it.
fn seen_from_here(container: &Container, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root/data/race/{path}", container.pid()))
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

#[test]
fn a_file_that_becomes_a_link() {
    require_engine!();
    require_root!();
    let (_place, container) = linked();
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy").display().to_string();
    for name in ["file", "magic"] {
        let target = container.at(&format!("/data/race/{name}"));
        let mut good = 0;
        let ours = Score::of(120, |turn| {
            let content = if turn % 2 == 0 {
                scratchdbg(&["cat", &target]).stdout
            } else {
                scratchdbg(&["cp", "--yes", &target, &copy]);
                let content = fs::read(&copy).unwrap_or_default();
                let _ = fs::remove_file(&copy);
                content
            };
            good += usize::from(content == b"inside\n");
            content == SECRET.as_bytes()
        });
        assert!(good > 0, "it was never the file, so nothing was exchanged");
        let path = seen_from_here(&container, name);
        let naive = Score::until_won(MANY, || {
            is_file(&path) && fs::read(&path).is_ok_and(|content| content == SECRET.as_bytes())
        });
        settle(&format!("file becomes a link to the host between two looks: {name}"), naive, ours);
    }
}

#[test]
fn a_folder_that_becomes_a_link() {
    require_engine!();
    require_root!();
    let (_place, container) = linked();
    let folder = container.at("/data/race/folder");
    let file = container.at("/data/race/folder/secret");
    let copies = tempfile::tempdir().unwrap();
    let into = copies.path().join("copy");
    let ours = Score::of(120, |turn| match turn % 3 {
        0 => scratchdbg(&["cat", &file]).stdout == SECRET.as_bytes(),
        1 => scratchdbg(&["ls", "-1", &folder]).text().contains("host-only"),
        // The folder above it, so that the exchange happens in the middle of the walk.
        _ => {
            scratchdbg(&["cp", &container.at("/data/race"), into.to_str().unwrap()]);
            let found = holds_secret(&into);
            let _ = fs::remove_dir_all(&into);
            found
        }
    });
    let path = seen_from_here(&container, "folder");
    let naive =
        Score::until_won(MANY, || is_folder(&path) && fs::read_dir(&path).is_ok_and(|all| lists(all, "host-only")));
    settle("folder becomes a link to the host between two looks", naive, ours);
}

fn lists(mut all: fs::ReadDir, name: &str) -> bool {
    all.any(|entry| entry.is_ok_and(|entry| entry.file_name() == name))
}

/// Whether what is on the host has come into a copy, which must not be followed out of itself either.
fn holds_secret(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if is_folder(&path) {
            holds_secret(&path)
        } else {
            is_file(&path) && fs::read(&path).unwrap() == SECRET.as_bytes()
        }
    })
}

#[test]
fn what_is_written_into_becomes_a_link() {
    require_engine!();
    require_root!();
    let (place, container) = linked();
    let source = tempfile::tempdir().unwrap();
    let new = source.path().join("new").display().to_string();
    fs::write(&new, "new").unwrap();
    let secret = place.path().join("secret");
    let unharmed =
        || fs::read_to_string(&secret).unwrap() == SECRET && fs::read_dir(place.path()).unwrap().count() == 2;
    let ours = Score::of(120, |turn| {
        let to = ["file", "magic", "folder/new"][turn % 3];
        scratchdbg(&["cp", "--write", "--yes", &new, &container.at(&format!("/data/race/{to}"))]);
        !unharmed()
    });
    let path = seen_from_here(&container, "folder");
    let naive = Score::until_won(MANY, || {
        is_folder(&path) && fs::write(path.join("new"), "new").is_ok() && place.path().join("new").exists()
    });
    settle("copy into a container is led to the host", naive, ours);
}

#[test]
fn a_file_that_becomes_a_pipe_or_a_device() {
    require_engine!();
    require_root!();
    // Where devices can be opened.
    let container = Run::attacker(&["kinds", "/data/race"]).flag("--tmpfs=/data:rw,dev").start();
    for name in ["pipe", "zero"] {
        let target = container.at(&format!("/data/race/{name}"));
        let mut good = 0;
        // A command that waits on a pipe fails the test by its time.
        let ours = Score::of(100, |turn| {
            let command: [&[&str]; 2] = [&["cat", &target], &["cp", &target, "-"]];
            let content = scratchdbg(command[turn % 2]).stdout;
            good += usize::from(content == b"inside\n");
            !content.is_empty() && content != b"inside\n"
        });
        assert!(good > 0, "it was never the file, so nothing was exchanged");
        let path = seen_from_here(&container, name);
        let naive = Score::until_won(MANY, || is_file(&path) && opens_something_else(&path));
        settle(&format!("file becomes what has no end between two looks: {name}"), naive, ours);
    }
}

/// Without waiting, so that the naive way does not hang here as it would elsewhere.
fn opens_something_else(path: &Path) -> bool {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    opened.is_ok_and(|mut file: File| {
        !file.metadata().unwrap().is_file() && file.read(&mut [0; 64]).is_ok_and(|length| length != 7)
    })
}

#[test]
fn names_that_change_under_a_listing() {
    require_engine!();
    require_root!();
    let container = Run::attacker(&["renames", "/data/race"]).flag("--mount=type=tmpfs,dst=/data").start();
    let ours = Score::of(60, |_| {
        let ended = scratchdbg(&["ls", "--json", &container.at("/data/race")]);
        let whole = ended.code() == 0 && ended.stderr.is_empty() && {
            let json = ended.json();
            let entries = json["entries"].as_array().unwrap();
            let steady = |entry: &&serde_json::Value| {
                entry["name"].as_str().unwrap().starts_with("steady-") && entry["size"] == 7
            };
            entries.iter().filter(steady).count() == 200
        };
        !whole
    });
    let path = seen_from_here(&container, "");
    let naive = Score::until_won(MANY, || {
        let names: Vec<_> = fs::read_dir(&path).unwrap().flatten().collect();
        names.iter().any(|entry| fs::symlink_metadata(entry.path()).is_err())
    });
    settle("listing fails because a name in it has changed", naive, ours);
}

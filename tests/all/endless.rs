//! What has no end, or is larger than anything should be, or changes while it is looked at.

use serde::Deserialize;

use crate::hostile::{planted, trap};
use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::support::wait;
use crate::{require_engine, require_root};

#[test]
fn what_is_no_file_is_refused_at_once() {
    require_engine!();
    require_root!();
    let container = planted();
    let kinds = [
        ("fifo", "named pipe"),
        ("socket", "socket"),
        ("device-zero", "character device"),
        ("device-random", "character device"),
        ("to-zero", "character device"),
        ("empty-dir", "directory"),
    ];
    for (name, kind) in kinds {
        let place = trap(&container, name.as_bytes());
        let place = place.to_str().unwrap();
        scratchdbg(&["cat", place]).fails_with(1, &["in the target is a", kind]);
        if kind != "directory" {
            scratchdbg(&["cp", place, "-"]).fails_with(1, &["in the target is a", kind]);
            scratchdbg(&["cp", "--write", "Cargo.toml", place]).fails_with(1, &["in the target is a", kind]);
        }
    }
    for path in ["/dev/zero", "/dev/random", "/dev/full", "/dev/pts/ptmx"] {
        scratchdbg(&["cat", &container.at(path)]).fails_with(1, &["is a character device"]);
    }
}

#[test]
fn what_the_kernel_makes_up_does_not_hang() {
    require_engine!();
    require_root!();
    let shows_all = ["--cap-add=SYSLOG", "--cap-add=SYS_ADMIN", "--security-opt=systempaths=unconfined"];
    let container = shows_all.into_iter().fold(Run::toolbox(&["sleep"]), Run::flag).start();
    for who in ["target", "root"] {
        // They may be read or not; there must be an answer.
        for path in ["/proc/kmsg", "/proc/1/mem", "/proc/kcore", "/proc/sysrq-trigger", "/proc/1/clear_refs"] {
            let ended = scratchdbg(&["cat", "--bytes", "100", "--as", who, &container.at(path)]);
            assert!(matches!(ended.code(), 0 | 1 | 3), "{path}: {}", ended.stderr);
        }
        let pages = scratchdbg(&["cat", "--bytes", "800", "--as", who, &container.at("/proc/1/pagemap")]);
        assert_eq!(pages.quietly().stdout.len(), 800);
    }
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    for path in ["/proc", "/sys", "/proc/1"] {
        scratchdbg(&["cp", &container.at(path), to]).fails_with(1, &["a view of the kernel"]);
    }
}

#[test]
fn what_is_huge_or_grows_is_read_as_far_as_wanted() {
    require_engine!();
    require_root!();
    let container = planted();
    let place = |name: &str| container.at(&format!("/data/plant/{name}"));
    let middle = ["cat", "--offset", "549755813888", "--bytes", "200000", &place("sparse-1TiB")];
    assert_eq!(scratchdbg(&middle).quietly().stdout, vec![0; 200_000]);
    let behind = ["cat", "--offset", "1099511627776", &place("sparse-1TiB")];
    assert_eq!(scratchdbg(&behind).quietly().stdout, b"");
    assert_eq!(scratchdbg(&["cat", "--offset", "18446744073709551615", &place("growing")]).code(), 1);

    let growing = || scratchdbg(&["cat", &place("growing")]).quietly().text();
    let first = growing();
    assert!(first.is_empty() || first.starts_with("line 1\n"), "{first}");
    wait::until("the file to grow", || (growing().len() > first.len()).then_some(()));
}

#[test]
fn a_path_longer_than_any_may_be_is_an_answer() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["deep", "/data/deep"]).flag("--mount=type=tmpfs,dst=/data").start();
    let step = format!("/{}", "d".repeat(200));
    let ls = |depth: usize| scratchdbg(&["ls", "-1", &container.at(&format!("/data/deep{}", step.repeat(depth)))]);
    assert_eq!(ls(19).quietly().text(), format!("{}\n", &step[1..]));
    ls(25).fails_with(1, &["in the target"]);
    let folder = tempfile::tempdir().unwrap();
    let copy = scratchdbg(&["cp", &container.at("/data"), folder.path().to_str().unwrap()]).ends_with(1);
    assert!(copy.stderr.contains("could not be copied"), "{}", copy.stderr);
}

/// As much of a listing as is looked at: a generic one of this size takes the test long.
#[derive(Deserialize)]
struct Listing {
    entries: Vec<Entry>,
    cut: bool,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
}

#[test]
fn a_hundred_thousand_names_are_all_there() {
    require_engine!();
    require_root!();
    const FILES: usize = 100_000;
    let container = Run::toolbox(&["bigdir", "/data/big", "100000"]).flag("--mount=type=tmpfs,dst=/data").start();
    let ended = scratchdbg(&["ls", "--json", &container.at("/data/big")]).quietly();
    let listing: Listing = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((listing.entries.len(), listing.cut), (FILES, false));
    for (number, entry) in listing.entries.iter().enumerate() {
        assert_eq!(entry.name, format!("file-{:07}", number + 1));
    }
    let names = scratchdbg(&["ls", "-1", &container.at("/data/big")]).quietly().text();
    assert_eq!(names.lines().count(), FILES);
}

#[test]
fn processes_that_vanish_do_no_harm() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["churn"]).start();
    let mut seen = 0;
    for _ in 0..100 {
        let json = scratchdbg(&["ps", "--json", container.name()]).quietly().json();
        let processes = json["processes"].as_array().unwrap();
        assert_eq!(processes[0]["command"], serde_json::json!(["/toolbox", "churn"]));
        seen += processes.len() - 1;
        // Whatever was caught is whole.
        for one in processes {
            assert!(one["pid"].is_number() && one["name"].is_string(), "{one}");
        }
    }
    assert!(seen > 0, "no child was ever seen, so none was ever lost");
}

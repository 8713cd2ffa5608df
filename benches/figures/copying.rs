//! A very large file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{Way, race, to_nowhere, whole};
use crate::{Bench, MUCH};

/// Copied out, to memory where there is room: a disk would be measured otherwise.
pub fn large_file(bench: &Bench) -> Vec<Figure> {
    let container = Run::toolbox(&["bigfile", "/data/big.bin", &bench.scale.bytes.to_string()])
        .flag("--volume=/data")
        .patience(MUCH)
        .start();
    let inside = container.at("/data/big.bin");
    let outside = format!("/proc/{}/root/data/big.bin", container.pid());
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let copy = tempfile::Builder::new().prefix("scratchdbg-bench-").tempdir_in(place).expect("a folder");
    let copy = copy.path().join("copy");
    let to = copy.to_str().expect("a path in UTF-8");

    let mut ways = [
        into_new_file(whole(BINARY, &["cp", &inside, to], 0), &copy, bench.scale.bytes),
        into_new_file(whole("cp", &[&outside, to], 0), &copy, bench.scale.bytes),
        into_new_file(whole("docker", &["cp", &inside, to], 0), &copy, bench.scale.bytes),
    ];
    let written = race(bench.scale.few, &mut ways);
    // The same without the cost of writing it again, which is the same for all and most of it.
    let mut ways = [to_nowhere(BINARY, &["cp", &inside, "-"]), to_nowhere("docker", &["cp", &inside, "-"])];
    let read = race(bench.scale.few, &mut ways);
    let figure = |how: &str, ours, rival, theirs, goal| Figure {
        what: format!("copy a file of {} MiB {how}", bench.scale.bytes >> 20),
        ours,
        rival: Some((rival, theirs)),
        goal,
    };
    vec![
        figure("out", written[0], "cp /proc/PID/root/FILE", written[1], Goal::AtMostTimes(1.3)),
        figure("out", written[0], "docker cp NAME:FILE", written[2], Goal::FasterTimes(20.0)),
        figure("to `/dev/null`", read[0], "docker cp NAME:FILE -", read[1], Goal::FasterTimes(20.0)),
    ]
}

/// Removes the copy before and after: writing over one is faster than writing a new one.
fn into_new_file<'a>(mut way: Way<'a>, copy: &'a Path, bytes: u64) -> Way<'a> {
    Box::new(move || -> Duration {
        let time = way();
        assert_eq!(fs::metadata(copy).expect("a copy").len(), bytes);
        fs::remove_file(copy).expect("a copy");
        time
    })
}

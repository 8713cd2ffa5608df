//! A very large file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Bench;
use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{Way, race, whole};

/// Copied out, to memory where there is room: a disk would be measured otherwise.
pub fn large_file(bench: &Bench) -> Vec<Figure> {
    let container =
        Run::toolbox(&["bigfile", "/data/big.bin", &bench.scale.bytes.to_string()]).flag("--volume=/data").start();
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
    let taken = race(bench.scale.few, &mut ways);
    let figure = |rival, theirs: usize, goal| Figure {
        what: format!("copy a file of {} MiB out", bench.scale.bytes >> 20),
        ours: taken[0],
        rival: Some((rival, taken[theirs])),
        goal,
    };
    vec![
        figure("cp /proc/PID/root/FILE", 1, Goal::AtMostTimes(1.3)),
        figure("docker cp NAME:FILE", 2, Goal::FasterTimes(20.0)),
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

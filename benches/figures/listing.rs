//! A very large directory.

use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{race, whole};
use crate::{Bench, MUCH};

/// Names only, and names with all that a listing shows.
///
/// The directory is in a volume: so it is on the host's own filesystem whatever the engine's storage driver is.
pub fn large_directory(bench: &Bench) -> Vec<Figure> {
    let container = Run::toolbox(&["bigdir", "/data/big", &bench.scale.files.to_string()])
        .flag("--volume=/data")
        .patience(MUCH)
        .start();
    let inside = container.at("/data/big");
    let outside = format!("/proc/{}/root/data/big", container.pid());
    // file-0000001 and a newline.
    let names = bench.scale.files * 13;
    let mut ways = [
        whole(BINARY, &["ls", "--names", &inside], names),
        whole("ls", &["-1A", &outside], names),
        whole("docker", &["cp", &inside, "-"], names),
        whole(BINARY, &["ls", &inside], names),
        whole("ls", &["-lA", &outside], names),
    ];
    let taken = race(bench.scale.few, &mut ways);
    let figure = |what: &str, ours: usize, rival, theirs: usize, goal| Figure {
        what: format!("list {} files, {what}", bench.scale.files),
        ours: taken[ours],
        rival: Some((rival, taken[theirs])),
        goal,
    };
    vec![
        figure("names", 0, "ls -1 /proc/PID/root/DIR", 1, Goal::AtMostTimes(1.3)),
        figure("names", 0, "docker cp NAME:DIR -", 2, Goal::FasterTimes(20.0)),
        figure("sizes and owners", 3, "ls -l /proc/PID/root/DIR", 4, Goal::AtMostTimes(1.3)),
    ]
}

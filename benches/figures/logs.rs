//! A very long log.

use crate::command::BINARY;
use crate::container::{Container, Run};
use crate::figure::{Figure, Goal};
use crate::race::{race, whole};
use crate::{Bench, MUCH};

/// A container whose log has so many lines.
pub fn long_log(lines: u64) -> Container {
    Run::toolbox(&["emit", &lines.to_string()]).with_whole_log().patience(MUCH).start()
}

/// All of it, to a pipe.
pub fn to_a_pipe(bench: &Bench) -> Vec<Figure> {
    let container = long_log(bench.scale.lines);
    // Nine lines of ten are on standard output, each longer than this.
    let bytes = bench.scale.lines * 9 / 10 * 50;
    let mut ways =
        [whole(BINARY, &["logs", container.name()], bytes), whole("docker", &["logs", container.name()], bytes)];
    let taken = race(bench.scale.few, &mut ways);
    vec![Figure {
        what: format!("`scratchdbg logs` of {} lines to a pipe", bench.scale.lines),
        ours: taken[0],
        rival: Some(("docker logs", taken[1])),
        goal: Goal::AtMostTimes(1.0),
    }]
}

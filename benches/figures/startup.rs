//! How long it takes to get in, and to get one answer out.

use crate::Scale;
use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{first_byte as until_first_byte, race, whole};

/// The helper's first byte from a broker that already runs, as in the screen, beside a program that is in the image.
pub fn first_byte(scale: Scale) -> Vec<Figure> {
    let container = Run::toolbox(&["sleep"]).start();
    let pid = container.pid().to_string();
    let mut ways = [
        until_first_byte("nsenter", &["-t", &pid, "-a", "/first-byte"]),
        until_first_byte("docker", &["exec", container.name(), "/first-byte"]),
    ];
    let taken = race(scale.many, &mut ways);
    let _ = taken;
    Vec::new()
}

/// A whole command, from its start to its end.
pub fn whole_command(scale: Scale) -> Vec<Figure> {
    let container = Run::toolbox(&["sleep"]).start();
    let mut ways = [
        whole(BINARY, &["ls", &container.at("/")]),
        whole("docker", &["exec", container.name(), "/toolbox", "ls", "/"]),
    ];
    let taken = race(scale.many, &mut ways);
    vec![Figure {
        what: "`scratchdbg ls NAME:/`, the whole command".to_owned(),
        ours: taken[0],
        rival: Some(("docker exec NAME ls /", taken[1])),
        goal: Goal::FasterTimes(4.0),
    }]
}

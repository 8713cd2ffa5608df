//! The same through a sidecar, beside what one would do by hand without root.

use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{race, to_nowhere, whole};
use crate::{Bench, MUCH};

/// A whole command beside a container of one's own with the same namespaces, and a large file out.
pub fn beside(bench: &Bench) -> Vec<Figure> {
    let container = Run::toolbox(&["sleep"]).start();
    let (pid, network) =
        (format!("--pid=container:{}", container.id()), format!("--network=container:{}", container.id()));
    let by_hand = ["run", "--rm", &pid, &network, "scratchdbg-test/toolbox", "ls", "/proc/1/root/"];
    let at = container.at("/");
    let mut ways = [whole(BINARY, &["ls", &at, "--via", "sidecar"], 1), whole("docker", &by_hand, 1)];
    let command = race(bench.scale.many / 2, &mut ways);

    let large = Run::toolbox(&["bigfile", "/data/big.bin", &bench.scale.bytes.to_string()])
        .flag("--volume=/data")
        .patience(MUCH)
        .start();
    let file = large.at("/data/big.bin");
    let mut ways =
        [to_nowhere(BINARY, &["cp", &file, "-", "--via", "sidecar"]), to_nowhere("docker", &["cp", &file, "-"])];
    let copy = race(bench.scale.few, &mut ways);
    vec![
        Figure {
            what: "`scratchdbg ls NAME:/ --via sidecar`, the whole command".to_owned(),
            ours: command[0],
            rival: Some(("docker run --pid container:NAME … ls", command[1])),
            goal: Goal::AtMostTimes(1.0),
        },
        Figure {
            what: format!("copy a file of {} MiB to `/dev/null`, by a sidecar", bench.scale.bytes >> 20),
            ours: copy[0],
            rival: Some(("docker cp NAME:FILE -", copy[1])),
            goal: Goal::AtMostTimes(1.0),
        },
    ]
}

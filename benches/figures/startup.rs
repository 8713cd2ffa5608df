//! How long it takes to get in, and to get one answer out.

use scratchdbg::activity::Journal;
use scratchdbg::entry::{Access, enter};
use scratchdbg::target::{HostPid, Target};

use crate::Bench;
use crate::command::BINARY;
use crate::container::Run;
use crate::figure::{Figure, Goal};
use crate::race::{Way, first_byte as until_first_byte, race, timed, whole};

/// The helper's first word from a broker that already runs, as while the screen is open, beside the first byte of a
/// program that is in the image.
pub fn first_byte(bench: &Bench) -> Vec<Figure> {
    let container = Run::toolbox(&["sleep"]).start();
    let pid = container.pid();
    let target = Target::Process(HostPid(pid));
    let journal = Journal::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut ways: [Way<'_>; 3] = [
        Box::new(|| {
            let mut entered = None;
            let time = timed(|| {
                entered = Some(runtime.block_on(enter(Ok(&bench.broker), None, &target, &Access::default(), &journal)));
            });
            // Leaving is not counted, nor is the end of the others.
            runtime.block_on(async { drop(entered.expect("just set").expect("the way in")) });
            time
        }),
        until_first_byte("nsenter", &["-t", &pid.to_string(), "-a", "/first-byte"]),
        until_first_byte("docker", &["exec", container.name(), "/first-byte"]),
    ];
    let taken = race(bench.scale.many, &mut ways);
    let figure = |rival, theirs: usize, goal| Figure {
        what: "broker running, to the helper's first word".to_owned(),
        ours: taken[0],
        rival: Some((rival, taken[theirs])),
        goal,
    };
    vec![figure("nsenter -t PID -a", 1, Goal::AtMostTimes(1.0)), figure("docker exec", 2, Goal::FasterTimes(25.0))]
}

/// A whole command, from its start to its end.
pub fn whole_command(bench: &Bench) -> Vec<Figure> {
    let container = Run::toolbox(&["sleep"]).start();
    let mut ways = [
        whole(BINARY, &["ls", &container.at("/")], 1),
        whole("docker", &["exec", container.name(), "/toolbox", "ls", "/"], 1),
    ];
    let taken = race(bench.scale.many, &mut ways);
    vec![Figure {
        what: "`scratchdbg ls NAME:/`, the whole command".to_owned(),
        ours: taken[0],
        rival: Some(("docker exec NAME ls /", taken[1])),
        goal: Goal::FasterTimes(4.0),
    }]
}

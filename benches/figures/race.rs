//! Several ways to do the same, taken in turns: whatever else this machine does then hits all of them alike.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::figure::Amount;

/// One way to do it: returns how long it took.
pub type Way<'a> = Box<dyn FnMut() -> Duration + 'a>;

/// Takes each way so many times, in turns, after one turn that does not count. The medians, in the same order.
///
/// Each round begins with another way, so that none always profits from what the one before it has warmed up.
pub fn race(rounds: usize, ways: &mut [Way<'_>]) -> Vec<Amount> {
    let mut taken = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..=rounds {
        for turn in 0..ways.len() {
            let way = (round + turn) % ways.len();
            let time = ways[way]();
            if round > 0 {
                taken[way].push(time);
            }
        }
    }
    taken.into_iter().map(|times| Amount::Time(median(times))).collect()
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Times whatever is done.
pub fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

/// A way that runs a command to its end and reads all it prints through a pipe. Fewer bytes than that many would mean
/// that it did not do its work.
pub fn whole(program: &str, args: &[&str], at_least: u64) -> Way<'static> {
    let mut command = command(program, args);
    Box::new(move || {
        timed(|| {
            let mut child = command.spawn().expect("the command starts");
            let mut pipe = child.stdout.take().expect("a pipe");
            let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
            loop {
                match pipe.read(&mut buffer).expect("a pipe") {
                    0 => break,
                    count => bytes += count as u64,
                }
            }
            assert!(bytes >= at_least, "{command:?} printed {bytes} bytes only");
            assert!(child.wait().expect("a child").success(), "{command:?} failed");
        })
    })
}

/// A way that runs a command to its end; what it prints goes nowhere, and costs nothing to be rid of.
pub fn to_nowhere(program: &str, args: &[&str]) -> Way<'static> {
    let mut command = command(program, args);
    command.stdout(Stdio::null());
    Box::new(move || timed(|| assert!(command.status().expect("the command starts").success(), "{command:?} failed")))
}

/// A way that runs a command until its first byte is there. Its end is waited for, but not counted.
pub fn first_byte(program: &str, args: &[&str]) -> Way<'static> {
    let mut command = command(program, args);
    Box::new(move || {
        let start = Instant::now();
        let mut child = command.spawn().expect("the command starts");
        let mut byte = [0];
        child.stdout.take().expect("a pipe").read_exact(&mut byte).expect("a byte");
        let time = start.elapsed();
        assert!(child.wait().expect("a child").success(), "{command:?} failed");
        time
    })
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    // Bytes in the order of their numbers: sorting by language would slow down the others only.
    command.args(args).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

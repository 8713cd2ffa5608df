//! Names and lines that a terminal would obey.

use super::{Score, settle};
use crate::support::container::Run;
use crate::support::pty::{Setup, Terminal, key};
use crate::{require_engine, require_root};

/// What a terminal obeys in them: a title, a clipboard, an erased screen, another colour than ours.
const ORDERS: [&[u8]; 4] = [b"\x1b]0;owned", b"\x1b]52;c;b3duZWQ=", b"\x1b[2J\xe2\x80\xae", b"\x9b31m"];

fn obeyed(bytes: &[u8]) -> bool {
    let direction = ["\u{202e}", "\u{200b}"].map(str::as_bytes);
    ORDERS.iter().chain(&direction).any(|order| bytes.windows(order.len()).any(|part| part == *order))
}

#[test]
fn what_a_terminal_would_obey() {
    require_engine!();
    require_root!();
    let planted = Run::toolbox(&["plant", "/data/plant"]).flag("--mount=type=tmpfs,dst=/data").start();
    let tree = Run::toolbox(&["tree"]).start();
    let talking = Run::attacker(&["\x1b]0;owned\x07 \x1b]52;c;b3duZWQ=\x07 \u{202e}x"]).without_waiting().start();
    talking.wait_for_state("exited");

    let folder = planted.at("/data/plant");
    let commands: [&[&str]; 5] =
        [&["ls", &folder], &["ls", "-1", &folder], &["ps", tree.name()], &["logs", talking.name()], &["list"]];
    let mut ours = Score::of(commands.len(), |turn| {
        let mut terminal = Terminal::scratchdbg(commands[turn]);
        assert!(terminal.wait_exit().success());
        obeyed(&terminal.raw())
    });
    // And the screen: processes, files, log.
    for (container, tab, seen) in [(&tree, "2", "evil"), (&talking, "3", "owned")] {
        let mut terminal = Terminal::scratchdbg(&["attach", container.name()]);
        terminal.wait_for(container.name());
        terminal.press(tab);
        terminal.wait_for(seen);
        terminal.press(key::CTRL_C);
        assert!(terminal.wait_exit().success());
        ours.count(obeyed(&terminal.raw()));
    }

    // What anybody's own tools print.
    let naive = Score::of(2, |turn| {
        let pid = tree.pid().to_string();
        let command: [(&str, &[&str]); 2] = [
            ("docker", &["logs", talking.name()]),
            ("sh", &["-c", "cat /proc/$0/task/*/children | xargs -n 1 -I @ cat /proc/@/cmdline", &pid]),
        ];
        let mut terminal = Setup::program(command[turn].0, command[turn].1).start();
        terminal.wait_exit();
        obeyed(&terminal.raw())
    });
    settle("terminal obeys what a container has named or printed", naive, ours);
}

//! The tab Go: what a person sees and presses while the program runs on.

use super::program::{Program, go_of_this_host};
use crate::support::client::asked_meanwhile;
use crate::support::container::Run;
use crate::support::pty::{Setup, Terminal, key};
use crate::support::residue::Residue;
use crate::support::{process, wait};
use crate::{require_engine, require_root};

/// Opens the tab, and waits for goroutines.
fn tab(args: &[&str]) -> Terminal {
    let mut terminal = Setup::scratchdbg(&[&["attach"], args].concat()).size(150, 45).start();
    terminal.wait_for("Overview");
    terminal.press("8");
    terminal.wait_for(" places ─ process ");
    terminal
}

fn quit(mut terminal: Terminal) {
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
}

#[test]
fn places_stacks_and_single_goroutines_while_it_serves() {
    require_engine!();
    require_root!();
    let shop = Run::public_shop().start();
    for door in ["local", "sidecar"] {
        let before = Residue::of(&shop);
        let tally = asked_meanwhile(&shop, std::time::Duration::from_millis(2), || {
            let mut terminal = tab(&[shop.name(), "--via", door, "--as", "root"]);
            terminal.wait_for("main.(*store).packOrders  store.go:80");
            terminal.wait_for("GOMAXPROCS 2");
            assert_eq!(process::status(shop.pid(), "TracerPid"), ["0"], "nothing is traced");
            // One place, one goroutine of it, its stack.
            terminal.press("/packOrders\r");
            terminal.wait_for("in 1 places");
            terminal.press("\r");
            terminal.wait_for("of one place ─ process 1");
            terminal.wait_for("PARENT");
            terminal.wait_for("created by main.run");
            // Back to all, the runtime's own among them.
            terminal.press("q");
            terminal.press(key::ESC);
            terminal.wait_for_no("filter: packOrders");
            terminal.wait_for_no("runtime.bgsweep");
            terminal.press("a");
            terminal.wait_for("runtime.");
            // Read again, by itself.
            terminal.press("6");
            terminal.wait_for("open the memory of process 1 for reading, while it runs on");
            quit(terminal);
        });
        assert_eq!(tally.failed, 0, "{door}: {tally:?}");
        before.assert_unchanged(&shop);
    }
}

#[test]
fn a_leak_is_seen_to_grow() {
    require_root!();
    let Some(go) = go_of_this_host() else { return };
    let program = Program::start(&go, &["-ldflags=-s -w"], &[]);
    let mut terminal = tab(&[&program.target()]);
    program.ask("leak");
    terminal.press("/main.leak\r");
    terminal.wait_for("filter: main.leak");
    // Each reading finds more of them than the one before, until that is said.
    wait::until_within(wait::PATIENCE * 2, "it to be said that they grow", || {
        program.ask("leak");
        terminal.text().contains("↑+").then_some(())
    });
    quit(terminal);
}

#[test]
fn what_go_did_not_make_says_so() {
    require_engine!();
    require_root!();
    let container = Run::native(&["1"]).start();
    let mut terminal = Setup::scratchdbg(&["attach", container.name()]).size(120, 36).start();
    terminal.wait_for("Overview");
    terminal.press("8");
    terminal.wait_for("it is no Go program");
    quit(terminal);
}

//! Tests of the harness itself: a check that never fails checks nothing.

use std::panic;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::command::run;
use crate::support::container::Run;
use crate::support::engine::docker;
use crate::support::pty::{Setup, key};
use crate::support::residue::Residue;
use crate::support::{pty_modes, wait};
use crate::{require_engine, require_root};

#[test]
fn waiting_ends() {
    let waited = panic::catch_unwind(|| wait::until_within(Duration::from_millis(30), "nothing", || None::<()>));
    assert!(waited.is_err());
    let mut asked = 0;
    let answer = wait::until("the third time", || {
        asked += 1;
        (asked == 3).then_some(asked)
    });
    assert_eq!(answer, 3);
}

#[test]
fn a_command_is_seen_whole() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo out; printf '\\033[31m' >&2; exit 7"]).stdin(Stdio::null());
    let ended = run(command).ends_with(7);
    assert_eq!(ended.text(), "out\n");
    assert!(panic::catch_unwind(|| ended.is_safe_to_show()).is_err());
}

#[test]
fn a_terminal_shows_what_a_program_draws_and_how_it_ends() {
    let script = "was=$(stty -g); stty raw; printf '\\033[?1049h\\033[?25l\\033[2;3Hhello'; read -r x; \
                  printf '\\033[?25h\\033[?1049l'; stty $was; exit 5";
    let mut terminal = Setup::program("/bin/sh", &["-c", script]).size(40, 10).start();
    terminal.wait_for("hello");
    assert!(terminal.look(|screen| screen.alternate_screen() && screen.hide_cursor()));
    assert_eq!(terminal.look(vt100::Screen::size), (10, 40));
    assert_eq!(terminal.left_behind().len(), 5, "{:?}", terminal.left_behind());
    terminal.press("\n");
    assert_eq!(terminal.wait_exit().exit_code(), 5);
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn a_terminal_carries_sizes_and_signals() {
    let script = "trap 'stty size' WINCH; trap 'echo bye; exit 0' TERM; echo here; while :; do read -r x; done";
    let mut terminal = Setup::program("/bin/bash", &["-c", script]).start();
    terminal.wait_for("here");
    terminal.resize(33, 11);
    terminal.press(key::ENTER);
    terminal.wait_for("11 33");
    terminal.signal(Signal::SIGTERM);
    terminal.press(key::ENTER);
    assert!(terminal.wait_exit().success());
    assert!(terminal.text().contains("bye"));
}

#[test]
fn modes_left_on_are_noticed() {
    let none: Vec<String> = Vec::new();
    assert_eq!(pty_modes::left_on(b"\x1b[?1049h\x1b[?2004;1000h text \x1b[?1000l\x1b[?2004l\x1b[?1049l"), none);
    assert_eq!(pty_modes::left_on(b"\x1b[?25l\x1b[?1006h\x1b[>1u"), ["mode 25 off", "mode 1006 on", "a key protocol"]);
    assert_eq!(pty_modes::left_on(b"\x1b[>1u\x1b[<1u\x1b[31m\x1b["), none);
}

#[test]
fn a_quiet_container_leaves_no_residue() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).hardened().start();
    let before = Residue::of(&container);
    before.assert_unchanged(&container);
}

#[test]
fn residue_of_every_kind_is_noticed() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    let pid = container.pid().to_string();

    docker(&["cp", "Cargo.toml", &container.at("/left-behind")]);
    let mut sharing = Command::new("nsenter").args(["-t", &pid, "-n", "sleep", "60"]).spawn().unwrap();
    docker(&["exec", "--detach", container.id(), "/toolbox", "sleep"]);
    let mut zombie = Command::new("/bin/true").spawn().unwrap();

    let text = wait::until("residue of five kinds", || {
        let text = before.difference(&Residue::of(&container));
        let headings = ["docker diff", "processes inside", "processes outside", "members", "zombies"];
        headings.iter().all(|heading| text.contains(heading)).then_some(text)
    });
    sharing.kill().unwrap();
    sharing.wait().unwrap();
    zombie.wait().unwrap();
    assert!(text.contains("+ A /left-behind"), "{text}");
    assert!(text.contains("\"sleep\" (net)"), "{text}");
}

#[test]
fn the_sample_containers_start_hardened() {
    require_engine!();
    let shop = Run::stripped().hardened().start();
    assert_eq!(shop.state(), "running");
    assert_eq!(shop.diff(), "");
    let planted = Run::toolbox(&["plant", "/plant"]).start();
    assert!(planted.diff().contains("/plant"));
}

#[test]
fn a_container_that_never_gets_ready_says_why() {
    require_engine!();
    let failed = panic::catch_unwind(|| Run::toolbox(&["ls", "/no-such-place"]).start());
    let message = failed.err().and_then(|error| error.downcast::<String>().ok()).expect("a message");
    assert!(message.contains("no such file or directory"), "{message}");
    Run::toolbox(&["crash"]).without_waiting().start().wait_for_state("exited");
}

//! The screen, as a person meets it: the real binary in a real terminal, on a real container.

use nix::sys::signal::Signal;

use crate::support::container::Run;
use crate::support::pty::{Setup, Terminal, key};
use crate::support::residue::Residue;
use crate::{require_engine, require_root};

/// Opens the screen on a container and waits until it is whole: the helper inside has answered.
fn attach(name: &str) -> Terminal {
    let terminal = Terminal::scratchdbg(&["attach", name]);
    terminal.wait_for("scratch: no shell");
    terminal
}

fn ended_well(mut terminal: Terminal, code: u32) {
    let status = terminal.wait_exit();
    assert_eq!(status.exit_code(), code, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

#[test]
fn every_tab_shows_the_container_and_nothing_is_left_behind() {
    require_engine!();
    require_root!();
    let shop = Run::shop().hardened().start();
    shop.wait_for_log("order placed");
    let before = Residue::of(&shop);

    let mut terminal = attach(shop.name());
    terminal.wait_for("65532:0, no capabilities");
    terminal.press("2");
    terminal.wait_for("/shop");
    terminal.press(key::ENTER);
    terminal.wait_for("NoNewPrivs");
    terminal.press("q");
    terminal.press("3");
    terminal.wait_for("order placed");
    terminal.press("4");
    terminal.wait_for("etc/");
    terminal.press("5");
    terminal.wait_for("0.0.0.0:8080");
    terminal.wait_for("127.0.0.1:6060");
    assert_eq!(shop.diff(), "");

    terminal.press("q");
    ended_well(terminal, 0);
    before.assert_unchanged(&shop);
}

#[test]
fn a_file_is_found_and_read() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = attach(shop.name());
    terminal.press(":");
    terminal.press("files /etc/shop\r");
    terminal.wait_for("config.json");
    terminal.press("G");
    terminal.press(key::ENTER);
    terminal.wait_for("corner shop");
    // As bytes, and back where it was found: every key works in the file too.
    terminal.press("x");
    terminal.wait_for("00000000");
    terminal.press("q");
    terminal.wait_for("config.json");
    terminal.wait_for_no("00000000");
}

#[test]
fn it_ends_when_asked_by_key_or_signal() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = attach(shop.name());
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut terminal = attach(shop.name());
        terminal.signal(signal);
        terminal.wait_exit();
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
    }
}

#[test]
fn the_picker_lists_what_runs_and_opens_it() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = Setup::scratchdbg(&[]).size(160, 36).start();
    terminal.wait_for(shop.name());
    terminal.press("/");
    terminal.press(shop.name());
    terminal.press(key::ENTER);
    terminal.press(key::ENTER);
    terminal.wait_for("scratch: no shell");
    // Back to the list, and out.
    terminal.press("q");
    terminal.wait_for(shop.name());
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
}

#[test]
fn a_container_that_ends_is_shown_and_found_again() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = attach(shop.name());
    terminal.wait_for("RUNNING");
    shop.engine_does("pause");
    terminal.wait_for("PAUSED");
    shop.engine_does("unpause");
    terminal.wait_for("RUNNING");
    shop.engine_does("kill");
    terminal.wait_for("EXITED");
    shop.engine_does("start");
    terminal.wait_for("RUNNING");
    // A new process, looked at through a new helper.
    terminal.press("2");
    terminal.wait_for("/shop");
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
}

#[test]
fn any_size_will_do() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = attach(shop.name());
    for (columns, rows) in [(80, 24), (1, 1), (200, 60), (40, 10), (60, 15), (2, 50), (300, 2), (120, 36)] {
        terminal.resize(columns, rows);
    }
    terminal.wait_for("scratch: no shell");
    // Drawn anew on request, without asking the terminal anything.
    terminal.press(key::CTRL_L);
    terminal.wait_for("scratch: no shell");
    terminal.resize(40, 10);
    terminal.wait_for("too small");
    terminal.resize(80, 24);
    terminal.wait_for("Overview");
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
}

#[test]
fn without_colour_the_selected_row_still_stands_out() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let mut terminal = Setup::scratchdbg(&["attach", shop.name()]).env("NO_COLOR", "1").start();
    terminal.wait_for("scratch: no shell");
    terminal.press("4");
    terminal.wait_until("a row in reverse", |screen| {
        let (rows, _) = screen.size();
        (0..rows).any(|row| screen.cell(row, 5).is_some_and(vt100::Cell::inverse))
    });
    let coloured = terminal.look(|screen| {
        let (rows, columns) = screen.size();
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let cells = cells.filter_map(|(row, column)| screen.cell(row, column));
        cells.filter(|cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default).count()
    });
    assert_eq!(coloured, 0);
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
}

#[test]
fn what_a_container_says_does_not_drive_the_terminal() {
    require_engine!();
    require_root!();
    let planted = Run::toolbox(&["plant", "/plant"]).start();
    let mut terminal = Terminal::scratchdbg(&["attach", planted.name()]);
    terminal.wait_for("RUNNING");
    terminal.press(":");
    terminal.press("files /plant\r");
    terminal.wait_for("\\x1b");
    let raw = terminal.raw();
    // The names carry a clipboard write and a title change; neither may be in what was drawn.
    for escape in [&b"\x1b]52"[..], b"\x1b]0;", "\u{202e}".as_bytes()] {
        assert!(!raw.windows(escape.len()).any(|bytes| bytes == escape), "{:?}", String::from_utf8_lossy(escape));
    }
    terminal.press(key::CTRL_C);
    ended_well(terminal, 0);
}

#[test]
fn a_target_that_is_not_there_is_told_on_the_terminal() {
    require_engine!();
    let mut terminal = Terminal::scratchdbg(&["attach", "no-such-container"]);
    let status = terminal.wait_exit();
    assert!(terminal.text().contains("no-such-container"), "{}", terminal.framed());
    assert_eq!(status.exit_code(), 4, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

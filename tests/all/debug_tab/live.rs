//! The Debug tab on the process itself: breakpoints, and for how long it stands still.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::{debug_tab, snapshot, sources};
use crate::guarded::changed_text;
use crate::guarded::session::Session;
use crate::support::client::{asked_for, longest_gap};
use crate::support::container::Run;
use crate::support::process::status;
use crate::support::pty::{Setup, Terminal, key};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

#[test]
fn a_live_process_stops_at_a_breakpoint_and_goes_on_as_before() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let before = Residue::of(&container).but_for_memory();
    let setup = Setup::scratchdbg(&["attach", container.name()]).folder(&sources());
    let mut terminal = debug_tab(setup);
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.wait_for("a health check");
    terminal.press("y");
    terminal.wait_for("STOPPED 00:0");
    terminal.wait_for("of 00:30, attached");
    let requests = asked_for("/buy?sku=tea-002", wait::PATIENCE, &container, Duration::ZERO, || {
        terminal.press(":break main.(*store).buy\r");
        terminal.wait_for("1 breakpoint");
        terminal.press("c");
        terminal.wait_for("breakpoint 1");
        terminal.wait_for("main.(*store).buy");
        terminal.wait_for("sku \"tea-0");
        terminal.wait_for("func (s *store) buy(");
        // A value of the process itself is changed, after a question; what Delve cannot change, it says.
        terminal.press(":set s.config.Workers = 7\r");
        terminal.wait_for("Set s.config.Workers to 7 in process 1?");
        terminal.press("y");
        terminal.wait_for("s.config.Workers was set to 7");
        terminal.press(":print s.config.Workers * 6\r");
        terminal.wait_for("42");
        terminal.press(":set sku = \"x\"\r");
        terminal.wait_for("Set sku to");
        terminal.press("y");
        terminal.wait_for("literal string can not");
        terminal.press(key::ESC);
        terminal.wait_for_no("literal string can not");
        terminal.press("n");
        terminal.wait_for("stepped");
        terminal.press("c");
        terminal.wait_for("breakpoint 1");
        terminal.press("6");
        terminal.wait_for("set s.config.Workers to 7 in the process");
        // Stopped at a breakpoint, it is left.
        terminal.press(key::CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
        wait::until("it to be let go", || (status(container.pid(), "TracerPid") == ["0"]).then_some(()));
    });
    assert_eq!(requests.failed, 0, "{requests:?}");
    wait::until("its text to be its file's", || changed_text(container.pid()).is_empty().then_some(()));
    wait::until("nothing to be left of us", || terminal.left_behind().is_empty().then_some(()));
    before.assert_unchanged(&container);
}

/// Attaches to the process itself there.
fn live(terminal: &mut Terminal) {
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.press("y");
    terminal.wait_for("of 00:30, attached");
    terminal.wait_for("Stack of goroutine");
}

#[test]
fn breakpoints_are_listed_changed_and_set_again_the_next_time() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let state = tempfile::tempdir().unwrap();
    let setup = || {
        let setup = Setup::scratchdbg(&["attach", container.name()]).folder(&sources());
        setup.env("XDG_STATE_HOME", state.path().to_str().unwrap())
    };
    let requests = asked_for("/buy?sku=tea-002", wait::PATIENCE, &container, Duration::ZERO, || {
        let mut terminal = debug_tab(setup());
        live(&mut terminal);
        terminal.wait_for("none; b sets one");
        terminal.press(":break main.(*store).buy\r");
        terminal.wait_for("Breakpoints 1");
        terminal.wait_for("store.go:49 main.(*store).buy  hit 0×");
        terminal.press("i");
        terminal.wait_for("▶ Breakpoints");
        terminal.press("B");
        terminal.wait_for("stop only if:");
        terminal.press("sku == \"tea-002\"\r");
        terminal.wait_for("if sku == \"tea-002\"");
        terminal.press(":hits % 3\r");
        terminal.wait_for("hits % 3");
        terminal.press("c");
        terminal.wait_for("breakpoint 1");
        // Every third time; how often it was hit is told when it stops.
        terminal.wait_for("hit 3×");
        terminal.press(":hits\r");
        terminal.wait_for("stop only at hits");
        // A condition that makes no sense is refused in Delve's words, and the one before stays.
        terminal.press("\x15");
        terminal.press("often\r");
        terminal.wait_for("unable to parse");
        terminal.press(key::ESC);
        terminal.wait_for_no("unable to parse");
        terminal.wait_for("hits % 3");
        terminal.press("e");
        terminal.wait_for("off, hits % 3");
        terminal.press(":trace main.(*store).restock\r");
        terminal.wait_for("Breakpoints 2");
        terminal.wait_for("logs");
        // To the place of the other one, and by a key on its line away with it, and back.
        terminal.press("jk\r");
        terminal.wait_for("▶ /");
        terminal.press("b");
        terminal.wait_for("Breakpoints 1");
        terminal.press("b");
        terminal.wait_for("Breakpoints 2");
        terminal.press("D");
        terminal.wait_for("L sets 2 breakpoints of the last time");
        terminal.press(key::CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
        let file = state.path().join("scratchdbg/breakpoints.json");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // One is of a line that this build does not have, another one was in a function of another name.
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("\"function\": \"main.(*store).restock\"", "\"function\": \"main.refill\"");
        let gone = "[{\"place\": \"example.com/shop/store.go:4711\", \"enabled\": true},";
        fs::write(&file, text.replacen('[', gone, 1)).unwrap();

        let mut terminal = debug_tab(setup());
        terminal.wait_for("L sets 3 breakpoints of the last time");
        terminal.wait_for("example.com/shop/store.go:4711");
        terminal.wait_for("in main.(*store).buy");
        live(&mut terminal);
        terminal.wait_for("Breakpoints 2");
        terminal.wait_for("1 not set");
        terminal.wait_for("not set: delve: ");
        terminal.wait_for("it was in main.re");
        terminal.press("c");
        terminal.wait_for(", breakpoint ");
        terminal.wait_for("main.(*store).buy");
        terminal.press("D");
        // What could not be set is not forgotten.
        terminal.wait_for("L sets 3 breakpoints of the last time");
        terminal.press("GbbbL");
        terminal.wait_for("Attach Delve to process 1");
        terminal.wait_for_no("of the last time again");
        terminal.press("y");
        terminal.wait_for("none; b sets one");
        terminal.press(key::CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
        wait::until("it to be let go", || (status(container.pid(), "TracerPid") == ["0"]).then_some(()));
    });
    assert_eq!(requests.failed, 0, "{requests:?}");
    wait::until("its text to be its file's", || changed_text(container.pid()).is_empty().then_some(()));
}

#[test]
fn what_a_health_check_makes_of_it_is_said_before_and_meanwhile() {
    require_engine!();
    require_root!();
    require_delve!();
    // There is no shell that could do it, so each one fails; it takes a quarter of an hour until that counts.
    let flags = ["--health-cmd=true", "--health-interval=1s", "--health-timeout=2s", "--health-retries=1000"];
    let container = flags.into_iter().fold(Run::shop(), Run::flag).start();
    let words = "its health check asks every 1 s and waits 2 s; 1000 failures in a row";
    let mut session = Session::start(&container, &[]);
    let said = session.end();
    assert!(said.contains(words), "{said}");
    let mut terminal = debug_tab(Setup::scratchdbg(&["attach", container.name()]));
    terminal.press("L");
    terminal.wait_for("check asks every 1 s and waits 2 s");
    terminal.wait_for("Attach Delve to process 1");
    terminal.press("y");
    terminal.wait_for("of 00:30, attached");
    terminal.wait_for("unhealthy in 16:");
    terminal.press("c");
    terminal.wait_for("RUNNING 00:0");
    terminal.wait_for_no("unhealthy in");
    terminal.press(key::CTRL_C);
    terminal.wait_for("halted");
    terminal.wait_for("unhealthy in 16:");
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
}

/// What two busy processors may add to a gap, beside twice what there is anyway: Delve is one of the busy.
const BUSY: Duration = Duration::from_millis(150);

/// The number on the screen between two texts, in seconds.
fn shown(terminal: &Terminal, before: &str, after: &str) -> Duration {
    let text = terminal.text();
    let number = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let number = number.unwrap_or_else(|| panic!("no {before:?} in\n{}", terminal.framed())).0;
    Duration::from_secs_f64(number.trim().parse().unwrap_or_else(|_| panic!("{number:?} is no number")))
}

#[test]
fn it_answers_nobody_for_no_longer_than_is_shown() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let (control, ()) = longest_gap(&container, || wait::exactly(Duration::from_secs(2)));
    let allowed = control.longest * 2 + BUSY;
    // A snapshot: the pause is in milliseconds.
    let setup = || Setup::scratchdbg(&["attach", container.name()]).folder(&sources());
    let mut terminal = debug_tab(setup());
    let (snapshot, pause) = longest_gap(&container, || {
        snapshot(&mut terminal);
        let time = terminal.text().split_once("SNAPSHOT ").map(|(_, rest)| rest[..10].to_owned()).unwrap();
        shown(&terminal, &time, "ms") / 1000
    });
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
    println!("control {control:?}; snapshot {snapshot:?}, shown {pause:?}");
    assert!(snapshot.longest <= pause + allowed, "{snapshot:?}, shown {pause:?}, control {control:?}");
    // A live session: attaching, and a breakpoint that is looked at for some seconds.
    let mut terminal = debug_tab(setup());
    let (live, stops) = longest_gap(&container, || {
        live(&mut terminal);
        terminal.press("c");
        terminal.wait_for("RUNNING 00:0");
        let first = shown(&terminal, "stood still for ", " s ");
        terminal.press(key::CTRL_C);
        terminal.wait_for("halted");
        terminal.press(":break main.(*store).buy\r");
        terminal.wait_for("Breakpoints 1");
        terminal.press("c");
        // The shop's own customers come to it, perhaps at once.
        terminal.wait_for(", breakpoint 1");
        // A busy host may show no second of its own for each.
        terminal.wait_until("it to stand still for 3 s", |screen| {
            let text = screen.contents();
            let seconds = text.split_once("STOPPED 00:").and_then(|(_, rest)| rest.get(..2)?.parse::<u32>().ok());
            seconds.is_some_and(|seconds| seconds >= 3)
        });
        terminal.press("ie");
        terminal.wait_for("off");
        terminal.press("c");
        terminal.wait_for("RUNNING 00:0");
        let second = shown(&terminal, "stood still for ", " s ");
        terminal.press("D");
        terminal.wait_for("takes a snapshot");
        wait::until("it to be let go", || (status(container.pid(), "TracerPid") == ["0"]).then_some(()));
        [first, second]
    });
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
    let longest = stops[0].max(stops[1]);
    println!("live {live:?}, shown {stops:?}");
    assert!(live.longest <= longest + allowed, "{live:?}, shown {stops:?}, control {control:?}");
    // The counter may be ahead by as long as it takes to count once.
    assert!(live.longest + allowed > Duration::from_secs(2), "nobody noticed that it stood still: {live:?}");
}

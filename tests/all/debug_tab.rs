//! The Debug tab over a snapshot: what a person sees and presses, on a container that serves on.

mod live;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use crate::guarded::changed_text;
use crate::support::client::{asked_for, asked_meanwhile};
use crate::support::container::Run;
use crate::support::process::{all_pids, command_line, parent, status};
use crate::support::pty::{Setup, Terminal, key};
use crate::support::residue::Residue;
use crate::support::unprivileged::{NOBODY, Unprivileged};
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

fn delve() -> Option<PathBuf> {
    let ours = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/scratchdbg/bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(ours).map(|folder| folder.join("dlv")).find(|file| file.is_file())
}

/// Where the sample's source is.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shop")
}

/// Opens the Debug tab, and waits until it is known what a snapshot would cost.
fn debug_tab(setup: Setup) -> Terminal {
    let mut terminal = setup.size(150, 45).start();
    terminal.wait_for("scratch: no shell");
    terminal.press("7");
    terminal.wait_for("takes a snapshot");
    terminal
}

/// Takes a snapshot there.
fn snapshot(terminal: &mut Terminal) {
    terminal.press("s");
    terminal.wait_for("Take a snapshot of process 1");
    terminal.press("y");
    terminal.wait_for("SNAPSHOT ");
    terminal.wait_for("Stack of goroutine");
}

/// Programs called `dlv` that a terminal's program has started.
fn debuggers(of: i32) -> Vec<i32> {
    let is_dlv = |pid: &i32| command_line(*pid).split('\0').next().is_some_and(|name| name.ends_with("/dlv"));
    all_pids().filter(|pid| parent(*pid) == Some(of)).filter(is_dlv).collect()
}

#[test]
fn a_snapshot_shows_goroutines_stacks_and_values_while_the_process_serves() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    container.wait_for_log("order placed");
    let state = tempfile::tempdir().unwrap();
    let before = Residue::of(&container).but_for_memory();
    let setup = Setup::scratchdbg(&["attach", container.name()]).folder(&sources());
    let mut terminal = debug_tab(setup.env("XDG_STATE_HOME", state.path().to_str().unwrap()));
    terminal.wait_for("about ");
    terminal.wait_for("dlv 1.");
    let requests = asked_meanwhile(&container, Duration::ZERO, || {
        snapshot(&mut terminal);
        assert_eq!(debuggers(terminal.pid()).len(), 1);
        // One goroutine of many, by the function it is in; its stack, its argument, its source on this host.
        terminal.press("/");
        terminal.press("watchHealth\r");
        terminal.wait_for("1 shown");
        terminal.wait_for("main.watchHealth");
        terminal.wait_for("url \"http://127.0.0.1:8080/healthz\"");
        terminal.wait_for("case <-tick.C:");
        // Whatever Go can evaluate.
        terminal.press("p");
        terminal.press("main.errUnknown\r");
        terminal.wait_for("no such product");
        terminal.press("P");
        terminal.wait_for("watch: main.errUnknown");
        terminal.press(key::ESC);
        // Escape and a letter at once would be a letter with Alt.
        terminal.wait_for_no("watch: main.errUnknown");
        // The calls around it.
        terminal.press("u");
        terminal.wait_for("runtime.goexit");
        // All goroutines, in groups.
        terminal.press("v");
        terminal.wait_for("by place in the program");
        terminal.press(key::ESC);
        terminal.wait_for("(*store).packOrders");
    });
    assert_eq!(requests.failed, 0);
    assert_eq!(status(container.pid(), "TracerPid"), ["0"]);
    // Another one in its place: the first one's debugger goes.
    terminal.press("S");
    terminal.wait_for("Take a snapshot of process 1");
    terminal.press("y");
    wait::until("another debugger", || (debuggers(terminal.pid()).len() == 2).then_some(()));
    wait::until("the first one to go", || (debuggers(terminal.pid()).len() == 1).then_some(()));
    let pid = terminal.pid();
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    assert!(debuggers(pid).is_empty(), "a debugger is left");
    before.assert_unchanged(&container);
}

#[test]
fn sources_are_found_by_a_rule_that_is_remembered() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().start();
    let state = tempfile::tempdir().unwrap();
    let setup = || {
        let setup = Setup::scratchdbg(&["attach", container.name()]).folder(Path::new("/"));
        setup.env("XDG_STATE_HOME", state.path().to_str().unwrap())
    };
    let mut terminal = debug_tab(setup());
    snapshot(&mut terminal);
    terminal.press("/");
    terminal.press("watchHealth\r");
    // Without source there are instructions.
    terminal.wait_for("is not on this host");
    terminal.wait_for("CALL runtime.selectgo(SB)");
    terminal.press("R");
    terminal.wait_for("LOCAL=INBINARY: =example.com/shop");
    terminal.press(&format!("{}\r", sources().display()));
    terminal.wait_for("case <-tick.C:");
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
    let file = state.path().join("scratchdbg/paths.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The next time it is known.
    let mut terminal = debug_tab(setup());
    snapshot(&mut terminal);
    terminal.press("/");
    terminal.press("watchHealth\r");
    terminal.wait_for("case <-tick.C:");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
}

#[test]
fn a_stripped_program_has_threads_and_says_what_is_missing() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::stripped().flag("--publish=127.0.0.1::8080").start();
    let mut terminal = debug_tab(Setup::scratchdbg(&["attach", container.name()]));
    // Before anything is stopped it is said what there will be.
    terminal.wait_for("threads, their stacks and instructions, at one moment");
    terminal.wait_for("breakpoints on functions, steps");
    terminal.wait_for("There will be no goroutines");
    terminal.wait_for("give a debug file of the very same build");
    terminal.press("sy");
    terminal.wait_for("Threads ");
    terminal.wait_for("Stack of thread 1 ");
    terminal.wait_for("Instructions");
    terminal.wait_for("the program is stripped");
    terminal.wait_for("What works: threads and their stacks");
    terminal.wait_for("give a debug file of the very same build");
    // Each thread has its stack, with the names of its functions.
    terminal.press("G");
    terminal.wait_for_no("Stack of thread 1 ");
    terminal.wait_for("  1 runtime.");
    terminal.press("Dy");
    // On the process itself a breakpoint on a function is hit, by the thread that is shown then; and steps.
    terminal.wait_for("takes a snapshot");
    terminal.press("Ly");
    terminal.wait_for("of 00:30, attached");
    let requests = asked_for("/buy?sku=tea-002", wait::PATIENCE, &container, Duration::ZERO, || {
        terminal.press(":break main.(*store).buy\r");
        terminal.wait_for("1 breakpoint");
        terminal.press("c");
        terminal.wait_for("breakpoint 1");
        terminal.wait_for("▶ 0 main.(*store).buy");
        terminal.press("n");
        terminal.wait_for("stepped");
        terminal.press(key::CTRL_C);
        assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
        wait::until("it to be let go", || (status(container.pid(), "TracerPid") == ["0"]).then_some(()));
    });
    assert_eq!(requests.failed, 0, "{requests:?}");
    wait::until("its text to be its file's", || changed_text(container.pid()).is_empty().then_some(()));
}

#[test]
fn a_program_that_go_did_not_make_shows_its_threads() {
    require_engine!();
    require_root!();
    let container = Run::native(&["3", "runs"]).hardened().start();
    let before = Residue::of(&container).but_for_memory();
    let mut terminal = Setup::scratchdbg(&["attach", container.name()]).size(150, 45).start();
    terminal.wait_for("RUNNING");
    terminal.press("7");
    terminal.wait_for("process 1 was not made by Go");
    terminal.wait_for(&format!("scratchdbg core {} -o FILE", container.name()));
    terminal.press("s");
    terminal.wait_for("Read the registers of process 1");
    terminal.wait_for("Its 4 threads stop for about a millisecond");
    terminal.press("y");
    terminal.wait_for("THREADS ");
    for words in ["Threads 4", "worker-3", "spin+0x", "wait_with+0x", "Registers of thread 1", "[stack]"] {
        terminal.wait_for(words);
    }
    terminal.wait_for("▶pc ");
    // Another thread: its registers, the number of which is in every byte of a vector.
    terminal.press("j");
    terminal.wait_for_no("Registers of thread 1 ");
    terminal.press("\t");
    terminal.press("G");
    terminal.wait_for(if cfg!(target_arch = "x86_64") { "0x65656565" } else { "0x01010101" });
    // Left, and read once more: two steps of which one is told.
    terminal.press("D");
    terminal.wait_for("shows its threads");
    terminal.press("sy");
    terminal.wait_for("THREADS ");
    terminal.press("6");
    terminal.wait_for("and read its registers");
    // No debugger was started for it, but to ask for its version, and nothing is left.
    wait::until("no debugger to be left", || debuggers(terminal.pid()).is_empty().then_some(()));
    crate::core::runs_on(container.pid());
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    before.assert_unchanged(&container);
}

#[test]
fn what_hinders_is_said_with_what_to_do() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let says = |args: &[&str], words: &[&str]| {
        let mut terminal = Setup::scratchdbg(args).start();
        terminal.wait_for("RUNNING");
        terminal.press("7");
        for words in words {
            terminal.wait_for(words);
        }
        // No key does it then.
        terminal.press("s");
        terminal.wait_for_no("Take a snapshot");
        terminal.press(key::CTRL_C);
        terminal.wait_exit();
    };
    says(&["attach", shop.name(), "--read-only"], &["--read-only forbids that", "start it without --read-only"]);
    let other = Run::dynamic().start();
    says(&["attach", other.name()], &["process 1 was not made by Go", "for gdb or lldb"]);
    let both = Run::toolbox(&["tree"]).flag("--init").start();
    says(&["attach", both.name()], &["more than one Go program", ":debug PID"]);
    shop.engine_does("pause");
    let mut terminal = Setup::scratchdbg(&["attach", shop.name()]).start();
    terminal.wait_for("PAUSED");
    terminal.press("7");
    terminal.wait_for("does not give its registers away");
    terminal.wait_for("unpause it first");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
    shop.engine_does("unpause");
}

#[test]
fn under_sudo_the_debugger_is_theirs() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().hardened().start();
    let before = Residue::of(&container).but_for_memory();
    // Where they may run it, too.
    let folder = tempfile::tempdir().unwrap();
    let dlv = folder.path().join("dlv");
    fs::copy(delve().unwrap(), &dlv).unwrap();
    for path in [folder.path(), &dlv] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let id = NOBODY.to_string();
    let setup = Setup::scratchdbg(&["attach", container.name()]).env("SUDO_UID", &id).env("SUDO_GID", &id);
    let mut terminal = debug_tab(setup.env("SCRATCHDBG_DLV", dlv.to_str().unwrap()));
    snapshot(&mut terminal);
    terminal.wait_for("Variables of call");
    let debugger = debuggers(terminal.pid())[0];
    assert_eq!(status(debugger, "Uid"), [id.as_str(); 4]);
    assert_eq!(status(debugger, "CapEff"), ["0".repeat(16)]);
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    before.assert_unchanged(&container);
}

#[test]
fn without_root_it_says_what_it_costs_and_what_is_missing() {
    require_engine!();
    require_root!();
    let container = Run::shop().start();
    let member = Unprivileged::of_the_engines_group();
    let mut terminal = member.terminal(&["attach", container.name()]);
    terminal.wait_for("scratch: no shell");
    terminal.press("7");
    terminal.wait_for("threads   about ");
    // Not root: root's own Delve is none of theirs.
    terminal.wait_for("no Delve (dlv) on this host");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
}

#[test]
fn without_a_debugger_it_says_so() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    // Nothing that could be a Delve is where it is looked for.
    let nowhere = tempfile::tempdir().unwrap();
    let path = nowhere.path().to_str().unwrap();
    let none = Setup::scratchdbg(&["attach", shop.name()]).env("HOME", path).env("PATH", path).env("GOPATH", path);
    let mut terminal = none.start();
    terminal.wait_for("scratch: no shell");
    terminal.press("7");
    terminal.wait_for("no Delve (dlv) on this host");
    terminal.wait_for("go install");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
}

#[test]
fn whoever_is_killed_nothing_stays() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().start();
    let before = Residue::of(&container).but_for_memory();
    // The debugger itself: it is said, and what was shown stays.
    let mut terminal = debug_tab(Setup::scratchdbg(&["attach", container.name()]));
    snapshot(&mut terminal);
    let dlv = debuggers(terminal.pid())[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(dlv), nix::sys::signal::Signal::SIGKILL).unwrap();
    terminal.press("p");
    terminal.press("1+1\r");
    terminal.wait_for("The debugger has ended");
    terminal.press(key::ESC);
    terminal.wait_for("the debugger has ended");
    terminal.wait_for("Stack of goroutine");
    terminal.press(key::CTRL_C);
    terminal.wait_exit();
    // The screen.
    let mut terminal = debug_tab(Setup::scratchdbg(&["attach", container.name()]));
    snapshot(&mut terminal);
    let dlv = debuggers(terminal.pid());
    terminal.signal(nix::sys::signal::Signal::SIGKILL);
    terminal.wait_exit();
    wait::until("the debugger to go", || dlv.iter().all(|pid| crate::support::process::has_ended(*pid)).then_some(()));
    before.assert_unchanged(&container);
}

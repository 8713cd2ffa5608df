//! The tab Debug on a pod, in a real terminal.

use super::{PATIENCE, Pod, WEB};
use crate::guarded::is_as_before;
use crate::support::client::asked_for;
use crate::support::process::state;
use crate::support::pty::key;
use crate::support::residue::Residue;
use crate::{require_delve, require_engine, require_root};

#[test]
fn a_copy_and_the_process_itself_on_the_screen() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let mut terminal = pod.jane.setup(&["attach", WEB, "--keep=10m"]).size(150, 45).start();
    terminal.wait_for("scratch: no shell");
    terminal.press("7");
    terminal.wait_for("takes a snapshot");
    terminal.press("s");
    terminal.wait_for("Take a snapshot of process 1");
    terminal.press("y");
    terminal.wait_for("SNAPSHOT ");
    terminal.wait_for("Stack of goroutine");
    terminal.press("D");
    terminal.wait_for("takes a snapshot");
    terminal.press("L");
    terminal.wait_for("Attach Delve to process 1");
    terminal.wait_for("But if the node kills what was added to the pod");
    terminal.press("y");
    terminal.wait_for("attached");
    assert_eq!(state(pod.app.pid()), Some('t'));
    let requests = asked_for("/buy?sku=tea-002", PATIENCE, &pod.app, std::time::Duration::ZERO, || {
        terminal.press(":break main.(*store).buy\r");
        terminal.wait_for("1 breakpoint");
        terminal.press("c");
        terminal.wait_for("breakpoint 1");
        // Its own customers buy, too.
        terminal.wait_for("sku \"");
        terminal.press("D");
        is_as_before(&pod.app);
    });
    assert_eq!(requests.failed, 0);
    terminal.press(key::CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.framed());
    pod.has_nothing_of_ours(&before);
}

//! The screen on a pod, in a real terminal.

use fakekube::User;

use super::looker::{Looker, all_ended, restricted};
use crate::require_engine;
use crate::support::pty::key;

#[test]
fn every_tab_shows_the_pod_and_nothing_but_a_record_stays() {
    require_engine!();
    let kube = restricted();
    let jane = Looker::new(&kube, User::debugger("jane"));
    let mut terminal = jane.screen(&["attach", "k8s://shop/web"]);
    terminal.wait_for("scratch: no shell");
    terminal.wait_for("65532:0, no capabilities");
    terminal.wait_for("shop/web/app");
    terminal.press("2");
    terminal.wait_for("/shop");
    terminal.press(key::ENTER);
    terminal.wait_for("NoNewPrivs");
    terminal.press("q");
    terminal.press("3");
    terminal.wait_for("shop open");
    terminal.press("4");
    terminal.wait_for("etc/");
    terminal.press("5");
    terminal.wait_for("127.0.0.1:6060");
    terminal.press("q");
    let status = terminal.wait_exit();
    assert_eq!(status.exit_code(), 0, "{}", terminal.framed());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    assert_eq!(all_ended(&kube, "shop", "web").len(), 1);
}

#[test]
fn a_pod_that_cannot_be_entered_is_told_on_the_screen() {
    require_engine!();
    let kube = restricted();
    let editor = Looker::new(&kube, User::editor("ed"));
    let mut terminal = editor.screen(&["attach", "k8s://shop/web"]);
    terminal.wait_for("RBAC does not let you look");
    // Its log can be read all the same.
    terminal.press(key::ESC);
    terminal.wait_for_no("Esc close");
    terminal.press("3");
    terminal.wait_for("shop open");
    terminal.press("q");
    terminal.wait_exit();
}

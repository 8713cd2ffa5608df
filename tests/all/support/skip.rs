//! Skipping loudly what this machine cannot run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::{env, thread};

/// Ends the test here, skipped, unless a container engine answers and the sample images are there.
#[macro_export]
macro_rules! require_engine {
    () => {
        if !$crate::support::skip::go_on($crate::support::engine::missing()) {
            return;
        }
    };
}

/// Ends the test here, skipped, unless it runs as root.
#[macro_export]
macro_rules! require_root {
    () => {
        let missing = if nix::unistd::geteuid().is_root() { None } else { Some("it needs root".to_owned()) };
        if !$crate::support::skip::go_on(missing) {
            return;
        }
    };
}

/// Ends the test here, skipped, unless Delve is on the search path. `scripts/setup` brings it.
#[macro_export]
macro_rules! require_delve {
    () => {
        let there =
            std::process::Command::new("dlv").arg("version").output().is_ok_and(|output| output.status.success());
        if !$crate::support::skip::go_on((!there).then(|| "there is no dlv".to_owned())) {
            return;
        }
    };
}

/// Ends the test here, skipped, unless kubectl is on the search path. `scripts/setup` brings it.
#[macro_export]
macro_rules! require_kubectl {
    () => {
        let missing = $crate::support::kubectl::program().is_none().then(|| "there is no kubectl".to_owned());
        if !$crate::support::skip::go_on(missing) {
            return;
        }
    };
}

/// Ends the test here, skipped, unless gdb is on the search path. `scripts/setup` brings it.
#[macro_export]
macro_rules! require_gdb {
    () => {
        let there =
            std::process::Command::new("gdb").arg("--version").output().is_ok_and(|output| output.status.success());
        if !$crate::support::skip::go_on((!there).then(|| "there is no gdb".to_owned())) {
            return;
        }
    };
}

/// True if nothing is missing. Otherwise says so, or fails where every test has to run.
pub fn go_on(missing: Option<String>) -> bool {
    let Some(reason) = missing else { return true };
    let name = thread::current().name().unwrap_or("a test").to_owned();
    assert!(!required(), "this test may not be skipped here, but {reason}");
    tell(&format!("SKIP {name}: {reason}\n"));
    false
}

/// Says what this engine cannot have at all, as was just seen, and in whose words.
pub fn not_to_be_had(words: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    tell(&format!("NONE {name}: {words}\n"));
}

fn tell(line: &str) {
    // Not eprintln: that is kept back when a test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    // scripts/test prints this file at the end, since a test runner hides the output of what passes.
    if let Some(list) = env::var_os("SCRATCHDBG_SKIPS") {
        let _ = OpenOptions::new().append(true).create(true).open(list).and_then(|mut f| f.write_all(line.as_bytes()));
    }
}

fn required() -> bool {
    let set = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    set("SCRATCHDBG_REQUIRE_E2E", "1") || set("CI", "true")
}

//! `check`: each lack in a real image, and the same image without it.

mod images;
mod running;

use serde_json::Value;

use crate::support::command::{Ended, scratchdbg};

/// The report on a target, whatever is in it.
fn report(target: &str) -> Value {
    let ended = scratchdbg(&["check", "--json", "--fail-on", "never", target]).quietly();
    ended.is_safe_to_show();
    ended.json()
}

/// Its finding of a name, if there is one.
fn finding<'r>(report: &'r Value, id: &str) -> Option<&'r Value> {
    report["findings"].as_array().unwrap().iter().find(|one| one["id"] == id)
}

/// Asserts how a finding is.
#[track_caller]
fn is(report: &Value, id: &str, status: &str) {
    let found = finding(report, id).unwrap_or_else(|| panic!("no {id} in {report:#}"));
    assert_eq!(found["status"], status, "{found:#}");
    if matches!(status, "warning" | "failure") {
        assert!(found["fix"].is_string() && found["message"].is_string(), "{found:#}");
    }
}

/// Asserts that a finding is well, or not there at all.
#[track_caller]
fn is_well(report: &Value, id: &str) {
    if let Some(found) = finding(report, id) {
        assert_eq!(found["status"], "ok", "{found:#}");
    }
}

/// The report as a person gets it.
fn shown(target: &str) -> Ended {
    let ended = scratchdbg(&["check", target]);
    ended.is_safe_to_show();
    ended
}

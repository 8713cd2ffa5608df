//! Whoever is killed, and whenever, the process answers every request and is as it was. Alone, see `.config/nextest.toml`.

use crate::guarded::kill_rounds;
use crate::support::engine::rootless;
use crate::{require_delve, require_engine, require_root};

/// Rounds of an ordinary test run.
const FEW: u32 = 12;
/// The latest moment somebody is killed at, in milliseconds: a sidecar is made first, for which an engine without root takes
/// longer.
const LATEST: u64 = 2500;
const LATEST_WITHOUT_ROOT: u64 = 9000;

#[test]
fn whoever_is_killed_every_request_is_answered() {
    require_engine!();
    require_root!();
    require_delve!();
    let latest = if rootless().is_some() { LATEST_WITHOUT_ROOT } else { LATEST };
    kill_rounds(&["--via", "sidecar"], FEW, latest);
}

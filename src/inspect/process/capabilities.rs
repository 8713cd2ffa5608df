//! Capabilities by name.

use super::CapabilitySet;
use crate::inspect::fetch;
use crate::inspect::processes::stat;

/// The sets as proc_pid_status(5) has them.
const SETS: [(&[u8], &str); 5] = [
    (b"CapInh", "inheritable"),
    (b"CapPrm", "permitted"),
    (b"CapEff", "effective"),
    (b"CapBnd", "bounding"),
    (b"CapAmb", "ambient"),
];

/// Parses the five `Cap…` lines of `/proc/PID/status`.
#[must_use]
pub fn parse(status: &[u8]) -> Vec<CapabilitySet> {
    let found = stat::fields(status).filter_map(|(name, value)| {
        let (_, set) = SETS.iter().find(|(field, _)| *field == name)?;
        Some(CapabilitySet { set: (*set).to_owned(), names: names(fetch::number(value, 16)?) })
    });
    found.take(SETS.len()).collect()
}

/// The names of a mask's bits, lowest first.
#[must_use]
pub fn names(mask: u64) -> Vec<String> {
    let all = caps::all();
    let name = |bit: u8| {
        let known = all.iter().find(|capability| capability.index() == bit);
        known.map_or_else(|| format!("CAP_{bit}"), ToString::to_string)
    };
    (0..64).filter(|bit| mask & (1 << bit) != 0).map(name).collect()
}

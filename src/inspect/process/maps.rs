//! Memory by what is mapped.

use std::collections::HashMap;

use super::Mapping;
use crate::corefile::Line;
use crate::inspect::fetch;

/// Address space nothing can read or write: what Go's runtime reserves and does not use.
pub const RESERVED: &str = "reserved";
/// Memory of no file.
pub const ANONYMOUS: &str = "anonymous";

/// Adds up `/proc/PID/maps` (proc_pid_maps(5)) by what is mapped, largest first.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mapping> {
    let mut sums: HashMap<&[u8], Mapping> = HashMap::new();
    for region in fetch::lines(text).filter_map(Region::parse) {
        let sum = sums.entry(region.what).or_insert_with(|| Mapping {
            what: region.what.into(),
            regions: 0,
            size: 0,
            executable: 0,
            writable: 0,
        });
        sum.regions += 1;
        sum.size = sum.size.saturating_add(region.size);
        if region.executable {
            sum.executable = sum.executable.saturating_add(region.size);
        }
        if region.writable {
            sum.writable = sum.writable.saturating_add(region.size);
        }
    }
    let mut mappings: Vec<_> = sums.into_values().collect();
    mappings.sort_unstable_by(|a, b| b.size.cmp(&a.size).then_with(|| a.what.cmp(&b.what)));
    mappings
}

/// What of a line is added up.
struct Region<'t> {
    what: &'t [u8],
    size: u64,
    executable: bool,
    writable: bool,
}

impl<'t> Region<'t> {
    fn parse(line: &'t [u8]) -> Option<Self> {
        let Line { start, end, readable, writable, executable, name, .. } = Line::parse(line)?;
        let what = match name {
            b"" if !(readable || writable || executable) => RESERVED.as_bytes(),
            b"" => ANONYMOUS.as_bytes(),
            // prctl(2), PR_SET_VMA_ANON_NAME: Go names its memory so from 1.25 on.
            what => what,
        };
        Some(Self { what, size: end - start, executable, writable })
    }
}

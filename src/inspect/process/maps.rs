//! Memory by what is mapped.

use std::collections::HashMap;

use super::Mapping;
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

/// One line: `start-end perms offset dev inode   path`.
struct Region<'t> {
    what: &'t [u8],
    size: u64,
    executable: bool,
    writable: bool,
}

impl<'t> Region<'t> {
    fn parse(line: &'t [u8]) -> Option<Self> {
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let range = fields.next()?;
        let dash = range.iter().position(|&byte| byte == b'-')?;
        let (start, end) = (fetch::number(&range[..dash], 16)?, fetch::number(&range[dash + 1..], 16)?);
        let rights = fields.next().filter(|rights| rights.len() == 4)?;
        let right = |at: usize, letter: u8| rights.get(at) == Some(&letter);
        let what = match fields.nth(3).map(<[u8]>::trim_ascii_start).unwrap_or_default() {
            b"" if rights.starts_with(b"---") => RESERVED.as_bytes(),
            b"" => ANONYMOUS.as_bytes(),
            // prctl(2), PR_SET_VMA_ANON_NAME: Go names its memory so from 1.25 on.
            what => what,
        };
        Some(Self { what, size: end.checked_sub(start)?, executable: right(2, b'x'), writable: right(1, b'w') })
    }
}

//! Limits, and how much of them is used.

use super::Limit;
use crate::inspect::fetch;
use crate::inspect::processes::stat;

/// How wide the first three columns of `/proc/PID/limits` are (`fs/proc/base.c`), with the space after each.
const COLUMNS: [usize; 3] = [26, 21, 21];

/// What is used, from `/proc/PID/status` and the number of descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    open_files: Option<u64>,
    stack: Option<u64>,
    data: Option<u64>,
    locked: Option<u64>,
    address_space: Option<u64>,
    pending_signals: Option<u64>,
}

impl Usage {
    /// Gathers what is known.
    #[must_use]
    pub fn of(status: Option<&[u8]>, open_files: Option<usize>) -> Self {
        let mut usage = Self { open_files: open_files.map(|count| count as u64), ..Self::default() };
        for (name, value) in stat::fields(status.unwrap_or_default()) {
            match name {
                b"VmStk" => usage.stack = stat::kilobytes(value),
                b"VmData" => usage.data = stat::kilobytes(value),
                b"VmLck" => usage.locked = stat::kilobytes(value),
                b"VmSize" => usage.address_space = stat::kilobytes(value),
                // `used/limit`: of all processes of the user.
                b"SigQ" => usage.pending_signals = value.split(|&byte| byte == b'/').next().and_then(fetch::decimal),
                _ => {}
            }
        }
        usage
    }

    fn of_limit(&self, name: &str) -> Option<u64> {
        match name {
            "Max open files" => self.open_files,
            "Max stack size" => self.stack,
            "Max data size" => self.data,
            "Max locked memory" => self.locked,
            "Max address space" => self.address_space,
            "Max pending signals" => self.pending_signals,
            _ => None,
        }
    }
}

/// Parses `/proc/PID/limits` (proc_pid_limits(5)): columns of fixed width, as names have spaces.
#[must_use]
pub fn parse(text: &[u8], usage: &Usage) -> Vec<Limit> {
    fetch::lines(text).skip(1).filter_map(|line| limit(line, usage)).collect()
}

fn limit(line: &[u8], usage: &Usage) -> Option<Limit> {
    let (name, rest) = line.split_at_checked(COLUMNS[0])?;
    let (soft, rest) = rest.split_at_checked(COLUMNS[1])?;
    let (hard, unit) = rest.split_at_checked(COLUMNS[2])?;
    let name = std::str::from_utf8(name.trim_ascii()).ok()?;
    Some(Limit {
        name: name.to_owned(),
        soft: value(soft)?,
        hard: value(hard)?,
        unit: String::from_utf8_lossy(unit.trim_ascii()).into_owned(),
        used: usage.of_limit(name),
    })
}

/// A limit: `Some(None)` is unlimited, `None` makes no sense.
#[allow(clippy::option_option)]
fn value(column: &[u8]) -> Option<Option<u64>> {
    match column.trim_ascii() {
        b"unlimited" => Some(None),
        number => fetch::decimal(number).map(Some),
    }
}

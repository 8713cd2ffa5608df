//! How long a process stands still while Delve attaches: it reads the program's debug information after it has stopped it.

use std::time::Duration;

use crate::golang::debuginfo::DebugInfo;

/// With debug information: at least, and for each mebibyte of the program's file.
const WITH: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(16)];
/// Without.
const STRIPPED: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(8)];

/// About how long. Measured with Delve 1.20 to 1.27 on programs of 6 to 100 MB (docs/debugger.md): within a factor of two.
#[must_use]
pub fn of_attaching(program: &DebugInfo) -> Duration {
    let [least, each] = if program.stripped { STRIPPED } else { WITH };
    // More than any program has.
    let mebibytes = u32::try_from(program.size >> 20).unwrap_or(u32::MAX).min(1 << 16);
    least + each * mebibytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_program_takes_longer_and_a_stripped_one_less() {
        let of = |size: u64, stripped| of_attaching(&DebugInfo { size, stripped, build_id: None });
        assert!((200..400).contains(&of(8 << 20, false).as_millis()));
        assert!((1300..1700).contains(&of(90 << 20, false).as_millis()));
        assert!(of(90 << 20, true) < of(90 << 20, false));
        assert!(of(u64::MAX, false) < Duration::from_secs(3600));
    }
}

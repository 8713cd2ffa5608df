//! Signals, which are waited for like anything else: no code is ever run by one.

use super::call::call;
use crate::numbers;

/// signal(7)
pub const HANGUP: i32 = 1;
pub const INTERRUPT: i32 = 2;
pub const TERMINATE: i32 = 15;
pub const CHILD: i32 = 17;

/// Those that are waited for, one bit each.
const AWAITED: u64 = bit(HANGUP) | bit(INTERRUPT) | bit(TERMINATE) | bit(CHILD);
/// Bytes of a set.
const SET: usize = size_of::<u64>();
/// sigprocmask(2)
const BLOCK: usize = 0;

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Holds them back until they are waited for. That is also what lets the first process of a pid namespace get them at all.
pub fn hold_back() -> bool {
    let set = AWAITED;
    // SAFETY: the kernel reads a set of this size, and writes none.
    unsafe { call(numbers::RT_SIGPROCMASK, [BLOCK, &raw const set as usize, 0, SET, 0, 0]) }.is_ok()
}

/// The next of them, if one comes within so many milliseconds.
pub fn next(milliseconds: u64) -> Option<i32> {
    let time = [(milliseconds / 1000) as i64, (milliseconds % 1000 * 1_000_000) as i64];
    let set = AWAITED;
    let arguments = [&raw const set as usize, 0, &raw const time as usize, SET, 0, 0];
    // SAFETY: the kernel reads a set of this size and a `struct timespec`, and writes nothing.
    let signal = unsafe { call(numbers::RT_SIGTIMEDWAIT, arguments) };
    signal.ok().map(|signal| signal as i32)
}

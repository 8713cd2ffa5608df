//! Putting a filter of system calls into force (seccomp(2)).

use super::call::call;
use crate::numbers;

/// `struct sock_filter` (linux/filter.h)
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Instruction {
    pub code: u16,
    pub yes: u8,
    pub no: u8,
    pub value: u32,
}

/// `struct sock_fprog`
#[repr(C)]
struct Program {
    length: u16,
    first: *const Instruction,
}

/// SECCOMP_SET_MODE_FILTER
const SET_FILTER: usize = 1;

/// From here on only what the filter lets through is done.
pub fn install(filter: &[Instruction]) -> bool {
    let Ok(length) = u16::try_from(filter.len()) else { return false };
    let program = Program { length, first: filter.as_ptr() };
    // SAFETY: the kernel copies as many instructions as `filter` has, and checks them. Where a call is forbidden from then on
    // the process ends; nothing is done with its memory.
    unsafe { call(numbers::SECCOMP, [SET_FILTER, 0, &raw const program as usize, 0, 0, 0]) }.is_ok()
}

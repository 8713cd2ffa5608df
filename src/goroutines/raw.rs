//! A goroutine as it is in memory (`runtime.g`): what of it is read, and whether it is still the same.

use super::State;
use super::memory::{Range, word};
use super::unwind::Registers;
use crate::golang::layout::Layout;

/// The most of a stack that is read, in bytes.
pub const MOST_STACK: u64 = 256 << 10;
/// Set in the status while the garbage collector looks at its stack (`_Gscan`).
const SCAN: u32 = 0x1000;

/// What is read of one. Two readings that are equal, with a stack between them, make a goroutine that stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Raw {
    pub id: u64,
    pub status: u32,
    pub reason: u8,
    pub wait_since: u64,
    pub low: u64,
    pub high: u64,
    pub sp: u64,
    pub pc: u64,
    pub lr: u64,
    pub syscall_sp: u64,
    pub syscall_pc: u64,
    pub m: u64,
    pub locked: u64,
    pub parent: u64,
    pub created_at: u64,
    pub start: u64,
    pub labels: u64,
}

impl Raw {
    pub fn parse(bytes: &[u8], layout: &Layout) -> Option<Self> {
        let of = &layout.g;
        let or_none = |at: usize| if at == 0 { Some(0) } else { word(bytes, at) };
        let status = u32::from_le_bytes(bytes.get(of.status..of.status + 4)?.try_into().ok()?);
        Some(Self {
            id: word(bytes, of.id)?,
            status: status & !SCAN,
            reason: *bytes.get(of.wait_reason)?,
            wait_since: word(bytes, of.wait_since)?,
            low: word(bytes, of.lo)?,
            high: word(bytes, of.hi)?,
            sp: word(bytes, of.sp)?,
            pc: word(bytes, of.pc)?,
            lr: word(bytes, of.lr)?,
            syscall_sp: word(bytes, of.syscall_sp)?,
            syscall_pc: word(bytes, of.syscall_pc)?,
            m: word(bytes, of.m)?,
            locked: word(bytes, of.locked)?,
            parent: or_none(of.parent)?,
            created_at: word(bytes, of.created_at)?,
            start: word(bytes, of.start)?,
            labels: word(bytes, of.labels)?,
        })
    }

    /// What it does. `None` of one that is being made or has ended (`_Gidle`, `_Gdead`, `_Gdeadextra`).
    pub fn state(&self) -> Option<State> {
        Some(match self.status {
            0 | 6 | 11 => return None,
            1 => State::Runnable,
            2 => State::Running,
            3 => State::Syscall,
            4 => State::Waiting,
            8 => State::Copystack,
            9 => State::Preempted,
            10 => State::Leaked,
            _ => State::Unknown,
        })
    }

    /// Where it would go on, if that is kept in memory: not of one that runs, nor of one whose stack is on its way.
    pub fn registers(&self) -> Option<Registers> {
        let registers = match self.state()? {
            State::Running | State::Copystack | State::Unknown => return None,
            _ if self.syscall_sp != 0 => Registers { sp: self.syscall_sp, pc: self.syscall_pc, lr: 0, syscall: true },
            _ => Registers { sp: self.sp, pc: self.pc, lr: self.lr, syscall: false },
        };
        (self.low < registers.sp && registers.sp <= self.high).then_some(registers)
    }

    /// The stack from there on, and whether that is all of it.
    pub fn stack(&self) -> Option<(Range, bool)> {
        let sp = self.registers()?.sp;
        let length = self.high - sp;
        Some((Range { at: sp, length: u32::try_from(length.min(MOST_STACK)).ok()? }, length <= MOST_STACK))
    }
}

//! Locks on bytes of a file, by which those who share a container know of each other.

use rustix::fd::{AsRawFd as _, BorrowedFd};

use super::call::call;
use crate::numbers;

/// `struct flock` (fcntl_locking(2)), of 64 bits on every processor built for.
#[repr(C)]
struct Lock {
    kind: i16,
    whence: i16,
    start: i64,
    length: i64,
    pid: i32,
}

/// fcntl_locking(2): kinds, and what is asked for.
const READ: i16 = 0;
const WRITE: i16 = 1;
const NONE: i16 = 2;
pub const ASK: usize = 5;
const SET: usize = 6;
const SET_OF_DESCRIPTION: usize = 37;

/// Who holds a lock.
#[derive(Clone, Copy)]
pub enum Owner {
    /// The process, whose number is told to who asks.
    Process,
    /// The descriptor: closing another one of the same file does not end it.
    Descriptor,
}

/// Takes a lock on a byte, beside all who have one. It ends with its owner.
pub fn share(file: BorrowedFd<'_>, byte: i64, owner: Owner) -> bool {
    let of = match owner {
        Owner::Process => SET,
        Owner::Descriptor => SET_OF_DESCRIPTION,
    };
    control(file, of, READ, byte).is_some()
}

/// Whether anybody else has a lock on a byte; with the number of the process where it is that of a process.
pub fn holder(file: BorrowedFd<'_>, byte: i64) -> Option<i32> {
    control(file, ASK, WRITE, byte).filter(|lock| lock.kind != NONE).map(|lock| lock.pid)
}

fn control(file: BorrowedFd<'_>, what: usize, kind: i16, byte: i64) -> Option<Lock> {
    let mut lock = Lock { kind, whence: 0, start: byte, length: 1, pid: 0 };
    // SAFETY: the kernel reads and writes one `struct flock`, which is what this is.
    let done = unsafe { call(numbers::FCNTL, [file.as_raw_fd() as usize, what, &raw mut lock as usize, 0, 0, 0]) };
    done.ok().map(|_| lock)
}

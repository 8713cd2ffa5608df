//! The memory of another process, which is not stopped, traced or changed by it.

use rustix::io::Errno;

use super::call::call;
use crate::numbers;

/// What process_vm_readv(2) is told of a piece of memory, here or there (`struct iovec`).
#[repr(C)]
struct Piece {
    base: usize,
    length: usize,
}

/// Reads from an address of a process into `into`; the number of bytes there were (process_vm_readv(2)). The kernel asks for
/// what ptrace(2) takes (`PTRACE_MODE_ATTACH_REALCREDS`). Of nothing, it only asks that.
pub fn read(pid: i32, address: u64, into: &mut [u8]) -> Result<usize, Errno> {
    let here = Piece { base: into.as_mut_ptr() as usize, length: into.len() };
    let there = Piece { base: address as usize, length: into.len() };
    let (here, there) = (&raw const here as usize, &raw const there as usize);
    // SAFETY: the kernel reads both pieces, which live on this stack, and writes at most `here.length` bytes to
    // `here.base`, which are those of `into`. An address of the other process that is not there is an error, and no fault.
    unsafe { call(numbers::PROCESS_VM_READV, [pid as usize, here, 1, there, 1, 0]) }
}

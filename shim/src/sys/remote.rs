//! The memory of another process, which is not stopped, traced or changed by it.

use core::arch::asm;

use rustix::io::Errno;

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
    let result: isize;
    // SAFETY: the kernel reads both pieces, which live on this stack, and writes at most `here.length` bytes to
    // `here.base`, which are those of `into`. An address of the other process that is not there is an error, and no fault.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "syscall",
            inlateout("rax") 310_isize => result,
            in("rdi") pid as isize,
            in("rsi") &raw const here,
            in("rdx") 1,
            in("r10") &raw const there,
            in("r8") 1,
            in("r9") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "svc 0",
            in("x8") 270,
            inlateout("x0") pid as isize => result,
            in("x1") &raw const here,
            in("x2") 1,
            in("x3") &raw const there,
            in("x4") 1,
            in("x5") 0,
            options(nostack),
        );
    }
    if result < 0 { Err(Errno::from_raw_os_error((-result) as i32)) } else { Ok(result as usize) }
}

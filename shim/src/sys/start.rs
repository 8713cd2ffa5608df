//! How the program starts and ends, per processor.

use core::arch::{asm, global_asm};
use core::ffi::{CStr, c_char};

// The kernel starts a program with the stack pointer at `argc` (System V ABI, "Process Initialization").
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {start}", "ud2", start = sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "mov x30, xzr", "mov x0, sp", "bl {start}", "brk #1", start = sym start);

/// What it was started with, but its own name.
pub struct Arguments {
    next: *const *const c_char,
    left: usize,
}

impl Iterator for Arguments {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: `start` points it to as many pointers to NUL-terminated strings as it says are left, and all of them live
        // as long as the process.
        unsafe {
            let text = CStr::from_ptr(*self.next).to_bytes();
            self.next = self.next.add(1);
            Some(text)
        }
    }
}

extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: `_start` passes the stack as the kernel laid it out: argc, then argc pointers to
    // NUL-terminated strings, which live as long as the process. The first is the program's name.
    let arguments = unsafe { Arguments { next: stack.add(2).cast(), left: (*stack).saturating_sub(1) } };
    exit(crate::run(arguments))
}

/// Ends the process.
pub fn exit(status: i32) -> ! {
    // SAFETY: exit_group(2) does not return and touches no memory of ours.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("syscall", in("eax") 231, in("edi") status, options(noreturn, nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("svc 0", in("w8") 94, in("w0") status, options(noreturn, nostack));
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(3)
}

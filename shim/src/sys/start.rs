//! How the program starts and ends, per processor.

use core::arch::{asm, global_asm};
use core::ffi::{CStr, c_char};

// The kernel starts a program with the stack pointer at `argc` (System V ABI, "Process Initialization").
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {start}", "ud2", start = sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "mov x30, xzr", "mov x0, sp", "bl {start}", "brk #1", start = sym start);

extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: `_start` passes the stack as the kernel laid it out: argc, then argc pointers to
    // NUL-terminated strings, which live as long as the process.
    let letters = unsafe {
        let argc = *stack;
        if argc > 1 { CStr::from_ptr(*stack.add(2) as *const c_char).to_bytes() } else { &[] }
    };
    exit(crate::run(letters))
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

//! System calls that rustix has no safe words for.

use core::arch::asm;

use rustix::io::Errno;

/// Makes a system call (syscall(2)).
///
/// # Safety
/// The kernel reads and writes what the arguments point to, as the call's manual page says. All of it must be valid for that,
/// and the call must not change memory or descriptors that somebody else relies on.
pub unsafe fn call(number: usize, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the caller promises what the call itself asks for; nothing but the named registers changes.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            in("r9") f,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            in("x5") f,
            options(nostack),
        );
    }
    if result < 0 { Err(Errno::from_raw_os_error((-result) as i32)) } else { Ok(result as usize) }
}

//! `memcpy` and its family, which the compiler calls and a libc would bring.
//!
//! Loops here use volatile accesses, or the compiler would turn them into calls of themselves.

use core::ffi::{c_int, c_void};

/// Copies `n` bytes between regions that do not overlap (memcpy(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    // SAFETY: the caller promises what memcpy(3) asks for.
    unsafe { forward(to.cast(), from.cast(), n) };
    to
}

/// Copies `n` bytes between regions that may overlap (memmove(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void {
    let (dst, src) = (to.cast::<u8>(), from.cast::<u8>());
    // SAFETY: the caller promises what memmove(3) asks for; going backwards when `to` lies inside the
    // source reads every byte before it is overwritten.
    unsafe {
        if (dst as usize).wrapping_sub(src as usize) >= n {
            forward(dst, src, n);
        } else {
            for i in (0..n).rev() {
                dst.add(i).write_volatile(src.add(i).read_volatile());
            }
        }
    }
    to
}

/// Fills `n` bytes (memset(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut c_void, byte: c_int, n: usize) -> *mut c_void {
    // SAFETY: the caller promises what memset(3) asks for.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("rep stosb", inout("rcx") n => _, inout("rdi") to => _, in("al") byte as u8, options(nostack, preserves_flags));
        #[cfg(not(target_arch = "x86_64"))]
        for i in 0..n {
            to.cast::<u8>().add(i).write_volatile(byte as u8);
        }
    }
    to
}

/// Compares `n` bytes (memcmp(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    for i in 0..n {
        // SAFETY: the caller promises what memcmp(3) asks for.
        let (x, y) = unsafe { (a.cast::<u8>().add(i).read_volatile(), b.cast::<u8>().add(i).read_volatile()) };
        if x != y {
            return c_int::from(x) - c_int::from(y);
        }
    }
    0
}

/// Compares `n` bytes for equality (bcmp(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const c_void, b: *const c_void, n: usize) -> c_int {
    // SAFETY: the same promise as memcmp(3).
    unsafe { memcmp(a, b, n) }
}

unsafe fn forward(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: the caller promises that both regions are valid, and that `to` does not lie inside the source.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("rep movsb", inout("rcx") n => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags));
        #[cfg(not(target_arch = "x86_64"))]
        for i in 0..n {
            to.add(i).write_volatile(from.add(i).read_volatile());
        }
    }
}

/// Counts the bytes before the NUL (strlen(3)).
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const core::ffi::c_char) -> usize {
    let mut n = 0;
    // SAFETY: the caller promises a NUL-terminated string, and the loop stops at its NUL.
    while unsafe { text.add(n).read_volatile() } != 0 {
        n += 1;
    }
    n
}

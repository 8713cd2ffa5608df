//! All registers of a thread: the general ones, and the sets that a core has beside them (ptrace(2), `PTRACE_GETREGSET`).

#[cfg(target_arch = "aarch64")]
use object::elf::NT_ARM_TLS;
use object::elf::NT_PRFPREG;
#[cfg(target_arch = "x86_64")]
use object::elf::NT_X86_XSTATE;

use super::threads::{Registers, Thread};

/// Bytes of a set at most. The largest there is today has 11 KiB (x86 with AMX).
const MOST: usize = 32 << 10;
/// The sets beside the general registers, in the order of the kernel's own cores: floating point first.
#[cfg(target_arch = "x86_64")]
const KINDS: [u32; 2] = [NT_PRFPREG, NT_X86_XSTATE];
#[cfg(target_arch = "aarch64")]
const KINDS: [u32; 2] = [NT_PRFPREG, NT_ARM_TLS];

/// A set of registers.
pub struct Set {
    /// Which (elf(5)).
    pub kind: u32,
    /// As the kernel gives it, which is how it is in a core.
    pub bytes: Vec<u8>,
}

/// All registers of a thread.
pub struct Read {
    /// Its number, on this host.
    pub id: i32,
    /// The general ones.
    pub general: Registers,
    /// The others that this machine has.
    pub others: Vec<Set>,
}

/// Reads them. It has its room before a thread is stopped.
pub struct Reader(Vec<u8>);

impl Default for Reader {
    fn default() -> Self {
        // Its pages are made now.
        Self(std::hint::black_box(vec![1; MOST]))
    }
}

impl Reader {
    /// Of a thread that is stopped. A set that the kernel does not give is left out: the others are right all the same.
    pub fn read(&mut self, thread: &Thread) -> Read {
        let mut others = Vec::with_capacity(KINDS.len());
        for kind in KINDS {
            match crate::sys::register_set(thread.id, kind, &mut self.0) {
                // One that fills the room may be longer.
                Ok(length) if length > 0 && length < MOST => {
                    others.push(Set { kind, bytes: self.0[..length].to_vec() });
                }
                _ => {}
            }
        }
        Read { id: thread.id.as_raw(), general: thread.registers, others }
    }
}

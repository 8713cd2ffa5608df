//! The registers of a thread that has hit a breakpoint, and of one that is about to handle its signal: as they were before.

use std::fs::File;
#[cfg(target_arch = "x86_64")]
use std::os::unix::fs::FileExt as _;

use crate::corefile::threads::Registers;

/// Bytes of the instruction behind which a thread stops that hits a breakpoint.
#[cfg(target_arch = "x86_64")]
const LENGTH: u64 = 1;

/// Why a thread got a SIGTRAP, by its siginfo (sigaction(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// `si_code`.
    pub code: i32,
    /// Who sent it, for those that somebody sent: 0 is somebody outside of its pid namespace.
    pub sender: i32,
}

impl Trap {
    /// Whether it is there because of Delve: a breakpoint, a step, or a signal that Delve has sent.
    pub fn is_of(self, delve: i32) -> bool {
        match self.code {
            // kill(2) and tgkill(2).
            libc::SI_USER | libc::SI_TKILL => self.sender == 0 || self.sender == delve,
            code => code > 0,
        }
    }
}

/// Where it would be without the breakpoint that it has just hit. `None` if it has hit none of these.
#[cfg(target_arch = "x86_64")]
pub fn before_the_breakpoint(now: &Registers, breakpoints: &[u64]) -> Option<Registers> {
    let at = now.rip.wrapping_sub(LENGTH);
    breakpoints.contains(&at).then_some(Registers { rip: at, ..*now })
}

/// It stops at a breakpoint there, not behind it.
#[cfg(target_arch = "aarch64")]
pub fn before_the_breakpoint(_now: &Registers, _breakpoints: &[u64]) -> Option<Registers> {
    None
}

/// Where it would be without the signal that it is about to handle. `None` if it is not at the first instruction of a handler
/// of SIGTRAP, or was sent that by somebody else.
///
/// The kernel has put there a return address, a ucontext and a siginfo (arch/x86/include/asm/sigframe.h). The handler is made
/// to return at once (sigreturn(2)), to before the breakpoint.
#[cfg(target_arch = "x86_64")]
pub fn before_the_handler(now: &Registers, memory: &File, breakpoints: &[u64], delve: i32) -> Option<Registers> {
    /// From the stack pointer to `uc_mcontext.gregs`: the return address, then `uc_flags`, `uc_link` and `uc_stack`.
    const REGISTERS: u64 = 8 + 40;
    const RIP: u64 = REGISTERS + 16 * 8;
    const FLAGS: u64 = REGISTERS + 17 * 8;
    /// The trap flag: the processor stops after one instruction.
    const STEPS: u64 = 1 << 8;

    if now.rdi != u64::from(libc::SIGTRAP.unsigned_abs()) || now.rdx != now.rsp.wrapping_add(8) {
        return None;
    }
    let read = |at: u64| {
        let mut bytes = [0; 8];
        memory.read_exact_at(&mut bytes, at).ok().map(|()| u64::from_le_bytes(bytes))
    };
    let half = |at: u64| read(at).and_then(|word| u32::try_from(word & 0xffff_ffff).ok()).map(u32::cast_signed);
    // si_code and si_pid.
    let trap = Trap { code: half(now.rsi.checked_add(8)?)?, sender: half(now.rsi.checked_add(16)?)? };
    if !trap.is_of(delve) {
        return None;
    }
    let (place, flags) = (now.rsp.checked_add(RIP)?, now.rsp.checked_add(FLAGS)?);
    let saved = read(place)?;
    let before = saved.wrapping_sub(LENGTH);
    if breakpoints.contains(&before) {
        memory.write_all_at(&before.to_le_bytes(), place).ok()?;
    }
    memory.write_all_at(&(read(flags)? & !STEPS).to_le_bytes(), flags).ok()?;
    Some(Registers { rip: read(now.rsp)?, rsp: now.rsp.checked_add(8)?, ..*now })
}

/// As on x86_64, from the documents; not tried. The frame is a siginfo and a ucontext (arch/arm64/kernel/signal.c), the
/// return address is in register 30, and the program counter stands at the breakpoint.
#[cfg(target_arch = "aarch64")]
pub fn before_the_handler(now: &Registers, _memory: &File, _breakpoints: &[u64], _delve: i32) -> Option<Registers> {
    /// Bytes of a siginfo.
    const SIGINFO: u64 = 128;

    let is_handler = now.regs[0] == u64::from(libc::SIGTRAP.unsigned_abs())
        && now.regs[1] == now.sp
        && now.regs[2] == now.sp.wrapping_add(SIGINFO);
    is_handler.then(|| Registers { pc: now.regs[30], ..*now })
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const ZERO: Registers = Registers {
        r15: 0, r14: 0, r13: 0, r12: 0, rbp: 0, rbx: 0, r11: 0, r10: 0, r9: 0, r8: 0, rax: 0, rcx: 0, rdx: 0, rsi: 0, rdi: 0, orig_rax: 0, rip: 0, cs: 0, eflags: 0, rsp: 0, ss: 0, fs_base: 0, gs_base: 0, ds: 0, es: 0, fs: 0, gs: 0,
    };

    #[test]
    fn behind_a_breakpoint_is_stepped_back() {
        let now = Registers { rip: 0x401, rsp: 7, ..ZERO };
        assert_eq!(before_the_breakpoint(&now, &[0x400]).map(|r| (r.rip, r.rsp)), Some((0x400, 7)));
        assert!(before_the_breakpoint(&now, &[0x401, 0x3ff]).is_none());
        assert!(before_the_breakpoint(&ZERO, &[]).is_none());
    }

    #[test]
    fn a_handler_returns_before_it_begins() {
        // Memory as a file: the frame at 4096, the siginfo behind it.
        let memory = tempfile::tempfile().unwrap();
        let put = |at: u64, word: u64| memory.write_all_at(&word.to_le_bytes(), at).unwrap();
        let frame = |code: i32, sender: i32, rip: u64| {
            put(4096, 0x5000);
            put(4096 + 8 + 40 + 16 * 8, rip);
            put(4096 + 8 + 40 + 17 * 8, 0x346);
            put(5000 + 8, u64::from(code.cast_unsigned()));
            put(5000 + 16, u64::from(sender.cast_unsigned()));
        };
        let rip = || {
            let mut bytes = [0; 8];
            memory.read_exact_at(&mut bytes, 4096 + 8 + 40 + 16 * 8).unwrap();
            u64::from_le_bytes(bytes)
        };
        let now = Registers { rip: 0x9000, rdi: 5, rsi: 5000, rdx: 4096 + 8, rsp: 4096, ..ZERO };
        let before = |now: &Registers| before_the_handler(now, &memory, &[0x400], 77).map(|r| (r.rip, r.rsp));
        // A breakpoint: SI_KERNEL.
        frame(0x80, 0, 0x401);
        assert_eq!(before(&now), Some((0x5000, 4104)));
        assert_eq!(rip(), 0x400);
        // A signal of Delve's, from outside of the namespace or from inside.
        for sender in [0, 77] {
            frame(libc::SI_TKILL, sender, 0x777);
            assert_eq!(before(&now), Some((0x5000, 4104)));
            assert_eq!(rip(), 0x777);
        }
        // Of somebody else's, and another signal.
        frame(libc::SI_USER, 5, 0x777);
        assert_eq!(before(&now), None);
        frame(0x80, 0, 0x401);
        assert_eq!(before(&Registers { rdi: 6, ..now }), None);
        assert_eq!(before(&Registers { rdx: 0, ..now }), None);
        assert_eq!(before(&Registers { rsi: u64::MAX, ..now }), None);
    }
}

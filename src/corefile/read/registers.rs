//! The registers of a thread by their names, as the kernel lays them out (elf(5); Linux's `user_regs_struct`,
//! `user_fpsimd_state`; the format of XSAVE, Intel SDM 13.4).

use object::elf::{NT_ARM_TLS, NT_PRFPREG, NT_X86_XSTATE};
use serde::{Serialize, Serializer};

use super::{Thread, words};

/// Where the thread's number is in `struct elf_prstatus`, and where its registers are.
const NUMBER: usize = 32;
const GENERAL: usize = 112;

/// In the order of the kernel's `user_regs_struct`.
const X86_64: [&str; 27] = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax",
    "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
];
/// As a person looks for them.
const X86_64_SHOWN: [&str; 27] = [
    "rip", "rsp", "rbp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15", "eflags", "orig_rax", "fs_base", "gs_base", "cs", "ss", "ds", "es", "fs", "gs",
];

/// Where things are in an XSAVE area: the first part, which is that of FXSAVE; which parts a processor has, as Linux says; which
/// of them are there; and the upper halves of the vectors of AVX, which is part 2.
const MXCSR: usize = 24;
const XMM: usize = 160;
const FEATURES: usize = 464;
const PRESENT: usize = 512;
const UPPER: usize = 576;
const AVX: u64 = 1 << 2;
/// Bytes of a vector, or of half of one.
const VECTOR: usize = 16;

/// Kinds of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// x86, 64 bits.
    X86_64,
    /// ARM, 64 bits.
    Aarch64,
}

/// A register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// Its name, `rip`.
    pub name: String,
    /// What is in it, the least byte first.
    pub bytes: Vec<u8>,
}

impl Register {
    fn word(name: &str, word: u64) -> Self {
        Self { name: name.to_owned(), bytes: word.to_le_bytes().to_vec() }
    }

    /// What is in it: `0x00000000004028fb`.
    #[must_use]
    pub fn hex(&self) -> String {
        self.bytes.iter().rev().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// By name and value, in hexadecimal: JSON's numbers are not exact above 2⁵³.
impl Serialize for Register {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.name, self.hex()).serialize(serializer)
    }
}

impl Machine {
    /// A thread by its `struct elf_prstatus`.
    pub(super) fn thread(self, body: &[u8]) -> Option<Thread> {
        let id = i32::from_le_bytes(part(body, NUMBER)?);
        let words: Vec<_> = words(body.get(GENERAL..)?).collect();
        let registers: Vec<Register> = match self {
            Self::X86_64 => {
                let at = |name: &&str| X86_64.iter().position(|one| one == name).and_then(|at| words.get(at));
                let all = X86_64_SHOWN.iter().map(|name| Some(Register::word(name, *at(name)?)));
                all.collect::<Option<_>>()?
            }
            Self::Aarch64 => {
                let names = (0..31).map(|number| format!("x{number}"));
                let names = names.chain(["sp", "pc", "pstate"].map(str::to_owned));
                let mut all = names.zip(words).map(|(name, word)| Register::word(&name, word)).collect::<Vec<_>>();
                if all.len() < 34 {
                    return None;
                }
                // Where it is comes first.
                all.rotate_right(3);
                all.swap(0, 1);
                all
            }
        };
        let word = |at: usize| u64::from_le_bytes(registers.get(at)?.bytes.as_slice().try_into().ok()?).into();
        let (pc, sp): (Option<u64>, Option<u64>) = (word(0), word(1));
        Some(Thread { id, pc: pc?, sp: sp?, registers })
    }

    /// Adds what a further note of a thread has. What is too short for what it should have adds what it does have.
    pub(super) fn add(self, registers: &mut Vec<Register>, kind: u32, body: &[u8]) {
        match (self, kind) {
            (Self::X86_64, NT_X86_XSTATE) => {
                // The vectors, without upper halves, were in the note before.
                registers.retain(|one| !one.name.starts_with("xmm") && one.name != "mxcsr");
                xsave(registers, body);
            }
            (Self::X86_64, NT_PRFPREG) => {
                vectors(registers, "xmm", body.get(XMM..).unwrap_or_default(), |_| Some(&[]));
                control(registers, "mxcsr", body, MXCSR);
            }
            (Self::Aarch64, NT_PRFPREG) => {
                let all = 32 * VECTOR;
                for (number, bytes) in body.chunks_exact(VECTOR).take(32).enumerate() {
                    registers.push(Register { name: format!("v{number}"), bytes: bytes.to_vec() });
                }
                control(registers, "fpsr", body, all);
                control(registers, "fpcr", body, all + 4);
            }
            (Self::Aarch64, NT_ARM_TLS) => {
                registers.extend(words(body).next().map(|word| Register::word("tpidr", word)));
            }
            _ => {}
        }
    }
}

fn xsave(registers: &mut Vec<Register>, body: &[u8]) {
    let word = |at| part(body, at).map_or(0, u64::from_le_bytes);
    let (has, there) = (word(FEATURES) & AVX != 0, word(PRESENT) & AVX != 0);
    let low = body.get(XMM..).unwrap_or_default();
    if has {
        // Halves that are not there are as at the beginning: zeros.
        let upper = |number: usize| {
            if there { body.get(UPPER + number * VECTOR..)?.get(..VECTOR) } else { Some(&[0; VECTOR][..]) }
        };
        vectors(registers, "ymm", low, upper);
    } else {
        vectors(registers, "xmm", low, |_| Some(&[]));
    }
    control(registers, "mxcsr", body, MXCSR);
}

/// Sixteen vectors, each with its upper half.
fn vectors<'b>(registers: &mut Vec<Register>, name: &str, low: &'b [u8], upper: impl Fn(usize) -> Option<&'b [u8]>) {
    for (number, low) in low.chunks_exact(VECTOR).take(16).enumerate() {
        let Some(upper) = upper(number) else { break };
        registers.push(Register { name: format!("{name}{number}"), bytes: [low, upper].concat() });
    }
}

fn control(registers: &mut Vec<Register>, name: &str, body: &[u8], at: usize) {
    let bytes = part::<4>(body, at).map(|bytes| bytes.to_vec());
    registers.extend(bytes.map(|bytes| Register { name: name.to_owned(), bytes }));
}

/// Bytes of a note.
fn part<const N: usize>(body: &[u8], at: usize) -> Option<[u8; N]> {
    body.get(at..at.checked_add(N)?)?.try_into().ok()
}

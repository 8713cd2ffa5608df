//! The system call filter that the program gives itself where no broker gave it one.
//!
//! It lists what is allowed. Anything else means that somebody else has taken the process over, and ends it.

use crate::numbers;
use crate::sys::{ASK_FOR_LOCK, Instruction, TERMINATE, install};

/// A call that is allowed.
#[derive(Clone, Copy)]
enum Allow {
    /// With any arguments.
    Any(usize),
    /// Only if the argument of this place, from 0 on, is this number.
    Only(usize, u8, u32),
}

use Allow::{Any, Only};

/// What a session calls once it has its pipes. It reads from one and writes to the other, and to nothing else.
const SESSION: &[Allow] = &[
    Only(numbers::READ, 0, 0),
    Only(numbers::WRITE, 0, 1),
    Any(numbers::CAPGET),
    Any(numbers::CLOSE),
    Any(numbers::EXIT_GROUP),
    Any(numbers::FCHDIR),
    Any(numbers::FSTATFS),
    Any(numbers::GETDENTS64),
    Any(numbers::GETGID),
    Any(numbers::GETUID),
    Any(numbers::OPENAT2),
    Any(numbers::PIDFD_OPEN),
    #[cfg(target_arch = "x86_64")]
    Any(numbers::POLL),
    Any(numbers::PPOLL),
    Any(numbers::PREAD64),
    Any(numbers::PROCESS_VM_READV),
    Any(numbers::READLINKAT),
    Any(numbers::RESTART_SYSCALL),
    Any(numbers::RT_SIGRETURN),
    Any(numbers::STATX),
];

/// What a holder calls once it has said who it is.
const HOLDER: &[Allow] = &[
    Any(numbers::CLOCK_GETTIME),
    Any(numbers::CLOSE),
    Any(numbers::EXIT_GROUP),
    Only(numbers::FCNTL, 1, ASK_FOR_LOCK),
    // Whoever debugs is asked to let go of the target.
    Only(numbers::KILL, 1, TERMINATE),
    Any(numbers::RESTART_SYSCALL),
    Any(numbers::RT_SIGTIMEDWAIT),
    Any(numbers::WAIT4),
];

/// What who copies this program calls.
const INSTALLER: &[Allow] = &[
    Any(numbers::CLOSE),
    Any(numbers::EXIT_GROUP),
    Any(numbers::FCHMOD),
    Any(numbers::OPENAT),
    Any(numbers::READ),
    Any(numbers::RESTART_SYSCALL),
    Any(numbers::UNLINKAT),
    Any(numbers::WRITE),
];

/// linux/filter.h, linux/bpf_common.h: load a word, go on elsewhere if it is a number, give a verdict.
const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const VERDICT: u16 = 0x06;
/// linux/seccomp.h
const KILL_PROCESS: u32 = 0x8000_0000;
const ALLOW: u32 = 0x7fff_0000;
/// Where things are in `struct seccomp_data`: the call, the kind of machine, and the arguments, of which the lower half comes
/// first on every processor built for.
const CALL: u32 = 0;
const MACHINE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;
/// linux/audit.h
#[cfg(target_arch = "x86_64")]
const OURS: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const OURS: u32 = 0xc000_00b7;

/// The most instructions.
const MOST: usize = 96;

/// Lets a session call only what it needs.
pub fn of_session() -> bool {
    put_into_force(SESSION)
}

/// The same of a holder.
pub fn of_holder() -> bool {
    put_into_force(HOLDER)
}

/// The same of who copies this program.
pub fn of_installer() -> bool {
    put_into_force(INSTALLER)
}

fn put_into_force(allowed: &[Allow]) -> bool {
    let mut program = Filter { room: [Instruction::default(); MOST], used: 0 };
    let load = |value| Instruction { code: LOAD, yes: 0, no: 0, value };
    let verdict = |value| Instruction { code: VERDICT, yes: 0, no: 0, value };
    let if_equal = |value, yes, no| Instruction { code: IF_EQUAL, yes, no, value };
    program.push(&[load(MACHINE), if_equal(OURS, 1, 0), verdict(KILL_PROCESS), load(CALL)]);
    for &rule in allowed {
        match rule {
            Any(call) => program.push(&[if_equal(call as u32, 0, 1), verdict(ALLOW)]),
            Only(call, place, value) => program.push(&[
                if_equal(call as u32, 0, 4),
                load(FIRST_ARGUMENT + 8 * u32::from(place)),
                if_equal(value, 0, 1),
                verdict(ALLOW),
                verdict(KILL_PROCESS),
            ]),
        }
    }
    program.push(&[verdict(KILL_PROCESS)]);
    program.room.get(..program.used).is_some_and(install)
}

struct Filter {
    room: [Instruction; MOST],
    used: usize,
}

impl Filter {
    /// One that is too long is not put into force.
    fn push(&mut self, more: &[Instruction]) {
        if let Some(room) = self.room.get_mut(self.used..self.used + more.len()) {
            room.copy_from_slice(more);
        }
        self.used += more.len();
    }
}

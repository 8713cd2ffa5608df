//! Every `unsafe` of the shim: how it starts, how it ends, the memory functions, the buffers.
#![expect(unsafe_code, reason = "a program without libc must bring its own start and memory functions")]

mod call;
pub mod clock;
mod lock;
mod memory;
mod remote;
mod seccomp;
pub mod signals;
mod start;

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::BorrowedFd;

pub use self::lock::{Owner as LockOwner, holder as lock_holder, share as share_lock};
pub use self::remote::read as read_memory;
pub use self::seccomp::{Instruction, install};
pub use self::start::Arguments;
use crate::wire::{CHUNK, MAX_REQUEST, MAX_TUNNELS, PREFIX, TUNNEL_ROOM};

/// What is asked for when who has a lock is (fcntl_locking(2)).
pub const ASK_FOR_LOCK: u32 = lock::ASK as u32;
/// The signal that asks a process to end (signal(7)), as an argument of kill(2).
pub const TERMINATE: u32 = signals::TERMINATE as u32;
/// Bytes one `getdents64` may fill. Small enough that all its entries, each with a `Stat`, fit one chunk.
pub const DIRENTS: usize = 16 << 10;

/// The only memory there is besides the stack.
pub struct Buffers {
    /// Requests as they arrive.
    pub request: [u8; MAX_REQUEST + PREFIX],
    /// The payload of the reply being made.
    pub payload: [u8; CHUNK],
    /// The frame being sent.
    pub frame: [u8; CHUNK + 256],
    /// What `getdents64` fills.
    pub dirents: [MaybeUninit<u8>; DIRENTS],
    /// What waits to be sent into each tunnel.
    pub rooms: [[u8; TUNNEL_ROOM]; MAX_TUNNELS],
}

struct Once(UnsafeCell<Buffers>, AtomicBool);

// SAFETY: `buffers` hands the contents out once only, so they are never shared.
unsafe impl Sync for Once {}

// All zero, so it lives in .bss and costs no page until it is touched.
static BUFFERS: Once = Once(
    UnsafeCell::new(Buffers {
        request: [0; MAX_REQUEST + PREFIX],
        payload: [0; CHUNK],
        frame: [0; CHUNK + 256],
        dirents: [MaybeUninit::zeroed(); DIRENTS],
        rooms: [[0; TUNNEL_ROOM]; MAX_TUNNELS],
    }),
    AtomicBool::new(false),
);

/// The connection to the host; in a sidecar the pipe for requests.
pub fn socket() -> BorrowedFd<'static> {
    // SAFETY: descriptor 0 is the connection from the first instruction on, and nothing here closes it.
    unsafe { BorrowedFd::borrow_raw(0) }
}

/// The pipe for replies, in a sidecar. Standard output of a holder.
pub fn replies() -> BorrowedFd<'static> {
    // SAFETY: descriptor 1 is open from the first instruction on, and nothing here closes it.
    unsafe { BorrowedFd::borrow_raw(1) }
}

/// Standard error, for who was started by hand.
pub fn errors() -> BorrowedFd<'static> {
    // SAFETY: nothing here closes descriptor 2. Where it is not open, writing to it fails.
    unsafe { BorrowedFd::borrow_raw(2) }
}

/// The target's pidfd, where the broker said that there is one.
pub fn pidfd() -> BorrowedFd<'static> {
    // SAFETY: descriptor 1 is open from the first instruction on, and nothing here closes it.
    unsafe { BorrowedFd::borrow_raw(1) }
}

/// The buffers. Can be had once; a second call ends the process.
pub fn buffers() -> &'static mut Buffers {
    if BUFFERS.1.swap(true, Ordering::Relaxed) {
        start::exit(2);
    }
    // SAFETY: the flag above lets only the first caller through, so this is the only reference.
    unsafe { &mut *BUFFERS.0.get() }
}

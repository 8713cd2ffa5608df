//! Tells whoever keeps the container that somebody debugs from inside of it. See `shim/src/hold.rs`.

use std::fs::File;

use nix::fcntl::{FcntlArg, fcntl};

use crate::wire::DEBUGGER;

/// Locks a byte of the container's own root directory, for as long as this is kept and this process opens and closes that directory
/// in no other way: the lock bears its number (fcntl_locking(2)). Where there are no such locks, and where nobody keeps the
/// container, as in a sidecar, nobody asks for it.
pub fn be_noticed() -> Option<File> {
    let root = File::open("/").ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "small numbers of the kernel's")]
    let lock = libc::flock {
        l_type: libc::F_RDLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: DEBUGGER,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(&root, FcntlArg::F_SETLK(&lock)).ok()?;
    Some(root)
}

//! Bytes from here and there in one answer: of a file, or of the memory of a process.

use rustix::fd::OwnedFd;
use rustix::io::{Errno, pread};

use crate::files;
use crate::sys;
use crate::wire::{Failure, PART_PREFIX, Part};

/// Reads parts of an open file into `payload`.
pub fn of_file<'p>(file: &OwnedFd, parts: &[u8], payload: &'p mut [u8]) -> Result<&'p [u8], Failure> {
    each(parts, payload, |offset, into| pread(file, into, offset))
}

/// Reads parts of the memory of a process into `payload`. That it may not be looked into at all is told.
pub fn of_memory<'p>(pid: i32, parts: &[u8], payload: &'p mut [u8]) -> Result<&'p [u8], Failure> {
    // Nothing is asked for where there is nothing: whether it may be asked is checked first.
    match sys::read_memory(pid, 0, &mut []) {
        Err(error @ (Errno::PERM | Errno::SRCH | Errno::NOSYS)) => Err(files::errno(error)),
        _ => each(parts, payload, |address, into| sys::read_memory(pid, address, into)),
    }
}

/// Reads each as far as that goes. A part that cannot be read is a short one.
fn each<'p>(
    mut parts: &[u8],
    payload: &'p mut [u8],
    read: impl Fn(u64, &mut [u8]) -> Result<usize, Errno>,
) -> Result<&'p [u8], Failure> {
    let mut used = 0;
    while !parts.is_empty() {
        let (part, rest) = Part::decode(parts).map_err(|_| Failure::Malformed)?;
        parts = rest;
        let room = payload.get_mut(used..).and_then(|room| room.split_at_mut_checked(PART_PREFIX));
        let (prefix, room) = room.ok_or(Failure::Malformed)?;
        let into = usize::try_from(part.len).ok().and_then(|len| room.get_mut(..len)).ok_or(Failure::Malformed)?;
        let mut got = 0;
        while got < into.len() {
            match read(part.offset.saturating_add(got as u64), &mut into[got..]) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        // It fits: it is no more than `len`.
        prefix.copy_from_slice(&(got as u32).to_le_bytes());
        used += PART_PREFIX + got;
    }
    Ok(&payload[..used])
}

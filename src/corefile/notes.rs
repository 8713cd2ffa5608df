//! The notes of a core file: who it was, its threads with their registers, its files (elf(5); Linux's `fs/binfmt_elf.c`).

use object::elf::{NT_AUXV, NT_FILE, NT_PRPSINFO, NT_PRSTATUS};

use super::Error;
use super::mapping::{self, Mapping};
use super::present;
use super::threads::{Registers, Seized, Thread};
use crate::target::HostPid;

/// Bytes of the name and of the arguments that are kept.
const NAME: usize = 16;
const ARGUMENTS: usize = 80;

/// All of them, as they are in the file.
pub fn of(pid: HostPid, seized: &Seized, mappings: &[Mapping]) -> Result<Vec<u8>, Error> {
    let mut notes = Vec::new();
    let (leader, others) = seized.threads.split_first().ok_or(Error::Gone)?;
    add(&mut notes, NT_PRSTATUS, &status(leader));
    add(&mut notes, NT_PRPSINFO, &information(pid)?);
    add(&mut notes, NT_AUXV, &mapping::read(pid, "auxv")?);
    add(&mut notes, NT_FILE, &files(mappings));
    for thread in others {
        add(&mut notes, NT_PRSTATUS, &status(thread));
    }
    Ok(notes)
}

/// Adds a note. Each part ends at a multiple of four bytes.
fn add(notes: &mut Vec<u8>, kind: u32, body: &[u8]) {
    const OWNER: &[u8; 8] = b"CORE\0\0\0\0";
    for number in [5, u32::try_from(body.len()).unwrap_or(u32::MAX), kind] {
        notes.extend(number.to_ne_bytes());
    }
    notes.extend(OWNER);
    notes.extend(body);
    notes.resize(notes.len().next_multiple_of(4), 0);
}

/// `struct elf_prstatus`: of all of it only the thread's number and its registers are known.
fn status(thread: &Thread) -> Vec<u8> {
    // si_signo, si_code, si_errno, cursig and what fills it up, sigpend, sighold.
    let mut bytes = vec![0; 32];
    bytes.extend(thread.id.as_raw().to_ne_bytes());
    // ppid, pgrp, sid; utime, stime, cutime, cstime.
    bytes.resize(112, 0);
    bytes.extend(words(&thread.registers).iter().flat_map(|word| word.to_ne_bytes()));
    // fpvalid: no; and what fills it up.
    bytes.resize(bytes.len() + 8, 0);
    bytes
}

#[cfg(target_arch = "x86_64")]
fn words(r: &Registers) -> [u64; 27] {
    [
        r.r15, r.r14, r.r13, r.r12, r.rbp, r.rbx, r.r11, r.r10, r.r9, r.r8, r.rax, r.rcx, r.rdx, r.rsi, r.rdi,
        r.orig_rax, r.rip, r.cs, r.eflags, r.rsp, r.ss, r.fs_base, r.gs_base, r.ds, r.es, r.fs, r.gs,
    ]
}

#[cfg(target_arch = "aarch64")]
fn words(r: &Registers) -> Vec<u64> {
    r.regs.iter().copied().chain([r.sp, r.pc, r.pstate]).collect()
}

/// `struct elf_prpsinfo`: its number, its name, its arguments.
fn information(pid: HostPid) -> Result<Vec<u8>, Error> {
    // state, sname, zomb, nice and what fills them up; flag; uid, gid.
    let mut bytes = vec![0; 24];
    bytes.extend(pid.0.to_ne_bytes());
    // ppid, pgrp, sid.
    bytes.resize(40, 0);
    let line = mapping::read(pid, "comm")?;
    let name = line.strip_suffix(b"\n").unwrap_or(&line);
    field(&mut bytes, name, NAME);
    let arguments: Vec<_> =
        mapping::read(pid, "cmdline")?.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    field(&mut bytes, arguments.trim_ascii_end(), ARGUMENTS);
    Ok(bytes)
}

/// Text of a fixed size, which ends with a zero.
fn field(bytes: &mut Vec<u8>, text: &[u8], size: usize) {
    let end = bytes.len() + size;
    bytes.extend(text.iter().take(size - 1));
    bytes.resize(end, 0);
}

/// Which files are where: a count, the bytes of a page, a line each, and then the names.
fn files(mappings: &[Mapping]) -> Vec<u8> {
    let page = present::page();
    let these = || mappings.iter().filter(|mapping| mapping.is_of_file());
    let mut bytes = Vec::new();
    let lines = these().flat_map(|mapping| [mapping.start, mapping.end, mapping.offset / page]);
    for number in [these().count() as u64, page].into_iter().chain(lines) {
        bytes.extend(number.to_ne_bytes());
    }
    for mapping in these() {
        bytes.extend(&mapping.name);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_aligned() {
        let mut notes = Vec::new();
        add(&mut notes, 7, b"abcde");
        assert_eq!(notes.len(), 12 + 8 + 8);
        assert_eq!(notes[..12], [5_u32, 5, 7].map(u32::to_ne_bytes).concat());
        assert_eq!(notes[12..], *b"CORE\0\0\0\0abcde\0\0\0");
    }

    #[test]
    fn who_it_was() {
        let bytes = information(HostPid(std::process::id().cast_signed())).unwrap();
        assert_eq!(bytes.len(), 136);
        assert_eq!(bytes[24..28], std::process::id().to_ne_bytes());
        assert!(bytes[40] != 0 && bytes[55] == 0 && bytes[56] != 0 && bytes[135] == 0);
    }
}

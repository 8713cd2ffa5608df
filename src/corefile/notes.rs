//! The notes of a core file: who it was, its threads with their registers, its files (elf(5); Linux's `fs/binfmt_elf.c`).

use std::collections::HashMap;

use nix::unistd::Pid;
use object::elf::{NT_AUXV, NT_FILE, NT_PRFPREG, NT_PRPSINFO, NT_PRSTATUS};

use super::Error;
use super::mapping::{self, Mapping};
use super::present;
use super::sets::Read;
use super::threads::{self, Registers};
use crate::target::HostPid;

/// Bytes of the name and of the arguments that are kept.
const NAME: usize = 16;
const ARGUMENTS: usize = 80;

/// Whose a note is: the kernel's for every machine, or of this kind of machine.
const CORE: &[u8] = b"CORE";
const LINUX: &[u8] = b"LINUX";

/// What does not change while a process runs. It is read before that is stopped.
pub struct About {
    information: Vec<u8>,
    auxiliary: Vec<u8>,
    numbers: Numbers,
}

impl About {
    /// Of a process.
    pub fn of(pid: HostPid) -> Result<Self, Error> {
        let (numbers, auxiliary) = (Numbers::of(pid)?, mapping::read(pid, "auxv")?);
        Ok(Self { information: information(pid, numbers.inside(pid.0))?, auxiliary, numbers })
    }
}

/// What threads are called where they run: as the kernel names them in its own cores, and the program knows them itself. By
/// other numbers gdb takes them for others than those that the program's C library tells it of.
struct Numbers {
    pid: HostPid,
    known: HashMap<i32, i32>,
}

impl Numbers {
    fn of(pid: HostPid) -> Result<Self, Error> {
        let all = threads::list(pid)?.into_iter().map(Pid::as_raw);
        Ok(Self { pid, known: all.filter_map(|id| Some((id, own_number(pid, id)?))).collect() })
    }

    /// By its number on this host. One that was made just now is asked for; if it has ended, that number stays.
    fn inside(&self, id: i32) -> i32 {
        self.known.get(&id).copied().or_else(|| own_number(self.pid, id)).unwrap_or(id)
    }
}

/// The last one of `NSpid` (proc_pid_status(5)).
fn own_number(pid: HostPid, id: i32) -> Option<i32> {
    let text = mapping::read(pid, &format!("task/{id}/status")).ok()?;
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"NSpid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().last()?.parse().ok()
}

/// All of them, as they are in the file. The registers of a thread follow its status; what is of the process follows that of
/// the first one.
pub fn of<'m>(about: &About, threads: &[Read], files: impl Iterator<Item = &'m Mapping>) -> Vec<u8> {
    let files: Vec<_> = files.collect();
    let mut notes = Vec::new();
    for (at, thread) in threads.iter().enumerate() {
        add(&mut notes, CORE, NT_PRSTATUS, &status(thread, about.numbers.inside(thread.id)));
        if at == 0 {
            add(&mut notes, CORE, NT_PRPSINFO, &about.information);
            add(&mut notes, CORE, NT_AUXV, &about.auxiliary);
            add(&mut notes, CORE, NT_FILE, &places(&files));
        }
        for set in &thread.others {
            add(&mut notes, if set.kind == NT_PRFPREG { CORE } else { LINUX }, set.kind, &set.bytes);
        }
    }
    notes
}

/// Adds a note. Each part ends at a multiple of four bytes; the owner's name ends with a zero.
fn add(notes: &mut Vec<u8>, owner: &[u8], kind: u32, body: &[u8]) {
    let lengths = [owner.len() + 1, body.len()].map(|length| u32::try_from(length).unwrap_or(u32::MAX));
    for number in [lengths[0], lengths[1], kind] {
        notes.extend(number.to_ne_bytes());
    }
    notes.extend(owner);
    notes.push(0);
    notes.resize(notes.len().next_multiple_of(4), 0);
    notes.extend(body);
    notes.resize(notes.len().next_multiple_of(4), 0);
}

/// `struct elf_prstatus`: of all of it only the thread's number and its registers are known.
fn status(thread: &Read, number: i32) -> Vec<u8> {
    // si_signo, si_code, si_errno, cursig and what fills it up, sigpend, sighold.
    let mut bytes = vec![0; 32];
    bytes.extend(number.to_ne_bytes());
    // ppid, pgrp, sid; utime, stime, cutime, cstime.
    bytes.resize(112, 0);
    bytes.extend(words(&thread.general).iter().flat_map(|word| word.to_ne_bytes()));
    // fpvalid: whether there are floating point registers, too. And what fills it up.
    let valid = thread.others.iter().any(|set| set.kind == NT_PRFPREG);
    bytes.extend(u32::from(valid).to_ne_bytes());
    bytes.resize(bytes.len() + 4, 0);
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
fn information(pid: HostPid, number: i32) -> Result<Vec<u8>, Error> {
    // state, sname, zomb, nice and what fills them up; flag; uid, gid.
    let mut bytes = vec![0; 24];
    bytes.extend(number.to_ne_bytes());
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
fn places(files: &[&Mapping]) -> Vec<u8> {
    let page = present::page();
    let mut bytes = Vec::new();
    let lines = files.iter().flat_map(|mapping| [mapping.start, mapping.end, mapping.offset / page]);
    for number in [files.len() as u64, page].into_iter().chain(lines) {
        bytes.extend(number.to_ne_bytes());
    }
    for mapping in files {
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
        add(&mut notes, LINUX, 7, b"abcde");
        assert_eq!(notes.len(), 12 + 8 + 8);
        assert_eq!(notes[..12], [6_u32, 5, 7].map(u32::to_ne_bytes).concat());
        assert_eq!(notes[12..], *b"LINUX\0\0\0abcde\0\0\0");
    }

    #[test]
    fn threads_have_their_own_numbers() {
        let pid = HostPid(std::process::id().cast_signed());
        let numbers = Numbers::of(pid).unwrap();
        let own = nix::unistd::gettid().as_raw();
        assert_eq!(numbers.inside(own), own_number(pid, own).unwrap());
        // Made later, and one that there is not.
        let later = std::thread::spawn(move || {
            let own = nix::unistd::gettid().as_raw();
            assert_eq!(Some(numbers.inside(own)), own_number(pid, own));
        });
        later.join().unwrap();
        let numbers = Numbers::of(pid).unwrap();
        assert_eq!(numbers.inside(i32::MAX), i32::MAX);
    }

    #[test]
    fn who_it_was() {
        let bytes = information(HostPid(std::process::id().cast_signed()), 4711).unwrap();
        assert_eq!(bytes.len(), 136);
        assert_eq!(bytes[24..28], 4711_i32.to_ne_bytes());
        assert!(bytes[40] != 0 && bytes[55] == 0 && bytes[56] != 0 && bytes[135] == 0);
    }
}

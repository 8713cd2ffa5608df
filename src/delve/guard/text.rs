//! A program's text in memory against its file: what a debugger has left in it is taken out.

use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;

use super::Error;
use crate::corefile::{mapping, present};
use crate::target::HostPid;

/// The instruction that a breakpoint is, `int3`.
#[cfg(target_arch = "x86_64")]
const BREAKPOINT: &[u8] = &[0xcc];
/// The instruction that a breakpoint is, `brk #0`, little-endian.
#[cfg(target_arch = "aarch64")]
const BREAKPOINT: &[u8] = &0xd420_0000_u32.to_le_bytes();

/// A process's program, in its memory and in its file.
#[derive(Debug)]
pub struct Text {
    pid: HostPid,
    file: File,
    memory: File,
    /// As both `exe` and `maps` name it.
    name: Vec<u8>,
}

/// In what the two differed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Where breakpoints were. They are no more.
    pub healed: Vec<u64>,
    /// Other bytes. They were left alone.
    pub other: u64,
}

impl Text {
    /// Opens both.
    pub fn of(pid: HostPid) -> Result<Self, Error> {
        let path = format!("/proc/{pid}/exe");
        let failed = |error: std::io::Error| Error::proc("exe", &error);
        let name = std::fs::read_link(&path).map_err(failed)?.as_os_str().as_bytes().to_owned();
        let file = File::open(path).map_err(failed)?;
        let memory = File::options().read(true).write(true).open(format!("/proc/{pid}/mem"));
        Ok(Self { pid, file, memory: memory.map_err(|error| Error::proc("mem", &error))?, name })
    }

    /// Takes breakpoints out. Only pages are looked at that are no longer the file's own: a written page is a copy.
    pub fn heal(&self) -> Result<Difference, Error> {
        let of_proc = |error: crate::corefile::Error| match error {
            crate::corefile::Error::Proc { file, errno } => Error::Proc { file, errno },
            _ => Error::Gone,
        };
        let mut difference = Difference::default();
        let pagemap = present::open(self.pid).map_err(of_proc)?;
        let page = present::page();
        for mapping in mapping::of(self.pid).map_err(of_proc)? {
            if !mapping.executable || mapping.name != self.name {
                continue;
            }
            for run in present::copies(&pagemap, &mapping).map_err(of_proc)? {
                for at in (run.start()..run.end()).step_by(usize::try_from(page).unwrap_or(4096)) {
                    self.heal_page(at, mapping.offset + (at - mapping.start), &mut difference)?;
                }
            }
        }
        Ok(difference)
    }

    fn heal_page(&self, at: u64, offset: u64, difference: &mut Difference) -> Result<(), Error> {
        let size = usize::try_from(present::page()).unwrap_or(4096);
        let (mut memory, mut file) = (vec![0; size], vec![0; size]);
        let got = self.memory.read_at(&mut memory, at).map_err(|error| Error::proc("mem", &error))?;
        let had = read_up_to(&self.file, &mut file, offset).map_err(|error| Error::proc("exe", &error))?;
        let length = got.min(had);
        for place in (0..length).step_by(BREAKPOINT.len()) {
            let end = (place + BREAKPOINT.len()).min(length);
            let (is, was) = (&memory[place..end], &file[place..end]);
            if is == was {
                continue;
            }
            if is == BREAKPOINT {
                let address = at + place as u64;
                self.memory.write_all_at(was, address).map_err(|error| Error::proc("mem", &error))?;
                difference.healed.push(address);
            } else {
                difference.other += is.iter().zip(was).filter(|(is, was)| is != was).count() as u64;
            }
        }
        Ok(())
    }

    /// The process's memory.
    pub fn memory(&self) -> &File {
        &self.memory
    }
}

fn read_up_to(file: &File, room: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut have = 0;
    while have < room.len() {
        match file.read_at(&mut room[have..], offset + have as u64)? {
            0 => break,
            got => have += got,
        }
    }
    Ok(have)
}

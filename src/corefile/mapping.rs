//! What a process has in its memory: `/proc/PID/maps` (proc_pid_maps(5)).

use super::Error;
use crate::target::HostPid;

/// One line. Its name is a part of the text that was read, or kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<Name> {
    /// First address.
    pub start: u64,
    /// Address behind the last one.
    pub end: u64,
    /// Whether the process may read it.
    pub readable: bool,
    /// Whether the process may write it, or whoever else shares it.
    pub writable: bool,
    /// Whether the process may execute it.
    pub executable: bool,
    /// Where it begins in its file, in bytes.
    pub offset: u64,
    /// Its file, as the process named it, or a name in brackets. Empty if there is none.
    pub name: Name,
}

/// One line, kept.
pub type Mapping = Line<Vec<u8>>;

/// Made by the kernel for every process alike; reading them fails or means nothing.
const KERNELS: [&[u8]; 3] = [b"[vvar]", b"[vvar_vclock]", b"[vsyscall]"];

impl Mapping {
    /// Whether it belongs into a core file.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.readable && !KERNELS.contains(&self.name.as_slice())
    }

    /// Whether it is a part of a file.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        self.name.starts_with(b"/")
    }
}

impl<'t> Line<&'t [u8]> {
    /// Reads one. `None` if it makes no sense.
    #[must_use]
    pub fn parse(line: &'t [u8]) -> Option<Self> {
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let mut next = || std::str::from_utf8(fields.next()?).ok();
        let (range, rights, offset) = (next()?, next()?, next()?);
        let (_device, _inode) = (next()?, next()?);
        let name = fields.next().unwrap_or_default().trim_ascii_start();
        // Rust's parser takes a `+`, which the kernel does not write.
        let number = |text: &str| u64::from_str_radix(text, 16).ok().filter(|_| !text.starts_with('+'));
        let (start, end) = range.split_once('-')?;
        let (start, end, rights) = (number(start)?, number(end)?, rights.as_bytes());
        let has = |right| rights.contains(&right);
        let (readable, writable, executable) = (has(b'r'), has(b'w'), has(b'x'));
        let offset = number(offset)?;
        (start < end && rights.len() == 4).then_some(Self { start, end, readable, writable, executable, offset, name })
    }

    fn kept(self) -> Mapping {
        let Self { start, end, readable, writable, executable, offset, name } = self;
        Mapping { start, end, readable, writable, executable, offset, name: name.to_owned() }
    }
}

/// Which one an address is in. They are in order.
#[must_use]
pub fn at(mappings: &[Mapping], address: u64) -> Option<&Mapping> {
    let at = mappings.partition_point(|mapping| mapping.end <= address);
    mappings.get(at).filter(|mapping| mapping.start <= address)
}

/// All of a process, by address.
pub fn of(pid: HostPid) -> Result<Vec<Mapping>, Error> {
    parse(&read(pid, "maps")?)
}

/// Reads a whole file of `/proc/PID`.
pub fn read(pid: HostPid, file: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(format!("/proc/{pid}/{file}")).map_err(|error| failed(file, &error))
}

/// What it means that it cannot be read.
pub fn failed(file: &str, error: &std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ESRCH) => Error::Gone,
        errno => Error::Proc { file: file.to_owned(), errno: errno.unwrap_or(libc::EIO) },
    }
}

/// Parses it.
///
/// # Errors
/// If a line makes no sense, or there is none.
pub fn parse(text: &[u8]) -> Result<Vec<Mapping>, Error> {
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let all: Option<Vec<_>> = lines.map(|line| Line::parse(line).map(Line::kept)).collect();
    // A process has memory, until it has ended.
    match all {
        Some(all) if all.is_empty() => Err(Error::Gone),
        Some(all) => Ok(all),
        None => Err(Error::Malformed { file: "maps".to_owned() }),
    }
}

/// Parses arbitrary bytes. For fuzzing: must not panic.
pub fn fuzz(bytes: &[u8]) {
    let _ = parse(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = b"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a b\\012\n\
                     c000000000-c000400000 rw-p 00000000 00:00 0 \n\
                     c000400000-c004000000 ---p 00000000 00:00 0 \n\
                     7ffd1000-7ffd3000 r--p 00000000 00:00 0          [vvar]\n";
        let all = parse(text).unwrap();
        assert_eq!(all.len(), 4);
        assert_eq!((all[0].start, all[0].end, all[0].offset), (0x0040_0000, 0x0045_2000, 0x1000));
        assert_eq!(all[0].name, b"/usr/bin/a b\\012");
        assert!(all[0].is_of_file() && all[0].executable && !all[0].writable && all[0].is_copied());
        assert!(all[1].writable && all[1].is_copied() && all[1].name.is_empty());
        assert!(!all[2].is_copied() && !all[3].is_copied());
        assert_eq!(parse(b""), Err(Error::Gone));
        for bad in
            [&b"x"[..], b"1-0 rw-p 0 0:0 0", b"1000-2000 rw 0 0:0 0", b"1000-2000 rw-p z 0:0 0", b"1000-2000 rw-p"]
        {
            assert_eq!(parse(bad), Err(Error::Malformed { file: "maps".to_owned() }), "{bad:?}");
        }
    }

    #[test]
    fn of_this_process() {
        let pid = HostPid(std::process::id().cast_signed());
        let all = of(pid).unwrap();
        let here = &raw const all as u64;
        assert!(all.iter().any(|one| one.writable && (one.start..one.end).contains(&here)));
        assert_eq!(of(HostPid(i32::MAX)), Err(Error::Gone));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            fuzz(&bytes);
        }
    }
}

//! What a sidecar's image holds: programs of this host, with what they are linked to.
//!
//! A static program is one file. One that is linked to libraries brings those along, and the loader that it names: the loader
//! itself says which they are (ld.so(8), `--list`; musl's knows the word as well). They go where they are here.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use tokio::io::AsyncReadExt as _;

use crate::image::Packed;
use crate::sys;

/// The largest program or library, in bytes.
const LARGEST: usize = 1 << 30;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
/// The most libraries.
const MOST: usize = 256;
/// How much a loader says at most, in bytes, and how long it may take.
const LISTING: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(5);
/// What else loaders look at: where libraries are that are in no usual place.
const CONFIGURATION: [&str; 3] = ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path"];

/// Why a program cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{what} cannot be read: {source}")]
    Read {
        /// Which file.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// It is no program of this kind of machine.
    #[error("{what} is no ELF program of this kind of machine")]
    NotElf {
        /// Which file.
        what: String,
    },
    /// The loader does not say what it needs.
    #[error("what {what} is linked to cannot be told: {why}")]
    Linked {
        /// Which file.
        what: String,
        /// Why.
        why: String,
    },
}

/// This program.
///
/// # Errors
/// See [`Error`].
pub async fn own(path: &str, mode: u32) -> Result<Vec<Packed>, Error> {
    let what = "scratchdbg's own program";
    let file = File::open("/proc/self/exe").map_err(|source| Error::Read { what: what.to_owned(), source })?;
    program(path, mode, file.into(), what).await
}

/// A program, and what it is linked to. `what` names it.
///
/// # Errors
/// See [`Error`].
pub async fn program(path: &str, mode: u32, file: OwnedFd, what: &str) -> Result<Vec<Packed>, Error> {
    let bytes = read(&file, what)?;
    let loader = loader(&bytes, what)?;
    let mut packed = vec![Packed { path: path.to_owned(), mode, bytes: bytes.into() }];
    let Some(loader) = loader else { return Ok(packed) };
    let linked = |why: String| Error::Linked { what: what.to_owned(), why };
    let listing = list(&loader, file).await.map_err(|error| linked(error.to_string()))?;
    let mut paths = libraries(&listing);
    if paths.len() > MOST {
        return Err(linked("it lists too many libraries".to_owned()));
    }
    paths.push(loader);
    paths.extend(CONFIGURATION.map(PathBuf::from).into_iter().filter(|path| path.is_file()));
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let shown = path.display().to_string();
        let file = File::open(&path).map_err(|source| Error::Read { what: shown.clone(), source })?;
        let bytes = read(&file.into(), &shown)?;
        packed.push(Packed { path: shown, mode: 0o555, bytes: bytes.into() });
    }
    Ok(packed)
}

/// Puts more files in. What two programs are linked to is there once.
pub fn add(files: &mut Vec<Packed>, more: Vec<Packed>) {
    for file in more {
        if !files.iter().any(|one| one.path == file.path) {
            files.push(file);
        }
    }
}

/// A file that everybody may read there.
///
/// # Errors
/// See [`Error`].
pub fn plain(path: &str, file: &OwnedFd, what: &str) -> Result<Packed, Error> {
    Ok(Packed { path: path.to_owned(), mode: 0o444, bytes: read(file, what)?.into() })
}

/// From its beginning on, wherever it was read up to.
fn read(file: &OwnedFd, what: &str) -> Result<Vec<u8>, Error> {
    let failed = |source: io::Error| Error::Read { what: what.to_owned(), source };
    let (mut bytes, mut room) = (Vec::new(), vec![0; PIECE]);
    loop {
        match rustix::io::pread(file, &mut room, bytes.len() as u64) {
            Ok(0) => return Ok(bytes),
            Ok(got) if bytes.len() + got <= LARGEST => bytes.extend_from_slice(&room[..got]),
            Ok(_) => return Err(failed(io::ErrorKind::FileTooLarge.into())),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
    }
}

/// The loader that a program names (elf(5), `PT_INTERP`). A static one names none.
fn loader(bytes: &[u8], what: &str) -> Result<Option<PathBuf>, Error> {
    const MACHINE: u16 = if cfg!(target_arch = "aarch64") { object::elf::EM_AARCH64 } else { object::elf::EM_X86_64 };
    let not_elf = || Error::NotElf { what: what.to_owned() };
    let header = FileHeader64::<Endianness>::parse(bytes).map_err(|_| not_elf())?;
    let endian = header.endian().map_err(|_| not_elf())?;
    if header.e_machine(endian) != MACHINE {
        return Err(not_elf());
    }
    for segment in header.program_headers(endian, bytes).map_err(|_| not_elf())? {
        if let Some(name) = segment.interpreter(endian, bytes).map_err(|_| not_elf())? {
            let path = std::str::from_utf8(name).ok().map(PathBuf::from).filter(|path| path.is_absolute());
            return path.map(Some).ok_or_else(not_elf);
        }
    }
    Ok(None)
}

/// What a loader says a program is linked to. It is this very file that it looks at, whatever has its name by now.
async fn list(loader: &Path, file: OwnedFd) -> io::Result<String> {
    let mut command = Command::new(loader);
    command.arg("--list").arg(format!("/proc/self/fd/{}", file.as_raw_fd()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    sys::tie(&mut command, vec![file]);
    let asking = async {
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let mut text = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LISTING).read_to_end(&mut text).await?;
        }
        let status = child.wait().await?;
        if !status.success() {
            return Err(io::Error::other(format!("{} ended with {status}", loader.display())));
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The files in a loader's list: `libc.so.6 => /lib/libc.so.6 (0x7f…)`, or `/lib64/ld-linux-x86-64.so.2 (0x7f…)`. The kernel's
/// own library has no file.
fn libraries(listing: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let line = line.trim();
        let file = line.split_once(" => ").map_or(line, |(_, file)| file);
        let file = file.rsplit_once(" (0x").map_or(file, |(file, _)| file);
        file.starts_with('/').then(|| PathBuf::from(file))
    };
    listing.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_loaders() {
        let glibc = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        assert_eq!(
            libraries(glibc),
            [Path::new("/lib/x86_64-linux-gnu/libc.so.6"), Path::new("/lib64/ld-linux-x86-64.so.2")]
        );
        let musl =
            "\t/lib/ld-musl-x86_64.so.1 (0x7f12)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f12)\n";
        assert_eq!(libraries(musl).len(), 2);
        assert_eq!(libraries("\tlibx.so => not found\n\tstatically linked\n"), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn a_program_brings_along_what_it_is_linked_to() {
        let packed = own("/program", 0o111).await.unwrap();
        assert_eq!((packed[0].path.as_str(), packed[0].mode), ("/program", 0o111));
        assert_eq!(packed[0].bytes.len() as u64, std::fs::metadata("/proc/self/exe").unwrap().len());
        let linked = loader(&packed[0].bytes, "it").unwrap();
        assert_eq!(packed.len() > 1, linked.is_some());
        assert!(linked.is_none_or(|loader| packed.iter().any(|file| Path::new(&file.path) == loader)));
        assert!(packed.iter().all(|file| file.path.starts_with('/')));
    }

    #[tokio::test]
    async fn what_is_no_program_is_not_packed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for bad in [&b"#!/bin/sh\n"[..], b"\x7fELF", b""] {
            std::fs::write(&path, bad).unwrap();
            let file = File::open(&path).unwrap().into();
            assert!(matches!(program("/x", 0o111, file, "it").await, Err(Error::NotElf { .. })));
        }
    }
}

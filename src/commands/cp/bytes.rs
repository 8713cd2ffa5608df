//! The bytes of one file from one descriptor to another, as fast as the kernel moves them.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{SeekFrom as Sparse, seek};
use rustix::io::Errno;

use super::progress::Progress;

/// How much is copied between two looks at the progress, in bytes.
const STEP: u64 = 16 << 20;
/// How much is looked at for zeros at once, in bytes.
const BLOCK: usize = 256 << 10;
/// How much of a file is copied that tells a size of 0: those of `/proc` do, and one of a hostile file system may never
/// end.
const MAX_UNSIZED: u64 = 256 << 20;

/// Copies a file of `size` bytes, of which `allocated` are really there. What is appended meanwhile is left out; a
/// sparse file stays sparse, so that a small file that claims to be huge does not fill the disk.
///
/// # Errors
/// If a side fails, or a file without a size has no end.
pub fn copy(from: &File, to: &mut File, size: u64, allocated: u64, progress: &Progress) -> io::Result<u64> {
    if size == 0 {
        return match range(from, to, MAX_UNSIZED + 1, progress)? {
            copied if copied > MAX_UNSIZED => Err(io::Error::other("it tells a size of 0 and goes on for ever")),
            copied => Ok(copied),
        };
    }
    if allocated >= size {
        return range(from, to, size, progress);
    }
    // Many a file system in user space takes holes for data, and some do not know the question.
    match (seek(from, Sparse::Data(0)), seek(from, Sparse::Hole(0))) {
        (Ok(0), Ok(hole)) if hole >= size => without_zeros(from, to, size, progress),
        (Ok(_) | Err(Errno::NXIO), _) => sparse(from, to, size, progress),
        _ => without_zeros(from, to, size, progress),
    }
}

/// Copies by reading everything and leaving out blocks of zeros.
fn without_zeros(mut from: &File, to: &mut File, size: u64, progress: &Progress) -> io::Result<u64> {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    from.rewind()?;
    let mut from = from.take(size);
    let mut block = vec![0; BLOCK];
    let mut at = 0;
    loop {
        let got = match from.read(&mut block) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        };
        let bytes = block.get(..got).unwrap_or_default();
        if ZEROS.get(..got) != Some(bytes) {
            to.write_all_at(bytes, at)?;
        }
        at += got as u64;
        progress.add(got as u64);
    }
    to.set_len(at)?;
    Ok(at)
}

/// Copies at most `len` bytes from where both files are. A file that has no more for now (`EAGAIN`) ends there.
fn range(from: &File, to: &mut File, len: u64, progress: &Progress) -> io::Result<u64> {
    let mut copied = 0;
    while copied < len {
        match io::copy(&mut from.take(STEP.min(len - copied)), to) {
            Ok(0) => break,
            Ok(count) => {
                copied += count;
                progress.add(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(copied)
}

fn sparse(mut from: &File, to: &mut File, size: u64, progress: &Progress) -> io::Result<u64> {
    let mut at = 0;
    while at < size {
        let data = match seek(from, Sparse::Data(at)) {
            Ok(data) if data < size => data,
            // A hole up to the end.
            Ok(_) | Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        let hole = seek(from, Sparse::Hole(data))?.min(size);
        if data < at || hole <= data {
            return Err(io::Error::other("its file system contradicts itself about holes"));
        }
        from.seek(SeekFrom::Start(data))?;
        to.seek(SeekFrom::Start(data))?;
        if range(from, to, hole - data, progress)? == 0 {
            break;
        }
        at = hole;
    }
    to.set_len(size)?;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn copied(source: &mut File, size: u64) -> (Vec<u8>, u64) {
        source.rewind().unwrap();
        let allocated = source.metadata().unwrap().blocks() * 512;
        let mut to = tempfile::tempfile().unwrap();
        copy(source, &mut to, size, allocated, &Progress::new(true)).unwrap();
        to.rewind().unwrap();
        let mut bytes = Vec::new();
        to.read_to_end(&mut bytes).unwrap();
        (bytes, to.metadata().unwrap().blocks() * 512)
    }

    #[test]
    fn every_byte_comes_over() {
        let mut source = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..STEP + 12_345).map(|at| (at % 251) as u8).collect();
        source.write_all(&bytes).unwrap();
        assert!(copied(&mut source, bytes.len() as u64).0 == bytes);
        // What was appended after the size was told is left out.
        assert_eq!(copied(&mut source, 10).0, bytes[..10]);
    }

    #[test]
    fn holes_stay_holes() {
        let mut source = tempfile::tempfile().unwrap();
        source.seek(SeekFrom::Start(8 << 20)).unwrap();
        source.write_all(b"middle").unwrap();
        source.set_len(32 << 20).unwrap();
        let (bytes, allocated) = copied(&mut source, 32 << 20);
        assert_eq!(bytes.len(), 32 << 20);
        assert_eq!(bytes[8 << 20..][..7], *b"middle\0");
        assert!(allocated < 4 << 20, "{allocated}");
    }

    #[test]
    fn zeros_are_left_out_where_holes_are_not_known() {
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(&vec![0; 4 << 20]).unwrap();
        source.write_all(b"end").unwrap();
        let mut to = tempfile::tempfile().unwrap();
        let size = (4 << 20) + 3;
        assert_eq!(without_zeros(&source, &mut to, size, &Progress::new(true)).unwrap(), size);
        to.rewind().unwrap();
        let mut bytes = Vec::new();
        to.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.len() as u64, &bytes[4 << 20..]), (size, &b"end"[..]));
        assert!(to.metadata().unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn a_file_without_a_size() {
        let mut source = File::open("/proc/self/status").unwrap();
        assert!(copied(&mut source, 0).0.starts_with(b"Name:"));
    }
}

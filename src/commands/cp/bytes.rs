//! The bytes of one file from one descriptor to another, as fast as the kernel moves them.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{SeekFrom as Sparse, seek};
use rustix::io::Errno;

use super::progress::Progress;

/// How much is copied between two looks at the progress, in bytes.
const STEP: u64 = 16 << 20;
/// How many zeros make a hole, in bytes.
const PIECE: usize = 64 << 10;
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
    if allocated < size && seek(from, Sparse::Data(0)) != Err(Errno::INVAL) {
        return sparse(from, to, size, allocated, progress);
    }
    range(from, to, size, progress)
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

fn sparse(mut from: &File, to: &mut File, size: u64, allocated: u64, progress: &Progress) -> io::Result<u64> {
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
        // More data than there are blocks: the file system does not tell where holes are (FUSE often), or compresses.
        let copied = if hole - data > allocated {
            without_zeros(from, to, data, hole, progress)?
        } else {
            from.seek(SeekFrom::Start(data))?;
            to.seek(SeekFrom::Start(data))?;
            range(from, to, hole - data, progress)?
        };
        if copied == 0 {
            break;
        }
        at = hole;
    }
    to.set_len(size)?;
    Ok(size)
}

/// Copies the bytes from `start` to `end` and leaves out what is all zero, which reads the same where nothing was written.
fn without_zeros(from: &File, to: &File, start: u64, end: u64, progress: &Progress) -> io::Result<u64> {
    static ZEROS: [u8; PIECE] = [0; PIECE];
    let mut buffer = vec![0; 16 * PIECE];
    let mut at = start;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let got = match from.read_at(&mut buffer[..want], at) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        };
        for piece in buffer[..got].chunks(PIECE) {
            if piece != &ZEROS[..piece.len()] {
                to.write_all_at(piece, at)?;
            }
            at += piece.len() as u64;
        }
        progress.add(got as u64);
    }
    Ok(at - start)
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
    fn zeros_become_holes_where_holes_are_not_told() {
        let mut source = tempfile::tempfile().unwrap();
        let mut bytes = vec![0; 32 << 20];
        bytes[8 << 20..][..6].copy_from_slice(b"middle");
        source.write_all(&bytes).unwrap();
        let mut to = tempfile::tempfile().unwrap();
        copy(&source, &mut to, bytes.len() as u64, 4096, &Progress::new(true)).unwrap();
        assert!(copied(&mut to, bytes.len() as u64).0 == bytes);
        assert!(to.metadata().unwrap().blocks() * 512 < 4 << 20);
    }

    #[test]
    fn a_file_without_a_size() {
        let mut source = File::open("/proc/self/status").unwrap();
        assert!(copied(&mut source, 0).0.starts_with(b"Name:"));
    }
}

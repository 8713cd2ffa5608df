//! A layer that is made: files, and the folders above them, as an archive.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A file of an image that is made. It is root's.
#[derive(Clone)]
pub struct Packed {
    /// Its absolute path.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// What is in it.
    pub bytes: Cow<'static, [u8]>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes, {:o})", self.path, self.bytes.len(), self.mode)
    }
}

/// An archive with the files in it, in their order, and the folders above them, which everybody may look through.
/// The same input gives the same bytes.
///
/// `owner` is whom the files belong to by name, where nobody looks: it makes two archives of the same files two.
///
/// # Errors
/// If a name is too long for an archive.
pub fn archive(files: &[Packed], owner: &str) -> io::Result<Vec<u8>> {
    let room = files.iter().map(|file| file.bytes.len() + 1024).sum::<usize>() + 4096;
    let mut builder = tar::Builder::new(Vec::with_capacity(room));
    let header = |kind, mode, size: usize| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size as u64);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_username(owner).map(|()| header)
    };
    let relative = |path: &str| PathBuf::from(path.trim_start_matches('/'));
    let above = |path: &Path| path.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>();
    let mut all = BTreeSet::new();
    for file in files {
        all.extend(above(&relative(&file.path)));
    }
    for folder in all.iter().filter(|folder| !folder.as_os_str().is_empty()) {
        builder.append_data(&mut header(tar::EntryType::Directory, 0o755, 0)?, folder, io::empty())?;
    }
    for file in files {
        let mut header = header(tar::EntryType::Regular, file.mode, file.bytes.len())?;
        builder.append_data(&mut header, relative(&file.path), &*file.bytes)?;
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(path: &str, mode: u32) -> Packed {
        Packed { path: path.to_owned(), mode, bytes: b"ELF".into() }
    }

    #[test]
    fn the_files_and_the_folders_above_them() {
        let files = [packed("/shim", 0o111), packed("/lib/a/libc.so.6", 0o444)];
        let bytes = archive(&files, "somebody").unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let each = archive.entries().unwrap().map(|entry| {
            let header = entry.unwrap().header().clone();
            let path = String::from_utf8(header.path_bytes().into_owned()).unwrap();
            (
                path.trim_end_matches('/').to_owned(),
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.size().unwrap(),
            )
        });
        let wanted =
            [("lib", 0o755, 0, 0), ("lib/a", 0o755, 0, 0), ("shim", 0o111, 0, 3), ("lib/a/libc.so.6", 0o444, 0, 3)];
        assert_eq!(each.collect::<Vec<_>>(), wanted.map(|(path, mode, uid, size)| (path.to_owned(), mode, uid, size)));
    }

    #[test]
    fn the_same_files_are_the_same_bytes_but_for_their_owner() {
        let of = |owner: &str| archive(&[packed("/shim", 0o111)], owner).unwrap();
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("other"));
    }
}

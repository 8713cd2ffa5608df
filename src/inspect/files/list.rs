//! Listings of directories.

use super::{FileEntry, Kind, Meta, join};
use crate::inspect::Error;
use crate::inspect::fetch;
use crate::inspect::process::MountPoint;
use crate::shim::{self, DirEntry, Shim};
use crate::text::Untrusted;

/// How many names of one directory are taken in. A listing of that many says that it is cut.
pub const MAX_ENTRIES: usize = 1_000_000;

/// A directory, in the order the file system gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// What is in it.
    pub entries: Vec<FileEntry>,
    /// Whether there is more than [`MAX_ENTRIES`].
    pub cut: bool,
}

/// What a listing is to know of each name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// Sizes, owners, times.
    pub meta: bool,
    /// Where symlinks point: one request each, pipelined.
    pub links: bool,
}

impl Want {
    /// Names and kinds alone.
    pub const NAMES: Self = Self { meta: false, links: false };
    /// Everything.
    pub const ALL: Self = Self { meta: true, links: true };
}

/// Lists a directory. A symlink to one is followed, inside.
///
/// # Errors
/// If it is no directory, is not there, or may not be read.
pub async fn list(shim: &Shim, path: &[u8], want: Want) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    let slot = fetch::slot().await;
    let mut stream = shim.list(path, want.meta);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| Error::of_directory(path, error))?;
        let room = MAX_ENTRIES - listing.entries.len();
        listing.cut = batch.len() > room;
        listing.entries.extend(batch.into_iter().take(room).map(FileEntry::from));
        if listing.cut {
            break;
        }
    }
    drop(stream);
    drop(slot);
    if want.links {
        resolve_links(shim, path, &mut listing.entries).await;
    }
    Ok(listing)
}

/// Fills in where the symlinks among `entries` point. One that cannot be read stays unknown.
pub async fn resolve_links(shim: &Shim, directory: &[u8], entries: &mut [FileEntry]) {
    let links: Vec<&mut FileEntry> = entries.iter_mut().filter(|entry| entry.kind == Kind::Symlink).collect();
    fetch::each(links, |entry| async move {
        let path = join(directory, entry.name.bytes());
        entry.link = shim.readlink(&path).await.ok().map(Untrusted::new);
    })
    .await;
}

/// One file, looked at without following a symlink at its end. Its name is the path.
///
/// # Errors
/// If it is not there or may not be looked at.
pub async fn look(shim: &Shim, path: &[u8]) -> Result<FileEntry, Error> {
    let stat = shim.stat(path, false).await.map_err(|error| Error::of(path, error))?;
    let kind = Kind::of_mode(stat.mode);
    let link = match kind {
        Kind::Symlink => shim.readlink(path).await.ok().map(Untrusted::new),
        _ => None,
    };
    Ok(FileEntry { name: path.into(), kind, meta: Some(Meta::from(&stat)), link })
}

/// What a path leads to, symlinks followed.
///
/// # Errors
/// If it leads nowhere or may not be looked at.
pub async fn kind_of(shim: &Shim, path: &[u8]) -> Result<Kind, Error> {
    match shim.stat(path, true).await {
        Ok(stat) => Ok(Kind::of_mode(stat.mode)),
        Err(shim::Error::WrongKind(kind)) => Ok(kind),
        Err(error) => Err(Error::of(path, error)),
    }
}

impl From<DirEntry> for FileEntry {
    fn from(entry: DirEntry) -> Self {
        let kind = match &entry.stat {
            Some(stat) => Kind::of_mode(stat.mode),
            None => Kind::of_dirent(entry.kind),
        };
        Self { name: Untrusted::new(entry.name), kind, meta: entry.stat.as_ref().map(Meta::from), link: None }
    }
}

/// What a listing is sorted by. Names settle what is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortBy {
    /// Bytes of the name.
    #[default]
    Name,
    /// Size, largest first.
    Size,
    /// Last change, newest first.
    Time,
}

/// Sorts a listing. What is not known of a file counts as least.
pub fn sort(entries: &mut [FileEntry], by: SortBy, reverse: bool) {
    match by {
        SortBy::Name => sort_by_name(entries),
        SortBy::Size => sort_largest_first(entries, |entry| entry.meta.map(|meta| meta.size)),
        SortBy::Time => sort_largest_first(entries, |entry| entry.meta.map(|meta| meta.modified)),
    }
    if reverse {
        entries.reverse();
    }
}

fn sort_largest_first<T: Ord>(entries: &mut [FileEntry], of: impl Fn(&FileEntry) -> T) {
    entries.sort_unstable_by(|a, b| of(b).cmp(&of(a)).then_with(|| a.name.cmp(&b.name)));
}

/// In a large directory names are alike at their beginnings, and comparing them whole takes longer than reading them
/// did. So they are sorted by the eight bytes behind what all have in common, and whole only where these are equal.
fn sort_by_name(entries: &mut [FileEntry]) {
    let Some((first, others)) = entries.split_first() else { return };
    let first = first.name.bytes();
    let common = others.iter().fold(first.len(), |common, entry| {
        first[..common].iter().zip(entry.name.bytes()).take_while(|(a, b)| a == b).count()
    });
    // A name that ends early sorts before the same name with a zero byte, which no name has.
    let key = |entry: &FileEntry| {
        let mut key = [0; 8];
        for (to, from) in key.iter_mut().zip(&entry.name.bytes()[common..]) {
            *to = *from;
        }
        u64::from_be_bytes(key)
    };
    entries.sort_by_cached_key(key);
    for alike in entries.chunk_by_mut(|a, b| key(a) == key(b)) {
        alike.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
}

/// The mount a path is on: the last one made over the longest point that contains it. The path is taken as it is
/// written; symlinks are not followed.
#[must_use]
pub fn mount_of<'m>(mounts: &'m [MountPoint], path: &[u8]) -> Option<&'m MountPoint> {
    let contains = |point: &[u8]| match path.strip_prefix(point) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || point.ends_with(b"/"),
        None => false,
    };
    // Of equals, `max_by_key` takes the last: the one mounted over the others.
    mounts.iter().filter(|mount| contains(mount.point.bytes())).max_by_key(|mount| mount.point.bytes().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::files::time;

    fn entry(name: &str, size: u64, mtime: i64) -> FileEntry {
        let meta = Meta { mode: 0o644, uid: 0, gid: 0, nlink: 1, size, modified: time(mtime, 0), device: None };
        FileEntry { name: name.into(), kind: Kind::File, meta: (size > 0).then_some(meta), link: None }
    }

    #[test]
    fn orders() {
        let files = || vec![entry("b", 2, 1), entry("a", 1, 3), entry("c", 2, 2), entry("A", 0, 0)];
        for (by, reverse, names) in [
            (SortBy::Name, false, "Aabc"),
            (SortBy::Name, true, "cbaA"),
            (SortBy::Size, false, "bcaA"),
            (SortBy::Size, true, "Aacb"),
            (SortBy::Time, false, "acbA"),
        ] {
            let mut entries = files();
            sort(&mut entries, by, reverse);
            let sorted: String = entries.iter().map(|entry| entry.name.lossy().into_owned()).collect();
            assert_eq!(sorted, names, "{by:?} {reverse}");
        }
    }

    /// Any byte but the one no name can have.
    fn name() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
        proptest::collection::vec(1..=255_u8, 0..12)
    }

    proptest::proptest! {
        #[test]
        fn by_name_is_by_bytes(mut names in proptest::collection::vec(name(), 0..40), common in name(), tail in proptest::bool::ANY) {
            for name in &mut names {
                name.splice(0..0, common.iter().copied());
                // Alike for longer than the bytes that are compared first.
                if tail && let Some(last) = name.pop() {
                    name.extend([b'x'; 8]);
                    name.push(last);
                }
            }
            let mut entries: Vec<_> = names
                .iter()
                .map(|name| FileEntry { name: name.as_slice().into(), kind: Kind::File, meta: None, link: None })
                .collect();
            sort(&mut entries, SortBy::Name, false);
            names.sort();
            proptest::prop_assert!(entries.iter().map(|entry| entry.name.bytes()).eq(names.iter().map(Vec::as_slice)));
        }
    }

    #[test]
    fn mounts_of_paths() {
        let mount = |point: &str, source: &str| MountPoint {
            point: point.into(),
            kind: "ext4".into(),
            source: source.into(),
            options: "rw".into(),
        };
        let mounts = [mount("/", "root"), mount("/etc/hosts", "hosts"), mount("/data", "a"), mount("/data", "b")];
        for (path, source) in
            [("/", "root"), ("/etc/hosts", "hosts"), ("/etc/hostsx", "root"), ("/data/x", "b"), ("/database", "root")]
        {
            let found = mount_of(&mounts, path.as_bytes()).map(|mount| mount.source.lossy().into_owned());
            assert_eq!(found.as_deref(), Some(source), "{path}");
        }
        assert_eq!(mount_of(&[], b"/"), None);
    }
}

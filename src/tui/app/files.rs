//! Browsing directories.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::inspect::files::{FileEntry, Kind, Listing, join};
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;

/// Directories whose selection is remembered.
const REMEMBERED: usize = 1000;

/// What a directory is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Directories first, then by name.
    #[default]
    Name,
    /// Largest first.
    Size,
    /// Youngest first.
    Modified,
}

impl Sort {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Modified,
            Self::Modified => Self::Name,
        }
    }
}

/// Where one is in the tree of files.
#[derive(Debug, Clone)]
pub struct Files {
    /// The directory that is shown.
    pub path: Vec<u8>,
    /// The path that was asked for and has not come yet.
    pub wanted: Option<Vec<u8>>,
    /// Its entries.
    pub entries: Held<Listing>,
    /// Which are shown, in order.
    pub order: Vec<usize>,
    /// Where one is.
    pub cursor: Cursor,
    /// What names must match.
    pub filter: Option<Pattern>,
    /// Whether names with a dot at the start are shown.
    pub hidden: bool,
    /// What they are sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reverse: bool,
    remembered: HashMap<Vec<u8>, Vec<u8>>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            path: b"/".to_vec(),
            wanted: None,
            entries: Held::default(),
            order: Vec::new(),
            cursor: Cursor::default(),
            filter: None,
            hidden: true,
            sort: Sort::Name,
            reverse: false,
            remembered: HashMap::new(),
        }
    }
}

impl Files {
    /// Takes the entries of a directory. What was selected there the last time is selected again.
    pub fn arrive(&mut self, path: Vec<u8>, listing: Listing) {
        let same = path == self.path && self.entries.shown.is_some();
        self.remember();
        if !same {
            self.filter = None;
            self.cursor = Cursor::default();
        }
        self.path = path;
        self.wanted = None;
        self.entries.shown = Some(listing);
        self.entries.error = None;
        self.arrange();
        if let Some(name) = self.remembered.get(&self.path) {
            let at = (0..self.order.len()).find(|row| self.row(*row).is_some_and(|entry| entry.name.bytes() == *name));
            self.cursor.at = at.unwrap_or(self.cursor.at);
        }
    }

    fn remember(&mut self) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered.clear();
        }
        if let Some(name) = self.selected().map(|entry| entry.name.bytes().to_vec()) {
            self.remembered.insert(self.path.clone(), name);
        }
    }

    /// Going up, the directory one came from is to be selected.
    pub fn remember_child(&mut self) {
        let name = self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        self.remembered.insert(self.parent(), name);
    }

    /// Filters and sorts: once, not for every frame.
    pub fn arrange(&mut self) {
        let Some(listing) = &self.entries.shown else { return };
        let mut rows: Vec<(usize, &FileEntry)> = listing
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| self.hidden || !entry.name.bytes().starts_with(b"."))
            .filter(|(_, entry)| self.filter.as_ref().is_none_or(|filter| filter.hits(entry.name.bytes())))
            .collect();
        rows.sort_by(|(_, a), (_, b)| {
            let order = match self.sort {
                Sort::Name => (b.kind == Kind::Directory).cmp(&(a.kind == Kind::Directory)),
                Sort::Size => size(b).cmp(&size(a)),
                Sort::Modified => modified(b).cmp(&modified(a)),
            };
            order.then_with(|| by_name(a, b))
        });
        if self.reverse {
            rows.reverse();
        }
        self.order = rows.into_iter().map(|(at, _)| at).collect();
    }

    /// The entry in a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&FileEntry> {
        self.entries.shown.as_ref()?.entries.get(*self.order.get(row)?)
    }

    /// The selected entry.
    #[must_use]
    pub fn selected(&self) -> Option<&FileEntry> {
        self.row(self.cursor.at)
    }

    /// The path of the selected entry.
    #[must_use]
    pub fn selected_path(&self) -> Option<Vec<u8>> {
        self.selected().map(|entry| join(&self.path, entry.name.bytes()))
    }

    /// The directory above.
    #[must_use]
    pub fn parent(&self) -> Vec<u8> {
        match self.path.iter().rposition(|byte| *byte == b'/') {
            Some(at) if at > 0 => self.path.get(..at).unwrap_or(b"/").to_vec(),
            _ => b"/".to_vec(),
        }
    }
}

fn by_name(a: &FileEntry, b: &FileEntry) -> Ordering {
    a.name.bytes().cmp(b.name.bytes())
}

fn size(entry: &FileEntry) -> u64 {
    entry.meta.map_or(0, |meta| meta.size)
}

fn modified(entry: &FileEntry) -> Option<std::time::SystemTime> {
    entry.meta.map(|meta| meta.modified)
}

/// A path as typed: made absolute, without doubled or trailing slashes and dots.
#[must_use]
pub fn clean(path: &[u8], from: &[u8]) -> Vec<u8> {
    let full = if path.starts_with(b"/") { path.to_vec() } else { join(from, path) };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in full.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut out = Vec::with_capacity(full.len());
    for part in parts {
        out.push(b'/');
        out.extend_from_slice(part);
    }
    if out.is_empty() { b"/".to_vec() } else { out }
}

/// The last part of a path as a name for a file on this host: nothing that drives a terminal, no slash.
#[must_use]
pub fn host_name(path: &[u8]) -> String {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let text: String = String::from_utf8_lossy(name)
        .chars()
        .map(|c| if crate::text::is_dangerous(c) || c == '\u{fffd}' { '_' } else { c })
        .collect();
    match text.as_str() {
        "" | "." | ".." => "file".to_owned(),
        _ => text,
    }
}

/// The letter of a kind, as `ls -l` shows it.
#[must_use]
pub fn letter(kind: Kind) -> char {
    match kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::Character => 'c',
        Kind::Block => 'b',
        Kind::Unknown => '?',
    }
}

/// The name as it is shown: safe, with a sign for its kind, and where a link points.
#[must_use]
pub fn label(entry: &FileEntry) -> String {
    let name = entry.name.safe();
    let sign = match entry.kind {
        Kind::Directory => "/",
        Kind::Fifo => "|",
        Kind::Socket => "=",
        _ => "",
    };
    match &entry.link {
        Some(link) => format!("{name} → {}", link.safe()),
        None => format!("{name}{sign}"),
    }
}

/// A path for the screen.
#[must_use]
pub fn shown(path: &[u8]) -> String {
    Untrusted::from(path).safe().into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    fn names(files: &Files) -> Vec<String> {
        (0..files.order.len()).filter_map(|row| files.row(row)).map(|entry| entry.name.lossy().into_owned()).collect()
    }

    #[test]
    fn directories_come_first_and_dots_can_be_hidden() {
        let mut files = Files::default();
        let entries = vec![fake::file("b", 5000), fake::directory("z"), fake::file(".a", 7)];
        files.arrive(b"/".to_vec(), Listing { entries, cut: false });
        assert_eq!(names(&files), ["z", ".a", "b"]);
        files.hidden = false;
        files.sort = Sort::Size;
        files.arrange();
        assert_eq!(names(&files), ["b", "z"]);
        files.filter = Pattern::new("^z");
        files.reverse = true;
        files.arrange();
        assert_eq!(names(&files), ["z"]);
    }

    #[test]
    fn coming_back_one_finds_what_one_left() {
        let mut files = Files::default();
        let entries = vec![fake::directory("a"), fake::directory("b"), fake::file("c", 1)];
        let root = Listing { entries, cut: false };
        files.arrive(b"/".to_vec(), root.clone());
        files.cursor.at = 1;
        files.arrive(b"/b".to_vec(), Listing { entries: vec![fake::file("x", 1)], cut: false });
        assert_eq!(files.cursor.at, 0);
        files.remember_child();
        files.arrive(b"/".to_vec(), root.clone());
        assert_eq!(files.cursor.at, 1);
        files.cursor.at = 2;
        files.arrive(b"/".to_vec(), root);
        assert_eq!(files.cursor.at, 2, "reading again changes nothing");
    }

    #[test]
    fn paths() {
        for (path, from, clean_path) in
            [("a", "/b", "/b/a"), ("/", "/b", "/"), ("..", "/", "/"), ("../c//d/.", "/a/b", "/a/c/d"), ("", "/a", "/a")]
        {
            assert_eq!(clean(path.as_bytes(), from.as_bytes()), clean_path.as_bytes(), "{path} from {from}");
        }
        for (path, name) in
            [(&b"/a/b.txt"[..], "b.txt"), (b"/\x1b[2J", "_[2J"), (b"/\xff", "_"), (b"/", "file"), (b"/..", "file")]
        {
            assert_eq!(host_name(path), name);
        }
    }
}

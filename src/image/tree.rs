//! The files of an image: its layers, one on top of the other (image-spec, "Image Layer Filesystem Changeset").

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use tar::EntryType;

use super::entries::{self, Entry};
use super::{Blob, Error};
use crate::inspect::files::Kind;

/// The most files, of all layers together. Less in the tests: they go beyond it.
const MOST: usize = if cfg!(test) { 2000 } else { 1 << 20 };
/// The most bytes of all their paths and of all links.
const MOST_TEXT: usize = if cfg!(test) { 1 << 20 } else { 128 << 20 };
/// The longest chain of links that is followed (`MAXSYMLINKS`, path_resolution(7)).
const MOST_LINKS: usize = 40;
/// What a name begins with that takes away what is below, and the one that takes away all of a directory.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// All files, by their paths: absolute, without a slash at the end; the root is empty.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    text: usize,
}

/// One file.
#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    link: Vec<u8>,
    data: Option<Blob>,
}

/// A file that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is, without a link in it.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Where it leads, if it is a link.
    pub link: Vec<u8>,
    /// What is in it, if it is a regular file. Not of one with holes: those are not read.
    pub data: Option<Blob>,
}

impl Tree {
    /// Puts a layer on top.
    ///
    /// # Errors
    /// If it is no archive, or there would be too many files.
    pub fn add(&mut self, layer: &Blob) -> Result<(), Error> {
        let mut added: BTreeMap<Vec<u8>, Node> = BTreeMap::new();
        let (mut gone, mut emptied) = (BTreeSet::new(), BTreeSet::new());
        let mut text = self.text;
        entries::each(layer, |entry| {
            let Some(path) = clean(&entry.name) else { return Ok(()) };
            text += path.len() + entry.link.len();
            if text > MOST_TEXT || self.nodes.len() + added.len() + gone.len() >= MOST {
                return Err(Error::TooLarge("1,048,576 files, or 128 MiB of their names"));
            }
            let (parent, name) = path
                .iter()
                .rposition(|&byte| byte == b'/')
                .map_or((&b""[..], &b""[..]), |slash| (&path[..slash], &path[slash + 1..]));
            if name == OPAQUE {
                emptied.insert(parent.to_vec());
            } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
                gone.insert([parent, b"/", hidden].concat());
            } else if let Some(node) = self.node(&entry, &added, layer) {
                if node.kind != Kind::Directory {
                    remove_below(&mut added, &path);
                }
                added.insert(path, node);
            }
            Ok(())
        })?;
        for path in &emptied {
            remove_below(&mut self.nodes, path);
        }
        for path in &gone {
            self.nodes.remove(path);
            remove_below(&mut self.nodes, path);
        }
        for (path, node) in added {
            if node.kind != Kind::Directory {
                remove_below(&mut self.nodes, &path);
            }
            self.nodes.insert(path, node);
        }
        self.text = text;
        Ok(())
    }

    /// What an entry of a layer is. A hard link is what it leads to, which came before it.
    fn node(&self, entry: &Entry, added: &BTreeMap<Vec<u8>, Node>, layer: &Blob) -> Option<Node> {
        let kind = match entry.kind {
            EntryType::Link => {
                let path = clean(&entry.link)?;
                return added.get(&path).or_else(|| self.nodes.get(&path)).cloned();
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink,
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char => Kind::Character,
            EntryType::Block => Kind::Block,
            _ => return None,
        };
        let plain = matches!(entry.kind, EntryType::Regular | EntryType::Continuous);
        Some(Node {
            kind,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            size: if kind == Kind::File { entry.size } else { 0 },
            link: if kind == Kind::Symlink { entry.link.clone() } else { Vec::new() },
            data: plain.then(|| layer.part(entry.offset, entry.size)),
        })
    }

    /// The file at a path; with `follow`, what a link at its end leads to. Links never lead out of the tree.
    ///
    /// `None` if there is none, or a loop.
    #[must_use]
    pub fn find(&self, path: &[u8], follow: bool) -> Option<Found> {
        let (path, node) = self.walk(path, follow)?;
        let node = node.unwrap_or_else(Node::implied);
        let Node { kind, mode, uid, gid, size, link, data } = node;
        Some(Found { path, kind, mode, uid, gid, size, link, data })
    }

    fn walk(&self, path: &[u8], follow: bool) -> Option<(Vec<u8>, Option<Node>)> {
        // What is still to be gone through, the next name last.
        let names = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|&byte| byte == b'/').rev().filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
        };
        let (mut left, mut here, mut links) = (names(path), Vec::new(), 0);
        while let Some(name) = left.pop() {
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    here.truncate(here.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let parent = here.len();
            here.push(b'/');
            here.extend_from_slice(&name);
            if here.len() > entries::LONGEST_NAME {
                return None;
            }
            match self.nodes.get(&here) {
                Some(node) if node.kind == Kind::Symlink && (follow || !left.is_empty()) => {
                    links += 1;
                    if links > MOST_LINKS || left.len() > entries::LONGEST_NAME {
                        return None;
                    }
                    here.truncate(if node.link.starts_with(b"/") { 0 } else { parent });
                    left.extend(names(&node.link));
                }
                Some(node) if node.kind != Kind::Directory && !left.is_empty() => return None,
                Some(_) => {}
                None if self.has_below(&here) => {}
                None => return None,
            }
        }
        let node = self.nodes.get(&here).cloned();
        Some((here, node))
    }

    /// The names in a directory, sorted, at most so many.
    #[must_use]
    pub fn names(&self, path: &[u8], most: usize) -> Option<Vec<Vec<u8>>> {
        let (path, node) = self.walk(path, true)?;
        if node.is_some_and(|node| node.kind != Kind::Directory) {
            return None;
        }
        // `/a`, `/a-b`, `/a/c`: those below one name need not stand together.
        let mut names = BTreeSet::new();
        let start = [&path, &b"/"[..]].concat();
        for (below, _) in self.nodes.range::<[u8], _>((Bound::Excluded(start.as_slice()), Bound::Unbounded)) {
            let Some(rest) = below.strip_prefix(start.as_slice()).filter(|_| names.len() < most) else { break };
            let name = rest.split(|&byte| byte == b'/').next().unwrap_or_default();
            if !names.contains(name) {
                names.insert(name.to_vec());
            }
        }
        Some(names.into_iter().collect())
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn has_below(&self, path: &[u8]) -> bool {
        let start = [path, b"/"].concat();
        let mut below = self.nodes.range::<[u8], _>((Bound::Excluded(start.as_slice()), Bound::Unbounded));
        below.next().is_some_and(|(below, _)| below.starts_with(&start))
    }
}

impl Node {
    /// A directory that no layer has an entry for, but for something in it: engines make it so.
    fn implied() -> Self {
        Self { kind: Kind::Directory, mode: 0o755, uid: 0, gid: 0, size: 0, link: Vec::new(), data: None }
    }
}

fn remove_below(nodes: &mut BTreeMap<Vec<u8>, Node>, path: &[u8]) {
    let start = [path, b"/"].concat();
    loop {
        let range = nodes.range::<[u8], _>((Bound::Excluded(start.as_slice()), Bound::Unbounded));
        let below: Vec<_> =
            range.map(|(below, _)| below).take_while(|below| below.starts_with(&start)).take(1024).cloned().collect();
        if below.is_empty() {
            return;
        }
        for path in below {
            nodes.remove(&path);
        }
    }
}

/// A path as it is kept. `None` of one that leads out.
fn clean(name: &[u8]) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(name.len() + 1);
    for part in name.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            part => {
                path.push(b'/');
                path.extend_from_slice(part);
            }
        }
    }
    Some(path)
}

//! Which program is run, and the libraries that it needs.

use std::collections::HashSet;

use super::source::Source;
use crate::check::facts::{Format, Program, Seen, Shell};
use crate::golang::linkage::{self, Linkage};
use crate::golang::outline;
use crate::image::Setup;
use crate::inspect::fetch;
use crate::inspect::files::{self, Kind};
use crate::text::Untrusted;

/// Where engines look for a program where the image says nothing (runc).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Programs that run a line of words.
const SHELLS: [&[u8]; 5] = [b"sh", b"bash", b"ash", b"dash", b"busybox"];
/// Programs that run another and wait for it.
pub(super) const INITS: [&[u8]; 4] = [b"tini", b"dumb-init", b"docker-init", b"catatonit"];
/// Where loaders look for libraries (ld.so(8), and those of Debian, Fedora and Alpine).
const FOLDERS: [&str; 9] = [
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
];
/// The most libraries that are looked for.
const MOST_LIBRARIES: usize = 128;
/// The largest list of libraries that a loader keeps, in bytes (ldconfig(8)).
const LARGEST_CACHE: u64 = 4 << 20;

/// The program that an image runs.
pub(super) async fn find(source: &Source<'_>, setup: &Setup) -> Program {
    let shell = shell_of(source, setup).await;
    let words = setup.words();
    let words = without_init(source, setup, &words).await;
    let name = match &shell {
        // Without the shell nothing of the line matters.
        Some(Shell { there: true, .. }) => words.get(2).and_then(first_word),
        Some(_) | None => words.first().cloned(),
    };
    let name = name.or_else(|| words.first().cloned()).unwrap_or_default();
    let (path, seen) = locate(source, setup, &name).await;
    read(source, name, path, seen, shell).await
}

/// The shell that is to start the program, if its words are those of the shell form.
pub(super) async fn shell_of(source: &Source<'_>, setup: &Setup) -> Option<Shell> {
    let words = setup.words();
    let words = without_init(source, setup, &words).await;
    let path = words.first()?;
    let is_shell = files::file_name(path.bytes()).is_some_and(|name| SHELLS.contains(&name));
    if !is_shell || words.get(1)?.bytes() != b"-c" {
        return None;
    }
    let (_, seen) = locate(source, setup, path).await;
    Some(Shell { path: path.clone(), there: !seen.is_missing() })
}

/// The words behind a program that does nothing but run them, if it is there.
async fn without_init<'w>(source: &Source<'_>, setup: &Setup, words: &'w [Untrusted]) -> &'w [Untrusted] {
    let Some((first, rest)) = words.split_first() else { return words };
    let is_init = files::file_name(first.bytes()).is_some_and(|name| INITS.contains(&name));
    if !is_init || locate(source, setup, first).await.1.is_missing() {
        return words;
    }
    let end = rest.iter().position(|word| word.bytes() == b"--").map(|at| at + 1);
    let start = end.or_else(|| rest.iter().position(|word| !word.bytes().starts_with(b"-"))).unwrap_or(rest.len());
    rest.get(start..).filter(|rest| !rest.is_empty()).unwrap_or(words)
}

/// The program that a shell's line begins with, if it is a plain word.
fn first_word(line: &Untrusted) -> Option<Untrusted> {
    let word = fetch::words(line.bytes()).find(|word| *word != b"exec")?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    word.iter().all(plain).then(|| word.into())
}

/// Where a name leads: as execvp(3) has it, from the working directory.
async fn locate(source: &Source<'_>, setup: &Setup, name: &Untrusted) -> (Untrusted, Seen) {
    let from = |folder: &[u8]| -> Untrusted {
        let folder = if folder.starts_with(b"/") { folder.to_vec() } else { files::join(b"/", folder) };
        Untrusted::new(files::join(&folder, name.bytes()))
    };
    if name.bytes().starts_with(b"/") {
        return (name.clone(), source.stat(name.bytes()).await);
    }
    if name.bytes().contains(&b'/') || name.bytes().is_empty() {
        let path = from(setup.directory.bytes());
        let seen = source.stat(path.bytes()).await;
        return (path, seen);
    }
    let folders = setup.environment.get("PATH").map_or_else(|| PATH.as_bytes().to_vec(), |path| path.bytes().to_vec());
    for folder in folders.split(|&byte| byte == b':').filter(|folder| folder.starts_with(b"/")).take(64) {
        let path = from(folder);
        let seen = source.stat(path.bytes()).await;
        if seen.file().is_some_and(|file| file.kind == Kind::File && file.mode & 0o111 != 0) {
            return (path, seen);
        }
    }
    (name.clone(), Seen::Missing)
}

/// What is at its path.
pub(super) async fn read(
    source: &Source<'_>,
    name: Untrusted,
    path: Untrusted,
    seen: Seen,
    shell: Option<Shell>,
) -> Program {
    let is_file = seen.file().is_some_and(|file| file.kind == Kind::File);
    let format = if is_file { super::format(source, path.bytes()).await } else { Format::Unread };
    Program { name, path, seen, format, shell }
}

/// Libraries that are not there, of those that a program needs and those that these need; and whether all could be looked for.
pub(super) async fn lost(source: &Source<'_>, program: &[u8], linkage: &Linkage) -> (Vec<Untrusted>, bool) {
    let cache = source.read(b"/etc/ld.so.cache", LARGEST_CACHE).await.unwrap_or_default();
    let loader = linkage.interpreter.as_ref().and_then(|path| files::file_name(path.bytes()));
    let (mut lost, mut searched, mut known) = (Vec::new(), true, HashSet::new());
    let mut left: Vec<(Untrusted, Vec<Vec<u8>>)> =
        linkage.needed.iter().map(|name| (name.clone(), folders(program, linkage))).collect();
    while let Some((name, own)) = left.pop() {
        // The loader is there already: whether it is, is another finding.
        if Some(name.bytes()) == loader || !known.insert(name.clone()) {
            continue;
        }
        if known.len() > MOST_LIBRARIES {
            searched = false;
            break;
        }
        match library(source, &name, &own, &cache).await {
            Ok(Some(path)) => {
                let file = source.file(&path);
                let Ok(outline) = outline::read(&file).await else { continue };
                let Ok(linkage) = linkage::read(&file, &outline).await else { continue };
                left.extend(linkage.needed.iter().map(|name| (name.clone(), folders(&path, &linkage))));
            }
            Ok(None) => lost.push(name),
            Err(()) => searched = false,
        }
    }
    (lost, searched)
}

/// Where a file says that its libraries are.
fn folders(file: &[u8], linkage: &Linkage) -> Vec<Vec<u8>> {
    let origin = file.iter().rposition(|&byte| byte == b'/').and_then(|slash| file.get(..slash)).unwrap_or_default();
    let all = linkage.paths.iter().flat_map(|paths| paths.bytes().split(|&byte| byte == b':').collect::<Vec<_>>());
    let folder = |path: &[u8]| -> Vec<u8> {
        for name in [&b"$ORIGIN"[..], b"${ORIGIN}"] {
            if let Some(rest) = path.strip_prefix(name) {
                return [origin, rest].concat();
            }
        }
        path.to_vec()
    };
    all.map(folder).filter(|path| path.starts_with(b"/")).take(32).collect()
}

/// Where a library is. An error if some place could not be looked at.
async fn library(source: &Source<'_>, name: &Untrusted, own: &[Vec<u8>], cache: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let name = name.bytes();
    let mut places: Vec<Vec<u8>> = Vec::new();
    if name.contains(&b'/') {
        places.push(name.to_vec());
    } else {
        places.extend(own.iter().map(|folder| files::join(folder, name)));
        places.extend(FOLDERS.iter().map(|folder| files::join(folder.as_bytes(), name)));
        let listed = cache.split(|&byte| byte == 0).filter(|path| path.starts_with(b"/"));
        places.extend(listed.filter(|path| files::file_name(path) == Some(name)).take(4).map(<[u8]>::to_vec));
    }
    let mut known = true;
    for place in places {
        match source.stat(&place).await {
            Seen::There(_) => return Ok(Some(place)),
            Seen::Missing => {}
            Seen::Denied | Seen::Unknown(_) => known = false,
        }
    }
    if known { Ok(None) } else { Err(()) }
}

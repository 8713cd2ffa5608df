//! `ls`: files as `ls -l` shows them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

use serde::Serialize;

use super::{Context, output, words};
use crate::cli::{Ls, Sort};
use crate::exit::Failure;
use crate::inspect::Error;
use crate::inspect::files::list::{SortBy, Want};
use crate::inspect::files::{self, FileEntry, Kind, Listing, MAX_ENTRIES, mode_string};
use crate::inspect::users::{self, Users};
use crate::shim::Shim;
use crate::text::Untrusted;

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, or the path not read.
pub async fn run(context: &Context, args: &Ls) -> Result<(), Failure> {
    let (_, entered) = context.enter(&args.place.target).await?;
    let shim = &entered.shim;
    let path = args.place.path.as_slice();
    let long = context.global.json || !args.names;
    let by = match args.sort {
        Sort::Name => SortBy::Name,
        Sort::Size => SortBy::Size,
        Sort::Time => SortBy::Time,
    };
    let want = Want { meta: long || by != SortBy::Name, links: long };
    let (listing, users) = futures_util::future::join(read(shim, path, args.directory, want), async {
        if long { users::read(shim).await } else { Users::default() }
    })
    .await;
    let mut listing = listing?;
    if args.no_dotfiles && !args.directory {
        listing.entries.retain(|entry| !entry.name.bytes().starts_with(b"."));
    }
    files::sort(&mut listing.entries, by, args.reverse);
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &Document::of(&Untrusted::from(path), &listing, &users))?;
    } else if args.names {
        out = names(&listing.entries).into_bytes();
    } else {
        out = table(&listing.entries, &users).into_bytes();
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    if listing.cut {
        eprintln!("note: only the first {MAX_ENTRIES} names are shown");
    }
    // A million names take a while to give back one by one, and the process ends here.
    std::mem::forget(listing);
    Ok(())
}

/// What is in a directory; the file itself if it is none or that is wanted.
async fn read(shim: &Shim, path: &[u8], itself: bool, want: Want) -> Result<Listing, Failure> {
    if !itself {
        match files::list::kind_of(shim, path).await {
            Ok(Kind::Directory) => return Ok(files::list(shim, path, want).await?),
            // A symlink that leads nowhere is itself there to be seen.
            Ok(_) | Err(Error::NoFile { .. } | Error::Loop { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Listing { entries: vec![files::look(shim, path).await?], cut: false })
}

fn names(entries: &[FileEntry]) -> String {
    let mut out = String::with_capacity(entries.len() * 16);
    for entry in entries {
        entry.name.push_safe(&mut out);
        out.push('\n');
    }
    out
}

/// The lines of `ls -l`: mode, links, owner, group, size or device, time, name. Written into one buffer: a directory
/// may have a million names.
fn table(entries: &[FileEntry], users: &Users) -> String {
    let mut owners = Names::new(|uid| users.user(uid));
    let mut groups = Names::new(|gid| users.group(gid));
    let mut widths = [1; 4];
    for meta in entries.iter().filter_map(|entry| entry.meta) {
        let size = match meta.device {
            Some((major, minor)) => digits(major.into()) + digits(minor.into()) + 2,
            None => digits(meta.size),
        };
        let these = [digits(meta.nlink.into()), owners.width(meta.uid), groups.width(meta.gid), size];
        for (width, this) in widths.iter_mut().zip(these) {
            *width = (*width).max(this);
        }
    }
    let [links, owner, group, size] = widths;
    let mut out = String::with_capacity(entries.len() * 80);
    for entry in entries {
        // Writing to a `String` cannot fail.
        let _ = match entry.meta {
            Some(meta) => {
                let bytes = match meta.device {
                    Some((major, minor)) => format!("{major}, {minor}"),
                    None => meta.size.to_string(),
                };
                write!(
                    out,
                    "{} {:>links$} {:<owner$} {:<group$} {bytes:>size$} {} ",
                    mode_string(entry.kind, meta.mode),
                    meta.nlink,
                    owners.name(meta.uid),
                    groups.name(meta.gid),
                    words::rfc3339(meta.modified).unwrap_or_else(|| "-                   ".to_owned()),
                )
            }
            None => write!(
                out,
                "{}????????? {:>links$} {:<owner$} {:<group$} {:>size$} {:<20} ",
                entry.kind.letter(),
                "?",
                "?",
                "?",
                "?",
                "?"
            ),
        };
        entry.name.push_safe(&mut out);
        if let Some(link) = &entry.link {
            out.push_str(" -> ");
            link.push_safe(&mut out);
        }
        out.push('\n');
    }
    out
}

/// Decimal digits of a number.
fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Names by id, each looked up and escaped once.
struct Names<F> {
    look_up: F,
    found: HashMap<u32, String>,
}

impl<F: Fn(u32) -> String> Names<F> {
    fn new(look_up: F) -> Self {
        Self { look_up, found: HashMap::new() }
    }

    fn name(&mut self, id: u32) -> &str {
        self.found.entry(id).or_insert_with(|| (self.look_up)(id))
    }

    fn width(&mut self, id: u32) -> usize {
        self.name(id).chars().count()
    }
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    path: &'a Untrusted,
    entries: Vec<Entry<'a>>,
    /// Whether there are more.
    cut: bool,
}

impl<'a> Document<'a> {
    fn of(path: &'a Untrusted, listing: &'a Listing, users: &'a Users) -> Self {
        let entries = listing.entries.iter().map(|entry| Entry::new(entry, users)).collect();
        Self { path, entries, cut: listing.cut }
    }
}

/// One file in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a Untrusted,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    kind: Kind,
    #[serde(flatten)]
    meta: Option<Meta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_bytes: Option<String>,
}

/// What is known of it in JSON. All of it is missing if nothing is.
#[derive(Serialize)]
struct Meta<'a> {
    /// Permission bits as a number.
    mode: u32,
    /// The same as `ls -l` writes them.
    permissions: String,
    links: u32,
    uid: u32,
    user: Option<&'a Untrusted>,
    gid: u32,
    group: Option<&'a Untrusted>,
    size: u64,
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
}

#[derive(Serialize)]
struct Device {
    major: u32,
    minor: u32,
}

impl<'a> Entry<'a> {
    fn new(entry: &'a FileEntry, users: &'a Users) -> Self {
        let meta = entry.meta.map(|meta| Meta {
            mode: meta.mode,
            permissions: mode_string(entry.kind, meta.mode),
            links: meta.nlink,
            uid: meta.uid,
            user: users.users.get(&meta.uid),
            gid: meta.gid,
            group: users.groups.get(&meta.gid),
            size: meta.size,
            modified: words::rfc3339(meta.modified),
            device: meta.device.map(|(major, minor)| Device { major, minor }),
        });
        Self {
            name: &entry.name,
            name_bytes: base64(&entry.name),
            kind: entry.kind,
            meta,
            link: entry.link.as_ref(),
            link_bytes: entry.link.as_ref().and_then(base64),
        }
    }
}

/// The bytes of a name that is not UTF-8.
fn base64(name: &Untrusted) -> Option<String> {
    use base64::Engine as _;
    (!name.is_utf8()).then(|| base64::engine::general_purpose::STANDARD.encode(name.bytes()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn entries() -> Vec<FileEntry> {
        let meta = |mode, uid, size| files::Meta {
            mode,
            uid,
            gid: 0,
            nlink: 1,
            size,
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            device: None,
        };
        let entry = |name: &[u8], kind, meta, link: Option<&str>| FileEntry {
            name: name.into(),
            kind,
            meta,
            link: link.map(Into::into),
        };
        let zero = files::Meta {
            device: Some((1, 5)),
            modified: SystemTime::UNIX_EPOCH - Duration::from_secs(1),
            ..meta(0o666, 0, 0)
        };
        vec![
            entry(b"app", Kind::File, Some(meta(0o4755, 0, 8_584_398)), None),
            entry(b"etc", Kind::Directory, Some(meta(0o755, 65532, 4096)), None),
            entry(b"evil\x1b[2J\xff", Kind::Symlink, Some(meta(0o777, 0, 5)), Some("/a\nb")),
            entry(b"gone", Kind::File, None, None),
            entry(b"zero", Kind::Character, Some(zero), None),
        ]
    }

    fn some_users() -> Users {
        Users { users: [(0, "root".into())].into(), groups: HashMap::new() }
    }

    #[test]
    fn as_ls_shows_them() {
        insta::assert_snapshot!(table(&entries(), &some_users()));
        assert_eq!(names(&entries()), "app\netc\nevil\\x1b[2J\\xff\ngone\nzero\n");
    }

    #[test]
    fn as_json() {
        let listing = Listing { entries: entries(), cut: false };
        let path = "/".into();
        let mut out = Vec::new();
        output::document(&mut out, &Document::of(&path, &listing, &some_users())).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}

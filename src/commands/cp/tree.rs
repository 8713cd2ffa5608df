//! Copying a directory with all that is in it, without recursion and without following a symlink on either side.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::local;
use super::out::{self, Trouble};
use super::progress::Progress;
use crate::commands::words::reason;
use crate::exit::{Exit, Explain as _, Failure};
use crate::inspect::Error;
use crate::inspect::fetch;
use crate::inspect::files::{Kind, MAX_ENTRIES, join};
use crate::shim::{self, DirEntry, Shim};
use crate::text::{self, Untrusted};
use crate::wire;

/// Directories below one another at most: each keeps a descriptor open.
const MAX_DEPTH: usize = 256;
/// Files copied at once.
const AT_ONCE: usize = 8;
/// How many names of what was left out the report holds. All of them are counted, and told on standard error.
const MAX_TOLD: usize = 1000;

/// File systems that hold no files but views of the kernel (statfs(2), `include/uapi/linux/magic.h`): `proc`, `sysfs`,
/// `cgroup`, `cgroup2`, `devpts`, `mqueue`, `debugfs`, `tracefs`, `securityfs`, `bpf`, `pstore`, `efivarfs`, `selinuxfs`,
/// `configfs`, `fusectl`, `binfmt_misc`.
const VIEWS: [u64; 16] = [
    0x9fa0,
    0x6265_6572,
    0x27_e0eb,
    0x6367_7270,
    0x1cd1,
    0x1980_0202,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0x6165_676c,
    0xde5e_81e4,
    0xf97c_ff8c,
    0x6265_6570,
    0x6573_5543,
    0x4249_4e4d,
];

/// What was copied.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symlinks.
    pub symlinks: u64,
    /// Bytes of regular files.
    pub bytes: u64,
    /// Left out on purpose: what is no file, or would lead out of the copy.
    pub skipped: u64,
    /// Not copied although it should have been.
    pub failed: u64,
    /// Names of what was left out and why.
    pub left_out: Vec<LeftOut>,
    /// Whether something may not be read.
    #[serde(skip)]
    pub not_permitted: bool,
}

/// One file that was not copied.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Its path inside.
    pub path: Untrusted,
    /// Why, in words.
    pub why: String,
}

impl Report {
    /// Fails if something should have been copied and was not.
    ///
    /// # Errors
    /// In that case.
    pub fn verdict(&self) -> Result<(), Failure> {
        if self.failed == 0 {
            return Ok(());
        }
        let exit = if self.not_permitted { Exit::NotPermitted } else { Exit::No };
        let failure = Failure::new(exit, format!("{} of the files could not be copied", self.failed));
        Err(if self.not_permitted { failure.try_this("try --as root") } else { failure })
    }

    fn leave_out(&mut self, path: &[u8], why: String) {
        if self.left_out.len() < MAX_TOLD {
            self.left_out.push(LeftOut { path: path.into(), why });
        }
    }

    fn skip(&mut self, path: &[u8], why: impl Into<String>, progress: &Progress) {
        let why = why.into();
        self.skipped += 1;
        progress.note(&format!("skipped {}: {}", text::escape(path), text::escape(why.as_bytes())));
        self.leave_out(path, why);
    }

    fn fail(&mut self, path: &[u8], why: impl Into<String>, progress: &Progress) {
        let why = why.into();
        self.failed += 1;
        progress.line(&format!("not copied {}: {}", text::escape(path), text::escape(why.as_bytes())));
        self.leave_out(path, why);
    }
}

/// What is still to do.
enum Step {
    /// Make a directory and fill it.
    Enter { parent: Arc<OwnedFd>, name: OsString, path: Vec<u8>, stat: wire::Stat, depth: usize },
    /// Give a directory its permissions: it may forbid writing, so this comes after all that is below it.
    Leave { dir: Arc<OwnedFd>, mode: u32 },
}

struct Copy<'a> {
    shim: &'a Shim,
    progress: &'a Arc<Progress>,
    report: Report,
    todo: Vec<Step>,
}

/// Copies what is in the directory `path` to `root`.
///
/// # Errors
/// If it cannot be listed, or going on makes no sense: the disk is full, the target gone.
pub async fn copy(
    shim: &Shim,
    path: &[u8],
    root: OwnedFd,
    made: bool,
    progress: &Arc<Progress>,
) -> Result<Report, Failure> {
    let of = |error| Error::of(path, error);
    let stat = shim.stat(path, true).await.map_err(of)?;
    if VIEWS.contains(&shim.statfs(path).await.map_err(of)?.kind) {
        let what = format!("{} is a view of the kernel and not copied as a whole", text::escape(path));
        return Err(Failure::new(Exit::No, what).try_this("copy single files of it"));
    }
    let mut copy = Copy { shim, progress, report: Report { directories: 1, ..Report::default() }, todo: Vec::new() };
    let root = Arc::new(root);
    if made {
        copy.todo.push(Step::Leave { dir: Arc::clone(&root), mode: stat.mode });
    }
    copy.fill(&root, path, stat, 0).await?.map_err(Failure::from)?;
    while let Some(step) = copy.todo.pop() {
        match step {
            Step::Leave { dir, mode } => local::set_mode(&dir, mode).map_err(|error| hopeless(path, &error))?,
            Step::Enter { parent, name, path, stat, depth } => copy.enter(&parent, &name, &path, stat, depth).await?,
        }
    }
    Ok(copy.report)
}

impl Copy<'_> {
    async fn enter(
        &mut self,
        parent: &Arc<OwnedFd>,
        name: &OsStr,
        path: &[u8],
        stat: wire::Stat,
        depth: usize,
    ) -> Result<(), Failure> {
        if depth > MAX_DEPTH {
            self.report.fail(path, format!("it is below more than {MAX_DEPTH} directories"), self.progress);
            return Ok(());
        }
        let (dir, made) = match local::directory(parent.as_fd(), name) {
            Ok(made) => made,
            Err(error) => return self.trouble(path, Trouble::Copying(error)),
        };
        let dir = Arc::new(dir);
        if made {
            self.todo.push(Step::Leave { dir: Arc::clone(&dir), mode: stat.mode });
        }
        self.report.directories += 1;
        match self.fill(&dir, path, stat, depth).await? {
            Ok(()) => Ok(()),
            Err(error) => self.trouble(path, Trouble::Inside(error)),
        }
    }

    /// Copies the files of a directory and notes its directories. The inner error is of this directory alone.
    async fn fill(
        &mut self,
        dir: &Arc<OwnedFd>,
        path: &[u8],
        stat: wire::Stat,
        depth: usize,
    ) -> Result<Result<(), Error>, Failure> {
        let entries = match entries(self.shim, path).await {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let inside = join(path, &entry.name);
            let Some(found) = entry.stat else {
                self.report.fail(&inside, "it cannot be looked at", self.progress);
                continue;
            };
            match Kind::of_mode(found.mode) {
                Kind::File => files.push((inside, OsStr::from_bytes(&entry.name).to_owned())),
                Kind::Directory if self.is_view(&inside, &stat, &found).await => {
                    self.report.skip(&inside, "a view of the kernel, no files", self.progress);
                }
                Kind::Directory => {
                    let (parent, name) = (Arc::clone(dir), OsStr::from_bytes(&entry.name).to_owned());
                    self.todo.push(Step::Enter { parent, name, path: inside, stat: found, depth: depth + 1 });
                }
                Kind::Symlink => self.symlink(dir, &entry.name, &inside, depth).await?,
                kind => self.report.skip(&inside, format!("a {kind}"), self.progress),
            }
        }
        let (shim, progress) = (self.shim, self.progress);
        let mut copied = stream::iter(files)
            .map(|(inside, name)| async move {
                let copied = out::file(shim, &inside, dir, &name, progress).await;
                (inside, copied)
            })
            .buffered(AT_ONCE);
        while let Some((inside, copied)) = copied.next().await {
            match copied {
                Ok(bytes) => {
                    self.report.files += 1;
                    self.report.bytes += bytes;
                }
                Err(trouble) => self.trouble(&inside, trouble)?,
            }
        }
        Ok(Ok(()))
    }

    /// Whether a directory is the root of a file system that holds no files. Asked only where one file system ends.
    async fn is_view(&self, path: &[u8], parent: &wire::Stat, stat: &wire::Stat) -> bool {
        (parent.dev_major, parent.dev_minor) != (stat.dev_major, stat.dev_minor)
            && self.shim.statfs(path).await.is_ok_and(|found| VIEWS.contains(&found.kind))
    }

    async fn symlink(&mut self, dir: &OwnedFd, name: &[u8], inside: &[u8], depth: usize) -> Result<(), Failure> {
        let target = match self.shim.readlink(inside).await {
            Ok(target) => target,
            Err(error) => return self.trouble(inside, Trouble::Inside(Error::of(inside, error))),
        };
        if !local::stays_inside(&target, depth) {
            self.report.skip(inside, format!("a symlink out of the copy, to {}", text::escape(&target)), self.progress);
            return Ok(());
        }
        match local::symlink(dir.as_fd(), OsStr::from_bytes(name), OsStr::from_bytes(&target)) {
            Ok(()) => {
                self.report.symlinks += 1;
                Ok(())
            }
            Err(error) => self.trouble(inside, Trouble::Copying(error)),
        }
    }

    /// Notes what went wrong with one file, unless it will go wrong with all.
    fn trouble(&mut self, path: &[u8], trouble: Trouble) -> Result<(), Failure> {
        use io::ErrorKind as Io;
        match trouble {
            // It was there when the directory was listed.
            Trouble::Inside(Error::NoFile { .. }) => self.report.skip(path, "it has gone meanwhile", self.progress),
            Trouble::Inside(Error::Shim {
                source:
                    error @ (shim::Error::TargetGone
                    | shim::Error::Closed
                    | shim::Error::TimedOut(_)
                    | shim::Error::Protocol(_)),
                ..
            }) => return Err(Error::of(path, error).into()),
            Trouble::Inside(error) => {
                self.report.not_permitted |= error.exit() == Exit::NotPermitted;
                self.report.fail(path, Failure::from(error).message, self.progress);
            }
            Trouble::Copying(error)
                if matches!(error.kind(), Io::StorageFull | Io::QuotaExceeded | Io::ReadOnlyFilesystem) =>
            {
                return Err(hopeless(path, &error));
            }
            Trouble::Copying(error) => self.report.fail(path, reason(&error), self.progress),
        }
        Ok(())
    }
}

fn hopeless(path: &[u8], error: &io::Error) -> Failure {
    Failure::new(Exit::No, format!("cannot go on at {}: {}", text::escape(path), reason(error)))
}

/// What is in a directory, by name. Its own names are not trusted to be none of `/`.
async fn entries(shim: &Shim, path: &[u8]) -> Result<Vec<DirEntry>, Error> {
    let _slot = fetch::slot().await;
    let mut entries = Vec::new();
    let mut stream = shim.list(path, true);
    while let Some(batch) = stream.next().await {
        entries.extend(batch.map_err(|error| Error::of_directory(path, error))?);
        if entries.len() > MAX_ENTRIES {
            return Err(Error::TooMany { path: Untrusted::from(path).safe(), most: MAX_ENTRIES });
        }
    }
    entries.retain(|entry| {
        !entry.name.is_empty() && !entry.name.contains(&b'/') && entry.name != b".." && entry.name != b"."
    });
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

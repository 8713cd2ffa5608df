//! Finding the program's source files on this host.
//!
//! Their names come from the program, which may name any file. What is read is only shown to whoever could read it anyway;
//! still, only what looks like source is opened, and nothing that could hang or has no end.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::remembered::Remembered;
use super::rules;
use crate::delve::model::PathRule;
use crate::exit::{Exit, Failure};
use crate::text::{self, Untrusted};
use crate::tui::message::debug::{Reply, Rules, Text};

/// Endings of source files, Go's and those that are compiled into Go programs.
const ENDINGS: [&str; 12] = ["go", "s", "S", "c", "h", "cc", "cpp", "hpp", "m", "y", "rl", "tmpl"];
/// Bytes of a file at most.
const LARGEST: u64 = 8 << 20;
/// Columns of a tab.
const TAB: usize = 4;

/// Finds source files.
pub(super) struct Finder {
    made: Vec<PathRule>,
    guessed: Vec<PathRule>,
    remembered: Remembered,
}

impl Finder {
    pub(super) fn new(remembered: Remembered, guessed: Vec<PathRule>) -> Self {
        Self { made: rules::read(&remembered), guessed, remembered }
    }

    /// The rules by which it looks.
    pub(super) fn rules(&self) -> Rules {
        super::known(self.made.clone(), self.guessed.clone())
    }

    /// Looks by these rules from now on, and remembers them for the next time.
    pub(super) async fn remember(&mut self, rules: Vec<PathRule>) -> Result<(), Failure> {
        self.made.clone_from(&rules);
        let remembered = self.remembered.clone();
        let written = tokio::task::spawn_blocking(move || rules::write(&remembered, &rules)).await;
        written.unwrap_or_else(|_| Err(Failure::new(Exit::No, "the rules could not be written")))
    }

    /// A file that the program names.
    pub(super) async fn source(&self, file: &Untrusted) -> Result<Reply, Failure> {
        let candidates = self.candidates(file.bytes());
        let name = file.clone();
        let read = tokio::task::spawn_blocking(move || first(&candidates));
        match read.await {
            Ok(Some(text)) => Ok(Reply::Source(Arc::new(text))),
            _ => Err(Failure::new(Exit::No, format!("{} is not on this host", name.safe()))),
        }
    }

    /// Where it could be, likeliest first: by the rules that somebody made, those that were guessed, and as it stands.
    fn candidates(&self, file: &[u8]) -> Vec<PathBuf> {
        let by_rules = self.made.iter().chain(&self.guessed).filter_map(|rule| applied(rule, file));
        by_rules.chain([file.to_vec()]).map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(&path))).collect()
    }
}

/// What a rule makes of a file's name, if it is about it: a folder holds for all in it.
fn applied(rule: &PathRule, file: &[u8]) -> Option<Vec<u8>> {
    let rest = file.strip_prefix(rule.from.bytes())?;
    let whole = rest.is_empty() || rest.starts_with(b"/") || rule.from.bytes().ends_with(b"/");
    let mut path = rule.to.bytes().to_vec();
    if !rest.is_empty() && !rest.starts_with(b"/") && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(rest);
    whole.then_some(path)
}

fn first(candidates: &[PathBuf]) -> Option<Text> {
    candidates.iter().find_map(|path| read(path))
}

fn read(path: &Path) -> Option<Text> {
    let is_source = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
    // A rule says which folder; the program does not lead out of it again.
    let plain = path.is_absolute() && path.components().all(|part| part != Component::ParentDir);
    if !is_source || !plain {
        return None;
    }
    // A pipe of that name would otherwise wait for whoever writes to it.
    let file: File = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()?;
    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let lines = bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n').map(line).collect();
    Some(Text { path: text::escape(path.as_os_str().as_bytes()), lines })
}

/// A line with its tabs expanded, safe to show.
fn line(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let mut out = String::with_capacity(bytes.len());
    for (at, part) in bytes.split(|byte| *byte == b'\t').enumerate() {
        if at > 0 {
            let used = crate::tui::widgets::cells::width(&out);
            out.push_str(&" ".repeat(TAB - used % TAB));
        }
        out.push_str(&text::escape(part));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: &str, to: &str) -> PathRule {
        PathRule { from: from.into(), to: to.into() }
    }

    #[test]
    fn rules_are_about_folders() {
        for (from, to, file, found) in [
            ("/build", "/home/me/shop", "/build/main.go", Some("/home/me/shop/main.go")),
            ("/build", "/home/me/shop", "/builder/main.go", None),
            ("/build/", "/home/me/shop", "/build/main.go", Some("/home/me/shop/main.go")),
            ("example.com/shop", "/home/me/shop", "example.com/shop/store.go", Some("/home/me/shop/store.go")),
            ("/a/main.go", "/b/other.go", "/a/main.go", Some("/b/other.go")),
            ("/build", "/home", "/else/main.go", None),
        ] {
            let found = found.map(|found: &str| found.as_bytes().to_vec());
            assert_eq!(applied(&rule(from, to), file.as_bytes()), found, "{from} {to} {file}");
        }
    }

    #[test]
    fn only_source_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.go"), "package a\n\n\tfunc f() {\x1b[2J\t}\r\n").unwrap();
        std::fs::write(at("secret"), "hidden").unwrap();
        std::fs::create_dir(at("folder.go")).unwrap();
        nix::unistd::mkfifo(&at("pipe.go"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("endless.go")).unwrap();
        let text = read(&at("a.go")).unwrap();
        assert_eq!(text.lines, ["package a", "", "    func f() {\\x1b[2J   }"]);
        for name in ["secret", "folder.go", "pipe.go", "endless.go", "nothing.go", "folder.go/../a.go"] {
            assert_eq!(read(&at(name)), None, "{name}");
        }
        assert_eq!(read(Path::new("a.go")), None);
    }
}

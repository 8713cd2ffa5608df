use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink as link};

use super::*;

/// A directory, and beside it a file that must not change.
struct Place {
    _keep: tempfile::TempDir,
    root: std::path::PathBuf,
    outside: std::path::PathBuf,
}

impl Place {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let (root, outside) = (keep.path().join("copy"), keep.path().join("outside"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(&outside, "precious").unwrap();
        Self { _keep: keep, root, outside }
    }

    fn fd(&self) -> OwnedFd {
        open_named(&self.root).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.root).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn write(parent: &OwnedFd, name: &str, named: bool, mode: u32) -> io::Result<()> {
    let name = OsStr::new(name);
    let mut staged = if named {
        replaceable(parent.as_fd(), name)?;
        Staged::named(parent.as_fd())?
    } else {
        Staged::new(parent.as_fd(), name)?
    };
    staged.file().write_all(b"new")?;
    staged.keep(name, mode)
}

#[test]
fn a_file_gets_its_name_and_mode_at_the_end() {
    for named in [false, true] {
        let place = Place::new();
        write(&place.fd(), "a", named, 0o106_751).unwrap();
        write(&place.fd(), "a", named, 0o106_751).unwrap();
        assert_eq!(place.names(), ["a"]);
        assert_eq!(std::fs::read(place.root.join("a")).unwrap(), b"new");
        let mode = std::fs::metadata(place.root.join("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o751, "setuid and setgid are dropped");
    }
}

#[test]
fn a_file_given_up_leaves_nothing() {
    for named in [false, true] {
        let place = Place::new();
        let fd = place.fd();
        let staged = if named { Staged::named(fd.as_fd()) } else { Staged::new(fd.as_fd(), OsStr::new("a")) };
        drop(staged.unwrap());
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn a_symlink_is_replaced_and_not_followed() {
    for named in [false, true] {
        let place = Place::new();
        link(&place.outside, place.root.join("a")).unwrap();
        write(&place.fd(), "a", named, 0o644).unwrap();
        assert_eq!(std::fs::read(&place.outside).unwrap(), b"precious");
        assert!(std::fs::symlink_metadata(place.root.join("a")).unwrap().is_file());
    }
}

#[test]
fn only_files_are_replaced() {
    let place = Place::new();
    std::fs::create_dir(place.root.join("dir")).unwrap();
    nix::unistd::mkfifo(&place.root.join("fifo"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    for name in ["dir", "fifo"] {
        assert_eq!(write(&place.fd(), name, false, 0o644).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(symlink(place.fd().as_fd(), OsStr::new(name), OsStr::new("x")).is_err());
    }
    assert_eq!(place.names(), ["dir", "fifo"]);
}

#[test]
fn directories_are_made_or_entered_but_not_through_symlinks() {
    let place = Place::new();
    let fd = place.fd();
    assert!(directory(fd.as_fd(), OsStr::new("d")).unwrap().1);
    assert!(!directory(fd.as_fd(), OsStr::new("d")).unwrap().1);
    link("/", place.root.join("root")).unwrap();
    std::fs::write(place.root.join("file"), "").unwrap();
    for name in ["root", "file"] {
        assert_eq!(directory(fd.as_fd(), OsStr::new(name)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}

#[test]
fn symlinks_are_made_and_replaced() {
    let place = Place::new();
    for target in ["one", "two"] {
        symlink(place.fd().as_fd(), OsStr::new("l"), OsStr::new(target)).unwrap();
        assert_eq!(std::fs::read_link(place.root.join("l")).unwrap(), Path::new(target));
    }
    assert_eq!(place.names(), ["l"]);
}

#[test]
fn which_symlinks_stay_inside() {
    for (target, depth, stays) in [
        ("a", 0, true),
        ("./a//b/", 0, true),
        ("..", 1, true),
        ("../a/b", 1, true),
        ("../../a", 2, true),
        ("..", 0, false),
        ("../a", 0, false),
        ("../../a", 1, false),
        // Behind `a`, which may be a symlink itself, `..` is not where it seems.
        ("a/..", 5, false),
        ("../a/../b", 5, false),
        ("/etc/passwd", 9, false),
        ("", 0, false),
        ("a\0b", 0, false),
    ] {
        assert_eq!(stays_inside(target.as_bytes(), depth), stays, "{target:?} {depth}");
    }
}

#[test]
fn names_of_the_user() {
    let place = Place::new();
    let inside = place.root.join("x");
    assert_eq!(parent(&inside).unwrap().1, "x");
    assert_eq!(parent(Path::new("x")).unwrap().1, "x");
    for path in ["/", "..", "a/.."] {
        assert!(parent(Path::new(path)).is_err(), "{path}");
    }
}

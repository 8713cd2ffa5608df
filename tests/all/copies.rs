//! `cp`: nothing of a hostile tree gets out of its place, and nothing gets in unless it is asked for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::hostile::{planted, trap};
use crate::support::command::scratchdbg;
use crate::support::container::{Container, Run};
use crate::{require_engine, require_root};

/// Everything below a folder, and the folder.
fn tree(top: &Path) -> BTreeMap<PathBuf, fs::Metadata> {
    let mut all = BTreeMap::new();
    let mut todo = vec![top.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        }
        all.insert(path, meta);
    }
    all
}

fn copy_out(container: &Container, name: &[u8], to: &Path, options: &[&str]) -> (i32, String) {
    let mut args: Vec<OsString> = vec!["cp".into(), trap(container, name), to.into()];
    args.extend(options.iter().map(OsString::from));
    let ended = scratchdbg(&args);
    assert_eq!(ended.text(), "");
    ended.is_safe_to_show();
    (ended.code(), ended.stderr)
}

#[test]
fn a_hostile_tree_stays_where_it_is_copied_to() {
    require_engine!();
    require_root!();
    let container = planted();
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join("copy");
    let (code, said) = copy_out(&container, b"", &top, &[]);
    // Not all of it may be read.
    assert_eq!(code, 3, "{said}");
    let skipped = [
        ("fifo", "a named pipe"),
        ("socket", "a socket"),
        ("device-zero", "a character device"),
        ("abs-shadow", "a symlink out of the copy, to /etc/shadow"),
        ("dotdot-shadow", "a symlink out of the copy"),
        ("magic-environ", "a symlink out of the copy"),
        ("to-zero", "a symlink out of the copy"),
    ];
    for (name, why) in skipped {
        let line = format!("skipped /data/plant/{name}: {why}");
        assert!(said.contains(&line), "no {line:?} in:\n{said}");
        assert!(fs::symlink_metadata(top.join(name)).is_err(), "{name}");
    }
    assert!(said.contains("not copied /data/plant/mode-000: no permission"), "{said}");

    let all = tree(folder.path());
    for (path, meta) in &all {
        assert!(meta.is_file() || meta.is_dir() || meta.is_symlink(), "{}", path.display());
        if !meta.is_symlink() {
            assert_eq!(meta.mode() & 0o6000, 0, "{} has kept setuid or setgid", path.display());
        }
        if let Ok(target) = fs::read_link(path) {
            assert!(target.is_relative() && !target.starts_with(".."), "{}", path.display());
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::metadata(top.join("mode-setuid")).unwrap().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(top.join("mode-0600")).unwrap().mode() & 0o777, 0o600);
    let evil = top.join(std::ffi::OsStr::from_bytes(b"not-utf8-\xff\xfe\x80"));
    assert!(fs::read(evil).unwrap().starts_with(b"hello from"));
    let sparse = fs::metadata(top.join("sparse-1TiB")).unwrap();
    assert_eq!(sparse.len(), 1 << 40);
    assert!(sparse.blocks() * 512 < 1 << 20, "{}", sparse.blocks());
    let bottom = all.keys().find(|path| path.ends_with("bottom")).expect("the end of the deep folders");
    assert_eq!(fs::read_to_string(bottom).unwrap(), "you have come far\n");

    // As root all of it can be read, and a second copy lies in the first, as with `cp -r`.
    let (code, said) = copy_out(&container, b"", &top, &["--as", "root"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(fs::read(top.join("plant/mode-000")).unwrap(), b"secret\n");
}

#[test]
fn no_link_that_lies_there_already_is_followed() {
    require_engine!();
    require_root!();
    let container = planted();
    let folder = tempfile::tempdir().unwrap();
    let (top, victim) = (folder.path().join("plant"), folder.path().join("victim"));
    let victim_folder = folder.path().join("victim-folder");
    fs::create_dir(&top).unwrap();
    fs::create_dir(&victim_folder).unwrap();
    fs::write(&victim, "mine").unwrap();
    symlink(&victim, top.join("mode-0777")).unwrap();
    symlink(&victim_folder, top.join("deep")).unwrap();
    symlink(&victim_folder, top.join("dangling")).unwrap();
    nix::unistd::mkfifo(&top.join("mode-0600"), nix::sys::stat::Mode::S_IRWXU).unwrap();

    let (code, said) = copy_out(&container, b"", folder.path(), &[]);
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("not copied /data/plant/deep: it is there already and is no directory"), "{said}");
    assert!(said.contains("not copied /data/plant/mode-0600: it is there already and is no regular file"), "{said}");
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&victim_folder).unwrap().count(), 0);
    assert_eq!(fs::read(top.join("mode-0777")).unwrap(), b"secret\n");
    assert!(!fs::symlink_metadata(top.join("mode-0777")).unwrap().is_symlink());
    assert_eq!(fs::read_link(top.join("dangling")).unwrap(), Path::new("missing"));
}

#[test]
fn one_file_goes_where_it_is_told() {
    require_engine!();
    require_root!();
    let container = planted();
    let folder = tempfile::tempdir().unwrap();
    let notes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/toolbox/notes.txt")).unwrap();
    let place = container.at("/etc/notes.txt");
    let to = |name: &str| folder.path().join(name).display().to_string();
    scratchdbg(&["cp", &place, &to("renamed")]).quietly();
    scratchdbg(&["cp", &place, &to("")]).quietly();
    for name in ["renamed", "notes.txt"] {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), notes);
    }
    assert_eq!(scratchdbg(&["cp", &place, "-"]).quietly().stdout, notes);
    let report = scratchdbg(&["cp", "--json", &place, &to("again")]).quietly().json();
    assert_eq!((&report["files"], &report["bytes"]), (&1.into(), &notes.len().into()));

    scratchdbg(&["cp", &place, &to("no/such/folder")]).fails_with(1, &["cannot copy to", "no/such/folder"]);
    scratchdbg(&["cp", &container.at("/nothing"), &to("x")]).fails_with(1, &["no file /nothing"]);
    scratchdbg(&["cp", &container.at("/etc"), "-"]).fails_with(2, &["single file"]);
    for name in ["fifo", "abs-shadow", "mode-000"] {
        assert_ne!(copy_out(&container, name.as_bytes(), &folder.path().join("x"), &[]).0, 0, "{name}");
    }
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["again", "notes.txt", "renamed"]);
}

#[test]
fn nothing_goes_in_unless_it_is_asked_for() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::write(&source, "from outside\n").unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o6755)).unwrap();
    let source = source.to_str().unwrap();
    let place = container.at("/etc/new");

    scratchdbg(&["cp", source, &place]).fails_with(2, &["--write"]);
    scratchdbg(&["cp", "--write", "--read-only", source, &place]).fails_with(2, &["--read-only forbids"]);
    scratchdbg(&["cp", "--write", folder.path().to_str().unwrap(), &place]).fails_with(1, &["is a directory"]);
    scratchdbg(&["cp", "--write", source, &container.at("/no/such/folder/new")]).fails_with(1, &["cannot write"]);
    scratchdbg(&["cp", "--write", "--as", "1000", source, &place]).fails_with(3, &["--as root"]);
    assert_eq!(container.diff(), "");

    scratchdbg(&["cp", "--write", source, &place]).quietly();
    assert_eq!(container.diff(), "C /etc\nA /etc/new");
    assert_eq!(scratchdbg(&["cat", &place]).quietly().text(), "from outside\n");
    let file = &scratchdbg(&["ls", "-d", "--json", &place]).quietly().json()["entries"][0];
    assert_eq!((&file["permissions"], &file["uid"]), (&"-rwxr-xr-x".into(), &0.into()));

    // Again, shorter, and into a folder.
    fs::write(source, "short\n").unwrap();
    scratchdbg(&["cp", "--write", source, &place]).quietly();
    scratchdbg(&["cp", "--write", source, &container.at("/etc")]).quietly();
    assert_eq!(scratchdbg(&["cat", &place]).quietly().text(), "short\n");
    let mut diff: Vec<_> = container.diff().lines().map(str::to_owned).collect();
    diff.sort();
    assert_eq!(diff, ["A /etc/new", "A /etc/source", "C /etc"]);

    let read_only = Run::toolbox(&["sleep"]).flag("--read-only").start();
    scratchdbg(&["cp", "--write", source, &read_only.at("/new")]).fails_with(3, &["--read-only"]);
}

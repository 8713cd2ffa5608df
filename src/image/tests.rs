use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::layout::of_archive;
use super::*;
use crate::exit::Explain as _;
use crate::inspect::files::Kind;

fn header(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o755);
    header.set_uid(65532);
    header.set_gid(0);
    header
}

/// An archive of files: name, kind, what is in it or where it leads.
fn archive(files: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, inside) in files {
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let mut header = header(*kind, if is_link { 0 } else { inside.len() });
        if is_link {
            builder.append_link(&mut header, name, std::str::from_utf8(inside).unwrap()).unwrap();
        } else if name.contains("..") && !name.contains(".wh.") {
            // The crate writes no such name.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *inside).unwrap();
        } else {
            builder.append_data(&mut header, name, *inside).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn file<'a>(name: &'a str, inside: &'a str) -> (&'a str, EntryType, &'a [u8]) {
    (name, EntryType::Regular, inside.as_bytes())
}

fn blob(bytes: &[u8]) -> Blob {
    let mut spool = Spool::new().unwrap();
    spool.write(bytes).unwrap();
    spool.finish().unwrap()
}

fn tree(layers: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    for layer in layers {
        tree.add(&blob(layer)).unwrap();
    }
    tree
}

fn text(tree: &Tree, path: &str) -> Option<String> {
    let data = tree.find(path.as_bytes(), true)?.data?;
    Some(String::from_utf8(data.bytes(0, 1000).unwrap()).unwrap())
}

#[test]
fn layers_lie_on_top_of_each_other() {
    use EntryType::{Directory, Link, Regular, Symlink};
    let long = format!("deep/{}/name", "d".repeat(200));
    let lower = archive(&[
        ("./", Directory, b""),
        file("etc/passwd", "root"),
        file("etc/group", "old"),
        file("opt/a/x", "1"),
        file("opt/a/y", "2"),
        file("gone", "3"),
        file("was/file", "4"),
        file(&long, "long"),
        ("run", Symlink, b"/var/run"),
        ("abs", Symlink, b"../../../etc"),
        ("hard", Link, b"etc/passwd"),
        ("loop", Symlink, b"loop"),
    ]);
    let upper = archive(&[
        ("etc/group", Regular, b"new"),
        file("opt/.wh..wh..opq", ""),
        file("opt/z", "5"),
        file(".wh.gone", ""),
        file("was", "a file now"),
        file("../../outside", "6"),
        file("var/run/here", "7"),
    ]);
    let tree = tree(&[lower, upper]);
    for (path, inside) in [
        ("/etc/passwd", Some("root")),
        ("etc//passwd", Some("root")),
        ("/etc/group", Some("new")),
        ("/opt/a/x", None),
        ("/opt/z", Some("5")),
        ("/gone", None),
        ("/was", Some("a file now")),
        ("/was/file", None),
        ("/run/here", Some("7")),
        ("/abs/passwd", Some("root")),
        ("/../../etc/passwd", Some("root")),
        ("/hard", Some("root")),
        ("/loop", None),
        ("/loop/x", None),
        ("/etc/passwd/x", None),
        ("/outside", None),
        (&format!("/{long}"), Some("long")),
    ] {
        assert_eq!(text(&tree, path).as_deref(), inside, "{path}");
    }
    let link = tree.find(b"/run", false).unwrap();
    assert_eq!((link.kind, link.link.as_slice()), (Kind::Symlink, &b"/var/run"[..]));
    assert_eq!(tree.find(b"/abs/../opt", true).unwrap().path, b"/opt");
    let file = tree.find(b"/etc/passwd", true).unwrap();
    assert_eq!((file.mode, file.uid, file.gid, file.size), (0o755, 65532, 0, 4));
    // No layer has an entry for it, but there is something in it.
    assert_eq!(tree.find(b"/var", true).unwrap().kind, Kind::Directory);
    let names = |path: &[u8]| {
        tree.names(path, 100)
            .map(|names| names.into_iter().map(|name| String::from_utf8(name).unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(
        names(b"/"),
        Some(["abs", "deep", "etc", "hard", "loop", "opt", "run", "var", "was"].map(str::to_owned).to_vec())
    );
    assert_eq!(names(b"/opt"), Some(vec!["z".to_owned()]));
    assert_eq!(
        (names(b"/etc/passwd"), names(b"/none"), tree.names(b"/", 2).map(|names| names.len())),
        (None, None, Some(2))
    );
}

#[test]
fn a_layer_that_lies() {
    let good = archive(&[file("a", "inside"), file("b", "more")]);
    let of = |bytes: &[u8]| Tree::default().add(&blob(bytes));
    assert_eq!(of(&good), Ok(()));
    assert_eq!(of(b""), Ok(()));
    // The end left out, and cut short in a file, and in a header.
    assert_eq!(of(&good[..2048]), Ok(()));
    for length in [100, 512 + 3, 1024 + 100] {
        assert_eq!(of(&good[..length]), Err(Error::Malformed("archive")), "{length}");
    }
    let mut sum = good.clone();
    sum[0] = b'x';
    assert_eq!(of(&sum), Err(Error::Malformed("archive")));
    // Names and extensions of any length, sizes beyond the end.
    for (kind, size) in [
        (EntryType::GNULongName, 9000_u64),
        (EntryType::XHeader, 2 << 20),
        (EntryType::Regular, u64::MAX),
        (EntryType::Regular, u64::MAX - 600),
        (EntryType::Regular, 1 << 40),
    ] {
        let mut header = header(kind, 0);
        header.set_path("x").unwrap();
        header.set_size(size);
        header.set_cksum();
        // What it claims is there, and a good archive behind it.
        let there = usize::try_from(size.min(4 << 20)).unwrap().next_multiple_of(512);
        let bytes = [header.as_bytes().as_slice(), &vec![b'n'; there], &good].concat();
        assert_eq!(of(&bytes), Err(Error::Malformed("archive")), "{kind:?} {size}");
    }
}

#[test]
fn what_is_larger_than_it_should_be() {
    // A few bytes that are many megabytes once unpacked.
    let zeros = gzip(&vec![0; 40 << 20]);
    assert!(zeros.len() < 1 << 20);
    assert_eq!(blob(&zeros).unpacked().unwrap_err(), Error::TooLarge("16 GiB"));
    let too_many = "1,048,576 files, or 128 MiB of their names";
    let names: Vec<String> = (0..2100).map(|number| format!("f{number}")).collect();
    let files: Vec<_> = names.iter().map(|name| file(name, "")).collect();
    assert_eq!(Tree::default().add(&blob(&archive(&files))), Err(Error::TooLarge(too_many)));
    assert_eq!(Tree::default().add(&blob(&archive(&files[..1900]))), Ok(()));
    // The same of all layers together, and of what takes files away.
    let mut tree = tree(&[archive(&files[..1900])]);
    assert_eq!(tree.add(&blob(&archive(&files[1900..]))), Err(Error::TooLarge(too_many)));
    let gone: Vec<String> = (0..2100).map(|number| format!(".wh.f{number}")).collect();
    let gone: Vec<_> = gone.iter().map(|name| file(name, "")).collect();
    assert_eq!(Tree::default().add(&blob(&archive(&gone))), Err(Error::TooLarge(too_many)));
    let long = "d".repeat(99);
    let names: Vec<String> = (0..600).map(|number| format!("{}{number}", format!("{long}/").repeat(20))).collect();
    let files: Vec<_> = names.iter().map(|name| file(name, "")).collect();
    assert_eq!(Tree::default().add(&blob(&archive(&files))), Err(Error::TooLarge(too_many)));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

const CONFIG: &str = r#"{"os":"linux","architecture":"amd64","config":{"Entrypoint":["/app"],"User":"7"}}"#;

fn saved(layers: &[(&str, &[u8])], tags: &str) -> Vec<u8> {
    let names: Vec<_> = layers.iter().map(|(name, _)| *name).collect();
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":{tags},"Layers":{}}}]"#, serde_json::json!(names));
    let mut files = vec![file("c.json", CONFIG), file("manifest.json", &manifest)];
    files.extend(layers.iter().map(|(name, inside)| (*name, EntryType::Regular, *inside)));
    archive(&files)
}

#[test]
fn what_docker_saves() {
    let layer = archive(&[file("app", "program")]);
    for bytes in [
        saved(&[("l/layer.tar", &layer)], r#"["shop:1"]"#),
        gzip(&saved(&[("l/layer.tar", &layer)], r#"["shop:1"]"#)),
        saved(&[("l/layer.tar", &gzip(&layer))], r#"["shop:1"]"#),
    ] {
        let image = of_archive(&blob(&bytes), None).unwrap();
        assert_eq!(image.name.as_deref(), Some("shop:1"));
        assert_eq!(image.platform, ("linux".to_owned(), "amd64".to_owned()));
        assert_eq!((image.setup.words(), &image.setup.user), (vec!["/app".into()], &"7".into()));
        assert_eq!(text(&image.tree, "/app").as_deref(), Some("program"));
    }
    // A layer that is the same as another is a link to it.
    let twice = archive(&[
        file("c.json", CONFIG),
        file("manifest.json", r#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#),
        ("a/layer.tar", EntryType::Regular, &layer),
        ("b/layer.tar", EntryType::Symlink, b"../a/layer.tar"),
    ]);
    assert_eq!(text(&of_archive(&blob(&twice), None).unwrap().tree, "/app").as_deref(), Some("program"));
}

#[test]
fn what_is_no_image() {
    let layer = archive(&[file("app", "program")]);
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0, 0];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut cut = gzip(&saved(&[("l", &layer)], "null"));
    cut.truncate(cut.len() / 2);
    for (bytes, said) in [
        (b"not an archive, and longer than what is looked at in the beginning of one".repeat(20), "no archive"),
        (Vec::new(), "holds no image"),
        (layer.clone(), "holds no image"),
        (saved(&[("l", &zstd)], "null"), "Zstandard"),
        (saved(&[("l", b"junk that is no layer")], "null"), "archive makes no sense"),
        (cut, "packing makes no sense"),
        (archive(&[file("manifest.json", "[]")]), "lists no image"),
        (archive(&[file("manifest.json", "{")]), "description makes no sense"),
        (archive(&[file("manifest.json", &deep)]), "description makes no sense"),
        (archive(&[file("manifest.json", r#"[{"Config":"none","Layers":[]}]"#)]), "lacks none"),
        (archive(&[file("c", "{}"), file("manifest.json", r#"[{"Config":"c","Layers":["../x"]}]"#)]), "lacks ../x"),
        (
            archive(&[file(
                "manifest.json",
                r#"[{"Config":"a","RepoTags":["a:1"]},{"Config":"b","RepoTags":["b:1"]}]"#,
            )]),
            "more than one image in it: a:1, b:1",
        ),
        (archive(&[file("index.json", r#"{"manifests":[{"digest":"sha256:../../etc"}]}"#)]), "index makes no sense"),
    ] {
        let error = of_archive(&blob(&bytes), None).unwrap_err();
        assert!(error.to_string().contains(said), "{error}, not {said}");
    }
    let missing = open(Path::new("/nonexistent.tar"), None).unwrap_err();
    assert!(missing.to_string().starts_with("no image at /nonexistent.tar") && missing.hint().is_some());
    assert!(matches!(open(Path::new("/dev/zero"), None), Err(Error::NotThere { .. })), "it has no end");
}

#[test]
fn an_oci_layout_in_a_folder_and_in_an_archive() {
    let layer = gzip(&archive(&[file("app", "program")]));
    let other = CONFIG.replace("amd64", "s390x");
    let manifest =
        |config: &str| format!(r#"{{"config":{{"digest":"sha256:{config}"}},"layers":[{{"digest":"sha256:1a"}}]}}"#);
    let (own, foreign) = (manifest("c0"), manifest("c1"));
    let host = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let inner = format!(
        r#"{{"manifests":[{{"digest":"sha256:f0","platform":{{"os":"linux","architecture":"s390x"}}}},
        {{"digest":"sha256:a0","platform":{{"os":"linux","architecture":"{host}"}}}},
        {{"digest":"sha256:dd","platform":{{"os":"unknown","architecture":"unknown"}}}}]}}"#
    );
    let index = r#"{"manifests":[{"digest":"sha256:ee","annotations":{"org.opencontainers.image.ref.name":"shop:2"}},
        {"digest":"sha256:f0","annotations":{"org.opencontainers.image.ref.name":"other:1"}}]}"#;
    let files: [(&str, &[u8]); 7] = [
        ("index.json", index.as_bytes()),
        ("blobs/sha256/ee", inner.as_bytes()),
        ("blobs/sha256/a0", own.as_bytes()),
        ("blobs/sha256/f0", foreign.as_bytes()),
        ("blobs/sha256/c0", CONFIG.as_bytes()),
        ("blobs/sha256/c1", other.as_bytes()),
        ("blobs/sha256/1a", &layer),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, inside) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, inside).unwrap();
    }
    let packed = archive(&files.map(|(name, inside)| (name, EntryType::Regular, inside)));
    for of in [&|name| open(folder.path(), name) as Result<Image, Error>, &|name| of_archive(&blob(&packed), name)]
        as [&dyn Fn(Option<&str>) -> Result<Image, Error>; 2]
    {
        let image = of(Some("shop:2")).unwrap();
        assert_eq!((image.name.as_deref(), image.platform.1.as_str()), (Some("shop:2"), "amd64"));
        assert_eq!(text(&image.tree, "/app").as_deref(), Some("program"));
        assert_eq!(of(Some("other:1")).unwrap().platform.1, "s390x");
        assert!(matches!(of(None), Err(Error::Several(names)) if names == "shop:2, other:1"));
        assert!(matches!(of(Some("none")), Err(Error::NotInIt { .. })));
    }
    std::fs::remove_file(folder.path().join("blobs/sha256/1a")).unwrap();
    assert!(matches!(open(folder.path(), Some("shop:2")), Err(Error::Incomplete(part)) if part == "blobs/sha256/1a"));
    // A part that would block whoever opens it, or that is somewhere else.
    nix::unistd::mkfifo(&folder.path().join("blobs/sha256/1a"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(matches!(open(folder.path(), Some("shop:2")), Err(Error::Incomplete(_))));
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>, at in 0..6000_usize, with: [u8; 4]) {
        fuzz(&bytes);
        let layer = archive(&[file("app", "program"), ("l", EntryType::Symlink, b"../app")]);
        let mut good = saved(&[("l", &layer)], "null");
        for (byte, with) in good.iter_mut().skip(at).zip(with) {
            *byte = with;
        }
        fuzz(&good);
    }
}

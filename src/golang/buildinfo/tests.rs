use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

impl Ranges for Vec<u8> {
    async fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        Ok(self[start..self.len().min(start.saturating_add(length))].to_vec())
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn shown(text: &Untrusted) -> String {
    text.safe().into_string()
}

/// Builds a small Go program, or `None` where there is no Go of 1.18 or later.
fn build(folder: &Path, flags: &[&str]) -> Option<PathBuf> {
    let go = std::env::var_os("GO").unwrap_or_else(|| "go".into());
    std::fs::write(folder.join("go.mod"), "module example.com/tiny\n\ngo 1.18\n").unwrap();
    std::fs::write(folder.join("main.go"), "package main\n\nfunc main() { println(1) }\n").unwrap();
    let out = folder.join("tiny");
    let status = Command::new(go)
        .args(["build", "-trimpath", "-o"])
        .arg(&out)
        .args(flags)
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod -buildvcs=false")
        .env("GOTOOLCHAIN", "local")
        .status();
    matches!(status, Ok(status) if status.success()).then_some(out)
}

#[test]
fn a_real_program_whole_and_stripped() {
    for flags in [&[][..], &["-ldflags=-s -w"]] {
        let folder = tempfile::tempdir().unwrap();
        let Some(program) = build(folder.path(), flags) else {
            assert!(std::env::var_os("CI").is_none(), "a Go toolchain is needed here");
            eprintln!("skipped: no Go toolchain");
            return;
        };
        let file = std::fs::File::open(&program).unwrap();
        assert_eq!(run(crate::golang::debuginfo::is_stripped(&file)).unwrap(), !flags.is_empty());
        let info = run(read(&file)).unwrap();
        assert!(shown(&info.go_version).starts_with("go1."), "{info:?}");
        assert_eq!(info.path.as_ref().map(shown).as_deref(), Some("example.com/tiny"));
        assert_eq!(info.main.as_ref().map(|main| shown(&main.path)).as_deref(), Some("example.com/tiny"));
        assert_eq!(info.setting("CGO_ENABLED").map(shown).as_deref(), Some("0"));
        assert_eq!(info.setting("-trimpath").map(shown).as_deref(), Some("true"));
        let about = run(crate::golang::about::read(&file)).unwrap();
        assert_eq!(
            (about.stripped, about.dwarf.is_some(), about.dynamic),
            (!flags.is_empty(), flags.is_empty(), false)
        );
        assert!(about.dwarf.is_none_or(|version| version == 4 || version == 5), "{about:?}");

        // Without any section: found in the segments.
        let mut bytes = std::fs::read(&program).unwrap();
        bytes[0x28..0x30].fill(0);
        bytes[0x3c..0x40].fill(0);
        assert_eq!(run(read(&bytes)).unwrap(), info);
        for whole in [true, false] {
            let bytes = if whole { std::fs::read(&program).unwrap() } else { bytes.clone() };
            let outline = run(crate::golang::outline::read(&bytes)).unwrap();
            let functions = run(crate::golang::functions::read(&bytes, &outline)).unwrap().unwrap();
            let has = |name: &[u8]| functions.names().any(|one| one == name);
            assert!(has(b"main.main") && has(b"runtime.main") && functions.names().count() > 500, "sections: {whole}");
            assert!(!has(b"time.LoadLocation"), "what nothing calls is left out");
        }
        // Cut short anywhere: an error, or the same answer.
        for length in [0, 3, 20, 63, 64, 100, 1000, 5000, 70_000, bytes.len() / 2] {
            if let Ok(cut) = run(read(&bytes[..length].to_vec())) {
                assert_eq!(cut, info);
            }
        }
    }
}

#[test]
fn what_is_no_go_program() {
    assert!(matches!(run(read(&b"#!/bin/sh\n".to_vec())), Err(Error::NotElf)));
    assert!(matches!(run(read(&Vec::new())), Err(Error::NotElf)));
    let this = std::fs::File::open("/proc/self/exe").unwrap();
    assert!(matches!(run(read(&this)), Err(Error::NotGo)));
}

/// An ELF file of one data segment at 64 + 56 that holds `data`.
fn elf(data: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 128];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[0x14] = 1;
    file[0x20] = 64;
    file[0x36..0x3a].copy_from_slice(&[56, 0, 1, 0]);
    file[64] = 1;
    file[68] = 6;
    file[72] = 128;
    file[96..104].copy_from_slice(&(data.len() as u64).to_le_bytes());
    file.extend(data);
    file
}

fn info(flags: u8, rest: &[u8]) -> Vec<u8> {
    let mut data = vec![0; 48];
    data[16..16 + MAGIC.len()].copy_from_slice(MAGIC);
    data[30] = 8;
    data[31] = flags;
    data.extend(rest);
    elf(&data)
}

#[test]
fn lies_are_found_out() {
    let good = info(2, b"\x03go1\x00");
    assert_eq!(shown(&run(read(&good)).unwrap().go_version), "go1");
    for (file, expected) in [
        (info(0, b""), "older than 1.18"),
        (info(2, b""), "makes no sense"),
        (info(2, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "makes no sense"),
        (info(2, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), "makes no sense"),
        (info(2, b"\x7fgo1"), "makes no sense"),
        (info(2, b"\x03go1\xff\xff\x7f"), "makes no sense"),
        (elf(&[0; 100]), "no Go program"),
        (elf(&[MAGIC, b"as a constant among others"].concat()), "no Go program"),
        (elf(MAGIC), "no Go program"),
    ] {
        let error = run(read(&file)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    // Tables that claim to be anywhere and of any size.
    for at in [0x20, 0x28] {
        let mut file = good.clone();
        file[at..at + 8].fill(0xff);
        file[0x36..0x40].copy_from_slice(&[56, 0, 0xff, 0xff, 64, 0, 0xff, 0xff, 0xff, 0xff]);
        let _ = run(read(&file));
    }
}

#[test]
fn modules_and_settings() {
    let text = "0123456789abcdefpath\tx.com/app\nmod\tx.com/app\tv1.2.3\th1:abc=\ndep\ty.com/a\tv0.1.0\th1:d=\n=>\t../a\t(devel)\t\n\
        dep\tz.com/b\tv2.0.0\nbuild\t-ldflags=\"-X main.v=1 \\\"q\\\"\"\nbuild\tGOOS=linux\nbuild\nodd\tline\n0123456789abcdef";
    insta::assert_debug_snapshot!(parse(b"go1.27.3".to_vec(), text.as_bytes()));
    assert_eq!(parse(Vec::new(), b"too short\n").main, None);
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>, at in 0..200_usize, with: [u8; 8]) {
        let _ = run(read(&bytes));
        let _ = parse(Vec::new(), &bytes);
        let mut file = info(2, b"\x03go1\x00");
        for (byte, with) in file.iter_mut().skip(at).zip(with) {
            *byte = with;
        }
        let _ = run(read(&file));
    }
}

#[test]
fn what_is_quoted() {
    let of = |line: &str| {
        let text = format!("0123456789abcdefbuild\t{line}\n0123456789abcdef");
        let info = parse(Vec::new(), text.as_bytes());
        info.settings.first().map(|(key, value)| (shown(key), shown(value)))
    };
    for (line, key, value) in [
        ("-ldflags=\"-X main.v=1 \\x41\\t\"", "-ldflags", "-X main.v=1 A\\t"),
        ("\"odd key\"=`raw \"value\"`", "odd key", "raw \"value\""),
        ("-tags=", "-tags", ""),
        ("-tags=a,b=c", "-tags", "a,b=c"),
        ("-tags=\"open", "-tags", "\"open"),
    ] {
        assert_eq!(of(line), Some((key.to_owned(), value.to_owned())), "{line}");
    }
    for line in ["", "no value", "\"open=1", "\"key\"x=1"] {
        assert_eq!(of(line), None, "{line}");
    }
}

//! `go`: what Go itself says of the same program.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{run, scratchdbg};
use crate::support::container::Run;
use crate::support::go::Go;
use crate::support::layout::Layout;
use crate::support::skip;
use crate::{require_engine, require_root};

/// The first Go with `go version -m -json`.
const TELLS_JSON: u32 = 25;

/// The sources of `tests/fixtures/wants` in a repository of their own, with a change that is in no commit.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wants");
    copy(&from, folder.path());
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args).current_dir(folder.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").stdin(Stdio::null());
        run(command).ok();
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    fs::write(folder.path().join("more.go"), "package main\n").unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let into = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&into).unwrap();
            copy(&entry.path(), &into);
        } else {
            fs::copy(entry.path(), into).unwrap();
        }
    }
}

/// What Go says of a program.
fn told(go: &Go, program: &Path) -> Value {
    let mut command = go.command(Path::new("/"));
    command.args(["version", "-m", "-json"]).arg(program);
    run(command).ok().json()
}

/// What is said here of an image that has it.
fn said(program: &Path) -> Value {
    let image = Layout::of(program).make();
    scratchdbg(&["go", "--json", &image.target()]).quietly().json()
}

#[test]
fn it_says_what_go_says() {
    let Some(judge) = Go::newest().filter(|go| go.minor >= TELLS_JSON) else {
        skip::go_on(Some(format!("there is no Go 1.{TELLS_JSON} or later: scripts/setup matrix")));
        return;
    };
    let sources = repository();
    let out = tempfile::tempdir().unwrap();
    let mut releases = Vec::new();
    for go in Go::all() {
        let flags = "-X 'main.said=a \"quoted\" word' -s -w";
        let plain = ["-buildvcs=true", "-tags=tls,fallback,tzdata", "-ldflags", flags];
        let trimmed = ["-buildvcs=false", "-trimpath", "-gcflags=all=-N -l", "-tags=zones"];
        for (name, args) in [("plain", plain), ("trimmed", trimmed)] {
            let program = out.path().join(format!("{name}-{}", go.minor));
            go.build(sources.path(), &program, &args, &[]);
            let told = told(&judge, &program);
            assert_eq!(said(&program), told, "{name}, by Go 1.{}", go.minor);
            // What is compared is not empty.
            let setting = |key: &str| told["Settings"].as_array().unwrap().iter().any(|one| one["Key"] == key);
            assert!(setting("GOARCH") && setting("vcs.modified") == (name == "plain"), "{told:#}");
            assert_eq!(told["Deps"][0]["Replace"]["Path"], "./vendored");
        }
        releases.push(go.minor);
    }
    assert!(releases.len() > 1, "programs of several releases: {releases:?}");
    // Those that somebody else built, with modules that have sums.
    let path = std::env::var_os("PATH").unwrap_or_default();
    for other in ["dlv", "docker", "dockerd", "podman"] {
        let found = std::env::split_paths(&path).map(|folder| folder.join(other)).find(|path| path.is_file());
        if let Some(program) = found {
            assert_eq!(said(&program), told(&judge, &program), "{}", program.display());
        }
    }
}

#[test]
fn it_tells_what_the_sample_is() {
    require_engine!();
    require_root!();
    let shop = Run::shop().start();
    let json = scratchdbg(&["go", shop.name(), "--json"]).quietly().json();
    assert_eq!((&json["Path"], &json["Main"]["Path"]), (&"example.com/shop".into(), &"example.com/shop".into()));
    assert!(json["GoVersion"].as_str().is_some_and(|version| version.starts_with("go1.")), "{json}");
    let settings = json["Settings"].as_array().unwrap();
    assert!(settings.contains(&serde_json::json!({"Key": "-trimpath", "Value": "true"})), "{json}");
    let image = scratchdbg(&["go", "image://scratchdbg-test/shop", "--json"]).quietly().json();
    assert_eq!(image, json, "its image holds the same program");

    let text = scratchdbg(&["go", shop.name()]).quietly();
    text.is_safe_to_show();
    for line in
        ["module      example.com/shop (devel)", "debug info  DWARF ", "linked      statically", "trimpath    true"]
    {
        assert!(text.text().contains(line), "no {line:?} in:\n{}", text.text());
    }
    let stripped = Run::stripped().start();
    assert!(scratchdbg(&["go", stripped.name()]).quietly().text().contains("debug info  none: it is stripped"));
    let shell = Run::shell().start();
    scratchdbg(&["go", shell.name()]).fails_with(1, &["the program of", "it is no Go program"]);
}

//! A container that means harm: its names, its links, its processes.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::process;

use base64::Engine as _;
use serde_json::Value;

use crate::support::command::{Ended, scratchdbg};
use crate::support::container::{Container, Run};
use crate::{require_engine, require_root};

/// The names that `tests/fixtures/toolbox/plant.go` makes to hurt whoever shows them.
const NAMES: [&[u8]; 15] = [
    b"esc-\x1b[31mred\x1b[0m",
    b"clear-\x1b[2J\x1b[H",
    b"title-\x1b]0;owned\x07",
    b"osc52-\x1b]52;c;b3duZWQ=\x07",
    b"csi8-\xc2\x9b31m",
    "bidi-\u{202e}gnp.exe".as_bytes(),
    "zero-width-\u{200b}\u{200d}-end".as_bytes(),
    b"new\nline",
    b"tab\tand\rreturn",
    b"not-utf8-\xff\xfe\x80",
    b"-rf",
    b"--help",
    b" leading and trailing ",
    b"$(touch owned)`id`",
    b"quote'\"\\",
];

/// A container full of traps, on a file system that is quick and keeps holes.
pub fn planted() -> Container {
    Run::toolbox(&["plant", "/data/plant"]).flag("--mount=type=tmpfs,dst=/data").start()
}

/// `TARGET:/data/plant/NAME`, for a name of any bytes.
pub fn trap(container: &Container, name: &[u8]) -> OsString {
    let place = [container.name().as_bytes(), b":/data/plant/", name].concat();
    OsStr::from_bytes(&place).to_owned()
}

/// The bytes of a file's name.
#[track_caller]
fn name_of(entry: &Value) -> Vec<u8> {
    match &entry["name_bytes"] {
        Value::Null => entry["name"].as_str().unwrap().as_bytes().to_vec(),
        bytes => base64::engine::general_purpose::STANDARD.decode(bytes.as_str().unwrap()).unwrap(),
    }
}

fn on(verb: &str, container: &Container, name: &[u8]) -> Ended {
    scratchdbg(&[OsStr::new(verb), &trap(container, name)])
}

#[test]
fn no_name_reaches_the_terminal_as_it_is() {
    require_engine!();
    require_root!();
    let container = planted();
    let folder = container.at("/data/plant");
    for args in [vec!["ls", &folder], vec!["ls", "-1", &folder], vec!["ls", "--json", &folder]] {
        scratchdbg(&args).quietly().is_safe_to_show();
    }
    let lines = scratchdbg(&["ls", "-1", &folder]).quietly().text();
    for shown in ["esc-\\x1b[31mred\\x1b[0m", "csi8-\\u{9b}31m", "new\\nline", "not-utf8-\\xff\\xfe\\x80", "-rf"] {
        assert!(lines.lines().any(|line| line == shown), "no {shown} in:\n{lines}");
    }
    // Each name can be read out of JSON, typed, and means its file.
    let json = scratchdbg(&["ls", "--json", &folder]).quietly().json();
    let all: BTreeSet<_> = json["entries"].as_array().unwrap().iter().map(name_of).collect();
    for name in NAMES {
        assert!(all.contains(name), "{name:?} is not listed");
        let content = on("cat", &container, name).quietly().text();
        assert!(content.starts_with("hello from \""), "{name:?}: {content}");
        let itself = scratchdbg(&["ls".as_ref(), "-d".as_ref(), "--json".as_ref(), &*trap(&container, name)]).quietly();
        assert_eq!(itself.json()["entries"][0]["size"], content.len(), "{name:?}");
        on("ls", &container, &[name, b"/below"].concat()).ends_with(1).is_safe_to_show();
    }
    let named: Vec<_> = json["entries"].as_array().unwrap().iter().filter(|one| !one["name_bytes"].is_null()).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    let link = json["entries"].as_array().unwrap().iter().find(|one| one["name"] == "link-to-escape").unwrap();
    assert_eq!(link["link"], "\x1b[31mred");
}

#[test]
fn no_link_leads_out() {
    require_engine!();
    require_root!();
    let container = planted();
    // The host has an /etc/shadow, the container has none. Both have a name, and the container's is its own.
    assert!(std::fs::exists("/etc/shadow").unwrap());
    for name in ["abs-shadow", "dotdot-shadow", "dangling", "long-link", "link-to-escape"] {
        on("cat", &container, name.as_bytes()).fails_with(1, &["no file", name]);
    }
    let hostname = format!("{}\n", &container.id()[..12]);
    for name in ["abs-hostname", "dotdot-hostname", "here/here/here/abs-hostname"] {
        assert_eq!(on("cat", &container, name.as_bytes()).quietly().text(), hostname, "{name}");
    }
    for name in ["self", "loop-a", "loop-b", "magic-root-1/hostname"] {
        on("cat", &container, name.as_bytes()).fails_with(1, &[name, "not followed"]);
    }
    on("ls", &container, b"magic-root-1/hostname").fails_with(1, &["magic-root-1/hostname", "not followed"]);
    // Whose environment would that be? Not ours: /proc is the container's, and we are not in it.
    for name in ["magic-environ", "magic-root/etc/hostname"] {
        for who in ["target", "root"] {
            scratchdbg(&["cat".as_ref(), "--as".as_ref(), who.as_ref(), &*trap(&container, name.as_bytes())])
                .fails_with(1, &["no file"]);
        }
    }
    // A magic link is listed as what it is, and not walked through.
    for path in ["/proc/1/root", "/proc/1/cwd", "/proc/1/exe"] {
        let itself = scratchdbg(&["ls", "-d", "--json", &container.at(path)]).quietly().json();
        assert_eq!(itself["entries"][0]["kind"], "symlink");
    }
    for path in ["/proc/1/root/etc/hostname", "/proc/1/cwd/etc/hostname", "/proc/1/exe", "/proc/1/fd/1"] {
        scratchdbg(&["cat", &container.at(path)]).fails_with(1, &["not followed"]);
    }
}

#[test]
fn a_container_that_sees_the_host_is_no_way_to_it() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).flag("--pid=host").start();
    let us = process::id();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy").display().to_string();
    // That it is the host's /proc which is looked at.
    let environ = scratchdbg(&["cat", &container.at(&format!("/proc/{us}/cmdline"))]).quietly();
    assert_eq!(environ.stdout, std::fs::read("/proc/self/cmdline").unwrap());
    for who in ["target", "root"] {
        for path in ["root/etc/shadow", "root/", "cwd/Cargo.toml", "exe", "fd/0", "task/self/root/etc/shadow"] {
            let place = container.at(&format!("/proc/{us}/{path}"));
            for args in [vec!["cat", &place], vec!["ls", &place], vec!["cp", &place, &to]] {
                let ended = scratchdbg(&[args.clone(), vec!["--as", who]].concat());
                // A link that is not followed is listed as what it is: its text, and nothing behind it.
                if args[0] == "ls" && ended.code() == 0 {
                    assert!(ended.text().starts_with('l') && ended.text().lines().count() == 1, "{path} as {who}");
                    continue;
                }
                assert!(matches!(ended.code(), 1 | 3), "{path} as {who}: {}", ended.text());
                assert_eq!(ended.text(), "", "{path} as {who}");
            }
        }
        let into = container.at(&format!("/proc/{us}/root{}", folder.path().display()));
        let ended = scratchdbg(&["cp", "--write", "--as", who, "Cargo.toml", &into]);
        assert!(matches!(ended.code(), 1 | 3), "{}", ended.stderr);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // And its processes can all be listed.
    let json = scratchdbg(&["ps", container.name(), "--json"]).quietly().json();
    assert!(json["processes"].as_array().unwrap().iter().any(|one| one["pid"] == us && one["host_pid"] == us));
}

#[test]
fn no_process_reaches_the_terminal_as_it_is() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["tree"]).start();
    scratchdbg(&["ps", container.name()]).quietly().is_safe_to_show();
    let ended = scratchdbg(&["ps", container.name(), "--json"]).quietly();
    ended.is_safe_to_show();
    let json = ended.json();
    let all = json["processes"].as_array().unwrap();
    assert_eq!(all.len(), 4, "{json:#}");
    // The name holds a bracket and a state letter of its own.
    let evil = all.iter().find(|one| one["name"] == "x) R 1 (\x1b[31m\n").expect("the hostile one");
    assert_eq!((&evil["state"], &evil["ppid"]), (&"S".into(), &1.into()));
    let argument = evil["command"][0].as_str().unwrap();
    assert!(argument.starts_with("evil\x1b]0;owned\x07\x1b[2J\u{202e}txt.exe"), "{argument:?}");
    assert_eq!(all.iter().filter(|one| one["state"] == "Z" && one["ppid"] == 1).count(), 1);
    for one in all {
        let pid = one["pid"].to_string();
        for args in [vec!["proc", container.name(), &pid], vec!["proc", "--json", container.name(), &pid]] {
            scratchdbg(&args).quietly().is_safe_to_show();
        }
    }

    let container = Run::toolbox(&["net"]).start();
    scratchdbg(&["net", container.name()]).quietly().is_safe_to_show();
    let ended = scratchdbg(&["net", "--json", container.name()]).quietly();
    ended.is_safe_to_show();
    let json = ended.json();
    let sockets = json["sockets"]["ok"].as_array().unwrap();
    assert!(sockets.iter().any(|one| one["path"] == "@evil\x1b[31m\u{202e}"), "{json:#}");
    for local in ["0.0.0.0:7001", "127.0.0.1:7002", "0.0.0.0:7005"] {
        assert!(sockets.iter().any(|one| one["local"] == local), "no {local} in {json:#}");
    }
}

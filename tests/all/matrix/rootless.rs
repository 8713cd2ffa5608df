//! An engine without root, and the user whose it is. There is nobody to ask where the engine is root's.

use std::fs;
use std::path::Path;

use super::kind::Kind;
use super::look::{Door, through};
use crate::support::command::{run, scratchdbg};
use crate::support::container::Run;
use crate::support::engine::{docker, rootless};
use crate::support::process::status;
use crate::support::unprivileged::Unprivileged;
use crate::{require_engine, require_root};

/// The owner of the engine. Ends the test if it is root.
macro_rules! owner {
    () => {{
        require_engine!();
        require_root!();
        let Some(owner) = Unprivileged::owner_of_the_engine() else { return };
        owner
    }};
}

#[test]
fn its_user_needs_neither_root_nor_an_address() {
    let owner = owner!();
    let container = Run::toolbox(&["sleep"]).start();
    let socket = rootless().unwrap().socket;
    let place = socket.parent().and_then(Path::parent).unwrap();
    assert_eq!(socket, place.join("podman/podman.sock"), "where Podman listens unless told otherwise");
    let asked = |args: &[&str]| {
        let mut command = owner.command(args);
        command.env_remove("DOCKER_HOST").env("XDG_RUNTIME_DIR", place);
        run(command).quietly()
    };
    assert!(asked(&["list"]).text().contains(container.name()));
    assert!(asked(&["ls", &container.at("/")]).text().contains("toolbox"));
    let planned = asked(&["attach", &format!("podman://{}", container.name()), "--dry-run", "--json"]).json();
    assert_eq!((&planned["door"], &planned["host_pid"]), (&"sidecar".into(), &container.pid().into()), "{planned:#}");
}

#[test]
fn root_enters_its_user_namespace() {
    let _ = owner!();
    let container = Run::toolbox(&["sleep"]).flag("--user=65532:65532").start();
    let outside: u32 = status(container.pid(), "Uid")[0].parse().unwrap();
    assert_ne!(outside, 65532, "it is another number outside");
    let planned = scratchdbg(&["attach", container.name(), "--dry-run", "--json"]).quietly().json();
    assert_eq!((&planned["door"], &planned["uid"]), (&"local".into(), &65532.into()), "{planned:#}");
    assert!(planned["namespaces"].as_array().unwrap().contains(&"user".into()), "{planned:#}");
    // What root writes there is root's in there, and no more than the user's outside.
    let folder = tempfile::tempdir().unwrap();
    let (source, back) = (folder.path().join("new"), folder.path().join("back"));
    fs::write(&source, "news").unwrap();
    let place = container.at("/etc/new");
    scratchdbg(&["cp", "--write", "--as", "root", source.to_str().unwrap(), &place]).ok();
    let entry = scratchdbg(&["ls", &place, "--json"]).quietly().json();
    assert_eq!((&entry["entries"][0]["uid"], &entry["entries"][0]["gid"]), (&0.into(), &0.into()), "{entry:#}");
    docker(&["cp", &place, back.to_str().unwrap()]);
    assert_eq!(fs::read(back).unwrap(), b"news");
}

/// As `toolbox` and `distrobox` do it: the user is the same inside and outside, and root inside is another.
#[test]
fn its_user_is_kept_inside() {
    let owner = owner!();
    let make = || Kind::of(Run::toolbox(&["sleep"]).by_podman().flag("--userns=keep-id"));
    for door in [Door::Local, Door::Sidecar] {
        through(door, &make());
    }
    let kind = make();
    let ids = |json: &serde_json::Value| json["processes"][0]["uid"].clone();
    let args = ["ps", kind.container.name(), "--json"];
    let (from_here, beside) = (scratchdbg(&args).quietly().json(), owner.runs(&args).quietly().json());
    assert_eq!(ids(&from_here), rootless().unwrap().user);
    assert_eq!(ids(&beside), ids(&from_here));
}

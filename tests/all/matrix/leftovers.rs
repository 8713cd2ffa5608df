//! What is left on a Podman, which keeps the image of a sidecar until the sidecar has gone. On Docker see `killed.rs`.

use std::fs;

use nix::sys::signal::Signal;

use super::look::Door;
use crate::support::container::Run;
use crate::support::engine::{inspect, is_docker, try_docker, try_podman};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_engine, require_root};

/// What marks what is ours.
const OURS: &str = "io.scratchdbg.owner=scratchdbg";

/// Alone, see `.config/nextest.toml`: it takes away all that is of ours on the engine.
#[test]
fn clean_takes_all_of_it() {
    require_engine!();
    require_root!();
    if is_docker() {
        return;
    }
    let looker = Door::Sidecar.looker();
    let container = Run::toolbox(&["sleep"]).start();
    let before = Residue::of(&container);
    let terminal = looker.attaches(container.name());
    terminal.wait_for("scratch: no shell");
    terminal.signal(Signal::SIGKILL);
    drop(terminal);
    let never_started = Run::toolbox(&["sleep"]).flag(&format!("--label={OURS}")).create();
    // The sidecar goes by itself; its image, which nobody took away, does not.
    let mut difference = String::new();
    let clean = wait::ask_within(wait::PATIENCE, || {
        looker.asks(&["clean", "--yes"]).ok();
        difference = before.difference(&Residue::of(&container));
        difference.is_empty().then_some(())
    });
    assert!(clean.is_some(), "something is left:\n{difference}");
    assert!(try_docker(&["inspect", "--type", "container", never_started.id()]).is_err(), "it is still there");
}

#[test]
fn what_somebody_looks_through_is_not_swept_away() {
    require_engine!();
    require_root!();
    if is_docker() {
        return;
    }
    // As a sidecar that somebody looks through since long ago.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), format!("FROM scratchdbg-test/toolbox\nLABEL {OURS}\n")).unwrap();
    let image = "localhost/of-old";
    try_podman(&["build", "--quiet", "--timestamp=1000000000", "--tag", image, folder.path().to_str().unwrap()])
        .unwrap();
    let old = try_podman(&["run", "--detach", image, "sleep"]).unwrap();
    let unused = "localhost/of-old-and-unused";
    fs::write(folder.path().join("Dockerfile"), format!("FROM scratchdbg-test/shop\nLABEL {OURS}\n")).unwrap();
    try_podman(&["build", "--quiet", "--timestamp=1000000000", "--tag", unused, folder.path().to_str().unwrap()])
        .unwrap();

    let container = Run::toolbox(&["sleep"]).start();
    Door::Sidecar.looker().runs(&["ls", &container.at("/")]).quietly();
    assert_eq!(inspect(&old)["State"]["Running"], true);
    assert!(try_docker(&["image", "inspect", image]).is_ok(), "its image has gone");
    assert!(try_docker(&["image", "inspect", unused]).is_err(), "what nobody uses has stayed");
    try_docker(&["rm", "--force", &old]).unwrap();
    try_docker(&["rmi", image]).unwrap();
}

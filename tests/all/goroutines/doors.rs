//! By whichever door, of whichever container: the same goroutines. Nothing of it harms, and who may not look is told so.

use crate::support::client::asked_meanwhile;
use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::support::residue::Residue;
use crate::support::unprivileged::{NOBODY, Unprivileged};
use crate::support::{process, wait};
use crate::{require_engine, require_root};

/// The functions that goroutines of the program begin with, and how many of each there are.
fn beginnings(args: &[&str]) -> Vec<(String, u64)> {
    let document = scratchdbg(&[&["goroutines", "--json"], args].concat()).ok().json();
    let mut all: Vec<_> = (document["groups"].as_array().unwrap().iter())
        .filter_map(|group| {
            let first = group["stack"].as_array()?.last()?["function"].as_str()?.to_owned();
            Some((first, group["count"].as_u64()?))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_same_by_each_door_however_few_rights_there_are() {
    require_root!();
    require_engine!();
    for shop in [Run::shop(), Run::stripped(), Run::shop().hardened(), Run::shop().flag("--cap-add=NET_ADMIN")] {
        let shop = shop.start();
        let before = Residue::of(&shop);
        let mut local = Vec::new();
        // It serves, so one may just be about to run.
        wait::until("both to see the same", || {
            local = beginnings(&[shop.name(), "--via", "local"]);
            (local == beginnings(&[shop.name(), "--via", "sidecar", "--as", "root"])).then_some(())
        });
        assert!(local.iter().any(|(first, _)| first == "runtime.main"), "{local:?}");
        assert_eq!(beginnings(&[shop.name(), "--via", "local", "--as", "root"]), local);
        before.assert_unchanged(&shop);
    }
}

#[test]
fn a_sidecar_of_the_same_user_looks_without_any_right() {
    require_root!();
    require_engine!();
    let shop = Run::shop().hardened().start();
    // A kernel that is told to (yama, ptrace_scope) does not allow it: then it says so.
    let ended = scratchdbg(&["goroutines", shop.name(), "--via", "sidecar"]);
    match process::read("/proc/sys/kernel/yama/ptrace_scope").trim() {
        "" | "0" => assert!(ended.ok().text().contains("goroutines in ")),
        _ => drop(ended.fails_with(3, &["no permission to read the memory", "--as root"])),
    }
}

#[test]
fn it_serves_on_and_is_traced_by_nobody() {
    require_root!();
    require_engine!();
    let shop = Run::public_shop().start();
    let tally = asked_meanwhile(&shop, std::time::Duration::from_millis(1), || {
        for _ in 0..10 {
            scratchdbg(&["goroutines", shop.name()]).ok();
            assert_eq!(process::status(shop.pid(), "TracerPid"), ["0"]);
        }
    });
    assert_eq!(tally.failed, 0, "{tally:?}");
}

#[test]
fn a_paused_container_has_its_goroutines_still() {
    require_root!();
    require_engine!();
    let shop = Run::shop().start();
    shop.engine_does("pause");
    let text = scratchdbg(&["goroutines", shop.name()]);
    shop.engine_does("unpause");
    assert!(text.ok().text().contains("goroutines in "));
}

#[test]
fn what_go_did_not_make_has_none() {
    require_root!();
    require_engine!();
    let dynamic = Run::dynamic().start();
    scratchdbg(&["goroutines", dynamic.name()]).fails_with(1, &["is not known to be a Go program"]);
}

#[test]
fn who_may_not_look_is_told() {
    require_root!();
    let target = format!("pid://{}", std::process::id());
    Unprivileged::of_group(NOBODY).runs(&["goroutines", &target]).fails_with(3, &["not permitted"]);
}

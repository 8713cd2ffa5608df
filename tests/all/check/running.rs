//! Of containers that run, of images of the engine, and of what it saves.

use serde_json::{Value, json};

use super::{is, is_well, report};
use crate::support::command::scratchdbg;
use crate::support::container::Run;
use crate::support::engine::docker;
use crate::{require_engine, require_root};

#[test]
fn what_a_container_is_given() {
    require_engine!();
    require_root!();
    let lax =
        Run::shop().flag("--memory=64m").flag("--cpus=0.5").flag("--ulimit=nofile=200:200").flag("--pids-limit=25");
    let lax = lax.flag("--env=API_TOKEN=hunter2").flag("--env=METRICS_PORT=8080").flag("--env=PORT=9090").start();
    let strict = Run::stripped().hardened().flag("--memory=64m").flag("--env=GOMEMLIMIT=50MiB").flag("--cpus=0.5");
    let strict = strict.flag("--env=GOMAXPROCS=1").flag("--ulimit=nofile=4096:4096").flag("--pids-limit=500").start();
    let (lax_report, strict_report) = (report(lax.name()), report(strict.name()));
    for id in [
        "limits.memory",
        "limits.cpu",
        "limits.files",
        "limits.pids",
        "exposure.root",
        "exposure.capabilities",
        "exposure.listening",
        "exposure.secrets",
        "users.user",
    ] {
        is(&lax_report, id, "warning");
        is(&strict_report, id, "ok");
    }
    assert!(!lax_report.to_string().contains("hunter2"));
    assert_eq!((&lax_report["uid"], &strict_report["uid"]), (&0.into(), &65532.into()));
    is(&strict_report, "debug.stripped", "warning");
    is_well(&lax_report, "debug.stripped");
    // A container that has ended is told what to look at instead.
    lax.engine_does("kill");
    lax.wait_for_state("exited");
    scratchdbg(&["check", lax.name()])
        .fails_with(4, &["or check its image: scratchdbg check image://scratchdbg-test/shop"]);
}

#[test]
fn a_program_that_does_not_hear_its_end() {
    require_engine!();
    require_root!();
    let deaf = || Run::shell().flag("--entrypoint=/bin/sleep").command(&["1000"]).without_waiting();
    let (alone, waited_for) = (deaf().start(), deaf().flag("--init").start());
    is(&report(alone.name()), "lifetime.sigterm", "warning");
    is_well(&report(waited_for.name()), "lifetime.sigterm");
    let heard = Run::dynamic().start();
    let found = report(heard.name());
    for id in ["lifetime.sigterm", "program.loader", "program.libraries"] {
        is(&found, id, "ok");
    }
}

#[test]
fn an_image_of_the_engine_and_what_it_saves() {
    require_engine!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.tar");
    docker(&["save", "--output", file.to_str().unwrap(), "scratchdbg-test/shop"]);
    let of_engine = report("image://scratchdbg-test/shop");
    let of_file = report(&format!("image://{}", file.display()));
    assert_eq!(of_engine["findings"], of_file["findings"]);
    assert_eq!(of_engine["program"], of_file["program"]);
    insta::assert_snapshot!(format!("{:#}", steady(of_engine)));
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", "scratchdbg-test/shop"]);
    assert_eq!(report(&format!("image://{id}"))["findings"], of_file["findings"]);
    scratchdbg(&["check", "image://scratchdbg-test/none"]).fails_with(4, &["no image \"scratchdbg-test/none\""]);
    scratchdbg(&["check", "image://../x"]).fails_with(4, &["no image at ../x"]);
    scratchdbg(&["check", "image://a/../../containers"]).fails_with(4, &["no image"]);
}

/// Without what is another one with each Go that builds it, and each Delve.
fn steady(mut report: Value) -> Value {
    report["program"]["size"] = json!(0);
    report["program"]["go_version"] = json!("go1");
    report["program"]["dwarf"] = json!(0);
    report["program"]["linked"] = json!([]);
    for finding in report["findings"].as_array_mut().unwrap() {
        if finding["id"] == "program.present" {
            finding["message"] = json!("");
            finding["evidence"][0]["bytes"] = json!(0);
        }
        if finding["group"] == "debug" {
            finding["message"] = json!("");
            finding["status"] = json!("");
            finding["fix"] = json!("");
        }
    }
    report
}

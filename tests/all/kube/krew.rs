//! What krew installs: the manifest is read by kubectl, and followed as krew follows it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::require_kubectl;
use crate::support::command::{BINARY, run};
use crate::support::kubectl::{kubectl, run_kubectl_with};

fn krew(args: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/krew"));
    command.args(args);
    command
}

/// Its name is what `scripts/krew pack` prints.
fn packed(folder: &Path, binary: &Path) -> String {
    run(krew(&["pack", folder.to_str().unwrap(), binary.to_str().unwrap()])).ok().text().trim_end().to_owned()
}

#[test]
fn what_is_packed_and_named_is_a_plugin_of_kubectl() {
    require_kubectl!();
    let folder = tempfile::tempdir().unwrap();
    // As it is released: without debug information.
    let binary = folder.path().join("released");
    run({
        let mut command = Command::new("strip");
        command.arg("-o").arg(&binary).arg(BINARY);
        command
    })
    .ok();
    let archive = packed(&folder.path().join("archives"), &binary);
    let again = packed(&folder.path().join("again"), &binary);
    assert_eq!(fs::read(&archive).unwrap(), fs::read(again).unwrap(), "always the same");

    let manifest =
        run(krew(&["manifest", "https://home.example", "https://files.example/v1", &archive])).quietly().text();
    let nobody = folder.path().join("kubeconfig");
    fs::write(&nobody, "").unwrap();
    let read = run_kubectl_with(&nobody, &["label", "--local", "-f", "-", "a=b", "-o", "json"], &manifest).ok().json();
    assert_eq!((&read["kind"], &read["metadata"]["name"]), (&Value::from("Plugin"), &Value::from("scratchdbg")));
    assert_eq!(read["spec"]["version"], concat!("v", env!("CARGO_PKG_VERSION")));
    assert_eq!(read["spec"]["homepage"], "https://home.example");
    // What krew's index asks for.
    assert!(read["spec"]["shortDescription"].as_str().unwrap().len() <= 50);
    let [platform] = read["spec"]["platforms"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    assert_eq!(platform["selector"]["matchLabels"]["arch"], machine);
    let name = Path::new(&archive).file_name().unwrap().to_str().unwrap();
    assert_eq!(platform["uri"], format!("https://files.example/v1/{name}"));
    let digest = run({
        let mut command = Command::new("sha256sum");
        command.arg(&archive);
        command
    });
    assert!(digest.ok().text().starts_with(platform["sha256"].as_str().unwrap()));

    // As krew does it.
    let (unpacked, bin) = (folder.path().join("unpacked"), folder.path().join("bin"));
    fs::create_dir_all(&unpacked).and_then(|()| fs::create_dir_all(&bin)).unwrap();
    let mut tar = Command::new("tar");
    run({
        tar.arg("-xzf").arg(&archive).arg("-C").arg(&unpacked);
        tar
    })
    .ok();
    assert!(unpacked.join("LICENSE-MIT").is_file() && unpacked.join("LICENSE-APACHE").is_file());
    symlink(unpacked.join(platform["bin"].as_str().unwrap()), bin.join("kubectl-scratchdbg")).unwrap();
    let mut plugin = kubectl(&nobody, &["scratchdbg", "kube", "rbac"]);
    plugin.env("PATH", &bin);
    assert!(run(plugin).quietly().text().contains("pods/ephemeralcontainers"));
}

#[test]
fn an_archive_for_no_known_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("scratchdbg-windows.tar.gz");
    fs::write(&other, "").unwrap();
    let ended = run(krew(&["manifest", "https://home.example", "https://files.example", other.to_str().unwrap()]));
    assert!(ended.ends_with(1).stderr.contains("does not say for which machine"));
    let script = folder.path().join("scratchdbg");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/krew"), &script).unwrap();
    let ended = run(krew(&["pack", folder.path().to_str().unwrap(), script.to_str().unwrap()]));
    assert!(ended.ends_with(1).stderr.contains("for no machine that is known here"));
}

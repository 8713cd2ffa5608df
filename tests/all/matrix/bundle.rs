//! A container that no engine made: an OCI bundle run with `runc`, in a user namespace of its own.
//!
//! An engine with user namespaces would be a second one beside the one that runs, and two in one network namespace take
//! each other's bridge away.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::container::Run;
use crate::support::engine::docker;

/// Whom root inside is outside.
const FIRST: u32 = 100_000;

/// One that runs; ended when dropped.
pub struct Bundle {
    folder: TempDir,
    id: String,
    pid: i32,
}

/// Starts one of the toolbox image's files.
pub fn start() -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("rootfs");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let image = Run::toolbox(&["sleep"]).create();
    let archive = folder.path().join("files.tar");
    docker(&["export", "--output", archive.to_str().unwrap(), image.id()]);
    // Files of root inside are files of its number outside.
    let mut extract = Command::new("tar");
    assert!(extract.arg("-xf").arg(archive).arg("-C").arg(&root).status().unwrap().success());
    let mut give = Command::new("chown");
    assert!(give.arg("-R").arg(FIRST.to_string()).arg(&root).status().unwrap().success());
    fs::write(folder.path().join("config.json"), config().to_string()).unwrap();

    let id = format!("scratchdbg-test-{}", std::process::id());
    let pidfile = folder.path().join("pid");
    let mut runc = runc(folder.path());
    runc.args(["run", "--detach", "--pid-file", pidfile.to_str().unwrap(), "--bundle"]).arg(folder.path()).arg(&id);
    let output = fs::File::create(folder.path().join("output")).unwrap();
    runc.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    let started = runc.status().unwrap();
    assert!(started.success(), "{}", fs::read_to_string(folder.path().join("output")).unwrap());
    let pid = fs::read_to_string(pidfile).unwrap().trim().parse().unwrap();
    Bundle { folder, id, pid }
}

fn runc(folder: &Path) -> Command {
    let mut command = Command::new("runc");
    command.arg("--root").arg(folder.join("state"));
    command
}

impl Bundle {
    pub fn pid(&self) -> i32 {
        self.pid
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = runc(self.folder.path()).args(["delete", "--force", &self.id]).status();
    }
}

fn config() -> serde_json::Value {
    let map = json!([{ "containerID": 0, "hostID": FIRST, "size": 65536 }]);
    let namespaces: Vec<_> =
        ["pid", "mount", "user", "network", "ipc", "uts"].into_iter().map(|kind| json!({ "type": kind })).collect();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["/toolbox", "sleep"],
            "env": ["PATH=/"],
            "cwd": "/",
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
        "linux": { "namespaces": namespaces, "uidMappings": map, "gidMappings": map },
    })
}

//! The binary, run by somebody without rights.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::command::{BINARY, Ended, run};

/// `nobody`, and a group without members on most systems.
pub const NOBODY: u32 = 65534;

/// Somebody with no right but that of one group.
pub struct Unprivileged {
    binary: PathBuf,
    group: u32,
    _folder: TempDir,
}

impl Unprivileged {
    /// A member of this group. The binary is where everybody may run it.
    pub fn of_group(group: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("scratchdbg");
        fs::copy(BINARY, &binary).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { binary, group, _folder: folder }
    }

    /// A member of the group that may use the engine's socket.
    pub fn of_the_engines_group() -> Self {
        Self::of_group(fs::metadata("/var/run/docker.sock").expect("the engine's socket").gid())
    }

    /// Runs `scratchdbg ARGS…` to its end.
    pub fn runs(&self, args: &[impl AsRef<std::ffi::OsStr>]) -> Ended {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir("/").env("HOME", "/nonexistent").env_remove("DOCKER_CONFIG");
        command.uid(NOBODY).gid(self.group).stdin(Stdio::null());
        run(command)
    }
}

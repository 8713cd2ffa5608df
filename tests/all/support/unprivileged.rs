//! The binary, run by somebody without rights.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::command::{BINARY, Ended, run};
use super::engine::rootless;
use super::pty::{Setup, Terminal};

/// `nobody`, and a group without members on most systems.
pub const NOBODY: u32 = 65534;

/// Somebody with no right but that of one group, or that to an engine of their own.
pub struct Unprivileged {
    binary: PathBuf,
    user: u32,
    group: u32,
    _folder: TempDir,
}

impl Unprivileged {
    /// A member of this group. The binary is where everybody may run it.
    pub fn of_group(group: u32) -> Self {
        Self::new(NOBODY, group)
    }

    /// Whose engine it is, if that is neither root nor whoever runs the tests.
    pub fn owner_of_the_engine() -> Option<Self> {
        let engine = rootless().filter(|engine| engine.user != nix::unistd::geteuid().as_raw())?;
        Some(Self::new(engine.user, engine.group))
    }

    fn new(user: u32, group: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("scratchdbg");
        fs::copy(BINARY, &binary).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { binary, user, group, _folder: folder }
    }

    /// A member of the group that may use the engine's socket.
    pub fn of_the_engines_group() -> Self {
        Self::of_group(fs::metadata("/var/run/docker.sock").expect("the engine's socket").gid())
    }

    /// Runs `scratchdbg ARGS…` to its end.
    pub fn runs(&self, args: &[impl AsRef<OsStr>]) -> Ended {
        run(self.command(args))
    }

    /// `scratchdbg ARGS…`, not started yet.
    pub fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir("/").env("HOME", "/nonexistent").env_remove("DOCKER_CONFIG");
        command.uid(self.user).gid(self.group).stdin(Stdio::null());
        command
    }

    /// `scratchdbg ARGS…` in a terminal.
    pub fn terminal(&self, args: &[&str]) -> Terminal {
        let (user, group) = (format!("--reuid={}", self.user), format!("--regid={}", self.group));
        let become_it = [&user, &group, "--clear-groups", self.binary.to_str().expect("a path of ours")];
        // It starts at home, so there has to be one.
        Setup::program("setpriv", &[&become_it, args].concat()).env("HOME", "/").start()
    }
}

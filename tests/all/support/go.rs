//! Go toolchains, and programs built by them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use super::command::run_within;
use super::wait;

/// The first time a Go builds its library.
const BUILDING: Duration = Duration::from_secs(240);

/// Where `scripts/setup` puts what it brings.
fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("scratchdbg")
}

/// A Go of this host, and its minor version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Go {
    pub path: PathBuf,
    pub minor: u32,
}

impl Go {
    fn at(path: PathBuf) -> Option<Self> {
        let mut command = Command::new(&path);
        command.arg("version").env("GOTOOLCHAIN", "local").stdin(Stdio::null());
        let text = path.exists().then(|| run_within(wait::PATIENCE, command).ok().text())?;
        let minor = text.split("go1.").nth(1)?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some(Self { path, minor })
    }

    /// That of the search path, and those of `scripts/setup matrix`.
    pub fn all() -> Vec<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let own = env::split_paths(&path).map(|folder| folder.join("go")).find(|go| go.exists());
        let kept = fs::read_dir(cache().join("go")).into_iter().flatten().flatten();
        let kept = kept.map(|entry| entry.path().join("go/bin/go"));
        own.into_iter().chain(kept).filter_map(Self::at).collect()
    }

    /// The newest of them.
    pub fn newest() -> Option<Self> {
        Self::all().into_iter().max_by_key(|go| go.minor)
    }

    /// Its command, in a folder, with nothing of whoever runs the tests.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(folder).stdin(Stdio::null());
        for (name, value) in [("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod"), ("GOWORK", "off"), ("GOPROXY", "off")]
        {
            command.env(name, value);
        }
        command.env("CGO_ENABLED", "0").env_remove("GOEXPERIMENT").env_remove("GODEBUG");
        command
    }

    /// Builds what is in a folder.
    ///
    /// # Panics
    /// If it does not build.
    pub fn build(&self, folder: &Path, out: &Path, args: &[impl AsRef<OsStr>], more: &[(&str, &str)]) {
        let mut command = self.command(folder);
        command.args(["build", "-o"]).arg(out).args(args).arg(".").envs(more.iter().copied());
        run_within(BUILDING, command).ok();
    }
}

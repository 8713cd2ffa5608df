//! Where a person's own files are (XDG Base Directory Specification).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// What is settled once: `$XDG_CONFIG_HOME/scratchdbg`. `None` without a home.
#[must_use]
pub fn config() -> Option<PathBuf> {
    of("XDG_CONFIG_HOME", ".config")
}

/// What is remembered: `$XDG_STATE_HOME/scratchdbg`. `None` without a home.
#[must_use]
pub fn state() -> Option<PathBuf> {
    of("XDG_STATE_HOME", ".local/state")
}

/// A path that is not whole counts as none.
fn of(variable: &str, usual: &str) -> Option<PathBuf> {
    let told = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = told.or_else(|| Some(home()?.join(usual)))?;
    Some(base.join("scratchdbg"))
}

/// The home folder. After `sudo` the environment may still name root's.
fn home() -> Option<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let told = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let told = told.filter(|path| fs::metadata(path).is_ok_and(|meta| meta.uid() == user));
    told.or_else(|| nix::unistd::User::from_uid(user.into()).ok().flatten().map(|user| user.dir))
}

//! Which Delve. The newest one wins: a new one works with every old Go, an old one with no new Go.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::version::{INSTALL, Version};
use crate::exit::{Exit, Explain};
use crate::programs;

/// The variable that names one.
pub const VARIABLE: &str = "SCRATCHDBG_DLV";
/// What it would otherwise do at its start: make its folder of settings. Nothing can be made in here.
pub const NO_SETTINGS: [(&str, &str); 2] = [("HOME", "/dev/null"), ("XDG_CONFIG_HOME", "/dev/null")];
/// More are not asked: each is a program that is started.
const MOST: usize = 16;

/// A Delve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// None is anywhere.
    #[error("no Delve (dlv) on this host")]
    None,
    /// What was named is not there, or is no program.
    #[error("no program at {}, which {by} names", path.display())]
    NotThere {
        /// What was named.
        path: PathBuf,
        /// What names it.
        by: &'static str,
    },
    /// It does not answer as Delve does.
    #[error("{} does not tell its version: {why}", path.display())]
    NotDelve {
        /// The first of those that were found.
        path: PathBuf,
        /// In words.
        why: String,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::None => Some(format!("Install it: {INSTALL}\nOr name one: --dlv PATH, or {VARIABLE}=PATH.")),
            Self::NotThere { .. } => Some("Name the program itself, or leave it out to have one searched.".to_owned()),
            Self::NotDelve { .. } => Some(format!("Install a new one: {INSTALL}")),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Where a Delve may be, in words, for `doctor`.
pub const PLACES: &str = "PATH, $GOBIN, $GOPATH/bin, ~/go/bin and ~/.cache/scratchdbg/bin";

/// Finds the Delve to use. `asked` is what `--dlv` says; it and then the variable alone decide, if there.
///
/// # Errors
/// See [`Error`].
pub async fn find(asked: Option<&Path>) -> Result<Found, Error> {
    find_in(asked, &|name| match name {
        INVOKERS_HOME => home_of_invoker().map(PathBuf::into_os_string),
        _ => std::env::var_os(name),
    })
    .await
}

/// No variable, but the home of whoever typed `sudo`, which hides their `PATH` and often their `HOME`.
const INVOKERS_HOME: &str = "";

fn home_of_invoker() -> Option<PathBuf> {
    let uid = std::env::var("SUDO_UID").ok()?.parse().ok()?;
    Some(nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok()??.dir)
}

async fn find_in(asked: Option<&Path>, var: &(dyn Fn(&str) -> Option<OsString> + Sync)) -> Result<Found, Error> {
    let variable = var(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = asked.map(|path| (path, "--dlv")).or(variable.as_deref().map(|path| (path, VARIABLE)));
    if let Some((path, by)) = named {
        if !programs::is_executable(path) {
            return Err(Error::NotThere { path: path.to_owned(), by });
        }
        return ask(path.to_owned()).await;
    }
    let answers = futures_util::future::join_all(places(var).into_iter().map(ask)).await;
    let (mut newest, mut first) = (None::<Found>, None);
    for answer in answers {
        match answer {
            // Of two that are the same the earlier place wins.
            Ok(found) if newest.as_ref().is_none_or(|newest| found.version > newest.version) => newest = Some(found),
            Ok(_) => {}
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    newest.ok_or_else(|| first.unwrap_or(Error::None))
}

/// Every `dlv` that is to be asked, each once.
fn places(var: &(dyn Fn(&str) -> Option<OsString> + Sync)) -> Vec<PathBuf> {
    let several = |name| var(name).map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).unwrap_or_default();
    let one = |name| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = one("HOME");
    let homes: Vec<_> = home.into_iter().chain(one(INVOKERS_HOME)).collect();
    let mut dirs = several("PATH");
    dirs.extend(one("GOBIN"));
    dirs.extend(several("GOPATH").into_iter().map(|dir| dir.join("bin")));
    dirs.extend(homes.iter().map(|home| home.join("go/bin")));
    dirs.extend(one("XDG_CACHE_HOME").map(|cache| cache.join("scratchdbg/bin")));
    dirs.extend(homes.iter().map(|home| home.join(".cache/scratchdbg/bin")));
    let mut seen = HashSet::new();
    let there = dirs.into_iter().filter(|dir| dir.is_absolute()).map(|dir| dir.join("dlv"));
    let there = there.filter(|file| programs::is_executable(file));
    there.filter(|file| file.canonicalize().is_ok_and(|real| seen.insert(real))).take(MOST).collect()
}

async fn ask(path: PathBuf) -> Result<Found, Error> {
    match programs::output(&path, &["version"], &NO_SETTINGS).await {
        Ok(text) => match Version::of_output(&text) {
            Some(version) => Ok(Found { path, version }),
            None => Err(Error::NotDelve { path, why: "what it prints has none".to_owned() }),
        },
        Err(why) => Err(Error::NotDelve { path, why }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that says it is such a Delve.
    fn plant(dir: &Path, version: &str) -> PathBuf {
        std::fs::create_dir_all(dir).unwrap();
        let path = dir.join("dlv");
        std::fs::write(&path, format!("#!/bin/sh\necho 'Delve Debugger'\necho 'Version: {version}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn the_newest_wins_unless_one_is_named() {
        let root = tempfile::tempdir().unwrap();
        let at = |dir: &str| root.path().join(dir);
        let vars = |name: &str| match name {
            "PATH" => Some(std::env::join_paths([at("empty"), at("old"), at("broken")]).unwrap()),
            "GOPATH" => Some(at("gopath").into_os_string()),
            "HOME" => Some(at("home").into_os_string()),
            INVOKERS_HOME => Some(at("invoker").into_os_string()),
            _ => None,
        };
        assert_eq!(find_in(None, &vars).await, Err(Error::None));
        let broken = plant(&at("broken"), "none");
        assert!(matches!(find_in(None, &vars).await, Err(Error::NotDelve { path, .. }) if path == broken));
        let old = plant(&at("old"), "1.9.1");
        assert_eq!(find_in(None, &vars).await.unwrap().path, old);
        let newer = plant(&at("home/go/bin"), "1.24.0");
        assert_eq!(find_in(None, &vars).await.unwrap().path, newer);
        plant(&at("home/.cache/scratchdbg/bin"), "1.24.0");
        assert_eq!(find_in(None, &vars).await.unwrap().path, newer, "of two that are the same the earlier place wins");
        let newest = plant(&at("gopath/bin"), "1.27.1");
        assert_eq!(find_in(None, &vars).await.unwrap().path, newest);

        let under_sudo = plant(&at("invoker/go/bin"), "1.28.0");
        assert_eq!(find_in(None, &vars).await.unwrap().path, under_sudo);

        assert_eq!(find_in(Some(&old), &vars).await.unwrap().version.to_string(), "1.9.1");
        let named = |name: &str| if name == VARIABLE { Some(newer.clone().into_os_string()) } else { vars(name) };
        assert_eq!(find_in(None, &named).await.unwrap().path, newer);
        assert_eq!(find_in(Some(&old), &named).await.unwrap().path, old, "the option wins over the variable");
        let missing = at("missing");
        assert_eq!(
            find_in(Some(&missing), &vars).await,
            Err(Error::NotThere { path: missing.clone(), by: "--dlv" }),
            "what was named is not replaced by another"
        );
    }

    #[test]
    fn a_relative_path_is_not_searched() {
        let var = |name: &str| (name == "PATH").then(|| OsString::from(".:bin"));
        assert!(places(&var).is_empty());
    }
}

//! Rules for source files, remembered for each image; and those that can be guessed.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::remembered::Remembered;
use crate::delve::client::Stopped;
use crate::delve::model::PathRule;
use crate::exit::Failure;
use crate::golang::BuildInfo;
use crate::text::Untrusted;

/// Bytes of a `go.mod` at most.
const LARGEST: u64 = 1 << 20;
/// Where they are remembered.
const FILE: &str = "paths.json";

#[derive(Serialize, Deserialize)]
struct Rule {
    program: String,
    here: String,
}

/// The rules that are remembered.
pub(super) fn read(remembered: &Remembered) -> Vec<PathRule> {
    let rule = |rule: Rule| PathRule { from: Untrusted::from(&*rule.program), to: Untrusted::from(&*rule.here) };
    remembered.read(FILE).into_iter().map(rule).collect()
}

/// Remembers other ones.
pub(super) fn write(remembered: &Remembered, rules: &[PathRule]) -> Result<(), Failure> {
    let rule = |rule: &PathRule| Rule { program: rule.from.lossy().into_owned(), here: rule.to.lossy().into_owned() };
    remembered.write(FILE, rules.iter().map(rule))
}

/// What can be guessed: where the program's module is the one of the folder that we were started in.
pub(super) async fn guess(delve: &Stopped, go: Option<&BuildInfo>) -> Vec<PathRule> {
    let Some((path, module)) = go.and_then(|go| Some((go.path.as_ref()?, go.main.as_ref()?))) else {
        return Vec::new();
    };
    let name = module.path.lossy().into_owned();
    let started_in = std::env::current_dir().unwrap_or_default();
    let Some(folder) = module_folder(&started_in, &name).and_then(|folder| folder.to_str().map(str::to_owned)) else {
        return Vec::new();
    };
    let modules = [(name.clone(), folder.clone())];
    match delve.guess_path_rules(&path.lossy(), "", &modules).await {
        Ok(rules) if !rules.is_empty() => rules,
        // One that is too old to guess; and what `-trimpath` makes of the names.
        _ => vec![PathRule { from: Untrusted::from(&*name), to: Untrusted::from(&*folder) }],
    }
}

/// The folder of a module, if we are in it.
fn module_folder(started_in: &Path, module: &str) -> Option<PathBuf> {
    started_in.ancestors().find(|folder| declares(folder, module)).map(Path::to_owned)
}

fn declares(folder: &Path, module: &str) -> bool {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        let flags = libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(folder.join("go.mod"))?;
        file.take(LARGEST).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().unwrap_or_default();
    let named = text.lines().find_map(|line| line.trim().strip_prefix("module"));
    let name = named.map(|rest| rest.split("//").next().unwrap_or(rest).trim().trim_matches('"'));
    name.is_some_and(|name| name == module)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn rules_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let of = Remembered::in_folder(home.path(), "acme/shop");
        let rules = vec![PathRule { from: "/build".into(), to: "/home/me/shop".into() }];
        assert_eq!(read(&of), []);
        write(&of, &rules).unwrap();
        assert_eq!(read(&of), rules);
        write(&of, &[]).unwrap();
        assert_eq!(read(&of), []);
    }

    #[test]
    fn the_module_is_found_from_any_folder_in_it() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("shop/cmd/api")).unwrap();
        fs::write(home.path().join("shop/go.mod"), "// mine\nmodule example.com/shop // yes\n\ngo 1.24\n").unwrap();
        let found = module_folder(&home.path().join("shop/cmd/api"), "example.com/shop");
        assert_eq!(found, Some(home.path().join("shop")));
        assert_eq!(module_folder(&home.path().join("shop"), "example.com/shopping"), None);
        assert_eq!(module_folder(home.path(), "example.com/shop"), None);
    }
}

//! Rules for source files, remembered for each image; and those that can be guessed.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::delve::client::Stopped;
use crate::delve::model::PathRule;
use crate::exit::{Exit, Failure};
use crate::golang::BuildInfo;
use crate::target::Target;
use crate::text::{self, Untrusted};

/// Bytes of the file at most.
const LARGEST: u64 = 1 << 20;
/// Rules of an image at most.
const MOST: usize = 100;
/// Images at most.
const MOST_IMAGES: usize = 500;

/// Where the rules of an image are remembered.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    folder: Option<PathBuf>,
    image: String,
}

/// The file: for each image, what its program calls a folder and where that is here.
#[derive(Default, Serialize, Deserialize)]
struct Document {
    images: BTreeMap<String, Vec<Rule>>,
}

#[derive(Serialize, Deserialize)]
struct Rule {
    program: String,
    here: String,
}

impl Remembered {
    /// Those of a target: of its image, whatever its version; of a plain process, of its module.
    pub(super) fn of(target: &Target, go: Option<&BuildInfo>) -> Self {
        let image = match (target.container(), go.and_then(|go| go.path.as_ref())) {
            (Some(container), _) => without_version(&container.image).to_owned(),
            (None, Some(path)) => format!("process {}", path.safe()),
            (None, None) => "process".to_owned(),
        };
        Self { folder: folder(), image }
    }

    /// Nowhere at all.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self { folder: None, image: String::new() }
    }

    /// The rules. None if there is no such file, or it is somebody else's.
    pub(super) fn read(&self) -> Vec<PathRule> {
        let rules = self.document().images.remove(&self.image).unwrap_or_default();
        let rule = |rule: Rule| PathRule { from: Untrusted::from(&*rule.program), to: Untrusted::from(&*rule.here) };
        rules.into_iter().take(MOST).map(rule).collect()
    }

    /// Remembers other ones.
    pub(super) fn write(&self, rules: &[PathRule]) -> Result<(), Failure> {
        let folder = self.folder.as_deref().ok_or_else(|| Failure::new(Exit::No, "there is no home folder"))?;
        let failed = |error: io::Error| {
            Failure::new(Exit::No, format!("{}: {error}", text::escape(folder.as_os_str().as_encoded_bytes())))
        };
        let mut document = self.document();
        let rule =
            |rule: &PathRule| Rule { program: rule.from.lossy().into_owned(), here: rule.to.lossy().into_owned() };
        document.images.remove(&self.image);
        while document.images.len() >= MOST_IMAGES {
            document.images.pop_first();
        }
        if !rules.is_empty() {
            document.images.insert(self.image.clone(), rules.iter().take(MOST).map(rule).collect());
        }
        let text = serde_json::to_string_pretty(&document).map_err(|error| failed(error.into()))?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // Whole or not at all, whoever writes at the same time.
        let half = folder.join(format!(".paths.json.{}", std::process::id()));
        let written = write_new(&half, text.as_bytes()).and_then(|()| fs::rename(&half, file(folder)));
        written.map_err(|error| {
            let _ = fs::remove_file(&half);
            failed(error)
        })
    }

    fn document(&self) -> Document {
        let Some(folder) = &self.folder else { return Document::default() };
        let read = || -> io::Result<Document> {
            let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
            let file = OpenOptions::new().read(true).custom_flags(flags).open(file(folder))?;
            let meta = file.metadata()?;
            if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            let mut text = String::new();
            file.take(LARGEST).read_to_string(&mut text)?;
            Ok(serde_json::from_str(&text)?)
        };
        read().unwrap_or_default()
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

fn file(folder: &Path) -> PathBuf {
    folder.join("paths.json")
}

/// `$XDG_STATE_HOME/scratchdbg` (XDG Base Directory Specification), if it is a whole path.
fn folder() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| Some(home()?.join(".local/state")))?;
    Some(state.join("scratchdbg"))
}

/// The home folder. After `sudo` the environment may still name root's.
fn home() -> Option<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let told = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let told = told.filter(|path| fs::metadata(path).is_ok_and(|meta| meta.uid() == user));
    told.or_else(|| nix::unistd::User::from_uid(user.into()).ok().flatten().map(|user| user.dir))
}

/// An image's name without tag and digest.
fn without_version(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let start = name.rfind('/').map_or(0, |at| at + 1);
    let tag = name.get(start..).and_then(|last| last.find(':')).map(|at| start + at);
    name.get(..tag.unwrap_or(name.len())).unwrap_or(name)
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
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn rules_are_kept_for_each_image() {
        let home = tempfile::tempdir().unwrap();
        let of = |image: &str| Remembered { folder: Some(home.path().join("a/b")), image: image.to_owned() };
        let rules = vec![PathRule { from: "/build".into(), to: "/home/me/shop".into() }];
        assert_eq!(of("acme/shop").read(), []);
        of("acme/shop").write(&rules).unwrap();
        of("acme/other").write(&[]).unwrap();
        assert_eq!((of("acme/shop").read(), of("acme/other").read()), (rules, vec![]));
        let mode = |path: &str| fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a/b"), mode("a/b/paths.json")), (0o700, 0o600));
        of("acme/shop").write(&[]).unwrap();
        assert_eq!(of("acme/shop").read(), []);
        let names: Vec<_> =
            fs::read_dir(home.path().join("a/b")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["paths.json"], "nothing half written is left");
    }

    #[test]
    fn what_is_no_such_file_is_no_rule() {
        let home = tempfile::tempdir().unwrap();
        let of = Remembered { folder: Some(home.path().to_owned()), image: "shop".to_owned() };
        let path = home.path().join("paths.json");
        for text in ["", "{", "[]", r#"{"images":{"shop":[{"program":7}]}}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(of.read(), [], "{text}");
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(of.read(), []);
        let nowhere = Remembered { folder: Some("/proc/nowhere".into()), image: "shop".to_owned() };
        assert!(nowhere.write(&[]).is_err());
    }

    #[test]
    fn versions_do_not_count() {
        for (image, name) in [
            ("acme/shop:1.9", "acme/shop"),
            ("registry:5000/acme/shop", "registry:5000/acme/shop"),
            ("registry:5000/acme/shop:1.9@sha256:aa", "registry:5000/acme/shop"),
            ("shop", "shop"),
            ("", ""),
        ] {
            assert_eq!(without_version(image), name);
        }
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

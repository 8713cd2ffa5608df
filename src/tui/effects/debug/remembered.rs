//! What is remembered of an image from one session to the next, in files of ours below the home folder.
//!
//! Each file is a JSON document with a list for each image. What cannot be read is not there.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::folders;
use crate::golang::BuildInfo;
use crate::target::Target;
use crate::text;

/// Bytes of a file at most.
const LARGEST: u64 = 1 << 20;
/// Things of an image at most.
pub(super) const MOST: usize = 100;
/// Images at most.
const MOST_IMAGES: usize = 500;

/// Where the things of an image are remembered.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    folder: Option<PathBuf>,
    image: String,
}

/// A file: what is remembered of each image. What is not understood of one does not hinder the others.
#[derive(Default, Serialize, Deserialize)]
struct Document {
    images: BTreeMap<String, Value>,
}

impl Remembered {
    /// Those of a target: of its image, whatever its version; of a plain process, of its module.
    pub(super) fn of(target: &Target, go: Option<&BuildInfo>) -> Self {
        let image = match (target.container(), go.and_then(|go| go.path.as_ref())) {
            (Some(container), _) => without_version(&container.image).to_owned(),
            (None, Some(path)) => format!("process {}", path.safe()),
            (None, None) => "process".to_owned(),
        };
        Self { folder: folders::state(), image }
    }

    /// Nowhere at all.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self { folder: None, image: String::new() }
    }

    /// In a folder of a test's.
    #[cfg(test)]
    pub(super) fn in_folder(folder: &Path, image: &str) -> Self {
        Self { folder: Some(folder.to_owned()), image: image.to_owned() }
    }

    /// What a file has of the image. Nothing if there is no such file, or it is somebody else's.
    pub(super) fn read<T: DeserializeOwned>(&self, file: &str) -> Vec<T> {
        let list = self.document(file).images.remove(&self.image).unwrap_or_default();
        let mut list: Vec<T> = serde_json::from_value(list).unwrap_or_default();
        list.truncate(MOST);
        list
    }

    /// Remembers other things in a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write<T: Serialize>(&self, file: &str, list: impl Iterator<Item = T>) -> Result<(), Failure> {
        let folder = self.folder.as_deref().ok_or_else(|| Failure::new(Exit::No, "there is no home folder"))?;
        let failed = |error: io::Error| {
            Failure::new(Exit::No, format!("{}: {error}", text::escape(folder.as_os_str().as_encoded_bytes())))
        };
        let mut document = self.document(file);
        document.images.remove(&self.image);
        while document.images.len() >= MOST_IMAGES {
            document.images.pop_first();
        }
        let list = list.take(MOST).map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
        let list = list.map_err(|error| failed(error.into()))?;
        if !list.is_empty() {
            document.images.insert(self.image.clone(), Value::Array(list));
        }
        let text = serde_json::to_string_pretty(&document).map_err(|error| failed(error.into()))?;
        if text.len() as u64 > LARGEST {
            return Err(failed(io::Error::other(format!("{file} would be too large"))));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        // Whole or not at all, whoever writes at the same time.
        let half = folder.join(format!(".{file}.{}", std::process::id()));
        let written = write_new(&half, text.as_bytes()).and_then(|()| fs::rename(&half, folder.join(file)));
        written.map_err(|error| {
            let _ = fs::remove_file(&half);
            failed(error)
        })
    }

    fn document(&self, file: &str) -> Document {
        let Some(folder) = &self.folder else { return Document::default() };
        let read = || -> io::Result<Document> {
            let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
            let file = OpenOptions::new().read(true).custom_flags(flags).open(folder.join(file))?;
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

/// An image's name without tag and digest.
fn without_version(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let start = name.rfind('/').map_or(0, |at| at + 1);
    let tag = name.get(start..).and_then(|last| last.find(':')).map(|at| start + at);
    name.get(..tag.unwrap_or(name.len())).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const FILE: &str = "things.json";

    #[test]
    fn things_are_kept_for_each_image() {
        let home = tempfile::tempdir().unwrap();
        let of = |image: &str| Remembered::in_folder(&home.path().join("a/b"), image);
        let read = |image: &str| of(image).read::<String>(FILE);
        assert_eq!(read("acme/shop"), [""; 0]);
        of("acme/shop").write(FILE, ["one"].into_iter()).unwrap();
        of("acme/other").write(FILE, [0_u8; 0].into_iter()).unwrap();
        assert_eq!((read("acme/shop"), read("acme/other")), (vec!["one".to_owned()], vec![]));
        let mode = |path: &str| fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a/b"), mode("a/b/things.json")), (0o700, 0o600));
        of("acme/shop").write(FILE, [0_u8; 0].into_iter()).unwrap();
        assert_eq!(read("acme/shop"), [""; 0]);
        let names: Vec<_> =
            fs::read_dir(home.path().join("a/b")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, [FILE], "nothing half written is left");
    }

    #[test]
    fn what_is_no_such_file_is_not_there() {
        let home = tempfile::tempdir().unwrap();
        let of = Remembered::in_folder(home.path(), "shop");
        let path = home.path().join(FILE);
        for text in ["", "{", "[]", r#"{"images":{"shop":[{"program":7}]}}"#, r#"{"images":{"shop":7}}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(of.read::<String>(FILE), [""; 0], "{text}");
        }
        // What nobody understands of one image is kept, and hinders no other.
        fs::write(&path, r#"{"images":{"other":{"new":true}}}"#).unwrap();
        of.write(FILE, ["one"].into_iter()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("new"));
        assert_eq!(of.read::<String>(FILE), ["one"]);
        let many = vec!["x"; MOST + 7];
        of.write(FILE, many.into_iter()).unwrap();
        assert_eq!(of.read::<String>(FILE).len(), MOST);
        assert!(of.write(FILE, ["x".repeat(2 << 20)].into_iter()).is_err(), "it could not be read again");
        assert_eq!(of.read::<String>(FILE).len(), MOST);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(of.read::<String>(FILE), [""; 0]);
        assert!(Remembered::in_folder(Path::new("/proc/nowhere"), "shop").write(FILE, ["x"].into_iter()).is_err());
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
}

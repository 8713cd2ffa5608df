//! How the parts of an image are found: `manifest.json` of `docker save`, or `index.json` of an OCI layout. Both may be in
//! an archive or in a folder.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Blob, Error, Image, Setup, Tree};

/// The longest document, in bytes.
const LONGEST: u64 = 8 << 20;
/// The most layers (Docker allows 127).
const MOST_LAYERS: usize = 1024;
/// How deep indexes may name indexes.
const DEEPEST: usize = 4;
/// How an OCI layout marks an image's name (image-spec, "Pre-Defined Annotation Keys").
const NAME: &str = "org.opencontainers.image.ref.name";

/// Where the parts are.
enum Parts<'a> {
    Archive(&'a Tree),
    Folder(&'a Path),
}

/// Opens an archive or a folder. `name` is the image's in it.
///
/// # Errors
/// See [`Error`].
pub fn open(path: &Path, name: Option<&str>) -> Result<Image, Error> {
    let missing = |error: &std::io::Error| Error::NotThere { path: path.display().to_string(), why: error.to_string() };
    let meta = std::fs::metadata(path).map_err(|error| missing(&error))?;
    if meta.is_dir() {
        return Parts::Folder(path).image(name);
    }
    of_archive(&regular(path).map_err(|error| missing(&error))?, name)
}

/// Of an archive.
///
/// # Errors
/// See [`Error`].
pub fn of_archive(archive: &Blob, name: Option<&str>) -> Result<Image, Error> {
    let mut tree = Tree::default();
    let not_one = |error| match error {
        Error::Malformed("archive") if tree_is_none(archive) => Error::NotAnImage("the file is no archive (tar)"),
        error => error,
    };
    tree.add(&archive.unpacked()?).map_err(not_one)?;
    Parts::Archive(&tree).image(name)
}

/// Whether a file does not even begin as an archive does.
fn tree_is_none(archive: &Blob) -> bool {
    let head = archive.bytes(257, 5).unwrap_or_default();
    head != b"ustar"
}

/// A file that is none cannot be read for ever, or block.
fn regular(path: &Path) -> std::io::Result<Blob> {
    let mut options = OpenOptions::new();
    Blob::whole(options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?)
}

impl Parts<'_> {
    fn image(&self, name: Option<&str>) -> Result<Image, Error> {
        // What `docker save` writes today has both; the first names layers as they are in it.
        if let Some(list) = self.document("manifest.json")? {
            return self.saved(&list, name);
        }
        match self.document("index.json")? {
            Some(index) => self.indexed(&index, name),
            None => Err(Error::NotAnImage("it holds no image: neither manifest.json nor index.json is in it")),
        }
    }

    fn part(&self, name: &str) -> Option<Blob> {
        match self {
            Self::Archive(tree) => tree.find(name.as_bytes(), true)?.data,
            Self::Folder(folder) => {
                // Names in it may be anything; one that leads out of the folder is none of its parts.
                let relative = PathBuf::from(name);
                let inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
                inside.then(|| regular(&folder.join(relative)).ok()).flatten()
            }
        }
    }

    fn document(&self, name: &str) -> Result<Option<Value>, Error> {
        let Some(blob) = self.part(name) else { return Ok(None) };
        if blob.length() > LONGEST {
            return Err(Error::Malformed("description"));
        }
        let bytes = blob.bytes(0, usize::try_from(LONGEST).unwrap_or(usize::MAX));
        let bytes = bytes.map_err(|error| Error::io("read the image", &error))?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| Error::Malformed("description"))
    }

    fn needed(&self, name: &str) -> Result<Value, Error> {
        self.document(name)?.ok_or_else(|| Error::Incomplete(name.to_owned()))
    }

    /// What `manifest.json` says (docs.docker.com, "docker image save").
    fn saved(&self, list: &Value, name: Option<&str>) -> Result<Image, Error> {
        let names = |one: &Value| -> Vec<String> {
            let tags = one["RepoTags"].as_array().map(Vec::as_slice).unwrap_or_default();
            tags.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let one = choose(all, name, names)?;
        let config = one["Config"].as_str().ok_or(Error::Malformed("description"))?;
        let layers = one["Layers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let layers =
            layers.iter().map(|layer| layer.as_str().map(str::to_owned).ok_or(Error::Malformed("description")));
        let name = names(one).into_iter().next();
        self.put_together(name, config, layers.collect::<Result<_, _>>()?)
    }

    /// What `index.json` says (image-spec, "Image Index", "Image Manifest").
    fn indexed(&self, index: &Value, name: Option<&str>) -> Result<Image, Error> {
        let names =
            |one: &Value| -> Vec<String> { one["annotations"][NAME].as_str().map(str::to_owned).into_iter().collect() };
        let listed = |index: &Value| -> Vec<Value> {
            let all = index["manifests"].as_array().cloned().unwrap_or_default();
            // What says how an image was built is listed beside it, for an unknown platform.
            all.into_iter().filter(|one| one["platform"]["os"] != "unknown").collect()
        };
        let mut all = listed(index);
        let mut called = None;
        for _ in 0..DEEPEST {
            // Of one image for several platforms, that of this host.
            let own: Vec<Value> = all.iter().filter(|one| is_own(one)).cloned().collect();
            let one = if own.is_empty() { choose(&all, name, names)? } else { choose(&own, name, names)? };
            called = called.or_else(|| names(one).into_iter().next());
            let document = self.needed(&blob_of(one)?)?;
            if document["manifests"].is_array() {
                all = listed(&document).into_iter().map(|one| renamed(one, called.as_deref())).collect();
                continue;
            }
            let layers = document["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
            let layers = layers.iter().map(blob_of).collect::<Result<_, _>>()?;
            return self.put_together(called, &blob_of(&document["config"])?, layers);
        }
        Err(Error::Malformed("index"))
    }

    fn put_together(&self, name: Option<String>, config: &str, layers: Vec<String>) -> Result<Image, Error> {
        if layers.len() > MOST_LAYERS {
            return Err(Error::TooLarge("1,024 layers"));
        }
        let config = self.needed(config)?;
        let mut tree = Tree::default();
        for layer in layers {
            let blob = self.part(&layer).ok_or(Error::Incomplete(layer))?;
            tree.add(&blob.unpacked()?)?;
        }
        let word = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
        Ok(Image {
            name,
            platform: (word("os"), word("architecture")),
            setup: Setup::of_config(&config["config"]),
            tree,
        })
    }
}

/// The one that is meant: that of the name, or the only one.
fn choose<'v>(all: &'v [Value], name: Option<&str>, names: impl Fn(&Value) -> Vec<String>) -> Result<&'v Value, Error> {
    let called = |one: &Value| names(one).into_iter().next().unwrap_or_else(|| "one without a name".to_owned());
    let listed = || all.iter().take(8).map(called).collect::<Vec<_>>().join(", ");
    match (name, all) {
        (_, []) => Err(Error::NotAnImage("it lists no image")),
        (Some(name), all) => {
            let found = all.iter().find(|one| names(one).iter().any(|known| known == name));
            found.ok_or_else(|| Error::NotInIt { name: name.to_owned(), others: listed() })
        }
        (None, [one]) => Ok(one),
        (None, _) => Err(Error::Several(listed())),
    }
}

/// Whether an image is for this kind of machine, as far as the index tells.
fn is_own(one: &Value) -> bool {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    one["platform"]["os"] == "linux" && one["platform"]["architecture"] == architecture
}

/// What an index within an index lists goes by the outer one's name.
fn renamed(mut one: Value, name: Option<&str>) -> Value {
    if let (Some(name), Some(fields)) = (name, one.as_object_mut()) {
        fields.insert("annotations".to_owned(), serde_json::json!({ NAME: name }));
    }
    one
}

/// Where a digest's bytes are (image-spec, "Blobs").
fn blob_of(descriptor: &Value) -> Result<String, Error> {
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.split_once(':'));
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match digest {
        Some((kind, hash)) if word(kind) && word(hash) => Ok(format!("blobs/{kind}/{hash}")),
        _ => Err(Error::Malformed("index")),
    }
}

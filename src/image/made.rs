//! An image that is made here: one layer, what describes it, and both ways to write that down. It is an OCI layout
//! (github.com/opencontainers/image-spec), with the list beside it that `docker load` asks for. No engine has a part in it.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::layer::{self, Packed};
use super::reference::Reference;

/// How an image is to be set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Architecture, as Go names it.
    pub architecture: &'static str,
    /// User and group, as numbers.
    pub user: &'static str,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// Its arguments, where whoever starts it gives none.
    pub arguments: Vec<String>,
    /// Labels, by name.
    pub labels: Vec<(&'static str, String)>,
}

/// An image as the files of its layout.
#[derive(Debug, Clone)]
pub struct Made {
    /// What it is called.
    pub reference: Reference,
    /// Digest of its manifest: what a registry knows it by if it is pushed as it is.
    pub digest: String,
    /// Digest of its configuration: what an engine knows it by.
    pub id: String,
    parts: Vec<Packed>,
}

/// Media types (image-spec, "Media Types").
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// When it was made, as far as it tells: the same image is the same bytes.
const EPOCH: &str = "1970-01-01T00:00:00Z";

impl Made {
    /// Makes an image of these files, as [`layer::archive`] takes them.
    ///
    /// # Errors
    /// If a name is too long for an archive.
    pub fn new(reference: Reference, files: &[Packed], config: &Config) -> io::Result<Self> {
        let mut parts = Vec::new();
        let layer = layer::archive(files, "")?;
        let diff = digest(&layer);
        let layer = describe(&mut parts, LAYER, layer);
        let labels: serde_json::Map<_, _> =
            config.labels.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let configuration = json!({
            "architecture": config.architecture,
            "os": "linux",
            "created": EPOCH,
            "config": {
                "User": config.user,
                "Entrypoint": config.entrypoint,
                "Cmd": config.arguments,
                "WorkingDir": "/",
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [diff]},
            "history": [{"created": EPOCH, "created_by": "scratchdbg image"}],
        });
        let configuration = describe(&mut parts, CONFIG, configuration.to_string().into_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": [layer]});
        let mut listed = describe(&mut parts, MANIFEST, manifest.to_string().into_bytes());
        let text = |value: &Value| value["digest"].as_str().unwrap_or_default().to_owned();
        let (digest, id) = (text(&listed), text(&configuration));
        listed["platform"] = json!({"os": "linux", "architecture": config.architecture});
        listed["annotations"] = json!({
            // By the first containerd knows it, whole; by the second everybody else.
            "io.containerd.image.name": reference.whole(),
            "org.opencontainers.image.ref.name": reference.to_string(),
        });
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]});
        let saved = json!([{
            "Config": place(&id),
            "RepoTags": [reference.to_string()],
            "Layers": [place(&text(&layer))],
        }]);
        let mut document = |path: &str, text: String| {
            parts.push(Packed { path: path.to_owned(), mode: 0o644, bytes: text.into_bytes().into() });
        };
        document("oci-layout", json!({"imageLayoutVersion": "1.0.0"}).to_string());
        document("index.json", index.to_string());
        document("manifest.json", saved.to_string());
        Ok(Self { reference, digest, id, parts })
    }

    /// The whole of it as one archive: an OCI layout that is also what `docker save` writes.
    ///
    /// # Errors
    /// If a name is too long for an archive.
    pub fn archive(&self) -> io::Result<Vec<u8>> {
        layer::archive(&self.parts, "")
    }

    /// Writes the layout into a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If there is something in the folder already, or it cannot be written.
    pub fn write_into(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        if std::fs::read_dir(folder)?.next().is_some() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        for part in &self.parts {
            let path = folder.join(&part.path);
            if let Some(above) = path.parent() {
                std::fs::create_dir_all(above)?;
            }
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
            io::Write::write_all(&mut file, &part.bytes)?;
        }
        Ok(())
    }
}

/// Puts a part in, and says what it is (image-spec, "Content Descriptors").
fn describe(parts: &mut Vec<Packed>, kind: &str, bytes: Vec<u8>) -> Value {
    let digest = digest(&bytes);
    let descriptor = json!({"mediaType": kind, "digest": digest, "size": bytes.len()});
    parts.push(Packed { path: place(&digest), mode: 0o644, bytes: bytes.into() });
    descriptor
}

/// Where a digest's bytes are (image-spec, "Blobs").
fn place(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // A string takes whatever it is given.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{self, Image};

    fn made(name: &str, bytes: &'static [u8]) -> Made {
        let files = [Packed { path: "/bin/tool".to_owned(), mode: 0o111, bytes: bytes.into() }];
        let config = Config {
            architecture: if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
            user: "65532:65532",
            entrypoint: vec!["/bin/tool".to_owned()],
            arguments: vec!["hold".to_owned()],
            labels: vec![("org.opencontainers.image.version", "1.2.3".to_owned())],
        };
        Made::new(name.parse().unwrap(), &files, &config).unwrap()
    }

    fn read(image: &Image) {
        assert_eq!(image.name.as_deref(), Some("tool:1"));
        assert_eq!(image.platform.0, "linux");
        assert_eq!(image.setup.words(), ["/bin/tool".into(), "hold".into()]);
        assert_eq!(image.setup.user, "65532:65532".into());
        let tool = image.tree.find(b"/bin/tool", true).unwrap();
        assert_eq!(tool.data.unwrap().bytes(0, 100).unwrap(), b"ELF");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let made = made("tool:1", b"ELF");
        let folder = tempfile::tempdir().unwrap();
        let (layout, file) = (folder.path().join("layout"), folder.path().join("image.tar"));
        made.write_into(&layout).unwrap();
        std::fs::write(&file, made.archive().unwrap()).unwrap();
        read(&image::open(&layout, None).unwrap());
        read(&image::open(&file, Some("tool:1")).unwrap());
        // As an OCI layout, without what `docker save` has beside it.
        std::fs::remove_file(layout.join("manifest.json")).unwrap();
        read(&image::open(&layout, Some("tool:1")).unwrap());
        assert_eq!(made.write_into(&layout).unwrap_err().kind(), io::ErrorKind::DirectoryNotEmpty);
    }

    #[test]
    fn the_same_files_are_the_same_image() {
        let (one, same, other) = (made("tool:1", b"ELF"), made("tool:1", b"ELF"), made("tool:1", b"FLE"));
        assert_eq!(one.archive().unwrap(), same.archive().unwrap());
        assert_eq!((&one.digest, &one.id), (&same.digest, &same.id));
        assert_ne!((&one.digest, &one.id), (&other.digest, &other.id));
        // A name is nothing of the image itself.
        assert_eq!(made("other:2", b"ELF").digest, one.digest);
    }

    #[test]
    fn each_blob_is_named_by_its_digest() {
        // FIPS 180-4 gives these.
        assert_eq!(digest(b"abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let made = made("tool:1", b"ELF");
        let blobs: Vec<_> = made.parts.iter().filter(|part| part.path.starts_with("blobs/sha256/")).collect();
        assert_eq!(blobs.len(), 3);
        for blob in blobs {
            assert_eq!(place(&digest(&blob.bytes)), blob.path);
        }
        assert!(made.parts.iter().any(|part| part.path == place(&made.digest)));
        assert!(made.parts.iter().any(|part| part.path == place(&made.id)));
    }
}

//! Images that are made by the test itself, without an engine: OCI layouts in a folder.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

/// An image to be made.
#[derive(Default)]
pub struct Layout {
    files: Vec<(String, u32, u64, Option<Vec<u8>>)>,
    config: Value,
}

/// An image that was made; gone when dropped.
pub struct Made {
    folder: TempDir,
}

impl Layout {
    /// `FROM scratch`, with a program that is run.
    pub fn of(program: &Path) -> Self {
        let config = json!({"Entrypoint": ["/app"], "User": "65532:65532", "Env": ["PATH=/bin"]});
        Self { files: Vec::new(), config }.file("/app", 0o755, &fs::read(program).unwrap())
    }

    /// A file of root's.
    pub fn file(mut self, path: &str, mode: u32, inside: &[u8]) -> Self {
        self.files.retain(|(known, ..)| known != path);
        self.files.push((path.to_owned(), mode, 0, Some(inside.to_vec())));
        self
    }

    /// A directory, of some user's.
    pub fn folder(mut self, path: &str, mode: u32, uid: u64) -> Self {
        self.files.push((path.to_owned(), mode, uid, None));
        self
    }

    /// A part of its configuration.
    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.config[name] = value;
        self
    }

    /// One more variable of its environment.
    pub fn env(mut self, variable: &str) -> Self {
        self.config["Env"].as_array_mut().unwrap().push(variable.into());
        self
    }

    /// Writes it.
    pub fn make(self) -> Made {
        let mut layer = Builder::new(Vec::new());
        for (path, mode, uid, inside) in self.files {
            let mut header = Header::new_gnu();
            header.set_mode(mode);
            header.set_uid(uid);
            header.set_gid(uid);
            let inside = inside.unwrap_or_else(|| {
                header.set_entry_type(EntryType::Directory);
                Vec::new()
            });
            header.set_size(inside.len() as u64);
            layer.append_data(&mut header, path.trim_start_matches('/'), inside.as_slice()).unwrap();
        }
        let layer = layer.into_inner().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        // What reads them goes by their names; hashes would say nothing more here.
        let config = json!({"os": "linux", "architecture": "amd64", "config": self.config});
        let manifest = json!({"config": {"digest": "sha256:c0"}, "layers": [{"digest": "sha256:1a"}]});
        fs::write(blobs.join("1a"), layer).unwrap();
        fs::write(blobs.join("c0"), config.to_string()).unwrap();
        fs::write(blobs.join("a0"), manifest.to_string()).unwrap();
        let index = json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:a0"}]});
        fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Made { folder }
    }
}

impl Made {
    /// `image://…`
    pub fn target(&self) -> String {
        format!("image://{}", self.folder.path().display())
    }
}

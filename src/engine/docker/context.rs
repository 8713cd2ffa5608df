//! Docker contexts: names for engines, kept by the docker CLI in its configuration folder.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::engine::error::Error;

/// The largest configuration file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a context says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The engine's address.
    pub host: String,
    /// Where its certificates are, if it has any, so that plain TCP will not do.
    pub tls: Option<PathBuf>,
    /// Whether its engine is believed whoever it is; that takes TLS too.
    pub skip_verify: bool,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    #[serde(default)]
    docker: Option<Docker>,
}

#[derive(Deserialize)]
struct Docker {
    #[serde(rename = "Host")]
    host: Option<String>,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_verify: bool,
}

/// The context the configuration names, if it names one.
///
/// # Errors
/// If there is a configuration that cannot be read.
pub fn current(folder: &Path) -> Result<Option<String>, Error> {
    let config: Option<Config> = read(&folder.join("config.json"))?;
    Ok(config.and_then(|config| config.current_context).filter(|name| !name.is_empty()))
}

/// Finds a context by its name.
///
/// Its folder is called by a hash of the name, so every `meta.json` is asked for its name instead: they are few.
///
/// # Errors
/// If the context's own file cannot be read.
pub fn find(folder: &Path, name: &str) -> Result<Option<Found>, Error> {
    let Ok(entries) = std::fs::read_dir(folder.join("contexts/meta")) else { return Ok(None) };
    let mut broken = None;
    for entry in entries.flatten() {
        match read::<Meta>(&entry.path().join("meta.json")) {
            Ok(Some(meta)) if meta.name == name => {
                let tls = folder.join("contexts/tls").join(entry.file_name()).join("docker");
                let tls = tls.is_dir().then_some(tls);
                let docker = meta.endpoints.docker;
                let skip_verify = docker.as_ref().is_some_and(|docker| docker.skip_verify);
                let host = docker.and_then(|docker| docker.host).filter(|host| !host.is_empty());
                return host.map(|host| Some(Found { host, tls, skip_verify })).ok_or_else(|| Error::Address {
                    what: format!("Docker context {name:?}"),
                    why: "it names no engine".to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) => broken = Some(error),
        }
    }
    broken.map_or(Ok(None), Err)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bad = |why: String| Error::Address { what: path.display().to_string(), why };
    let text = content(path).map_err(|error| bad(error.to_string()))?;
    text.map(|text| serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))).transpose()
}

/// What is in a file of the configuration, if there is such a file.
///
/// # Errors
/// If it is there and cannot be read.
pub fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Writes a configuration folder as the docker CLI does, but for the names of the folders.
    pub fn write(folder: &Path, current: Option<&str>, contexts: &[(&str, &str)]) {
        if let Some(current) = current {
            std::fs::write(folder.join("config.json"), format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#))
                .unwrap();
        }
        for (index, (name, host)) in contexts.iter().enumerate() {
            let meta = folder.join("contexts/meta").join(index.to_string());
            std::fs::create_dir_all(&meta).unwrap();
            let text = format!(
                r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
            );
            std::fs::write(meta.join("meta.json"), text).unwrap();
        }
    }

    #[test]
    fn contexts_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(current(folder.path()), Ok(None));
        assert_eq!(find(folder.path(), "a"), Ok(None));
        write(folder.path(), Some("b"), &[("a", "unix:///a"), ("b", "tcp://b:2376"), ("c", "")]);
        let certificates = folder.path().join("contexts/tls/1/docker");
        std::fs::create_dir_all(&certificates).unwrap();
        assert_eq!(current(folder.path()), Ok(Some("b".to_owned())));
        assert_eq!(
            find(folder.path(), "a"),
            Ok(Some(Found { host: "unix:///a".into(), tls: None, skip_verify: false }))
        );
        let secure = Found { host: "tcp://b:2376".into(), tls: Some(certificates), skip_verify: false };
        assert_eq!(find(folder.path(), "b"), Ok(Some(secure.clone())));
        let meta = folder.path().join("contexts/meta/1/meta.json");
        let text = std::fs::read_to_string(&meta).unwrap().replace("false", "true");
        std::fs::write(meta, text).unwrap();
        assert_eq!(find(folder.path(), "b"), Ok(Some(Found { skip_verify: true, ..secure })));
        assert!(find(folder.path(), "c").unwrap_err().to_string().contains("names no engine"));
        assert_eq!(find(folder.path(), "d"), Ok(None));
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), "{").unwrap();
        let error = current(folder.path()).unwrap_err().to_string();
        assert!(error.contains("config.json cannot be used"), "{error}");
        write(folder.path(), None, &[("a", "unix:///a")]);
        std::fs::write(folder.path().join("contexts/meta/0/meta.json"), "[]").unwrap();
        assert!(find(folder.path(), "a").is_err());
    }
}

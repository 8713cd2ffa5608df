//! Who one is at a registry: what `docker login` has kept, in its configuration or in a keychain.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::context;
use crate::engine::error::Error;

/// How a configuration calls Docker's own registry.
const USUAL: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");
/// How long a keychain may take: it may ask the person.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of its answer that are read.
const MOST: u64 = 1 << 20;
/// What a keychain says for a user where what follows is no password.
const TOKEN: &str = "<token>";

/// What a keychain answers (github.com/docker/docker-credential-helpers).
#[derive(Deserialize)]
struct Kept {
    #[serde(rename = "Username", default)]
    user: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// What is kept for a registry, if there is anything. `folder` is that of Docker's configuration.
///
/// # Errors
/// If the configuration cannot be read.
pub async fn of(folder: &Path, registry: &str) -> Result<Option<DockerCredentials>, Error> {
    let path = folder.join("config.json");
    let bad = |why: String| Error::Address { what: path.display().to_string(), why };
    let Some(text) = context::content(&path).map_err(|error| bad(error.to_string()))? else { return Ok(None) };
    let config: Value = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    let key = if registry == USUAL.0 { USUAL.1 } else { registry };
    let keychain = config["credHelpers"][key].as_str().or(config["credsStore"].as_str());
    let found = match keychain.filter(|name| is_word(name)) {
        Some(name) => ask(name, key).await.ok().map(|kept| credentials(&kept.user, &kept.secret)),
        None => None,
    };
    let found = found.or_else(|| written(&config["auths"][key]));
    Ok(found.map(|found| DockerCredentials { serveraddress: Some(key.to_owned()), ..found }))
}

/// What is written in the configuration itself.
fn written(entry: &Value) -> Option<DockerCredentials> {
    if let Some(token) = entry["identitytoken"].as_str().filter(|token| !token.is_empty()) {
        return Some(credentials(TOKEN, token));
    }
    let text = STANDARD.decode(entry["auth"].as_str()?).ok()?;
    let (user, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    Some(credentials(user, secret.trim_end_matches('\0')))
}

fn credentials(user: &str, secret: &str) -> DockerCredentials {
    match user {
        TOKEN => DockerCredentials { identitytoken: Some(secret.to_owned()), ..DockerCredentials::default() },
        user => DockerCredentials {
            username: Some(user.to_owned()),
            password: Some(secret.to_owned()),
            ..DockerCredentials::default()
        },
    }
}

/// Asks a keychain.
async fn ask(name: &str, key: &str) -> io::Result<Kept> {
    let asking = async {
        let mut command = Command::new(format!("docker-credential-{name}"));
        command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(key.as_bytes()).await?;
        }
        let mut text = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MOST).read_to_end(&mut text).await?;
        }
        // One that has nothing for it says so in words.
        if !child.wait().await?.success() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(serde_json::from_slice(&text)?)
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of_config(config: &str, registry: &str) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let found = of(folder.path(), registry).await.unwrap();
        found.map(|found| (found.username, found.password, found.identitytoken))
    }

    #[tokio::test]
    async fn what_login_has_written() {
        let me = Some((Some("me".to_owned()), Some("pass:word".to_owned()), None));
        let auth = STANDARD.encode("me:pass:word");
        let config = format!(
            r#"{{"auths": {{"r.example:5000": {{"auth": "{auth}"}}, "https://index.docker.io/v1/": {{"auth": "{auth}"}},
                "t.example": {{"identitytoken": "abc"}}, "odd": {{"auth": "?"}}}}}}"#
        );
        assert_eq!(of_config(&config, "r.example:5000").await, me);
        assert_eq!(of_config(&config, "docker.io").await, me);
        assert_eq!(of_config(&config, "t.example").await, Some((None, None, Some("abc".to_owned()))));
        assert_eq!(of_config(&config, "odd").await, None);
        assert_eq!(of_config(&config, "other").await, None);
        // A keychain that is not there has nothing, and a name that is a path is none.
        let config = format!(r#"{{"credsStore": "../none", "auths": {{"r.example": {{"auth": "{auth}"}}}}}}"#);
        assert_eq!(of_config(&config, "r.example").await, me);
        let config = format!(r#"{{"credsStore": "not-there-at-all", "auths": {{"r.example": {{"auth": "{auth}"}}}}}}"#);
        assert_eq!(of_config(&config, "r.example").await, me);
    }

    #[tokio::test]
    async fn no_configuration_and_a_broken_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of(folder.path(), "docker.io").await.unwrap().is_none());
        std::fs::write(folder.path().join("config.json"), "{").unwrap();
        assert!(of(folder.path(), "docker.io").await.unwrap_err().to_string().contains("config.json cannot be used"));
    }
}

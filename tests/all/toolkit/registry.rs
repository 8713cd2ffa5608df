//! `image push`: an engine pushes to a registry, which is the test's own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::require_engine;
use crate::support::command::{binary, run};
use crate::support::engine::try_docker;

/// Whom it lets in.
const USER: &str = "me:open:sesame";

/// What was put where, by path.
type Kept = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A registry on this host that takes everything from whoever knows the word (distribution-spec, "Push").
struct Registry {
    address: String,
    kept: Kept,
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let kept = Kept::default();
        let of_thread = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&of_thread);
                // Whoever hangs up in the midst of something has gone.
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { address, kept }
    }
}

/// One connection, request by request.
fn serve(stream: TcpStream, kept: &Kept) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let headers = headers(&mut reader)?;
        let body = body(&mut reader, &headers)?;
        let known =
            headers.get("authorization").map(String::as_str) == Some(&format!("Basic {}", STANDARD.encode(USER)));
        let (status, more) = if known {
            answer(&method, &target, body, kept)
        } else {
            (401, "WWW-Authenticate: Basic realm=\"test\"\r\n".to_owned())
        };
        let length = if more.contains("Content-Length") { "" } else { "Content-Length: 0\r\n" };
        let head =
            format!("HTTP/1.1 {status} X\r\nDocker-Distribution-Api-Version: registry/2.0\r\n{more}{length}\r\n");
        writer.write_all(head.as_bytes()).ok()?;
    }
}

fn headers(reader: &mut impl std::io::BufRead) -> Option<HashMap<String, String>> {
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
            None => return Some(headers),
        }
    }
}

fn body(reader: &mut impl std::io::BufRead, headers: &HashMap<String, String>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|how| how == "chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let length = u64::from_str_radix(line.trim(), 16).ok()?;
            reader.take(length).read_to_end(&mut body).ok()?;
            reader.read_line(&mut line).ok()?;
            if length == 0 {
                return Some(body);
            }
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut body).ok()?;
    Some(body)
}

fn answer(method: &str, target: &str, body: Vec<u8>, kept: &Kept) -> (u16, String) {
    let mut kept = kept.lock().unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let digest = query.split('&').find_map(|part| part.strip_prefix("digest=")).map(|text| text.replace("%3A", ":"));
    match method {
        "GET" if path == "/v2/" => (200, String::new()),
        "HEAD" => match kept.get(path) {
            Some(bytes) => (200, format!("Content-Length: {}\r\n", bytes.len())),
            None => (404, String::new()),
        },
        "POST" => {
            // A place of its own for each: an engine sends several at once.
            let at = format!("{path}{}", kept.len());
            kept.insert(at.clone(), Vec::new());
            (202, format!("Location: {at}\r\nDocker-Upload-UUID: upload\r\n"))
        }
        "PATCH" => {
            let length = body.len();
            kept.insert(path.to_owned(), body);
            (202, format!("Location: {path}\r\nRange: 0-{}\r\n", length.saturating_sub(1)))
        }
        "PUT" if path.contains("/uploads/") => {
            let bytes = kept.get(path).filter(|_| body.is_empty()).cloned().unwrap_or(body);
            let at = path.split("/uploads/").next().unwrap();
            kept.insert(format!("{at}/{}", digest.unwrap()), bytes);
            (201, String::new())
        }
        "PUT" => {
            let digest = Sha256::digest(&body);
            kept.insert(path.to_owned(), body);
            (201, format!("Docker-Content-Digest: sha256:{digest:x}\r\n"))
        }
        _ => (405, String::new()),
    }
}

#[test]
fn an_engine_pushes_it_as_who_has_logged_in() {
    require_engine!();
    let registry = Registry::start();
    let image = format!("{}/tools/toolkit:1", registry.address);
    let folder = tempfile::tempdir().unwrap();
    let push = || {
        let mut command = binary(&["image", "push", &image, "--json", "-q"]);
        command.env("DOCKER_CONFIG", folder.path());
        run(command)
    };
    push().fails_with(1, &["push image", "docker login"]);
    let auth = STANDARD.encode(USER);
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address);
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let told = push();
    let _ = try_docker(&["rmi", &image]);
    let told = told.quietly().json();
    assert_eq!(told["image"], image.as_str());
    let kept = registry.kept.lock().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&kept["/v2/tools/toolkit/manifests/1"]).unwrap();
    assert_eq!(manifest["config"]["digest"], told["id"]);
    let digest = Sha256::digest(&kept["/v2/tools/toolkit/manifests/1"]);
    assert_eq!(told["digest"], format!("sha256:{digest:x}"));
    let config = &kept[&format!("/v2/tools/toolkit/blobs/{}", told["id"].as_str().unwrap())];
    let config: serde_json::Value = serde_json::from_slice(config).unwrap();
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/scratchdbg-shim"]));
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
}

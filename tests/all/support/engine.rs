//! The container engine, by its own command line: the tests ask somebody else than the code they test.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use serde_json::Value;

use super::wait;

/// The images that `scripts/images` builds.
const IMAGES: [&str; 9] = [
    "scratchdbg-test/shop",
    "scratchdbg-test/static",
    "scratchdbg-test/toolbox",
    "scratchdbg-test/ports",
    "scratchdbg-test/shell",
    "scratchdbg-test/dynamic",
    "scratchdbg-test/native",
    "scratchdbg-test/attacker",
    "scratchdbg-test/etcd",
];

/// Runs the engine's command line. Standard output, or standard error if it failed.
pub fn try_docker(args: &[&str]) -> Result<String, String> {
    output(Command::new("docker").args(args))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Runs the engine's command line.
///
/// # Panics
/// If it fails.
pub fn docker(args: &[&str]) -> String {
    try_docker(args).unwrap_or_else(|error| panic!("docker {}: {error}", args.join(" ")))
}

/// Whether it is Podman that is asked, which the docker command line can do too.
pub fn is_podman() -> bool {
    static PODMAN: OnceLock<bool> = OnceLock::new();
    *PODMAN.get_or_init(|| docker(&["version", "--format", "{{json .Server}}"]).contains("Podman"))
}

/// Whether it is Docker.
pub fn is_docker() -> bool {
    !is_podman()
}

/// Podman's own command line, for what Docker's cannot say.
pub fn try_podman(args: &[&str]) -> Result<String, String> {
    let host = env::var("DOCKER_HOST").unwrap_or_default();
    output(Command::new("podman").args(["--remote", "--url", &host]).args(args))
}

/// An engine that runs without root.
pub struct Rootless {
    /// Whose it is.
    pub user: u32,
    /// The user's group.
    pub group: u32,
    /// Where it listens.
    pub socket: PathBuf,
}

/// The engine, if it is not root's: what it is known by is who owns its socket.
pub fn rootless() -> Option<Rootless> {
    let host = env::var("DOCKER_HOST").unwrap_or_default();
    let socket = PathBuf::from(host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"));
    let owner = fs::metadata(&socket).ok()?;
    (owner.uid() != 0).then(|| Rootless { user: owner.uid(), group: owner.gid(), socket })
}

/// Whether it is an engine that can make no cgroups: it has no root, and version 1 gives them to root alone.
pub fn has_no_cgroups() -> bool {
    rootless().is_some() && docker(&["info", "--format", "{{.CgroupVersion}}"]) == "1"
}

/// A question that Podman cannot answer while somebody else changes something: it is asked again.
pub fn ask(args: &[&str]) -> String {
    let mut last = String::new();
    let answer = wait::ask_within(wait::PATIENCE, || match try_docker(args) {
        Ok(answer) => Some(answer),
        Err(error) => {
            last = error;
            None
        }
    });
    answer.unwrap_or_else(|| panic!("docker {}: {last}", args.join(" ")))
}

/// All that the engine says of a container.
pub fn inspect(id: &str) -> Value {
    let text = ask(&["inspect", "--type", "container", id]);
    let mut list: Vec<Value> = serde_json::from_str(&text).expect("docker inspect prints JSON");
    list.remove(0)
}

/// What keeps tests with containers from running here, if anything.
pub fn missing() -> Option<String> {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    MISSING
        .get_or_init(|| {
            let mut args = vec!["image", "inspect", "--format", "{{.Id}}"];
            args.extend(IMAGES);
            let error = try_docker(&args).err()?;
            let first = error.lines().next().unwrap_or_default();
            Some(match try_docker(&["version"]) {
                Ok(_) => format!("the sample images are not all there (scripts/images builds them): {first}"),
                Err(_) => format!("no container engine answers: {first}"),
            })
        })
        .clone()
}

//! How a target is named, and which engine is asked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::command::{Ended, binary, run, scratchdbg};
use crate::support::container::Run;
use crate::support::engine;
use crate::{require_engine, require_root};

#[test]
fn a_target_has_many_names() {
    require_engine!();
    require_root!();
    let container = Run::toolbox(&["sleep"]).start();
    let (name, id) = (container.name(), container.id());
    let names = [
        name.to_owned(),
        id.to_owned(),
        id[..20].to_owned(),
        format!("docker://{name}"),
        format!("docker://{}", &id[..20]),
        format!("pid://{}", container.pid()),
    ];
    let pid = container.pid();
    for target in names {
        let json = scratchdbg(&["ps", &target, "--json"]).quietly().json();
        assert_eq!(json["processes"][0]["host_pid"], pid, "{target}");
        let path = format!("{target}:/etc/notes.txt");
        assert!(!scratchdbg(&["cat", &path]).quietly().stdout.is_empty(), "{target}");
    }
    // A name that is whole wins over others that begin with it.
    let longer = format!("{name}0");
    let other = Run::toolbox(&["sleep"]).start();
    engine::docker(&["rename", other.id(), &longer]);
    let json = scratchdbg(&["ps", name, "--json"]).quietly().json();
    assert_eq!(json["processes"][0]["host_pid"], pid);
    let json = scratchdbg(&["ps", &longer, "--json"]).quietly().json();
    assert_eq!(json["processes"][0]["host_pid"], other.pid());
    scratchdbg(&["ps", "podman+ssh://x"]).ends_with(2);
}

/// The path of the socket at which the engine of these tests listens; nothing if it has another kind of address.
pub fn socket() -> Option<String> {
    let address = std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty())
        .unwrap_or_else(|| engine::docker(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]));
    address.strip_prefix("unix://").map(str::to_owned)
}

/// `scratchdbg list`, with only this said about where the engine is.
fn list(options: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut args = vec!["list", "--json"];
    args.extend(options);
    let mut command = binary(&args);
    for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").envs(environment.iter().copied());
    run(command)
}

/// The docker CLI's own files: a context of this name with this address, and which one is in use.
fn write_context(folder: &Path, name: &str, address: &str, current: &str) {
    // The real folder's name is a hash of the context's; both CLIs find it by what is in it.
    let meta = folder.join("contexts/meta").join(format!("{:064x}", name.len()));
    fs::create_dir_all(&meta).unwrap();
    let content = serde_json::json!({
        "Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": address, "SkipTLSVerify": false}},
    });
    fs::write(meta.join("meta.json"), content.to_string()).unwrap();
    let config = serde_json::json!({"auths": {}, "currentContext": current});
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn the_engine_is_found_as_the_docker_cli_finds_it() {
    require_engine!();
    let Some(socket) = socket() else { return };
    let container = Run::toolbox(&["sleep"]).start();
    let folder = tempfile::tempdir().unwrap();
    // Under another name, so that nobody finds it by default.
    let link = folder.path().join("engine.sock");
    symlink(socket, &link).unwrap();
    let good = format!("unix://{}", link.display());
    let nowhere = |name: &str| format!("unix://{}", folder.path().join(name).display());
    write_context(folder.path(), "good", &good, "good");
    write_context(folder.path(), "other one", &nowhere("context.sock"), "good");
    let config = folder.path().to_str().unwrap().to_owned();

    let finds = |options: &[&str], environment: &[(&str, &str)]| {
        let json = list(options, environment).quietly().json();
        let found = json["containers"].as_array().unwrap().iter().any(|one| one["id"] == container.id());
        assert!(found, "{options:?} {environment:?}");
    };
    let misses = |options: &[&str], environment: &[(&str, &str)], at: &str| {
        list(options, environment).fails_with(5, &[at]);
    };
    let (by_host, by_env) = (nowhere("option.sock"), nowhere("environment.sock"));
    finds(&["--host", &good], &[]);
    finds(&[], &[("DOCKER_HOST", &good)]);
    finds(&[], &[("DOCKER_CONFIG", &config)]);
    misses(&["--host", &by_host], &[("DOCKER_HOST", &good), ("DOCKER_CONFIG", &config)], "option.sock");
    finds(&["--host", &good], &[("DOCKER_HOST", &by_env)]);
    misses(&[], &[("DOCKER_HOST", &by_env), ("DOCKER_CONFIG", &config)], "environment.sock");
    misses(&[], &[("DOCKER_CONTEXT", "other one"), ("DOCKER_CONFIG", &config)], "context.sock");
    write_context(folder.path(), "good", &good, "other one");
    misses(&[], &[("DOCKER_CONFIG", &config)], "context.sock");
    finds(&[], &[("DOCKER_CONTEXT", "good"), ("DOCKER_CONFIG", &config)]);
    list(&[], &[("DOCKER_CONTEXT", "missing"), ("DOCKER_CONFIG", &config)]).fails_with(2, &["missing"]);
    list(&[], &[("DOCKER_HOST", "ftp://x")]).fails_with(2, &["ftp://x"]);
}

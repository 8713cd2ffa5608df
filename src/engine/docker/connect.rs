//! Which engine is meant: the docker CLI's own order of precedence.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::context;
use super::ssh::Ssh;
use crate::engine::error::Error;

/// Where Docker listens unless told otherwise.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// Where Podman listens when run by root.
const PODMAN_SOCKET: &str = "/run/podman/podman.sock";
/// Docker's port without TLS.
const TCP_PORT: u16 = 2375;
/// `sun_path` of unix(7) holds 108 bytes, the last of them NUL.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// TCP without TLS: host and port.
    Tcp(String, u16),
    /// Through ssh.
    Ssh(Ssh),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host, port) if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::Ssh(ssh) => ssh.fmt(f),
        }
    }
}

/// What of the surroundings decides: environment and files, so that tests can bring their own.
pub struct Surroundings<'a> {
    /// An environment variable; unset and empty are the same, as for the docker CLI.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a socket exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.var)(name).filter(|value| !value.is_empty())
    }
}

/// Chooses the endpoint: `--host`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the configured context, Docker's
/// socket, and Podman's sockets only where Docker's does not exist.
///
/// # Errors
/// If an address or a context is named that cannot be used. Nothing is connected.
pub fn choose(host: Option<&str>, around: &Surroundings<'_>) -> Result<Endpoint, Error> {
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        return parse(host, "--host", tls_wanted(around));
    }
    if let Some(host) = around.get("DOCKER_HOST") {
        return parse(&host, "DOCKER_HOST", tls_wanted(around));
    }
    let folder = around
        .get("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| around.get("HOME").map(|home| Path::new(&home).join(".docker")));
    let name = match (around.get("DOCKER_CONTEXT"), &folder) {
        (Some(name), _) => Some(name),
        (None, Some(folder)) => context::current(folder)?,
        (None, None) => None,
    };
    if let Some(name) = name.filter(|name| name != "default") {
        let found = folder.as_deref().map_or(Ok(None), |folder| context::find(folder, &name))?;
        let Some(found) = found else {
            return Err(Error::Address {
                what: format!("Docker context {name:?}"),
                why: "there is no such context; see `docker context ls`".into(),
            });
        };
        return parse(&found.host, &format!("Docker context {name:?}"), found.tls);
    }
    Ok(Endpoint::Unix(default_socket(around)))
}

fn default_socket(around: &Surroundings<'_>) -> PathBuf {
    let docker = PathBuf::from(DOCKER_SOCKET);
    if (around.exists)(&docker) {
        return docker;
    }
    let rootless = around.get("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("podman/podman.sock"));
    [Some(PathBuf::from(PODMAN_SOCKET)), rootless]
        .into_iter()
        .flatten()
        .find(|path| (around.exists)(path))
        .unwrap_or(docker)
}

fn tls_wanted(around: &Surroundings<'_>) -> bool {
    around.get("DOCKER_TLS_VERIFY").is_some() || around.get("DOCKER_TLS").is_some()
}

/// Reads an address as `docker --host` takes it.
fn parse(address: &str, source: &str, tls: bool) -> Result<Endpoint, Error> {
    let bad = |why: &str| Error::Address { what: format!("{source} {address:?}"), why: why.to_owned() };
    let unsupported = |what| Error::Unsupported { endpoint: address.to_owned(), what };
    let Some((scheme, rest)) = address.split_once("://") else {
        return Err(bad("it has no scheme; write unix:///PATH or tcp://HOST:PORT"));
    };
    match scheme {
        "unix" if rest.is_empty() => Ok(Endpoint::Unix(DOCKER_SOCKET.into())),
        "unix" if !rest.starts_with('/') => Err(bad("a socket's path starts with /")),
        "unix" if Path::new(rest).as_os_str().as_bytes().len() > LONGEST_SOCKET_PATH => {
            Err(bad("a socket's path has at most 107 bytes"))
        }
        "unix" => Ok(Endpoint::Unix(rest.into())),
        "tcp" if tls => Err(unsupported("TLS")),
        "tcp" | "http" => tcp(rest.trim_end_matches('/')).ok_or_else(|| bad("it is not HOST:PORT")),
        "https" => Err(unsupported("TLS")),
        "ssh" => Ssh::parse(rest).map(Endpoint::Ssh).ok_or_else(|| bad("it is not [USER@]HOST[:PORT][/SOCKET]")),
        _ => Err(bad("only unix://, tcp:// and ssh:// can be connected to")),
    }
}

fn tcp(rest: &str) -> Option<Endpoint> {
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(TCP_PORT), |port| port.parse().ok())?;
    let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    plain.then(|| Endpoint::Tcp(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_with(host: Option<&str>, vars: &[(&str, &str)], sockets: &[&str]) -> Result<String, Error> {
        let around = Surroundings {
            var: &|name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()),
            exists: &|path| sockets.iter().any(|socket| Path::new(socket) == path),
        };
        choose(host, &around).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn precedence_is_that_of_the_docker_cli() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().to_str().unwrap();
        context::tests::write(folder.path(), Some("here"), &[("here", "unix:///here"), ("there", "tcp://there:1")]);
        let vars = |more: &[(&'static str, &'static str)]| {
            let mut vars = vec![("DOCKER_CONFIG", config)];
            vars.extend_from_slice(more);
            choose_with(None, &vars, &[DOCKER_SOCKET]).unwrap()
        };
        assert_eq!(vars(&[]), "unix:///here");
        assert_eq!(vars(&[("DOCKER_CONTEXT", "there")]), "tcp://there:1");
        assert_eq!(vars(&[("DOCKER_CONTEXT", "default")]), "unix:///var/run/docker.sock");
        assert_eq!(vars(&[("DOCKER_CONTEXT", "there"), ("DOCKER_HOST", "unix:///env")]), "unix:///env");
        assert_eq!(vars(&[("DOCKER_HOST", "")]), "unix:///here");
        let all = [("DOCKER_CONFIG", config), ("DOCKER_HOST", "unix:///env")];
        assert_eq!(choose_with(Some("unix:///flag"), &all, &[]).unwrap(), "unix:///flag");
        let missing = choose_with(None, &[("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "nowhere")], &[]);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "Docker context \"nowhere\" cannot be used: there is no such context; see `docker context ls`"
        );
    }

    #[test]
    fn podman_only_where_docker_is_not() {
        let run = [("XDG_RUNTIME_DIR", "/run/user/7")];
        let mine = "/run/user/7/podman/podman.sock";
        for (sockets, chosen) in [
            (&[DOCKER_SOCKET, PODMAN_SOCKET, mine][..], DOCKER_SOCKET),
            (&[PODMAN_SOCKET, mine], PODMAN_SOCKET),
            (&[mine], mine),
            (&[], DOCKER_SOCKET),
        ] {
            assert_eq!(choose_with(None, &run, sockets).unwrap(), format!("unix://{chosen}"));
        }
    }

    #[test]
    fn addresses() {
        for (address, shown) in [
            ("unix:///a/b.sock", "unix:///a/b.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("tcp://h", "tcp://h:2375"),
            ("tcp://1.2.3.4:99/", "tcp://1.2.3.4:99"),
            ("tcp://[::1]:99", "tcp://[::1]:99"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("ssh://me@h:22", "ssh://me@h:22"),
        ] {
            assert_eq!(choose_with(Some(address), &[], &[]).unwrap(), shown, "{address}");
        }
        let long = format!("unix:///{}", "x".repeat(120));
        for (address, part) in [
            ("/var/run/docker.sock", "no scheme"),
            ("unix://a", "starts with /"),
            (&long, "107 bytes"),
            ("tcp://", "not HOST:PORT"),
            ("tcp://h:x", "not HOST:PORT"),
            ("tcp://h:70000", "not HOST:PORT"),
            ("tcp://h/path", "not HOST:PORT"),
            ("tcp://[::1", "not HOST:PORT"),
            ("npipe:////./pipe", "only unix://, tcp:// and ssh://"),
            ("ssh://-oProxyCommand=x", "not [USER@]HOST"),
            ("https://h", "TLS, which this version does not speak"),
        ] {
            let error = choose_with(Some(address), &[], &[]).unwrap_err().to_string();
            assert!(error.contains(part), "{address}: {error}");
        }
        let error = choose_with(Some("tcp://h"), &[("DOCKER_TLS_VERIFY", "1")], &[]).unwrap_err();
        assert!(matches!(error, Error::Unsupported { what: "TLS", .. }));
    }
}

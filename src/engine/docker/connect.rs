//! Which engine is meant: the docker CLI's own order of precedence.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::context;
use super::ssh::Ssh;
use super::tls::{Tls, Trust};
use crate::engine::error::Error;

/// Where Docker listens unless told otherwise.
pub const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// Where Podman listens when run by root.
pub const PODMAN_SOCKET: &str = "/run/podman/podman.sock";
/// Docker's port without TLS. The docker CLI takes it for any `tcp://` without a port.
const TCP_PORT: u16 = 2375;
/// Docker's port with TLS.
const TLS_PORT: u16 = 2376;
/// Where the docker CLI looks if TLS is all that it was told.
const TLS_HOST: &str = "localhost";
/// `sun_path` of unix(7) holds 108 bytes, the last of them NUL.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// TCP without TLS: host and port.
    Tcp(String, u16),
    /// TCP with TLS: host and port, and who is believed.
    Tls(String, u16, Tls),
    /// Through ssh.
    Ssh(Ssh),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host, port) => write!(f, "tcp://{}", authority(host, *port)),
            Self::Tls(host, port, tls) => {
                let how = if tls.trust == Trust::Anybody { "unverified TLS" } else { "TLS" };
                write!(f, "tcp://{} with {how}", authority(host, *port))
            }
            Self::Ssh(ssh) => ssh.fmt(f),
        }
    }
}

impl Endpoint {
    /// Whom a request is for, as its `Host` says: a proxy before the engine may choose by it.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Tcp(host, port) | Self::Tls(host, port, _) => authority(host, *port),
            Self::Unix(_) | Self::Ssh(_) => "docker".to_owned(),
        }
    }
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What of the surroundings decides: environment and files, so that tests can bring their own.
pub struct Surroundings<'a> {
    /// An environment variable; unset and empty are the same, as for the docker CLI.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a socket exists that we may connect to.
    pub usable: &'a dyn Fn(&Path) -> bool,
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.var)(name).filter(|value| !value.is_empty())
    }
}

/// TLS as it was asked for.
struct Asked {
    tls: Tls,
    /// Whether `tcp://` means TLS too. `https://` always does.
    always: bool,
}

impl Asked {
    /// By the environment, where no context is used.
    fn of_environment(around: &Surroundings<'_>, configuration: Option<PathBuf>) -> Self {
        // What it is set to does not matter, as for the docker CLI: `DOCKER_TLS_VERIFY=0` verifies.
        let (verify, tls) = (around.get("DOCKER_TLS_VERIFY").is_some(), around.get("DOCKER_TLS").is_some());
        let trust = match (verify, tls) {
            (true, _) => Trust::Authority,
            (false, true) => Trust::Anybody,
            (false, false) => Trust::AuthorityOrSystem,
        };
        let folder = around.get("DOCKER_CERT_PATH").map(PathBuf::from).or(configuration);
        Self { tls: Tls { folder, trust }, always: verify || tls }
    }

    /// By a context.
    fn of_context(found: &context::Found) -> Self {
        let trust = if found.skip_verify { Trust::Anybody } else { Trust::AuthorityOrSystem };
        let always = found.skip_verify || found.tls.is_some();
        Self { tls: Tls { folder: found.tls.clone(), trust }, always }
    }
}

/// Where the docker CLI has its configuration.
pub fn configuration_folder(var: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let filled = |name| var(name).filter(|value| !value.is_empty());
    let of_home = || filled("HOME").map(|home| Path::new(&home).join(".docker"));
    filled("DOCKER_CONFIG").map(PathBuf::from).or_else(of_home)
}

/// Chooses the endpoint: `--host`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the configured context, Docker's
/// socket, and Podman's sockets only where Docker's does not exist or is not for us.
///
/// # Errors
/// If an address or a context is named that cannot be used. Nothing is connected.
pub fn choose(host: Option<&str>, around: &Surroundings<'_>) -> Result<Endpoint, Error> {
    let folder = configuration_folder(&|name| around.get(name));
    let asked = Asked::of_environment(around, folder.clone());
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        return parse(host, "--host", asked);
    }
    if let Some(host) = around.get("DOCKER_HOST") {
        return parse(&host, "DOCKER_HOST", asked);
    }
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
        return parse(&found.host, &format!("Docker context {name:?}"), Asked::of_context(&found));
    }
    if asked.always {
        return Ok(Endpoint::Tls(TLS_HOST.to_owned(), TLS_PORT, asked.tls));
    }
    Ok(Endpoint::Unix(default_socket(around)))
}

fn default_socket(around: &Surroundings<'_>) -> PathBuf {
    let docker = PathBuf::from(DOCKER_SOCKET);
    if (around.usable)(&docker) {
        return docker;
    }
    let rootless = around.get("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("podman/podman.sock"));
    [Some(PathBuf::from(PODMAN_SOCKET)), rootless]
        .into_iter()
        .flatten()
        .find(|path| (around.usable)(path))
        .unwrap_or(docker)
}

/// Reads an address as `docker --host` takes it.
fn parse(address: &str, source: &str, asked: Asked) -> Result<Endpoint, Error> {
    let bad = |why: &str| Error::Address { what: format!("{source} {address:?}"), why: why.to_owned() };
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
        "tcp" | "http" | "https" => {
            let secure = scheme == "https";
            let (host, port) = host_and_port(rest.trim_end_matches('/')).ok_or_else(|| bad("it is not HOST:PORT"))?;
            let port = port.unwrap_or(if secure { TLS_PORT } else { TCP_PORT });
            Ok(if secure || asked.always { Endpoint::Tls(host, port, asked.tls) } else { Endpoint::Tcp(host, port) })
        }
        "ssh" => Ssh::parse(rest).map(Endpoint::Ssh).ok_or_else(|| bad("it is not [USER@]HOST[:PORT][/SOCKET]")),
        _ => Err(bad("only unix://, tcp://, https:// and ssh:// can be connected to")),
    }
}

fn host_and_port(rest: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => rest.rsplit_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().ok().ok_or(())).transpose().ok()?;
    let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    plain.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_with(host: Option<&str>, vars: &[(&str, &str)], sockets: &[&str]) -> Result<String, Error> {
        let around = Surroundings {
            var: &|name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()),
            usable: &|path| sockets.iter().any(|socket| Path::new(socket) == path),
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
            // Also where Docker's exists and is for others.
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
            ("https://h:x", "not HOST:PORT"),
            ("npipe:////./pipe", "only unix://, tcp://, https:// and ssh://"),
            ("ssh://-oProxyCommand=x", "not [USER@]HOST"),
        ] {
            let error = choose_with(Some(address), &[], &[]).unwrap_err().to_string();
            assert!(error.contains(part), "{address}: {error}");
        }
    }

    #[test]
    fn tls_is_asked_for_as_the_docker_cli_is_asked() {
        let (verify, tls) = (("DOCKER_TLS_VERIFY", "1"), ("DOCKER_TLS", "1"));
        let (home, config, certificates) = (("HOME", "/me"), ("DOCKER_CONFIG", "/c"), ("DOCKER_CERT_PATH", "/p"));
        let at = |folder: &str, trust| Some((Some(PathBuf::from(folder)), trust));
        for (host, vars, shown, made_with) in [
            (Some("tcp://h:1"), &[home][..], "tcp://h:1", None),
            (Some("tcp://h:1"), &[certificates], "tcp://h:1", None),
            (Some("tcp://h:1"), &[home, verify], "tcp://h:1 with TLS", at("/me/.docker", Trust::Authority)),
            (Some("tcp://h:1"), &[home, config, verify], "tcp://h:1 with TLS", at("/c", Trust::Authority)),
            (Some("tcp://h:1"), &[config, certificates, verify], "tcp://h:1 with TLS", at("/p", Trust::Authority)),
            (Some("tcp://h:1"), &[config, verify, tls], "tcp://h:1 with TLS", at("/c", Trust::Authority)),
            (Some("tcp://h:1"), &[config, tls], "tcp://h:1 with unverified TLS", at("/c", Trust::Anybody)),
            (
                Some("tcp://h:1"),
                &[config, ("DOCKER_TLS_VERIFY", "0")],
                "tcp://h:1 with TLS",
                at("/c", Trust::Authority),
            ),
            (Some("tcp://h:1"), &[config, ("DOCKER_TLS_VERIFY", "")], "tcp://h:1", None),
            (Some("tcp://h:1"), &[verify], "tcp://h:1 with TLS", Some((None, Trust::Authority))),
            // Without a port it is 2375 even so, and without an address it is here.
            (Some("tcp://h"), &[config, verify], "tcp://h:2375 with TLS", at("/c", Trust::Authority)),
            (None, &[config, verify], "tcp://localhost:2376 with TLS", at("/c", Trust::Authority)),
            (Some("http://h:1"), &[config, verify], "tcp://h:1 with TLS", at("/c", Trust::Authority)),
            // A socket needs none.
            (Some("unix:///a"), &[config, verify], "unix:///a", None),
            (Some("ssh://h"), &[config, verify], "ssh://h", None),
            // Ours alone: the docker CLI does not take it.
            (Some("https://h"), &[config], "tcp://h:2376 with TLS", at("/c", Trust::AuthorityOrSystem)),
            (Some("https://[::1]:1/"), &[certificates], "tcp://[::1]:1 with TLS", at("/p", Trust::AuthorityOrSystem)),
            (Some("https://h"), &[config, verify], "tcp://h:2376 with TLS", at("/c", Trust::Authority)),
            (Some("https://h"), &[config, tls], "tcp://h:2376 with unverified TLS", at("/c", Trust::Anybody)),
        ] {
            for by_flag in [true, false] {
                let mut vars = vars.to_vec();
                vars.extend(host.filter(|_| !by_flag).map(|host| ("DOCKER_HOST", host)));
                let around = Surroundings {
                    var: &|name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()),
                    usable: &|_| true,
                };
                let endpoint = choose(host.filter(|_| by_flag), &around).unwrap();
                let tls = match &endpoint {
                    Endpoint::Tls(_, _, tls) => Some((tls.folder.clone(), tls.trust)),
                    _ => None,
                };
                assert_eq!((endpoint.to_string().as_str(), tls), (shown, made_with.clone()), "{host:?} {vars:?}");
            }
        }
    }

    #[test]
    fn a_context_brings_its_own_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().to_str().unwrap();
        let contexts = [("none", "tcp://h:1"), ("some", "tcp://h:1"), ("socket", "unix:///a"), ("web", "https://h:1")];
        context::tests::write(folder.path(), None, &contexts);
        let some = folder.path().join("contexts/tls/1/docker");
        std::fs::create_dir_all(&some).unwrap();
        std::fs::create_dir_all(folder.path().join("contexts/tls/2/docker")).unwrap();
        // What the environment says of TLS is for addresses that are given by hand.
        let of = |name: &str| {
            let vars = [("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", name), ("DOCKER_TLS_VERIFY", "1")];
            let var = |asked: &str| vars.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
            choose(None, &Surroundings { var: &var, usable: &|_| true }).unwrap()
        };
        let secure = |folder, trust| Endpoint::Tls("h".to_owned(), 1, Tls { folder, trust });
        assert_eq!(of("none"), Endpoint::Tcp("h".to_owned(), 1));
        assert_eq!(of("some"), secure(Some(some), Trust::AuthorityOrSystem));
        assert_eq!(of("socket"), Endpoint::Unix("/a".into()));
        assert_eq!(of("web"), secure(None, Trust::AuthorityOrSystem));
        let meta = folder.path().join("contexts/meta/0/meta.json");
        let text = std::fs::read_to_string(&meta).unwrap().replace("false", "true");
        std::fs::write(meta, text).unwrap();
        assert_eq!(of("none"), secure(None, Trust::Anybody));
    }
}

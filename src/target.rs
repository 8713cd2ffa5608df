//! What a person names, and what it turned out to be.

mod pod;

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::pod::{Kind as PodKind, PodName, plausible};
use crate::engine::Container;
use crate::engine::cri::{self, Node};
use crate::engine::kube::Pod;
use crate::exit::{Exit, Explain, Failure};

/// A process id in the pid namespace that this program is in: that of the host; or, for the part of it that runs beside a target
/// (`entry/beside.rs`), the one that it shares with that. Never mixed up with [`ContainerPid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostPid(pub i32);

/// A process id in the target's pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContainerPid(pub i32);

impl fmt::Display for HostPid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ContainerPid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was typed for `TARGET`: see the command-line contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetName {
    /// A container's name, or a unique prefix of its name or id.
    Container(String),
    /// A plain process on this host.
    Process(HostPid),
    /// A container of a pod of a cluster.
    Pod(PodName),
    /// A container of the Kubernetes node that this host is.
    Node(cri::Name),
    /// An image that does not run: what follows `image://`.
    Image(String),
}

/// What was typed for `TARGET:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPath {
    /// Whose file.
    pub target: TargetName,
    /// The absolute path inside; `/` where none was given.
    pub path: Vec<u8>,
}

/// A name that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing before the colon, or nothing at all.
    #[error("the target's name is empty")]
    Empty,
    /// `pid://` with something else than a number above 0.
    #[error("pid://{0} is not a process id")]
    NotAPid(String),
    /// What can be the name of nothing in a cluster.
    #[error("{0:?} is not a pod's name; write pod/NAME or k8s://NAMESPACE/POD/CONTAINER")]
    NotAPod(String),
    /// `cri://` with something else than a container of a node.
    #[error("cri://{0} is no container of a node; write cri://NAMESPACE/POD/CONTAINER or cri://CONTAINER-ID")]
    NotOnNode(String),
    /// A scheme this version does not know.
    #[error("{0}:// is not a kind of target this version knows")]
    UnknownScheme(String),
    /// `TARGET:PATH` with a path that does not start at the root.
    #[error("{0:?} is not an absolute path; write TARGET:/PATH")]
    RelativePath(String),
    /// No colon at all where `TARGET:PATH` was wanted.
    #[error("{0:?} names no path; write TARGET:/PATH")]
    NoPath(String),
}

/// An image was named where something that runs is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is an image, which does not run")]
pub struct NotRunning(pub TargetName);

impl Explain for NotRunning {
    fn hint(&self) -> Option<String> {
        Some(
            "`scratchdbg check` and `scratchdbg go` read images; for the rest start a container and name that"
                .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl FromStr for TargetName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once("://") {
            Some(("pid", number)) => match number.parse() {
                Ok(pid) if pid > 0 => Ok(Self::Process(HostPid(pid))),
                _ => Err(NameError::NotAPid(number.to_owned())),
            },
            Some(("k8s", rest)) => PodName::in_full(rest).map(Self::Pod),
            Some(("cri", name)) => name.parse().map(Self::Node).map_err(|_| NameError::NotOnNode(name.to_owned())),
            Some(("image", name)) if !name.is_empty() => Ok(Self::Image(name.to_owned())),
            Some(("docker" | "podman" | "image", "")) | None if text.is_empty() || text.contains("://") => {
                Err(NameError::Empty)
            }
            Some(("docker" | "podman", name)) => Ok(Self::Container(name.to_owned())),
            Some((scheme, _)) => Err(NameError::UnknownScheme(scheme.to_owned())),
            None => match PodName::typed(text) {
                Some(name) => name.map(Self::Pod),
                None => Ok(Self::Container(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => name.fmt(f),
            Self::Process(pid) => write!(f, "pid://{pid}"),
            Self::Pod(name) => name.fmt(f),
            Self::Node(name) => name.fmt(f),
            Self::Image(name) => write!(f, "image://{name}"),
        }
    }
}

impl TargetPath {
    /// Reads what was typed. A path may be any bytes; ls shows names that are not UTF-8.
    ///
    /// # Errors
    /// If there is no target or no absolute path in it.
    pub fn typed(text: &OsStr) -> Result<Self, NameError> {
        let bytes = text.as_bytes();
        let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let colon_behind = |start| bytes.iter().skip(start).position(|&byte| byte == b':').map(|at| at + start);
        // The colon of `pid://` is not the one before the path.
        let colon = match colon_behind(0) {
            Some(at) if bytes[at..].starts_with(b"://") => colon_behind(at + 3),
            colon => colon,
        };
        let colon = colon.ok_or_else(|| NameError::NoPath(lossy(bytes)))?;
        let (target, path) = (lossy(&bytes[..colon]), &bytes[colon + 1..]);
        match path {
            b"" => Ok(Self { target: target.parse()?, path: b"/".to_vec() }),
            path if path.starts_with(b"/") => Ok(Self { target: target.parse()?, path: path.into() }),
            path => Err(NameError::RelativePath(lossy(path))),
        }
    }
}

impl FromStr for TargetPath {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::typed(OsStr::new(text))
    }
}

/// A target that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A container of an engine.
    Container(Box<Container>),
    /// A container of a pod.
    Pod(Box<Pod>),
    /// A container of the node that this host is.
    Node(Box<Node>),
    /// A plain process.
    Process(HostPid),
}

impl Target {
    /// What to call it on a screen and in messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Container(container) => container.name.clone(),
            Self::Pod(pod) => pod.container.name.clone(),
            Self::Node(node) => node.listed.called(),
            Self::Process(pid) => format!("pid://{pid}"),
        }
    }

    /// Its first process, if it runs.
    #[must_use]
    pub fn init(&self) -> Option<HostPid> {
        match self {
            Self::Container(container) => container.pid,
            Self::Pod(_) => None,
            Self::Node(node) => Some(node.pid),
            Self::Process(pid) => Some(*pid),
        }
    }

    /// What is told of the container, if it is one: of an engine, or of a pod.
    #[must_use]
    pub fn container(&self) -> Option<&Container> {
        match self {
            Self::Container(container) => Some(container),
            Self::Pod(pod) => Some(&pod.container),
            Self::Node(_) | Self::Process(_) => None,
        }
    }

    /// The container of a node, if it is one.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        match self {
            Self::Node(node) => Some(node),
            Self::Container(_) | Self::Pod(_) | Self::Process(_) => None,
        }
    }

    /// Whether there is a process to look at.
    ///
    /// # Errors
    /// What became of it, and what to try.
    pub fn running(&self) -> Result<(), Failure> {
        match self {
            Self::Container(container) => Ok(container.running()?),
            Self::Pod(pod) => Ok(pod.running()?),
            Self::Node(_) | Self::Process(_) => Ok(()),
        }
    }

    /// Whether this is still the run that it was `before`.
    #[must_use]
    pub fn is_same_run(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Container(now), Self::Container(before)) => now.is_same_run(before),
            (Self::Pod(now), Self::Pod(before)) => now.is_same_run(before),
            (now, before) => now == before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let container = |name: &str| Ok(TargetName::Container(name.to_owned()));
        assert_eq!("myapp".parse(), container("myapp"));
        assert_eq!("docker://myapp".parse(), container("myapp"));
        assert_eq!("podman://myapp".parse(), container("myapp"));
        assert_eq!("pid://4711".parse(), Ok(TargetName::Process(HostPid(4711))));
        assert_eq!("image://shop:1".parse(), Ok(TargetName::Image("shop:1".into())));
        assert_eq!("image://./shop.tar".parse::<TargetName>().unwrap().to_string(), "image://./shop.tar");
        assert_eq!("image://".parse::<TargetName>(), Err(NameError::Empty));
        assert_eq!("".parse::<TargetName>(), Err(NameError::Empty));
        assert_eq!("docker://".parse::<TargetName>(), Err(NameError::Empty));
        assert_eq!("cri://default/web/app".parse::<TargetName>().unwrap().to_string(), "cri://default/web/app");
        assert_eq!("cri://".parse::<TargetName>(), Err(NameError::NotOnNode(String::new())));
        assert_eq!("pid://0".parse::<TargetName>(), Err(NameError::NotAPid("0".into())));
        assert_eq!("pid://-1".parse::<TargetName>(), Err(NameError::NotAPid("-1".into())));
        assert_eq!("lxd://a".parse::<TargetName>(), Err(NameError::UnknownScheme("lxd".into())));
    }

    #[test]
    fn paths() {
        let path = |target: &str, path: &str| Ok(TargetPath { target: target.parse().unwrap(), path: path.into() });
        assert_eq!("myapp:/etc".parse(), path("myapp", "/etc"));
        assert_eq!("myapp:".parse(), path("myapp", "/"));
        assert_eq!("pid://7:/a:b".parse(), path("pid://7", "/a:b"));
        assert_eq!("docker://a:/x".parse(), path("a", "/x"));
        assert_eq!("cri://default/web/app:/x".parse(), path("cri://default/web/app", "/x"));
        assert_eq!("myapp:/a://b".parse(), path("myapp", "/a://b"));
        let typed = TargetPath::typed(OsStr::from_bytes(b"myapp:/\xff")).unwrap();
        assert_eq!((typed.target, typed.path), ("myapp".parse().unwrap(), b"/\xff".to_vec()));
        assert_eq!("myapp:etc".parse::<TargetPath>(), Err(NameError::RelativePath("etc".into())));
        assert_eq!("myapp".parse::<TargetPath>(), Err(NameError::NoPath("myapp".into())));
    }
}

//! How a person names a container of a pod.

use std::fmt;

use super::NameError;

/// The longest name that a cluster gives, in bytes (RFC 1123, as Kubernetes uses it).
const LONGEST: usize = 253;

/// A container of a pod, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodName {
    /// Where it is; otherwise where `--namespace` or the context says.
    pub namespace: Option<String>,
    /// What the name is that of.
    pub kind: Kind,
    /// The name of the pod, or of what makes pods.
    pub name: String,
    /// Which of the pod's containers; otherwise what `--container` says, or the pod itself.
    pub container: Option<String>,
}

/// What can be named where a pod is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A pod itself.
    Pod,
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A Job.
    Job,
    /// A Service.
    Service,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pod, Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::Job, Self::Service];

    /// The names that kubectl has for it, the one that we write first.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Pod => &["pod", "pods", "po"],
            Self::Deployment => &["deploy", "deployment", "deployments"],
            Self::StatefulSet => &["sts", "statefulset", "statefulsets"],
            Self::DaemonSet => &["ds", "daemonset", "daemonsets"],
            Self::Job => &["job", "jobs"],
            Self::Service => &["svc", "service", "services"],
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.names().contains(&text))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.names().first().copied().unwrap_or_default())
    }
}

impl PodName {
    /// A pod by its name alone.
    ///
    /// # Errors
    /// If no pod can have that name.
    pub fn pod(name: &str) -> Result<Self, NameError> {
        Ok(Self { namespace: None, kind: Kind::Pod, name: plausible(name)?, container: None })
    }

    /// `KIND/NAME`. `None` if it is nothing of the kind.
    pub(super) fn typed(text: &str) -> Option<Result<Self, NameError>> {
        let (kind, name) = text.split_once('/')?;
        let kind = Kind::named(kind)?;
        Some(plausible(name).map(|name| Self { namespace: None, kind, name, container: None }))
    }

    /// What follows `k8s://`: `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`.
    pub(super) fn in_full(text: &str) -> Result<Self, NameError> {
        let mut parts = text.split('/');
        let (Some(namespace), Some(name), container, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NameError::NotAPod(text.to_owned()));
        };
        let container = container.map(plausible).transpose()?;
        Ok(Self { namespace: Some(plausible(namespace)?), kind: Kind::Pod, name: plausible(name)?, container })
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.namespace, &self.container) {
            (Some(namespace), Some(container)) => write!(f, "k8s://{namespace}/{}/{container}", self.name),
            (Some(namespace), None) => write!(f, "k8s://{namespace}/{}", self.name),
            (None, _) => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// What can be a name in a cluster. Anything else is not sent, so that it cannot become another path of its API.
///
/// # Errors
/// If it cannot.
pub fn plausible(name: &str) -> Result<String, NameError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inside = name.bytes().all(|byte| letter(byte) || matches!(byte, b'-' | b'.'));
    let ends = name.bytes().next().is_some_and(letter) && name.bytes().next_back().is_some_and(letter);
    if inside && ends && name.len() <= LONGEST { Ok(name.to_owned()) } else { Err(NameError::NotAPod(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{TargetName, TargetPath};

    fn name(namespace: Option<&str>, kind: Kind, name: &str, container: Option<&str>) -> PodName {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        PodName { namespace: owned(namespace), kind, name: name.to_owned(), container: owned(container) }
    }

    #[test]
    fn names_of_pods_and_of_what_makes_them() {
        for (text, expected) in [
            ("pod/web-7d-x", name(None, Kind::Pod, "web-7d-x", None)),
            ("po/web", name(None, Kind::Pod, "web", None)),
            ("deploy/web", name(None, Kind::Deployment, "web", None)),
            ("statefulset/db", name(None, Kind::StatefulSet, "db", None)),
            ("ds/agent", name(None, Kind::DaemonSet, "agent", None)),
            ("job/once", name(None, Kind::Job, "once", None)),
            ("svc/front", name(None, Kind::Service, "front", None)),
            ("k8s://prod/web", name(Some("prod"), Kind::Pod, "web", None)),
            ("k8s://prod/web/app", name(Some("prod"), Kind::Pod, "web", Some("app"))),
        ] {
            assert_eq!(text.parse(), Ok(TargetName::Pod(expected)), "{text}");
        }
        for text in ["pod/web", "deploy/web", "k8s://prod/web", "k8s://prod/web/app"] {
            assert_eq!(text.parse::<TargetName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_can_be_no_name_is_not_sent() {
        for text in [
            "pod/",
            "pod/a/b",
            "pod/../secrets",
            "pod/A",
            "pod/a?b",
            "pod/-a",
            "pod/a.",
            "pod/a b",
            "k8s://",
            "k8s://a",
            "k8s://a/b/c/d",
            "k8s://a//c",
            "k8s:///b/c",
        ] {
            assert!(matches!(text.parse::<TargetName>(), Err(NameError::NotAPod(_))), "{text}");
        }
        assert!(plausible(&"a".repeat(254)).is_err());
        // Of no kind that is known: what it was before.
        assert_eq!("node/a".parse(), Ok(TargetName::Container("node/a".into())));
    }

    #[test]
    fn paths_in_pods() {
        let path = TargetPath::typed(std::ffi::OsStr::new("k8s://prod/web/app:/a:b")).unwrap();
        assert_eq!((path.target.to_string().as_str(), path.path.as_slice()), ("k8s://prod/web/app", &b"/a:b"[..]));
        let path = TargetPath::typed(std::ffi::OsStr::new("pod/web:")).unwrap();
        assert_eq!((path.target.to_string().as_str(), path.path.as_slice()), ("pod/web", &b"/"[..]));
    }
}

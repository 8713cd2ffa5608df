//! Which container of a node is meant: what stands behind `cri://`.

use std::fmt;
use std::str::FromStr;

/// The longest name in a cluster, in bytes (kubernetes.io, "Object Names and IDs").
const LONGEST: usize = 253;
/// The shortest piece of an id that is taken for one.
const SHORTEST: usize = 3;

/// A container of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By its pod.
    Pod {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// Which of its containers; not needed if there is but one.
        container: Option<String>,
    },
    /// By its id, or the beginning of that.
    Id(String),
}

/// A text names no container of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoName;

impl FromStr for Name {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let parts: Vec<_> = text.split('/').collect();
        if parts.len() > 1 && !parts.iter().all(|part| is_word(part)) {
            return Err(NoName);
        }
        match *parts.as_slice() {
            [id] if is_id(id) => Ok(Self::Id(id.to_owned())),
            [namespace, pod] => Ok(Self::Pod { namespace: namespace.into(), pod: pod.into(), container: None }),
            [namespace, pod, container] => {
                Ok(Self::Pod { namespace: namespace.into(), pod: pod.into(), container: Some(container.into()) })
            }
            _ => Err(NoName),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod { namespace, pod, container: Some(container) } => {
                write!(f, "cri://{namespace}/{pod}/{container}")
            }
            Self::Pod { namespace, pod, container: None } => write!(f, "cri://{namespace}/{pod}"),
            Self::Id(id) => write!(f, "cri://{id}"),
        }
    }
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last()).is_some_and(|(&first, &last)| plain(first) && plain(last));
    ends && bytes.len() <= LONGEST && bytes.iter().all(|&byte| plain(byte) || byte == b'-' || byte == b'.')
}

fn is_id(text: &str) -> bool {
    (SHORTEST..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for text in ["default/web-7976cf4947-bznkr/app", "kube-system/dns", "3f2a", "my-container"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), format!("cri://{text}"));
        }
        for bad in ["", "/", "a/", "/a", "a/b/c/d", "A/b", "a/b/C", "a b/c", "../x", "3f", "a_b", &"a".repeat(300)] {
            assert_eq!(bad.parse::<Name>(), Err(NoName), "{bad}");
        }
    }
}

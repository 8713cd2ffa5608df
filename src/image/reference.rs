//! Names of images with a tag (github.com/distribution/reference).

use std::fmt;
use std::str::FromStr;

/// Where images are whose name says nothing of it.
const USUAL: &str = "docker.io";
/// The folder of those there whose name is one word.
const OFFICIAL: &str = "library";
/// The tag of a name that has none.
const LATEST: &str = "latest";
/// The longest, in bytes.
const LONGEST: usize = 255;
const LONGEST_TAG: usize = 128;

/// What an image is called, with a tag and without a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As it was typed, without the tag.
    pub name: String,
    /// What tells it from others of that name.
    pub tag: String,
}

/// A text is no name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has a digest, which is known only when the image is there.
    #[error("{0:?} has a digest, which a new image cannot be given")]
    Digest(String),
    /// Anything else.
    #[error("{0:?} is no name of an image: lower-case letters, digits and . _ - / before a colon and a tag")]
    Malformed(String),
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed(text.to_owned());
        if text.contains('@') {
            return Err(Error::Digest(text.to_owned()));
        }
        // A colon before a slash is that of a port.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, LATEST),
        };
        let reference = Self { name: name.to_owned(), tag: tag.to_owned() };
        let (registry, path) = reference.parts();
        let well = (registry.is_none_or(is_host) && path.split('/').all(is_word)) && is_tag(tag);
        if well && text.len() <= LONGEST { Ok(reference) } else { Err(malformed()) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

impl Reference {
    /// Who keeps it.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.parts().0.unwrap_or(USUAL)
    }

    /// As those write it who leave nothing out.
    #[must_use]
    pub fn whole(&self) -> String {
        let (registry, path) = self.parts();
        match registry {
            Some(_) => self.to_string(),
            None if path.contains('/') => format!("{USUAL}/{self}"),
            None => format!("{USUAL}/{OFFICIAL}/{self}"),
        }
    }

    /// The registry, if it is named, and the rest. What begins a name is a registry only if it could be no folder.
    fn parts(&self) -> (Option<&str>, &str) {
        match self.name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, &self.name),
        }
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "0"));
    let word =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    host.split('.').all(word) && port.parse::<u16>().is_ok()
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last()).is_some_and(|(&first, &last)| plain(first) && plain(last));
    ends && bytes.iter().all(|&byte| plain(byte) || b"._-".contains(&byte)) && !text.contains("..")
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(word)
        && text.len() <= LONGEST_TAG
        && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, shown, whole, registry) in [
            ("tool", "tool:latest", "docker.io/library/tool:latest", "docker.io"),
            ("tool:1.2", "tool:1.2", "docker.io/library/tool:1.2", "docker.io"),
            ("me/tool:1", "me/tool:1", "docker.io/me/tool:1", "docker.io"),
            ("localhost/tool:1", "localhost/tool:1", "localhost/tool:1", "localhost"),
            ("127.0.0.1:5000/a/tool:1", "127.0.0.1:5000/a/tool:1", "127.0.0.1:5000/a/tool:1", "127.0.0.1:5000"),
            ("r.example:5000/tool", "r.example:5000/tool:latest", "r.example:5000/tool:latest", "r.example:5000"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference.whole().as_str()), (shown, whole), "{text}");
            assert_eq!(reference.registry(), registry);
        }
    }

    #[test]
    fn no_names() {
        let long = "a".repeat(300);
        for bad in ["", ":", "a:", "A", "a//b", "../a", "a/../b", "a b", "a?b", "-a", "a:b:c/", "r.example:x/a", &long]
        {
            assert_eq!(bad.parse::<Reference>(), Err(Error::Malformed(bad.to_owned())), "{bad}");
        }
        assert!(matches!("a@sha256:0".parse::<Reference>(), Err(Error::Digest(_))));
    }
}

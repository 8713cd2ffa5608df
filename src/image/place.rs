//! Where an image is: what stands behind `image://`.

use std::path::PathBuf;

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On an engine, by its name or id.
    Engine(String),
    /// In an archive or a folder of this host.
    Path {
        /// Where that is.
        path: PathBuf,
        /// Which of the images in it, by name.
        name: Option<String>,
    },
}

impl Place {
    /// What was typed behind `image://`: a path begins with `/`, `./` or `../`, or ends as an archive does, before a `#` with
    /// the image's name in it. Names of images begin with none of these.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        let (path, name) = match text.split_once('#') {
            Some((path, name)) => (path, Some(name.to_owned()).filter(|name| !name.is_empty())),
            None => (text, None),
        };
        let begins = ["/", "./", "../"].iter().any(|start| path.starts_with(start)) || path == "." || path == "..";
        let ends = [".tar", ".tar.gz", ".tgz"].iter().any(|end| path.ends_with(end));
        if begins || ends { Self::Path { path: path.into(), name } } else { Self::Engine(text.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names() {
        let path = |path: &str, name: Option<&str>| Place::Path { path: path.into(), name: name.map(str::to_owned) };
        for (text, place) in [
            ("shop", Place::Engine("shop".into())),
            ("registry.example:5000/shop:1.9", Place::Engine("registry.example:5000/shop:1.9".into())),
            ("shop@sha256:0123", Place::Engine("shop@sha256:0123".into())),
            ("shop.tar", path("shop.tar", None)),
            ("out/shop.tar.gz", path("out/shop.tar.gz", None)),
            ("./shop", path("./shop", None)),
            ("/layout#shop:1", path("/layout", Some("shop:1"))),
            ("/layout#", path("/layout", None)),
            (".", path(".", None)),
        ] {
            assert_eq!(Place::typed(text), place, "{text}");
        }
    }
}

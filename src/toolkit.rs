//! The toolkit image: what a pod's node runs beside a target, in an ephemeral container. See `docs/kubernetes-image.md`.

use std::io;
use std::os::fd::OwnedFd;

use crate::entry::{SHIM, beside};
use crate::image::{Config, Made, Packed, Reference};
use crate::settings::{By, Settings};

/// What it is called unless somebody says otherwise.
pub const NAME: &str = concat!("scratchdbg-toolkit:", env!("CARGO_PKG_VERSION"));
/// The variable that says otherwise.
pub const VARIABLE: &str = "SCRATCHDBG_IMAGE";
/// The helper's place in it. Its own user can run it and not read it: then nobody of that user can look into it.
pub const SHIM_PROGRAM: &str = "/scratchdbg-shim";
/// What makes the helper keep the container.
pub const HOLD: &str = "hold";
/// What makes it end the one that keeps it.
pub const STOP: &str = "stop";
/// What makes it put itself into a directory.
pub const INSTALL: &str = "install";
/// The same helper once more, which everybody may read: it is what puts itself elsewhere.
pub const SHIM_COPY: &str = "/scratchdbg-shim-copy";
/// Who it runs as unless the pod says otherwise: nobody in particular, and by number, so that it runs where root may not.
const USER: &str = "65532:65532";

/// Why the image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program cannot be put in.
    #[error("the toolkit image cannot be made: {0}")]
    Packed(#[from] beside::PackError),
    /// Its parts cannot be written down.
    #[error("the toolkit image cannot be made: {0}")]
    Io(#[from] io::Error),
}

impl crate::exit::Explain for Error {
    fn exit(&self) -> crate::exit::Exit {
        crate::exit::Exit::No
    }
}

/// What goes in beside the helper.
pub struct Debugger {
    /// Delve's program, if there is one.
    pub delve: Option<OwnedFd>,
}

/// What the image is called, and who says so: the option, the variable, the file of settings, or [`NAME`]. It may be one with a
/// digest.
#[must_use]
pub fn reference(option: Option<&str>, settings: &Settings) -> (String, By) {
    let variable = std::env::var(VARIABLE).ok();
    let file = settings.kubernetes.image.as_deref();
    let said = [(option, By::Option), (variable.as_deref(), By::Variable), (file, By::File)];
    let mut said = said.into_iter().filter_map(|(name, by)| Some((name.filter(|name| !name.is_empty())?, by)));
    let (name, by) = said.next().unwrap_or((NAME, By::Nobody));
    (name.to_owned(), by)
}

/// Makes it. No engine and no network is asked.
///
/// # Errors
/// If a program of this host cannot be put in.
pub async fn make(reference: Reference, debugger: Option<Debugger>) -> Result<Made, Error> {
    let shim = |path: &str, mode| Packed { path: path.to_owned(), mode, bytes: SHIM.into() };
    let mut files = vec![shim(SHIM_PROGRAM, 0o111), shim(SHIM_COPY, 0o555)];
    if let Some(Debugger { delve }) = debugger {
        files.extend(beside::files(delve).await?);
    }
    let config = Config {
        architecture: architecture(),
        user: USER,
        entrypoint: vec![SHIM_PROGRAM.to_owned()],
        arguments: vec![HOLD.to_owned()],
        // Not what marks leftovers: `clean` is not to take it away.
        labels: vec![
            ("org.opencontainers.image.title", "scratchdbg toolkit".to_owned()),
            ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION").to_owned()),
        ],
    };
    Ok(Made::new(reference, &files, &config)?)
}

/// What its programs run on, as Go names it. They are this host's.
#[must_use]
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Kubernetes;

    #[test]
    fn its_name() {
        let settings = Settings { kubernetes: Kubernetes { image: Some("r.example/b:1".to_owned()) } };
        for (option, settings, name, by) in [
            (Some("r.example/a@sha256:0"), &settings, "r.example/a@sha256:0", By::Option),
            (Some(""), &settings, "r.example/b:1", By::File),
            (None, &settings, "r.example/b:1", By::File),
            (None, &Settings::default(), NAME, By::Nobody),
        ] {
            assert_eq!(reference(option, settings), (name.to_owned(), by));
        }
        assert_eq!(NAME.parse::<Reference>().unwrap().to_string(), NAME);
    }

    #[tokio::test]
    async fn it_is_the_helper_alone_and_always_the_same() {
        let make = || make(NAME.parse().unwrap(), None);
        let (one, other) = (make().await.unwrap(), make().await.unwrap());
        assert_eq!(one.archive().unwrap(), other.archive().unwrap());
        let folder = tempfile::tempdir().unwrap();
        one.write_into(&folder.path().join("layout")).unwrap();
        let image = crate::image::open(&folder.path().join("layout"), Some(NAME)).unwrap();
        assert_eq!(image.setup.words(), [SHIM_PROGRAM.into(), HOLD.into()]);
        assert_eq!(image.tree.len(), 2, "{:?}", image.tree);
        for (path, mode) in [(SHIM_PROGRAM, 0o111), (SHIM_COPY, 0o555)] {
            let shim = image.tree.find(path.as_bytes(), false).unwrap();
            assert_eq!(shim.mode, mode, "{path}");
            assert_eq!(shim.data.unwrap().bytes(0, SHIM.len() + 1).unwrap(), SHIM);
        }
    }

    #[tokio::test]
    async fn with_a_debugger_this_program_is_in_it() {
        let made = make(NAME.parse().unwrap(), Some(Debugger { delve: None })).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("image.tar"), made.archive().unwrap()).unwrap();
        let image = crate::image::open(&folder.path().join("image.tar"), None).unwrap();
        let own = image.tree.find(beside::PROGRAM.as_bytes(), false).unwrap();
        assert_eq!(own.data.unwrap().length(), std::fs::metadata("/proc/self/exe").unwrap().len());
    }
}

//! What a person has settled once for all commands, in a file of this host. See `docs/config.md`, which is made from it.
//!
//! An option wins over a variable, a variable over the file, and the file over what is usual.

mod show;

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::show::{markdown, show};
use crate::exit::{Exit, Explain};
use crate::folders;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `[kubernetes]`
    pub kubernetes: Kubernetes,
}

/// `[kubernetes]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubernetes {
    /// The image that is added to a pod.
    pub image: Option<String>,
}

/// Who has settled something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An option of the command.
    Option,
    /// A variable of the environment.
    Variable,
    /// The file.
    File,
    /// Nobody: it is what is usual.
    Nobody,
}

/// Why the file is no use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is there, and cannot be read.
    #[error("cannot read the settings in {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It says what is not understood.
    #[error("the settings in {}, line {line}, are not understood: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Malformed { .. } => Some("docs/config.md lists what can be settled there".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Where the file is, or would be. `None` without a home.
#[must_use]
pub fn path() -> Option<PathBuf> {
    folders::config().map(|folder| folder.join("config.toml"))
}

impl Settings {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, or says what is not understood: a setting that was mistyped must not go unnoticed.
    pub fn read() -> Result<Self, Error> {
        path().map_or_else(|| Ok(Self::default()), |path| Self::in_file(&path))
    }

    fn in_file(path: &Path) -> Result<Self, Error> {
        match content(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Self::default())
            }
            Err(cause) => Err(Error::Io { path: path.to_owned(), cause }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
            Error::Malformed { path: path.to_owned(), line, why: error.message().to_owned() }
        })
    }
}

/// Of a file that is none, nobody waits.
fn content(path: &Path) -> io::Result<String> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut text = String::new();
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 64 KiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("/me/config.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_settled() {
        assert_eq!(said(""), Ok(Settings::default()));
        let settings = said("# ours\n[kubernetes]\nimage = \"r.example/t:1\"\n").unwrap();
        assert_eq!(settings.kubernetes.image.as_deref(), Some("r.example/t:1"));
    }

    #[test]
    fn what_is_mistyped_is_told_with_its_line() {
        for (text, line, why) in [
            ("[kubernetes]\nimagee = \"x\"\n", 2, "unknown field `imagee`"),
            ("\n\n[kube]\n", 3, "unknown field `kube`"),
            ("[kubernetes]\nimage = 7\n", 2, "invalid type: integer `7`, expected a string"),
            ("[kubernetes\n", 1, "unclosed table"),
        ] {
            let told = said(text).unwrap_err();
            assert!(told.starts_with(&format!("the settings in /me/config.toml, line {line}, are not")), "{told}");
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn what_is_no_file_of_settings() {
        let home = tempfile::tempdir().unwrap();
        let read = |name: &str| Settings::in_file(&home.path().join(name)).map_err(|error| error.to_string());
        assert_eq!(read("absent"), Ok(Settings::default()));
        std::fs::create_dir(home.path().join("folder")).unwrap();
        assert!(read("folder").unwrap_err().ends_with("it is no file"));
        nix::unistd::mkfifo(&home.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read("pipe").unwrap_err().ends_with("it is no file"));
        let large = usize::try_from(LARGEST).unwrap() + 1;
        std::fs::write(home.path().join("large"), vec![b'\n'; large]).unwrap();
        assert!(read("large").unwrap_err().ends_with("larger than 64 KiB"));
        std::fs::write(home.path().join("fits"), vec![b'\n'; large - 1]).unwrap();
        assert_eq!(read("fits"), Ok(Settings::default()));
        std::fs::write(home.path().join("bytes"), b"# \xff").unwrap();
        assert!(read("bytes").is_err());
    }
}

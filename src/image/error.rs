//! Why an image cannot be read.

use crate::exit::{Exit, Explain};

/// Why an image cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such file or folder.
    #[error("no image at {path}: {why}")]
    NotThere {
        /// What was named.
        path: String,
        /// In words.
        why: String,
    },
    /// It is no archive or folder of an image.
    #[error("{0}")]
    NotAnImage(&'static str),
    /// A part that another part names is not there.
    #[error("the image lacks {0}, which it names itself")]
    Incomplete(String),
    /// It contradicts itself.
    #[error("the image's {0} makes no sense")]
    Malformed(&'static str),
    /// A layer is packed in a way that is not known here.
    #[error("the image's layers are packed with {0}, which is not read here")]
    Packed(&'static str),
    /// It is larger than is read here.
    #[error("the image has more than {0}")]
    TooLarge(&'static str),
    /// Several images, and nobody said which is meant.
    #[error("there is more than one image in it: {0}")]
    Several(String),
    /// None of the images has that name.
    #[error("there is no image {name} in it, but {others}")]
    NotInIt {
        /// What was asked for.
        name: String,
        /// What there is.
        others: String,
    },
    /// This host could not read or keep it.
    #[error("cannot {what}: {why}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// In words.
        why: String,
    },
}

impl Error {
    pub(super) fn io(what: &'static str, error: &std::io::Error) -> Self {
        Self::Io { what, why: error.to_string() }
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotThere { .. } => {
                "a path begins with / or . or ends in .tar; anything else is an image of the engine".to_owned()
            }
            Self::NotAnImage(_) => "make one with: docker save IMAGE -o image.tar".to_owned(),
            Self::Incomplete(_) | Self::Malformed(_) => "it may have been cut short: make it anew".to_owned(),
            Self::Packed(_) => "load it into an engine (docker load) and name the engine's image".to_owned(),
            Self::TooLarge(_) => return None,
            Self::Several(_) | Self::NotInIt { .. } => "say which: image://FILE#NAME".to_owned(),
            Self::Io { .. } => {
                "it is kept in the folder for temporary files meanwhile: TMPDIR names another".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotThere { .. } | Self::NotInIt { .. } => Exit::NoTarget,
            Self::Several(_) | Self::NotAnImage(_) => Exit::Usage,
            _ => Exit::No,
        }
    }
}

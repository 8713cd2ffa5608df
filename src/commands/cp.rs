//! `cp`: files out of a target, and with `--write` into it.

mod bytes;
mod input;
pub(super) mod local;
mod out;
mod progress;
mod tree;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::Context;
use super::words::reason;
use crate::cli::Cp;
use crate::exit::{Exit, Failure};
use crate::invoker;
use crate::target::{NameError, TargetPath};

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, or not everything copied.
pub async fn run(context: &Context, args: &Cp) -> Result<(), Failure> {
    match (Place::parse(&args.source)?, Place::parse(&args.destination)?) {
        (Place::Inside(from), to) if !matches!(to, Place::Inside(_)) => out::run(context, &from, &to).await,
        (from, Place::Inside(to)) if !matches!(from, Place::Inside(_)) => {
            if context.global.read_only {
                return Err(Failure::new(
                    Exit::Usage,
                    "copying into a target changes it, and --read-only forbids that",
                ));
            }
            if !args.write {
                return Err(Failure::new(Exit::Usage, "copying into a target changes its files")
                    .try_this("if that is meant, add --write"));
            }
            input::run(context, &from, &to).await
        }
        (Place::Inside(_), _) => Err(Failure::new(Exit::Usage, "cp from one target to another is not possible")
            .try_this("copy out first, then in")),
        (_, _) => Err(Failure::new(Exit::Usage, "neither SOURCE nor DESTINATION is in a target")
            .try_this("write the one that is as TARGET:/PATH")),
    }
}

/// Why a file of this host could not be used.
pub(super) fn here(what: &str, error: &io::Error) -> Failure {
    let message = format!("{what}: {}", reason(error));
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Failure { hint: invoker::hint(), ..Failure::new(Exit::NotPermitted, message) }
        }
        _ => Failure::new(Exit::No, message),
    }
}

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In a target.
    Inside(TargetPath),
    /// On this host.
    Local(PathBuf),
    /// Standard input or output.
    Standard,
}

impl Place {
    /// As the docker CLI tells them apart: a colon makes it a target's, unless it begins with `/` or `.`.
    fn parse(text: &OsStr) -> Result<Self, Failure> {
        match text.as_bytes() {
            b"" => Err(Failure::new(Exit::Usage, "a path is empty")),
            b"-" => Ok(Self::Standard),
            [b'/' | b'.', ..] => Ok(Self::Local(text.into())),
            bytes if !bytes.contains(&b':') => Ok(Self::Local(text.into())),
            _ => match TargetPath::typed(text) {
                Ok(place) => Ok(Self::Inside(place)),
                Err(error) => Err(wrong(text, &error)),
            },
        }
    }
}

fn wrong(text: &OsStr, error: &NameError) -> Failure {
    let hint = format!("if it is a file of this host, write ./{}", text.display());
    Failure::new(Exit::Usage, error.to_string()).try_this(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let inside = |text: &str| Ok(Place::Inside(text.parse().unwrap()));
        let local = |text: &str| Ok(Place::Local(text.into()));
        for (text, place) in [
            ("app:/etc", inside("app:/etc")),
            ("app:", inside("app:/")),
            ("pid://7:/x", inside("pid://7:/x")),
            ("/tmp/a:b", local("/tmp/a:b")),
            ("./a:/b", local("./a:/b")),
            ("dir/file", local("dir/file")),
            ("-", Ok(Place::Standard)),
        ] {
            assert_eq!(Place::parse(text.as_ref()), place, "{text}");
        }
        for text in ["", "app:etc", "lxd://a:/x"] {
            assert_eq!(Place::parse(text.as_ref()).map_err(|failure| failure.exit), Err(Exit::Usage), "{text}");
        }
    }
}

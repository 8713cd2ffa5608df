//! What kind of image a container runs from: can anybody get a shell in there?

use std::fmt;

use futures_util::future::join_all;
use serde::Serialize;

use crate::shim::{Error, Shim};

/// Bits of `st_mode` that tell what a file is (inode(7)), and a regular file.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
/// Execute permission of anybody.
const EXECUTABLE: u32 = 0o111;

/// Where shells are.
const SHELLS: [&str; 8] =
    ["/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash", "/usr/bin/sh", "/usr/bin/bash", "/busybox/sh", "/bin/busybox"];
/// What a C library's program loader is called, and files every distribution has.
const DISTRIBUTION: [&str; 8] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-armhf.so.3",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/etc/os-release",
    "/usr/lib/os-release",
    "/var/lib/dpkg/status.d",
];

/// What kind of image a container runs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageKind {
    /// Neither a shell nor a distribution.
    Scratch,
    /// A distribution's files, but no shell.
    Distroless,
    /// A shell.
    Shell,
}

impl fmt::Display for ImageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scratch => "scratch",
            Self::Distroless => "distroless",
            Self::Shell => "shell",
        })
    }
}

/// Looks for shells, loaders and a distribution's marks: one round trip for all.
///
/// # Errors
/// If the shim could not answer; that a file cannot be seen is an answer.
pub async fn of(shim: &Shim) -> Result<ImageKind, Error> {
    let stats = join_all(SHELLS.iter().chain(&DISTRIBUTION).map(|path| shim.stat(path.as_bytes(), true))).await;
    let mut modes = Vec::with_capacity(stats.len());
    for stat in stats {
        modes.push(match stat {
            Ok(stat) => Some(stat.mode),
            Err(Error::Errno(_)) => None,
            Err(error) => return Err(error),
        });
    }
    let (shells, distribution) = modes.split_at(SHELLS.len());
    Ok(judge(shells, distribution))
}

fn judge(shells: &[Option<u32>], distribution: &[Option<u32>]) -> ImageKind {
    let runs = |mode: &u32| mode & KIND == REGULAR && mode & EXECUTABLE != 0;
    if shells.iter().flatten().any(runs) {
        ImageKind::Shell
    } else if distribution.iter().any(Option::is_some) {
        ImageKind::Distroless
    } else {
        ImageKind::Scratch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (shells, distribution, kind) in [
            (&[None, None][..], &[None][..], ImageKind::Scratch),
            (&[None, Some(0o100_755)], &[None], ImageKind::Shell),
            (&[None, Some(0o100_755)], &[Some(0o100_644)], ImageKind::Shell),
            (&[None, Some(0o100_644)], &[None], ImageKind::Scratch),
            (&[Some(0o040_755)], &[None], ImageKind::Scratch),
            (&[None], &[Some(0o040_755)], ImageKind::Distroless),
        ] {
            assert_eq!(judge(shells, distribution), kind, "{shells:?} {distribution:?}");
        }
    }
}

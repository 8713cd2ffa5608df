//! Images. [`Made`] is one that is put together here. All else is of one that does not run: its files and how it is set up. From an engine, from an archive that `docker save` or
//! `podman save` wrote, or from an OCI layout (github.com/opencontainers/image-spec, "Image Layout").
//!
//! Nothing of it is unpacked to where it could be run, and little is held in memory: where each file is in its layer. All
//! of it is hostile: who reads an image has not made it.

mod blob;
mod entries;
mod error;
pub mod layer;
mod layout;
mod made;
mod place;
mod reference;
mod setup;
mod tree;

pub use blob::{Blob, Spool};
pub use error::Error;
pub use layer::Packed;
pub use layout::{of_archive, open};
pub use made::{Config, Made};
pub use place::Place;
pub use reference::{Error as ReferenceError, Reference};
pub use setup::{Environment, Setup};
pub use tree::{Found, Tree};

/// An image.
#[derive(Debug)]
pub struct Image {
    /// What its archive calls it, if it does.
    pub name: Option<String>,
    /// Operating system and architecture it says it is for, as Go names them (`linux`, `amd64`).
    pub platform: (String, String),
    /// How it is set up.
    pub setup: Setup,
    /// Its files: all layers, one on top of the other.
    pub tree: Tree,
}

/// For the fuzzer: an archive that somebody sent.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let Ok(mut spool) = Spool::new() else { return };
    if spool.write(bytes).is_ok()
        && let Ok(blob) = spool.finish()
        && let Ok(image) = of_archive(&blob, None)
    {
        for path in [&b"/"[..], b"/etc/passwd", b"/a/b/c", b"/../x"] {
            let _ = image.tree.find(path, true);
        }
    }
}

#[cfg(test)]
mod tests;

//! Parts of a file's contents, for a screen.

use super::{Kind, Meta};
use crate::inspect::{Error, fetch};
use crate::shim::Shim;

/// The most bytes one view takes, whatever was asked for.
pub const MAX_VIEW: u64 = 16 << 20;

/// Part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// What is known of the file. Files of `/proc` and `/sys` tell a size of 0 or 4096 whatever they hold.
    pub meta: Meta,
    /// Where the bytes begin.
    pub offset: u64,
    /// The bytes; fewer than asked for at the end of the file.
    pub bytes: Vec<u8>,
    /// Whether fewer bytes came than were asked for: the file ends here for now.
    pub end: bool,
}

/// Reads at most `len` bytes (and at most [`MAX_VIEW`]) of a regular file from `offset` on.
///
/// # Errors
/// [`Error::WrongKind`] for anything that could block or has no end, and whatever else keeps it from being read.
pub async fn view(shim: &Shim, path: &[u8], offset: u64, len: u64) -> Result<View, Error> {
    let of = |error| Error::of(path, error);
    let stat = shim.stat(path, true).await.map_err(of)?;
    let kind = Kind::of_mode(stat.mode);
    if kind != Kind::File {
        return Err(of(crate::shim::Error::WrongKind(kind)));
    }
    let len = len.min(MAX_VIEW);
    let bytes = fetch::range(shim, path, offset, len).await.map_err(of)?;
    let end = (bytes.len() as u64) < len;
    Ok(View { meta: Meta::from(&stat), offset, bytes, end })
}

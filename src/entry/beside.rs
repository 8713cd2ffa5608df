//! Debugging from beside the target, in a container that is none of its own, in which this very program does what the broker
//! does on an engine's host.
//!
//! The helper that looks can do nothing of the kind. So a second sidecar is made when a core or a session is asked for, and goes with
//! it: its image has this program, what that is linked to, and, for a session, Delve. In a pod nothing is made: the container
//! that the helper is in has them in its image, if that was made so, and the program is begun there by an exec.
//! It is started as [`COMMAND`], and does one thing that it is told ([`inside`]): it speaks [`wire`] with `outside`, over the engine's
//! attach stream or the WebSocket of the exec.
//!
//! What has to be done with the target is done by the same code as through the local door: `corefile::take`, and the guard of
//! `delve::guard`. Whoever could take the sidecar over sends frames to us, as the helper's connection does: nothing in them is
//! believed, and all of it is bounded.

mod identity;
pub mod inside;
pub(super) mod outside;
mod pack;
pub mod wire;

use std::os::fd::OwnedFd;

pub use self::pack::Error as PackError;
use crate::image::Packed;

/// The command by which the program is what it is there. Nobody types it.
pub const COMMAND: &str = "beside";
/// Its place in the image. Its own user can run it and not read it: then nobody of that user can look into it.
pub const PROGRAM: &str = "/scratchdbg";
/// Delve's. It can be read: a guard that takes over must be able to trace it, with no more rights than its user's.
pub(super) const DELVE: &str = "/dlv";
/// That of the program's debug file.
const DEBUG_FILE: &str = "/debug";
/// A file system in memory that a sidecar has: Delve has its socket and settings in it.
const SCRATCH: &str = "/scratch";

/// All that an image holds in which this program debugs, with Delve if there is one. This program is
/// [`PROGRAM`] there.
///
/// # Errors
/// If a program of this host cannot be packed.
pub async fn files(delve: Option<OwnedFd>) -> Result<Vec<Packed>, PackError> {
    let mut files = pack::own(PROGRAM, 0o111).await?;
    if let Some(delve) = delve {
        pack::add(&mut files, pack::program(DELVE, 0o555, delve, "dlv").await?);
    }
    Ok(files)
}

//! Delve over a core file.
#![allow(clippy::todo, unused_variables, clippy::unused_async, missing_docs)]

use std::path::Path;

use super::client::{self, Stopped};
use super::model::State;
use crate::text::Safe;

/// Why a core cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Delve could not be started.
    #[error("delve cannot be started: {0}")]
    Start(std::io::Error),
    /// Delve ended; its first words say why.
    #[error("delve could not open the core: {0}")]
    Ended(Safe),
    /// What was asked first failed.
    #[error(transparent)]
    Client(#[from] client::Error),
}

/// A Delve that has a core open. Dropping it ends Delve.
#[derive(Debug)]
pub struct Opened {}

/// Opens a core. `program` and `core` may be `/proc/PID/fd/N`. Nothing of it needs root; nothing stays behind.
pub async fn open(dlv: &Path, program: &Path, core: &Path) -> Result<(Stopped, State, Opened), Error> {
    todo!()
}

/// The same, giving the bare connection, for what speaks DAP.
pub async fn connect(dlv: &Path, program: &Path, core: &Path) -> Result<(tokio::net::UnixStream, Opened), Error> {
    todo!()
}

//! Docker's API.

use crate::engine::Container;
use crate::exit::{Exit, Explain};

/// An engine, asked over its API.
#[derive(Clone, Debug)]
pub struct Docker {}

/// Why the engine did not answer as wanted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match *self {}
    }
}

#[allow(clippy::unused_async, missing_docs, clippy::missing_errors_doc)]
impl Docker {
    pub fn connect(_host: Option<&str>) -> Result<Self, Error> {
        todo!()
    }
    pub async fn resolve(&self, _name: &str) -> Result<Container, Error> {
        todo!()
    }
    pub async fn inspect(&self, _id: &str) -> Result<Container, Error> {
        todo!()
    }
}

impl Container {
    /// The first process, or why there is none.
    ///
    /// # Errors
    /// If it does not run.
    pub fn running(&self) -> Result<crate::target::HostPid, Error> {
        todo!()
    }
}

//! In a build without TLS: no connection can be made.

use std::convert::Infallible;
use std::future::Ready;
use std::io;

use tokio::net::TcpStream;

use super::{Error, Tls};

/// There is none.
#[derive(Debug, Clone)]
pub struct Connector(Infallible);

impl Connector {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn new(_: &str, _: &Tls) -> Result<Self, Error> {
        Err(Error::NotBuilt)
    }

    /// As that of a build with TLS.
    ///
    /// # Errors
    /// Never comes to that.
    pub fn connect(&self, _: TcpStream) -> Ready<Result<TcpStream, Error>> {
        match self.0 {}
    }

    /// As that of a build with TLS.
    #[must_use]
    pub fn explain(&self, _: &io::Error) -> Error {
        match self.0 {}
    }

    /// As that of a build with TLS.
    #[must_use]
    pub fn hung_up(&self) -> Error {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::docker::tls::Trust;
    use crate::exit::{Exit, Explain as _};

    #[test]
    fn it_is_told_that_there_is_none() {
        let error = Connector::new("h", &Tls { folder: None, trust: Trust::Authority }).unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("ssh://")));
        assert_eq!((error.exit(), error.to_string().as_str()), (Exit::Usage, "this scratchdbg was built without TLS"));
    }
}

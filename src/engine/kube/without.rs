//! In a build without Kubernetes: there is no cluster.

use std::convert::Infallible;

use hyper::body::Bytes;

use super::ask::{Answer, Question};
use super::{Channel, Contexts, Error, Exec, Options, Pod, Terms};
use crate::activity::{Begun, Journal};

/// There is none.
#[derive(Debug, Clone)]
pub struct Cluster(Infallible);

/// There is none.
pub struct Stream(Infallible);

impl Cluster {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub async fn connect(_: &Options, _: &Journal) -> Result<Self, Error> {
        Err(Error::NotBuilt)
    }

    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn contexts(_: &Options) -> Result<Contexts, Error> {
        Err(Error::NotBuilt)
    }

    /// As that of a build with Kubernetes.
    ///
    /// # Errors
    /// Never comes to that.
    pub fn within(&self, _: &str) -> Result<Self, Error> {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    #[must_use]
    pub fn anew(&self) -> Self {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    #[must_use]
    pub fn namespace(&self) -> &str {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        match self.0 {}
    }

    pub(super) fn begin(&self, _: &str, _: Option<&str>) -> Begun {
        match self.0 {}
    }

    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub(super) async fn answer(&self, _: &Question<'_>) -> Result<Answer, Error> {
        match self.0 {}
    }

    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub(super) async fn stream(&self, _: &Question<'_>) -> Result<(u16, Stream), Error> {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    ///
    /// # Errors
    /// Never comes to that.
    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub async fn exec(&self, _: &Pod, _: &str, _: &[&str]) -> Result<Exec, Error> {
        match self.0 {}
    }

    /// As that of a build with Kubernetes.
    ///
    /// # Errors
    /// Never comes to that.
    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub async fn forward(&self, _: &Pod, _: u16) -> Result<Channel, Error> {
        match self.0 {}
    }
}

impl Stream {
    #[expect(clippy::unused_async, reason = "as that of a build with Kubernetes")]
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, String>> {
        match self.0 {}
    }
}

//! What the one who asks may do.

use std::fmt;

use serde_json::json;

use super::ask::Question;
use super::{Cluster, Error, wire};

/// A right that RBAC gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// `get`, `create`, `patch`.
    pub verb: &'static str,
    /// Below `pods`; empty for pods themselves.
    pub subresource: &'static str,
}

impl Right {
    /// To add a container.
    pub const ADD: Self = Self { verb: "patch", subresource: "ephemeralcontainers" };
    /// To make a pod: a copy of one.
    pub const MAKE: Self = Self { verb: "create", subresource: "" };
    /// To delete it.
    pub const DELETE: Self = Self { verb: "delete", subresource: "" };
    /// To begin a program in one, by the server's first look.
    pub const EXEC_GET: Self = Self { verb: "get", subresource: "exec" };
    /// The same by its second look, from Kubernetes 1.35 on.
    pub const EXEC_CREATE: Self = Self { verb: "create", subresource: "exec" };
    /// To reach a port of a pod, by the server's first look.
    pub const FORWARD_GET: Self = Self { verb: "get", subresource: "portforward" };
    /// The same by its second look, from Kubernetes 1.35 on.
    pub const FORWARD_CREATE: Self = Self { verb: "create", subresource: "portforward" };
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subresource {
            "" => write!(f, "{} pods", self.verb),
            subresource => write!(f, "{} pods/{subresource}", self.verb),
        }
    }
}

impl Cluster {
    /// Whether the one who asks may do that in a namespace.
    ///
    /// # Errors
    /// If the cluster does not say.
    pub async fn may(&self, namespace: &str, right: Right) -> Result<bool, Error> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": namespace,
                "verb": right.verb,
                "resource": "pods",
                "subresource": right.subresource,
            }},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let question = Question::with("POST", path, "application/json", &review, "say what you may do");
        self.json::<wire::Review>(&question).await.map(|review| review.status.allowed)
    }
}

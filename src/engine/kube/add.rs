//! Adding a container to a pod. It cannot be taken away again: so it is asked first, without anything being done.

use std::time::Duration;

use serde_json::{Value, json};

use super::ask::Question;
use super::pod::KEPT;
use super::{Cluster, Error, Pod, wire};
use crate::activity::Made;

/// How often it is asked whether one was added after all, and how long after each other.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// Who a container that is added runs as, and with which rights. Whatever else could give it more is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// User.
    pub uid: u32,
    /// Group. It counts as much as the user does: with another one the kernel keeps a process from looking into another.
    pub gid: u32,
    /// Capabilities added, without `CAP_`.
    pub add: Vec<String>,
    /// Capabilities taken away.
    pub drop: Vec<String>,
}

/// A container to be added.
#[derive(Debug, Clone)]
pub struct Addition {
    /// Its name, which no other container of the pod has had.
    pub name: String,
    /// Its image.
    pub image: String,
    /// What it runs.
    pub command: Vec<String>,
    /// Whether it is left to others.
    pub kept: bool,
    /// Who it runs as.
    pub security: Security,
}

/// Why a container cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum No {
    /// What the namespace demands of its pods forbids it. Another one may be allowed.
    #[error("{0}")]
    Policy(String),
    /// The one who asks may not add any.
    #[error("{0}")]
    Right(String),
    /// The cluster cannot do it: it is older than Kubernetes 1.25.
    #[error("it knows no ephemeral containers")]
    TooOld,
    /// There is one of that name, which is another.
    #[error("{0}")]
    Taken(String),
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Security {
    fn document(&self) -> Value {
        json!({
            "runAsUser": self.uid,
            "runAsGroup": self.gid,
            // Said even where it is no: the pod may say otherwise for all of its containers.
            "runAsNonRoot": self.uid != 0,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"add": self.add, "drop": self.drop},
            "seccompProfile": {"type": "RuntimeDefault"},
        })
    }

    /// Whether a container that is there runs so.
    #[must_use]
    pub fn is_of(&self, there: &wire::SecurityContext) -> bool {
        there.run_as_user == Some(self.uid)
            && there.run_as_group == Some(self.gid)
            && there.privileged != Some(true)
            && there.allow_privilege_escalation == Some(false)
            && there.capabilities.add == self.add
            && there.capabilities.drop == self.drop
    }
}

impl Addition {
    fn patch(&self, pod: &Pod) -> Value {
        let env: Vec<Value> = self.kept.then(|| json!({"name": KEPT, "value": "1"})).into_iter().collect();
        let container = json!({
            "name": self.name,
            "image": self.image,
            // Otherwise an image that is called `latest` would have to be in a registry, even if the node has it.
            "imagePullPolicy": "IfNotPresent",
            "command": self.command,
            "env": env,
            "targetContainerName": pod.name,
            "terminationMessagePolicy": "File",
            "securityContext": self.security.document(),
        });
        json!({"spec": {"ephemeralContainers": [container]}})
    }
}

impl Cluster {
    /// Asks whether a container could be added. Nothing is done.
    ///
    /// # Errors
    /// Why not.
    pub async fn try_add(&self, pod: &Pod, addition: &Addition) -> Result<(), No> {
        self.patch(pod, addition, "?dryRun=All").await
    }

    /// Adds a container. It stays in the pod's list for as long as there is the pod.
    ///
    /// # Errors
    /// Why it was not added.
    pub async fn add(&self, pod: &Pod, addition: &Addition) -> Result<Made, No> {
        let Addition { name, image, security, .. } = addition;
        let what = format!(
            "add ephemeral container {name} ({image}, {}:{}) to pod {}/{}",
            security.uid, security.gid, pod.namespace, pod.pod
        );
        let step = self.begin(&what, Some("its end; its record stays in the pod"));
        let mut added = self.patch(pod, addition, "").await;
        if let Err(No::Failed(error)) = &added
            && error.is_no_answer()
            && self.has(pod, name).await
        {
            added = Ok(());
        }
        let made = step.end(&added);
        added.map(|()| made)
    }

    /// Whether a pod has been given a container of that name. A server that is in trouble is asked again for a moment.
    async fn has(&self, pod: &Pod, name: &str) -> bool {
        for _ in 0..TRIES {
            match self.again(pod).await {
                Ok(now) => return now.added(name).is_some(),
                Err(error) if error.is_no_answer() => tokio::time::sleep(PAUSE).await,
                Err(_) => return false,
            }
        }
        false
    }

    async fn patch(&self, pod: &Pod, addition: &Addition, query: &str) -> Result<(), No> {
        let Pod { namespace, pod: name, .. } = pod;
        let what = format!("add a container to pod {namespace}/{name}");
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/ephemeralcontainers{query}");
        let kind = "application/strategic-merge-patch+json";
        let answer = self.answer(&Question::with("PATCH", path, kind, &addition.patch(pod), &what)).await?;
        let Some(refusal) = answer.refusal() else { return Ok(()) };
        let words = &refusal.message;
        Err(match refusal.status {
            403 if words.contains("violates PodSecurity") => No::Policy(refusal.message),
            // A webhook of the cluster's own (Kyverno, Gatekeeper), with whatever status it likes.
            _ if words.contains("admission webhook") || words.contains("denied the request") => {
                No::Policy(refusal.message)
            }
            403 => No::Right(refusal.message),
            404 if refusal.about.is_empty() => No::TooOld,
            422 if words.contains("may not be changed") => No::Taken(refusal.message),
            _ => No::Failed(self.refused(&what, refusal)),
        })
    }
}

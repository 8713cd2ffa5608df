//! Copies of pods, in which the program does not run: a helper holds its place, so that its files, its volumes, its variables and its
//! user can be seen of one that ends again and again. A copy can be deleted, unlike what is added to a pod.

mod spec;

use serde::Deserialize;
use serde_json::{Value, json};

pub use self::spec::{About, Copy};
use super::add::No;
use super::ask::{Question, encoded, short};
use super::pod::{Standing, words};
use super::{Cluster, Error, Pod, wire};
use crate::activity::Made;

/// The label of a copy: the uid of the pod that it is of. As an annotation: that pod's name.
pub const COPY_OF: &str = "io.scratchdbg.copy-of";
/// An annotation: what the container would run.
const RUNS: &str = "io.scratchdbg.runs";
/// An annotation of one that is left to others.
const KEPT: &str = "io.scratchdbg.kept";
/// What puts the helper there, in a copy.
pub const INSTALLER: &str = "sdbg-helper";
/// Where the helper is, in a copy.
pub const HELPERS: &str = "/.scratchdbg";
/// The helper itself.
pub const HELPER: &str = "/.scratchdbg/scratchdbg-shim";
/// The longest annotation that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// What a copy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The pod that it is of.
    pub of: String,
    /// Whether it is left to others.
    pub kept: bool,
    /// The image of what puts the helper there.
    pub helper: String,
    /// What the container would run.
    pub runs: Runs,
}

/// What a container would run, as its pod says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Runs {
    /// In place of the image's entry point.
    #[serde(deserialize_with = "wire::or_none")]
    pub command: Vec<String>,
    /// In place of the image's arguments.
    #[serde(deserialize_with = "wire::or_none")]
    pub args: Vec<String>,
    /// Where.
    pub directory: Option<String>,
}

/// How far a copy has come.
#[derive(Debug, Clone)]
pub enum Progress {
    /// It can be used.
    Ready(Box<Pod>),
    /// Something of it waits, or has ended.
    Of {
        /// What.
        part: Part,
        /// How.
        standing: Standing,
        /// On which node, if it has come to one.
        node: Option<String>,
    },
    /// It is not there any more.
    Gone,
}

/// What of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole.
    Pod,
    /// What puts the helper there.
    Installer,
    /// The container that is copied.
    Container,
}

impl Copied {
    /// What a pod says of itself, if it is a copy.
    pub(super) fn of(pod: &wire::Pod) -> Option<Self> {
        let wire::Meta { labels, annotations, .. } = &pod.metadata;
        labels.get(COPY_OF)?;
        let runs = annotations.get(RUNS).filter(|text| text.len() <= LONGEST);
        let installer = pod.spec.init_containers.iter().find(|one| one.name == INSTALLER)?;
        Some(Self {
            of: annotations.get(COPY_OF).cloned().unwrap_or_default(),
            kept: annotations.contains_key(KEPT),
            helper: installer.image.clone(),
            runs: runs.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        })
    }
}

fn path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods/{name}")
}

impl Cluster {
    /// What a copy of a pod would be, with the container in it that is looked at.
    ///
    /// # Errors
    /// If the pod is not there any more.
    pub async fn copy_of(&self, pod: &Pod, same_node: bool) -> Result<Copy, Error> {
        let what = format!("tell of pod {}/{}", pod.namespace, pod.pod);
        let document: Value = self.json(&Question::get(path(&pod.namespace, &pod.pod), &what)).await?;
        spec::of(&document, &pod.name, self.terms(), same_node).ok_or_else(|| Error::NoContainer {
            pod: format!("{}/{}", pod.namespace, pod.pod),
            name: pod.name.clone(),
            there: Vec::new(),
        })
    }

    /// A copy of the same container that runs, and that was left to others. None if pods may not be listed.
    pub async fn kept_copy(&self, pod: &Pod) -> Option<Pod> {
        let selector = format!("{COPY_OF}={}", pod.uid);
        let all = self.pods(Some(&pod.namespace), Some(&selector), None).await.ok()?;
        let mut all = all.iter().filter_map(|one| Pod::of(one, Some(&pod.name)).ok());
        all.find(|one| {
            let copy = one.copy.as_ref();
            one.closed.is_none()
                && one.running().is_ok()
                && copy.is_some_and(|copy| copy.kept && copy.helper == self.terms().image)
        })
    }

    /// All copies of a namespace, or of all.
    ///
    /// # Errors
    /// If pods may not be listed.
    pub async fn copies(&self, everywhere: bool) -> Result<Vec<wire::Pod>, Error> {
        let mut pods = self.pods((!everywhere).then(|| self.namespace()), Some(COPY_OF), None).await?;
        // Whoever may label a pod could have it deleted: what a pod begins with cannot be changed later.
        pods.retain(|pod| Copied::of(pod).is_some());
        Ok(pods)
    }

    /// Asks whether a copy could be made. Nothing is done.
    ///
    /// # Errors
    /// Why not.
    pub async fn try_copy(&self, copy: &Copy) -> Result<(), No> {
        self.post(copy, "?dryRun=All").await
    }

    /// Makes a copy.
    ///
    /// # Errors
    /// Why it was not made; or that nobody knows whether it was.
    pub async fn make_copy(&self, copy: &Copy) -> Result<Made, No> {
        let Copy { namespace, name, of, .. } = copy;
        let what = format!("make pod {namespace}/{name}, a copy of {of}");
        let step = self.begin(&what, Some("its deletion, at the end; or with the pod that it is of"));
        let made = self.post(copy, "").await;
        let step = step.end(&made);
        made.map(|()| step)
    }

    async fn post(&self, copy: &Copy, query: &str) -> Result<(), No> {
        let what = format!("make a copy of pod {}/{}", copy.namespace, copy.of);
        let path = format!("/api/v1/namespaces/{}/pods{query}", copy.namespace);
        let answer = self.answer(&Question::with("POST", path, "application/json", &copy.document, &what)).await?;
        let Some(refusal) = answer.refusal() else { return Ok(()) };
        Err(match refusal.status {
            403 if refusal.message.contains("cannot create resource") => No::Right(refusal.message),
            // Pod Security Admission, a quota, a limit; and webhooks of the cluster's own, with whatever status they like.
            403 => No::Policy(refusal.message),
            _ if refusal.message.contains("denied the request") => No::Policy(refusal.message),
            409 => No::Taken(refusal.message),
            _ => No::Failed(self.refused(&what, refusal)),
        })
    }

    /// Deletes a pod; with its uid, only if it still is that one. One that is not there any more is no failure.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn delete_pod(&self, namespace: &str, name: &str, uid: Option<&str>) -> Result<(), Error> {
        let what = format!("delete pod {namespace}/{name}");
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if let Some(uid) = uid {
            options["preconditions"] = json!({"uid": uid});
        }
        let question = Question::with("DELETE", path(namespace, name), "application/json", &options, &what);
        match self.answer(&question).await?.refusal() {
            Some(refusal) if refusal.status != 404 => Err(self.refused(&what, refusal)),
            _ => Ok(()),
        }
    }

    /// How far a copy has come.
    ///
    /// # Errors
    /// If the cluster does not say.
    pub async fn progress(&self, copy: &Copy) -> Result<Progress, Error> {
        let what = format!("tell of pod {}/{}", copy.namespace, copy.name);
        let answer = self.json::<wire::Pod>(&Question::get(path(&copy.namespace, &copy.name), &what)).await;
        match answer {
            Ok(pod) => progress(&pod, &copy.container),
            Err(Error::Refused { status: 404, .. }) => Ok(Progress::Gone),
            Err(error) => Err(error),
        }
    }

    /// What the cluster warns of that has to do with a pod, the newest last, if that may be read. It is another right.
    pub async fn warnings(&self, namespace: &str, name: &str) -> Vec<String> {
        let selector = encoded(&format!("involvedObject.name={name}"));
        let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector={selector}");
        let events = self.json::<wire::List<wire::Event>>(&Question::get(path, "list events")).await;
        let events = events.map(|list| list.items).unwrap_or_default();
        let warnings = events.into_iter().filter(|one| one.kind == "Warning" && one.involved_object.name == name);
        warnings.map(|one| short(&words(&one.reason, &one.message))).collect()
    }
}

fn progress(pod: &wire::Pod, container: &str) -> Result<Progress, Error> {
    let whole = Pod::of(pod, Some(container))?;
    if whole.closed.is_some() {
        return Ok(Progress::Gone);
    }
    if whole.running().is_ok() {
        return Ok(Progress::Ready(Box::new(whole)));
    }
    let wire::PodStatus { init_container_statuses, container_statuses, conditions, phase, reason, .. } = &pod.status;
    let of = |all: &[wire::ContainerStatus], name: &str| Standing::of(all.iter().find(|one| one.name == name));
    let installer = of(init_container_statuses, INSTALLER);
    let unscheduled = conditions.iter().find(|one| one.kind == "PodScheduled" && one.status == "False");
    let (part, standing) = match (of(container_statuses, container), unscheduled) {
        (ended @ Standing::Ended { .. }, _) => (Part::Container, ended),
        (_, Some(condition)) => {
            let wire::Condition { reason, message, .. } = condition.clone();
            (Part::Pod, Standing::Waiting(wire::Waiting { reason, message }))
        }
        (_, None)
            if matches!(phase.as_str(), "Failed" | "Succeeded") && !matches!(installer, Standing::Ended { .. }) =>
        {
            (Part::Pod, Standing::Ended { code: 1, why: words(reason.as_deref().unwrap_or(phase), "") })
        }
        // As it is put: what it waits for is told of what puts the helper there.
        (Standing::Untold, None) => (Part::Installer, installer),
        (Standing::Waiting(waiting), None) if waiting.reason == "PodInitializing" => (Part::Installer, installer),
        (standing, None) => (Part::Container, standing),
    };
    Ok(Progress::Of { part, standing, node: whole.node })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: &Value) -> String {
        let pod = json!({
            "metadata": {"name": "c", "namespace": "shop", "labels": {COPY_OF: "u"}},
            "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": INSTALLER, "image": "t:1"}]},
            "status": status,
        });
        match progress(&serde_json::from_value(pod).unwrap(), "app").unwrap() {
            Progress::Ready(pod) => format!("ready {}", pod.copy.unwrap().helper),
            Progress::Of { part, standing, .. } => format!("{part:?} {standing:?}"),
            Progress::Gone => "gone".to_owned(),
        }
    }

    #[test]
    fn what_it_waits_for() {
        let init = |state: Value| json!([{"name": INSTALLER, "state": state}]);
        let waits = |reason: &str| json!({"waiting": {"reason": reason, "message": ""}});
        let app = |state: Value| json!([{"name": "app", "state": state}]);
        let full =
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]);
        for (status, words) in [
            (json!({}), "Installer Untold"),
            (json!({"conditions": full}), "Pod Waiting(Waiting { reason: \"Unschedulable\", message: \"0/3 nodes\" })"),
            (
                json!({"initContainerStatuses": init(waits("ErrImagePull")), "containerStatuses": app(waits("PodInitializing"))}),
                "Installer Waiting(Waiting { reason: \"ErrImagePull\"",
            ),
            (
                json!({"containerStatuses": app(waits("CreateContainerConfigError"))}),
                "Container Waiting(Waiting { reason: \"CreateContainerConfigError\"",
            ),
            (json!({"phase": "Failed", "reason": "OutOfcpu"}), "Pod Ended { code: 1, why: \"OutOfcpu\" }"),
            (
                json!({"phase": "Failed", "initContainerStatuses": init(json!({"terminated": {"exitCode": 2}}))}),
                "Installer Ended { code: 2",
            ),
            (json!({"phase": "Running", "containerStatuses": app(json!({"running": {}}))}), "ready t:1"),
            (json!({"containerStatuses": app(json!({"terminated": {"exitCode": 2}}))}), "Container Ended { code: 2"),
        ] {
            let told = seen(&status);
            assert!(told.starts_with(words), "{told}");
        }
    }
}

//! From a container's first moment to its last.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::identity::Identity;
use super::recipe::{self, Place};
use super::status::{self, Sort, Whose};
use crate::cluster::Cluster;
use crate::engine::{Image, words};
use crate::fault::Fault;
use crate::store::Key;

/// How long until something that could not be done is tried again. A real kubelet takes longer.
const AGAIN: Duration = Duration::from_millis(300);
/// The longest that a container which ends again and again is left alone. A real kubelet takes five minutes.
const LONGEST_REST: Duration = Duration::from_secs(8);

/// Why a container cannot be started, as its status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// `ErrImagePull`
    pub reason: &'static str,
    /// The kubelet's words.
    pub message: String,
}

impl Trouble {
    /// A trouble.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Whether it may be over when it is tried again.
    fn may_pass(&self) -> bool {
        matches!(self.reason, "ErrImagePull" | "CreateContainerError")
    }
}

/// A container of a pod, and what of it is at hand.
struct Case<'a> {
    cluster: &'a Cluster,
    key: &'a Key,
    uid: &'a str,
    container: &'a Value,
    name: &'a str,
    sort: Sort,
}

/// One that was started.
struct Started {
    id: String,
    image: Image,
    who: Identity,
}

impl<'a> Case<'a> {
    fn new(cluster: &'a Cluster, key: &'a Key, uid: &'a str, container: &'a Value, sort: Sort) -> Self {
        Self { cluster, key, uid, container, name: container["name"].as_str().unwrap_or_default(), sort }
    }

    fn status(&self) -> Whose<'a> {
        let image = self.container["image"].as_str().unwrap_or_default();
        Whose { store: &self.cluster.store, key: self.key, sort: self.sort, name: self.name, image }
    }

    fn goes_wrong(&self, fault: Fault) -> bool {
        self.cluster.faults.has(&self.key.namespace, &self.key.name, self.name, fault)
    }

    /// Waits as long as what becomes of it is not to be told.
    async fn delay(&self) {
        let pick = |fault| if let Fault::SlowStatus(time) = fault { Some(time) } else { None };
        if let Some(time) = self.cluster.faults.find(&self.key.namespace, &self.key.name, self.name, pick) {
            sleep(time).await;
        }
    }

    fn is_wanted(&self) -> bool {
        self.cluster.kubelet.is_there(self.key, self.uid)
    }

    /// Starts it. `None` if its pod is gone.
    async fn start(&self) -> Result<Option<Started>, Trouble> {
        let Some(run) = self.cluster.kubelet.run(self.key).filter(|run| run.uid == self.uid) else { return Ok(None) };
        let Some(pod) = self.cluster.store.get(self.key) else { return Ok(None) };
        let image = self.image().await?;
        if self.goes_wrong(Fault::CreateContainerConfigError) {
            return Err(Trouble::new("CreateContainerConfigError", "configmap \"settings\" not found"));
        }
        let who = Identity::of(&pod, self.container, &image.user)?;
        let target = self.processes(&pod, &run.pause).await?;
        let place = Place { pause: &run.pause, processes: target.as_deref(), volumes: &run.volumes };
        let body = recipe::of(&pod, self.container, &who, &place)?;
        let failed = |reason: &'static str| move |error| Trouble::new(reason, words(&error));
        let suffix = format!("{}-{}", self.key.name, self.name);
        let id = self.cluster.engine.create(&suffix, body).await.map_err(failed("CreateContainerError"))?;
        if !self.cluster.kubelet.note(self.key, self.uid, self.name, &id) {
            self.cluster.engine.remove(&id).await;
            return Ok(None);
        }
        self.cluster.engine.start(&id).await.map_err(failed("RunContainerError"))?;
        Ok(Some(Started { id, image, who }))
    }

    async fn image(&self) -> Result<Image, Trouble> {
        let name = self.container["image"].as_str().unwrap_or_default();
        if !self.goes_wrong(Fault::ErrImagePull)
            && let Some(image) = self.cluster.engine.image(name).await
        {
            return Ok(image);
        }
        if self.container["imagePullPolicy"] == "Never" {
            let message = format!("Container image \"{name}\" is not present with pull policy of Never");
            return Err(Trouble::new("ErrImageNeverPull", message));
        }
        let message = format!(
            "failed to pull and unpack image \"{name}\": failed to resolve reference \"{name}\": {name}: not found"
        );
        Err(Trouble::new("ErrImagePull", message))
    }

    /// Whose processes it shares.
    async fn processes(&self, pod: &Value, pause: &str) -> Result<Option<String>, Trouble> {
        if pod["spec"]["shareProcessNamespace"] == true {
            return Ok(Some(pause.to_owned()));
        }
        let Some(target) = self.container["targetContainerName"].as_str().filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let trouble = |message: String| Trouble::new("CreateContainerError", message);
        let Some(id) = self.cluster.kubelet.container(self.key, target, false) else {
            return Err(trouble(format!("unable to find target container {target}")));
        };
        if self.cluster.engine.state(&id).await.running != Some(true) {
            let state = "is not running - in state CONTAINER_EXITED";
            let message = format!("failed to generate container \"{}\" spec: invalid target container: ", self.name);
            return Err(trouble(format!("{message}container \"{id}\" {state}")));
        }
        Ok(Some(id))
    }

    /// Starts it, and tries again as long as that may help. `None` if it never runs.
    async fn started(&self) -> Option<Started> {
        if self.goes_wrong(Fault::NeverStarts) {
            self.status().waits("ContainerCreating", None);
            return None;
        }
        let mut backing_off = false;
        while self.is_wanted() {
            let trouble = match self.start().await {
                Ok(started) => return started,
                Err(trouble) => trouble,
            };
            if trouble.reason == "ErrImagePull" && backing_off {
                let image = self.container["image"].as_str().unwrap_or_default();
                self.status().waits("ImagePullBackOff", Some(&format!("Back-off pulling image \"{image}\"")));
            } else {
                self.status().troubled(&trouble);
            }
            if !trouble.may_pass() {
                return None;
            }
            backing_off = !backing_off;
            sleep(AGAIN).await;
        }
        None
    }

    /// Tells that it runs, waits for its end and tells that too. Its exit code.
    async fn watched(&self, started: &Started) -> i64 {
        let state = self.cluster.engine.state(&started.id).await;
        self.delay().await;
        self.status().runs(&started.id, &started.image.id, &started.who.told(), &state);
        let state = self.cluster.engine.ended(&started.id).await;
        if self.is_wanted() {
            self.delay().await;
            self.status().ended(&started.id, &state);
        }
        state.exit_code.unwrap_or(137)
    }
}

/// A container that has to end well before others start. Whether it did.
pub async fn once(cluster: &Cluster, key: &Key, uid: &str, container: &Value) -> bool {
    let case = Case::new(cluster, key, uid, container, Sort::Init);
    match case.started().await {
        Some(started) => case.watched(&started).await == 0 && case.is_wanted(),
        None => false,
    }
}

/// A container of the pod's own, which is started again when it ends, if its pod wants that.
pub async fn repeated(cluster: Arc<Cluster>, key: Key, uid: String, container: Value) {
    let case = Case::new(&cluster, &key, &uid, &container, Sort::App);
    let pod = cluster.store.get(&key).unwrap_or_default();
    let policy = pod["spec"]["restartPolicy"].as_str().unwrap_or("Always").to_owned();
    let mut rest = Duration::ZERO;
    while let Some(started) = case.started().await {
        let code = case.watched(&started).await;
        if !case.is_wanted() || policy == "Never" || policy == "OnFailure" && code == 0 {
            return;
        }
        case.status().again();
        if !rest.is_zero() {
            let (name, pod) = (case.name, format!("{}_{}({uid})", key.name, key.namespace));
            let message = format!("back-off {rest:?} restarting failed container={name} pod={pod}");
            case.status().waits("CrashLoopBackOff", Some(&message));
            sleep(rest).await;
        }
        rest = (rest * 2).clamp(Duration::from_secs(1), LONGEST_REST);
    }
}

/// Ends a pod after so long. The object stays.
pub async fn deadline(cluster: Arc<Cluster>, key: Key, uid: String, time: Duration) {
    sleep(time).await;
    if let Some(run) = cluster.kubelet.forget(&key, &uid) {
        super::remove(&cluster, &run).await;
        status::over(&cluster.store, &key);
    }
}

/// A container that was added. It is started once.
pub async fn added(cluster: Arc<Cluster>, key: Key, uid: String, container: Value) {
    let case = Case::new(&cluster, &key, &uid, &container, Sort::Ephemeral);
    let pod = cluster.store.get(&key).unwrap_or_default();
    // Nothing ever becomes of one that is added to a pod which has ended.
    if pod["status"]["phase"] == json!("Succeeded") || pod["status"]["phase"] == json!("Failed") {
        return;
    }
    case.status().waits("ContainerCreating", None);
    if let Some(started) = case.started().await {
        case.watched(&started).await;
    }
}

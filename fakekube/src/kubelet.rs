//! What a kubelet does, with the engine of this machine: pods become containers that share a network, and what
//! becomes of them is written into their status.

pub mod identity;
pub mod life;
pub mod recipe;
pub mod status;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::engine::words;
use crate::fault::Fault;
use crate::kind::KINDS;
use crate::store::Key;

/// What holds the network of a pod: a static program that only waits.
const PAUSE: &str = "scratchdbg-test/toolbox";
/// Whose processes such a program is of, as the real one's.
const NOBODY: &str = "65535:65535";

/// The pods that run.
#[derive(Default)]
pub struct Kubelet {
    runs: Mutex<HashMap<Key, Run>>,
}

/// A pod that runs.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The pod's uid: another pod of the same name is another one.
    pub uid: String,
    /// The container that holds its network.
    pub pause: String,
    /// Its address.
    pub address: String,
    /// Where its volumes are.
    pub volumes: PathBuf,
    /// Its containers by name, the present one last.
    pub containers: HashMap<String, Vec<String>>,
}

/// The key of a pod.
#[must_use]
pub fn pod_key(namespace: &str, name: &str) -> Key {
    Key::new(&KINDS[0], namespace, name)
}

impl Kubelet {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pod that runs.
    #[must_use]
    pub fn run(&self, key: &Key) -> Option<Run> {
        self.lock().get(key).cloned()
    }

    /// The engine's id of a container of a pod: the present one, or the one before.
    #[must_use]
    pub fn container(&self, key: &Key, name: &str, previous: bool) -> Option<String> {
        let runs = self.lock();
        let ids = runs.get(key)?.containers.get(name)?;
        ids.iter().rev().nth(usize::from(previous)).cloned()
    }

    /// Notes a container. False if the pod is gone meanwhile, or another.
    fn note(&self, key: &Key, uid: &str, name: &str, id: &str) -> bool {
        let mut runs = self.lock();
        let Some(run) = runs.get_mut(key).filter(|run| run.uid == uid) else { return false };
        run.containers.entry(name.to_owned()).or_default().push(id.to_owned());
        true
    }

    /// Forgets this very pod, so that nothing of it is started again.
    fn forget(&self, key: &Key, uid: &str) -> Option<Run> {
        let mut runs = self.lock();
        if runs.get(key)?.uid == uid { runs.remove(key) } else { None }
    }

    /// Whether this very pod still runs.
    fn is_there(&self, key: &Key, uid: &str) -> bool {
        self.lock().get(key).is_some_and(|run| run.uid == uid)
    }
}

/// Begins a pod.
pub async fn start(cluster: Arc<Cluster>, key: Key) {
    let Some(pod) = cluster.store.get(&key) else { return };
    status::begin(&cluster.store, &key, &pod);
    if cluster.faults.has(&key.namespace, &key.name, "", Fault::Unschedulable) {
        status::unscheduled(&cluster.store, &key);
        return;
    }
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let run = match sandbox(&cluster, &key, &uid).await {
        Ok(run) => run,
        Err(error) => {
            status::failed(&cluster.store, &key, "FailedCreatePodSandBox", &error);
            return;
        }
    };
    status::addressed(&cluster.store, &key, &run.address);
    let pause = run.pause.clone();
    cluster.kubelet.lock().insert(key.clone(), run);
    // Deleted while this was under way: its end has not seen the run.
    if cluster.store.get(&key).is_none_or(|now| now["metadata"]["uid"] != uid.as_str()) {
        cluster.kubelet.lock().remove(&key);
        cluster.engine.remove(&pause).await;
        return;
    }
    if let Some(seconds) = pod["spec"]["activeDeadlineSeconds"].as_u64() {
        tokio::spawn(life::deadline(Arc::clone(&cluster), key.clone(), uid.clone(), Duration::from_secs(seconds)));
    }
    for container in list(&pod, "initContainers") {
        if !life::once(&cluster, &key, &uid, &container).await {
            return;
        }
    }
    for container in list(&pod, "containers") {
        tokio::spawn(life::repeated(Arc::clone(&cluster), key.clone(), uid.clone(), container));
    }
}

/// The containers of one sort of a pod.
fn list(pod: &Value, which: &str) -> Vec<Value> {
    pod["spec"][which].as_array().cloned().unwrap_or_default()
}

/// Makes what a pod's containers share.
async fn sandbox(cluster: &Cluster, key: &Key, uid: &str) -> Result<Run, String> {
    let host = HostConfig { ipc_mode: Some("shareable".to_owned()), ..HostConfig::default() };
    let body = ContainerCreateBody {
        image: Some(PAUSE.to_owned()),
        cmd: Some(vec!["sleep".to_owned()]),
        user: Some(NOBODY.to_owned()),
        hostname: Some(key.name.chars().take(63).collect()),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    let failed = |error| format!("the pod's sandbox could not be made: {}", words(&error));
    let pause = cluster.engine.create(&format!("{}-pause", key.name), body).await.map_err(failed)?;
    cluster.engine.start(&pause).await.map_err(failed)?;
    let found = cluster.engine.docker.inspect_container(&pause, None).await.map_err(failed)?;
    let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let address = networks.into_values().find_map(|network| network.ip_address.filter(|address| !address.is_empty()));
    let run = Run {
        uid: uid.to_owned(),
        pause,
        address: address.unwrap_or_default(),
        volumes: cluster.folder.path().join(uid),
        containers: HashMap::new(),
    };
    Ok(run)
}

/// Ends a pod: its containers, and then the object.
pub async fn end(cluster: Arc<Cluster>, key: Key) {
    let run = cluster.kubelet.lock().remove(&key);
    if let Some(run) = run {
        remove(&cluster, &run).await;
    }
    let Some(gone) = cluster.store.remove(&key) else { return };
    // What the garbage collector does: whatever belongs to it alone goes with it.
    let (all, _) = cluster.store.list(&KINDS[0], Some(&key.namespace));
    for pod in all.iter().filter(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == gone["metadata"]["uid"]) {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        Box::pin(end(Arc::clone(&cluster), pod_key(&key.namespace, name))).await;
    }
}

/// Removes the containers of a pod.
async fn remove(cluster: &Cluster, run: &Run) {
    for id in run.containers.values().flatten().chain([&run.pause]) {
        cluster.engine.remove(id).await;
    }
}

/// `docker://ID`, as a status names a container.
#[must_use]
pub fn named(id: &str) -> Value {
    json!(format!("docker://{id}"))
}

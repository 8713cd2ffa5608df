//! A Kubernetes API server for tests. Its pods are real containers of this machine's engine, so that namespaces, users and
//! the kernel's rules are the real ones; the rest is as much of an API server as `kubectl` and a debugger need. See
//! `README.md` beside this.
//!
//! Test code: it panics where a test could not go on.
#![allow(clippy::expect_used, clippy::must_use_candidate)]

pub mod admission;
pub mod answer;
pub mod certificates;
pub mod channel;
pub mod cluster;
pub mod engine;
pub mod ephemeral;
pub mod fault;
pub mod forward;
pub mod kind;
pub mod kubelet;
pub mod log;
pub mod patch;
pub mod pods;
pub mod query;
pub mod rbac;
pub mod rest;
pub mod selector;
pub mod server;
pub mod spdy;
pub mod store;
pub mod streams;
pub mod table;
pub mod watch;
pub mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use crate::fault::Fault;
pub use crate::rbac::User;
pub use crate::wire::{Refused, Sent};

use crate::cluster::Cluster;
use crate::engine::Engine;
use crate::query::Query;
use crate::wire::Wire;

/// How long anything may take before it counts as hung. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the server's threads may take to end.
const END: Duration = Duration::from_secs(5);

/// A cluster with one node, for as long as this lives. All that it made goes with it.
pub struct FakeKube {
    cluster: Arc<Cluster>,
    runtime: Option<Runtime>,
    port: u16,
    authority: String,
}

impl FakeKube {
    /// Starts a server on a port of the loopback address, with nothing in it but the usual namespaces and a node.
    ///
    /// # Panics
    /// If no engine answers, or there is no port.
    #[must_use]
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (authority, acceptor) = certificates::make().expect("certificates");
        let folder = tempfile::Builder::new().prefix("scratchdbg-fakekube-").tempdir().expect("a folder");
        let (cluster, listener) = wait_for(&runtime, async move {
            let engine = Engine::connect().await.expect("a container engine");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            (Arc::new(Cluster::new(engine, folder)), listener)
        });
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(server::serve(Arc::clone(&cluster), listener, acceptor));
        Self { cluster, runtime: Some(runtime), port, authority }
    }

    /// Its address: `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Adds a user, in place of the one of that name, and writes a kubeconfig file for them. Its context is called as they
    /// are, and has the namespace `default`.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn user(&self, user: User) -> PathBuf {
        let name = user.name.clone();
        let token = self.cluster.add_user(user);
        let authority = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &self.authority);
        // JSON is YAML.
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": name,
            "clusters": [{ "name": "fakekube", "cluster": {
                "server": self.url(), "certificate-authority-data": authority } }],
            "contexts": [{ "name": name, "context": {
                "cluster": "fakekube", "user": name, "namespace": "default" } }],
            "users": [{ "name": name, "user": { "token": token } }],
        });
        let path = self.folder().join(format!("kubeconfig-{name}"));
        fs::write(&path, config.to_string()).expect("a kubeconfig file");
        path
    }

    /// Where its files are, and a test's may be. Gone with this.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.cluster.folder.path()
    }

    /// Puts an object there: a pod begins, anything else just is there. In `default`, unless it says otherwise.
    ///
    /// # Panics
    /// If it is of no known kind, or is refused.
    pub fn apply(&self, object: Value) {
        if object["kind"] != "Pod" {
            let told = object.to_string();
            assert!(self.cluster.add(object).is_some(), "an object of no known kind: {told}");
            return;
        }
        let cluster = Arc::clone(&self.cluster);
        let created = self.wait_for(async move {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
            pods::create(&cluster, &namespace, &Query::default(), object)
        });
        created.unwrap_or_else(|refusal| panic!("the pod is refused: {refusal:?}"));
    }

    /// Puts a pod there and waits until every container of it runs.
    ///
    /// # Panics
    /// If it does not come to that; with what became of it.
    pub fn run(&self, pod: Value) {
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.apply(pod);
        self.wait_for_pod(&namespace, &name, "every container to run", |pod| {
            let statuses = pod["status"]["containerStatuses"].as_array();
            statuses.is_some_and(|all| all.iter().all(|status| status["state"].get("running").is_some()))
        });
    }

    /// A pod as it is now. Null if it is not there.
    #[must_use]
    pub fn pod(&self, namespace: &str, name: &str) -> Value {
        self.cluster.store.get(&kubelet::pod_key(namespace, name)).unwrap_or_default()
    }

    /// Waits until this holds of a pod, and returns it.
    ///
    /// # Panics
    /// If it never does; with the pod.
    pub fn wait_for_pod(
        &self,
        namespace: &str,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool + Send + Sync + 'static,
    ) -> Value {
        let (cluster, key) = (Arc::clone(&self.cluster), kubelet::pod_key(namespace, name));
        let found = self.wait_for(async move {
            let mut changes = cluster.store.changes();
            let good = async {
                loop {
                    changes.mark_unchanged();
                    match cluster.store.get(&key) {
                        Some(pod) if holds(&pod) => return pod,
                        _ => changes.changed().await.expect("a store"),
                    }
                }
            };
            timeout(PATIENCE, good).await.map_err(|_| cluster.store.get(&key).unwrap_or_default())
        });
        found.unwrap_or_else(|pod| panic!("waited in vain for {what}; the pod {namespace}/{name} is {pod:#}"))
    }

    /// Waits until a line with this text is in the log of a container.
    ///
    /// # Panics
    /// If it never is.
    pub fn wait_for_log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let (cluster, key) = (Arc::clone(&self.cluster), kubelet::pod_key(namespace, pod));
        let (container, wanted) = (container.to_owned(), text.to_owned());
        let found = self.wait_for(async move {
            let pod = cluster.store.get(&key).unwrap_or_default();
            let query = Query::new(&format!("follow=true&container={container}"));
            let log = log::read(&cluster, &key, &pod, &query).map_err(|refusal| format!("{refusal:?}"))?;
            let mut log = Box::pin(log);
            let mut said = String::new();
            let look = async {
                while let Some(bytes) = log.next().await {
                    said.push_str(&String::from_utf8_lossy(&bytes));
                    if said.contains(&wanted) {
                        return true;
                    }
                }
                false
            };
            let found = timeout(PATIENCE, look).await.unwrap_or(false);
            if found { Ok(()) } else { Err(said) }
        });
        found.unwrap_or_else(|said| panic!("{pod} never printed {text:?}; it printed:\n{said}"));
    }

    /// Deletes a pod.
    ///
    /// # Panics
    /// If there is none.
    pub fn delete_pod(&self, namespace: &str, name: &str) {
        let (cluster, key) = (Arc::clone(&self.cluster), kubelet::pod_key(namespace, name));
        let done =
            self.wait_for(async move { pods::delete(&cluster, &key, &Query::default(), &Value::Null).map(drop) });
        done.unwrap_or_else(|refusal| panic!("the pod is not deleted: {refusal:?}"));
    }

    /// The engine's id of the container that a container of a pod is at present.
    #[must_use]
    pub fn container_id(&self, namespace: &str, pod: &str, container: &str) -> Option<String> {
        self.cluster.kubelet.container(&kubelet::pod_key(namespace, pod), container, false)
    }

    /// Opens a WebSocket at a path as a user who is known, offering these protocols, and sees its frames.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn frames(&self, user: &str, path: &str, protocols: &str) -> Result<Frames<'_>, Refused> {
        let (port, authority) = (self.port, self.authority.clone());
        let token = self.cluster.add_user(self.cluster.user(user));
        let (path, protocols) = (path.to_owned(), protocols.to_owned());
        let wire = self.wait_for(async move { Wire::open(port, &authority, &token, &path, &protocols).await })?;
        Ok(Frames { kube: self, protocol: wire.protocol.clone(), wire: Arc::new(Mutex::new(wire)) })
    }

    /// Lets something go wrong at `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`, from now on.
    pub fn breaks(&self, place: &str, fault: Fault) {
        self.cluster.faults.add(place, fault);
    }

    /// Nothing goes wrong there any more.
    pub fn mend(&self, place: &str) {
        self.cluster.faults.clear(place);
    }

    fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        wait_for(self.runtime.as_ref().expect("a runtime until the end"), future)
    }
}

/// A WebSocket whose frames are seen.
pub struct Frames<'a> {
    kube: &'a FakeKube,
    wire: Arc<Mutex<Wire>>,
    /// The protocol that the server agreed to.
    pub protocol: String,
}

impl Frames<'_> {
    /// Sends a frame: channel and bytes.
    pub fn send(&self, channel: u8, bytes: &[u8]) {
        let (wire, frame) = (Arc::clone(&self.wire), [&[channel], bytes].concat());
        self.kube.wait_for(async move { wire.lock().await.send(&frame).await });
    }

    /// What the server sends next.
    ///
    /// # Panics
    /// If it sends nothing.
    pub fn receive(&self) -> Sent {
        let wire = Arc::clone(&self.wire);
        self.kube.wait_for(async move { wire.lock().await.next().await })
    }
}

/// Waits for something that the server's own threads do. Also from inside another runtime.
fn wait_for<T: Send + 'static>(runtime: &Runtime, future: impl Future<Output = T> + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    runtime.spawn(async move {
        let _ = tell.send(future.await);
    });
    told.recv().expect("the server's threads end with it")
}

impl Drop for FakeKube {
    fn drop(&mut self) {
        let cluster = Arc::clone(&self.cluster);
        self.wait_for(async move { cluster.engine.remove_all().await });
        if let Some(runtime) = self.runtime.take() {
            // Waited for, so that no task holds the folder when the process ends; elsewhere, because the thread that this
            // is dropped on may be another runtime's.
            let _ = thread::spawn(move || runtime.shutdown_timeout(END)).join();
        }
    }
}

//! Everything that a server knows.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engine::Engine;
use crate::fault::Faults;
use crate::kind::Kind;
use crate::kubelet::Kubelet;
use crate::kubelet::status::now;
use crate::rbac::User;
use crate::store::{Key, Store};

/// The only node.
pub const NODE: &str = "node-1";

/// A cluster of one node.
pub struct Cluster {
    /// The objects.
    pub store: Store,
    /// What goes wrong.
    pub faults: Faults,
    /// The pods that run.
    pub kubelet: Kubelet,
    /// What they are made of.
    pub engine: Engine,
    /// Where kubeconfig files and volumes are.
    pub folder: TempDir,
    /// Held from the look at a pod to its change.
    pub patching: Mutex<()>,
    users: Mutex<Vec<User>>,
    uids: Mutex<u64>,
}

impl Cluster {
    /// A cluster with a node and the usual namespaces, and nothing in them.
    #[must_use]
    pub fn new(engine: Engine, folder: TempDir) -> Self {
        let cluster = Self {
            store: Store::default(),
            faults: Faults::default(),
            kubelet: Kubelet::default(),
            engine,
            folder,
            patching: Mutex::default(),
            users: Mutex::default(),
            uids: Mutex::default(),
        };
        for name in ["default", "kube-system"] {
            cluster.add(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        }
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        cluster.add(json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": NODE },
            "spec": {},
            "status": {
                "nodeInfo": {
                    "architecture": architecture, "operatingSystem": "linux", "kubeletVersion": "v1.36.2",
                    "containerRuntimeVersion": "docker://", "osImage": "", "kernelVersion": "",
                },
                "images": [],
                "conditions": [{ "type": "Ready", "status": "True" }],
            },
        }));
        cluster
    }

    /// Puts an object there as it is. `None` if it is of no known kind.
    pub fn add(&self, mut object: Value) -> Option<(Key, Value)> {
        let kind = Kind::of_object(&object)?;
        let key = self.name(kind, "default", &mut object);
        let object = self.store.put(&key, object);
        Some((key, object))
    }

    /// Gives an object what every object has: namespace, uid and time of birth.
    pub fn name(&self, kind: &'static Kind, namespace: &str, object: &mut Value) -> Key {
        (object["kind"], object["apiVersion"]) = (json!(kind.name), json!(kind.api_version()));
        let uid = self.uid();
        if let (None, Some(stem)) = (object["metadata"]["name"].as_str(), object["metadata"]["generateName"].as_str()) {
            let end = &uid[uid.len() - 5..];
            object["metadata"]["name"] = json!(format!("{stem}{end}"));
        }
        if kind.namespaced && object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object["metadata"]["uid"] = json!(uid);
        object["metadata"]["creationTimestamp"] = json!(now());
        if kind.plural == "namespaces" && object["status"].is_null() {
            object["status"] = json!({ "phase": "Active" });
        }
        let word = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
        Key::new(kind, word("namespace"), word("name"))
    }

    fn uid(&self) -> String {
        let mut count = self.uids.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", std::process::id(), *count)
    }

    /// Adds a user, in place of the one of that name. Their token.
    pub fn add_user(&self, user: User) -> String {
        let token = token(&user.name);
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|known| known.name != user.name);
        users.push(user);
        token
    }

    /// Whose token this is.
    pub fn user_of(&self, bearer: &str) -> Option<User> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.iter().find(|user| token(&user.name) == bearer).cloned()
    }

    /// The user of a name; one that is not known has no rights.
    pub fn user(&self, name: &str) -> User {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.iter().find(|user| user.name == name).cloned().unwrap_or_else(|| User::new(name))
    }
}

/// A user's token.
fn token(name: &str) -> String {
    format!("token-of-{name}")
}

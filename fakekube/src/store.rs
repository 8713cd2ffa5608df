//! The objects, and what happened to them: what etcd is to a cluster.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::kind::Kind;

/// How many events are kept.
const KEPT: usize = 4096;
/// What the first object's version follows.
const FIRST: u64 = 1000;

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    group: &'static str,
    plural: &'static str,
    /// Its namespace; empty if it is in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The object of this kind and name.
    #[must_use]
    pub fn new(kind: &'static Kind, namespace: &str, name: &str) -> Self {
        let namespace = if kind.namespaced { namespace } else { "" };
        Self { group: kind.group, plural: kind.plural, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn is_of(&self, kind: &Kind) -> bool {
        (self.group, self.plural) == (kind.group, kind.plural)
    }
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// The version that came of it.
    pub version: u64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub change: &'static str,
    /// Which object.
    pub key: Key,
    /// How it was afterwards; one that is deleted, how it was last.
    pub object: Value,
}

/// All objects.
pub struct Store {
    inner: Mutex<Inner>,
    version: watch::Sender<u64>,
}

struct Inner {
    version: u64,
    objects: BTreeMap<Key, Value>,
    events: Vec<Event>,
    /// What happened up to this version is forgotten.
    forgotten: u64,
}

impl Inner {
    fn tell(&mut self, change: &'static str, key: &Key, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let event = Event { version: self.version, change, key: key.clone(), object: object.clone() };
        self.events.push(event);
        if self.events.len() > KEPT {
            self.forgotten = self.events.remove(0).version;
        }
        object
    }
}

impl Default for Store {
    fn default() -> Self {
        let inner = Inner { version: FIRST, objects: BTreeMap::new(), events: Vec::new(), forgotten: 0 };
        Self { inner: Mutex::new(inner), version: watch::channel(FIRST).0 }
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, inner: MutexGuard<'_, Inner>) {
        let version = inner.version;
        drop(inner);
        self.version.send_replace(version);
    }

    /// Tells of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Puts an object there, in place of the one that may be there.
    pub fn put(&self, key: &Key, object: Value) -> Value {
        let mut inner = self.lock();
        let change = if inner.objects.contains_key(key) { "MODIFIED" } else { "ADDED" };
        let object = inner.tell(change, key, object);
        inner.objects.insert(key.clone(), object.clone());
        self.done(inner);
        object
    }

    /// Puts an object where none is yet. `None` if there is one.
    pub fn add(&self, key: &Key, object: Value) -> Option<Value> {
        let mut inner = self.lock();
        if inner.objects.contains_key(key) {
            return None;
        }
        let object = inner.tell("ADDED", key, object);
        inner.objects.insert(key.clone(), object.clone());
        self.done(inner);
        Some(object)
    }

    /// Changes an object. `None` if it is not there.
    pub fn update(&self, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Value> {
        let mut inner = self.lock();
        let mut object = inner.objects.get(key)?.clone();
        let before = object.clone();
        change(&mut object);
        // What changes nothing makes no version, as in a cluster.
        if object == before {
            return Some(object);
        }
        let object = inner.tell("MODIFIED", key, object);
        inner.objects.insert(key.clone(), object.clone());
        self.done(inner);
        Some(object)
    }

    /// Takes an object away.
    pub fn remove(&self, key: &Key) -> Option<Value> {
        let mut inner = self.lock();
        let object = inner.objects.remove(key)?;
        let object = inner.tell("DELETED", key, object);
        self.done(inner);
        Some(object)
    }

    /// One object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Value> {
        self.lock().objects.get(key).cloned()
    }

    /// All of a kind, in one namespace or in all, and the version at which they were so.
    #[must_use]
    pub fn list(&self, kind: &Kind, namespace: Option<&str>) -> (Vec<Value>, u64) {
        let inner = self.lock();
        let wanted = |key: &Key| key.is_of(kind) && namespace.is_none_or(|name| key.namespace == name);
        let list = inner.objects.iter().filter(|(key, _)| wanted(key)).map(|(_, object)| object.clone()).collect();
        (list, inner.version)
    }

    /// What happened after a version.
    ///
    /// # Errors
    /// With the oldest version that is known, if that is newer.
    pub fn events_after(&self, kind: &Kind, version: u64) -> Result<(Vec<Event>, u64), u64> {
        let inner = self.lock();
        if version < inner.forgotten {
            return Err(inner.forgotten);
        }
        let new = inner.events.iter().filter(|event| event.version > version && event.key.is_of(kind));
        Ok((new.cloned().collect(), inner.version))
    }
}

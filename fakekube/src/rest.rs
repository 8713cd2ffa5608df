//! From a question to its answer.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::answer::{self, Answer, Refusal};
use crate::cluster::Cluster;
use crate::kind::{Kind, discovery};
use crate::patch::Way;
use crate::query::{Query, decode};
use crate::rbac::{Attempt, User};
use crate::store::Key;
use crate::streams::What;
use crate::{channel, forward, log, pods, streams, table, watch};

/// The largest body that is read, in bytes.
const LARGEST: usize = 3 << 20;
/// As whom somebody wants to act.
const IMPERSONATE: HeaderName = HeaderName::from_static("impersonate-user");

/// What a path names.
struct Named {
    kind: &'static Kind,
    namespace: Option<String>,
    name: Option<String>,
    below: Option<String>,
}

impl Named {
    fn of(path: &str) -> Option<Self> {
        let words: Vec<String> = path.split('/').filter(|word| !word.is_empty()).map(decode).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (group, rest) = match words[..] {
            ["api", "v1", ..] => ("", &words[2..]),
            ["apis", group, "v1", ..] => (group, &words[3..]),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, _, ..] => (Some((*namespace).to_owned()), &rest[2..]),
            _ => (None, rest),
        };
        let kind = Kind::of(group, rest.first()?)?;
        let word = |at: usize| rest.get(at).map(|&word| word.to_owned());
        (rest.len() <= 3).then(|| Self { kind, namespace, name: word(1), below: word(2) })
    }

    fn resource(&self) -> String {
        let plural = self.kind.plural;
        self.below.as_ref().map_or_else(|| plural.to_owned(), |below| format!("{plural}/{below}"))
    }

    fn key(&self) -> Key {
        let (namespace, name) = (self.namespace.as_deref().unwrap_or_default(), self.name.as_deref());
        Key::new(self.kind, namespace, name.unwrap_or_default())
    }

    fn missing(&self) -> Refusal {
        Refusal::not_found(self.kind.plural, self.kind.group, self.name.as_deref().unwrap_or_default())
    }

    /// Refuses what this user may not.
    fn allow(&self, user: &User, verb: &str) -> Result<(), Refusal> {
        let resource = self.resource();
        let namespace = self.namespace.as_deref();
        let attempt = Attempt { verb, group: self.kind.group, resource: &resource, namespace };
        if user.is_allowed(&attempt) {
            return Ok(());
        }
        let plural = if self.kind.group.is_empty() {
            self.kind.plural.to_owned()
        } else {
            format!("{}.{}", self.kind.plural, self.kind.group)
        };
        Err(Refusal::forbidden(&plural, self.name.as_deref(), &user.words(&attempt)))
    }
}

/// Answers.
pub async fn answer(cluster: Arc<Cluster>, mut request: Request<Incoming>) -> Answer {
    match answer_or_refuse(cluster, &mut request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    }
}

async fn answer_or_refuse(cluster: Arc<Cluster>, request: &mut Request<Incoming>) -> Result<Answer, Refusal> {
    let user = who(&cluster, request)?;
    let path = request.uri().path().to_owned();
    let query = Query::new(request.uri().query().unwrap_or_default());
    if let Some(found) = discovery(&path).filter(|_| request.method() == Method::GET) {
        return Ok(answer::object(StatusCode::OK, &found));
    }
    if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" && request.method() == Method::POST {
        let review = user.review(body(request).await?);
        return Ok(answer::object(StatusCode::CREATED, &review));
    }
    let named = Named::of(&path).ok_or_else(Refusal::no_such_path)?;
    if let Some(below) = named.below.clone() {
        if named.kind.plural != "pods" {
            return Err(Refusal::no_such_path());
        }
        return below_pod(cluster, request, &user, &named, &below, query).await;
    }
    whole(cluster, request, &user, &named, &query).await
}

/// Who asks, and as whom.
fn who(cluster: &Cluster, request: &Request<Incoming>) -> Result<User, Refusal> {
    let header = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let token = header(&AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let user = token.and_then(|token| cluster.user_of(token)).ok_or_else(Refusal::unauthorized)?;
    let Some(other) = header(&IMPERSONATE) else { return Ok(user) };
    let attempt = Attempt { verb: "impersonate", group: "", resource: "users", namespace: None };
    if !user.is_allowed(&attempt) {
        return Err(Refusal::forbidden("users", Some(other), &user.words(&attempt)));
    }
    Ok(cluster.user(other))
}

async fn body(request: &mut Request<Incoming>) -> Result<Value, Refusal> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.contains("protobuf") {
        return Err(unsupported(kind));
    }
    let read = Limited::new(request.body_mut(), LARGEST).collect().await;
    let bytes = read.map_err(|error| Refusal::bad_request(error.to_string()))?.to_bytes();
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let words = format!("the object provided is unrecognized (must be of type JSON): {error}");
        Refusal::bad_request(words)
    })
}

/// A whole object, or a list of them.
async fn whole(
    cluster: Arc<Cluster>,
    request: &mut Request<Incoming>,
    user: &User,
    named: &Named,
    query: &Query,
) -> Result<Answer, Refusal> {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tabled = named.kind.plural == "pods" && table::is_wanted(accept);
    let method = request.method().clone();
    match (method, &named.name) {
        (Method::GET, Some(_)) => {
            named.allow(user, "get")?;
            let object = match named.kind.plural {
                "pods" => pods::get(&cluster, &named.key())?,
                _ => cluster.store.get(&named.key()).ok_or_else(|| named.missing())?,
            };
            if tabled {
                let version = object["metadata"]["resourceVersion"].clone();
                return Ok(answer::object(StatusCode::OK, &table::of_pods(&[object], &version)));
            }
            Ok(answer::object(StatusCode::OK, &object))
        }
        (Method::GET, None) if query.is_set("watch") => {
            named.allow(user, "watch")?;
            let events = watch::watch(cluster, named.kind, named.namespace.clone(), query);
            Ok(answer::stream("application/json", events))
        }
        (Method::GET, None) => {
            named.allow(user, "list")?;
            let list = watch::list(&cluster, named.kind, named.namespace.as_deref(), query);
            if tabled {
                let items = list["items"].as_array().cloned().unwrap_or_default();
                let table = table::of_pods(&items, &list["metadata"]["resourceVersion"]);
                return Ok(answer::object(StatusCode::OK, &table));
            }
            Ok(answer::object(StatusCode::OK, &list))
        }
        (Method::POST, None) if named.kind.plural == "pods" => {
            named.allow(user, "create")?;
            let namespace = named.namespace.clone().unwrap_or_default();
            let pod = pods::create(&cluster, &namespace, query, body(request).await?)?;
            Ok(answer::object(StatusCode::CREATED, &pod))
        }
        (Method::DELETE, Some(_)) if named.kind.plural == "pods" => {
            named.allow(user, "delete")?;
            let options = body(request).await?;
            pods::delete(&cluster, &named.key(), query, &options)
        }
        _ => Err(Refusal::not_allowed()),
    }
}

/// What is asked for below a pod.
async fn below_pod(
    cluster: Arc<Cluster>,
    request: &mut Request<Incoming>,
    user: &User,
    named: &Named,
    below: &str,
    query: Query,
) -> Result<Answer, Refusal> {
    let key = named.key();
    let verb = match *request.method() {
        Method::GET => "get",
        Method::POST => "create",
        Method::PATCH => "patch",
        Method::PUT => "update",
        _ => return Err(Refusal::not_allowed()),
    };
    named.allow(user, verb)?;
    let pod = || cluster.store.get(&key).ok_or_else(|| named.missing());
    match (below, verb) {
        ("status" | "ephemeralcontainers", "get") => Ok(answer::object(StatusCode::OK, &pod()?)),
        ("ephemeralcontainers", "patch" | "update") => {
            let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let way = if verb == "patch" { Some(Way::of(kind).ok_or_else(|| unsupported(kind))?) } else { None };
            let asked = body(request).await?;
            Ok(answer::object(StatusCode::OK, &pods::ephemeral(&cluster, &key, &query, way, &asked)?))
        }
        ("log", "get") => {
            let bytes = log::read(&cluster, &key, &pod()?, &query)?;
            Ok(answer::stream("text/plain", bytes))
        }
        ("exec" | "attach" | "portforward", "get") if channel::is_asked(request) => {
            // Newer servers want this too, and say no more than so.
            let (resource, namespace) = (named.resource(), named.namespace.as_deref());
            if !user.is_allowed(&Attempt { verb: "create", group: "", resource: &resource, namespace }) {
                return Err(Refusal::forbidden("pods", named.name.as_deref(), ""));
            }
            let pod = pod()?;
            match below {
                "exec" => streams::open(cluster, &key, &pod, query, What::Exec, request).await,
                "attach" => streams::open(cluster, &key, &pod, query, What::Attach, request).await,
                _ => forward::open(cluster, &key, &query, request),
            }
        }
        ("exec" | "attach" | "portforward", "get" | "create") => {
            let pod = pod()?;
            if below != "portforward" && channel::is_spdy_asked(request) {
                let what = if below == "exec" { What::Exec } else { What::Attach };
                return streams::open(cluster, &key, &pod, query, what, request).await;
            }
            Err(Refusal::bad_request("Upgrade request required"))
        }
        _ => Err(Refusal::not_allowed()),
    }
}

fn unsupported(kind: &str) -> Refusal {
    let words = format!(
        "the body of the request was in an unknown format - accepted media types include: \
         application/merge-patch+json, application/strategic-merge-patch+json; it was {kind}"
    );
    Refusal::status(415, "UnsupportedMediaType", words, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Option<(String, Option<String>, Option<String>)> {
        Named::of(path).map(|named| (named.resource(), named.namespace, named.name))
    }

    #[test]
    fn paths_name_objects() {
        let own = |word: &str| Some(word.to_owned());
        let exec = path("/api/v1/namespaces/default/pods/web/exec");
        assert_eq!(exec, Some(("pods/exec".to_owned(), own("default"), own("web"))));
        assert_eq!(path("/api/v1/namespaces/default"), Some(("namespaces".to_owned(), None, own("default"))));
        assert_eq!(path("/api/v1/pods"), Some(("pods".to_owned(), None, None)));
        let deployments = path("/apis/apps/v1/namespaces/a/deployments/b");
        assert_eq!(deployments, Some(("deployments".to_owned(), own("a"), own("b"))));
        assert_eq!(path("/api/v1/namespaces/default/unknown"), None);
        assert_eq!(path("/api/v1/namespaces/default/pods/web/exec/more"), None);
    }
}

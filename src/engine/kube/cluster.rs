//! The connection to a cluster: configuration, questions, streams.

mod kubeconfig;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Bytes;
use hyper::http::Request;
use k8s_openapi::api::core::v1 as core;
use kube::api::{Api, AttachParams};
use kube::client::Body;
use kube::{Client, Config};

use super::ask::{Answer, Question, short};
use super::{Channel, Contexts, Error, Exec, Options, Pod, Terms};
use crate::activity::{Begun, Journal};
use crate::door::Door;
use crate::target::plausible;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer at most: ten thousand pods take some 50 MiB.
const LARGEST: usize = 128 << 20;
/// Bytes that wait on their way to a program, or from it. The crate's own 1 KiB makes a message of each.
const BUFFER: usize = 64 << 10;

/// A cluster, asked over its API. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// What the client was made from, if it was made here.
    config: Option<Arc<Config>>,
    endpoint: String,
    namespace: String,
    terms: Terms,
    journal: Journal,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster at {}", self.endpoint)
    }
}

impl Cluster {
    /// Chooses a cluster as kubectl does. Nothing is connected yet. What is changed on it goes into the journal.
    ///
    /// # Errors
    /// If there is no configuration, or none that can be used.
    pub async fn connect(options: &Options, journal: &Journal) -> Result<Self, Error> {
        let mut config = kubeconfig::config(options).await?;
        let plugin = kubeconfig::plugin(&mut config, options.screen)?;
        let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let endpoint = config.cluster_url.to_string();
        // A credential plugin is run by this, and takes as long as it likes.
        let made = config.clone();
        let client = tokio::task::spawn_blocking(|| Client::try_from(made)).await;
        let client = client.map_err(|_| Error::Config { why: "the client could not be made".to_owned() })?;
        let client = client.map_err(|error| kubeconfig::failed(&error, plugin))?;
        let cluster = Self::over(client, endpoint, &namespace, options.terms.clone(), journal)?;
        Ok(Self { config: Some(Arc::new(config)), ..cluster })
    }

    /// The same, over a connection of its own, which is served by the runtime that this is called in: so it goes on when the other one is
    /// held up. Nothing is sent twice over it: whoever makes something must know whose answer it got.
    #[must_use]
    pub fn anew(&self) -> Self {
        let once = |config: &Config| {
            let mut config = config.clone();
            config.default_retry = false;
            Client::try_from(config).ok()
        };
        let client = self.config.as_deref().and_then(once);
        Self { client: client.unwrap_or_else(|| self.client.clone()), ..self.clone() }
    }

    /// The clusters that can be chosen, by the configuration alone: none of them is asked.
    ///
    /// # Errors
    /// If there is no configuration, or none that can be read.
    pub fn contexts(options: &Options) -> Result<Contexts, Error> {
        kubeconfig::contexts(options)
    }

    /// One that is reached by a client that is there already.
    ///
    /// # Errors
    /// If the namespace cannot be one.
    pub fn over(
        client: Client,
        endpoint: String,
        namespace: &str,
        terms: Terms,
        journal: &Journal,
    ) -> Result<Self, Error> {
        let wrong = |_| Error::Config { why: format!("{namespace:?} is no namespace") };
        let namespace = plausible(namespace).map_err(wrong)?;
        Ok(Self { client, config: None, endpoint, namespace, terms, journal: journal.clone() })
    }

    /// The same cluster, where another namespace is meant if nothing else is said.
    ///
    /// # Errors
    /// If it cannot be one.
    pub fn within(&self, namespace: &str) -> Result<Self, Error> {
        let (client, endpoint, terms) = (self.client.clone(), self.endpoint.clone(), self.terms.clone());
        Ok(Self { config: self.config.clone(), ..Self::over(client, endpoint, namespace, terms, &self.journal)? })
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where is looked if nothing else is said.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How a container is added to a pod.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// A step that changes something in it.
    pub(super) fn begin(&self, what: &str, undo: Option<&str>) -> Begun {
        self.journal.begin(Some(Door::Kube), what, undo)
    }

    /// Asks, and takes the whole answer.
    pub(super) async fn answer(&self, question: &Question<'_>) -> Result<Answer, Error> {
        let answering = async {
            let response = self.send(question).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| self.lost(error.as_ref()))?.to_bytes();
            Ok(Answer { status, body })
        };
        match tokio::time::timeout(PATIENCE, answering).await {
            Ok(answer) => answer,
            Err(_) => Err(self.slow(question.what)),
        }
    }

    /// Asks, and takes the answer as it comes.
    pub(super) async fn stream(&self, question: &Question<'_>) -> Result<(u16, Stream), Error> {
        match tokio::time::timeout(PATIENCE, self.send(question)).await {
            Ok(response) => {
                let response = response?;
                Ok((response.status().as_u16(), Stream(response.into_body())))
            }
            Err(_) => Err(self.slow(question.what)),
        }
    }

    async fn send(&self, question: &Question<'_>) -> Result<hyper::Response<Body>, Error> {
        let mut request = Request::builder().method(question.method).uri(&question.path);
        if !question.kind.is_empty() {
            request = request.header("content-type", question.kind);
        }
        let request = request.body(Body::from(question.body.clone()));
        let request = request.map_err(|error| self.lost(&error))?;
        self.client.send(request).await.map_err(|error| self.failed(&error))
    }

    /// Begins a program in one of a pod's containers.
    ///
    /// # Errors
    /// If that is refused, or there is no such container.
    pub async fn exec(&self, pod: &Pod, container: &str, command: &[&str]) -> Result<Exec, Error> {
        let pods: Api<core::Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        let params = AttachParams {
            container: Some(container.to_owned()),
            stdin: true,
            stdout: true,
            stderr: false,
            tty: false,
            max_stdin_buf_size: Some(BUFFER),
            max_stdout_buf_size: Some(BUFFER),
            max_stderr_buf_size: None,
        };
        let what = format!("begin {} in {container}", command.first().copied().unwrap_or_default());
        let beginning = pods.exec(&pod.pod, command.iter().copied(), &params);
        let begun = tokio::time::timeout(PATIENCE, beginning).await.map_err(|_| self.slow(&what))?;
        let mut process = begun.map_err(|error| match error {
            kube::Error::Api(status) => {
                Error::Refused { what: what.clone(), status: status.code, message: short(&status.message) }
            }
            other => self.failed(&other),
        })?;
        let (Some(input), Some(output), Some(end)) = (process.stdin(), process.stdout(), process.take_status()) else {
            let why = "it gave no streams".to_owned();
            return Err(Error::Garbled { endpoint: self.endpoint.clone(), what, why });
        };
        let end = async move {
            let status = end.await?;
            let failed = status.status.as_deref() != Some("Success");
            failed.then(|| short(&status.message.unwrap_or_default()))
        };
        Ok(Exec { input: Box::new(input), output: Box::new(output), end: Box::pin(end), held: Box::new(process) })
    }

    /// Opens a connection to a port of a pod, which its kubelet makes from inside the pod's network.
    ///
    /// # Errors
    /// If that is refused, or there is no such pod. That nobody listens is told by the connection itself.
    pub async fn forward(&self, pod: &Pod, port: u16) -> Result<Channel, Error> {
        let pods: Api<core::Pod> = Api::namespaced(self.client.clone(), &pod.namespace);
        let what = format!("forward port {port}");
        let ports = [port];
        let opening = pods.portforward(&pod.pod, &ports);
        let opened = tokio::time::timeout(PATIENCE, opening).await.map_err(|_| self.slow(&what))?;
        let mut forwarder = opened.map_err(|error| match error {
            kube::Error::Api(status) => {
                Error::Refused { what: what.clone(), status: status.code, message: short(&status.message) }
            }
            other => self.failed(&other),
        })?;
        let (Some(stream), Some(end)) = (forwarder.take_stream(port), forwarder.take_error(port)) else {
            let why = "it gave no streams".to_owned();
            return Err(Error::Garbled { endpoint: self.endpoint.clone(), what, why });
        };
        let end = async move { end.await.map(|words| short(&words)) };
        Ok(Channel { stream: Box::new(stream), end: Box::pin(end), held: Box::new(Forwarder(forwarder)) })
    }

    /// What the crate's error means.
    fn failed(&self, error: &kube::Error) -> Error {
        match error {
            kube::Error::Api(status) => {
                Error::Refused { what: "answer".to_owned(), status: status.code, message: short(&status.message) }
            }
            kube::Error::Auth(error) => kubeconfig::without_credentials(error, None),
            // Credentials that have run out are asked for anew on the way.
            kube::Error::Service(inner) => match inner.downcast_ref() {
                Some(error) => kubeconfig::without_credentials(error, None),
                None => self.lost(error),
            },
            other => self.lost(other),
        }
    }

    fn lost(&self, error: &dyn std::error::Error) -> Error {
        Error::Unreachable { endpoint: self.endpoint.clone(), why: last(error) }
    }

    fn slow(&self, what: &str) -> Error {
        Error::Slow { endpoint: self.endpoint.clone(), what: what.to_owned(), seconds: PATIENCE.as_secs() }
    }
}

/// What carries a connection to a port. Its task waits for the other side's farewell, which may never come.
struct Forwarder(kube::api::Portforwarder);

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer that comes in pieces.
pub struct Stream(Body);

impl Stream {
    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            match self.0.frame().await? {
                Ok(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => return Some(Err(last(&error))),
            }
        }
    }
}

/// The cause of all causes.
fn last(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    short(&error.to_string())
}

/// What failed, and what was behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    short(&text)
}

//! The container engine of this machine, which pods are made of.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, process};

use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerState};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::StreamExt as _;
use tokio::sync::RwLock;

/// How long the engine may take for one answer, in seconds.
const PATIENCE: u64 = 120;

/// The engine, and what was made on it.
pub struct Engine {
    /// Its API.
    pub docker: Docker,
    made: Mutex<Vec<String>>,
    /// Held while something is made. True once nothing may be made any more.
    closed: RwLock<bool>,
}

/// What matters of an image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `sha256:…`
    pub id: String,
    /// Its `USER`, empty for root.
    pub user: String,
}

impl Engine {
    /// The engine at `DOCKER_HOST`, or at Docker's socket.
    ///
    /// # Errors
    /// If none answers there.
    pub async fn connect() -> Result<Self, Error> {
        let host = env::var("DOCKER_HOST").unwrap_or_default();
        let socket = if host.is_empty() { "unix:///var/run/docker.sock" } else { &host };
        let docker = Docker::connect_with_unix(socket, PATIENCE, API_DEFAULT_VERSION)?.negotiate_version().await?;
        Ok(Self { docker, made: Mutex::default(), closed: RwLock::default() })
    }

    /// An image that is there.
    pub async fn image(&self, reference: &str) -> Option<Image> {
        let found = self.docker.inspect_image(reference).await.ok()?;
        let user = found.config.and_then(|config| config.user).unwrap_or_default();
        Some(Image { id: found.id.unwrap_or_default(), user })
    }

    /// Makes a container and does not start it.
    ///
    /// # Errors
    /// In the engine's words.
    pub async fn create(&self, suffix: &str, mut body: ContainerCreateBody) -> Result<String, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (owner, count) = (process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("scratchdbg-test-kube-{owner}-{count}-{suffix}");
        // scripts/test removes what a killed test left, and knows it by its owner.
        let labels = [("scratchdbg-test", "1".to_owned()), ("scratchdbg-test.owner", owner.to_string())];
        body.labels.get_or_insert_default().extend(labels.map(|(key, value)| (key.to_owned(), value)));
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let closed = self.closed.read().await;
        if *closed {
            return Err(Error::RequestTimeoutError);
        }
        let id = self.docker.create_container(Some(options), body).await?.id;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
        Ok(id)
    }

    /// Starts a container.
    ///
    /// # Errors
    /// In the engine's words.
    pub async fn start(&self, id: &str) -> Result<(), Error> {
        self.docker.start_container(id, None).await
    }

    /// How a container is. One that is gone, as one that says nothing.
    pub async fn state(&self, id: &str) -> ContainerState {
        let found = self.docker.inspect_container(id, None).await;
        found.ok().and_then(|found| found.state).unwrap_or_default()
    }

    /// Waits for a container's end, and tells how it ended.
    pub async fn ended(&self, id: &str) -> ContainerState {
        let mut waiting = Box::pin(self.docker.wait_container(id, None));
        // An exit code is an error to this client; the state says it anyway.
        let _ = waiting.next().await;
        self.state(id).await
    }

    /// Removes a container, whatever it does.
    pub async fn remove(&self, id: &str) {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
                self.made.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known != id);
            }
            Err(error) => eprintln!("the container {id} of a pod could not be removed: {error}"),
        }
    }

    /// Removes everything that was made, what is in the namespaces of others before those. Nothing is made after this.
    pub async fn remove_all(&self) {
        *self.closed.write().await = true;
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for id in made.iter().rev() {
            self.remove(id).await;
        }
    }
}

/// The engine's own words, without the client's.
#[must_use]
pub fn words(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

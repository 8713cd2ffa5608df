//! Docker's API, which Podman speaks too.

pub mod about;
mod answer;
pub mod connect;
mod context;
mod credentials;
mod events;
pub mod images;
pub mod logs;
mod own;
mod push;
mod resolve;
pub mod sidecar;
mod ssh;
#[cfg(test)]
mod tests;
pub mod tls;
mod transport;

use std::path::Path;
use std::time::Duration;

use bollard::{BollardRequest, ClientVersion};

use answer::{Inspected, Listed};
use connect::{Endpoint, Surroundings};
use transport::Transport;

pub use self::own::{Leftover, LeftoverKind};
use crate::activity::{Begun, Journal};
use crate::door::Door;
pub use crate::engine::error::Error;
use crate::engine::labels;
use crate::engine::logs::LogOptions;
use crate::engine::{Container, State, Summary, process};
use crate::target::HostPid;

/// How long the engine may take to begin an answer that is a stream and ends by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// bollard's time-out is for the start of an answer. Events may begin with a long silence.
const FOREVER: u64 = 10 * 365 * 24 * 60 * 60;

/// An engine, asked over its API. Cheap to clone; holds no connection.
#[derive(Clone, Debug)]
pub struct Docker {
    transport: Transport,
    bollard: bollard::Docker,
    journal: Journal,
}

impl Docker {
    /// Chooses an engine as the docker CLI does. Nothing is connected yet. What is changed on it goes into the journal.
    ///
    /// # Errors
    /// If an address or a context is named that cannot be used.
    pub fn connect(host: Option<&str>, journal: &Journal) -> Result<Self, Error> {
        // unix(7): to connect takes the right to write.
        let usable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        let around = Surroundings { var: &|name| std::env::var(name).ok(), usable: &usable };
        Self::at(connect::choose(host, &around)?, journal)
    }

    /// The engine at this endpoint.
    ///
    /// # Errors
    /// If the files for TLS cannot be used.
    pub fn at(endpoint: Endpoint, journal: &Journal) -> Result<Self, Error> {
        let transport = Transport::new(endpoint)?;
        // The transport takes the version out of every request: see there.
        let version = ClientVersion { major_version: 1, minor_version: 41 };
        let carrier = transport.clone();
        let bollard = bollard::Docker::connect_with_custom_transport(
            move |request: BollardRequest| carrier.clone().carry(request),
            Some("http://engine"),
            PATIENCE.as_secs(),
            &version,
        )
        .map_err(|error| Error::Address { what: transport.endpoint.to_string(), why: error.to_string() })?;
        Ok(Self { transport, bollard, journal: journal.clone() })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Endpoint {
        &self.transport.endpoint
    }

    /// Where it is, in words.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.transport.endpoint.to_string()
    }

    /// The socket it listens at, if it is one of this host.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        match &self.transport.endpoint {
            Endpoint::Unix(path) => Some(path),
            Endpoint::Tcp(..) | Endpoint::Tls(..) | Endpoint::Ssh(_) => None,
        }
    }

    /// All containers in all states, newest first, without our own sidecars.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn list(&self) -> Result<Vec<Summary>, Error> {
        let listed: Vec<Listed> = self.transport.json("/containers/json?all=1", "list containers").await?;
        let ours = |one: &Summary| labels::is_ours(one.labels.iter().map(|(name, value)| (name, value)));
        Ok(listed.into_iter().filter_map(Listed::summary).filter(|one| !ours(one)).collect())
    }

    /// One container, by its exact id or name. Its process is given only if it is one of this host.
    ///
    /// # Errors
    /// [`Error::NotFound`] without candidates, or if the engine does not answer.
    pub async fn inspect(&self, id: &str) -> Result<Container, Error> {
        let missing = || Error::NotFound { name: id.to_owned(), near: Vec::new() };
        if !resolve::plausible(id) {
            return Err(missing());
        }
        let what = format!("inspect {id}");
        match self.transport.json::<Inspected>(&format!("/containers/{id}/json"), &what).await {
            Ok(answer) => {
                let why = "it describes no container".to_owned();
                let garbled = || Error::Garbled { endpoint: self.endpoint(), what, why };
                let mut container = answer.container().ok_or_else(garbled)?;
                let ours = |pid: &HostPid| process::is_of_container(*pid, &container.id, container.started);
                container.pid = container.pid.filter(ours);
                Ok(container)
            }
            Err(Error::Refused { status: 404, .. }) => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// The container a person means: its exact name, or a unique prefix of a name or an id. An exact name
    /// costs one question.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Ambiguous`] with candidates, or if the engine does not answer.
    pub async fn resolve(&self, name: &str) -> Result<Container, Error> {
        let name = name.strip_prefix('/').unwrap_or(name);
        match self.inspect(name).await {
            // The engine also takes a prefix of an id here, which could be a prefix of a name as well.
            Ok(container) if container.name == name || container.id == name => return Ok(container),
            Ok(_) | Err(Error::NotFound { .. }) => {}
            // Docker refuses an ambiguous prefix of an id with status 400 or 500.
            Err(Error::Refused { message, .. }) if message.contains("multiple") => {}
            Err(error) => return Err(error),
        }
        let id = resolve::resolve(name, &self.list().await?)?;
        self.inspect(&id).await
    }

    /// The log of a container in any state.
    ///
    /// # Errors
    /// [`Error::LogDriver`] if no log is kept, or if the engine does not answer. The stream itself can
    /// fail with [`Error::Lost`].
    pub async fn logs(&self, container: &Container, options: &LogOptions) -> Result<logs::Log, Error> {
        let what = format!("give the log of {}", container.name);
        let patience = (!options.follow).then_some(PATIENCE);
        match self.transport.stream(&logs::path(&container.id, options), &what, patience).await {
            Ok(body) => Ok(logs::Log::new(body, container.tty, self.endpoint())),
            Err(Error::Refused { status, message, .. }) if logs::is_unreadable(status, &message) => {
                Err(Error::LogDriver { name: container.name.clone(), driver: container.log_driver.clone() })
            }
            Err(Error::Refused { status: 404, .. }) => {
                Err(Error::NotFound { name: container.name.clone(), near: Vec::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// A step that changes something on the engine: only sidecars take any.
    fn begin(&self, what: &str, undo: Option<&str>) -> Begun {
        self.journal.begin(Some(Door::Sidecar), what, undo)
    }

    /// What bollard's error means.
    fn failed(&self, what: &str, error: bollard::errors::Error) -> Error {
        use bollard::errors::Error as Theirs;
        match error {
            Theirs::DockerResponseServerError { status_code, message } => {
                self.transport.refused(what, status_code, message)
            }
            Theirs::RequestTimeoutError => {
                Error::Slow { endpoint: self.endpoint(), what: what.to_owned(), seconds: PATIENCE.as_secs() }
            }
            Theirs::JsonDataError { .. } | Theirs::JsonSerdeError { .. } => {
                Error::Garbled { endpoint: self.endpoint(), what: what.to_owned(), why: error.to_string() }
            }
            // Our own error comes back through bollard as the inside of an I/O error.
            Theirs::IOError { err } => match err.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                Some(ours) => ours.clone(),
                None => Error::Lost { endpoint: self.endpoint(), why: err.to_string() },
            },
            other => Error::Lost { endpoint: self.endpoint(), why: transport::explain(&other) },
        }
    }
}

impl Container {
    /// Whether this is still the run it was `before`: the same process by the engine's word, and by what the process
    /// itself shows on this host. Its number alone may have gone to another.
    #[must_use]
    pub fn is_same_run(&self, before: &Self) -> bool {
        (self.pid, self.engine_pid, self.started) == (before.pid, before.engine_pid, before.started)
    }

    /// Whether it has a process to look at.
    ///
    /// # Errors
    /// [`Error::NotRunning`] with what became of it. A paused container has a process.
    pub fn running(&self) -> Result<(), Error> {
        match self.state {
            State::Running | State::Paused => Ok(()),
            state => Err(Error::NotRunning {
                name: self.name.clone(),
                state,
                exit_code: self.exit_code,
                finished: self.finished,
                oom_killed: self.oom_killed,
            }),
        }
    }
}

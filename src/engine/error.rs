//! What can go wrong with an engine, in words a person can act on.

use std::time::SystemTime;

use crate::engine::State;
use crate::engine::docker::tls;
use crate::exit::{Exit, Explain};
use crate::target::HostPid;

/// Why an engine, or the kernel, did not answer as wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing answers where the engine should be.
    #[error("no engine answers at {endpoint}: {why}")]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// What the kernel said.
        why: Why,
    },
    /// The engine went away in the middle of an answer.
    #[error("the engine at {endpoint} went away: {why}")]
    Lost {
        /// Where it was.
        endpoint: String,
        /// What the connection said.
        why: String,
    },
    /// The engine did not answer in time.
    #[error("the engine at {endpoint} gave no answer to {what} within {seconds} s")]
    Slow {
        /// Where it is.
        endpoint: String,
        /// What it was asked.
        what: String,
        /// How long it was given.
        seconds: u64,
    },
    /// What answered does not speak the engine's API, or not as expected.
    #[error("the engine at {endpoint} gave an answer to {what} that makes no sense: {why}")]
    Garbled {
        /// Where it is.
        endpoint: String,
        /// What it was asked.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The engine understood and refused.
    #[error("the engine refused to {what}: {message}")]
    Refused {
        /// What it was asked.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// The engine's address, or the file it is written in, cannot be used.
    #[error("{what} cannot be used: {why}")]
    Address {
        /// Where the address comes from, and what it is.
        what: String,
        /// Why not.
        why: String,
    },
    /// TLS, or the want of it, keeps us from it.
    #[error("no connection to the engine at {endpoint}: {cause}")]
    Tls {
        /// Where it is.
        endpoint: String,
        /// Why not.
        cause: tls::Error,
    },
    /// No container of that name or id.
    #[error("there is no container {name:?}")]
    NotFound {
        /// What was typed.
        name: String,
        /// Names that are close, or all there are if they are few.
        near: Vec<String>,
    },
    /// No image of that name or id.
    #[error("there is no image {name:?} on the engine at {endpoint}")]
    NoImage {
        /// What was typed.
        name: String,
        /// Where it was looked for.
        endpoint: String,
    },
    /// More than one container could be meant.
    #[error("{name:?} could be {}", candidates.join(", "))]
    Ambiguous {
        /// What was typed.
        name: String,
        /// What it could be: name and short id.
        candidates: Vec<String>,
    },
    /// The container has no process to look at.
    #[error("{name} {}", describe(*state, *exit_code, *finished, *oom_killed))]
    NotRunning {
        /// Its name.
        name: String,
        /// Where it is in its life.
        state: State,
        /// How its last run ended.
        exit_code: Option<i64>,
        /// When its last run ended.
        finished: Option<SystemTime>,
        /// Whether the kernel killed it for memory.
        oom_killed: bool,
    },
    /// There is no such process.
    #[error("there is no process {0} on this host")]
    NoProcess(HostPid),
    /// A process cannot be looked at.
    #[error("cannot read process {pid} of this host: {why}")]
    Process {
        /// The process.
        pid: HostPid,
        /// What the kernel said.
        why: String,
    },
    /// The container's log is kept nowhere the engine could read it.
    #[error("the log of {name} cannot be read: its log driver is {driver}")]
    LogDriver {
        /// Its name.
        name: String,
        /// The driver.
        driver: String,
    },
}

/// Why nothing answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No such socket.
    #[error("there is no such socket")]
    NoSocket,
    /// A socket without a listener.
    #[error("nothing listens there; it is not running")]
    NotRunning,
    /// The socket may not be used.
    #[error("permission denied")]
    Denied,
    /// Connecting took too long.
    #[error("no connection within {0} s")]
    TooSlow(u64),
    /// Anything else, in the kernel's words.
    #[error("{0}")]
    Other(String),
}

/// Says what state a container without a process is in.
fn describe(state: State, exit_code: Option<i64>, finished: Option<SystemTime>, oom_killed: bool) -> String {
    let at = finished.map(|time| format!(" at {}", humantime::format_rfc3339_seconds(time))).unwrap_or_default();
    let code = exit_code.map(|code| format!(" with status {code}")).unwrap_or_default();
    let why = if oom_killed { ", killed for want of memory" } else { "" };
    match state {
        State::Created => "is not running: it was made, but never started".to_owned(),
        State::Restarting => format!("is not running: it ended{code}{at}{why}, and is about to be restarted"),
        State::Removing => "is not running: it is being removed".to_owned(),
        State::Dead => format!("is dead: it ended{code}{at}{why}, and the engine failed to clean up after it"),
        State::Exited | State::Running | State::Paused => format!("is not running: it ended{code}{at}{why}"),
    }
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { why: Why::Denied, .. } => Some(
                "join the docker group (`sudo usermod -aG docker $USER`, then log in again), or use sudo".to_owned(),
            ),
            Self::Unreachable { why: Why::NoSocket | Why::NotRunning, .. } => Some(
                "start it (`sudo systemctl start docker`), or name another with --host or DOCKER_HOST;\n\
                 a process can be looked at without an engine: pid://N"
                    .to_owned(),
            ),
            Self::Unreachable { .. } => Some("check --host, DOCKER_HOST and `docker context ls`".to_owned()),
            Self::Lost { .. } => Some("try again once it runs".to_owned()),
            Self::Slow { .. } => Some("it may be overloaded or stuck: see its own log".to_owned()),
            Self::Garbled { .. } => Some("is this Docker, or Podman's API service?".to_owned()),
            Self::Refused { .. } | Self::Address { .. } => None,
            Self::Tls { cause, .. } => cause.hint(),
            Self::NotFound { near, .. } if near.is_empty() => {
                Some("see all containers with `scratchdbg list`".to_owned())
            }
            Self::NotFound { near, .. } => Some(format!("there is: {}", near.join(", "))),
            Self::NoImage { .. } => {
                Some("see all with `docker images`; a file is named by a path: image://./shop.tar".to_owned())
            }
            Self::Ambiguous { .. } => Some("type more of it".to_owned()),
            Self::NotRunning { name, state, .. } => Some(match state {
                State::Created => format!("start it: docker start {name}"),
                State::Removing => "see what is left with `scratchdbg list`".to_owned(),
                State::Dead => format!("remove it: docker rm {name}"),
                _ => format!("its log can still be read: scratchdbg logs {name}"),
            }),
            Self::NoProcess(_) => Some("see the processes of this host with `ps -e`".to_owned()),
            Self::Process { .. } => Some("use sudo".to_owned()),
            Self::LogDriver { driver, .. } if driver == "none" => {
                Some("the engine keeps no log; start the container with another --log-driver".to_owned())
            }
            Self::LogDriver { .. } => Some("read the log where that driver sends it".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Slow { .. } | Self::Garbled { .. } => {
                Exit::Unreachable
            }
            Self::Address { .. } | Self::Ambiguous { .. } => Exit::Usage,
            Self::Tls { cause, .. } => cause.exit(),
            Self::NotFound { .. } | Self::NoImage { .. } | Self::NotRunning { .. } | Self::NoProcess(_) => {
                Exit::NoTarget
            }
            Self::Process { .. } => Exit::NotPermitted,
            Self::Refused { .. } | Self::LogDriver { .. } => Exit::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn every_state_has_its_own_words() {
        let at = Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        for (state, code, finished, oom, words, hint) in [
            (State::Created, None, None, false, "was made, but never started", "docker start app"),
            (
                State::Exited,
                Some(137),
                at,
                true,
                "with status 137 at 2023-11-14T22:13:20Z, killed",
                "scratchdbg logs app",
            ),
            (State::Exited, Some(2), at, false, "it ended with status 2 at 2023", "scratchdbg logs app"),
            (State::Restarting, Some(1), at, false, "about to be restarted", "scratchdbg logs app"),
            (State::Removing, None, None, false, "being removed", "scratchdbg list"),
            (State::Dead, Some(0), at, false, "failed to clean up", "docker rm app"),
        ] {
            let error = Error::NotRunning { name: "app".into(), state, exit_code: code, finished, oom_killed: oom };
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
            assert_eq!(error.exit(), Exit::NoTarget);
        }
    }

    #[test]
    fn permission_is_told_from_absence() {
        let of = |why| Error::Unreachable { endpoint: "unix:///x".into(), why };
        assert!(of(Why::Denied).hint().unwrap().contains("docker group"));
        assert!(of(Why::NoSocket).hint().unwrap().contains("start it"));
        assert_eq!(of(Why::Denied).exit(), Exit::Unreachable);
        assert_eq!(
            of(Why::NotRunning).to_string(),
            "no engine answers at unix:///x: nothing listens there; it is not running"
        );
    }
}

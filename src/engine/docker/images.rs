//! Images of the engine, as archives; and how a container of it is set up.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::timeout;

use super::{Docker, Error};
use crate::exit::{Exit, Explain};
use crate::image::{Setup, Spool};

/// How long the engine may take to begin: it puts the layers together first.
const BEGIN: Duration = Duration::from_secs(300);
/// How long there may be nothing of what it has begun.
const SILENCE: Duration = Duration::from_secs(60);

/// What limits a container, and what it may do, as the engine was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// Thousandths of a processor it may use, if limited.
    pub milli_cpus: Option<u64>,
    /// Processes and threads it may have, if limited.
    pub pids: Option<u64>,
}

/// Why an image is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The engine said so.
    #[error(transparent)]
    Engine(#[from] Error),
    /// It could not be kept.
    #[error(transparent)]
    Kept(#[from] crate::image::Error),
}

impl Explain for Missing {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Kept(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Engine(error) => error.exit(),
            Self::Kept(error) => error.exit(),
        }
    }
}

impl Docker {
    /// The kind of machine that it runs on, as `uname -m` has it; `None` if it does not say, or another than is known here.
    pub async fn machine(&self) -> Option<&'static str> {
        let version: Value = self.transport.json("/version", "tell its version").await.ok()?;
        match version["Arch"].as_str()? {
            "amd64" => Some("x86_64"),
            "arm64" => Some("aarch64"),
            "arm" => Some("arm"),
            "386" => Some("x86"),
            "riscv64" => Some("riscv64"),
            "s390x" => Some("s390x"),
            "ppc64le" => Some("powerpc64"),
            _ => None,
        }
    }

    /// An image in the form of `docker save`, kept in a file without a name.
    ///
    /// # Errors
    /// [`Error::NoImage`], that the engine does not answer, or that there is no room.
    pub async fn image(&self, name: &str) -> Result<crate::image::Blob, Missing> {
        let missing = || Error::NoImage { name: name.to_owned(), endpoint: self.endpoint() };
        if !plausible(name) {
            return Err(missing().into());
        }
        let what = format!("give the image {name}");
        let path = format!("/images/{name}/get");
        let mut body = match self.transport.stream(&path, &what, Some(BEGIN)).await {
            Ok(body) => body,
            Err(Error::Refused { status: 404, .. }) => return Err(missing().into()),
            // Docker says so of an image that is not there, too.
            Err(Error::Refused { message, .. }) if message.contains("No such image") => return Err(missing().into()),
            Err(error) => return Err(error.into()),
        };
        let mut spool = Spool::new()?;
        loop {
            let slow = || Error::Slow { endpoint: self.endpoint(), what: what.clone(), seconds: SILENCE.as_secs() };
            let Some(frame) = timeout(SILENCE, body.frame()).await.map_err(|_| slow())? else { break };
            let lost =
                |error: hyper::Error| Error::Lost { endpoint: self.endpoint(), why: super::transport::explain(&error) };
            if let Ok(bytes) = frame.map_err(lost)?.into_data() {
                spool.write(&bytes)?;
            }
        }
        Ok(spool.finish()?)
    }

    /// How a container is set up, and what it was given.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn setup(&self, id: &str) -> Result<(Setup, Given), Error> {
        let what = format!("inspect {id}");
        let answer: Value = self.transport.json(&format!("/containers/{id}/json"), &what).await?;
        Ok((Setup::of_config(&answer["Config"]), Given::of(&answer["HostConfig"])))
    }
}

impl Given {
    /// From `HostConfig` of Docker's API. 0 and -1 are no limit.
    fn of(given: &Value) -> Self {
        let number = |name: &str| given[name].as_i64().and_then(|number| u64::try_from(number).ok()).filter(|&n| n > 0);
        let of_period = || {
            let period = number("CpuPeriod").unwrap_or(100_000);
            number("CpuQuota").map(|quota| quota.saturating_mul(1000) / period)
        };
        Self {
            milli_cpus: number("NanoCpus").map(|nanos| nanos / 1_000_000).or_else(of_period),
            pids: number("PidsLimit"),
        }
    }
}

/// Whether this could be an image's name, digest or id (distribution/reference): anything else is not sent, so that it cannot
/// become another path of the API.
fn plausible(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':' | '@');
    let parts = || name.split('/');
    name.len() <= 512 && name.chars().all(word) && parts().all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_is_sent() {
        for good in ["shop", "library/shop:1.9", "localhost:5000/a/b@sha256:0123", "3f2a"] {
            assert!(plausible(good), "{good}");
        }
        for bad in ["", "/", "a//b", "../containers/x/json#", "a/../b", "a?b", "a b", "a%2f", &"a".repeat(600)] {
            assert!(!plausible(bad), "{bad}");
        }
    }

    #[test]
    fn what_limits_a_container() {
        let of = |given: Value| {
            let given = Given::of(&given);
            (given.milli_cpus, given.pids)
        };
        assert_eq!(of(serde_json::json!({"NanoCpus": 1_500_000_000, "PidsLimit": 100})), (Some(1500), Some(100)));
        assert_eq!(of(serde_json::json!({"CpuQuota": 50_000, "CpuPeriod": 0, "PidsLimit": -1})), (Some(500), None));
        assert_eq!(
            of(serde_json::json!({"CpuQuota": 50_000, "CpuPeriod": 200_000, "PidsLimit": null})),
            (Some(250), None)
        );
        assert_eq!(of(serde_json::json!({"NanoCpus": "many", "CpuQuota": -1})), (None, None));
        assert_eq!(of(Value::Null), (None, None));
    }
}

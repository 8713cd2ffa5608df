//! How a container is set up to run: the part of an image's configuration, and of a container's, that they share
//! (image-spec, "Image Configuration"; Docker's API, `ContainerConfig`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::secret;
use crate::text::Untrusted;

/// The most words, variables or ports that are taken of one list.
const MOST: usize = 4096;

/// Variables whose values say how a program will behave. Of all others only the names are kept.
const TELLING: [&str; 18] = [
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOROOT",
    "HOME",
    "HOSTALIASES",
    "LD_LIBRARY_PATH",
    "LOCALDOMAIN",
    "PATH",
    "RES_OPTIONS",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "ZONEINFO",
];

/// How a container is set up to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// What is run, before [`Setup::command`].
    pub entrypoint: Vec<Untrusted>,
    /// Its arguments, or all of it where there is no entry point.
    pub command: Vec<Untrusted>,
    /// User, as it was written; empty for root.
    pub user: Untrusted,
    /// Working directory; empty for `/`.
    pub directory: Untrusted,
    /// Its environment.
    pub environment: Environment,
    /// What tells whether it is well: `CMD` or `CMD-SHELL` first. Empty if nothing does.
    pub health: Vec<Untrusted>,
    /// How often that is asked.
    pub health_interval: Option<Duration>,
    /// What ends it, if not `SIGTERM`.
    pub stop_signal: Option<Untrusted>,
    /// Ports it says it serves (`8080/tcp`).
    pub exposed: Vec<Untrusted>,
    /// Paths it says it keeps things in.
    pub volumes: Vec<Untrusted>,
}

/// An environment, without what is none of anybody's business.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    telling: BTreeMap<&'static str, Untrusted>,
    /// Names of variables that hold secrets, by their names or by what they look like; never the values.
    pub secrets: Vec<Untrusted>,
    /// How many variables there are.
    pub count: usize,
}

impl Environment {
    /// Of names and values, in their order. As for a program, the first of a name counts (getenv(3)).
    pub fn new<'v>(variables: impl Iterator<Item = (&'v [u8], &'v [u8])>) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables.take(MOST) {
            environment.count += 1;
            if let Some(telling) = TELLING.into_iter().find(|telling| telling.as_bytes() == name) {
                environment.telling.entry(telling).or_insert_with(|| value.into());
            } else if !value.is_empty()
                && secret::is_secret(&String::from_utf8_lossy(name), &String::from_utf8_lossy(value))
            {
                environment.secrets.push(name.into());
            }
        }
        environment
    }

    /// The value of a variable that says how a program will behave. An empty one counts as none, as Go takes most of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Untrusted> {
        self.telling.get(name).filter(|value| !value.bytes().is_empty())
    }

    /// Whether such a variable is there, be it empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.telling.contains_key(name)
    }
}

impl Setup {
    /// From a configuration. What is of another type than it should be is left out.
    #[must_use]
    pub fn of_config(config: &Value) -> Self {
        let text = |name: &str| config[name].as_str().map(Untrusted::from);
        let keys = |name: &str| -> Vec<Untrusted> {
            let map = config[name].as_object();
            map.into_iter().flatten().take(MOST).map(|(key, _)| key.as_str().into()).collect()
        };
        let environment = config["Env"].as_array().map(Vec::as_slice).unwrap_or_default();
        let variables = environment.iter().filter_map(Value::as_str).filter_map(|text| text.split_once('='));
        let health = words(&config["Healthcheck"]["Test"]);
        Self {
            entrypoint: words(&config["Entrypoint"]),
            command: words(&config["Cmd"]),
            user: text("User").unwrap_or_default(),
            directory: text("WorkingDir").unwrap_or_default(),
            environment: Environment::new(variables.map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
            health: if health.first().is_some_and(|word| word.bytes() == b"NONE") { Vec::new() } else { health },
            health_interval: config["Healthcheck"]["Interval"]
                .as_u64()
                .filter(|&nanos| nanos > 0)
                .map(Duration::from_nanos),
            stop_signal: text("StopSignal").filter(|signal| !signal.bytes().is_empty()),
            exposed: keys("ExposedPorts"),
            volumes: keys("Volumes"),
        }
    }

    /// What is run, with its arguments.
    #[must_use]
    pub fn words(&self) -> Vec<Untrusted> {
        self.entrypoint.iter().chain(&self.command).cloned().collect()
    }
}

/// A list of words; older engines wrote a single one as it is.
fn words(value: &Value) -> Vec<Untrusted> {
    match value {
        Value::String(word) => vec![word.as_str().into()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).take(MOST).map(Into::into).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration() {
        let setup = Setup::of_config(&serde_json::json!({
            "Entrypoint": ["/app"], "Cmd": ["serve"], "User": "65532", "WorkingDir": "/data",
            "Env": ["PATH=/bin", "TZ=Europe/Berlin", "DB_PASSWORD=hunter2", "DATABASE_URL=postgres://u:p@db/x", "GREETING=hello", "TZ=x", "EMPTY_TOKEN="],
            "Healthcheck": {"Test": ["CMD-SHELL", "wget -q localhost"], "Interval": 5_000_000_000_u64},
            "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/data": {}}, "StopSignal": "SIGINT",
        }));
        assert_eq!(setup.words(), ["/app".into(), "serve".into()]);
        assert_eq!(setup.environment.get("TZ"), Some(&"Europe/Berlin".into()));
        assert_eq!(setup.environment.secrets, ["DB_PASSWORD".into(), "DATABASE_URL".into()]);
        assert_eq!(setup.environment.count, 7);
        assert_eq!((setup.health.len(), setup.exposed.len(), setup.volumes.len()), (2, 1, 1));
        // Values that are nobody's business are not even held.
        let held = format!("{setup:?}");
        assert!(!held.contains("hunter2") && !held.contains("u:p") && !held.contains("hello"), "{held}");
    }

    #[test]
    fn one_of_wrong_types() {
        let odd = serde_json::json!({"Entrypoint": "/app", "Cmd": 7, "User": null, "Env": {"a": 1}, "Healthcheck": {"Test": ["NONE"]}, "ExposedPorts": []});
        assert_eq!(Setup::of_config(&odd), Setup { entrypoint: vec!["/app".into()], ..Setup::default() });
        assert_eq!(Setup::of_config(&Value::Null), Setup::default());
    }
}

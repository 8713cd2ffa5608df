//! Who the engine is, whether a sidecar may be made there, and whether its processes are here.

use std::time::Duration;

use super::Check;
use crate::commands::Context;
use crate::engine::docker::Docker;
use crate::engine::docker::about::About;
use crate::engine::docker::connect::Endpoint;
use crate::engine::docker::tls::Trust;
use crate::engine::{State, Summary};
use crate::exit::Failure;

/// How long an engine may take for all that it is asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found out of the engine.
#[derive(Debug, Default)]
pub struct Engine {
    /// Whether it answers.
    pub answers: bool,
    /// Whether a sidecar may be made; `None` if that was not told.
    pub orders: Option<bool>,
    /// Where its processes are.
    pub place: Place,
    /// What there is to tell of it.
    pub checks: Vec<Check>,
}

/// Where an engine's processes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// On this host: one was seen.
    Here,
    /// Not to be seen from here.
    Elsewhere,
    /// Nothing runs there by which to tell.
    #[default]
    Untold,
}

/// What it answered.
struct Answers {
    endpoint: String,
    unverified: bool,
    about: About,
    containers: usize,
    running: usize,
    orders: Result<bool, String>,
    place: Place,
}

impl Engine {
    /// Asks it.
    pub async fn ask(context: &Context) -> Self {
        match context.engine() {
            Err(failure) => Self::silent(failure),
            Ok(engine) => match tokio::time::timeout(PATIENCE, answers(engine)).await {
                Ok(Ok(answers)) => Self::judge(&answers),
                Ok(Err(failure)) => Self::silent(failure),
                Err(_) => {
                    let seen = format!("{} gave no answer within {} s", engine.endpoint(), PATIENCE.as_secs());
                    Self::silent(Failure::new(crate::exit::Exit::Unreachable, seen).try_this("see its own log"))
                }
            },
        }
    }

    /// Whether the sidecar door is open.
    pub fn sidecar(&self) -> bool {
        self.orders == Some(true)
    }

    fn silent(failure: Failure) -> Self {
        let fix = failure.hint.unwrap_or_else(|| "pid://N needs no engine".to_owned());
        Self { checks: vec![Check::fail("engine", failure.message, fix)], ..Self::default() }
    }

    fn judge(answers: &Answers) -> Self {
        let Answers { endpoint, unverified, about, containers, running, orders, place } = answers;
        let seen = format!("{}; {containers} containers, {running} running; {endpoint}", words(about));
        let mut checks = vec![if *unverified {
            let fix = "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of its ca.pem";
            Check::warn("engine", format!("{seen}: whoever is on the way can be it"), fix)
        } else {
            Check::ok("engine", seen)
        }];
        checks.push(match orders {
            Ok(true) => Check::ok("sidecar door", "the engine takes orders, so a sidecar can be made beside a target"),
            Ok(false) => Check::info(
                "sidecar door",
                "the engine answers questions, but something before it refuses orders: no sidecar can be made",
            ),
            Err(error) => Check::info("sidecar door", format!("not told: {error}")),
        });
        checks.push(match place {
            Place::Here => Check::ok("engine's processes", "on this host: they can be entered from it"),
            Place::Elsewhere => Check::info(
                "engine's processes",
                "not to be seen from here (another host, a virtual machine, or a container we are in): sidecars alone reach them",
            ),
            Place::Untold => Check::info("engine's processes", "nothing runs there, so it cannot be told whether they are on this host"),
        });
        Self { answers: true, orders: orders.as_ref().ok().copied(), place: *place, checks }
    }
}

/// `Docker 20.10.24, API 1.41, cgroups 2 by systemd, apparmor seccomp, Linux 6.1.0`.
fn words(about: &About) -> String {
    let kind = if about.podman { "Podman" } else { "Docker" };
    let mut parts = vec![format!("{kind} {}", about.version).trim().to_owned()];
    if !about.api.is_empty() {
        parts.push(format!("API {}", about.api));
    }
    parts.push(if about.rootless { "rootless" } else { "not rootless" }.to_owned());
    match (&about.cgroups, &about.cgroup_driver) {
        (Some(version), Some(driver)) => parts.push(format!("cgroups {version} by {driver}")),
        (Some(version), None) => parts.push(format!("cgroups {version}")),
        (None, Some(driver)) => parts.push(format!("cgroups by {driver}")),
        (None, None) => {}
    }
    if !about.security.is_empty() {
        parts.push(about.security.join(" "));
    }
    if !about.kernel.is_empty() {
        parts.push(format!("Linux {}", about.kernel));
    }
    parts.join(", ")
}

async fn answers(engine: &Docker) -> Result<Answers, Failure> {
    let containers = engine.list().await?;
    let about = engine.about().await?;
    let orders = engine.takes_orders().await.map_err(|error| error.to_string());
    let place = place(engine, &containers).await;
    let running = containers.iter().filter(|one| one.state == State::Running).count();
    let unverified = matches!(engine.address(), Endpoint::Tls(_, _, tls) if tls.trust == Trust::Anybody);
    let endpoint = engine.endpoint();
    Ok(Answers { endpoint, unverified, about, containers: containers.len(), running, orders, place })
}

/// By one that runs: what its process itself shows tells whether it is one of this host.
async fn place(engine: &Docker, containers: &[Summary]) -> Place {
    for one in containers.iter().filter(|one| one.state == State::Running) {
        // It may have ended meanwhile.
        if let Ok(container) = engine.inspect(&one.id).await
            && container.engine_pid.is_some()
        {
            return if container.pid.is_some() { Place::Here } else { Place::Elsewhere };
        }
    }
    Place::Untold
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn an_engine_in_words() {
        let docker = About {
            version: "20.10.24".into(),
            api: "1.41".into(),
            cgroups: Some("2".into()),
            cgroup_driver: Some("systemd".into()),
            security: vec!["apparmor".into(), "seccomp".into()],
            kernel: "6.1.0".into(),
            ..About::default()
        };
        assert_eq!(
            words(&docker),
            "Docker 20.10.24, API 1.41, not rootless, cgroups 2 by systemd, apparmor seccomp, Linux 6.1.0"
        );
        assert_eq!(words(&About { podman: true, rootless: true, ..About::default() }), "Podman, rootless");
    }

    #[test]
    fn what_it_lets_be_done() {
        for (unverified, orders, place, verdicts, words) in [
            (false, Ok(true), Place::Here, [Verdict::Ok; 3], "entered from it"),
            (true, Ok(true), Place::Here, [Verdict::Warn, Verdict::Ok, Verdict::Ok], "can be it"),
            (false, Ok(false), Place::Here, [Verdict::Ok, Verdict::Info, Verdict::Ok], "refuses orders"),
            (false, Err("EOF".to_owned()), Place::Untold, [Verdict::Ok, Verdict::Info, Verdict::Info], "not told: EOF"),
            (false, Ok(true), Place::Elsewhere, [Verdict::Ok, Verdict::Ok, Verdict::Info], "sidecars alone"),
        ] {
            let sidecar = orders == Ok(true);
            let about = About::default();
            let answers = Answers { endpoint: "x".into(), unverified, about, containers: 2, running: 1, orders, place };
            let engine = Engine::judge(&answers);
            assert_eq!((engine.sidecar(), engine.answers), (sidecar, true));
            let checks = engine.checks;
            assert_eq!(checks.iter().map(|check| check.verdict).collect::<Vec<_>>(), verdicts);
            assert!(checks.iter().any(|check| check.seen.contains(words)), "{checks:?}");
        }
        let silent = Engine::silent(Failure::new(crate::exit::Exit::Unreachable, "nobody"));
        assert!(!silent.sidecar() && !silent.answers && silent.checks[0].verdict == Verdict::Fail);
    }
}

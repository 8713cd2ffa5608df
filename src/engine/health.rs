//! The health check of a container, and what it makes of a process that stands still.
//!
//! By Docker's monitor (moby, `daemon/health.go`), which Podman follows: the next check begins an interval after the last one
//! has ended; one that is not answered in time fails; so many failures in a row make the container unhealthy. Failures of checks
//! that begin within the start period do not count, until one has succeeded.

use std::time::{Duration, SystemTime};

/// What the engine takes for what is not said.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;

/// How a container's health is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCheck {
    /// From the end of a check to the beginning of the next one.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many failures in a row make it unhealthy; 1 at least.
    pub retries: u32,
    /// How long after its start failures do not count, if none has succeeded yet.
    pub start_period: Duration,
    /// Failures in a row so far.
    pub failing: u32,
}

/// When a container counts as unhealthy, if its process stands still from now on and answers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does already.
    Unhealthy,
    /// Not before the first, and about the second at the latest.
    Within(Duration, Duration),
}

impl HealthCheck {
    /// As the engine tells it, in nanoseconds. What is 0, or no time at all, is the engine's default.
    #[must_use]
    pub fn new(interval: i64, timeout: i64, retries: i64, start_period: i64, failing: i64) -> Self {
        let time = |nanoseconds: i64| u64::try_from(nanoseconds).ok().filter(|&n| n > 0).map(Duration::from_nanos);
        let count = |number: i64| u32::try_from(number).unwrap_or(0);
        Self {
            interval: time(interval).unwrap_or(INTERVAL),
            timeout: time(timeout).unwrap_or(TIMEOUT),
            retries: if count(retries) == 0 { RETRIES } else { count(retries) },
            start_period: time(start_period).unwrap_or_default(),
            failing: count(failing),
        }
    }

    /// What a process makes of its container that stands still from now on. `health` is what the engine says of it now,
    /// `started` when it began to run.
    ///
    /// A check may be under way at this moment, and whoever asks may give up before the engine does: so the first failure can
    /// come at once, and the others an interval after each other. At the latest each check begins an interval after the last one,
    /// and is waited for as long as may be.
    #[must_use]
    pub fn verdict(&self, health: Option<&str>, started: Option<SystemTime>, now: SystemTime) -> Verdict {
        if health == Some("unhealthy") {
            return Verdict::Unhealthy;
        }
        let end = started.filter(|_| health == Some("starting")).and_then(|at| at.checked_add(self.start_period));
        let starting = end.and_then(|end| end.duration_since(now).ok()).unwrap_or_default();
        let left = self.retries.saturating_sub(self.failing).max(1);
        let whole = self.interval.saturating_add(self.timeout).saturating_mul(left);
        // One that began just before the end of the start period does not count.
        let begun = if starting.is_zero() { Duration::ZERO } else { self.timeout };
        let earliest = starting.saturating_add(self.interval.saturating_mul(left - 1));
        Verdict::Within(earliest, starting.saturating_add(begun).saturating_add(whole))
    }

    /// What it does, in a sentence for whoever wants to stop the process.
    #[must_use]
    pub fn words(&self, verdict: Verdict) -> String {
        let (interval, timeout) = (seconds(self.interval), seconds(self.timeout));
        match verdict {
            Verdict::Unhealthy => "its health check fails already: it counts as unhealthy".to_owned(),
            Verdict::Within(earliest, latest) => {
                let failing = if self.failing > 0 { format!(" ({} just now)", self.failing) } else { String::new() };
                let times =
                    if self.retries == 1 { "1 failure".to_owned() } else { format!("{} failures", self.retries) };
                format!(
                    "its health check asks every {interval} and waits {timeout}; {times} in a row{failing} make it unhealthy, \
                     after {} to {} of standing still",
                    seconds(earliest),
                    seconds(latest)
                )
            }
        }
    }
}

/// `5 s`, `0.5 s`.
fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    if tenths.is_multiple_of(10) || tenths > 1000 {
        format!("{} s", time.as_secs())
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn within(check: HealthCheck, health: &str, started: u64, now: u64) -> (f64, f64) {
        match check.verdict(Some(health), Some(at(started)), at(now)) {
            Verdict::Within(earliest, latest) => (earliest.as_secs_f64(), latest.as_secs_f64()),
            Verdict::Unhealthy => panic!("it is no worse than before"),
        }
    }

    #[test]
    fn what_is_not_said_is_the_engines_default() {
        let check = HealthCheck::new(0, 0, 0, 0, 0);
        assert_eq!(
            (check.interval, check.timeout, check.retries, check.start_period),
            (INTERVAL, TIMEOUT, RETRIES, Duration::ZERO)
        );
        assert_eq!(HealthCheck::new(-1, i64::MIN, i64::MIN, -5, -5), check);
        // Whatever comes, nothing overflows.
        let check = HealthCheck::new(i64::MAX, i64::MAX, i64::MAX, i64::MAX, i64::MAX);
        let _ = check.verdict(Some("starting"), Some(at(9)), at(0));
        assert!(check.words(check.verdict(None, None, at(0))).contains("unhealthy"));
    }

    #[test]
    fn it_is_unhealthy_no_sooner_and_hardly_later() {
        let check = HealthCheck::new(5 * SECOND, 2 * SECOND, 3, 0, 0);
        assert_eq!(within(check, "healthy", 0, 99), (10.0, 21.0));
        assert_eq!(within(HealthCheck { failing: 1, ..check }, "healthy", 0, 99), (5.0, 14.0));
        assert_eq!(within(HealthCheck { failing: 2, ..check }, "healthy", 0, 99), (0.0, 7.0));
        assert_eq!(within(HealthCheck { retries: 1, ..check }, "healthy", 0, 99), (0.0, 7.0));
        assert_eq!(within(HealthCheck { failing: 9, ..check }, "healthy", 0, 99), (0.0, 7.0));
        assert_eq!(check.verdict(Some("unhealthy"), None, at(0)), Verdict::Unhealthy);
        // What fails while it starts does not count; but once one has succeeded, it does.
        let slow = HealthCheck { start_period: Duration::from_secs(60), ..check };
        assert_eq!(within(slow, "starting", 100, 120), (50.0, 63.0));
        assert_eq!(within(slow, "healthy", 100, 120), (10.0, 21.0));
        assert_eq!(within(slow, "starting", 100, 160), (10.0, 21.0));
        assert_eq!(
            slow.verdict(Some("starting"), None, at(0)),
            Verdict::Within(Duration::from_secs(10), Duration::from_secs(21))
        );
    }

    #[test]
    fn it_is_told_in_words() {
        let check = HealthCheck::new(5 * SECOND, SECOND / 2, 3, 0, 1);
        assert_eq!(
            check.words(check.verdict(Some("healthy"), None, at(0))),
            "its health check asks every 5 s and waits 0.5 s; 3 failures in a row (1 just now) make it unhealthy, after 5 s to 11 s \
             of standing still"
        );
        assert_eq!(check.words(Verdict::Unhealthy), "its health check fails already: it counts as unhealthy");
    }
}

//! Times and the like as commands write them.

use std::time::{Duration, SystemTime};

/// The last second RFC 3339 has a form for: the end of the year 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// A time as RFC 3339 with whole seconds, in UTC. `None` before 1970 and after 9999: a file may claim any time.
#[must_use]
pub fn rfc3339(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since <= LAST).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

/// A length of time for a person, its two largest units: `3d4h`, `5m12s`, `0s`.
#[must_use]
pub fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, ..) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

/// An error without its number.
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(errno) => nix::errno::Errno::from_raw(errno).desc().to_lowercase(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(rfc3339(at(1_700_000_000)).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(rfc3339(at(253_402_300_799)).as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(rfc3339(at(253_402_300_800)), None);
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn ages() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m1s"), (3700, "1h1m"), (90_000, "1d1h")] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }
}

//! Numbers and times as words, for the screen.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

/// Bytes: `812`, `31.0M`, `1.2G`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn bytes(count: u64) -> String {
    const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];
    if count < 1024 {
        return count.to_string();
    }
    let mut value = count as f64;
    let mut unit = ' ';
    for next in UNITS {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1}{unit}")
}

/// How long: `12s`, `4m`, `2h 5m`, `3d 4h`.
#[must_use]
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) if minutes < 10 => format!("{minutes}m {}s", seconds % 60),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// Processor time: `0:04`, `12:31`, `3:12:31`.
#[must_use]
pub fn cpu(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A moment as `2026-01-31 14:02:31`, in UTC. What no calendar has is `-`.
#[must_use]
pub fn moment(time: SystemTime) -> String {
    let mut text = String::new();
    // Times come from inside and may be anything. Formatting one before 1970 would panic, one after 9999 fails.
    if time < SystemTime::UNIX_EPOCH || write!(text, "{}", humantime::format_rfc3339_seconds(time)).is_err() {
        return "-".to_owned();
    }
    text.replace('T', " ").trim_end_matches('Z').to_owned()
}

/// The time of day with milliseconds, in UTC: `14:02:31.118`.
#[must_use]
pub fn time_of_day(time: SystemTime) -> String {
    let Ok(since) = time.duration_since(SystemTime::UNIX_EPOCH) else { return "-".to_owned() };
    let seconds = since.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, since.subsec_millis())
}

/// Permission bits and kind as `ls -l` shows them.
#[must_use]
pub fn mode(kind: char, mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// A count in at most five letters: `812`, `12k`, `3M`.
#[must_use]
pub fn count_short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{}k", number / 1000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// A count with its noun: `1 line`, `2 lines`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What to try, a line for each of its lines.
pub fn tries(hint: &str) -> impl Iterator<Item = String> {
    hint.lines().enumerate().map(|(at, line)| format!("{}{line}", if at == 0 { "try: " } else { "     " }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_try_has_as_many_lines_as_it_has() {
        assert_eq!(tries("this\nor that").collect::<Vec<_>>(), ["try: this", "     or that"]);
    }

    #[test]
    fn sizes() {
        for (count, text) in
            [(0, "0"), (1023, "1023"), (1024, "1.0K"), (1536, "1.5K"), (1024 * 1024 - 1, "1.0M"), (u64::MAX, "16.0E")]
        {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn times() {
        for (seconds, text) in [(0, "0s"), (75, "1m 15s"), (3599, "59m"), (7500, "2h 5m"), (180_000, "2d 2h")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(cpu(Duration::from_secs(3_725)), "1:02:05");
        assert_eq!(moment(SystemTime::UNIX_EPOCH + Duration::from_secs(86_399)), "1970-01-01 23:59:59");
        assert_eq!(time_of_day(SystemTime::UNIX_EPOCH + Duration::from_millis(86_399_007)), "23:59:59.007");
    }

    #[test]
    fn a_time_no_calendar_has_is_no_panic() {
        for time in [
            SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 40)),
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 45)),
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64)),
        ] {
            let Some(time) = time else { continue };
            assert_eq!(moment(time), "-");
            let _ = time_of_day(time);
        }
    }

    #[test]
    fn modes() {
        assert_eq!(mode('d', 0o755), "drwxr-xr-x");
        assert_eq!(mode('-', 0o4755), "-rwsr-xr-x");
        assert_eq!(mode('d', 0o1776), "drwxrwxrwT");
    }
}

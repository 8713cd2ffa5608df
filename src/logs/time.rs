//! Times as logs and people write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a time as RFC 3339 has it, with any offset: `2026-11-23T08:27:40.123456789Z`, `…+02:00`.
#[must_use]
pub fn parse(text: &[u8]) -> Option<SystemTime> {
    let (time, rest) = split(text)?;
    rest.is_empty().then_some(time)
}

/// Takes the time off the front of a message of the engine: RFC 3339, one space, the rest.
#[must_use]
pub fn prefix(text: &[u8]) -> Option<(SystemTime, &[u8])> {
    let (time, rest) = split(text)?;
    Some((time, rest.strip_prefix(b" ")?))
}

/// Reads a time at the front and gives what follows it.
fn split(text: &[u8]) -> Option<(SystemTime, &[u8])> {
    let seconds = "2026-11-23T08:27:40".len();
    let fraction = match text.get(seconds..)? {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let (time, rest) = text.split_at_checked(seconds + fraction)?;
    let time = humantime::parse_rfc3339_weak(std::str::from_utf8(time).ok()?).ok()?;
    let (offset, rest) = offset(rest)?;
    let shift = Duration::from_secs(offset.unsigned_abs());
    Some((if offset < 0 { time.checked_add(shift)? } else { time.checked_sub(shift)? }, rest))
}

/// Seconds east of Greenwich: `Z`, `+02:00`, `-0330`.
fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    match text {
        [b'Z' | b'z', rest @ ..] => Some((0, rest)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, rest) = rest.split_at_checked(2)?;
            let (minutes, rest) = rest.strip_prefix(b":").unwrap_or(rest).split_at_checked(2)?;
            let seconds = number(hours)? * 3_600 + number(minutes)? * 60;
            Some((if *sign == b'-' { -seconds } else { seconds }, rest))
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum: i64, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        Some(sum * 10 + digit)
    })
}

/// Reads a time as a person types it: `5m`, `1h30m` (ago), RFC 3339, seconds since the epoch.
///
/// # Errors
/// If it is none of these.
pub fn typed(text: &str, now: SystemTime) -> Result<SystemTime, String> {
    let bad = || format!("{text:?} is no time: write 5m, 1h30m, 2026-11-23T08:00:00Z or seconds since the epoch");
    let text = text.trim();
    if let Some(time) = parse(text.as_bytes()) {
        return Ok(time);
    }
    if let Some((seconds, fraction)) = text.split_once('.').or(Some((text, ""))).filter(|(whole, fraction)| {
        !whole.is_empty()
            && fraction.len() <= 9
            && (*whole).bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    }) {
        let nanos = format!("{fraction:0<9}").parse().map_err(|_| bad())?;
        let age = Duration::new(seconds.parse().map_err(|_| bad())?, nanos);
        return UNIX_EPOCH.checked_add(age).ok_or_else(bad);
    }
    // A day alone is its beginning.
    if text.len() == 10
        && let Some(time) = parse(format!("{text}T00:00:00Z").as_bytes())
    {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).map_err(|_| bad())?;
    Ok(now.checked_sub(ago).filter(|&time| time >= UNIX_EPOCH).unwrap_or(UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|time| humantime::format_rfc3339_nanos(time).to_string())
    }

    #[test]
    fn rfc_3339() {
        for (text, time) in [
            ("2026-11-23T08:27:40.123456789Z", "2026-11-23T08:27:40.123456789Z"),
            ("2026-11-23T08:27:40Z", "2026-11-23T08:27:40.000000000Z"),
            ("2026-11-23T08:27:40.5Z", "2026-11-23T08:27:40.500000000Z"),
            ("2026-11-23T01:27:40+02:00", "2026-11-22T23:27:40.000000000Z"),
            ("2024-02-29T23:30:00-0330", "2024-03-01T03:00:00.000000000Z"),
            ("2000-03-01T00:00:00Z", "2000-03-01T00:00:00.000000000Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(time), "{text}");
        }
        for text in [
            "",
            "0001-01-01T00:00:00Z",
            "2026",
            "2026-11-23",
            "2026-13-23T08:27:40Z",
            "2026-11-23T08:27:40",
            "2026-11-23T08:27:40Zx",
            "2026-11-2xT08:27:40Z",
            "2026-11-23T24:27:40Z",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn a_prefix_needs_its_space() {
        let (time, rest) = prefix(b"1970-01-01T00:00:01.000000002Z hello world").unwrap();
        assert_eq!((time, rest), (UNIX_EPOCH + Duration::new(1, 2), &b"hello world"[..]));
        assert_eq!(prefix(b"1970-01-01T00:00:01Z"), None);
        assert_eq!(prefix(b"1970-01-01T00:00:01Z ").unwrap().1, b"");
        assert_eq!(prefix(b"hello world, this is a line of a log"), None);
    }

    #[test]
    fn what_people_type() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (text, seconds) in [
            ("5m", 999_700),
            ("1h30m", 994_600),
            ("1h 30m", 994_600),
            ("10s", 999_990),
            ("12345", 12_345),
            ("1970-01-02T00:00:00Z", 86_400),
            ("1970-01-02", 86_400),
            ("1000y", 0),
        ] {
            assert_eq!(typed(text, now), Ok(UNIX_EPOCH + Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(typed("1.5", now), Ok(UNIX_EPOCH + Duration::from_millis(1500)));
        for text in ["", "yesterday", "-5m", "99999999999999999999", "."] {
            assert!(typed(text, now).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_another_parser(seconds in 0..4_102_444_800_u64, nanos in 0..1_000_000_000_u32) {
            let time = UNIX_EPOCH + Duration::new(seconds, nanos);
            let text = humantime::format_rfc3339_nanos(time).to_string();
            proptest::prop_assert_eq!(parse(text.as_bytes()), Some(time));
        }
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            let _ = prefix(&bytes);
            let _ = typed(&String::from_utf8_lossy(&bytes), UNIX_EPOCH);
        }
    }
}

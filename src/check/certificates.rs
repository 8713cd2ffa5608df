//! Certificates in a bundle, as far as it matters here: until when they are good, and whose they are.
//!
//! A bundle is read as Go does it: blocks of PEM (RFC 7468), of which those that are no certificate are passed over. Of the
//! DER in them (X.690; RFC 5280, section 4.1) only the way to three fields is gone. A crate that verifies certificates would
//! be some twenty crates for that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;

use crate::text::Untrusted;

/// The most certificates of one bundle. Mozilla's has some 150.
pub const MOST: usize = 4096;
/// The longest certificate, in bytes.
const LONGEST: usize = 64 << 10;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
/// The version stands first, in brackets of its own, where there is one.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// 2.5.4.3 and 2.5.4.10: the common name, and the organisation where there is none.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: Untrusted,
    /// The last moment it is good.
    pub not_after: SystemTime,
}

/// The certificates of a bundle. What is none is left out, as Go leaves it out.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Certificate> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(start) = memchr::memmem::find(rest, BEGIN) {
        rest = &rest[start + BEGIN.len()..];
        let Some(end) = memchr::memmem::find(rest, END) else { break };
        let inside = &rest[..end];
        rest = &rest[end + END.len()..];
        if inside.len() <= 2 * LONGEST {
            let digits: Vec<u8> = inside.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let der = base64::engine::general_purpose::STANDARD.decode(&digits);
            all.extend(der.ok().and_then(|der| certificate(&der)));
        }
        if all.len() >= MOST {
            break;
        }
    }
    all
}

/// One value: its tag, what is in it, and what follows. Lengths of up to three bytes.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some((tag, inside, rest))
}

fn tagged(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, inside, rest) = value(der)?;
    (tag == wanted).then_some((inside, rest))
}

/// `Certificate`, `TBSCertificate`: version, serial number, algorithm, issuer, validity, subject, …
fn certificate(der: &[u8]) -> Option<Certificate> {
    let (outer, _) = tagged(der, SEQUENCE)?;
    let (mut rest, _) = tagged(outer, SEQUENCE)?;
    if let Some((_, after)) = tagged(rest, VERSION) {
        rest = after;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        rest = value(rest)?.2;
    }
    let (validity, rest) = tagged(rest, SEQUENCE)?;
    let (subject, _) = tagged(rest, SEQUENCE)?;
    let (_, _, not_after) = value(validity)?;
    let (tag, text, _) = value(not_after)?;
    Some(Certificate { subject: name(subject), not_after: time(tag, text)? })
}

/// The name in a `Name`: a sequence of sets of pairs.
fn name(mut subject: &[u8]) -> Untrusted {
    let mut organisation = Untrusted::default();
    while let Some((set, rest)) = tagged(subject, SET) {
        subject = rest;
        let pair = tagged(set, SEQUENCE).and_then(|(pair, _)| {
            let (kind, rest) = tagged(pair, OBJECT)?;
            Some((kind, value(rest)?.1))
        });
        match pair {
            Some((COMMON_NAME, text)) => return text.into(),
            Some((ORGANISATION, text)) => organisation = text.into(),
            _ => {}
        }
    }
    organisation
}

/// `YYMMDDhhmmssZ`, years from 1950 to 2049, or `YYYYMMDDhhmmssZ` (RFC 5280, section 4.1.2.5).
fn time(tag: u8, text: &[u8]) -> Option<SystemTime> {
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let (year, rest) = digits.split_at_checked(if tag == GENERALIZED_TIME { 4 } else { 2 })?;
    let number = |text: &[u8]| text.iter().fold(0_i64, |number, &digit| number * 10 + i64::from(digit - b'0'));
    let year = match (tag, number(year)) {
        (UTC_TIME, year @ 0..50) => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        (GENERALIZED_TIME, year) => year,
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let mut fields = rest.chunks_exact(2).map(number);
    let mut next = |range: std::ops::RangeInclusive<i64>| fields.next().filter(|field| range.contains(field));
    let (month, day) = (next(1..=12)?, next(1..=31)?);
    let (hour, minute, second) = (next(0..=23)?, next(0..=59)?, next(0..=59)?);
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let whole = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: years are counted from March, so that a leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_months = (153 * month + 2) / 5;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_months + day - 1 - 719_468
}

/// For the fuzzer.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let _ = (parse(bytes), certificate(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(not_after: (i32, u8, u8), name: Option<&str>) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Example Trust");
        if let Some(name) = name {
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
        }
        params.not_after = rcgen::date_time_ymd(not_after.0, not_after.1, not_after.2);
        params.self_signed(&key).unwrap().pem()
    }

    fn shown(certificate: &Certificate) -> (String, String) {
        (certificate.subject.safe().into_string(), humantime::format_rfc3339(certificate.not_after).to_string())
    }

    #[test]
    fn a_bundle() {
        let text = [
            "# Some root\n".to_owned(),
            pem((2031, 2, 28), Some("Root A")),
            "-----BEGIN CERTIFICATE-----\nno base64 at all\n-----END CERTIFICATE-----\n".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nMIIC\n-----END PRIVATE KEY-----\n".to_owned(),
            pem((2019, 12, 31), None).replace('\n', "\r\n"),
            pem((2060, 3, 1), Some("Root \u{202e}C")),
            "-----BEGIN CERTIFICATE-----\ncut".to_owned(),
        ]
        .concat();
        let all: Vec<_> = parse(text.as_bytes()).iter().map(shown).collect();
        let expected = [
            ("Root A", "2031-02-28T00:00:00Z"),
            ("Example Trust", "2019-12-31T00:00:00Z"),
            ("Root \\u{202e}C", "2060-03-01T00:00:00Z"),
        ];
        assert_eq!(all, expected.map(|(name, time)| (name.to_owned(), time.to_owned())));
    }

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((1969, 12, 31), -1),
            ((2100, 3, 1), 47_541),
            ((0, 1, 1), -719_528),
        ] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
        for (tag, text) in [
            (UTC_TIME, &b""[..]),
            (UTC_TIME, b"Z"),
            (UTC_TIME, b"311301000000Z"),
            (UTC_TIME, b"310230000000"),
            (UTC_TIME, b"3102300000+00Z"),
            (UTC_TIME, b"3102300000000000Z"),
            (GENERALIZED_TIME, b"310228000000Z"),
            (0x0c, b"310228000000Z"),
        ] {
            assert_eq!(time(tag, text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>, at in 0..600_usize, with: u8) {
            fuzz(&bytes);
            let text = pem((2031, 2, 28), Some("Root A"));
            let digits: String = text.lines().filter(|line| !line.starts_with('-')).collect();
            let mut der = base64::engine::general_purpose::STANDARD.decode(digits).unwrap();
            if let Some(byte) = der.get_mut(at) {
                *byte = with;
            }
            fuzz(&der);
        }
    }
}

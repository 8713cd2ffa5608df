//! `/proc/PID/stat` and the numbers of `/proc/PID/status`.
//!
//! Parsed by hand: `procfs-core` panics on malformed lines, and few fields matter.

use crate::inspect::fetch;
use crate::text::Untrusted;

/// What matters of proc_pid_stat(5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stat {
    /// Field 2, without its parentheses.
    pub name: Untrusted,
    /// Field 3.
    pub state: char,
    /// Field 4: parent, 0 if it is in no namespace that can be seen.
    pub ppid: i32,
    /// Fields 14 and 15 together: clock ticks in user and kernel mode.
    pub cpu_ticks: u64,
    /// Field 20.
    pub threads: u64,
    /// Field 22: clock ticks from boot to its start.
    pub start_ticks: u64,
}

/// What matters of proc_pid_status(5) for a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Real user id.
    pub uid: u32,
    /// Resident memory in bytes; 0 for a zombie or a kernel thread.
    pub rss: u64,
}

/// Parses `/proc/PID/stat`. The name is between the first `(` and the last `)`: it may itself have either.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Stat> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let name = line.get(open + 1..close)?;
    // Fields 3 and up.
    let fields: Vec<&[u8]> = fetch::words(line.get(close + 1..)?).take(20).collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let ticks = |number| field(number).and_then(fetch::decimal::<u64>);
    Some(Stat {
        name: name.into(),
        state: field(3).and_then(<[u8]>::first).copied().filter(u8::is_ascii_alphabetic).map_or('?', char::from),
        ppid: field(4).and_then(fetch::decimal)?,
        cpu_ticks: ticks(14)?.saturating_add(ticks(15)?),
        threads: ticks(20)?,
        start_ticks: ticks(22)?,
    })
}

/// The fields of `/proc/PID/status`: names and values, in the kernel's order.
pub fn fields(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fetch::lines(text).filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

/// Parses what matters of `/proc/PID/status`; what is not there is 0.
#[must_use]
pub fn parse_status(text: &[u8]) -> Status {
    let mut status = Status::default();
    for (name, value) in fields(text) {
        match name {
            b"Uid" => status.uid = fetch::words(value).next().and_then(fetch::decimal).unwrap_or_default(),
            b"VmRSS" => status.rss = kilobytes(value).unwrap_or_default(),
            _ => {}
        }
    }
    status
}

/// `5180 kB` in bytes.
#[must_use]
pub fn kilobytes(value: &[u8]) -> Option<u64> {
    let number: u64 = fetch::decimal(value.strip_suffix(b"kB")?.trim_ascii())?;
    number.checked_mul(1024)
}

#[cfg(test)]
#[allow(unused_must_use)] // Of hostile bytes it only matters that parsers return.
mod tests {
    use super::*;

    /// A Go server in a scratch container.
    const GO: &[u8] = b"1 (app) S 0 1 1 0 -1 4194560 1265 0 56 0 12 3 0 0 20 0 5 0 109175 1294385152 1257 \
        18446744073709551615 4194304 6852817 140724366807696 0 0 0 0 0 2143420159 0 0 0 17 0 0 0 0 0 0 9723904 \
        10020992 468037632 140724366810992 140724366811009 140724366811009 140724366811123 0\n";

    #[test]
    fn a_real_line() {
        let stat = Stat { name: "app".into(), state: 'S', ppid: 0, cpu_ticks: 15, threads: 5, start_ticks: 109_175 };
        assert_eq!(parse(GO), Some(stat));
    }

    #[test]
    fn names_that_try_to_look_like_fields() {
        let tail = " R 7 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 3 0 4 0";
        for name in ["", ") S 0 1", "(((", ")))", "a) Z (b", "x\ny"] {
            let stat = parse(format!("9 ({name}){tail}").as_bytes()).unwrap();
            assert_eq!((stat.name, stat.state, stat.ppid, stat.threads), (name.into(), 'R', 7, 3));
        }
    }

    #[test]
    fn lines_that_are_none() {
        for line in
            ["", "1 (x) ", ") 1 (", "1 (x", "1 x)", "1 (x) S", "1 (x) S 0 1 1 0 -1 0 0 0 0 0 a b 0 0 20 0 5 0 1"]
        {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn statuses() {
        let text = b"Name:\tapp\nUid:\t65532\t0\t0\t0\nVmRSS:\t    5180 kB\nThreads:\t5\nbad line\n:\n";
        assert_eq!(parse_status(text), Status { uid: 65532, rss: 5180 * 1024 });
        assert_eq!(parse_status(b"Uid:\t-1\nVmRSS:\t99999999999999999999 kB\n"), Status::default());
        assert_eq!(kilobytes(b"18446744073709551615 kB"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(text: Vec<u8>, cut in 0..GO.len(), byte: u8) {
            parse(&text);
            parse_status(&text);
            let mut line = GO.to_vec();
            line[cut] = byte;
            parse(&line);
            parse(&GO[..cut]);
        }
    }
}

//! Which Delve can do what with the programs of which Go. Decided before anything is touched: `dlv attach` checks
//! nothing itself, and too old a Delve fails in the middle.
//!
//! Every pairing was tried (`tests/all/delve_versions.rs`). A new Delve works with every old Go that was tried, far
//! below what it says it supports. An old Delve with a new Go does not: so only that is refused.

use std::fmt;

use crate::exit::{Exit, Explain};

/// What gets the newest Delve.
pub const INSTALL: &str = "go install github.com/go-delve/delve/cmd/dlv@latest";

/// A version of Delve. The minor number is that of the newest Go it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// As Go's.
    pub minor: u32,
    /// Of the release.
    pub patch: u32,
}

/// The oldest that listens on a unix socket.
const OLDEST: Version = Version { major: 1, minor: 22, patch: 1 };
/// The oldest that reads stripped programs of Go 1.26 and later.
const STRIPPED_26: Version = Version { major: 1, minor: 26, patch: 1 };

/// What can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Everything.
    Good,
    /// Not everything.
    Limited(Limits),
    /// Nothing: not to be tried.
    Refused(Refusal),
}

/// What a Delve cannot do with a program, in sentences for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Why.
    pub why: &'static str,
    /// What does not work.
    pub without: &'static str,
    /// What does.
    pub with: &'static str,
    /// What would help.
    pub help: &'static str,
}

/// Why a Delve is not to be used on a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It lacks what is used here.
    #[error("Delve {0} is too old: it cannot listen on a unix socket, which the debugger needs (1.22.1 and newer can)")]
    NoSocket(Version),
    /// The program's Go is newer than it knows.
    #[error("Delve {dlv} is too old for a program of Go 1.{go}")]
    NewerGo {
        /// The Delve.
        dlv: Version,
        /// The minor version of the program's Go.
        go: u32,
    },
    /// The program is stripped, and of a Go whose tables it does not find then.
    #[error("Delve {dlv} is too old for a stripped program of Go 1.{go}")]
    Stripped {
        /// The Delve.
        dlv: Version,
        /// The minor version of the program's Go.
        go: u32,
    },
}

impl Explain for Refusal {
    fn hint(&self) -> Option<String> {
        Some(format!("install a new one: {INSTALL}"))
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Of a program without debug information.
const STRIPPED: Limits = Limits {
    why: "the program is stripped (built with -ldflags='-s -w')",
    without: "goroutines, variables, expressions and breakpoints on lines",
    with: "threads and their stacks, breakpoints on functions, stepping, disassembly, registers and memory",
    help: "give a debug file of the very same build",
};

impl Version {
    /// From `1.27.1`. What follows a number does not count: `1.27.0-rc.1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '.');
        let (major, minor) = (number(parts.next()?)?, number(parts.next()?)?);
        Some(Self { major, minor, patch: parts.next().map_or(Some(0), number)? })
    }

    /// From what `dlv version` prints.
    #[must_use]
    pub fn of_output(text: &str) -> Option<Self> {
        text.lines().find_map(|line| line.trim().strip_prefix("Version:")).and_then(Self::parse)
    }
}

/// The digits that a text begins with.
fn number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The minor version of Go: 24 for `go1.24.11`, `go1.24rc1`, `devel go1.24-5e8c1fa`.
#[must_use]
pub fn go_minor(text: &str) -> Option<u32> {
    let word = text.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    number(word)
}

/// Whether a Delve can be used on a program of a Go (its minor version; `None` if it does not say, which those before
/// 1.18 do not), and for what. `stripped`: it has no debug information, and none is at hand.
#[must_use]
pub fn gate(dlv: Version, go: Option<u32>, stripped: bool) -> Gate {
    if dlv < OLDEST {
        return Gate::Refused(Refusal::NoSocket(dlv));
    }
    if let Some(go) = go {
        // Go 1.24 has other maps and labels, 1.25 other debug information; each release may bring more.
        if dlv.major == 1 && dlv.minor < go && go >= 24 {
            return Gate::Refused(Refusal::NewerGo { dlv, go });
        }
        if stripped && go >= 26 && dlv < STRIPPED_26 {
            return Gate::Refused(Refusal::Stripped { dlv, go });
        }
    }
    if stripped { Gate::Limited(STRIPPED) } else { Gate::Good }
}

/// The newest Go whose programs a Delve is known to show whole: for a person. `None`: it is not used at all.
#[must_use]
pub fn newest_go(dlv: Version) -> Option<u32> {
    (dlv >= OLDEST).then(|| dlv.minor.max(23))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn a_version_is_read() {
        assert_eq!(Version::parse("1.27.1"), Some(Version { major: 1, minor: 27, patch: 1 }));
        assert_eq!(Version::parse("1.27.0-rc.1"), Some(Version { major: 1, minor: 27, patch: 0 }));
        assert_eq!(Version::parse("1.27"), Some(Version { major: 1, minor: 27, patch: 0 }));
        for text in ["", "1", "(devel)", "1.x", "a.b.c", "99999999999.1.1", "1.2."] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        let output = "Delve Debugger\nVersion: 1.24.0\nBuild: $Id$\n";
        assert_eq!(Version::of_output(output).map(|version| version.to_string()), Some("1.24.0".to_owned()));
        assert!(version("1.9.1") < version("1.20.2") && version("1.27.1") > version("1.27.0"));
        for (text, minor) in [
            ("go1.24.11", Some(24)),
            ("go1.27rc1", Some(27)),
            ("devel go1.28-5e8c1fa Tue", Some(28)),
            ("go1.19 X:boringcrypto", Some(19)),
            ("tinygo", None),
            ("", None),
        ] {
            assert_eq!(go_minor(text), minor, "{text}");
        }
    }

    #[test]
    fn only_a_newer_go_is_refused() {
        use Gate::*;
        let words = |dlv: &str, go: Option<u32>, stripped| match gate(version(dlv), go, stripped) {
            Good => "good".to_owned(),
            Limited(limits) => format!("without {}", limits.without),
            Refused(why) => why.to_string(),
        };
        let limited = "without goroutines, variables, expressions and breakpoints on lines";
        for (dlv, go, stripped, said) in [
            (
                "1.20.2",
                Some(19),
                false,
                "Delve 1.20.2 is too old: it cannot listen on a unix socket, which the debugger needs (1.22.1 and newer can)",
            ),
            (
                "1.22.0",
                Some(19),
                false,
                "Delve 1.22.0 is too old: it cannot listen on a unix socket, which the debugger needs (1.22.1 and newer can)",
            ),
            ("1.22.1", Some(19), false, "good"),
            ("1.22.1", Some(23), false, "good"),
            ("1.22.1", Some(24), false, "Delve 1.22.1 is too old for a program of Go 1.24"),
            ("1.24.0", Some(19), false, "good"),
            ("1.24.0", Some(24), false, "good"),
            ("1.24.0", Some(25), false, "Delve 1.24.0 is too old for a program of Go 1.25"),
            ("1.24.0", Some(27), true, "Delve 1.24.0 is too old for a program of Go 1.27"),
            ("1.24.0", Some(24), true, limited),
            ("1.26.0", Some(26), true, "Delve 1.26.0 is too old for a stripped program of Go 1.26"),
            ("1.26.0", Some(26), false, "good"),
            ("1.27.1", Some(19), false, "good"),
            ("1.27.1", Some(27), false, "good"),
            ("1.27.1", Some(27), true, limited),
            ("1.27.1", Some(28), false, "Delve 1.27.1 is too old for a program of Go 1.28"),
            ("1.27.1", None, false, "good"),
            ("2.0.0", Some(30), false, "good"),
        ] {
            assert_eq!(words(dlv, go, stripped), said, "{dlv} on {go:?}, stripped: {stripped}");
        }
    }
}

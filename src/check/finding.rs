//! What a check has found.

use std::fmt;

use serde::Serialize;

use crate::text::Untrusted;

/// How it is. The order is that of how much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It could not be known.
    Unknown,
    /// It may fail, or is worse than it could be.
    Warning,
    /// What the program is made to do cannot work.
    Failure,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The program's file.
    Program,
    /// Certificates.
    Tls,
    /// Time zones.
    Zones,
    /// Users, and where they may write.
    Users,
    /// Names of hosts.
    Names,
    /// Limits.
    Limits,
    /// What a debugger finds.
    Debug,
    /// How it begins and ends.
    Lifetime,
    /// What others could do to it, and it to others.
    Exposure,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Program,
        Self::Tls,
        Self::Zones,
        Self::Users,
        Self::Names,
        Self::Limits,
        Self::Debug,
        Self::Lifetime,
        Self::Exposure,
    ];
}

/// What was seen that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it is.
    pub kind: Kind,
    /// The path, the name, or what was seen.
    pub value: Untrusted,
    /// Bytes, of a file or a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file that is there.
    Path,
    /// A file that is not there.
    Missing,
    /// A function or a name that is linked into the program.
    Symbol,
    /// A part of the program's file, or a field of it.
    Header,
    /// A build setting, or a part of an image's or a container's configuration.
    Setting,
    /// A variable of the environment: its name; its value only of those that are never secret.
    Variable,
    /// A limit, or what the kernel says of the process.
    Kernel,
    /// A socket.
    Socket,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, for scripts: it stays.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// How it is.
    pub status: Status,
    /// What was found, in a line.
    pub message: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// What to do about it, to be pasted.
    pub fix: Option<String>,
}

impl Finding {
    fn new(status: Status, group: Group, id: &'static str, message: impl Into<String>) -> Self {
        Self { id, group, status, message: message.into(), evidence: Vec::new(), fix: None }
    }

    pub(super) fn ok(group: Group, id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::Ok, group, id, message)
    }

    pub(super) fn unknown(group: Group, id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::Unknown, group, id, message)
    }

    pub(super) fn warning(group: Group, id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::Warning, group, id, message)
    }

    pub(super) fn failure(group: Group, id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Status::Failure, group, id, message)
    }

    /// What to do. A remark behind four blanks gets a line of its own: a Dockerfile takes none behind an instruction.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into().replace("    # ", "\n# "));
        self
    }

    pub(super) fn with(mut self, kind: Kind, value: impl Into<Untrusted>) -> Self {
        self.evidence.push(Evidence { kind, value: value.into(), bytes: None });
        self
    }

    pub(super) fn with_all<V: Into<Untrusted>>(self, kind: Kind, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, |finding, value| finding.with(kind, value))
    }

    pub(super) fn with_bytes(mut self, kind: Kind, value: impl Into<Untrusted>, bytes: u64) -> Self {
        self.evidence.push(Evidence { kind, value: value.into(), bytes: Some(bytes) });
        self
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "WARNING",
            Self::Failure => "FAILURE",
        })
    }
}

impl Group {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Tls => "tls",
            Self::Zones => "zones",
            Self::Users => "users",
            Self::Names => "names",
            Self::Limits => "limits",
            Self::Debug => "debug",
            Self::Lifetime => "lifetime",
            Self::Exposure => "exposure",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Path => "there is",
            Self::Missing => "there is no",
            Self::Symbol => "linked:",
            Self::Header => "its file says",
            Self::Setting => "set up with",
            Self::Variable => "variable",
            Self::Kernel => "the kernel says",
            Self::Socket => "socket",
        })
    }
}

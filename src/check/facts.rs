//! What the checks know: readings, of a running target or of an image.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::SystemTime;

use crate::check::certificates::Certificate;
use crate::check::symbols::Linked;
use crate::delve::version::Version;
use crate::golang::BuildInfo;
use crate::golang::linkage::Linkage;
use crate::image::Setup;
use crate::inspect::files::Kind;
use crate::text::Untrusted;

/// All that the checks know.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The machine that is to run it (`uname -m`).
    pub machine: &'static str,
    /// How it is set up.
    pub setup: Setup,
    /// The program that is run.
    pub program: Program,
    /// Files that matter, by their paths. One that is not in here was not looked for.
    pub files: BTreeMap<Vec<u8>, Seen>,
    /// Certificates that Go would take.
    pub roots: Roots,
    /// Who it runs as.
    pub user: User,
    /// What resolves names, where it is read.
    pub resolver: Resolver,
    /// What is known only of what runs.
    pub running: Option<Running>,
    /// The Delve of this host, where it was looked for: it is no fact of the target.
    pub delve: Option<Version>,
    /// When this was read.
    pub now: SystemTime,
}

/// What was seen at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is there.
    Missing,
    /// Whoever looks may not go there.
    Denied,
    /// It could not be looked at, and why.
    Unknown(String),
    /// A file, links followed.
    There(File),
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub kind: Kind,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// As it was named.
    pub name: Untrusted,
    /// Where it was found, or would have to be.
    pub path: Untrusted,
    /// What is there.
    pub seen: Seen,
    /// What is in it.
    pub format: Format,
    /// The shell that is to start it, if one is.
    pub shell: Option<Shell>,
}

/// A shell that starts the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// Where it is named to be.
    pub path: Untrusted,
    /// Whether it is there.
    pub there: bool,
}

/// What is in a program's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// It could not be read, or is not there.
    Unread,
    /// Nothing that could be run.
    Unknown,
    /// A script, for an interpreter: that, and whether it is there.
    Script(Untrusted, bool),
    /// A program.
    Elf(Box<Elf>),
}

/// An ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elf {
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether its numbers have their lowest byte first.
    pub is_little: bool,
    /// `e_machine`.
    pub machine: u16,
    /// Whether it can be loaded anywhere (`ET_DYN`).
    pub is_pie: bool,
    /// What it needs.
    pub linkage: Linkage,
    /// Libraries that are not there, of those that it needs and of those that these need.
    pub lost: Vec<Untrusted>,
    /// Whether libraries could be looked for: where the loader is known, and all could be read.
    pub searched: bool,
    /// Packed with UPX.
    pub packed: bool,
    /// What Go wrote into it.
    pub go: Option<BuildInfo>,
    /// Whether it has no debug information.
    pub stripped: bool,
    /// The version of DWARF it is in.
    pub dwarf: Option<u16>,
    /// Which of the functions that matter are in it.
    pub linked: Linked,
}

/// Certificates that Go reads as roots (crypto/x509, `loadSystemRoots`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots {
    /// The files it tries, in their order, until one can be read.
    pub files: Vec<(Untrusted, Bundle)>,
    /// The directories it reads besides, and what is in all their files together.
    pub folders: Vec<(Untrusted, Bundle)>,
}

/// What is in a bundle of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bundle {
    /// It is not there.
    Missing,
    /// The program may not read it.
    Denied,
    /// It could not be looked at, and why.
    Unknown(String),
    /// It is there.
    There {
        /// Bytes.
        size: u64,
        /// What was understood.
        certificates: Vec<Certificate>,
    },
}

/// Who the program runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Its number, if it could be told.
    pub uid: Option<u32>,
    /// Its group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
    /// Whether `/etc/passwd` has a line for it.
    pub in_passwd: bool,
    /// Whether it is named by a word that `/etc/passwd` lacks.
    pub unknown_name: bool,
}

impl User {
    /// Whether it may do something with a file: bits of the last digit of a mode (4 read, 2 write, 1 execute).
    #[must_use]
    pub fn may(&self, bits: u32, file: &File) -> Option<bool> {
        let uid = self.uid?;
        if uid == 0 {
            // As CAP_DAC_OVERRIDE has it: to execute takes one bit of anybody (capabilities(7)).
            return Some(bits & 1 == 0 || file.kind == Kind::Directory || file.mode & 0o111 != 0);
        }
        let shift = if file.uid == uid {
            6
        } else if file.gid == self.gid || self.groups.contains(&file.gid) {
            3
        } else {
            0
        };
        Some(file.mode >> shift & bits == bits)
    }
}

/// What resolves names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolver {
    /// How many name servers are named. `None` if `/etc/resolv.conf` could not be read.
    pub servers: Option<usize>,
    /// Whether `/etc/hosts` knows `localhost`. `None` if it could not be read.
    pub localhost: Option<bool>,
    /// Sources of host names, as `/etc/nsswitch.conf` lists them.
    pub sources: Option<Vec<Untrusted>>,
}

/// What is known of a running program alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Running {
    /// Whether it is a container's, and not a plain process.
    pub container: bool,
    /// Whether it is the first process of its pid namespace.
    pub is_first: bool,
    /// Signals it has a handler for: bit 0 is signal 1.
    pub caught: Option<u64>,
    /// Processors it may run on.
    pub processors: Option<u64>,
    /// Threads it has.
    pub threads: Option<u64>,
    /// Thousandths of a processor it may use, if limited.
    pub milli_cpus: Option<u64>,
    /// Memory it may use, in bytes, if limited.
    pub memory: Option<u64>,
    /// Processes and threads it may have, if limited.
    pub pids: Option<u64>,
    /// Soft and hard limit of open files; `None` for no limit.
    pub files: Option<(Option<u64>, Option<u64>)>,
    /// Open files.
    pub open_files: Option<u64>,
    /// Capabilities that are in effect, by name.
    pub capabilities: Option<Vec<String>>,
    /// Whether the root file system is read-only, by its mount.
    pub read_only: Option<bool>,
    /// Directories that are mounted, beside what the kernel and the engine provide.
    pub mounts: Vec<Untrusted>,
    /// Whether it runs privileged.
    pub privileged: bool,
    /// Sockets that wait for connections from elsewhere: on all addresses.
    pub listening: Option<Vec<SocketAddr>>,
    /// Ports that are published or exposed.
    pub published: Vec<u16>,
}

impl Facts {
    /// What was seen at a path. `None`: nobody looked.
    #[must_use]
    pub fn seen(&self, path: &str) -> Option<&Seen> {
        self.files.get(path.as_bytes())
    }

    /// The file at a path, if there is one.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.seen(path).and_then(Seen::file)
    }

    /// The ELF file that is run.
    #[must_use]
    pub fn elf(&self) -> Option<&Elf> {
        match &self.program.format {
            Format::Elf(elf) => Some(elf),
            _ => None,
        }
    }

    /// Whether a function is linked into the program. `None` if that could not be told.
    #[must_use]
    pub fn links(&self, symbol: &str) -> Option<bool> {
        self.elf()?.linked.has(symbol)
    }

    /// Those of some functions that are linked into the program.
    #[must_use]
    pub fn linked_of(&self, symbols: &[&'static str]) -> Vec<&'static str> {
        symbols.iter().copied().filter(|symbol| self.links(symbol) == Some(true)).collect()
    }

    /// Whether it is known which functions are in the program.
    #[must_use]
    pub fn knows_symbols(&self) -> bool {
        self.elf().is_some_and(|elf| elf.linked.is_known())
    }

    /// The minor version of the Go that built it.
    #[must_use]
    pub fn go(&self) -> Option<u32> {
        self.elf()?.go.as_ref().and_then(|info| crate::delve::version::go_minor(&info.go_version.lossy()))
    }

    /// A build setting of the program.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Untrusted> {
        self.elf()?.go.as_ref()?.setting(name)
    }

    /// A variable of its environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Untrusted> {
        self.setup.environment.get(name)
    }
}

impl Seen {
    /// The file, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&File> {
        match self {
            Self::There(file) => Some(file),
            _ => None,
        }
    }

    /// Whether it is known that nothing is there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        *self == Self::Missing
    }
}

//! Functions that say what a program needs of the world around it.

use std::collections::BTreeSet;

/// Go's: what is in the linker's table of functions can be called.
pub mod go {
    /// Reads the system's certificates. The second one is its name since Go 1.27.
    pub const ROOTS: [&str; 3] =
        ["crypto/x509.loadSystemRoots", "crypto/x509.loadOnDiskRoots", "crypto/x509.initSystemRoots"];
    /// Asks others over HTTP, or by TLS.
    pub const CLIENT: [&str; 4] = [
        "net/http.(*Transport).RoundTrip",
        "net/http.(*Transport).roundTrip",
        "crypto/tls.DialWithDialer",
        "crypto/tls.(*Dialer).DialContext",
    ];
    /// Brings certificates along.
    pub const FALLBACK: [&str; 1] = ["crypto/x509.SetFallbackRoots"];
    /// Looks up a time zone by its name.
    pub const ZONES: [&str; 1] = ["time.LoadLocation"];
    /// Brings time zones along.
    pub const EMBEDDED_ZONES: [&str; 1] = ["time/tzdata.loadFromEmbeddedTZData"];
    /// Looks up users.
    pub const USERS: [&str; 7] = [
        "os/user.Current",
        "os/user.current",
        "os/user.Lookup",
        "os/user.LookupId",
        "os/user.lookupUserId",
        "os/user.lookupUser",
        "os/user.LookupGroupId",
    ];
    /// Looks for a home directory.
    pub const HOME: [&str; 3] = ["os.UserHomeDir", "os.UserCacheDir", "os.UserConfigDir"];
    /// Makes temporary files.
    pub const TEMPORARY: [&str; 4] = ["os.CreateTemp", "os.MkdirTemp", "os.TempDir", "io/ioutil.TempFile"];
    /// Resolves names by itself.
    pub const RESOLVER: [&str; 3] =
        ["net.(*Resolver).goLookupIPCNAMEOrder", "net.(*Resolver).goLookupHostOrder", "net.dnsReadConfig"];
    /// Resolves names by the C library.
    pub const C_RESOLVER: [&str; 4] =
        ["net.cgoLookupHost", "net.cgoLookupIP", "net._C_getaddrinfo", "net.cgoLookupHostIP"];
    /// Learns how many processors it may use, and how much memory.
    pub const AUTOMAXPROCS: [&str; 1] = ["go.uber.org/automaxprocs/maxprocs.Set"];
    /// The same of memory.
    pub const AUTOMEMLIMIT: [&str; 3] = [
        "github.com/KimMachineGun/automemlimit/memlimit.SetGoMemLimitWithOpts",
        "github.com/KimMachineGun/automemlimit/memlimit.SetGoMemLimit",
        "runtime/debug.SetMemoryLimit",
    ];
    /// Asks for signals.
    pub const SIGNALS: [&str; 2] = ["os/signal.Notify", "os/signal.NotifyContext"];
    /// Lets others look into it over HTTP.
    pub const PROFILES: [&str; 1] = ["net/http/pprof.Index"];
}

/// C's: names in its tables of symbols. They say what is there, not what is called.
pub mod c {
    /// TLS by OpenSSL, GnuTLS, mbed TLS.
    pub const TLS: [&str; 3] = ["SSL_CTX_new", "gnutls_init", "mbedtls_ssl_init"];
    /// Local time.
    pub const ZONES: [&str; 3] = ["tzset", "localtime_r", "localtime"];
    /// Looks up users.
    pub const USERS: [&str; 4] = ["getpwuid", "getpwuid_r", "getpwnam", "getpwnam_r"];
    /// Makes temporary files.
    pub const TEMPORARY: [&str; 4] = ["mkstemp", "mkstemp64", "tmpfile", "mkdtemp"];
    /// Resolves names.
    pub const RESOLVER: [&str; 2] = ["getaddrinfo", "gethostbyname"];
}

/// All that are looked for.
fn wanted() -> impl Iterator<Item = &'static str> {
    let of_go: [&[&'static str]; 13] = [
        &go::ROOTS,
        &go::CLIENT,
        &go::FALLBACK,
        &go::ZONES,
        &go::EMBEDDED_ZONES,
        &go::USERS,
        &go::HOME,
        &go::TEMPORARY,
        &go::RESOLVER,
        &go::C_RESOLVER,
        &go::AUTOMAXPROCS,
        &go::AUTOMEMLIMIT,
        &go::SIGNALS,
    ];
    let of_c: [&[&'static str]; 6] = [&go::PROFILES, &c::TLS, &c::ZONES, &c::USERS, &c::TEMPORARY, &c::RESOLVER];
    of_go.into_iter().chain(of_c).flatten().copied()
}

/// Which of the functions that matter are in a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linked(Option<BTreeSet<&'static str>>);

impl Linked {
    /// Of a program whose tables could not be read.
    pub const UNKNOWN: Self = Self(None);

    /// Of all names of a program.
    pub fn of<'n>(names: impl Iterator<Item = &'n [u8]>) -> Self {
        let all: BTreeSet<&'static str> = wanted().collect();
        let known = |name: &[u8]| std::str::from_utf8(name).ok().and_then(|name| all.get(name).copied());
        Self(Some(names.filter_map(known).collect()))
    }

    /// Whether one is in it. `None` if that could not be told.
    #[must_use]
    pub fn has(&self, name: &str) -> Option<bool> {
        self.0.as_ref().map(|known| known.contains(name))
    }

    /// Whether the program's tables could be read.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// Those that are in it.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flatten().copied()
    }
}

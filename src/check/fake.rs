//! A program that lacks nothing, for the tests of what finds the lack.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use object::elf::EM_X86_64;

use super::certificates::Certificate;
use super::facts::{Bundle, Elf, Facts, File, Format, Program, Resolver, Roots, Running, Seen, User};
use super::symbols::Linked;
use crate::delve::version::Version;
use crate::golang::BuildInfo;
use crate::image::{Environment, Setup};
use crate::inspect::files::Kind;
use crate::text::Untrusted;

/// When it is.
pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A file of root's.
pub fn file(mode: u32) -> Seen {
    Seen::There(File { kind: Kind::File, mode, uid: 0, gid: 0, size: 1000 })
}

/// A directory of root's.
pub fn folder(mode: u32) -> Seen {
    Seen::There(File { kind: Kind::Directory, mode, uid: 0, gid: 0, size: 0 })
}

/// A root that is good for some more days.
pub fn root(days: i64) -> Certificate {
    let span = Duration::from_secs(days.unsigned_abs() * 86_400);
    let not_after = if days < 0 { now() - span } else { now() + span };
    Certificate { subject: "Example Root".into(), not_after }
}

/// Functions that are linked into it: all that want something.
pub const LINKED: [&str; 9] = [
    "crypto/x509.loadSystemRoots",
    "net/http.(*Transport).RoundTrip",
    "time.LoadLocation",
    "os/user.Current",
    "os.UserHomeDir",
    "os.CreateTemp",
    "net.(*Resolver).goLookupIPCNAMEOrder",
    "net.dnsReadConfig",
    "os/signal.Notify",
];

/// Some of them.
pub fn linked(names: &[&str]) -> Linked {
    Linked::of(names.iter().map(|name| name.as_bytes()))
}

/// An environment.
pub fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::new(variables.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// A Go program in a container, with all that it wants.
pub fn facts() -> Facts {
    let settings = [("-trimpath", "true"), ("CGO_ENABLED", "0"), ("GOARCH", "amd64")];
    let go = BuildInfo {
        go_version: "go1.27.3".into(),
        settings: settings.map(|(key, value)| (key.into(), value.into())).to_vec(),
        ..BuildInfo::default()
    };
    let elf = Elf {
        is_64: true,
        is_little: true,
        machine: EM_X86_64,
        searched: true,
        go: Some(go),
        dwarf: Some(5),
        linked: linked(&LINKED),
        ..Elf::default()
    };
    let files: [(&str, Seen); 8] = [
        ("/etc/passwd", file(0o644)),
        ("/bin/sh", Seen::Missing),
        ("/usr/share/zoneinfo", folder(0o755)),
        ("/usr/share/zoneinfo/Europe/Berlin", file(0o644)),
        ("/tmp", folder(0o1777)),
        ("/home/app", Seen::There(File { kind: Kind::Directory, mode: 0o700, uid: 65532, gid: 65532, size: 0 })),
        ("/data", Seen::There(File { kind: Kind::Directory, mode: 0o755, uid: 65532, gid: 65532, size: 0 })),
        ("/app", file(0o755)),
    ];
    Facts {
        machine: "x86_64",
        setup: Setup {
            entrypoint: vec!["/app".into()],
            user: "65532:65532".into(),
            environment: environment(&[
                ("HOME", "/home/app"),
                ("TZ", "Europe/Berlin"),
                ("GOMEMLIMIT", "200MiB"),
                ("GREETING", "hello"),
            ]),
            health: vec!["CMD".into(), "/app".into(), "-health".into()],
            exposed: vec!["8080/tcp".into()],
            volumes: vec!["/data".into()],
            ..Setup::default()
        },
        program: Program {
            name: "/app".into(),
            path: "/app".into(),
            seen: file(0o755),
            format: Format::Elf(Box::new(elf)),
            shell: None,
        },
        files: files.into_iter().map(|(path, seen)| (path.as_bytes().to_vec(), seen)).collect::<BTreeMap<_, _>>(),
        roots: Roots {
            files: vec![(
                Untrusted::from("/etc/ssl/certs/ca-certificates.crt"),
                Bundle::There { size: 200_000, certificates: vec![root(100), root(1000)] },
            )],
            folders: Vec::new(),
        },
        user: User { uid: Some(65532), gid: 65532, groups: Vec::new(), in_passwd: true, unknown_name: false },
        resolver: Resolver {
            servers: Some(1),
            localhost: Some(true),
            sources: Some(vec!["files".into(), "dns".into()]),
        },
        running: Some(Running {
            container: true,
            is_first: true,
            caught: Some(u64::MAX),
            processors: Some(8),
            threads: Some(9),
            milli_cpus: Some(1500),
            memory: Some(256 << 20),
            pids: Some(200),
            files: Some((Some(1024), Some(65536))),
            open_files: Some(9),
            capabilities: Some(Vec::new()),
            read_only: Some(true),
            mounts: vec!["/data".into(), "/tmp".into()],
            privileged: false,
            listening: Some(vec!["0.0.0.0:8080".parse().unwrap()]),
            published: vec![8080],
        }),
        delve: Version::parse("1.27.1"),
        now: now(),
    }
}

/// The same, of its image.
pub fn image() -> Facts {
    Facts { running: None, ..facts() }
}

use object::elf::{EM_386, EM_AARCH64};

use super::facts::{Bundle, Elf, Facts, Format, Running, Seen, Shell};
use super::fake::{self, environment, facts, file, folder, image, linked, root};
use super::*;
use crate::delve::version::Version;
use crate::golang::buildinfo::Module;
use crate::image::Environment;
use crate::text::Untrusted;

fn of(facts: &Facts, id: &str) -> Option<Finding> {
    let mut found = findings(facts).into_iter().filter(|finding| finding.id == id);
    let first = found.next();
    assert!(found.next().is_none(), "{id} twice");
    first
}

fn elf(facts: &mut Facts) -> &mut Elf {
    match &mut facts.program.format {
        Format::Elf(elf) => elf,
        other => panic!("{other:?}"),
    }
}

fn running(facts: &mut Facts) -> &mut Running {
    facts.running.as_mut().unwrap()
}

fn see(facts: &mut Facts, path: &str, seen: Seen) {
    facts.files.insert(path.as_bytes().to_vec(), seen);
}

fn set(facts: &mut Facts, key: &str, value: &str) {
    let settings = &mut elf(facts).go.as_mut().unwrap().settings;
    settings.retain(|(known, _)| known.bytes() != key.as_bytes());
    settings.push((key.into(), value.into()));
}

fn with(facts: &mut Facts, variables: &[(&str, &str)]) {
    let all = [&[("HOME", "/home/app"), ("TZ", "Europe/Berlin"), ("GOMEMLIMIT", "200MiB")], variables].concat();
    // The first of a name counts.
    facts.setup.environment = environment(&all.into_iter().rev().collect::<Vec<_>>());
}

fn link(facts: &mut Facts, names: &[&str]) {
    elf(facts).linked = linked(&[&fake::LINKED, names].concat());
}

fn unlink(facts: &mut Facts, name: &str) {
    let names: Vec<_> = fake::LINKED.into_iter().filter(|known| *known != name).collect();
    elf(facts).linked = linked(&names);
}

fn dynamic(facts: &mut Facts) {
    let elf = elf(facts);
    elf.linkage.interpreter = Some("/lib64/ld-linux-x86-64.so.2".into());
    elf.linkage.needed = vec!["libc.so.6".into()];
    elf.linkage.is_dynamic = true;
    elf.is_pie = true;
}

fn no_go(facts: &mut Facts) {
    elf(facts).go = None;
    elf(facts).linked = linked(&["SSL_CTX_new", "tzset", "getpwuid", "mkstemp", "getaddrinfo"]);
}

#[test]
fn what_lacks_nothing_has_no_finding() {
    for facts in [facts(), image()] {
        for finding in findings(&facts) {
            let given = GIVEN.contains(&finding.id);
            assert_eq!(finding.status, if given { Status::Unknown } else { Status::Ok }, "{finding:?}");
            assert_eq!(finding.fix, None, "{finding:?}");
        }
    }
}

/// What an image cannot tell.
const GIVEN: [&str; 2] = ["limits.given", "exposure.given"];

type Break = fn(&mut Facts);

/// Each with what makes it: without that it is well, as the test above says.
#[rustfmt::skip]
const BROKEN: &[(&str, Status, &str, Break)] = &[
    // program
    ("program.present", Status::Failure, "nothing says what to run", |f| f.program.name = Untrusted::default()),
    ("program.present", Status::Failure, "no such file or directory", |f| f.program.seen = Seen::Missing),
    ("program.present", Status::Unknown, "may not be looked at", |f| f.program.seen = Seen::Denied),
    ("program.executable", Status::Failure, "no executable bit", |f| f.program.seen = file(0o644)),
    ("program.executable", Status::Failure, "user 65532 may not run", |f| f.program.seen = file(0o700)),
    ("program.executable", Status::Failure, "is a directory", |f| f.program.seen = folder(0o755)),
    ("program.format", Status::Failure, "exec format error", |f| f.program.format = Format::Unknown),
    ("program.format", Status::Failure, "script for /bin/bash, which is not there", |f| f.program.format = Format::Script("/bin/bash".into(), false)),
    ("program.machine", Status::Failure, "built for arm64, and this kind of machine is amd64", |f| elf(f).machine = EM_AARCH64),
    ("program.machine", Status::Failure, "exec format error", |f| elf(f).is_64 = false),
    ("program.machine", Status::Warning, "built for 386, which", |f| { elf(f).machine = EM_386; elf(f).is_64 = false; }),
    ("program.loader", Status::Failure, "/app: no such file or directory\", though the program itself is", |f| { dynamic(f); see(f, "/lib64/ld-linux-x86-64.so.2", Seen::Missing); }),
    ("program.libraries", Status::Failure, "not there: libc.so.6", |f| { dynamic(f); elf(f).lost = vec!["libc.so.6".into()]; see(f, "/lib64/ld-linux-x86-64.so.2", file(0o755)); }),
    ("program.static", Status::Warning, "has to bring", |f| { dynamic(f); elf(f).lost = vec!["libc.so.6".into()]; }),
    ("program.packed", Status::Warning, "UPX", |f| elf(f).packed = true),
    // tls
    ("tls.roots", Status::Failure, "no roots are there", |f| f.roots.files[0].1 = Bundle::Missing),
    ("tls.roots", Status::Warning, "no roots are there, should", |f| { f.roots.files[0].1 = Bundle::Missing; unlink(f, "net/http.(*Transport).RoundTrip"); }),
    ("tls.roots", Status::Failure, "may not read the roots", |f| f.roots.files[0].1 = Bundle::Denied),
    ("tls.roots", Status::Failure, "holds no certificate", |f| f.roots.files[0].1 = Bundle::There { size: 7, certificates: Vec::new() }),
    ("tls.roots", Status::Failure, "SSL_CERT_FILE names /my.pem, which is not there", |f| { with(f, &[("SSL_CERT_FILE", "/my.pem")]); f.roots.files = vec![("/my.pem".into(), Bundle::Missing)]; }),
    ("tls.expired", Status::Warning, "a root is expired: Example Root", |f| f.roots.files[0].1 = Bundle::There { size: 7, certificates: vec![root(-1), root(5)] }),
    ("tls.roots", Status::Failure, "no roots are there", |f| { no_go(f); f.roots.files[0].1 = Bundle::Missing; }),
    // zones
    ("zones.database", Status::Warning, "unknown time zone", |f| see(f, "/usr/share/zoneinfo", Seen::Missing)),
    ("zones.local", Status::Failure, "local time is UTC", |f| see(f, "/usr/share/zoneinfo/Europe/Berlin", Seen::Missing)),
    ("zones.local", Status::Failure, "TZ names /etc/zone", |f| with(f, &[("TZ", ":/etc/zone")])),
    // users
    ("users.user", Status::Failure, "/etc/passwd does not know", |f| { f.user.unknown_name = true; f.user.uid = None; f.setup.user = "app".into(); }),
    ("users.user", Status::Warning, "as root", |f| f.user.uid = Some(0)),
    ("users.user", Status::Warning, "runAsNonRoot", |f| { f.running = None; f.setup.user = "app".into(); }),
    ("users.passwd", Status::Warning, "does not know user 65532", |f| f.user.in_passwd = false),
    ("users.passwd", Status::Warning, "does not know user 65532", |f| { no_go(f); f.user.in_passwd = false; }),
    ("users.home", Status::Warning, "is not there", |f| see(f, "/home/app", Seen::Missing)),
    ("users.home", Status::Warning, "not its to write", |f| see(f, "/home/app", folder(0o755))),
    ("users.home", Status::Warning, "HOME is not set", |f| f.setup.environment = environment(&[("TZ", "UTC")])),
    ("users.tmp", Status::Warning, "there is no /tmp", |f| see(f, "/tmp", Seen::Missing)),
    ("users.tmp", Status::Warning, "may not write in /tmp", |f| see(f, "/tmp", folder(0o755))),
    ("users.tmp", Status::Warning, "/tmp is read-only", |f| running(f).mounts.clear()),
    ("users.tmp", Status::Warning, "there is no /tmp", |f| { no_go(f); see(f, "/tmp", Seen::Missing); }),
    ("users.volumes", Status::Warning, "may not write in its volume /data", |f| see(f, "/data", folder(0o755))),
    ("users.volumes", Status::Warning, "may not write in its volume /data", |f| see(f, "/data", Seen::Missing)),
    // names
    ("names.resolver", Status::Warning, "C library in it", |f| link(f, &["net.cgoLookupHost"])),
    ("names.resolver", Status::Warning, "C library in it", no_go),
    ("names.servers", Status::Warning, "names no server", |f| f.resolver.servers = Some(0)),
    ("names.servers", Status::Warning, "names no server", |f| f.resolver.servers = None),
    ("names.hosts", Status::Warning, "does not know localhost", |f| f.resolver.localhost = Some(false)),
    ("names.order", Status::Warning, "come before /etc/hosts", |f| f.resolver.sources = Some(vec!["dns".into(), "files".into()])),
    ("names.order", Status::Warning, "not asked at all", |f| f.resolver.sources = Some(vec!["dns".into()])),
    // limits
    ("limits.cpu", Status::Warning, "older than 1.25", |f| elf(f).go.as_mut().unwrap().go_version = "go1.24.11".into()),
    ("limits.cpu", Status::Warning, "containermaxprocs=0", |f| set(f, "DefaultGODEBUG", "containermaxprocs=0,x=1")),
    ("limits.cpu", Status::Warning, "containermaxprocs=0", |f| with(f, &[("GODEBUG", "containermaxprocs=0")])),
    ("limits.cpu", Status::Warning, "GOMAXPROCS is 8", |f| with(f, &[("GOMAXPROCS", "8")])),
    ("limits.memory", Status::Warning, "GOMEMLIMIT is not set", |f| f.setup.environment = environment(&[("HOME", "/home/app")])),
    ("limits.memory", Status::Failure, "GOMEMLIMIT is 1.0G, and it is killed at 256M", |f| with(f, &[("GOMEMLIMIT", "1GiB")])),
    ("limits.memory", Status::Failure, "not written as Go reads it", |f| with(f, &[("GOMEMLIMIT", "200M")])),
    ("limits.memory", Status::Warning, "its Go knows no limit", |f| { elf(f).go.as_mut().unwrap().go_version = "go1.18.1".into(); with(f, &[("GOMEMLIMIT", "off")]); }),
    ("limits.memory", Status::Warning, "GOGC is off", |f| { running(f).memory = None; f.setup.environment = environment(&[("GOGC", "off")]); }),
    ("limits.files", Status::Warning, "may open 256 files", |f| running(f).files = Some((Some(256), Some(256)))),
    ("limits.files", Status::Failure, "too many open files", |f| running(f).open_files = Some(60_000)),
    ("limits.pids", Status::Warning, "may have 20 threads", |f| running(f).pids = Some(20)),
    ("limits.pids", Status::Failure, "failed to create new OS thread", |f| running(f).threads = Some(195)),
    // debug
    ("debug.stripped", Status::Warning, "stripped", |f| elf(f).stripped = true),
    ("debug.optimised", Status::Warning, "without optimisation", |f| set(f, "-gcflags", "all=-N -l")),
    ("debug.delve", Status::Warning, "too old", |f| f.delve = Version::parse("1.24.0")),
    ("debug.delve", Status::Unknown, "no Delve", |f| f.delve = None),
    // lifetime
    ("lifetime.form", Status::Failure, "exec: /bin/sh: no such file", |f| f.program.shell = Some(Shell { path: "/bin/sh".into(), there: false })),
    ("lifetime.form", Status::Warning, "signals reach the shell", |f| f.program.shell = Some(Shell { path: "/bin/sh".into(), there: true })),
    ("lifetime.sigterm", Status::Warning, "asks for no signal", |f| unlink(f, "os/signal.Notify")),
    ("lifetime.sigterm", Status::Warning, "the kernel does not deliver it", |f| { no_go(f); running(f).caught = Some(0); }),
    ("lifetime.health", Status::Failure, "needs /bin/sh, which is not there", |f| f.setup.health = vec!["CMD-SHELL".into(), "curl -H 'Token: hunter2'".into()]),
    ("lifetime.health", Status::Failure, "needs /curl, which is not there", |f| { f.setup.health = vec!["CMD".into(), "/curl".into()]; see(f, "/curl", Seen::Missing); }),
    // exposure
    ("exposure.root", Status::Warning, "can be written", |f| running(f).read_only = Some(false)),
    ("exposure.capabilities", Status::Warning, "2 capabilities", |f| running(f).capabilities = Some(vec!["CAP_CHOWN".into(), "CAP_KILL".into()])),
    ("exposure.capabilities", Status::Failure, "privileged", |f| running(f).privileged = true),
    ("exposure.listening", Status::Warning, "at 6060, which nobody", |f| running(f).listening.as_mut().unwrap().push("[::]:6060".parse().unwrap())),
    ("exposure.pprof", Status::Warning, "net/http/pprof is linked", |f| link(f, &["net/http/pprof.Index"])),
    ("exposure.secrets", Status::Warning, "DB_PASSWORD; whoever may inspect it", |f| with(f, &[("DB_PASSWORD", "hunter2")])),
    ("exposure.secrets", Status::Warning, "DB_PASSWORD; whoever has the image", |f| { with(f, &[("DB_PASSWORD", "hunter2")]); f.running = None; }),
];

#[test]
fn each_lack_is_found_with_its_fix() {
    for (id, status, said, break_it) in BROKEN {
        let mut facts = facts();
        assert!(of(&facts, id).is_none_or(|finding| finding.status == Status::Ok), "{id}");
        break_it(&mut facts);
        let found = of(&facts, id).unwrap_or_else(|| panic!("no {id}: {said}"));
        assert_eq!(found.status, *status, "{found:?}");
        assert!(found.message.contains(said), "{found:?} does not say {said}");
        assert!(found.fix.is_some(), "{found:?}");
        // What a person pastes into a Dockerfile takes no remark behind an instruction.
        for line in found.fix.iter().flat_map(|fix| fix.lines()) {
            assert!(line.starts_with("# ") || !line.contains(" # "), "{line}");
        }
        let shown = format!("{:?}", findings(&facts));
        assert!(!shown.contains("hunter2"), "a secret's value is told: {shown}");
    }
}

#[test]
fn every_finding_there_can_be_is_among_them() {
    let mut known: Vec<_> = BROKEN.iter().map(|(id, ..)| *id).collect();
    known.sort_unstable();
    known.dedup();
    for facts in [facts(), image()] {
        for finding in findings(&facts) {
            let alone = finding.id == "debug.trimpath" || GIVEN.contains(&finding.id);
            assert!(alone || known.contains(&finding.id), "{} is never seen to fail", finding.id);
        }
    }
}

/// What is no lack, though it looks like one.
#[rustfmt::skip]
const WELL: &[(&str, Break)] = &[
    ("program.loader", |f| { dynamic(f); see(f, "/lib64/ld-linux-x86-64.so.2", file(0o755)); }),
    ("program.libraries", |f| { dynamic(f); see(f, "/lib64/ld-linux-x86-64.so.2", file(0o755)); }),
    ("program.format", |f| f.program.format = Format::Script("/bin/sh".into(), true)),
    ("tls.roots", |f| { f.roots.files[0].1 = Bundle::Missing; link(f, &["crypto/x509.SetFallbackRoots"]); }),
    ("tls.roots", |f| {
        f.roots.files[0].1 = Bundle::Missing;
        let fallback = Module { path: "golang.org/x/crypto/x509roots/fallback".into(), ..Module::default() };
        elf(f).go.as_mut().unwrap().dependencies = vec![fallback];
    }),
    ("tls.roots", |f| { f.roots.files[0].1 = Bundle::Missing; f.roots.folders = vec![("/certs".into(), Bundle::There { size: 7, certificates: vec![root(5)] })]; }),
    ("tls.roots", |f| { f.roots.files[0].1 = Bundle::Missing; unlink(f, "crypto/x509.loadSystemRoots"); }),
    ("zones.database", |f| { see(f, "/usr/share/zoneinfo", Seen::Missing); link(f, &["time/tzdata.loadFromEmbeddedTZData"]); }),
    ("zones.database", |f| { see(f, "/usr/share/zoneinfo", Seen::Missing); unlink(f, "time.LoadLocation"); }),
    ("zones.database", |f| { see(f, "/usr/share/zoneinfo", Seen::Missing); see(f, "/zones.zip", file(0o644)); with(f, &[("ZONEINFO", "/zones.zip")]); }),
    ("zones.local", |f| { see(f, "/usr/share/zoneinfo/Europe/Berlin", Seen::Missing); link(f, &["time/tzdata.loadFromEmbeddedTZData"]); }),
    ("users.passwd", |f| { f.user.in_passwd = false; with(f, &[("USER", "app")]); }),
    ("limits.cpu", |f| { elf(f).go.as_mut().unwrap().go_version = "go1.24.11".into(); with(f, &[("GOMAXPROCS", "2")]); }),
    ("limits.cpu", |f| { elf(f).go.as_mut().unwrap().go_version = "go1.24.11".into(); link(f, &["go.uber.org/automaxprocs/maxprocs.Set"]); }),
    ("limits.cpu", |f| { elf(f).go.as_mut().unwrap().go_version = "go1.24.11".into(); running(f).milli_cpus = None; }),
    ("limits.cpu", |f| { set(f, "DefaultGODEBUG", "containermaxprocs=0"); with(f, &[("GODEBUG", "containermaxprocs=1")]); }),
    ("limits.memory", |f| { running(f).memory = None; f.setup.environment = Environment::default(); }),
    ("limits.files", |f| running(f).files = Some((None, None))),
    ("limits.pids", |f| running(f).pids = None),
    ("exposure.capabilities", |f| { running(f).capabilities = Some(vec!["CAP_NET_BIND_SERVICE".into()]); running(f).listening = Some(vec!["0.0.0.0:80".parse().unwrap()]); }),
    ("exposure.listening", |f| running(f).listening = Some(Vec::new())),
    ("debug.delve", |f| elf(f).stripped = true),
];

#[test]
fn what_is_no_lack_is_none() {
    for (id, change) in WELL {
        let mut facts = facts();
        change(&mut facts);
        let found = of(&facts, id).unwrap_or_else(|| panic!("no {id}"));
        assert_eq!(found.status, Status::Ok, "{found:?}");
    }
}

#[test]
fn what_is_not_known_is_said_to_be_so() {
    let mut facts = facts();
    elf(&mut facts).linked = symbols::Linked::UNKNOWN;
    for id in ["tls.roots", "zones.database", "names.resolver"] {
        assert_eq!(of(&facts, id).unwrap().status, Status::Unknown, "{id}");
    }
    facts.roots.files[0].1 = Bundle::Unknown("no answer within 5 s".into());
    elf(&mut facts).linked = linked(&fake::LINKED);
    assert_eq!(of(&facts, "tls.roots").unwrap().status, Status::Unknown);
}

#[test]
fn the_worst_come_first() {
    let mut facts = facts();
    facts.user.uid = Some(0);
    facts.roots.files[0].1 = Bundle::Missing;
    let all = findings(&facts);
    assert_eq!((all[0].id, all[0].group), ("tls.roots", Group::Tls));
    let groups: Vec<_> = all.iter().map(|finding| finding.group).collect();
    let mut once = groups.clone();
    once.dedup();
    let mut distinct = once.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(once.len(), distinct.len(), "what belongs together stands together: {groups:?}");
    assert_eq!(once[1], Group::Users);
}

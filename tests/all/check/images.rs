//! Of images that do not run. They are made here, so no engine is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::json;
use tempfile::TempDir;

use super::{is, is_well, report, shown};
use crate::support::command::{run, scratchdbg};
use crate::support::go::Go;
use crate::support::layout::Layout;
use crate::support::skip;

/// What `tests/fixtures/wants` is built with here.
struct Wants {
    folder: TempDir,
    go: Go,
}

impl Wants {
    fn new() -> Option<Self> {
        static GO: OnceLock<Option<Go>> = OnceLock::new();
        // The oldest there is builds fastest, and is what the other fixtures are built with.
        let go = GO.get_or_init(|| Go::all().into_iter().min_by_key(|go| go.minor)).clone();
        if !skip::go_on(go.is_none().then(|| "there is no Go: scripts/setup go".to_owned())) {
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap(), go: go? })
    }

    /// The program that wants these.
    fn program(&self, tags: &str) -> PathBuf {
        self.built(tags, &[], &[])
    }

    fn built(&self, tags: &str, args: &[&str], more: &[(&str, &str)]) -> PathBuf {
        let out = self.folder.path().join(format!("{tags}{}{}", args.concat().replace('/', "-"), more.len()));
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wants");
        let tags = format!("-tags={tags}");
        let args: Vec<&str> = ["-buildvcs=false", "-trimpath", &tags].into_iter().chain(args.iter().copied()).collect();
        self.go.build(&sources, &out, &args, more);
        out
    }

    /// An image with the program that wants these.
    fn image(&self, tags: &str) -> Layout {
        Layout::of(&self.program(tags))
    }
}

/// With and without what it lacks: the finding's name, how it is then, and both images.
#[track_caller]
fn with_and_without(id: &str, status: &str, lacks: Layout, has: Layout) {
    is(&report(&lacks.make().target()), id, status);
    is_well(&report(&has.make().target()), id);
}

/// A certificate of one's own, good until a year.
fn certificate(year: i32) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["root.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn the_program_itself() {
    let Some(wants) = Wants::new() else { return };
    let program = fs::read(wants.program("signals")).unwrap();
    let good = || wants.image("signals");
    let entry = |words: &[&str]| good().set("Entrypoint", json!(words));
    with_and_without("program.present", "failure", entry(&["/other"]), good());
    with_and_without("program.present", "failure", entry(&[]), entry(&["app"]).file("/bin/app", 0o755, &program));
    with_and_without("program.executable", "failure", good().file("/app", 0o644, &program), good());
    with_and_without("program.executable", "failure", good().file("/app", 0o700, &program), good());
    with_and_without("program.format", "failure", good().file("/app", 0o755, b"no program at all"), good());
    let script = || good().file("/app", 0o755, b"#!/bin/run -x\nrun\n");
    with_and_without("program.format", "failure", script(), script().file("/bin/run", 0o755, &program));
    let foreign = if cfg!(target_arch = "aarch64") { "amd64" } else { "arm64" };
    let other = wants.built("signals", &[], &[("GOARCH", foreign)]);
    with_and_without("program.machine", "failure", Layout::of(&other), good());
    with_and_without(
        "debug.stripped",
        "warning",
        Layout::of(&wants.built("signals", &["-ldflags=-s -w"], &[])),
        good(),
    );
    let slow = wants.built("signals", &["-gcflags=all=-N -l"], &[]);
    with_and_without("debug.optimised", "warning", Layout::of(&slow), good());
    let packed = [&program[..0x100], b"UPX!", &program[0x104..]].concat();
    with_and_without("program.packed", "warning", good().file("/app", 0o755, &packed), good());
}

/// The riddle: the program is there, and the kernel says that it is not.
#[test]
fn a_loader_and_libraries() {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("hello.c"), folder.path().join("hello"));
    fs::write(&source, "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n").unwrap();
    let compile = |args: &[&str], out: &Path| {
        let mut command = Command::new("cc");
        command.args(args).arg("-o").arg(out).arg(&source).stdin(Stdio::null());
        run(command).ok();
    };
    compile(&[], &program);
    let mut command = Command::new("ldd");
    command.arg(&program).stdin(Stdio::null());
    let needed = run(command).ok().text();
    let paths: Vec<&str> = needed.split_whitespace().filter(|word| word.starts_with('/')).collect();
    let (libraries, loader): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.contains("libc"));
    assert_eq!((libraries.len(), loader.len()), (1, 1), "{needed}");
    let with = |paths: &[&str]| {
        paths.iter().fold(Layout::of(&program), |image, path| image.file(path, 0o755, &fs::read(path).unwrap()))
    };
    with_and_without("program.loader", "failure", with(&[]), with(&loader));
    with_and_without("program.libraries", "failure", with(&loader), with(&paths));
    is_well(&report(&with(&paths).make().target()), "program.static");
    let image = with(&[]).make();
    let text = shown(&image.target()).ends_with(1).text();
    assert!(text.contains("no such file or directory\", though the program itself is"), "{text}");

    let whole = folder.path().join("whole");
    compile(&["-static"], &whole);
    let image = Layout::of(&whole).make();
    for id in ["program.static", "program.loader", "program.machine"] {
        is_well(&report(&image.target()), id);
    }
    scratchdbg(&["go", &image.target()]).fails_with(1, &["it is no Go program"]);
}

#[test]
fn certificates() {
    let Some(wants) = Wants::new() else { return };
    let place = "/etc/ssl/certs/ca-certificates.crt";
    let pem = certificate(2090) + &certificate(2091);
    let lacks = || wants.image("tls");
    let has = || lacks().file(place, 0o644, pem.as_bytes());
    with_and_without("tls.roots", "failure", lacks(), has());
    with_and_without("tls.roots", "failure", lacks().file(place, 0o600, pem.as_bytes()), has());
    with_and_without("tls.roots", "failure", lacks().file(place, 0o644, b"no certificate"), has());
    with_and_without("tls.roots", "failure", lacks(), lacks().file("/etc/ssl/certs/mine.pem", 0o644, pem.as_bytes()));
    with_and_without("tls.roots", "failure", lacks(), wants.image("tls,fallback"));
    with_and_without("tls.roots", "failure", lacks(), wants.image("signals"));
    // It reads directories besides, whatever the variable says: so that is all there is.
    let named = || lacks().env("SSL_CERT_FILE=/mine.pem");
    with_and_without("tls.roots", "failure", named(), named().file("/mine.pem", 0o644, pem.as_bytes()));
    let old = certificate(2019) + &pem;
    with_and_without("tls.expired", "warning", lacks().file(place, 0o644, old.as_bytes()), has());
    let found = report(&has().make().target());
    assert!(super::finding(&found, "tls.roots").unwrap()["message"].as_str().unwrap().starts_with("2 roots in"));
}

/// The same functions are found in programs of every Go that is there.
#[test]
fn what_is_linked_by_every_go() {
    let wanted = "tls,zones,users,home,temporary,signals,profiles,names";
    for go in Go::all() {
        let wants = Wants { folder: tempfile::tempdir().unwrap(), go };
        for stripped in [&[][..], &["-ldflags=-s -w"]] {
            let program = wants.built(wanted, stripped, &[]);
            let found = report(&Layout::of(&program).set("Env", json!(["HOME=/none"])).make().target());
            for (id, status) in [
                ("tls.roots", "failure"),
                ("zones.database", "warning"),
                ("users.passwd", "warning"),
                ("users.home", "warning"),
                ("users.tmp", "warning"),
                ("exposure.pprof", "warning"),
                ("names.resolver", "ok"),
                ("lifetime.sigterm", "ok"),
            ] {
                is(&found, id, status);
            }
            let nothing = report(&Layout::of(&wants.built("none", stripped, &[])).make().target());
            for (id, status) in [("tls.roots", "ok"), ("zones.database", "ok"), ("lifetime.sigterm", "warning")] {
                is(&nothing, id, status);
            }
            for id in ["users.passwd", "users.home", "users.tmp", "exposure.pprof", "names.servers"] {
                assert_eq!(super::finding(&nothing, id), None, "Go 1.{}", wants.go.minor);
            }
        }
    }
}

#[test]
fn zones_users_and_files() {
    let Some(wants) = Wants::new() else { return };
    let zones = || wants.image("zones");
    let berlin = "/usr/share/zoneinfo/Europe/Berlin";
    with_and_without("zones.database", "warning", zones(), zones().file(berlin, 0o644, b"TZif2"));
    with_and_without("zones.database", "warning", zones(), wants.image("zones,tzdata"));
    with_and_without("zones.database", "warning", zones(), zones().env("ZONEINFO=/z.zip").file("/z.zip", 0o644, b"PK"));
    let local = || wants.image("signals").env("TZ=Europe/Berlin");
    with_and_without("zones.local", "failure", local(), local().file(berlin, 0o644, b"TZif2"));

    let passwd = b"root:x:0:0::/:\napp:x:65532:65532::/:\n";
    let user = |name: &str| wants.image("users").set("User", name.into());
    let known = || user("65532").file("/etc/passwd", 0o644, passwd);
    with_and_without("users.user", "failure", user("app"), known());
    with_and_without("users.user", "warning", user("app").file("/etc/passwd", 0o644, passwd), known());
    with_and_without("users.user", "warning", user(""), known());
    with_and_without("users.passwd", "warning", user("65532"), known());
    let home = || wants.image("home").env("HOME=/home/app");
    with_and_without("users.home", "warning", home(), home().folder("/home/app", 0o700, 65532));
    with_and_without(
        "users.home",
        "warning",
        home().folder("/home/app", 0o755, 0),
        home().folder("/home/app", 0o700, 65532),
    );
    let temporary = || wants.image("temporary");
    with_and_without("users.tmp", "warning", temporary(), temporary().folder("/tmp", 0o1777, 0));
    with_and_without(
        "users.tmp",
        "warning",
        temporary().folder("/tmp", 0o755, 0),
        temporary().folder("/tmp", 0o1777, 0),
    );
    let volume = || wants.image("signals").set("Volumes", json!({"/data": {}}));
    with_and_without("users.volumes", "warning", volume(), volume().folder("/data", 0o755, 65532));
}

#[test]
fn how_it_is_set_up() {
    let Some(wants) = Wants::new() else { return };
    let shell = fs::read(wants.program("none")).unwrap();
    let good = || wants.image("signals");
    let form = || good().set("Entrypoint", json!(["/bin/sh", "-c", "exec /app --serve"]));
    with_and_without("lifetime.form", "failure", form(), good());
    with_and_without("lifetime.form", "warning", form().file("/bin/sh", 0o755, &shell), good());
    // What the shell runs is what is looked at.
    let found = report(&form().file("/bin/sh", 0o755, &shell).make().target());
    assert_eq!(
        (&found["program"]["path"], &found["program"]["linked"][0]),
        (&"/app".into(), &"os/signal.Notify".into())
    );
    with_and_without("lifetime.sigterm", "warning", wants.image("none"), good());
    let health = |test: &[&str]| good().set("Healthcheck", json!({"Test": test}));
    with_and_without(
        "lifetime.health",
        "failure",
        health(&["CMD-SHELL", "curl -f localhost"]),
        health(&["CMD", "/app", "-h"]),
    );
    with_and_without("lifetime.health", "failure", health(&["CMD", "/curl"]), health(&["NONE"]));
    with_and_without("exposure.pprof", "warning", wants.image("profiles"), good());
    let order = |line: &str| wants.image("names").file("/etc/nsswitch.conf", 0o644, line.as_bytes());
    with_and_without(
        "names.order",
        "warning",
        order("hosts: dns [!UNAVAIL=return] files\n"),
        order("hosts: files dns\n"),
    );
    let secret = || good().env("DB_PASSWORD=hunter2").env("DATABASE_URL=postgres://u:hunter2@db/x");
    with_and_without("exposure.secrets", "warning", secret(), good());
}

#[test]
fn a_secret_is_named_and_not_told() {
    let Some(wants) = Wants::new() else { return };
    let image = wants.image("signals").env("DB_PASSWORD=hunter2").env("DATABASE_URL=postgres://u:hunter2@db/x");
    let image = image
        .set("Cmd", json!(["--token=hunter2"]))
        .set("Healthcheck", json!({"Test": ["CMD-SHELL", "probe hunter2"]}));
    let image = image.make();
    for args in [&["check"][..], &["check", "--json"], &["check", "-vv"], &["go"], &["go", "--json"]] {
        let ended = scratchdbg(&[args, &[image.target().as_str()]].concat());
        let all = ended.text() + &ended.stderr;
        assert!(!all.contains("hunter2"), "{args:?} told a secret:\n{all}");
        assert_eq!(args[0] == "check", all.contains("DB_PASSWORD") && all.contains("DATABASE_URL"), "{all}");
    }
}

#[test]
fn when_it_ends_with_1() {
    let Some(wants) = Wants::new() else { return };
    let (good, warns, fails) = (wants.image("signals").make(), wants.image("none").make(), wants.image("tls").make());
    for (image, code, on_warning) in [(&good, 0, 0), (&warns, 0, 1), (&fails, 1, 1)] {
        let with = |args: &[&str]| scratchdbg(&[&["check", &image.target()], args].concat());
        assert_eq!(with(&[]).ends_with(code).stderr, "");
        assert_eq!(with(&["--fail-on", "failure"]).ends_with(code).stderr, "");
        assert_eq!(with(&["--fail-on", "warning", "--json"]).ends_with(on_warning).stderr, "");
        with(&["--fail-on", "never"]).quietly();
    }
}

#[test]
fn an_image_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tar");
    let place = format!("image://{}", file.display());
    scratchdbg(&["check", &place]).fails_with(4, &["no image at"]);
    fs::write(&file, "no archive").unwrap();
    scratchdbg(&["check", &place]).fails_with(2, &["no archive", "docker save"]);
    scratchdbg(&["go", &format!("image://{}", folder.path().display())]).fails_with(2, &["holds no image"]);
    scratchdbg(&["check", "--pid", "1", &place]).fails_with(2, &["is an image, which does not run"]);
    for verb in ["ps", "net", "proc"] {
        scratchdbg(&[verb, &place]).fails_with(2, &["is an image, which does not run", "scratchdbg check"]);
    }
    // A name that a terminal would obey, in an image of somebody else's.
    let Some(wants) = Wants::new() else { return };
    let hostile = wants.image("none").set("Entrypoint", json!(["/\u{1b}[2J\u{202e}app"])).env("TZ=\u{1b}]0;x\u{7}");
    shown(&hostile.make().target()).ends_with(1);
}

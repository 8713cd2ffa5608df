//! The toolkit image: made without an engine, read by ourselves, and run by an engine.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use scratchdbg::wire::{Body, Op};

use super::session::Session;
use crate::support::command::{BINARY, binary, run, scratchdbg};
use crate::support::container::Run;
use crate::support::engine::{docker, inspect, try_docker};
use crate::support::process::{all_pids, command_line, namespace};
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// An image of our own on the engine; gone when dropped.
struct Loaded(String);

impl Loaded {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scratchdbg-test/toolkit:{}-{count}", std::process::id());
        let mut save = binary(&["image", "save", "-o", "-", "--image", &name]);
        let mut save = save.stdout(Stdio::piped()).spawn().unwrap();
        let mut load = Command::new("docker");
        load.arg("load").stdin(save.stdout.take().unwrap());
        let loaded = run(load).ok().text();
        assert!(save.wait().unwrap().success() && loaded.contains(&name), "{loaded}");
        Self(name)
    }

    /// Has it keep a container; its id, once it has said who it is.
    fn keep(&self, flags: &[&str]) -> Kept {
        let owner = format!("--label=scratchdbg-test.owner={}", std::process::id());
        let rights = ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only", "--network=none"];
        let kept = Kept(docker(&[&["run", "--detach", &owner][..], &rights, flags, &[&self.0]].concat()));
        wait::until("its first word", || docker(&["logs", &kept.0]).contains("\"protocol\"").then_some(()));
        kept
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let _ = try_docker(&["rmi", "--force", &self.0]);
    }
}

/// A container of ours; gone when dropped.
struct Kept(String);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

fn exec(container: &str, words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(["exec", "--interactive", container, "/scratchdbg-shim"]).args(words).stdin(Stdio::null());
    command
}

/// The helpers in a pid namespace.
fn helpers(pids: &std::path::Path) -> Vec<i32> {
    let ours = |pid: &i32| {
        namespace(*pid, "pid").is_some_and(|its| its == pids) && command_line(*pid).starts_with("/scratchdbg-shim")
    };
    all_pids().filter(ours).collect()
}

#[test]
fn the_same_bytes_without_an_engine() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let made = |args: &[&str]| {
        let mut command = binary(args);
        command.env("DOCKER_HOST", "unix:///nonexistent").env_remove("SCRATCHDBG_IMAGE");
        run(command)
    };
    let default = format!("scratchdbg-toolkit:{}", env!("CARGO_PKG_VERSION"));
    let told = made(&["image", "build", "-o", &at("layout"), "--json"]).quietly().json();
    assert_eq!((&told["image"], &told["file"]), (&default.as_str().into(), &at("layout").into()));
    let digest = told["digest"].as_str().unwrap();
    let line = made(&["image", "build", "-o", &at("one.tar"), "-q"]).quietly().text();
    assert_eq!(line, format!("{default}@{digest}\n"));
    made(&["image", "save", "-o", &at("two.tar"), "-q"]).quietly();
    let three = made(&["image", "save", "-o", "-"]).quietly().stdout;
    let one = fs::read(folder.path().join("one.tar")).unwrap();
    assert!(one == fs::read(folder.path().join("two.tar")).unwrap() && one == three, "archives differ");
    // By name, wherever that comes from.
    let named = made(&["image", "save", "-o", &at("three.tar"), "--image", "r.example:5000/a:1", "--json", "-q"]);
    let named = named.quietly().json();
    assert_eq!((&named["image"], &named["digest"]), (&"r.example:5000/a:1".into(), &digest.into()));
    let mut command = binary(&["image", "save", "-o", &at("four.tar"), "-q"]);
    command.env("SCRATCHDBG_IMAGE", "a/b:2");
    assert!(run(command).quietly().text().starts_with("a/b:2@"));

    // Nothing is written over, and no name is taken that is none.
    made(&["image", "save", "-o", &at("one.tar")]).fails_with(1, &["is there already", "--yes"]);
    made(&["image", "build", "-o", &at("layout")]).fails_with(1, &["is not empty"]);
    made(&["image", "save", "-o", &at("x.tar"), "--image", "A"]).fails_with(2, &["no name of an image"]);
    made(&["image", "save", "-o", &at("none/x.tar")]).fails_with(1, &["no such file"]);

    // As any image it is looked into: from the folder, and from the archive.
    for place in [at("layout"), at("one.tar")] {
        let report =
            scratchdbg(&["check", &format!("image://{place}"), "--json", "--fail-on", "failure"]).quietly().json();
        let findings = report["findings"].as_array().unwrap();
        for id in ["program.present", "program.machine", "program.static", "users.user"] {
            let one = findings.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}: {report:#}"));
            assert_eq!(one["status"], "ok", "{id} of {place}");
        }
    }
}

#[test]
fn without_an_engine_nothing_is_pushed() {
    let mut command = binary(&["image", "push", "r.example/a:1"]);
    command.env("DOCKER_HOST", "unix:///nonexistent");
    run(command).fails_with(5, &["/nonexistent", "image save -o FILE"]);
    scratchdbg(&["image", "push", "r.example/a:1", "--read-only"]).fails_with(3, &["--read-only"]);
    scratchdbg(&["image", "push", "r.example/a@sha256:0"]).fails_with(2, &["digest"]);
}

/// An engine takes it, and runs it with nothing: with no right, nobody's user, and no file that can be written. Beside a target,
/// by an exec, as a pod's node does.
#[test]
fn an_engine_keeps_it_beside_a_target() {
    require_engine!();
    let image = Loaded::new();
    let target = Run::toolbox(&["sleep"]).hardened().start();
    let beside = format!("--pid=container:{}", target.id());
    let same = "--user=65532:0";
    let kept = image.keep(&[same, &beside]);
    let said: serde_json::Value = serde_json::from_str(&docker(&["logs", &kept.0])).unwrap();
    assert_eq!((&said["uid"], &said["gid"], &said["capabilities"]), (&65532.into(), &0.into(), &0.into()));
    assert_ne!(said["pid"], 1, "it is among the target's processes");

    let pids = namespace(target.pid(), "pid").unwrap();
    let mut session = Session::begin(exec(&kept.0, &[]));
    assert_eq!(helpers(&pids).len(), 2, "the holder and the session");
    assert_eq!((session.hello.uid, session.hello.gid), (65532, 0));
    let before = session.read("/proc/1/cmdline");
    session.ask(Op::Root { pid: 1 }, |body| assert!(matches!(body, Body::Stat(_)), "{body:?}")).unwrap();
    // What is open to nobody but the target's own user.
    assert_eq!(session.read("/proc/1/cmdline"), before);
    assert!(session.read("/proc/1/environ").starts_with(b"PATH="));
    session.ask(Op::Stat { path: b"/toolbox", follow: false }, |body| assert!(matches!(body, Body::Stat(_)))).unwrap();
    let memory = Op::Parts { path: b"/proc/1/mem", parts: &[] };
    session.ask(memory, |body| assert!(matches!(body, Body::Data(_)), "{body:?}")).unwrap();
    assert_eq!(docker(&["diff", &kept.0]), "");

    // Not the target's first process, but its own holder, is what is stopped; it ends as it should.
    // Docker 20.10 does not always tell whoever has begun an exec that it has ended with its container.
    let mut stop = exec(&kept.0, &["stop"]).stdout(Stdio::null()).spawn().unwrap();
    wait::until("the holder to end", || (inspect(&kept.0)["State"]["Status"] == "exited").then_some(()));
    assert_eq!(inspect(&kept.0)["State"]["ExitCode"], 0);
    assert_eq!(target.state(), "running");
    let _ = stop.kill();
    let _ = stop.wait();
    // Of a session neither: the kernel is asked.
    let none = |what: &str| wait::until(what, || helpers(&pids).is_empty().then_some(()));
    none("the session to end with the holder");
    drop(session);

    // It, and whoever is in it, end with the target.
    let kept = image.keep(&[same, &beside]);
    let session = Session::begin(exec(&kept.0, &[]));
    assert_eq!(helpers(&pids).len(), 2);
    target.engine_does("kill");
    none("all of them to end with the target");
    drop(session);
    wait::until("the holder to end", || (inspect(&kept.0)["State"]["Status"] == "exited").then_some(()));

    // Without a target it is the first process of its own, and can be ended even so.
    let kept = image.keep(&[]);
    assert_eq!(run(exec(&kept.0, &["stop"])).code(), 0);
    wait::until("the holder to end", || (inspect(&kept.0)["State"]["Status"] == "exited").then_some(()));
    assert_eq!(inspect(&kept.0)["State"]["ExitCode"], 0);
}

/// With the right to look, where the target has rights of its own: it reads memory by the call that takes that right.
#[test]
fn with_the_right_to_look_it_looks_into_a_target_with_rights() {
    require_engine!();
    let image = Loaded::new();
    let target = Run::toolbox(&["sleep"]).start();
    let beside = format!("--pid=container:{}", target.id());
    for (flags, sees) in [(&["--user=0:0", "--cap-add=SYS_PTRACE"][..], true), (&["--user=0:0"], false)] {
        let kept = image.keep(&[flags, &[beside.as_str()]].concat());
        let mut session = Session::begin(exec(&kept.0, &[]));
        assert_eq!(session.hello.caps != 0, sees);
        let went = session.ask(Op::Root { pid: 1 }, |body| matches!(body, Body::Stat(_))).unwrap();
        assert_eq!(went, sees);
        if sees {
            let memory = Op::Memory { pid: 1, parts: &[] };
            session.ask(memory, |body| assert!(matches!(body, Body::Data(_)), "{body:?}")).unwrap();
            assert!(session.read("/proc/1/environ").starts_with(b"PATH="));
        }
    }
}

/// Where the kernel does not let it take rights from itself, it neither holds nor answers.
#[test]
fn what_cannot_limit_itself_does_not_begin() {
    require_engine!();
    let image = Loaded::new();
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile.json");
    let rule = r#"{"names": ["seccomp"], "action": "SCMP_ACT_ERRNO"}"#;
    fs::write(&profile, format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]}}"#)).unwrap();
    let security = format!("--security-opt=seccomp={}", profile.display());
    let owner = format!("--label=scratchdbg-test.owner={}", std::process::id());
    for entry in [&["hold"][..], &[]] {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--network=none", "--entrypoint=/scratchdbg-shim", &owner, &security, &image.0]);
        let ended = run({
            command.args(entry).stdin(Stdio::null());
            command
        });
        assert!(ended.stderr.contains("(seccomp)"), "{entry:?}: {ended:?}");
        assert_eq!(ended.ends_with(1).text().contains("idle"), entry == ["hold"]);
    }
}

/// With what cores and debuggers take, this very program is in it, and runs there.
#[test]
fn with_a_debugger_this_program_runs_in_it() {
    require_root!();
    require_delve!();
    let folder = tempfile::tempdir().unwrap();
    let (layout, root) = (folder.path().join("layout"), folder.path().join("root"));
    let out = layout.display().to_string();
    let told = scratchdbg(&["image", "build", "--with-debugger", "-o", &out, "--json", "-q"]).quietly().json();
    let manifest = blob(&layout, told["digest"].as_str().unwrap());
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let layer = blob(&layout, manifest["layers"][0]["digest"].as_str().unwrap());
    let mut layer = tar::Archive::new(fs::File::open(layer).unwrap());
    layer.set_preserve_permissions(true);
    layer.unpack(&root).unwrap();
    assert_eq!(fs::metadata(root.join("scratchdbg")).unwrap().len(), fs::metadata(BINARY).unwrap().len());
    let says = |words: &[&str]| {
        let mut command = Command::new("chroot");
        command.args(["--userspec=65532:65532", "--groups="]).arg(&root).args(words).stdin(Stdio::null());
        run(command).ok().text()
    };
    assert!(says(&["/scratchdbg", "--version"]).contains(env!("CARGO_PKG_VERSION")));
    assert!(says(&["/dlv", "version"]).contains("Delve Debugger"));
}

fn blob(layout: &std::path::Path, digest: &str) -> std::path::PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}

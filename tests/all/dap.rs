//! Editors, on a snapshot and on a live process.

mod live;

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, setfsuid};
use serde_json::{Value, json};

use crate::core::runs_on;
use crate::guarded::changed_text;
use crate::support::client::{asked_for, asked_meanwhile};
use crate::support::command::{binary, scratchdbg};
use crate::support::container::Run;
use crate::support::editor::Editor;
use crate::support::residue::Residue;
use crate::support::unprivileged::NOBODY;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// The sources of the sample web server on this host.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/shop");
/// How its program names them.
const NAMED: &str = "example.com/shop";

/// `scratchdbg dlv`, once an editor can connect.
struct Served {
    child: Child,
    told: Value,
}

/// What it said is told where a test fails: otherwise nobody knows why a connection ended.
impl Drop for Served {
    fn drop(&mut self) {
        let Some(mut said) = self.child.stderr.take().filter(|_| thread::panicking()) else { return };
        // Only those that have ended are heard to the end.
        if wait::ask_within(Duration::from_secs(8), || self.child.try_wait().unwrap()).is_some() {
            let mut text = String::new();
            let _ = said.read_to_string(&mut text);
            eprintln!("scratchdbg said: {text}");
        }
    }
}

impl Served {
    fn begin(args: &[&str]) -> Self {
        Self::begin_with(&[&["--snapshot"], args].concat())
    }

    /// On the process itself.
    fn begin_with(args: &[&str]) -> Self {
        let mut command = binary(&["dlv", "--dap", "--json"]);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let mut values = serde_json::Deserializer::from_reader(out).into_iter::<Value>();
        match values.next() {
            Some(Ok(told)) => Self { child, told },
            other => {
                let _ = child.kill();
                panic!("{other:?}: {}", Self { child, told: Value::Null }.ends_with(None))
            }
        }
    }

    fn address(&self) -> &str {
        self.told["address"].as_str().unwrap()
    }

    /// What it says at its end.
    #[track_caller]
    fn ends_with(mut self, code: Option<i32>) -> String {
        let status = wait::until("scratchdbg dlv to end", || self.child.try_wait().unwrap());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(code.is_none() || status.code() == code, "{status}: {said}");
        said
    }
}

#[test]
fn an_editor_debugs_a_container_under_guard() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let before = Residue::of(&container).but_for_memory();
    let requests = asked_for("/buy", wait::PATIENCE, &container, Duration::from_millis(2), || {
        let served = Served::begin_with(&[container.name(), "--path-map", &format!("{SOURCES}={NAMED}")]);
        assert_eq!(served.told["depth"], "live");
        // Nobody is held before an editor is there.
        runs_on(container.pid());
        let mut editor = Editor::connect(served.address());
        editor.attaches(json!({ "mode": "remote", "stopOnEntry": false }));
        let function = json!({ "breakpoints": [{ "name": "main.(*store).buy" }] });
        let set = editor.gets("setFunctionBreakpoints", function);
        assert_eq!(set["breakpoints"][0]["verified"], true, "{set:#}");
        editor.gets("configurationDone", json!({}));
        let stopped = editor.hears("stopped");
        let stack = editor.gets("stackTrace", json!({ "threadId": stopped["threadId"] }));
        let frame = &stack["stackFrames"][0];
        assert_eq!(frame["name"], "main.(*store).buy", "{stack:#}");
        assert_eq!(frame["source"]["path"], format!("{SOURCES}/store.go"), "by the editor's name");
        let scopes = editor.gets("scopes", json!({ "frameId": frame["id"] }));
        let locals = json!({ "variablesReference": scopes["scopes"][0]["variablesReference"] });
        let variables = editor.gets("variables", locals);
        assert!(variables["variables"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "sku")));
        editor.gets("disconnect", json!({ "terminateDebuggee": true }));
        let said = served.ends_with(Some(0));
        assert!(said.contains("let go"), "{said}");
    });
    assert_eq!(requests.failed, 0, "{requests:?}");
    runs_on(container.pid());
    assert_eq!(changed_text(container.pid()), [] as [u64; 0]);
    before.assert_unchanged(&container);
}

#[test]
fn an_editor_looks_into_a_container_that_serves_on() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::public_shop().start();
    let before = Residue::of(&container).but_for_memory();
    let requests = asked_meanwhile(&container, Duration::from_millis(2), || {
        let served = Served::begin(&[container.name(), "--path-map", &format!("{SOURCES}={NAMED}")]);
        assert_eq!(served.told["host_pid"], container.pid());
        let launch = &served.told["launch"];
        assert_eq!((&launch["request"], &launch["mode"]), (&json!("attach"), &json!("remote")));
        assert_eq!(served.told["address"], format!("{}:{}", launch["host"].as_str().unwrap(), launch["port"]));
        assert_eq!(launch["substitutePath"], json!([{ "from": SOURCES, "to": NAMED }]));

        let mut editor = Editor::connect(served.address());
        // One that is told to debug another process.
        let can = editor.attaches(json!({ "mode": "local", "processId": 1, "stopOnEntry": false }));
        assert_ne!(can["supportTerminateDebuggee"], true);
        let lines = json!({ "source": { "path": format!("{SOURCES}/main.go") }, "breakpoints": [{ "line": 30 }] });
        let set = editor.gets("setBreakpoints", lines);
        assert_eq!(set["breakpoints"][0]["message"], "cannot write a breakpoint to a core file");
        editor.gets("configurationDone", json!({}));
        assert_eq!(editor.hears("stopped")["reason"], "entry");

        // A goroutine of the shop's own, a frame of its own, and what it has there.
        let threads = editor.gets("threads", json!({}));
        let ids: Vec<_> = threads["threads"].as_array().unwrap().iter().map(|thread| thread["id"].clone()).collect();
        assert!(ids.len() > 5, "{threads:#}");
        let frame = ids.iter().find_map(|id| {
            let stack = editor.gets("stackTrace", json!({ "threadId": id }));
            let frames = stack["stackFrames"].as_array().unwrap().clone();
            frames.into_iter().find(|frame| frame["name"] == "main.run")
        });
        let frame = frame.expect("a goroutine in main.run");
        assert_eq!(frame["source"]["path"], format!("{SOURCES}/main.go"), "by the editor's name");
        let scopes = editor.gets("scopes", json!({ "frameId": frame["id"] }));
        let locals = json!({ "variablesReference": scopes["scopes"][0]["variablesReference"] });
        let variables = editor.gets("variables", locals);
        let port = variables["variables"].as_array().unwrap().iter().find(|one| one["name"] == "port");
        assert!(port.is_some(), "{variables:#}");
        let unknown = editor.gets("evaluate", json!({ "expression": "main.errUnknown", "context": "hover" }));
        assert!(unknown["result"].as_str().is_some_and(|text| text.contains("no such product")), "{unknown:#}");

        // Nothing runs, nothing is started, and there is one editor at a time.
        for (command, why) in
            [("continue", "nothing in it runs"), ("restart", "started anew"), ("launch", "\"attach\"")]
        {
            let refused = editor.answered(command, json!({ "threadId": 1, "program": "/shop" }));
            let told = refused["message"].as_str().unwrap_or_default();
            assert!(refused["success"] == false && told.contains(why), "{refused:#}");
        }
        let refused = Editor::connect(served.address()).answered("initialize", json!({}));
        assert!(refused["message"].as_str().is_some_and(|why| why.contains("one at a time")), "{refused:#}");

        editor.gets("disconnect", json!({ "terminateDebuggee": true }));
        let rest = editor.rest();
        assert!(rest.iter().any(|message| message["event"] == "terminated"), "{rest:#?}");
        assert!(!rest.iter().any(|message| message.to_string().contains("terminating target")), "{rest:#?}");
        let said = served.ends_with(Some(0));
        assert!(said.contains("stopped for about") && said.contains("has disconnected"), "{said}");
    });
    assert_eq!(requests.failed, 0);
    runs_on(container.pid());
    before.assert_unchanged(&container);
}

#[test]
fn a_snapshot_ends_with_its_editor_or_by_a_signal() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dap");
    let listen = ["--listen", &format!("unix:{}", path.display())];
    let begin = || {
        let served = Served::begin(&[&[container.name()][..], &listen].concat());
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.permissions().mode() & 0o777, found.uid()), (0o600, 0));
        assert_eq!(served.told["launch"], Value::Null, "VS Code has no unix sockets");
        assert!(served.told["nvim"][0].as_str().unwrap().contains("pipe"), "{:#}", served.told);
        // Without a map, what is known is that the program names its sources by its module.
        assert!(served.told["nvim"][1].as_str().unwrap().contains(NAMED), "{:#}", served.told);
        served
    };
    // An editor that is gone.
    let served = begin();
    let mut editor = Editor::connect(served.address());
    editor.attaches(json!({}));
    drop(editor);
    let said = served.ends_with(Some(0));
    assert!(said.contains("the editor has gone: the connection "), "{said}");
    assert!(!path.exists());
    // Whoever runs it ends it, with an editor and without one.
    for connected in [true, false] {
        let served = begin();
        let editor = connected.then(|| {
            let mut editor = Editor::connect(served.address());
            editor.attaches(json!({}));
            editor
        });
        kill(Pid::from_raw(i32::try_from(served.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        let rest = editor.map(Editor::rest);
        served.ends_with(Some(0));
        if let Some(rest) = rest {
            assert!(rest.iter().any(|message| message["event"] == "terminated"), "{rest:#?}");
            assert!(rest.iter().any(|message| message.to_string().contains("where scratchdbg runs")), "{rest:#?}");
        }
        assert!(!path.exists());
    }
    runs_on(container.pid());
}

#[test]
fn other_users_of_the_host_get_no_answer() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().start();
    let served = Served::begin(&[container.name()]);
    let address = served.address().to_owned();
    // The rights of one thread, which its sockets have.
    let stranger = thread::spawn(move || {
        setfsuid(Uid::from_raw(NOBODY));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
        let mut heard = Vec::new();
        // Closed at once, before anything was said.
        stream.read_to_end(&mut heard).map(|_| heard)
    });
    assert_eq!(stranger.join().unwrap().unwrap(), b"");
    // And whoever speaks something else is no editor.
    let mut other = TcpStream::connect(served.address()).unwrap();
    std::io::Write::write_all(&mut other, b"{\"method\":\"RPCServer.State\",\"params\":[{}],\"id\":1}").unwrap();
    let _ = other.read_to_end(&mut Vec::new());
    let mut editor = Editor::connect(served.address());
    editor.attaches(json!({}));
    editor.gets("disconnect", json!({}));
    let said = served.ends_with(Some(0));
    for words in [&format!("a connection of user {NOBODY} was refused"), "no DAP messages"] {
        assert!(said.contains(words), "no {words:?} in:\n{said}");
    }
}

#[test]
fn a_snapshot_that_cannot_be_says_why() {
    require_engine!();
    require_root!();
    require_delve!();
    let container = Run::shop().start();
    let dlv = |args: &[&str]| scratchdbg(&[&["dlv", container.name(), "--dap", "--snapshot"], args].concat());
    dlv(&["--read-only"]).fails_with(2, &["--read-only forbids"]);
    dlv(&["--pid", "999"]).fails_with(4, &["process 999", "has ended"]);
    dlv(&["--dlv", "/no/dlv"]).fails_with(2, &["/no/dlv"]);
    dlv(&["--listen", "192.0.2.1:1"]).fails_with(2, &["cannot listen at 192.0.2.1:1", "port 0"]);
    let other = Run::dynamic().start();
    scratchdbg(&["dlv", other.name(), "--dap", "--snapshot"]).fails_with(1, &["it is no Go program", "gdb or lldb"]);
}

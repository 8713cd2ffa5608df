//! The proxy in front of a Delve that holds a live process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::{fs, process};

use scratchdbg::delve::dap::client::Client;
use scratchdbg::delve::dap::proxy::{PathRule, Subject, Terms};
use scratchdbg::delve::dap::serve::{How, Outcome, Session};
use scratchdbg::delve::listen::{Address, Listener};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NAMED, SOURCES};
use crate::core::runs_on;
use crate::support::container::Run;
use crate::support::editor::Editor;
use crate::support::engine::docker;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// The sample web server as a process of this host.
struct Shop {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let image = Run::shop().create();
        for file in ["/shop", "/etc/shop/config.json"] {
            docker(&["cp", &format!("{}:{file}", image.id()), folder.path().to_str().unwrap()]);
        }
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = [free(), free()].map(|free| free.local_addr().unwrap().port());
        let mut command = Command::new(at("shop"));
        command
            .env("SHOP_CONFIG", at("config.json"))
            .env("SHOP_SOCKET", format!("@shop-{}-{}", process::id(), ports[0]));
        command.env("PORT", ports[0].to_string()).env("METRICS_PORT", ports[1].to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        assert!(line.contains("shop open"), "{line}");
        // Read on, so that it never waits for us.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, port: ports[0], _folder: folder }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Asks for a page.
    fn asked(&self, path: &str) -> JoinHandle<String> {
        let (port, path) = (self.port, path.to_owned());
        thread::spawn(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_read_timeout(Some(wait::PATIENCE)).unwrap();
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map_or_else(|error| error.to_string(), |_| answer)
        })
    }

    /// It runs, nobody holds it, and there is no breakpoint left in it.
    #[track_caller]
    fn serves_on(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "it has ended");
        for path in ["/healthz", "/work?ms=1"] {
            let answer = self.asked(path).join().unwrap();
            assert!(answer.starts_with("HTTP/1.0 200"), "{path}: {answer}");
        }
        runs_on(self.pid());
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A proxy that attaches Delve as soon as an editor has come.
struct Proxied {
    address: String,
    outcome: JoinHandle<(Outcome, process::ExitStatus)>,
    /// Delve's process, once it is there.
    delve: mpsc::Receiver<i32>,
}

impl Proxied {
    fn to(shop: &Shop, may_kill: bool, may_call: bool) -> Self {
        let pid = shop.pid();
        let (tell, told) = mpsc::channel();
        let (tell_delve, delve) = mpsc::channel();
        let outcome = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).await.unwrap();
                tell.send(listener.address().to_string()).unwrap();
                let client = Client::accept(&listener, |line| panic!("{line}")).await.unwrap();
                let folder = tempfile::tempdir().unwrap();
                let mut delve = attach(pid, folder.path());
                tell_delve.send(i32::try_from(delve.id()).unwrap()).unwrap();
                let stream = tokio::net::UnixStream::connect(folder.path().join("s")).await.unwrap();
                let rules = vec![PathRule { local: SOURCES.to_owned(), binary: NAMED.to_owned() }];
                let terms = Terms { subject: Subject::Live, rules, may_kill, may_call };
                let last_words = async { Some("as it was told".to_owned()) };
                let session = Session { client, delve: stream, terms, last_words };
                let outcome = session.run(&listener, std::future::pending()).await;
                (outcome, wait::until("delve to end", || delve.try_wait().unwrap()))
            })
        });
        Self { address: told.recv().unwrap(), outcome, delve }
    }

    /// Delve has ended by itself.
    #[track_caller]
    fn ends(self) -> How {
        let (outcome, status) = self.outcome.join().unwrap();
        assert!(outcome.delve_ended && status.success(), "{outcome:?}, {status}");
        outcome.how
    }
}

/// A Delve that holds the process and listens.
fn attach(pid: i32, folder: &Path) -> Child {
    let mut command = Command::new("dlv");
    command.args(["attach", &pid.to_string(), "--headless", "--api-version=2", "--check-go-version=false"]);
    command.arg(format!("--listen=unix:{}", folder.join("s").display()));
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("DEBUGINFOD_URLS", "");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.contains("listening at"), "{line}");
    thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    child
}

/// The line of the sample's source with this text.
fn line_of(file: &str, text: &str) -> usize {
    let source = fs::read_to_string(format!("{SOURCES}/{file}")).unwrap();
    source.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text} in {file}")) + 1
}

/// Attached, with a breakpoint in what `/work` does, and running.
fn running(proxied: &Proxied) -> Editor {
    let mut editor = Editor::connect(&proxied.address);
    editor.attaches(json!({ "mode": "local", "processId": 1 }));
    let line = line_of("handlers.go", "for end := time.Now()");
    let lines = json!({ "source": { "path": format!("{SOURCES}/handlers.go") }, "breakpoints": [{ "line": line }] });
    let set = editor.gets("setBreakpoints", lines);
    assert_eq!(set["breakpoints"][0]["verified"], true, "{set:#}");
    editor.gets("configurationDone", json!({}));
    editor
}

#[test]
fn a_breakpoint_is_hit_and_the_stop_button_does_not_kill() {
    require_engine!();
    require_root!();
    require_delve!();
    let mut shop = Shop::open();
    let proxied = Proxied::to(&shop, false, false);
    let mut editor = running(&proxied);
    assert_eq!(editor.hears("capabilities")["capabilities"]["supportTerminateDebuggee"], false);
    let request = shop.asked("/work?ms=7");
    let stopped = editor.hears("stopped");
    assert_eq!(stopped["reason"], "breakpoint", "{stopped:#}");
    let thread = json!({ "threadId": stopped["threadId"] });
    assert!(editor.gets("threads", json!({}))["threads"].as_array().is_some_and(|threads| threads.len() > 5));
    let stack = editor.gets("stackTrace", thread.clone());
    let frame = &stack["stackFrames"][0];
    assert_eq!(
        (&frame["name"], &frame["source"]["path"]),
        (&json!("main.work"), &json!(format!("{SOURCES}/handlers.go")))
    );
    let scopes = editor.gets("scopes", json!({ "frameId": frame["id"] }));
    let locals = json!({ "variablesReference": scopes["scopes"][0]["variablesReference"] });
    let variables = editor.gets("variables", locals);
    let span = variables["variables"].as_array().unwrap().iter().find(|one| one["name"] == "span").cloned();
    let value = span.and_then(|span| span["value"].as_str().map(str::to_owned)).unwrap_or_default();
    assert!(value.contains("7ms") || value.contains("7000000"), "{variables:#}");
    editor.gets("next", thread);
    assert_eq!(editor.hears("stopped")["reason"], "step");
    // A call that a breakpoint stops would end it when Delve lets go.
    let call = json!({ "expression": "call main.work(1)", "context": "repl" });
    let refused = editor.answered("evaluate", call);
    assert!(refused["message"].as_str().is_some_and(|why| why.contains("--may-call")), "{refused:#}");

    editor.gets("disconnect", json!({ "terminateDebuggee": true, "restart": false }));
    let rest = editor.rest();
    assert!(rest.iter().any(|message| message["event"] == "terminated"), "{rest:#?}");
    assert!(matches!(proxied.ends(), How::Disconnected));
    // What it was asked when it stopped is answered, too.
    assert!(request.join().unwrap().starts_with("HTTP/1.0 200"));
    shop.serves_on();
}

#[test]
fn where_that_is_allowed_the_stop_button_kills() {
    require_engine!();
    require_root!();
    require_delve!();
    let mut shop = Shop::open();
    let proxied = Proxied::to(&shop, true, false);
    let mut editor = running(&proxied);
    assert_eq!(editor.hears("capabilities")["capabilities"]["supportTerminateDebuggee"], true);
    editor.gets("disconnect", json!({ "terminateDebuggee": true }));
    assert!(matches!(proxied.ends(), How::Disconnected));
    wait::until("it to end", || shop.child.try_wait().unwrap());
}

#[test]
fn an_editor_that_drops_its_connection_leaves_a_process_that_runs() {
    require_engine!();
    require_root!();
    require_delve!();
    let mut shop = Shop::open();
    type Stage = (&'static str, fn(&Shop, &Proxied) -> Editor);
    let stages: [Stage; 5] = [
        ("before Delve has answered anything", |_, proxied| {
            let mut editor = Editor::connect(&proxied.address);
            editor.ask("initialize", json!({}));
            // It was let in: Delve is being attached.
            proxied.delve.recv().unwrap();
            editor
        }),
        ("stopped, before it was set running", |_, proxied| {
            let mut editor = Editor::connect(&proxied.address);
            editor.attaches(json!({}));
            editor
        }),
        ("running, with a breakpoint", |_, proxied| running(proxied)),
        ("at a breakpoint", |shop, proxied| {
            let mut editor = running(proxied);
            shop.asked("/work?ms=3");
            editor.hears("stopped");
            editor
        }),
        ("in the midst of a step", |shop, proxied| {
            let mut editor = running(proxied);
            shop.asked("/work?ms=300");
            let stopped = editor.hears("stopped");
            editor.ask("stepOut", json!({ "threadId": stopped["threadId"] }));
            editor
        }),
    ];
    for (stage, come_to) in stages {
        println!("dropped {stage}");
        let proxied = Proxied::to(&shop, false, false);
        drop(come_to(&shop, &proxied));
        assert!(matches!(proxied.ends(), How::ClientGone(_)), "{stage}");
        shop.serves_on();
    }
}

#[test]
fn an_editor_is_told_when_delve_ends() {
    require_engine!();
    require_root!();
    require_delve!();
    let mut shop = Shop::open();
    let proxied = Proxied::to(&shop, false, false);
    let mut editor = Editor::connect(&proxied.address);
    // Stopped. While the process runs, a Delve that has spoken DAP does not end by a signal.
    editor.attaches(json!({}));
    let delve = nix::unistd::Pid::from_raw(proxied.delve.recv().unwrap());
    nix::sys::signal::kill(delve, nix::sys::signal::Signal::SIGTERM).unwrap();
    let rest = editor.rest();
    let said = Value::from("scratchdbg: delve has ended: as it was told\n");
    assert!(rest.iter().any(|message| message["body"]["output"] == said), "{rest:#?}");
    assert!(rest.iter().any(|message| message["event"] == "terminated"), "{rest:#?}");
    // Whether by its handler or, when that was not there yet, by the signal itself.
    let (outcome, _) = proxied.outcome.join().unwrap();
    assert!(matches!(outcome.how, How::DelveGone(_)) && outcome.delve_ended, "{outcome:?}");
    shop.serves_on();
}

/// Threads of a process all pass a breakpoint whose condition is never met: Delve stops the process again and again, and
/// nobody sees it. To let go just then kills it, unless that is done in the right order (`proxy/ending.rs`).
#[test]
fn a_busy_process_survives_a_breakpoint_that_many_threads_pass() {
    require_engine!();
    require_root!();
    require_delve!();
    let mut shop = Shop::open();
    for round in 0..12 {
        let proxied = Proxied::to(&shop, false, false);
        let mut editor = Editor::connect(&proxied.address);
        editor.attaches(json!({}));
        let line = line_of("handlers.go", "s.requests.Add(1)");
        let never = json!([{ "line": line, "condition": "main.errUnknown == nil" }]);
        let lines = json!({ "source": { "path": format!("{SOURCES}/handlers.go") }, "breakpoints": never });
        let set = editor.gets("setBreakpoints", lines);
        assert_eq!(set["breakpoints"][0]["verified"], true, "{set:#}");
        editor.gets("configurationDone", json!({}));
        let busy = std::sync::atomic::AtomicBool::new(true);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while busy.load(std::sync::atomic::Ordering::Relaxed) {
                        shop.asked("/healthz").join().unwrap();
                    }
                });
            }
            wait::exactly(std::time::Duration::from_millis(100));
            let gone = match round % 3 {
                0 => Some(editor),
                1 => {
                    editor.gets("disconnect", json!({ "terminateDebuggee": true }));
                    None
                }
                _ => {
                    editor.gets("pause", json!({ "threadId": 1 }));
                    editor.hears("stopped");
                    Some(editor)
                }
            };
            drop(gone);
            proxied.ends();
            busy.store(false, std::sync::atomic::Ordering::Relaxed);
        });
        println!("let go {} times", round + 1);
        shop.serves_on();
    }
}

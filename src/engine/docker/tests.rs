//! The client against a small engine that says what the test wants, over a real unix socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;

use super::*;
use crate::engine::error::Why;
use crate::engine::event::Happened;
use crate::engine::logs::{Output, Piece};
use crate::exit::{Exit, Explain as _};

/// An engine on a socket of its own. Every connection is answered with what `answer` gives for its path.
struct Fake {
    docker: Docker,
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Fake {
    fn new(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next().filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
                {
                    head.push_str(&line);
                    head.push('\n');
                }
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                log.lock().unwrap().push(path.clone());
                // The client may have gone already.
                let _ = stream.write_all(&answer(&path));
            }
        });
        Self { docker: Docker::at(Endpoint::Unix(path), &Journal::default()).unwrap(), asked, _folder: folder }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn reply(status: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn missing() -> Vec<u8> {
    reply(404, r#"{"message":"No such container: x"}"#)
}

fn inspected(id: &str, name: &str) -> Vec<u8> {
    reply(200, format!(r#"{{"Id":"{id}","Name":"/{name}","State":{{"Status":"running","Pid":7}}}}"#))
}

const LIST: &str = r#"[{"Id":"aaa1","Names":["/web"],"State":"running"},{"Id":"bbb2","Names":["/web-old"],"State":"exited"},
    {"Id":"web3","Names":["/db"],"State":"running"}]"#;

fn three(path: &str) -> Vec<u8> {
    match path {
        "/containers/json?all=1" => reply(200, LIST),
        "/containers/web/json" | "/containers/aaa1/json" => inspected("aaa1", "web"),
        "/containers/bbb2/json" | "/containers/bbb/json" => inspected("bbb2", "web-old"),
        "/containers/web3/json" => inspected("web3", "db"),
        _ => missing(),
    }
}

#[tokio::test]
async fn an_exact_name_costs_one_question_without_a_version() {
    let fake = Fake::new(three);
    let container = fake.docker.resolve("web").await.unwrap();
    assert_eq!((container.id.as_str(), container.state), ("aaa1", State::Running));
    assert_eq!(fake.asked(), ["/containers/web/json"]);
}

#[tokio::test]
async fn a_process_of_another_host_is_not_taken_for_one_of_this() {
    let me = process::find(HostPid(i32::try_from(std::process::id()).unwrap())).unwrap();
    let (pid, time) = (me.pid, me.started.unwrap());
    let fake = Fake::new(move |path| {
        // Here it began when this process did; elsewhere it has the same number by chance.
        let began = if path.contains("/here/") { time } else { time - Duration::from_secs(1000) };
        let began = humantime::format_rfc3339_nanos(began);
        reply(200, format!(r#"{{"Id":"aaa1","State":{{"Status":"running","Pid":{pid},"StartedAt":"{began}"}}}}"#))
    });
    assert_eq!(fake.docker.inspect("here").await.unwrap().pid, Some(pid));
    let elsewhere = fake.docker.inspect("elsewhere").await.unwrap();
    assert_eq!((elsewhere.running(), elsewhere.pid, elsewhere.engine_pid), (Ok(()), None, Some(pid.0)));
    // The engine has not noticed yet that its number has gone to another process: that is another run.
    let held = crate::engine::Container { pid: Some(pid), ..elsewhere.clone() };
    assert!(elsewhere.is_same_run(&elsewhere) && !elsewhere.is_same_run(&held));
}

#[tokio::test]
async fn prefixes_are_resolved_with_the_list() {
    let fake = Fake::new(three);
    for (name, id) in [("web-", "bbb2"), ("d", "web3"), ("/web", "aaa1"), ("bbb", "bbb2"), ("web3", "web3")] {
        assert_eq!(fake.docker.resolve(name).await.unwrap().id, id, "{name}");
    }
    let error = fake.docker.resolve("we").await.unwrap_err();
    assert_eq!(error.to_string(), r#""we" could be db (web3), web (aaa1), web-old (bbb2)"#);
    assert_eq!(error.exit(), Exit::Usage);
    let error = fake.docker.resolve("wbe").await.unwrap_err();
    assert_eq!((error.hint().unwrap().as_str(), error.exit()), ("there is: web, db, web-old", Exit::NoTarget));
}

#[tokio::test]
async fn what_is_no_name_never_reaches_a_path() {
    let fake = Fake::new(|path| if path == "/containers/json?all=1" { reply(200, LIST) } else { panic!("{path}") });
    assert!(matches!(fake.docker.resolve("../images/json?x=").await, Err(Error::NotFound { .. })));
    assert!(matches!(fake.docker.inspect("a/b").await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| Docker::at(Endpoint::Unix(folder.path().join(name)), &Journal::default()).unwrap();
    drop(UnixListener::bind(folder.path().join("stale")).unwrap());
    for (name, why) in [("none", Why::NoSocket), ("stale", Why::NotRunning)] {
        let endpoint = at(name).endpoint();
        let error = at(name).list().await.unwrap_err();
        assert_eq!((&error, error.exit()), (&Error::Unreachable { endpoint, why: why.clone() }, Exit::Unreachable));
        // The same through bollard.
        assert_eq!(at(name).leftovers().await.unwrap_err(), error);
        let first = at(name).events().next().await.unwrap().unwrap_err();
        assert_eq!(first, error);
    }
}

#[tokio::test]
async fn garbage_is_an_error_and_not_the_end() {
    for answer in [
        b"".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[".to_vec(),
        reply(200, "<html>"),
        reply(200, "{}"),
        reply(200, "null"),
        reply(200, [0xff; 10]),
        reply(200, "[".repeat(100_000)),
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(60)]).into_owned();
        let fake = Fake::new(move |_| answer.clone());
        for error in [fake.docker.list().await.unwrap_err(), fake.docker.inspect("x").await.unwrap_err()] {
            assert_eq!(error.exit(), Exit::Unreachable, "{shown}: {error}");
        }
    }
    let fake = Fake::new(|_| reply(500, r#"{"message":"disk on fire"}"#));
    assert_eq!(
        fake.docker.inspect("x").await.unwrap_err().to_string(),
        "the engine refused to inspect x: disk on fire"
    );
}

fn frame(kind: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[kind, 0, 0, 0][..], &length, text.as_bytes()].concat()
}

fn container(tty: bool) -> Container {
    let text = format!(
        r#"{{"Id":"aaa1","Name":"/web","Config":{{"Tty":{tty}}},"HostConfig":{{"LogConfig":{{"Type":"syslog"}}}}}}"#
    );
    serde_json::from_str::<answer::Inspected>(&text).unwrap().container().unwrap()
}

async fn read(fake: &Fake, tty: bool) -> Vec<Result<(Output, String), Error>> {
    let log = fake.docker.logs(&container(tty), &LogOptions::default()).await.unwrap();
    let shown = |piece: Piece| (piece.output, String::from_utf8_lossy(&piece.bytes).into_owned());
    log.map(|piece| piece.map(shown)).collect().await
}

#[tokio::test]
async fn logs_come_apart() {
    let body = [frame(1, "out\n"), frame(2, "err\n")].concat();
    let fake = Fake::new(move |_| reply(200, &body));
    assert_eq!(read(&fake, false).await, [Ok((Output::Stdout, "out\n".into())), Ok((Output::Stderr, "err\n".into()))]);
    let fake = Fake::new(|_| reply(200, "raw\r\n"));
    assert_eq!(read(&fake, true).await, [Ok((Output::Stdout, "raw\r\n".into()))]);
}

#[tokio::test]
async fn a_log_that_breaks_off_says_so() {
    let whole = [frame(1, "one\n"), frame(1, "two\n")].concat();
    let body = whole[..whole.len() - 2].to_vec();
    let fake = Fake::new(move |_| [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &body].concat());
    let pieces = read(&fake, false).await;
    assert_eq!(pieces.len(), 3, "{pieces:?}");
    assert!(matches!(pieces[2], Err(Error::Lost { .. })));
}

#[tokio::test]
async fn a_log_driver_that_cannot_be_read() {
    for (status, message) in [
        (501, "configured logging driver does not support reading"),
        (500, "configured logging driver does not support reading"),
    ] {
        let fake = Fake::new(move |_| reply(status, format!(r#"{{"message":"{message}"}}"#)));
        let Err(error) = fake.docker.logs(&container(false), &LogOptions::default()).await else { panic!() };
        assert_eq!(error.to_string(), "the log of web cannot be read: its log driver is syslog");
    }
}

#[tokio::test]
async fn events_end_with_an_error() {
    let event = r#"{"Type":"container","Action":"die","Actor":{"ID":"aaa1","Attributes":{"name":"web","exitCode":"2"}},"timeNano":1}"#;
    let fake = Fake::new(move |_| reply(200, format!("{event}\n")));
    let mut events = Box::pin(fake.docker.events());
    let first = events.next().await.unwrap().unwrap();
    assert_eq!((first.name.as_str(), first.what), ("web", Happened::Died(Some(2))));
    assert!(matches!(events.next().await, Some(Err(Error::Lost { .. }))));
    assert!(events.next().await.is_none());
    assert_eq!(fake.asked(), ["/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D"]);
}

#[tokio::test]
async fn only_what_is_labelled_is_ever_removed() {
    let ours = r#""Labels":{"io.scratchdbg.owner":"scratchdbg"}"#;
    let image = |id: &str, labels: &str| {
        format!(
            r#"{{"Id":"{id}","ParentId":"","RepoTags":null,"RepoDigests":null,"Created":0,"Size":0,"SharedSize":0,"Containers":0,{labels}}}"#
        )
    };
    // An engine that ignores the filter.
    let containers = format!(
        r#"[{{"Id":"mine","Names":["/side"],{ours}}},{{"Id":"yours","Names":["/db"],"Labels":{{}}}},{{"Id":"old","Labels":{{"io.scratchdbg.owner":"x"}}}}]"#
    );
    let images = format!("[{},{}]", image("sha256:mine", ours), image("sha256:yours", r#""Labels":null"#));
    let fake = Fake::new(move |path| match path {
        _ if path.starts_with("/containers/json") => reply(200, &containers),
        _ if path.starts_with("/images/json") => reply(200, &images),
        "/containers/mine?v=true&force=true&link=false" => reply(204, ""),
        _ => missing(),
    });
    let leftovers = fake.docker.leftovers().await.unwrap();
    assert_eq!(leftovers.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["mine", "sha256:mine"]);
    for leftover in &leftovers {
        // The image is gone already: that counts.
        fake.docker.remove(leftover.kind, &leftover.id).await.unwrap();
    }
    assert!(fake.asked().iter().all(|path| !path.contains("yours") && !path.contains("old")));
    assert_eq!(fake.asked().len(), 4);
}

#[tokio::test]
async fn a_sidecar_that_is_refused_is_told_step_by_step_and_leaves_nothing() {
    let id = "a".repeat(64);
    let image = id.clone();
    let fake = Fake::new(move |path| {
        if path.starts_with("/images/create") {
            reply(200, format!(r#"{{"status":"sha256:{image}"}}"#))
        } else if path.starts_with("/containers/create") {
            reply(500, r#"{"message":"no space \u001b[2J left"}"#)
        } else {
            reply(200, "[]")
        }
    });
    let recipe = sidecar::Recipe {
        target: "b".repeat(64),
        pid_mode: String::new(),
        network_mode: Some("bridge".to_owned()),
        userns_mode: String::new(),
        files: vec![sidecar::Packed { path: "/shim".to_owned(), mode: 0o111, bytes: b"ELF".into() }],
        arguments: vec!["s".to_owned()],
        memory: 32 << 20,
        scratch: None,
        user: "0:0".to_owned(),
        groups: Vec::new(),
        capabilities: vec!["SYS_PTRACE".to_owned()],
    };
    assert!(fake.docker.sidecar(recipe).await.is_err());
    let told = fake.docker.journal.lines();
    let [import, create, remove] = told.as_slice() else { panic!("{told:#?}") };
    assert!(import.starts_with("sidecar: done: import image scratchdbg-helper:"), "{import}");
    assert!(import.contains(", 3 bytes (undone: docker rmi scratchdbg-helper:"), "{import}");
    assert!(create.starts_with("sidecar: failed: create container scratchdbg-"), "{create}");
    assert!(create.contains(" beside bbbbbbbbbbbb as 0:0 with SYS_PTRACE: ") && create.contains(r"no space \x1b[2J"));
    assert_eq!(*remove, format!("sidecar: done: remove image sha256:{id}"));
}

#[tokio::test]
async fn an_engine_that_takes_no_orders_is_told_apart() {
    for (answer, takes) in [
        (missing(), Some(true)),
        (reply(500, r#"{"message":"EOF"}"#), Some(true)),
        // A proxy that lets questions through alone, and an engine's own plug-in.
        (reply(403, "<html><body><h1>403 Forbidden</h1></body></html>"), Some(false)),
        (reply(405, ""), Some(false)),
        (Vec::new(), None),
    ] {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let fake = Fake::new(move |_| answer.clone());
        assert_eq!(fake.docker.takes_orders().await.ok(), takes, "{shown}");
        // Whoever is asked for, nobody can be meant.
        assert!(fake.asked().iter().all(|path| path.contains(&"0".repeat(64)) && path.contains("/attach?")));
    }
}

//! An editor and a Delve made up of pipes.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::delve::dap::message::What;
use crate::delve::dap::proxy::Subject;
use crate::delve::listen::Address;

/// One end of a pipe, speaking DAP.
struct End(Incoming<DuplexStream>);

impl End {
    async fn send(&mut self, message: Message) {
        self.0.from.write_all(&message.frame()).await.unwrap();
    }

    async fn ask(&mut self, command: &str) {
        self.send(Message::request(command, json!({}))).await;
    }

    async fn answer(&mut self, to: &Message) {
        let What::Request { command } = &to.what else { panic!("{to:?}") };
        let what = What::Response { request_seq: to.seq, command: command.clone(), success: true };
        self.send(Message { seq: 0, what, rest: serde_json::Map::new() }).await;
    }

    async fn next(&mut self) -> Message {
        self.0.next().await.unwrap()
    }

    /// The next one, which is a request of this name.
    async fn hears(&mut self, wanted: &str) -> Message {
        let message = self.next().await;
        assert_eq!(message.what, What::Request { command: wanted.to_owned() });
        message
    }
}

struct Scene {
    editor: End,
    delve: End,
    stop: Arc<Semaphore>,
    address: Address,
    outcome: JoinHandle<Outcome>,
    _folder: tempfile::TempDir,
}

/// Begun, with `initialize` on its way to Delve. `room` is how much either side may leave unread.
async fn scene(room: usize) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::bind(&Address::Unix(folder.path().join("dap"))).await.unwrap();
    let address = listener.address().clone();
    let ((editor, theirs), (delve, its)) = (duplex(room), duplex(1 << 20));
    let end = |from| End(Incoming { from, decoder: Decoder::default() });
    let (mut editor, delve) = (end(editor), end(delve));
    editor.ask("initialize").await;
    let client = Client::meet(Box::new(theirs)).await.unwrap();
    let stop = Arc::new(Semaphore::new(0));
    let stopped = Arc::clone(&stop);
    let outcome = tokio::spawn(async move {
        let terms = Terms { subject: Subject::Live, rules: Vec::new(), may_kill: false, may_call: false };
        let last_words = async { Some("out of memory".to_owned()) };
        let session = Session { client, delve: its, terms, last_words };
        session.run(&listener, async { drop(stopped.acquire().await) }).await
    });
    Scene { editor, delve, stop, address, outcome, _folder: folder }
}

/// It is told to let go, without killing, and does.
async fn lets_go(delve: &mut End) {
    let last = delve.hears("disconnect").await;
    assert_eq!(last.rest["arguments"], json!({ "terminateDebuggee": false }));
    delve.answer(&last).await;
    delve.0.from.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_as_it_should_leaves_no_question_open() {
    let mut scene = scene(1 << 16).await;
    let (editor, delve) = (&mut scene.editor, &mut scene.delve);
    for command in ["initialize", "attach", "configurationDone"] {
        let asked = delve.hears(command).await;
        delve.answer(&asked).await;
        assert!(matches!(editor.next().await.what, What::Response { success: true, .. }));
        editor
            .ask(match command {
                "initialize" => "attach",
                "attach" => "configurationDone",
                _ => "continue",
            })
            .await;
    }
    delve.hears("continue").await;
    editor.ask("disconnect").await;
    // It runs since `configurationDone`.
    for command in ["pause", "continue"] {
        let asked = delve.hears(command).await;
        delve.send(Message::event(if command == "pause" { "stopped" } else { "continued" }, json!({}))).await;
        delve.answer(&asked).await;
    }
    lets_go(delve).await;
    let outcome = scene.outcome.await.unwrap();
    assert!(matches!(outcome.how, How::Disconnected) && outcome.delve_ended, "{outcome:?}");
    let mut told = Vec::new();
    while let Ok(message) = editor.0.next().await {
        told.push(message.what);
    }
    assert!(told.contains(&What::Event { event: "terminated".to_owned() }), "{told:?}");
    let refused = What::Response { request_seq: 0, command: "continue".to_owned(), success: false };
    assert!(told.contains(&refused), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_goes_without_a_word_leaves_nothing_stopped() {
    let mut scene = scene(1 << 16).await;
    drop(scene.editor);
    scene.delve.hears("initialize").await;
    lets_go(&mut scene.delve).await;
    let outcome = scene.outcome.await.unwrap();
    assert!(matches!(outcome.how, How::ClientGone(Error::Closed)) && outcome.delve_ended, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_breaks_the_protocol_is_told_so() {
    let mut scene = scene(1 << 16).await;
    scene.editor.0.from.write_all(b"{\"method\":\"RPCServer.State\"}").await.unwrap();
    scene.delve.hears("initialize").await;
    lets_go(&mut scene.delve).await;
    let outcome = scene.outcome.await.unwrap();
    assert!(matches!(outcome.how, How::ClientGone(Error::Frame(_))) && outcome.delve_ended, "{outcome:?}");
    let told = scene.editor.next().await;
    assert!(told.field("body", "output").is_some_and(|text| text.to_string().contains("no DAP")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_delve_is_told_with_its_last_words() {
    let mut scene = scene(1 << 16).await;
    scene.delve.hears("initialize").await;
    drop(scene.delve);
    let outcome = scene.outcome.await.unwrap();
    assert!(matches!(outcome.how, How::DelveGone(_)) && outcome.delve_ended, "{outcome:?}");
    let [answer, output, end] = [scene.editor.next().await, scene.editor.next().await, scene.editor.next().await];
    assert!(matches!(answer.what, What::Response { success: false, .. }), "{answer:?}");
    assert_eq!(output.field("body", "output"), Some(&Value::from("scratchdbg: delve has ended: out of memory\n")));
    assert_eq!(end.what, What::Event { event: "terminated".to_owned() });
    assert!(scene.editor.0.next().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_delve_that_hangs_is_waited_for_in_vain_and_that_is_said() {
    let mut scene = scene(1 << 16).await;
    scene.delve.hears("initialize").await;
    drop(scene.editor);
    let outcome = scene.outcome.await.unwrap();
    assert!(!outcome.delve_ended);
    scene.delve.hears("disconnect").await;
    // Then its connection was closed, which is the last that can be done from here.
    assert!(scene.delve.0.next().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_reads_nothing_hinders_no_end() {
    let mut scene = scene(300).await;
    scene.delve.hears("initialize").await;
    let output = || Message::event("output", json!({ "output": "x".repeat(200) }));
    for _ in 0..9 {
        scene.delve.send(output()).await;
    }
    // All that can be done is done; then it waits for the editor.
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.stop.add_permits(1);
    scene.delve.send(output()).await;
    lets_go(&mut scene.delve).await;
    let outcome = scene.outcome.await.unwrap();
    assert!(matches!(outcome.how, How::Stopped) && outcome.delve_ended, "{outcome:?}");
    drop(scene.editor);
}

#[tokio::test]
async fn there_is_one_editor_at_a_time() {
    let mut scene = scene(1 << 16).await;
    let Address::Unix(path) = &scene.address else { panic!() };
    // Whoever says nothing, or nothing that makes sense, is no editor.
    drop(tokio::net::UnixStream::connect(path).await.unwrap());
    let mut rubbish = tokio::net::UnixStream::connect(path).await.unwrap();
    rubbish.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut second = tokio::net::UnixStream::connect(path).await.unwrap();
    second.write_all(&Message { seq: 4, ..Message::request("initialize", json!({})) }.frame()).await.unwrap();
    let mut second = Incoming { from: second, decoder: Decoder::default() };
    let told = second.next().await.unwrap();
    assert_eq!(told.what, What::Response { request_seq: 4, command: "initialize".to_owned(), success: false });
    assert!(told.rest["message"].as_str().is_some_and(|why| why.contains("one at a time")), "{told:?}");
    // The first one is not disturbed.
    let asked = scene.delve.hears("initialize").await;
    scene.delve.answer(&asked).await;
    assert!(matches!(scene.editor.next().await.what, What::Response { success: true, .. }));
    scene.stop.add_permits(1);
    lets_go(&mut scene.delve).await;
    assert!(scene.outcome.await.unwrap().delve_ended);
}

//! A Delve that is slow, talks too much, or breaks; and a caller that goes away.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};

use super::super::*;

/// Delve's end of the connection.
struct Delve {
    asked: Lines<BufReader<ReadHalf<DuplexStream>>>,
    out: WriteHalf<DuplexStream>,
}

impl Delve {
    /// What is asked next: method, what of it is told apart by, number.
    async fn hears(&mut self) -> (String, Value, Value) {
        let line = self.asked.next_line().await.unwrap().expect("something is asked");
        let mut request: Value = serde_json::from_str(&line).unwrap();
        let method = request["method"].as_str().unwrap().strip_prefix("RPCServer.").unwrap().to_owned();
        (method, request["params"][0].take(), request["id"].take())
    }

    async fn says(&mut self, line: &str) {
        self.out.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn answers(&mut self, id: &Value, result: Value) {
        self.says(&json!({ "id": id, "result": result, "error": null }).to_string()).await;
    }

    async fn refuses(&mut self, id: &Value, error: &str) {
        self.says(&json!({ "id": id, "result": null, "error": error }).to_string()).await;
    }

    /// Expects a question, and answers it.
    async fn expects(&mut self, method: &str, result: Value) -> Value {
        let (asked, params, id) = self.hears().await;
        assert_eq!(asked, method);
        self.answers(&id, result).await;
        params
    }
}

fn stopped() -> Value {
    json!({ "State": { "Pid": 7, "Running": false, "Threads": null } })
}

/// A client, and the Delve it speaks to, when everything asked first is answered.
async fn connected() -> (Stopped, Delve) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (from, out) = tokio::io::split(theirs);
    let mut delve = Delve { asked: BufReader::new(from).lines(), out };
    let client = tokio::spawn(Stopped::open(ours));
    delve.expects("GetVersion", json!({ "DelveVersion": "Version: 1.27.1", "TargetGoVersion": "go1.24.1" })).await;
    delve.expects("State", stopped()).await;
    (client.await.unwrap().unwrap().0, delve)
}

#[tokio::test]
async fn a_call_that_is_given_up_is_answered_before_the_next_is_sent() {
    let (client, mut delve) = connected().await;
    let mut given_up = Box::pin(client.sources("one"));
    let asked = tokio::select! {
        _ = &mut given_up => panic!("nobody answered"),
        asked = delve.hears() => asked,
    };
    drop(given_up);
    let next = tokio::spawn(async move { (client.functions("two").await, client) });
    // It is not asked while the other is not answered: a Delve that is busy would not hear it.
    let early = tokio::time::timeout(Duration::from_millis(50), delve.asked.next_line()).await;
    assert!(early.is_err(), "{early:?}");
    delve.answers(&asked.2, json!({ "Sources": ["of nobody"] })).await;
    delve.expects("ListFunctions", json!({ "Funcs": ["main.two"] })).await;
    assert_eq!(next.await.unwrap().0, Ok(vec![Untrusted::from("main.two")]));
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_nobodys() {
    let (client, mut delve) = connected().await;
    delve.answers(&json!(4711), json!({ "Funcs": ["wrong"] })).await;
    let (functions, ()) = tokio::join!(client.functions(""), async {
        let (_, _, id) = delve.hears().await;
        delve.answers(&json!(1), json!({ "Funcs": ["late"] })).await;
        delve.answers(&id, json!({ "Funcs": ["right"] })).await;
        delve.answers(&id, json!({ "Funcs": ["twice"] })).await;
    });
    assert_eq!(functions, Ok(vec![Untrusted::from("right")]));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_the_connection() {
    let (client, mut delve) = connected().await;
    let stuck = Error::Stuck { method: "ListSources", seconds: 30 };
    assert_eq!(client.sources("").await, Err(stuck.clone()));
    // Nothing more is sent: it would not be heard.
    assert_eq!(client.functions("").await, Err(stuck.clone()));
    assert_eq!(client.resume(Resume::Continue).await.unwrap_err(), stuck);
    assert_eq!(delve.hears().await.0, "ListSources");
    assert_eq!(delve.asked.next_line().await.unwrap(), None, "and dropping the client closes it");
}

#[tokio::test]
async fn what_is_no_answer_ends_the_connection() {
    for line in ["hello", "{}", "[]", r#"{"id":"x"}"#, r#"{"id":-1}"#, "\u{1b}[2J", ""] {
        let (client, mut delve) = connected().await;
        delve.says(line).await;
        assert!(matches!(client.sources("").await, Err(Error::Malformed(_) | Error::Gone)), "{line}");
    }
    // An answer to something else is only this call's misfortune.
    let (client, mut delve) = connected().await;
    let (wrong, ()) = tokio::join!(client.memory(0, 1), async {
        delve.expects("ExamineMemory", json!({ "Mem": { "a": 1 } })).await;
    });
    assert_eq!(wrong, Err(Error::Malformed("ExamineMemory")));
    let (right, ()) = tokio::join!(client.memory(0, 1), async {
        delve.expects("ExamineMemory", json!({ "Mem": "AAE=" })).await;
    });
    assert_eq!(right, Ok(vec![0, 1]));
    drop(delve);
    assert_eq!(client.memory(0, 1).await, Err(Error::Gone));
}

#[tokio::test]
async fn of_a_panic_in_delve_the_first_line_is_told() {
    let (client, mut delve) = connected().await;
    let (answer, ()) = tokio::join!(client.eval(Scope::current(), "x", Load::LINE), async {
        let (_, _, id) = delve.hears().await;
        delve.refuses(&id, "Internal debugger error: index out of range\nruntime.gopanic (0x1)\n\t/usr/lib/go").await;
    });
    assert_eq!(answer.unwrap_err().to_string(), "delve: Internal debugger error: index out of range");
    let (answer, ()) = tokio::join!(client.eval(Scope::current(), "x", Load::LINE), async {
        let (_, _, id) = delve.hears().await;
        delve.refuses(&id, &format!("\u{1b}[2J{}", "é".repeat(5000))).await;
    });
    let words = answer.unwrap_err().to_string();
    assert!(words.starts_with("delve: \\x1b[2Jé") && words.len() < 450, "{words}");
}

#[tokio::test]
async fn a_run_that_is_refused_leaves_it_stopped() {
    let (client, mut delve) = connected().await;
    let (after, ()) = tokio::join!(async { client.resume(Resume::Step).await.unwrap().stopped().await }, async {
        let (_, _, id) = delve.hears().await;
        delve.refuses(&id, "next while nexting").await;
        delve.expects("State", stopped()).await;
    });
    let Ok(After::Refused(_, why)) = after else { panic!("{after:?}") };
    assert_eq!(why.to_string(), "delve: next while nexting");
}

#[tokio::test]
async fn a_running_target_is_asked_its_state_and_halted_only() {
    let (client, mut delve) = connected().await;
    let running = client.resume(Resume::Continue).await.unwrap();
    let (_, _, run) = delve.hears().await;
    let control = running.control();
    let (state, asked) = tokio::join!(control.state(), delve.expects("State", json!({ "State": { "Running": true } })));
    assert!(state.unwrap().running);
    assert_eq!(asked, json!({ "NonBlocking": true }));

    let halting = tokio::spawn({
        let control = control.clone();
        async move { control.halt().await }
    });
    let (_, command, halt) = delve.hears().await;
    assert_eq!(command, json!({ "name": "halt" }));
    delve.answers(&run, stopped()).await;
    let mut waiting = Box::pin(running.stopped());
    // A halt that is under way would stop the next run: it is waited for.
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
    delve.answers(&halt, stopped()).await;
    let After::Stopped(client, state) = waiting.await.unwrap() else { panic!("it stopped") };
    assert_eq!(state.stop, Stop::Halted);
    halting.await.unwrap().unwrap();
    // One that comes too late does nothing.
    control.halt().await.unwrap();
    let running = client.resume(Resume::Continue).await.unwrap();
    control.halt().await.unwrap();
    assert_eq!(delve.hears().await.1, json!({ "name": "continue" }));
    drop(running);
    assert_eq!(control.halt().await, Ok(()));
    assert_eq!(control.state().await.unwrap_err(), Error::Gone);
    assert_eq!(delve.asked.next_line().await.unwrap(), None, "who controls keeps no connection open");
}

#[tokio::test]
async fn waiting_for_a_stop_may_be_given_up_and_begun_again() {
    let (client, mut delve) = connected().await;
    let mut running = client.resume(Resume::Continue).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), running.ended()).await.is_err());
    delve.expects("Command", stopped()).await;
    running.ended().await;
    running.ended().await;
    assert!(matches!(running.stopped().await, Ok(After::Stopped(..))));
}

#[tokio::test]
async fn detaching_halts_clears_lets_go_and_never_kills() {
    let (client, mut delve) = connected().await;
    let running = client.resume(Resume::Continue).await.unwrap();
    let (_, _, run) = delve.hears().await;
    let detaching = tokio::spawn(running.detach());
    let (_, command, halt) = delve.hears().await;
    assert_eq!(command["name"], "halt");
    delve.answers(&run, stopped()).await;
    delve.answers(&halt, stopped()).await;
    delve.expects("ListBreakpoints", json!({ "Breakpoints": [{ "id": -1 }, { "id": 3 }, { "id": 4 }] })).await;
    assert_eq!(delve.expects("ClearBreakpoint", json!({})).await, json!({ "Id": 3 }));
    assert_eq!(delve.expects("ClearBreakpoint", json!({})).await, json!({ "Id": 4 }));
    let (method, params, id) = delve.hears().await;
    assert_eq!((method.as_str(), params), ("Detach", json!({ "Kill": false })));
    delve.answers(&id, json!({})).await;
    assert!(!detaching.is_finished(), "it waits until Delve has closed the connection");
    drop(delve);
    detaching.await.unwrap().unwrap();
}

proptest::proptest! {
    #[test]
    fn any_line_can_be_read(bytes: Vec<u8>) {
        rpc::fuzz(&bytes);
    }

    #[test]
    fn a_recorded_line_can_be_read_with_anything_in_it(which: usize, at: usize, cut in 0..40_usize, put: Vec<u8>) {
        let recorded = include_str!("../../rpc/recorded/1.27-core.txt");
        let lines: Vec<_> = recorded.lines().filter_map(|line| line.strip_prefix("< ")).collect();
        let mut line = lines[which % lines.len()].as_bytes().to_vec();
        let at = at % line.len();
        let end = line.len().min(at + cut);
        line.splice(at..end, put);
        rpc::fuzz(&line);
    }

    #[test]
    fn any_number_will_do(which: usize, number in proptest::sample::select(vec!["-1", "0", "18446744073709551615", "-9223372036854775808", "9223372036854775807", "1e999", "4294967296"])) {
        let recorded = include_str!("../../rpc/recorded/1.27-core.txt");
        let lines: Vec<_> = recorded.lines().filter_map(|line| line.strip_prefix("< ")).collect();
        let line = regex::Regex::new(":[0-9]+").unwrap().replace_all(lines[which % lines.len()], format!(":{number}"));
        rpc::fuzz(line.as_bytes());
    }
}

#[test]
fn what_is_recorded_can_be_read_in_any_place_and_cut_anywhere() {
    let recorded = include_str!("../../rpc/recorded/1.27-live.txt");
    for line in recorded.lines().filter_map(|line| line.strip_prefix("< ")).take(12) {
        rpc::fuzz(line.as_bytes());
        for cut in (0..line.len()).step_by(97) {
            rpc::fuzz(&line.as_bytes()[..cut]);
        }
    }
}

#[test]
fn a_value_that_is_nested_without_end_is_given_up() {
    let mut deep = r#"{"kind":25,"children":["#.repeat(100_000);
    deep.push_str("null");
    rpc::fuzz(format!(r#"{{"id":1,"result":{{"Variable":{deep}"#).as_bytes());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    rpc::fuzz(format!(r#"{{"id":1,"result":{deep}}}"#).as_bytes());
}

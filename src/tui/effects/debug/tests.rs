use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::mpsc::{self, UnboundedSender};

use super::*;
use crate::delve::client::Stopped;
use crate::delve::model::Place;
use crate::tui::message::debug::{Call, Motion, Which};

#[test]
fn the_newest_of_a_kind_wins() {
    let mut waiting = VecDeque::new();
    let stack = |goroutine| Question::Stack { goroutine, depth: 64 };
    let page = Question::Goroutines { from: 0, which: Which::All };
    let variables = Question::Variables(Call { goroutine: 1, frame: 0 });
    for question in [stack(1), page.clone(), stack(2), variables.clone(), stack(3)] {
        queue(&mut waiting, Order::Ask(question));
    }
    queue(&mut waiting, Order::Rules(Vec::new()));
    let left: Vec<Question> = waiting
        .into_iter()
        .filter_map(|order| match order {
            Order::Ask(question) => Some(question),
            _ => None,
        })
        .collect();
    assert_eq!(left, [page, variables, stack(3)]);
}

/// A Delve that attached to a process. It runs until `stop` says why it stops.
struct Pretended {
    said: Vec<String>,
    running: Option<Value>,
    halted: bool,
}

fn state(running: bool, more: &Value) -> Value {
    let mut state = json!({ "Pid": 7, "Running": running, "Threads": null, "currentThread": null });
    if let (Some(state), Some(more)) = (state.as_object_mut(), more.as_object()) {
        state.extend(more.clone());
    }
    json!({ "State": state })
}

fn hit(tracepoint: bool) -> Value {
    let breakpoint = json!({ "id": 1, "name": "", "addrs": [9], "functionName": "main.f", "continue": tracepoint });
    let thread = json!({ "id": 7, "goroutineID": 3, "breakPoint": breakpoint, "breakPointInfo": {} });
    json!({ "currentThread": thread, "Threads": [thread] })
}

/// Answers as Delve does. What ends a run comes from `stops`, after a message that says it began.
async fn pretend(stream: DuplexStream, mut stops: mpsc::UnboundedReceiver<Value>, heard: UnboundedSender<String>) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let mut delve = Pretended { said: Vec::new(), running: None, halted: false };
    loop {
        let line = tokio::select! {
            line = lines.next_line() => match line { Ok(Some(line)) => line, _ => return },
            stop = stops.recv(), if delve.running.is_some() => {
                let (Some(id), Some(stop)) = (delve.running.take(), stop) else { return };
                delve.said.push(json!({ "id": id, "result": state(false, &stop), "error": null }).to_string());
                String::new()
            }
        };
        if let Ok(request) = serde_json::from_str::<Value>(&line) {
            let (method, id) = (request["method"].as_str().unwrap_or_default(), request["id"].clone());
            let name = request["params"][0]["name"].as_str().unwrap_or_default().to_owned();
            let method = method.trim_start_matches("RPCServer.");
            let _ = heard.send(format!("{method} {name}").trim().to_owned());
            let result = match (method, name.as_str()) {
                ("GetVersion", _) => json!({ "DelveVersion": "Version: 1.27.1", "APIVersion": 2, "Backend": "native" }),
                ("State", _) => state(delve.running.is_some(), &json!({})),
                ("Command", "halt") => {
                    delve.halted = true;
                    let running = delve.running.take();
                    let line = json!({ "id": running, "result": state(false, &json!({})), "error": null });
                    delve.said.push(line.to_string());
                    state(false, &json!({}))
                }
                ("Command", _) => {
                    delve.running = Some(id);
                    continue;
                }
                ("CreateBreakpoint", _) => json!({ "Breakpoint": { "id": 1, "addrs": [9], "functionName": "main.f" } }),
                ("ListBreakpoints", _) => {
                    json!({ "Breakpoints": [{ "id": 1, "addrs": [9], "functionName": "main.f" }] })
                }
                ("ClearBreakpoint", _) => json!({ "Breakpoint": { "id": 1 } }),
                _ => json!({}),
            };
            delve.said.push(json!({ "id": id, "result": result, "error": null }).to_string());
        }
        for line in delve.said.drain(..) {
            if write.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// A session over it: what it is told, what it tells, what Delve heard, and what stops a run.
struct Play {
    orders: UnboundedSender<Order>,
    told: mpsc::Receiver<Msg>,
    heard: mpsc::UnboundedReceiver<String>,
    stops: UnboundedSender<Value>,
}

impl Play {
    async fn begin() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (stops, stopped) = mpsc::unbounded_channel();
        let (listener, heard) = mpsc::unbounded_channel();
        tokio::spawn(pretend(theirs, stopped, listener));
        let (delve, _) = Stopped::open(ours).await.unwrap();
        let (orders, mut received) = mpsc::unbounded_channel();
        let (out, told) = mpsc::channel(64);
        tokio::spawn(async move {
            let teller = Teller { out, session: 1 };
            let mut finder = Finder::new(remembered::Remembered::nowhere(), Vec::new());
            let breakpoints = breakpoints::Breakpoints::new(remembered::Remembered::nowhere());
            let runs = Runs::new(breakpoints, crate::activity::Journal::default(), Some(std::time::Instant::now()));
            serve(delve, runs, &mut finder, &teller, &mut received).await
        });
        let mut play = Self { orders, told, heard, stops };
        assert_eq!(play.hears().await, ["GetVersion", "State"]);
        play
    }

    fn order(&self, order: Order) {
        assert!(self.orders.send(order).is_ok(), "the session has ended");
    }

    async fn tells(&mut self) -> Told {
        match self.told.recv().await {
            Some(Msg::Debug { told, .. }) => told,
            other => panic!("{other:?}"),
        }
    }

    /// What Delve has heard so far.
    async fn hears(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        heard.extend(self.heard.recv().await);
        while let Ok(more) = self.heard.try_recv() {
            heard.push(more);
        }
        heard
    }
}

#[tokio::test]
async fn it_runs_is_asked_nothing_and_stops() {
    let mut play = Play::begin().await;
    play.order(Order::Run(Run::Over));
    assert!(matches!(play.tells().await, Told::Moved(Motion::Running(_))));
    // What was asked too late is not asked: it would keep Delve from reading anything more, a halt included.
    play.order(Order::Ask(Question::Stack { goroutine: 1, depth: 9 }));
    play.order(Order::Breakpoint(Breakpointing::Clear(1)));
    assert!(matches!(play.tells().await, Told::Refused(_)));
    let call = Call { goroutine: 1, frame: 0 };
    play.order(Order::Set { call, name: "n".to_owned(), value: "3".to_owned() });
    assert!(matches!(play.tells().await, Told::Refused(_)));
    play.order(Order::Halt);
    let Told::Moved(Motion::Stopped(state, _)) = play.tells().await else { panic!("it did not stop") };
    assert_eq!(state.stop, crate::delve::model::Stop::Halted);
    assert!(matches!(play.tells().await, Told::Breakpoints(..)), "how often they were hit");
    assert_eq!(play.hears().await, ["Command next", "Command halt", "ListBreakpoints"]);
    // A halt that comes too late does nothing.
    play.order(Order::Halt);
    play.order(Order::Run(Run::On));
    assert!(matches!(play.tells().await, Told::Moved(Motion::Running(_))));
    play.stops.send(hit(false)).unwrap();
    let Told::Moved(Motion::Stopped(state, _)) = play.tells().await else { panic!("it did not stop") };
    assert_eq!(state.hits().count(), 1);
}

#[tokio::test]
async fn what_only_logs_does_not_stop_it() {
    let mut play = Play::begin().await;
    play.order(Order::Run(Run::On));
    assert!(matches!(play.tells().await, Told::Moved(Motion::Running(_))));
    for _ in 0..3 {
        play.stops.send(hit(true)).unwrap();
        let Told::Traced { id: 1, hits: 0, text } = play.tells().await else { panic!("it was not logged") };
        assert_eq!(text, "goroutine 3: main.f()");
    }
    play.stops.send(json!({ "exited": true, "exitStatus": 2 })).unwrap();
    assert!(matches!(play.tells().await, Told::Moved(Motion::Exited(2))));
    assert_eq!(play.hears().await, ["Command continue"; 4]);
}

#[tokio::test]
async fn a_breakpoint_for_one_run_goes_with_it() {
    let mut play = Play::begin().await;
    play.order(Order::Run(Run::To(Place::Address(9))));
    assert!(matches!(play.tells().await, Told::Moved(Motion::Running(_))));
    play.stops.send(hit(false)).unwrap();
    assert!(matches!(play.tells().await, Told::Moved(Motion::Stopped(..))));
    let Told::Breakpoints(all, None) = play.tells().await else { panic!("how often they were hit is not told") };
    assert_eq!(all.set.len(), 1);
    let heard = play.hears().await;
    assert_eq!(heard, ["CreateBreakpoint", "Command continue", "ClearBreakpoint", "ListBreakpoints"]);
    play.order(Order::Breakpoint(Breakpointing::Set(Place::Function("main.f".to_owned()))));
    let Told::Breakpoints(all, hindered) = play.tells().await else { panic!("nothing is told of breakpoints") };
    assert_eq!(all.set.len(), 1);
    assert!(hindered.is_some_and(|failure| failure.message == "there is no home folder"));
}

#[tokio::test]
async fn whoever_leaves_takes_the_debugger_along() {
    let Play { orders, mut told, mut heard, stops } = Play::begin().await;
    assert!(orders.send(Order::Run(Run::On)).is_ok());
    assert!(matches!(told.recv().await, Some(Msg::Debug { told: Told::Moved(Motion::Running(_)), .. })));
    drop(orders);
    // The connection closes, and with it the pretended Delve ends.
    while heard.recv().await.is_some() {}
    assert!(stops.send(Value::Null).is_err());
}

#[tokio::test]
async fn a_variable_is_set() {
    let mut play = Play::begin().await;
    let call = Call { goroutine: 1, frame: 0 };
    play.order(Order::Set { call, name: "n".to_owned(), value: "3".to_owned() });
    let Told::Set { name, value } = play.tells().await else { panic!("it was not set") };
    assert_eq!((name.as_str(), value.as_str()), ("n", "3"));
    assert_eq!(play.hears().await, ["Set"]);
}

//! Conversations, as tables: what comes, and what is made of it.

use super::*;

fn terms(subject: Subject) -> Terms {
    Terms { subject, rules: Vec::new(), may_kill: false, may_call: false }
}

fn live() -> Proxy {
    Proxy::new(terms(Subject::Live))
}

fn request(seq: i64, command: &str, arguments: Value) -> Message {
    Message { seq, ..Message::request(command, arguments) }
}

fn response(request_seq: i64, command: &str, success: bool) -> Message {
    let what = What::Response { request_seq, command: command.to_owned(), success };
    Message { seq: 99, what, rest: serde_json::Map::new() }
}

fn event(name: &str) -> Message {
    Message::event(name, json!({}))
}

/// Steps in short: `>command`, `<event`, `<command+` or `<command-`.
fn short<'s>(steps: impl IntoIterator<Item = &'s Step>) -> String {
    let one = |step: &Step| match step {
        Step::ToDelve(Message { what: What::Request { command }, .. }) => format!(">{command}"),
        Step::ToClient(Message { what: What::Event { event }, .. }) => format!("<{event}"),
        Step::ToClient(Message { what: What::Response { command, success, .. }, .. }) => {
            format!("<{command}{}", if *success { '+' } else { '-' })
        }
        Step::Settle => "settle".to_owned(),
        other => panic!("{other:?}"),
    };
    steps.into_iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What Delve gets, and nothing else.
#[track_caller]
fn to_delve(mut steps: Vec<Step>) -> Message {
    match (steps.pop(), steps.len()) {
        (Some(Step::ToDelve(message)), 0) => message,
        other => panic!("{other:?}"),
    }
}

/// What the editor gets, and nothing else.
#[track_caller]
fn to_client(mut steps: Vec<Step>) -> Message {
    match (steps.pop(), steps.len()) {
        (Some(Step::ToClient(message)), 0) => message,
        other => panic!("{other:?}"),
    }
}

/// What Delve gets in place of this.
#[track_caller]
fn sent(proxy: &mut Proxy, command: &str, arguments: Value) -> Message {
    to_delve(proxy.from_client(request(1, command, arguments)))
}

/// Who speaks.
enum Said {
    Editor(&'static str),
    Sets(&'static str, &'static str),
    /// Some time has passed.
    Later,
    /// It answers the request of this number.
    Delve(i64, &'static str, bool),
    Tells(&'static str),
}

fn converse(mut proxy: Proxy, lines: &[(Said, &str)]) {
    let mut seq = 0;
    for (number, (said, made)) in lines.iter().enumerate() {
        let mut ask = |command, arguments| {
            seq += 1;
            request(seq, command, arguments)
        };
        let steps = match said {
            Said::Editor(command) => proxy.from_client(ask(command, json!({}))),
            Said::Sets(command, path) => {
                let arguments = json!({ "source": { "path": path, "name": "n" }, "breakpoints": [{ "line": 1 }] });
                proxy.from_client(ask(command, arguments))
            }
            Said::Later => proxy.settled(),
            Said::Delve(of, command, success) => proxy.from_delve(response(*of, command, *success)),
            Said::Tells(name) => proxy.from_delve(event(name)),
        };
        assert_eq!(short(&steps), *made, "line {number}");
        assert!(steps.iter().all(Step::is_harmless));
    }
}

use Said::*;

#[test]
fn a_session_goes_through() {
    converse(
        live(),
        &[
            (Editor("initialize"), ">initialize"),
            (Delve(1, "initialize", true), "<initialize+"),
            (Editor("attach"), ">attach"),
            (Tells("initialized"), "<initialized"),
            (Delve(2, "attach", true), "<attach+"),
            (Sets("setBreakpoints", "/a.go"), ">setBreakpoints"),
            (Delve(3, "setBreakpoints", true), "<setBreakpoints+"),
            (Editor("configurationDone"), ">configurationDone"),
            (Delve(4, "configurationDone", true), "<configurationDone+"),
            (Tells("stopped"), "<stopped"),
            (Editor("stackTrace"), ">stackTrace"),
            (Editor("next"), ">next"),
            (Tells("continued"), "<continued"),
            (Delve(6, "next", true), "<next+"),
            (Delve(5, "stackTrace", false), "<stackTrace-"),
            (Editor("noSuchRequest"), ">noSuchRequest"),
            (Tells("stopped"), "<stopped"),
            // It is rid of its breakpoints, and runs once more, before it is let go.
            (Editor("disconnect"), ">setBreakpoints"),
            (Editor("threads"), "<threads-"),
            (Delve(8, "setBreakpoints", true), ">continue"),
            (Tells("continued"), ""),
            (Delve(9, "continue", true), "settle"),
            (Later, ">disconnect"),
            (Tells("output"), "<output"),
            (Delve(10, "disconnect", true), "<disconnect+"),
            (Tells("terminated"), "<terminated"),
            (Later, ""),
        ],
    );
}

/// Attached and configured; with or without stopping on entry.
fn begun(stop_on_entry: bool) -> Proxy {
    let mut proxy = live();
    proxy.from_client(request(1, "attach", json!({ "stopOnEntry": stop_on_entry })));
    proxy.from_delve(response(1, "attach", true));
    proxy.from_client(request(2, "configurationDone", json!({})));
    if stop_on_entry {
        proxy.from_delve(event("stopped"));
    }
    proxy.from_delve(response(2, "configurationDone", true));
    proxy
}

#[test]
fn what_runs_is_stopped_and_cleared_before_it_is_let_go() {
    // Requests 1 and 2 were the editor's; ours follow.
    converse(
        begun(false),
        &[
            (Sets("setBreakpoints", "/a.go"), ">setBreakpoints"),
            (Sets("setBreakpoints", "/b.go"), ">setBreakpoints"),
            (Sets("setBreakpoints", "/a.go"), ">setBreakpoints"),
            (Sets("setFunctionBreakpoints", ""), ">setFunctionBreakpoints"),
            (Editor("terminate"), ">pause"),
            (Delve(7, "pause", true), "settle"),
            (Tells("stopped"), ">setBreakpoints >setBreakpoints >setFunctionBreakpoints"),
            (Later, ""),
            (Delve(9, "setBreakpoints", true), ""),
            (Delve(8, "setBreakpoints", false), ""),
            (Delve(10, "setFunctionBreakpoints", true), ">continue"),
            (Delve(11, "continue", true), "settle"),
            // It stops once more: a step that had begun.
            (Tells("stopped"), ""),
            (Later, ">continue"),
            (Delve(12, "continue", true), "settle"),
            (Later, ">disconnect"),
            (Delve(13, "disconnect", true), "<terminate+"),
        ],
    );
    // The event comes first.
    converse(
        begun(false),
        &[
            (Editor("disconnect"), ">pause"),
            (Tells("stopped"), ">continue"),
            (Delve(3, "pause", true), ""),
            (Delve(4, "continue", true), "settle"),
            (Later, ">disconnect"),
        ],
    );
    // It cannot be stopped, or was stopped without a word.
    for (answer, made) in [(false, ">continue"), (true, "settle")] {
        let mut proxy = begun(false);
        assert_eq!(short(&proxy.client_gone()), ">pause");
        assert_eq!(short(&proxy.from_delve(response(3, "pause", answer))), made);
        if answer {
            assert_eq!(short(&proxy.settled()), ">continue");
        }
        assert_eq!(short(&proxy.from_delve(response(4, "continue", false))), "settle");
        // However often it stops again, that has an end.
        let mut seq = 4;
        let rounds = std::iter::from_fn(|| {
            proxy.from_delve(event("stopped"));
            let step = short(&proxy.settled());
            seq += 1;
            proxy.from_delve(response(seq, "continue", true));
            (step == ">continue").then_some(())
        });
        assert!(rounds.count() < 9 && proxy.is_ending());
    }
}

#[test]
fn what_never_ran_is_let_go_at_once() {
    converse(live(), &[(Editor("disconnect"), ">disconnect")]);
    converse(
        begun(true),
        &[(Sets("setBreakpoints", "/a.go"), ">setBreakpoints"), (Editor("disconnect"), ">disconnect")],
    );
    // It has ended.
    converse(begun(false), &[(Tells("terminated"), "<terminated"), (Editor("disconnect"), ">disconnect")]);
    // It is to be killed.
    let mut proxy = Proxy::new(Terms { may_kill: true, ..terms(Subject::Live) });
    proxy.from_client(request(1, "continue", json!({})));
    proxy.from_delve(response(1, "continue", true));
    let last = proxy.from_client(request(2, "disconnect", json!({ "terminateDebuggee": true })));
    assert_eq!(to_delve(last).rest["arguments"], json!({ "terminateDebuggee": true }));
}

#[test]
fn nothing_runs_in_a_core() {
    converse(
        Proxy::new(terms(Subject::Core)),
        &[
            (Editor("attach"), ">attach"),
            (Delve(1, "attach", true), "<attach+"),
            (Editor("configurationDone"), ">configurationDone"),
            (Editor("continue"), "<continue-"),
            (Editor("stepIn"), "<stepIn-"),
            (Editor("restart"), "<restart-"),
        ],
    );
    let mut proxy = Proxy::new(terms(Subject::Core));
    let arguments = &sent(&mut proxy, "attach", json!({ "stopOnEntry": false })).rest["arguments"];
    assert_eq!(arguments["stopOnEntry"], true);
    let told =
        proxy.from_delve(Message::event("output", json!({ "output": "Detaching and terminating target process\n" })));
    assert_eq!(to_client(told).field("body", "output"), Some(&json!("Closing the core\n")));
}

#[test]
fn it_is_not_killed_unless_that_was_allowed() {
    for (command, arguments, kills_if_allowed) in [
        ("disconnect", json!(null), false),
        ("disconnect", json!("terminateDebuggee"), false),
        ("disconnect", json!({}), false),
        ("disconnect", json!({ "terminateDebuggee": false }), false),
        ("disconnect", json!({ "terminateDebuggee": true }), true),
        ("disconnect", json!({ "terminateDebuggee": true, "restart": true, "suspendDebuggee": true }), true),
        ("terminate", json!({}), true),
        ("terminate", json!({ "restart": true }), true),
    ] {
        for may_kill in [false, true] {
            let mut proxy = Proxy::new(Terms { may_kill, ..terms(Subject::Live) });
            let message = sent(&mut proxy, command, arguments.clone());
            assert_eq!(message.what, What::Request { command: "disconnect".to_owned() });
            let kills = may_kill && kills_if_allowed;
            assert_eq!(message.rest["arguments"], json!({ "terminateDebuggee": kills }), "{command} {arguments}");
            // It is answered by the name that it was asked by, and by its number.
            let step = proxy.from_delve(response(1, "disconnect", true));
            assert_eq!(short(&step), format!("<{command}+"));
            assert!(proxy.is_ending());
            assert_eq!(short(&proxy.from_client(request(9, "threads", json!({})))), "<threads-");
        }
    }
    let mut allowed = Proxy::new(Terms { may_kill: true, ..terms(Subject::Live) });
    for (mut proxy, told) in [(live(), false), (std::mem::replace(&mut allowed, live()), true)] {
        let can = json!({ "capabilities": { "supportTerminateDebuggee": true, "supportsStepBack": true } });
        let message = to_client(proxy.from_delve(Message::event("capabilities", can)));
        let can = &message.rest["body"]["capabilities"];
        assert_eq!((&can["supportTerminateDebuggee"], &can["supportsStepBack"]), (&json!(told), &json!(true)));
        proxy.from_client(request(1, "initialize", json!({})));
        let mut answer = response(1, "initialize", true);
        answer
            .rest
            .insert("body".to_owned(), json!({ "supportTerminateDebuggee": true, "supportsRestartRequest": true }));
        let message = to_client(proxy.from_delve(answer));
        assert_eq!(message.rest["body"], json!({ "supportTerminateDebuggee": told, "supportsRestartRequest": false }));
    }
}

#[test]
fn nothing_is_started() {
    for command in ["launch", "restart", "terminateThreads"] {
        let message =
            to_client(live().from_client(request(5, command, json!({ "program": "/bin/sh", "mode": "exec" }))));
        let what = What::Response { request_seq: 5, command: command.to_owned(), success: false };
        assert_eq!(message.what, what);
        assert_eq!(message.rest["body"]["error"]["showUser"], true);
    }
    let mut proxy = live();
    let message = sent(&mut proxy, "initialize", json!({ "supportsRunInTerminalRequest": true, "pathFormat": "path" }));
    assert_eq!(message.field("arguments", "supportsRunInTerminalRequest"), Some(&json!(false)));
    assert_eq!(message.field("arguments", "pathFormat"), Some(&json!("path")));
    // An adapter that asks the editor to start something.
    assert_eq!(proxy.from_delve(Message::request("runInTerminal", json!({ "args": ["sh"] }))), []);
}

#[test]
fn functions_are_called_only_where_that_was_allowed() {
    let setting = |value: &str| json!({ "name": "n", "value": value, "variablesReference": 1 });
    let asking = |expression: &str| json!({ "expression": expression, "context": "repl" });
    for (command, arguments, calls) in [
        ("evaluate", asking("hits"), false),
        ("evaluate", asking("callers[0]"), false),
        ("evaluate", asking("f(1)"), false),
        ("evaluate", asking("call f(1)"), true),
        ("evaluate", asking(" \t\ncall\tf(1)"), true),
        ("evaluate", json!(7), false),
        ("setVariable", setting("7"), false),
        ("setVariable", setting("f(1)"), true),
        ("setVariable", setting("\"text\""), true),
        ("setVariable", setting("`text`"), true),
        ("setExpression", setting("\"text\""), true),
    ] {
        let step = live().from_client(request(1, command, arguments.clone()));
        assert_eq!(short(&step), if calls { format!("<{command}-") } else { format!(">{command}") }, "{arguments}");
        // Where it is allowed; and in a core, where Delve itself refuses.
        for (subject, may_call) in [(Subject::Live, true), (Subject::Core, false)] {
            let mut proxy = Proxy::new(Terms { may_call, ..terms(subject) });
            assert_eq!(short(&proxy.from_client(request(1, command, arguments.clone()))), format!(">{command}"));
        }
    }
}

#[test]
fn attach_gets_what_delve_has_and_shows_it_as_the_editor_likes() {
    let rule = |local: &str, binary: &str| PathRule { local: local.to_owned(), binary: binary.to_owned() };
    let rules = vec![rule("/home/me/shop", "example.com/shop"), rule("/usr/lib/go", "")];
    let ours = json!([{ "from": "/home/me/shop", "to": "example.com/shop" }, { "from": "/usr/lib/go", "to": "" }]);
    let both = json!([{ "from": "/home/me/shop", "to": "/src" }, { "from": "/usr/lib/go", "to": "" }]);
    for (asked, rules_sent) in [
        (json!(null), ours.clone()),
        (json!({ "substitutePath": null }), ours.clone()),
        (json!({ "substitutePath": [] }), ours),
        // The editor's own win.
        (json!({ "substitutePath": [{ "from": "/home/me/shop", "to": "/src" }] }), both),
        // Delve says what is wrong.
        (json!({ "substitutePath": "wrong" }), json!("wrong")),
    ] {
        let mut proxy = Proxy::new(Terms { rules: rules.clone(), ..terms(Subject::Live) });
        let arguments = &sent(&mut proxy, "attach", asked).rest["arguments"];
        assert_eq!(arguments, &json!({ "mode": "remote", "substitutePath": rules_sent }));
    }
    let asked = json!({
        "mode": "local", "processId": 1, "program": "/bin/sh", "followExec": true, "waitFor": "x", "backend": "rr",
        "stopOnEntry": true, "hideSystemGoroutines": true, "stackTraceDepth": 9,
    });
    let arguments = &sent(&mut live(), "attach", asked).rest["arguments"];
    let shown = json!({
        "mode": "remote", "stopOnEntry": true, "hideSystemGoroutines": true, "stackTraceDepth": 9, "substitutePath": [],
    });
    assert_eq!(arguments, &shown);
}

#[test]
fn whoever_goes_first_the_other_is_told() {
    let mut proxy = live();
    proxy.from_client(request(7, "threads", json!({})));
    let steps = proxy.client_gone();
    assert_eq!(short(&steps), ">disconnect");
    assert!(steps.iter().all(Step::is_harmless));
    // Once is enough, and nobody asked for the answer.
    assert_eq!(proxy.client_gone(), []);
    assert_eq!(proxy.from_delve(response(2, "disconnect", true)), []);

    let mut proxy = live();
    proxy.from_client(request(7, "threads", json!({})));
    let steps = proxy.delve_gone("delve was killed");
    assert_eq!(short(&steps), "<threads- <output <terminated");
    let Step::ToClient(message) = &steps[1] else { panic!("{steps:?}") };
    assert_eq!(message.field("body", "output"), Some(&json!("scratchdbg: delve was killed\n")));
    assert_eq!(proxy.delve_gone("again").len(), 1, "no second end");
}

#[test]
fn who_wants_to_leave_is_answered_even_if_delve_dies_on_the_way() {
    let mut proxy = begun(false);
    assert_eq!(short(&proxy.from_client(request(9, "disconnect", json!({})))), ">pause");
    let steps = proxy.delve_gone("delve was killed");
    assert_eq!(short(&steps), "<output <disconnect+ <terminated");
    let Step::ToClient(message) = &steps[1] else { panic!("{steps:?}") };
    assert_eq!(message.what, What::Response { request_seq: 9, command: "disconnect".to_owned(), success: true });
}

#[test]
fn numbers_are_those_that_each_side_gave() {
    let mut proxy = live();
    let numbers = [40, 40, -3].map(|seq| to_delve(proxy.from_client(request(seq, "threads", json!({})))).seq);
    assert_eq!(numbers, [1, 2, 3]);
    let message = to_client(proxy.from_delve(response(3, "threads", true)));
    assert_eq!(message.what, What::Response { request_seq: -3, command: "threads".to_owned(), success: true });
    assert_eq!(message.seq, 1);
    // Delve 1.27.1 answers `restart` twice. What nobody asked for is not handed on.
    assert_eq!(proxy.from_delve(response(3, "threads", true)), []);
    // An editor that asks and asks.
    let refused = (0..2000).find(|&seq| short(&proxy.from_client(request(seq, "threads", json!({})))) == "<threads-");
    assert!(refused.is_some_and(|refused| refused < 1100), "{refused:?}");
}

use super::*;
use crate::delve::model::{Page, PathRule};
use crate::tui::app::debug::Focus;
use crate::tui::message::debug::{Call, Prospect, Purpose, Question, Reply, Told, Which};

fn session(app: &App) -> &crate::tui::app::debug::Session {
    work(app).debug.session.as_deref().expect("no session")
}

/// The Debug tab, before a session.
fn depths(prospect: Result<Prospect, Failure>) -> App {
    let mut app = live();
    let generation = work(&app).generation;
    assert_eq!(press(&mut app, "7"), [Effect::Weigh { generation, pid: None }]);
    update(&mut app, Msg::Prospect { generation, result: prospect.map(Box::new) });
    app
}

fn told(app: &mut App, session: u64, told: Told) -> Vec<Effect> {
    update(app, Msg::Debug { session, told })
}

fn replied(app: &mut App, question: Question, result: Result<Reply, Failure>) -> Vec<Effect> {
    told(app, 1, Told::Replied { question, result })
}

fn questions(effects: &[Effect]) -> Vec<&Question> {
    let question = |effect: &'_ Effect| matches!(effect, Effect::Debug { .. });
    let asked = effects.iter().filter(|effect| question(effect));
    asked.filter_map(|effect| if let Effect::Debug { question, .. } = effect { Some(question) } else { None }).collect()
}

/// A session in which goroutine 18 is selected, and all that was asked for it was answered.
fn open() -> App {
    let mut app = depths(Ok(fake::prospect()));
    press(&mut app, "s y");
    let effects = told(&mut app, 1, Told::Opened(Box::new(fake::opened())));
    let page = Question::Goroutines { from: 0, which: Which::User };
    assert_eq!(questions(&effects), [&page]);
    replied(&mut app, page, Ok(Reply::Goroutines(Page { goroutines: fake::goroutines(), next: None })));
    let effects = replied(&mut app, Question::Stack { goroutine: 18, depth: 64 }, Ok(Reply::Stack(fake::stack())));
    let (variables, source) = (Question::Variables(CALL), Question::Source("/src/shop/store.go".into()));
    assert_eq!(questions(&effects), [&variables, &source]);
    let (arguments, locals) = (vec![fake::store()], fake::locals());
    replied(&mut app, variables, Ok(Reply::Variables { arguments, locals }));
    replied(&mut app, source, Ok(Reply::Source(std::sync::Arc::new(fake::source()))));
    app
}

const CALL: Call = Call { goroutine: 18, frame: 2 };

#[test]
fn nothing_is_stopped_that_was_not_agreed_to() {
    let mut app = depths(Ok(fake::prospect()));
    assert_eq!(press(&mut app, "j k Enter"), []);
    let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
    assert!(confirm.note.contains("about 2.9 ms") && confirm.note.contains("11M"), "{}", confirm.note);
    assert_eq!(press(&mut app, "Enter"), [], "the default is no");
    let generation = work(&app).generation;
    let effects = press(&mut app, "s y");
    assert_eq!(effects, [Effect::Snapshot { generation, session: 2, pid: Some(ContainerPid(1)) }]);
    assert_eq!(press(&mut app, "s y"), [], "one is being taken");
    told(&mut app, 2, Told::Stage("copying the process".to_owned()));
    assert_eq!(work(&app).debug.opening, Some((2, "copying the process".to_owned())));
    told(&mut app, 2, Told::Ended(fake::failure()));
    assert!(matches!(app.layers.last(), Some(Layer::Message(_))) && work(&app).debug.opening.is_none());
}

#[test]
fn nothing_is_debugged_live_that_was_not_agreed_to() {
    let mut app = depths(Ok(fake::prospect()));
    assert_eq!(press(&mut app, "G Enter"), []);
    let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
    assert!(confirm.note.contains("about 262 ms") && confirm.note.contains("30 s at a time"), "{}", confirm.note);
    assert_eq!(press(&mut app, "Enter"), [], "the default is no");
    let generation = work(&app).generation;
    assert_eq!(press(&mut app, "L y"), [Effect::Attach { generation, session: 2, pid: Some(ContainerPid(1)) }]);
    assert_eq!(press(&mut app, "L y"), [], "one is being attached");
}

#[test]
fn what_hinders_leaves_no_key() {
    let failures = [
        depths(Err(fake::failure())),
        depths(Ok(Prospect { go: Err(fake::failure()), ..fake::prospect() })),
        depths(Ok(Prospect { debugger: Err(fake::failure()), ..fake::prospect() })),
        {
            let mut app = depths(Ok(fake::prospect()));
            app.read_only = true;
            app
        },
    ];
    for mut app in failures {
        assert_eq!(press(&mut app, "s"), []);
        assert!(app.layers.is_empty() && app.toast.is_some());
    }
}

#[test]
fn a_process_can_be_named() {
    let mut app = depths(Ok(fake::prospect()));
    let generation = work(&app).generation;
    let weigh = Effect::Weigh { generation, pid: Some(ContainerPid(7)) };
    assert_eq!(command(&mut app, "debug 7"), [weigh]);
    command(&mut app, "debug x");
    assert!(app.toast.take().is_some_and(|(text, _)| text.contains("number of a process")));
}

#[test]
fn panes_are_walked_and_what_is_selected_is_asked_for() {
    let mut app = open();
    assert_eq!((session(&app).stack.cursor.at, session(&app).source.cursor.at), (2, 41));
    // The caller, by a key of its own, wherever the focus is.
    let effects = press(&mut app, "u");
    let call = Call { goroutine: 18, frame: 3 };
    assert_eq!(questions(&effects), [&Question::Variables(call), &Question::Source("/src/shop/main.go".into())]);
    // An answer to the call before comes too late.
    let late = Ok(Reply::Variables { arguments: Vec::new(), locals: vec![fake::store()] });
    replied(&mut app, Question::Variables(CALL), late);
    assert_eq!(session(&app).variables.roots.len(), 4, "not what is selected now");
    let effects = press(&mut app, "j");
    assert_eq!(questions(&effects), [&Question::Stack { goroutine: 1, depth: 64 }]);
    replied(&mut app, Question::Stack { goroutine: 1, depth: 64 }, Ok(Reply::Stack(fake::stack())));
    press(&mut app, "Enter Enter");
    assert_eq!(session(&app).focus, Focus::Variables);
    press(&mut app, "S-Tab S-Tab S-Tab");
    assert_eq!((session(&app).focus, session(&app).beside), (Focus::Source, Focus::Goroutines));
}

#[test]
fn expressions_are_evaluated_in_the_selected_call() {
    let mut app = open();
    press(&mut app, "p");
    type_in(&mut app, "len(s.orders)");
    let evaluate = |purpose| Question::Evaluate { call: CALL, expression: "len(s.orders)".to_owned(), purpose };
    assert_eq!(questions(&press(&mut app, "Enter")), [&evaluate(Purpose::Print)]);
    let value = fake::locals().remove(1);
    replied(&mut app, evaluate(Purpose::Print), Ok(Reply::Value(Box::new(value))));
    assert_eq!(session(&app).copied(0).as_deref(), Some("len(s.orders) = 3"));
    // What was printed is what one wants to watch.
    assert_eq!(questions(&press(&mut app, "P Enter")), [&evaluate(Purpose::Watch)]);
    replied(&mut app, evaluate(Purpose::Watch), Err(Failure::new(Exit::No, "delve: no such thing")));
    assert_eq!(session(&app).copied(1).as_deref(), Some("len(s.orders) = delve: no such thing"));
    assert_eq!(press(&mut app, "y").len(), 1);
    press(&mut app, "j Delete");
    assert_eq!(session(&app).copied(1).as_deref(), Some("s = *main.store {orders: len: 300, stock: ...}"));
    assert_eq!(questions(&command(&mut app, "print len(s.orders)")), [&evaluate(Purpose::Print)]);
}

#[test]
fn a_rule_is_made_and_the_source_looked_for_again() {
    let mut app = open();
    press(&mut app, "R");
    assert_eq!(app.prompt.as_ref().map(|prompt| (prompt.text.as_str(), prompt.cursor)), Some(("=/src/shop", 0)));
    type_in(&mut app, "/home/me/shop/");
    let rule = PathRule { from: "/src/shop".into(), to: "/home/me/shop".into() };
    let source = Question::Source("/src/shop/store.go".into());
    let effects = press(&mut app, "Enter");
    assert_eq!(
        effects,
        [Effect::Rules { session: 1, rules: vec![rule] }, Effect::Debug { session: 1, question: source }]
    );
    for wrong in ["path nothing", "path relative=/src", "path /home="] {
        assert_eq!(command(&mut app, wrong), [], "{wrong}");
    }
    let effects = command(&mut app, "path =/src/shop");
    assert!(effects.contains(&Effect::Rules { session: 1, rules: Vec::new() }), "it is taken back");
}

#[test]
fn a_filter_is_typed_and_peeled() {
    let mut app = open();
    press(&mut app, "/");
    type_in(&mut app, "conn");
    assert_eq!(session(&app).goroutines.rows.len(), 1, "while one types");
    press(&mut app, "Enter Esc");
    assert_eq!(session(&app).goroutines.rows.len(), 3);
    press(&mut app, "S-Tab /");
    type_in(&mut app, "line 5");
    press(&mut app, "Enter");
    let at = session(&app).source.cursor.at;
    press(&mut app, "n");
    assert_eq!(session(&app).source.cursor.at, at + 1);
    press(&mut app, "Esc");
    assert!(session(&app).source.search.is_none() && app.work.is_some());
}

#[test]
fn a_session_outlives_the_process_but_not_the_container_that_is_left() {
    let mut app = open();
    let generation = work(&app).generation;
    update(&mut app, Msg::Lost { generation, reason: "the container ended".to_owned() });
    assert_eq!(questions(&press(&mut app, "u")).len(), 2, "it can be looked at all the same");
    assert_eq!(press(&mut app, "S"), [], "but not taken anew");
    assert_eq!(press(&mut app, "q"), [Effect::EndDebug { session: 1 }, Effect::Close]);
    // One that opens meanwhile is not wanted any more.
    let mut app = depths(Ok(fake::prospect()));
    press(&mut app, "s y");
    assert_eq!(press(&mut app, "q"), [Effect::EndDebug { session: 1 }, Effect::Close]);
}

#[test]
fn another_snapshot_takes_the_place_of_the_first() {
    let mut app = open();
    press(&mut app, "S y");
    assert_eq!(session(&app).number, 1, "until the other one is there");
    let effects = told(&mut app, 2, Told::Opened(Box::new(fake::opened())));
    assert!(effects.contains(&Effect::EndDebug { session: 1 }));
    assert_eq!(session(&app).number, 2);
    assert_eq!(press(&mut app, "D"), [Effect::EndDebug { session: 2 }, Effect::Weigh { generation: 1, pid: None }]);
}

#[test]
fn when_the_debugger_ends_what_was_shown_stays() {
    let mut app = open();
    told(&mut app, 1, Told::Ended(Failure::new(Exit::No, "delve is gone")));
    press(&mut app, "Esc");
    assert_eq!(session(&app).ended.as_deref(), Some("delve is gone"));
    assert_eq!(session(&app).chip(app.clock.uptime), "ENDED");
    assert_eq!(press(&mut app, "u"), [], "nobody is asked");
    press(&mut app, "p");
    assert!(app.prompt.is_none() && app.toast.is_some());
}

/// A session on a live process that has stopped at a breakpoint in goroutine 18.
fn live_session() -> App {
    use crate::tui::message::debug::{Motion, Subject};
    let mut app = depths(Ok(fake::prospect()));
    press(&mut app, "L y");
    let opened = crate::tui::message::debug::Opened { subject: Subject::Live(fake::wall(0)), ..fake::opened() };
    told(&mut app, 1, Told::Opened(Box::new(opened)));
    let effects = told(&mut app, 1, Told::Moved(Motion::Stopped(Box::new(fake::stopped()))));
    let page = Question::Goroutines { from: 0, which: Which::User };
    assert_eq!(questions(&effects), [&page, &Question::Stack { goroutine: 22, depth: 64 }], "the one that stopped");
    replied(&mut app, page, Ok(Reply::Goroutines(Page { goroutines: fake::goroutines(), next: None })));
    replied(&mut app, Question::Stack { goroutine: 22, depth: 64 }, Ok(Reply::Stack(fake::stack())));
    let source = Question::Source("/src/shop/store.go".into());
    replied(&mut app, source, Ok(Reply::Source(std::sync::Arc::new(fake::source()))));
    app
}

#[test]
fn a_live_process_runs_and_stops() {
    use crate::tui::message::debug::{Motion, Run};
    let mut app = live_session();
    assert_eq!(session(&app).chip(app.clock.uptime), "STOPPED 00:00 of 00:30, breakpoint 1");
    for (key, how) in [("c", Run::On), ("n", Run::Over), ("F11", Run::Into), ("o", Run::Out)] {
        assert_eq!(press(&mut app, key), [Effect::Run { session: 1, how }], "{key}");
    }
    let to = Run::To(crate::delve::model::Place::Line { file: "/src/shop/store.go".to_owned(), line: 42 });
    assert_eq!(press(&mut app, "C"), [Effect::Run { session: 1, how: to }]);
    assert_eq!(press(&mut app, "F6"), [], "it stands still");
    told(&mut app, 1, Told::Moved(Motion::Running));
    update(&mut app, Msg::Tick(fake::clock(65)));
    assert_eq!(session(&app).chip(app.clock.uptime), "RUNNING 01:05");
    // While it runs it can be stopped, and nothing else; what was shown stays.
    for key in ["c", "n", "s", "o", "C", "b"] {
        assert_eq!(press(&mut app, key), [], "{key}");
    }
    assert_eq!((questions(&press(&mut app, "u")).len(), session(&app).stack.frames.len()), (0, 4));
    assert_eq!(press(&mut app, "F6"), [Effect::Halt { session: 1 }]);
    assert_eq!(press(&mut app, "^c"), [Effect::Halt { session: 1 }], "a running process is halted, nobody quits");
    let effects = told(&mut app, 1, Told::Moved(Motion::Stopped(Box::new(fake::stopped()))));
    assert_eq!(questions(&effects).len(), 2, "all is asked anew");
    told(&mut app, 1, Told::Moved(Motion::Exited(2)));
    assert_eq!((session(&app).chip(app.clock.uptime).as_str(), press(&mut app, "c")), ("EXITED 2", vec![]));
    assert_eq!(press(&mut app, "^c"), [Effect::Quit]);
}

#[test]
fn another_goroutine_can_be_looked_at_than_the_one_that_stopped() {
    let mut app = live_session();
    assert_eq!(session(&app).stack.goroutine, Some(22));
    assert_eq!(questions(&press(&mut app, "j")), [&Question::Stack { goroutine: 1, depth: 64 }]);
}

#[test]
fn breakpoints_are_set_where_the_cursor_is() {
    use crate::delve::model::{Breakpoint, Place};
    use crate::tui::message::debug::Breakpointing;
    let mut app = live_session();
    let effect = |what| [Effect::Breakpoint { session: 1, what }];
    let line = Place::Line { file: "/src/shop/store.go".to_owned(), line: 42 };
    assert_eq!(press(&mut app, "b"), effect(Breakpointing::Set(line)));
    assert_eq!(press(&mut app, "B"), [], "there is none yet");
    let location = fake::location("main.(*store).packOrders", "/src/shop/store.go", 42);
    let known = Breakpoint { id: 3, location, enabled: true, ..Breakpoint::default() };
    told(&mut app, 1, Told::Breakpoints(vec![known]));
    assert_eq!(press(&mut app, "F9"), effect(Breakpointing::Clear(3)));
    press(&mut app, "B");
    type_in(&mut app, "n > 3");
    assert_eq!(press(&mut app, "Enter"), effect(Breakpointing::Condition(3, "n > 3".to_owned())));
    let place = || Place::Expression("main.handle".to_owned());
    assert_eq!(command(&mut app, "break main.handle"), effect(Breakpointing::Set(place())));
    assert_eq!(command(&mut app, "trace main.handle"), effect(Breakpointing::Trace(place())));
    // While something is searched for, the key goes to the next match, and the program does not move.
    press(&mut app, "S-Tab /");
    type_in(&mut app, "line 5");
    press(&mut app, "Enter");
    assert_eq!(press(&mut app, "n"), []);
    assert_eq!(press(&mut app, "Esc n").len(), 1);
}

#[test]
fn a_copy_has_no_keys_that_run_it() {
    let mut app = open();
    for keys in ["c", "o", "b", "B", "C", "F5", "F6", "F9", "F10", "F11"] {
        assert_eq!(press(&mut app, keys), [], "{keys}");
    }
    assert_eq!(command(&mut app, "continue"), []);
    assert_eq!(press(&mut app, "^c"), [Effect::Quit]);
}

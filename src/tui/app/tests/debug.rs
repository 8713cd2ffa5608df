use super::*;
use crate::delve::model::{Page, PathRule};
use crate::tui::app::debug::Focus;
use crate::tui::app::debug::threads::Pane;
use crate::tui::message::debug::{Call, Prospect, Purpose, Question, Reply, Told, Wanted, Which};

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
    let (pid, breakpoints) = (Some(ContainerPid(1)), Vec::new());
    assert_eq!(press(&mut app, "L y"), [Effect::Attach { generation, session: 2, pid, breakpoints }]);
    assert_eq!(press(&mut app, "L y"), [], "one is being attached");
}

fn read_only(mut app: App) -> App {
    app.read_only = true;
    app
}

#[test]
fn without_delve_there_are_threads() {
    let hindered = [
        Prospect { go: Err(fake::failure()), ..fake::prospect() },
        Prospect { debugger: Err(fake::failure()), ..fake::prospect() },
    ];
    for prospect in hindered {
        let mut app = depths(Ok(prospect));
        let generation = work(&app).generation;
        assert_eq!(press(&mut app, "L"), []);
        assert!(app.layers.is_empty() && app.toast.take().is_some());
        assert_eq!(press(&mut app, "s"), []);
        let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
        assert!(confirm.note.contains("No memory is copied"), "{}", confirm.note);
        assert_eq!(press(&mut app, "Enter"), [], "the default is no");
        assert_eq!(press(&mut app, "s y"), [Effect::Threads { generation, session: 2, pid: ContainerPid(1) }]);
        assert_eq!(press(&mut app, "s y"), [], "they are being read");
        told(&mut app, 2, Told::Stage("reading the registers".to_owned()));
        assert_eq!(told(&mut app, 2, Told::Threads(Box::new(fake::threads()))), []);
        assert_eq!((work(&app).mode(), work(&app).debug.opening.as_ref()), (Mode::Threads, None));
    }
}

#[test]
fn threads_registers_and_the_memory_around_them() {
    let mut app = depths(Ok(Prospect { go: Err(fake::failure()), ..fake::prospect() }));
    press(&mut app, "s y");
    told(&mut app, 1, Told::Threads(Box::new(fake::threads())));
    let view = |app: &App| work(app).debug.threads.as_deref().cloned().expect("no threads");
    let marks = |app: &App| (0..4).map(|row| view(app).mark(row)).collect::<Vec<_>>();
    assert_eq!(marks(&app), ["", "pc", "", "sp"]);
    // The part of memory that the thread is in is shown with it.
    assert_eq!(view(&app).cursor(Pane::Memory).at, 1);
    press(&mut app, "j Tab");
    assert_eq!(view(&app).selected().map(|thread| thread.about.tid), Some(ContainerPid(7)));
    assert_eq!(
        (view(&app).focus, view(&app).line(Pane::Registers, 0)),
        (Pane::Registers, Some("rip      0x00000000004028fb".to_owned()))
    );
    assert_eq!(press(&mut app, "y"), [Effect::Copy("rip      0x00000000004028fb".to_owned())]);
    press(&mut app, "Tab G");
    assert_eq!(view(&app).cursor(Pane::Memory).at, 3);
    // Another time the same thread stays selected, where it is now; what comes of an older one is not for us.
    let mut later = fake::threads();
    later.all.remove(0);
    assert_eq!(told(&mut app, 1, Told::Threads(Box::new(later.clone()))), []);
    assert_eq!(view(&app).threads.all.len(), 2);
    assert_eq!(press(&mut app, "S"), []);
    press(&mut app, "y");
    told(&mut app, 2, Told::Threads(Box::new(later)));
    assert_eq!(view(&app).selected().map(|thread| thread.about.tid), Some(ContainerPid(7)));
    // Left while they are read once more, they do not come back.
    press(&mut app, "S y D");
    assert_eq!(work(&app).mode(), Mode::Depths);
    told(&mut app, 3, Told::Threads(Box::new(fake::threads())));
    assert_eq!((work(&app).mode(), work(&app).debug.opening.as_ref()), (Mode::Depths, None));
}

#[test]
fn what_hinders_leaves_no_key() {
    let failures = [
        depths(Err(fake::failure())),
        read_only(depths(Ok(fake::prospect()))),
        read_only(depths(Ok(Prospect { go: Err(fake::failure()), ..fake::prospect() }))),
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
    let effects = told(&mut app, 1, Told::Moved(Motion::Stopped(Box::new(fake::stopped()), Duration::ZERO)));
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
    told(&mut app, 1, Told::Moved(Motion::Running(Duration::ZERO)));
    update(&mut app, Msg::Tick(fake::clock(65)));
    assert_eq!(session(&app).chip(app.clock.uptime), "RUNNING 01:05, stood still for 0.000 s");
    told(&mut app, 1, Told::Moved(Motion::Running(Duration::from_micros(3_214_700))));
    assert_eq!(session(&app).chip(app.clock.uptime), "RUNNING 00:00, stood still for 3.215 s");
    // While it runs it can be stopped, and nothing else; what was shown stays.
    for key in ["c", "n", "s", "o", "C", "b"] {
        assert_eq!(press(&mut app, key), [], "{key}");
    }
    assert_eq!((questions(&press(&mut app, "u")).len(), session(&app).stack.frames.len()), (0, 4));
    assert_eq!(press(&mut app, "F6"), [Effect::Halt { session: 1 }]);
    assert_eq!(press(&mut app, "^c"), [Effect::Halt { session: 1 }], "a running process is halted, nobody quits");
    let effects = told(&mut app, 1, Told::Moved(Motion::Stopped(Box::new(fake::stopped()), Duration::ZERO)));
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
fn breakpoints_stay_in_the_order_of_their_numbers() {
    use crate::tui::message::debug::Marks;

    let fake = fake::breakpoints();
    let (ordered, mut mixed) = (fake.set.clone(), fake.set);
    mixed.rotate_left(1);
    assert_eq!(Marks::new(mixed, Vec::new()).set, ordered);
}

#[test]
fn breakpoints_are_set_where_the_cursor_is() {
    use crate::delve::model::{Breakpoint, Place};
    use crate::tui::message::debug::{Breakpointing, Known, Marks};
    let mut app = live_session();
    let effect = |what| [Effect::Breakpoint { session: 1, what }];
    let line = Place::Line { file: "/src/shop/store.go".to_owned(), line: 42 };
    assert_eq!(press(&mut app, "b"), effect(Breakpointing::Set(line)));
    assert_eq!(press(&mut app, "B"), [], "there is none yet");
    let location = fake::location("main.(*store).packOrders", "/src/shop/store.go", 42);
    let breakpoint = Breakpoint { id: 3, location, enabled: true, ..Breakpoint::default() };
    let set = vec![Known { breakpoint, moved: None }];
    told(&mut app, 1, Told::Breakpoints(Marks { set, ..Marks::default() }, None));
    assert_eq!(press(&mut app, "e"), effect(Breakpointing::Enable(3, false)));
    press(&mut app, "H");
    type_in(&mut app, "% 100");
    assert_eq!(press(&mut app, "Enter"), effect(Breakpointing::HitCondition(3, "% 100".to_owned())));
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

#[test]
fn breakpoints_are_listed_changed_and_gone_to() {
    use crate::delve::model::Place;
    use crate::tui::message::debug::{Breakpointing, Motion};
    let mut app = live_session();
    told(&mut app, 1, Told::Breakpoints(fake::breakpoints(), None));
    let effect = |what| [Effect::Breakpoint { session: 1, what }];
    press(&mut app, "i j");
    assert_eq!((session(&app).focus, session(&app).beside), (Focus::Breakpoints, Focus::Breakpoints));
    // All keys are about the one that is selected, not about the line under the cursor of the source.
    assert_eq!(press(&mut app, "b"), effect(Breakpointing::Clear(2)));
    assert_eq!(press(&mut app, "e"), effect(Breakpointing::Enable(2, false)));
    assert_eq!(command(&mut app, "hits"), []);
    assert_eq!(app.prompt.take().map(|prompt| prompt.text).as_deref(), Some("% 100"));
    assert_eq!(command(&mut app, "hits > 3"), effect(Breakpointing::HitCondition(2, "> 3".to_owned())));
    press(&mut app, "B");
    assert_eq!(app.prompt.take().map(|prompt| prompt.text).as_deref(), Some("n > 3"));
    press(&mut app, "j");
    assert_eq!(press(&mut app, "e"), effect(Breakpointing::Enable(4, true)));
    // Where one is; it stays there until another call is looked at.
    let main = Question::Source("/src/shop/main.go".into());
    assert_eq!(questions(&press(&mut app, "Enter")), [&main]);
    replied(&mut app, main, Ok(Reply::Source(std::sync::Arc::new(fake::source()))));
    let source = &session(&app).source;
    assert_eq!((session(&app).focus, source.cursor.at, source.marks(41)), (Focus::Source, 11, false));
    assert_eq!(press(&mut app, "b"), effect(Breakpointing::Clear(4)));
    let place = Place::Line { file: "/src/shop/main.go".to_owned(), line: 13 };
    assert_eq!(press(&mut app, "j b"), effect(Breakpointing::Set(place)));
    let call = Call { goroutine: 22, frame: 3 };
    assert_eq!(questions(&press(&mut app, "u")), [&Question::Variables(call)], "the file is there");
    assert_eq!((session(&app).source.at.line, session(&app).source.marks(32)), (33, true));
    // One that is not set can be forgotten, and nothing else.
    press(&mut app, "i G");
    for key in ["e", "B", "H", "Enter"] {
        assert_eq!(press(&mut app, key), [], "{key}");
        assert!(app.prompt.is_none());
    }
    let wanted = fake::breakpoints().unset.remove(0).wanted;
    assert_eq!(press(&mut app, "b"), effect(Breakpointing::Forget(wanted)));
    // How often it was hit is told at every stop, and by those that only log while it runs.
    told(&mut app, 1, Told::Moved(Motion::Running(Duration::ZERO)));
    told(&mut app, 1, Told::Traced { id: 4, hits: 7, text: "goroutine 3: main.run()".to_owned() });
    assert!(session(&app).breakpoints.copied(2).is_some_and(|line| line.contains("hit 7×")));
    assert_eq!(press(&mut app, "i k b"), [], "not while it runs");
    // Tab comes to the list, too; over a copy it does not.
    press(&mut app, "Tab");
    assert_eq!(session(&app).focus, Focus::Goroutines);
    press(&mut app, "S-Tab S-Tab");
    assert_eq!(session(&app).focus, Focus::Source);
    let mut app = open();
    press(&mut app, "S-Tab");
    assert_eq!(session(&app).focus, Focus::Source);
}

#[test]
fn breakpoints_of_the_last_time_are_shown_before_they_are_set() {
    let wanted = fake::wanted();
    let prospect = || Prospect { remembered: fake::wanted(), ..fake::prospect() };
    let mut app = depths(Ok(prospect()));
    let generation = work(&app).generation;
    let attach = |app: &mut App| match press(app, "L y").pop() {
        Some(Effect::Attach { breakpoints, .. }) => breakpoints,
        other => panic!("{other:?}"),
    };
    assert_eq!(attach(&mut app.clone()), wanted);
    press(&mut app, "L");
    let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
    assert!(confirm.note.contains("It sets 3 breakpoints of the last time again"), "{}", confirm.note);
    press(&mut app, "n");
    // Not with a depth selected.
    press(&mut app, "b e");
    assert_eq!(attach(&mut app.clone()), wanted);
    // One is forgotten, another one put out of force.
    press(&mut app, "j j b e");
    let off = Wanted { enabled: false, ..wanted[1].clone() };
    let left = vec![off, wanted[2].clone()];
    // What is read again meanwhile does not bring them back.
    update(&mut app, Msg::Prospect { generation, result: Ok(Box::new(prospect())) });
    assert_eq!(attach(&mut app.clone()), left);
    press(&mut app, "b b b");
    assert_eq!(attach(&mut app), []);
    let number = work(&app).debug.opening.as_ref().map(|(number, _)| *number).expect("nothing is opened");
    // After a session it is asked anew what is remembered, and nobody attaches before that is known.
    let opened = crate::tui::message::debug::Opened {
        subject: crate::tui::message::debug::Subject::Live(fake::wall(0)),
        ..fake::opened()
    };
    told(&mut app, number, Told::Opened(Box::new(opened)));
    assert_eq!(press(&mut app, "D").len(), 2);
    assert_eq!(press(&mut app, "L"), []);
    assert!(app.layers.is_empty());
    update(&mut app, Msg::Prospect { generation, result: Ok(Box::new(prospect())) });
    assert_eq!(attach(&mut app), wanted);
}

#[test]
fn how_long_it_may_stand_still_is_in_sight() {
    use crate::tui::message::debug::Motion;
    let inspected = |failing, health: &str| {
        let mut container = fake::container("shop-api");
        container.health = Some(health.to_owned());
        container.health_check.as_mut().unwrap().failing = failing;
        Msg::Inspected { generation: 1, target: Box::new(crate::target::Target::Container(Box::new(container))) }
    };
    let mut app = depths(Ok(fake::prospect()));
    press(&mut app, "L");
    let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
    let words = "3 failures in a row make it unhealthy, after 10 s to 21 s of standing still";
    assert!(confirm.note.contains(words), "{}", confirm.note);
    let mut app = live_session();
    let words = |app: &App| session(app).health_words(app.clock.uptime);
    assert_eq!(words(&app), "unhealthy in 00:10 or later");
    for (second, text) in [
        (4, "unhealthy in 00:06 or later"),
        (10, "unhealthy at any moment"),
        (20, "unhealthy at any moment"),
        (21, "unhealthy"),
    ] {
        update(&mut app, Msg::Tick(fake::clock(second)));
        assert_eq!(words(&app), text, "after {second} s");
    }
    told(&mut app, 1, Told::Moved(Motion::Running(Duration::ZERO)));
    assert_eq!(words(&app), "");
    // The engine is asked how many checks have failed so far; those that fail from then on were reckoned with.
    let effects = told(&mut app, 1, Told::Moved(Motion::Stopped(Box::new(fake::stopped()), Duration::ZERO)));
    assert!(effects.contains(&Effect::Inspect { generation: 1 }));
    update(&mut app, Msg::Tick(fake::clock(22)));
    update(&mut app, inspected(1, "healthy"));
    assert_eq!(words(&app), "unhealthy in 00:04 or later");
    update(&mut app, inspected(2, "healthy"));
    assert_eq!(words(&app), "unhealthy in 00:04 or later");
    update(&mut app, inspected(3, "unhealthy"));
    assert_eq!(words(&app), "unhealthy");
    // The engine's list says when it turns.
    update(&mut app, inspected(0, "healthy"));
    let mut summary = fake::summaries().remove(0);
    summary.status = "Up 2 hours (unhealthy)".to_owned();
    let effects = update(&mut app, Msg::Containers(Ok(vec![summary])));
    assert!(effects.contains(&Effect::Inspect { generation: 1 }));
}

#[test]
fn a_variable_is_changed_when_somebody_has_said_yes() {
    let mut app = live_session();
    let call = Call { goroutine: 22, frame: 2 };
    replied(
        &mut app,
        Question::Variables(call),
        Ok(Reply::Variables { arguments: vec![fake::store()], locals: fake::locals() }),
    );
    press(&mut app, "=");
    assert_eq!(app.prompt.take().map(|prompt| prompt.text).as_deref(), Some(""), "nothing is selected");
    press(&mut app, "Tab Tab j j =");
    assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("n = 3"));
    press(&mut app, "Backspace");
    type_in(&mut app, "4");
    assert_eq!(press(&mut app, "Enter"), []);
    let Some(Layer::Confirm(confirm)) = app.layers.last() else { panic!("no question") };
    assert!(confirm.question.contains("Set n to 4 in process 1?"), "{}", confirm.question);
    assert!(confirm.note.contains("changes the process itself"), "{}", confirm.note);
    assert_eq!(press(&mut app, "Enter"), [], "the default is no");
    assert_eq!(command(&mut app, "set n=4"), []);
    let set = Effect::Set { session: 1, call, name: "n".to_owned(), value: "4".to_owned() };
    assert_eq!(press(&mut app, "y"), [set]);
    // What is shown of the call is read again.
    let effects = told(&mut app, 1, Told::Set { name: "n".to_owned(), value: "4".to_owned() });
    assert_eq!(questions(&effects), [&Question::Variables(call)]);
    for wrong in ["set n", "set =3", "set n="] {
        assert_eq!(command(&mut app, wrong), [], "{wrong}");
        assert!(app.layers.is_empty(), "{wrong}");
    }
    // Not while it runs, not in a copy, not where nothing may be changed.
    told(&mut app, 1, Told::Moved(crate::tui::message::debug::Motion::Running(Duration::ZERO)));
    command(&mut app, "set n=4");
    assert!(
        app.layers.is_empty()
            && app.toast.take().is_some_and(|(text, _)| text.contains("it runs") || text.contains("runs"))
    );
    let mut app = open();
    command(&mut app, "set n=4");
    assert!(
        app.layers.is_empty() && app.toast.take().is_some_and(|(text, _)| text.contains("a copy cannot be changed"))
    );
    let mut app = live_session();
    app.read_only = true;
    command(&mut app, "set n=4");
    assert!(app.layers.is_empty() && app.toast.take().is_some_and(|(text, _)| text.contains("--read-only")));
}

#[test]
fn what_was_stripped_from_the_program_can_be_named() {
    let mut app = depths(Ok(fake::prospect()));
    let generation = work(&app).generation;
    let weigh = || Effect::Weigh { generation, pid: None };
    let file = |path: &str| Effect::DebugFile { path: Some(path.to_owned()) };
    assert_eq!(command(&mut app, "debugfile /tmp/a b"), [file("/tmp/a b"), weigh()], "and what it would cost then");
    assert_eq!(press(&mut app, "s"), [], "that is not known yet");
    // One of another build is said, and nothing is done without it.
    let debug_file = Err(Failure::new(Exit::Usage, "the debug file is of another build"));
    let result = Ok(Box::new(Prospect { debug_file, ..fake::prospect() }));
    update(&mut app, Msg::Prospect { generation, result });
    for key in ["s", "L"] {
        assert_eq!(press(&mut app, key), []);
        assert!(app.layers.is_empty() && app.toast.take().is_some());
    }
    assert_eq!(command(&mut app, "debugfile"), [Effect::DebugFile { path: None }, weigh()]);
}

use super::*;
use crate::delve::model::Page;
use crate::delve::version::{Gate, Version, gate};
use crate::tui::fake;
use crate::tui::keymap::Action;
use crate::tui::message::debug::{Call, Purpose, Which};

fn session() -> Session {
    Session::new(1, fake::opened(), None)
}

#[test]
fn what_is_selected_is_asked_for_once() {
    let mut session = session();
    assert_eq!(session.due(20), [Question::Goroutines { from: 0, which: Which::User }]);
    assert_eq!(session.due(20), []);
    session.goroutines.arrive(&Page { goroutines: fake::goroutines(), next: None });
    assert_eq!(session.due(20), [Question::Stack { goroutine: 18, depth: 64 }]);
    assert_eq!(session.due(20), []);
    session.stack.arrive(fake::stack());
    let call = Call { goroutine: 18, frame: 2 };
    assert_eq!(session.due(20), [Question::Variables(call), Question::Source("/src/shop/store.go".into())]);
    assert_eq!(session.due(20), []);
    // Another call of the same stack; another goroutine.
    session.stack.cursor.at = 3;
    let call = Call { goroutine: 18, frame: 3 };
    assert_eq!(session.due(20), [Question::Variables(call), Question::Source("/src/shop/main.go".into())]);
    session.goroutines.cursor.at = 1;
    assert_eq!(session.due(20), [Question::Stack { goroutine: 1, depth: 64 }]);
    // On the way to the bottom nothing is asked for that nobody will look at.
    session.goroutines.next = Some(3);
    session.goroutines.go(Action::Bottom, 20);
    assert_eq!(session.due(20), [Question::Goroutines { from: 3, which: Which::User }]);
    session.goroutines.arrive(&Page::default());
    assert_eq!(session.due(20), [Question::Stack { goroutine: 22, depth: 64 }]);
    session.ended = Some("delve is gone".to_owned());
    session.goroutines.cursor.at = 0;
    assert_eq!(session.due(20), []);
}

#[test]
fn a_stripped_program_has_the_stack_of_a_thread() {
    let mut session = session();
    session.due(20);
    session.goroutines.busy = false;
    session.goroutines.error = Some("could not find goroutine array".to_owned());
    assert_eq!(session.due(20), [Question::Stack { goroutine: THREAD, depth: 64 }]);
    assert_eq!(session.crumbs(), Vec::<String>::new());
}

#[test]
fn a_stripped_program_has_its_threads_in_the_list() {
    let mut session = session();
    session.due(20);
    let mut threads = fake::goroutines();
    for (goroutine, id) in threads.iter_mut().zip([7, 8, 9]) {
        goroutine.id = thread::as_goroutine(id);
    }
    session.goroutines.arrive(&Page { goroutines: threads, next: None });
    assert!(session.goroutines.are_threads());
    let of = |id| [Question::Stack { goroutine: thread::as_goroutine(id), depth: 64 }];
    assert_eq!(session.due(20), of(7));
    assert_eq!(session.crumbs(), ["thread 7"]);
    session.goroutines.cursor.at = 2;
    assert_eq!(session.due(20), of(9));
    assert!(session.copied(2).is_some_and(|line| line.starts_with("9 ")));
    // The one that has stopped, wherever the list is.
    let thread = crate::delve::model::Thread { id: 8, ..Default::default() };
    let state = crate::delve::model::State { goroutine: None, thread: Some(thread), ..fake::stopped() };
    let mut stop = |stripped| {
        session.opened.limits = stripped;
        let stopped = crate::tui::message::debug::Motion::Stopped(Box::new(state.clone()), Duration::ZERO);
        session.moved(stopped, Duration::ZERO);
        session.current
    };
    let Gate::Limited(limits) = gate(Version { major: 1, minor: 27, patch: 1 }, None, true) else { panic!() };
    assert_eq!(stop(Some(limits)), Some(thread::as_goroutine(8)));
    // Of a program that has goroutines, the thread that Delve has stopped first is nothing to look at.
    assert_eq!(stop(None), None);
}

#[test]
fn another_snapshot_is_looked_at_in_the_same_way() {
    let mut before = session();
    before.goroutines.list(Which::All, None);
    before.variables.call = Some(Call { goroutine: 18, frame: 2 });
    before.variables.ask("n", Purpose::Watch);
    before.focus_on(Focus::Variables);
    let mut after = Session::new(2, fake::opened(), Some(before));
    assert_eq!((after.focus, after.beside, after.variables.roots.len()), (Focus::Variables, Focus::Variables, 1));
    assert_eq!(after.due(20), [Question::Goroutines { from: 0, which: Which::All }]);
}

#[test]
fn panes_go_round() {
    let mut session = session();
    for focus in [Focus::Stack, Focus::Variables, Focus::Source, Focus::Goroutines] {
        session.step_focus(true);
        assert_eq!(session.focus, focus);
    }
    session.step_focus(false);
    assert_eq!((session.focus, session.beside), (Focus::Source, Focus::Goroutines));
    assert_eq!(session.chip(Duration::ZERO), "SNAPSHOT 08:53:20, 2.6 ms");
}

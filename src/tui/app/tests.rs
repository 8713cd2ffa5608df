mod debug;
mod golang;
mod pods;

use std::time::Duration;

use super::*;
use crate::engine::State;
use crate::exit::Exit;
use crate::inspect::files::Listing;
use crate::target::{ContainerPid, Target};
use crate::tui::effect::Since;
use crate::tui::fake;
use crate::tui::keymap::Tab;
use crate::tui::message::{Answer, Job, Log, Mouse, Opened, Place, Request, SaveError, Timer, Window};
use workspace::Connection;

fn start() -> App {
    let (mut app, effects) = App::new(Options { size: (100, 30), ..Options::default() });
    assert_eq!(effects, [Effect::Watch]);
    update(&mut app, Msg::Tick(fake::clock(0)));
    update(&mut app, Msg::Containers(Ok(fake::summaries())));
    app
}

/// Presses keys, each written as in the table.
fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.split(' ') {
        let sequence = Key::parse_sequence(key).unwrap_or_else(|| panic!("{key:?} is no key"));
        for key in sequence {
            effects.extend(update(app, Msg::Key(key)));
        }
    }
    effects
}

fn type_in(app: &mut App, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for c in text.chars() {
        effects.extend(update(app, Msg::Key(Key::plain(crate::tui::keymap::Code::Char(c)))));
    }
    effects
}

fn command(app: &mut App, line: &str) -> Vec<Effect> {
    let mut effects = press(app, ":");
    effects.extend(type_in(app, line));
    effects.extend(press(app, "Enter"));
    effects
}

#[allow(clippy::unnecessary_box_returns, reason = "messages hold it boxed")]
fn opened(state: State) -> Box<Opened> {
    let mut container = fake::container("shop-api");
    container.state = state;
    let session = match state {
        State::Running | State::Paused => Ok(fake::session()),
        _ => {
            (container.pid, container.exit_code) = (None, Some(2));
            Err(Failure::new(Exit::NoTarget, "shop-api does not run"))
        }
    };
    Box::new(Opened { target: Target::Container(Box::new(container)), session })
}

fn work(app: &App) -> &Workspace {
    app.work.as_deref().expect("nothing is open")
}

fn live() -> App {
    let mut app = start();
    press(&mut app, "G Enter");
    let generation = work(&app).generation;
    update(&mut app, Msg::Opened { generation, result: Ok(opened(State::Running)) });
    app
}

fn answer(app: &mut App, request: Request, result: Result<Answer, Failure>) -> Vec<Effect> {
    let generation = work(app).generation;
    update(app, Msg::Reading { generation, request, result })
}

fn requests(effects: &[Effect]) -> Vec<&Request> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Read { request, .. } => Some(request),
            _ => None,
        })
        .collect()
}

#[test]
fn enter_opens_and_esc_never_quits() {
    let mut app = start();
    let effects = press(&mut app, "Enter");
    assert_eq!(effects, [Effect::Open { generation: 1, name: "api-worker".parse().unwrap() }]);
    for _ in 0..5 {
        press(&mut app, "Esc");
    }
    assert!(app.work.is_none() && !app.quit);
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn a_target_named_at_the_start_is_the_first_screen() {
    let options = Options { target: Some("shop".parse().unwrap()), size: (80, 24), ..Options::default() };
    let (mut app, effects) = App::new(options.clone());
    assert_eq!(effects, [Effect::Watch, Effect::Open { generation: 1, name: "shop".parse().unwrap() }]);
    assert!(press(&mut app, "q").contains(&Effect::Quit));
    let (mut app, _) = App::new(options);
    press(&mut app, "Esc");
    assert!(app.work.is_none() && !app.quit);
}

#[test]
fn a_name_that_is_not_known_is_an_error_of_the_command_line() {
    let options = Options { target: Some("nosuch".parse().unwrap()), size: (80, 24), ..Options::default() };
    let (mut app, _) = App::new(options);
    let failure = Failure::new(Exit::NoTarget, "there is no container \"nosuch\"");
    let result = Err(failure.clone());
    assert_eq!(update(&mut app, Msg::Opened { generation: 1, result }), [Effect::Quit]);
    assert_eq!(app.fatal, Some(failure.clone()));
    let mut app = start();
    assert!(press(&mut app, "Enter").len() == 1);
    update(&mut app, Msg::Opened { generation: 1, result: Err(failure) });
    assert_eq!((app.fatal.is_none(), app.mode()), (true, Mode::Message), "from the list, one stays");
}

#[test]
fn control_c_quits_from_everywhere() {
    for keys in ["?", ":", "/", "Enter", "Enter 3", "Enter :"] {
        let mut app = start();
        press(&mut app, keys);
        assert!(press(&mut app, "^c").contains(&Effect::Quit), "{keys}");
    }
}

#[test]
fn every_layer_is_peeled_one_by_one() {
    let mut app = live();
    press(&mut app, "3");
    let stream = work(&app).logs.stream;
    update(&mut app, Msg::Log { stream, what: Log::Lines(fake::log()) });
    press(&mut app, "/ i n f Enter & d o n e Enter ? / s e a Enter");
    let mut depth = Vec::new();
    for _ in 0..6 {
        let work = app.work.as_ref();
        depth.push((
            app.layers.len(),
            work.is_some_and(|work| work.logs.search.is_some()),
            work.is_some_and(|work| work.logs.filter.is_some()),
            work.is_some(),
        ));
        press(&mut app, "Esc");
    }
    assert_eq!(
        depth,
        [
            (1, true, true, true),
            (1, true, true, true),
            (0, true, true, true),
            (0, false, true, true),
            (0, false, false, true),
            (0, false, false, false)
        ]
    );
}

#[test]
fn readings_are_asked_for_by_the_tab_on_the_screen() {
    let mut app = start();
    press(&mut app, "Enter");
    let effects = update(&mut app, Msg::Opened { generation: 1, result: Ok(opened(State::Running)) });
    assert_eq!(requests(&effects), [&Request::Processes, &Request::Init(ContainerPid(1)), &Request::Program]);
    assert!(requests(&update(&mut app, Msg::Tick(fake::clock(9)))).is_empty(), "they are on their way");
    let effects = answer(&mut app, Request::Program, Ok(Answer::Program(fake::program())));
    assert_eq!(requests(&effects), [&Request::Check], "what is looked for first is there by then");
    press(&mut app, "2");
    let effects = answer(&mut app, Request::Processes, Ok(Answer::Processes(fake::processes(), Duration::ZERO)));
    assert_eq!(requests(&effects), [&Request::Processes], "the last one was asked for nine seconds ago");
    assert_eq!(press(&mut app, "3"), [Effect::Logs { stream: 1, since: Since::Tail }]);
    assert_eq!(requests(&press(&mut app, "4")), [&Request::List(b"/".to_vec())]);
    assert_eq!(requests(&press(&mut app, "5")), [&Request::Network]);
    let effects = answer(&mut app, Request::Network, Err(fake::failure()));
    assert!(requests(&effects).is_empty(), "a failure is not asked for again at once");
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let mut app = live();
    press(&mut app, "4");
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries: fake::files(), cut: false })));
    app.dirty = false;
    for second in 1..100 {
        update(&mut app, Msg::Tick(fake::clock(second)));
    }
    assert!(!app.dirty);
    app.say("hello");
    update(&mut app, Msg::Tick(fake::clock(120)));
    assert!(app.dirty && app.toast.is_none(), "a small message goes away by itself");
}

#[test]
fn a_lost_container_is_tried_again_with_longer_pauses() {
    let mut app = live();
    let mut pauses = Vec::new();
    let generation = work(&app).generation;
    let effects = update(&mut app, Msg::Lost { generation, reason: "the container ended".into() });
    pauses.extend(effects);
    for _ in 0..5 {
        let generation = work(&app).generation;
        let effects = update(&mut app, Msg::Timer(Timer::Reopen(generation)));
        assert!(matches!(effects.as_slice(), [Effect::Open { .. }]), "{effects:?}");
        assert!(matches!(work(&app).connection, Connection::Reconnecting { .. }));
        let generation = work(&app).generation;
        pauses.extend(update(&mut app, Msg::Opened { generation, result: Err(fake::unreachable()) }));
    }
    let millis: Vec<u128> = pauses
        .iter()
        .filter_map(|effect| match effect {
            Effect::After(pause, Timer::Reopen(_)) => Some(pause.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(millis, [500, 1000, 2000, 4000, 5000, 5000]);
}

#[test]
fn it_recovers_when_the_container_comes_back_and_goes_on_with_its_log() {
    let mut app = live();
    press(&mut app, "3");
    let stream = work(&app).logs.stream;
    update(&mut app, Msg::Log { stream, what: Log::Lines(fake::log()) });
    update(&mut app, Msg::Log { stream, what: Log::Ended(Ok(())) });
    let generation = work(&app).generation;
    update(&mut app, Msg::Lost { generation, reason: "the container ended".into() });
    update(&mut app, Msg::Tick(fake::clock(30)));
    update(&mut app, Msg::Timer(Timer::Reopen(generation)));
    let generation = work(&app).generation;
    update(&mut app, Msg::Opened { generation, result: Ok(opened(State::Exited)) });
    assert_eq!((&work(&app).connection, work(&app).state_word().as_str()), (&Connection::Down, "EXITED 2"));
    assert_eq!(work(&app).logs.len(), 4, "the last data stay");
    // The engine tells that it runs again.
    let effects = update(&mut app, Msg::Containers(Ok(fake::summaries())));
    assert!(matches!(effects.as_slice(), [Effect::Open { .. }]), "{effects:?}");
    let generation = work(&app).generation;
    let effects = update(&mut app, Msg::Opened { generation, result: Ok(opened(State::Running)) });
    assert!(work(&app).live() && work(&app).lost_at.is_none());
    let newest = fake::wall(104);
    assert_eq!(effects, [Effect::Logs { stream: 2, since: Since::After(newest) }]);
    let mut again = fake::log().split_off(3);
    again.push(crate::logs::Line { time: Some(fake::wall(300)), ..fake::line("after", false) });
    update(&mut app, Msg::Log { stream: 2, what: Log::Lines(again) });
    assert_eq!(work(&app).logs.len(), 5, "no line is there twice");
    // What still comes from before is not for us.
    update(&mut app, Msg::Lost { generation: 1, reason: "old".into() });
    update(&mut app, Msg::Log { stream: 1, what: Log::Lines(fake::log()) });
    assert!(work(&app).live() && work(&app).logs.len() == 5);
}

#[test]
fn a_start_that_went_by_while_it_was_found_ended_is_not_missed() {
    let mut app = live();
    let generation = work(&app).generation;
    update(&mut app, Msg::Lost { generation, reason: "the container ended".into() });
    update(&mut app, Msg::Timer(Timer::Reopen(generation)));
    // Told while it is still being looked for.
    update(&mut app, Msg::Containers(Ok(fake::summaries())));
    let generation = work(&app).generation;
    let effects = update(&mut app, Msg::Opened { generation, result: Ok(opened(State::Exited)) });
    assert!(effects.contains(&Effect::Inspect { generation }), "{effects:?}");
    let target = Box::new(opened(State::Running).target);
    let effects = update(&mut app, Msg::Inspected { generation, target });
    assert!(matches!(effects.as_slice(), [Effect::Open { .. }]), "{effects:?}");
}

#[test]
fn the_log_of_a_container_that_starts_later_goes_on() {
    let mut app = start();
    press(&mut app, "Enter");
    update(&mut app, Msg::Opened { generation: 1, result: Ok(opened(State::Exited)) });
    press(&mut app, "3");
    update(&mut app, Msg::Log { stream: 1, what: Log::Lines(fake::log()) });
    update(&mut app, Msg::Log { stream: 1, what: Log::Ended(Ok(())) });
    update(&mut app, Msg::Timer(Timer::Reopen(1)));
    let effects = update(&mut app, Msg::Opened { generation: 2, result: Ok(opened(State::Running)) });
    assert_eq!(effects, [Effect::Logs { stream: 2, since: Since::After(fake::wall(104)) }]);
    // And of one that cannot be entered.
    update(&mut app, Msg::Log { stream: 2, what: Log::Ended(Ok(())) });
    let target = Box::new(opened(State::Running).target);
    let effects = update(&mut app, Msg::Inspected { generation: 2, target });
    assert!(matches!(effects.as_slice(), [Effect::Logs { stream: 3, .. }]), "{effects:?}");
}

#[test]
fn what_is_not_permitted_is_not_tried_again() {
    let mut app = start();
    press(&mut app, "Enter");
    let opened = Opened { target: fake::target(), session: Err(fake::failure()) };
    let effects = update(&mut app, Msg::Opened { generation: 1, result: Ok(Box::new(opened)) });
    assert!(effects.is_empty(), "{effects:?}");
    assert!(matches!(app.layers.as_slice(), [Layer::Message(_)]));
    press(&mut app, "Esc");
    assert!(matches!(press(&mut app, "3").as_slice(), [Effect::Logs { .. }]), "its log is the engine's");
    assert!(matches!(press(&mut app, "^r").as_slice(), [Effect::Open { .. }]), "but one may ask for it");
}

#[test]
fn the_engine_may_go_and_come() {
    let mut app = live();
    let effects = update(&mut app, Msg::Containers(Err(fake::unreachable())));
    assert_eq!(effects, [Effect::After(Duration::from_millis(500), Timer::Engine)]);
    assert!(work(&app).live(), "the helper inside does not need it");
    assert_eq!(update(&mut app, Msg::Timer(Timer::Engine)), [Effect::Watch]);
    update(&mut app, Msg::Containers(Ok(fake::summaries())));
    assert!(app.engine.is_none());
    assert_eq!(update(&mut app, Msg::Timer(Timer::Engine)), []);
}

#[test]
fn a_changed_state_is_looked_at() {
    let mut app = live();
    let mut list = fake::summaries();
    list[0].state = State::Paused;
    let generation = work(&app).generation;
    assert_eq!(update(&mut app, Msg::Containers(Ok(list))), [Effect::Inspect { generation }]);
    let target = opened(State::Paused).target;
    update(&mut app, Msg::Inspected { generation, target: Box::new(target) });
    assert_eq!(work(&app).state_word(), "PAUSED");
}

#[test]
fn lists_are_filtered_while_one_types() {
    let mut app = start();
    press(&mut app, "/");
    type_in(&mut app, "api-");
    assert_eq!(app.picker.order.len(), 2);
    press(&mut app, "Esc");
    assert_eq!((app.picker.order.len(), app.mode()), (4, Mode::Picker), "leaving brings back what was");
    press(&mut app, "/ a p i Enter");
    assert_eq!((app.picker.order.len(), app.mode()), (3, Mode::Picker));
    press(&mut app, "Esc");
    assert_eq!(app.picker.order.len(), 4);
}

#[test]
fn files_are_browsed_and_what_blocks_is_left_alone() {
    let mut app = live();
    press(&mut app, "4");
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries: fake::files(), cut: false })));
    let effects = press(&mut app, "Enter");
    assert_eq!(requests(&effects), [&Request::Open(b"/data".to_vec())]);
    answer(&mut app, Request::Open(b"/data".to_vec()), Ok(Answer::Files(Listing::default())));
    assert_eq!(work(&app).files.path, b"/data");
    assert_eq!(requests(&press(&mut app, "h")), [&Request::Open(b"/".to_vec())]);
    answer(&mut app, Request::Open(b"/".to_vec()), Ok(Answer::Files(Listing { entries: fake::files(), cut: false })));
    assert_eq!(work(&app).files.selected_path().as_deref(), Some(&b"/data"[..]));
    for _ in 0..4 {
        press(&mut app, "j");
    }
    assert_eq!(work(&app).files.selected_path().as_deref(), Some(&b"/pipe"[..]));
    assert!(press(&mut app, "Enter").is_empty() && app.toast.is_some(), "a pipe is not opened");
    assert!(press(&mut app, "w").is_empty() && app.prompt.is_none());
    press(&mut app, "j");
    let effects = press(&mut app, "l");
    assert_eq!(requests(&effects), [&Request::Open(b"/shop".to_vec())]);
    let window = Window { offset: 0, data: b"hello\n".to_vec(), size: Some(6), end: true };
    answer(&mut app, Request::Open(b"/shop".to_vec()), Ok(Answer::Window(window)));
    assert_eq!(app.mode(), Mode::Viewer);
    let effects = press(&mut app, "f");
    assert_eq!(requests(&effects), [&Request::View { path: b"/shop".to_vec(), from: Place::End }]);
    press(&mut app, "q");
    assert_eq!(app.mode(), Mode::Files);
}

#[test]
fn a_directory_that_cannot_be_read_leaves_one_where_one_was() {
    let mut app = live();
    press(&mut app, "4");
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries: fake::files(), cut: false })));
    press(&mut app, "Enter");
    answer(&mut app, Request::Open(b"/data".to_vec()), Err(fake::failure()));
    assert_eq!((work(&app).files.path.as_slice(), app.mode()), (&b"/"[..], Mode::Message));
    press(&mut app, "Enter");
    assert_eq!(app.mode(), Mode::Files);
}

#[test]
fn copying_out_asks_for_a_name_and_before_it_replaces() {
    let mut app = live();
    press(&mut app, "4");
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries: fake::files(), cut: false })));
    press(&mut app, "G k w");
    assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("shop"));
    let effects = press(&mut app, "Enter");
    let [Effect::CopyOut { from, to, overwrite: false, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((from.as_slice(), to.as_str()), (&b"/shop"[..], "shop"));
    update(&mut app, Msg::CopiedOut(Err(SaveError::Exists)));
    assert_eq!(app.mode(), Mode::Confirm);
    assert!(press(&mut app, "Enter").is_empty(), "the default is no");
    press(&mut app, "w Enter");
    update(&mut app, Msg::CopiedOut(Err(SaveError::Exists)));
    assert!(matches!(press(&mut app, "y").as_slice(), [Effect::CopyOut { overwrite: true, .. }]));
    update(&mut app, Msg::CopiedOut(Ok(2048)));
    assert!(work(&app).copying.is_none());
    assert_eq!(app.toast.as_ref().map(|(text, _)| text.as_str()), Some("copied 2.0K to shop"));
}

#[test]
fn the_log_is_saved_in_slices() {
    let mut app = live();
    press(&mut app, "3");
    let stream = work(&app).logs.stream;
    update(&mut app, Msg::Log { stream, what: Log::Lines(fake::log()) });
    press(&mut app, "^s");
    assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("shop-api.log"));
    let effects = press(&mut app, "Enter");
    assert_eq!(effects, [Effect::SaveOpen { path: "shop-api.log".into(), overwrite: false }]);
    let effects = update(&mut app, Msg::SaveOpened(Ok(())));
    let [Effect::SaveChunk(bytes), Effect::Continue(Job::Save)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(bytes.split(|byte| *byte == b'\n').count(), 5);
    assert_eq!(update(&mut app, Msg::Continue(Job::Save)), [Effect::SaveClose]);
    press(&mut app, "^s Enter");
    update(&mut app, Msg::SaveOpened(Err(SaveError::Exists)));
    assert_eq!(press(&mut app, "n"), [Effect::SaveClose]);
    assert!(work(&app).logs.save.is_none());
}

#[test]
fn a_flood_is_worked_off_in_slices_with_one_on_its_way() {
    let mut app = live();
    press(&mut app, "3 & 7 Enter");
    let stream = work(&app).logs.stream;
    for _ in 0..40 {
        let lines = (0..512).map(|at| fake::line(format!("line {at}"), false)).collect();
        update(&mut app, Msg::Log { stream, what: Log::Lines(lines) });
    }
    press(&mut app, "Esc");
    let effects = press(&mut app, "& 5 Enter");
    assert_eq!(effects, [Effect::Continue(Job::Scan)]);
    let lines = vec![fake::line("line 5", false)];
    assert_eq!(update(&mut app, Msg::Log { stream, what: Log::Lines(lines) }), [], "one is on its way");
    let mut slices = 0;
    while !update(&mut app, Msg::Continue(Job::Scan)).is_empty() {
        slices += 1;
    }
    assert!((2..=6).contains(&slices), "{slices}");
    assert!(work(&app).logs.settled());
}

#[test]
fn frozen_readings_wait() {
    let mut app = live();
    let later = |count: usize| {
        let list = fake::processes().into_iter().take(count).collect();
        Ok(Answer::Processes(list, Duration::from_secs(count as u64)))
    };
    answer(&mut app, Request::Processes, later(2));
    press(&mut app, "Space");
    answer(&mut app, Request::Processes, later(3));
    let shown = |app: &App| work(app).processes.shown.as_ref().map(|data| data.list.len());
    assert_eq!((shown(&app), app.held), (Some(2), 1));
    press(&mut app, "Space");
    assert_eq!((shown(&app), app.held), (Some(3), 0));
}

#[test]
fn commands_do_what_keys_do() {
    let mut app = live();
    assert_eq!(command(&mut app, "logs"), [Effect::Logs { stream: 1, since: Since::Tail }]);
    command(&mut app, "wrap");
    assert!(work(&app).logs.wrap);
    assert_eq!(command(&mut app, "since 5m"), [Effect::Logs { stream: 2, since: Since::named("5m").unwrap() }]);
    command(&mut app, "filter !x");
    assert!(work(&app).logs.filter.is_some());
    assert_eq!(requests(&command(&mut app, "files /etc")).first(), Some(&&Request::Open(b"/etc".to_vec())));
    assert_eq!(requests(&command(&mut app, "pid 7")), [&Request::Detail(ContainerPid(7))]);
    command(&mut app, "theme mono");
    assert_eq!(app.theme.choice, ThemeChoice::Mono);
    command(&mut app, "wrap");
    assert_eq!(app.toast.as_ref().map(|(text, _)| text.as_str()), Some("wrap works in Logs"));
    let effects = command(&mut app, "attach pid://7");
    assert_eq!(effects, [Effect::Open { generation: 2, name: "pid://7".parse().unwrap() }]);
    assert_eq!(command(&mut app, "containers"), [Effect::Close]);
    press(&mut app, ": Up Up");
    assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("attach pid://7"));
    press(&mut app, "Esc");
    assert_eq!(command(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn every_key_of_every_pane_can_be_pressed_without_data_and_with() {
    for with_data in [false, true] {
        for tab in Tab::ALL {
            for binding in keymap::bindings() {
                let mut app = if with_data { live() } else { start() };
                if with_data {
                    app.work.as_mut().unwrap().tab = tab;
                    answer(&mut app, Request::Processes, Ok(Answer::Processes(fake::processes(), Duration::ZERO)));
                    let files = Listing { entries: fake::files(), cut: false };
                    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(files)));
                    answer(&mut app, Request::Network, Ok(Answer::Network(Box::new(fake::network()))));
                }
                for keys in binding.keys.split(' ').filter(|keys| !keys.is_empty()) {
                    press(&mut app, keys);
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut app = start();
    press(&mut app, "2");
    assert_eq!(app.toast.as_ref().map(|(text, _)| text.as_str()), Some("open a container first"));
    let mut app = live();
    press(&mut app, "3 n");
    assert_eq!(app.toast.as_ref().map(|(text, _)| text.as_str()), Some("nothing is searched for"));
    press(&mut app, "?");
    let Some(Layer::Help(help)) = app.layers.last() else { panic!("no help") };
    assert!(help.rows().iter().any(|row| matches!(
        row,
        layer::HelpRow::Entry { name, disabled: Some("nothing is searched for"), .. } if name == ":next"
    )));
}

#[test]
fn only_safe_text_is_copied_and_not_too_much() {
    let mut app = live();
    press(&mut app, "3");
    let stream = work(&app).logs.stream;
    update(&mut app, Msg::Log { stream, what: Log::Lines(vec![fake::line(fake::HOSTILE, false)]) });
    let effects = press(&mut app, "y");
    let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(!text.chars().any(crate::text::is_dangerous), "{text:?}");
    press(&mut app, "4");
    let entries = (0..10_000).map(|at| fake::file(&format!("a-long-name-{at}"), 0)).collect();
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries, cut: false })));
    assert!(press(&mut app, "Y").is_empty());
    assert!(app.toast.as_ref().is_some_and(|(text, _)| text.contains("more than a terminal takes")));
}

#[test]
fn a_hundred_thousand_entries_are_sorted_once() {
    let mut app = live();
    press(&mut app, "4");
    let entries = (0..100_000).map(|at| fake::file(&format!("{at:06}"), at)).collect();
    answer(&mut app, Request::List(b"/".to_vec()), Ok(Answer::Files(Listing { entries, cut: false })));
    let order = work(&app).files.order.as_ptr();
    press(&mut app, "G k ^b gg ^d");
    assert_eq!(work(&app).files.order.as_ptr(), order, "moving sorts nothing");
    assert_eq!(work(&app).files.order.len(), 100_000);
}

#[test]
fn the_mouse_turns_and_selects() {
    let mut app = start();
    assert_eq!(press(&mut app, "m"), [Effect::Mouse(true)]);
    update(&mut app, Msg::Mouse(Mouse::WheelDown));
    assert_eq!(app.picker.cursor.at, 3);
    update(&mut app, Msg::Mouse(Mouse::Click(5, 4)));
    assert_eq!(app.picker.cursor.at, 1);
    update(&mut app, Msg::Mouse(Mouse::Click(5, 29)));
    assert_eq!(app.picker.cursor.at, 1);
    let mut app = live();
    update(&mut app, Msg::Mouse(Mouse::Click(14, 1)));
    assert_eq!(work(&app).tab, Tab::Procs);
}

#[test]
fn a_wrong_second_key_is_a_key_of_its_own() {
    let mut app = start();
    press(&mut app, "j j g j");
    assert_eq!(app.picker.cursor.at, 3);
    press(&mut app, "gg");
    assert_eq!(app.picker.cursor.at, 0);
}

fn steps() -> Msg {
    Msg::Activity(std::sync::Arc::new(fake::entered()))
}

#[test]
fn steps_are_drawn_only_where_they_are_seen() {
    let mut app = live();
    app.dirty = false;
    update(&mut app, steps());
    assert!(!app.dirty && !app.activity.order.is_empty());
    press(&mut app, "6");
    assert_eq!(app.mode(), Mode::Activity);
    app.dirty = false;
    let effects = update(&mut app, steps());
    assert!(app.dirty && effects.is_empty(), "nothing is polled: {effects:?}");
}

#[test]
fn steps_are_filtered_shown_in_full_and_copied() {
    let mut app = live();
    update(&mut app, steps());
    press(&mut app, "6 /");
    type_in(&mut app, "LOCAL");
    assert!(app.activity.order.is_empty(), "capital letters mean themselves");
    press(&mut app, "^u");
    type_in(&mut app, "local");
    press(&mut app, "Enter k Enter");
    let Some(Layer::Line(line)) = app.layers.last() else { panic!("no line: {:?}", app.layers) };
    let line = String::from_utf8(line.text.clone()).unwrap();
    let expected = "local: done: join its namespaces: mnt pid net uts ipc (undone by: the helper's end)";
    assert!(line.ends_with(expected), "{line}");
    press(&mut app, "Esc");
    assert_eq!(press(&mut app, "y"), [Effect::Copy(line.clone())]);
    let copied = press(&mut app, "Y");
    let [Effect::Copy(all)] = copied.as_slice() else { panic!("{copied:?}") };
    assert!(all.lines().count() == 3 && all.contains(&line));
    press(&mut app, "Esc");
    assert_eq!(app.activity.order.len(), 7, "the filter is peeled");
}

#[test]
fn steps_outlive_the_container_they_were_done_for() {
    let mut app = live();
    press(&mut app, "6 Space");
    update(&mut app, Msg::Activity(std::sync::Arc::new(fake::refused())));
    update(&mut app, steps());
    assert_eq!((app.activity.order.len(), app.held), (3, 1), "the first are shown, later ones wait");
    press(&mut app, "Space");
    assert_eq!((app.activity.order.len(), app.held), (7, 0));
    press(&mut app, "Space");
    update(&mut app, Msg::Activity(std::sync::Arc::new(fake::refused())));
    command(&mut app, "attach cache");
    press(&mut app, "6");
    assert_eq!(app.activity.order.len(), 3);
}

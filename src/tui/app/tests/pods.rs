use super::*;
use crate::engine::kube::list::Listed;
use crate::tui::app::layer::Layer;
use crate::tui::app::pods::Source;
use crate::tui::app::workspace::Manner;
use crate::tui::effect::Place;
use crate::tui::message::Outside;

fn shop() -> Place {
    Place { context: Some("prod-eu".to_owned()), namespace: Some("shop".to_owned()), ..Place::default() }
}

/// The pods of a cluster, with the one that runs selected.
fn cluster_of(options: Options) -> App {
    let (mut app, effects) = App::new(Options { size: (100, 30), source: Source::Cluster, ..options });
    assert_eq!(effects, [Effect::Watch, Effect::Contexts]);
    update(&mut app, Msg::Tick(fake::clock(0)));
    let effects = update(&mut app, Msg::Contexts(Ok(fake::contexts())));
    assert_eq!(effects, [Effect::Pods { number: 0, place: shop() }]);
    update(&mut app, Msg::Pods { number: 0, result: Ok(Box::new(fake::listed())) });
    press(&mut app, "j");
    app
}

fn cluster() -> App {
    cluster_of(Options::default())
}

fn name() -> TargetName {
    "k8s://shop/web-7976cf4947-bznkr/app".parse().unwrap()
}

fn target() -> Target {
    Target::Pod(Box::new(fake::pod("web-7976cf4947-bznkr")))
}

fn approached(app: &mut App, why: Outside) -> Vec<Effect> {
    let generation = work(app).generation;
    update(app, Msg::Approached { generation, target: Box::new(target()), why })
}

fn adds() -> Outside {
    Outside::Adds("65532:0, no capabilities".to_owned())
}

fn entered(app: &mut App) {
    let generation = work(app).generation;
    let opened = Box::new(Opened { target: target(), session: Ok(fake::session()) });
    update(app, Msg::Opened { generation, result: Ok(opened) });
}

#[test]
fn a_slip_of_enter_adds_nothing_to_a_pod() {
    let mut app = cluster();
    let effects = press(&mut app, "Enter");
    assert_eq!(effects, [Effect::Approach { generation: 1, name: name(), log: false }]);
    assert_eq!(approached(&mut app, adds()), []);
    assert_eq!(app.mode(), Mode::Confirm);
    // A second slip.
    assert_eq!(press(&mut app, "Enter"), [Effect::Close]);
    assert!(app.work.is_none() && app.layers.is_empty());
    assert_eq!((app.mode(), app.pods.cursor.at), (Mode::Pods, 1), "back at the same row");
    assert!(!app.quit);
}

#[test]
fn after_a_yes_it_is_entered_and_asked_again_before_the_next_record() {
    let mut app = cluster();
    press(&mut app, "Enter");
    approached(&mut app, adds());
    assert_eq!(press(&mut app, "y"), [Effect::Open { generation: 1, name: name() }]);
    assert_eq!(work(&app).connection, Connection::Opening);
    entered(&mut app);
    assert!(work(&app).live());
    // It is lost, and would take another container.
    update(&mut app, Msg::Lost { generation: 1, reason: "the container ended".to_owned() });
    let effects = update(&mut app, Msg::Timer(Timer::Reopen(1)));
    assert_eq!(effects, [Effect::Approach { generation: 2, name: name(), log: false }]);
    let effects = approached(&mut app, Outside::Down(fake::failure()));
    assert!(effects.contains(&Effect::After(workspace::pause(u32::MAX), Timer::Reopen(2))), "it may start again");
    update(&mut app, Msg::Timer(Timer::Reopen(2)));
    approached(&mut app, adds());
    press(&mut app, "n");
    assert_eq!((work(&app).manner, work(&app).connection.clone()), (Manner::Log, Connection::Outside));
    assert_eq!(update(&mut app, Msg::Timer(Timer::Reopen(3))), [], "and not asked again and again");
}

#[test]
fn what_adds_nothing_is_entered_at_once() {
    let mut app = cluster();
    press(&mut app, "Enter");
    entered(&mut app);
    assert!(work(&app).live() && app.layers.is_empty());
    press(&mut app, "q");
    assert_eq!((app.mode(), app.pods.cursor.at), (Mode::Pods, 1));
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn yes_beforehand_and_what_is_typed_are_not_asked_about() {
    let mut app = cluster_of(Options { trusting: true, ..Options::default() });
    assert_eq!(press(&mut app, "Enter"), [Effect::Open { generation: 1, name: name() }]);
    let mut app = cluster();
    let effects = command(&mut app, "attach pod/web");
    assert_eq!(effects, [Effect::Open { generation: 1, name: "pod/web".parse().unwrap() }]);
}

#[test]
fn a_log_adds_nothing() {
    let mut app = cluster();
    assert_eq!(press(&mut app, "l"), [Effect::Approach { generation: 1, name: name(), log: true }]);
    let effects = approached(&mut app, Outside::Log);
    assert_eq!(effects, [Effect::Logs { stream: 1, since: Since::Tail }]);
    assert_eq!((work(&app).tab, work(&app).live()), (Tab::Logs, false));
    // And then all of it is wanted.
    assert_eq!(press(&mut app, "^r"), [Effect::Approach { generation: 2, name: name(), log: false }]);
}

#[test]
fn one_that_does_not_run_shows_its_log_and_what_to_type() {
    let mut app = cluster();
    press(&mut app, "Enter");
    let failure = Failure::new(Exit::NoTarget, "it does not run").try_this("scratchdbg logs --previous k8s://a/b/c");
    let effects = approached(&mut app, Outside::Down(failure));
    assert_eq!(effects, [Effect::Logs { stream: 1, since: Since::Tail }]);
    assert_eq!((app.mode(), work(&app).tab), (Mode::Message, Tab::Logs));
    press(&mut app, "Esc");
    assert_eq!(app.mode(), Mode::Logs);
    // It comes up by itself later: nobody is added to it for that.
    assert_eq!(update(&mut app, Msg::Timer(Timer::Reopen(1))), []);
    press(&mut app, "q");
    assert_eq!(app.mode(), Mode::Pods);
}

#[test]
fn another_namespace_and_all_of_them() {
    let mut app = cluster();
    let all = Place { everywhere: true, ..shop() };
    assert_eq!(press(&mut app, "0"), [Effect::Pods { number: 1, place: all.clone() }]);
    assert_eq!(app.pods.rows().len(), 0, "what is shown is of the place that is named");
    assert_eq!(press(&mut app, "0"), [Effect::Pods { number: 2, place: shop() }]);
    let jobs = Place { namespace: Some("jobs".to_owned()), ..shop() };
    assert_eq!(command(&mut app, "ns jobs"), [Effect::Pods { number: 3, place: jobs.clone() }]);
    assert_eq!(command(&mut app, "ns all"), [Effect::Pods { number: 4, place: Place { everywhere: true, ..jobs } }]);
    assert_eq!(command(&mut app, "ns ../x"), []);
    assert!(app.toast.is_some());
}

#[test]
fn a_namespace_from_the_list_or_typed() {
    let mut app = cluster();
    assert_eq!(press(&mut app, "n"), [Effect::Namespaces { number: 0 }]);
    assert_eq!(app.mode(), Mode::Choose);
    let result = Ok(["default", "jobs", "shop"].map(str::to_owned).to_vec());
    update(&mut app, Msg::Namespaces { number: 0, result });
    press(&mut app, "/ j o b Enter");
    let jobs = Place { namespace: Some("jobs".to_owned()), ..shop() };
    assert_eq!(press(&mut app, "Enter"), [Effect::Pods { number: 1, place: jobs }]);
    assert!(app.layers.is_empty());
    // Where they may not be listed, the one that is meant can be typed.
    press(&mut app, "n");
    update(&mut app, Msg::Namespaces { number: 1, result: Err(fake::failure()) });
    assert!(
        matches!(app.layers.last(), Some(Layer::Choose(choose)) if choose.failure.is_some() && !choose.rows().is_empty())
    );
    press(&mut app, ":");
    type_in(&mut app, "shop");
    assert_eq!(press(&mut app, "Enter"), [Effect::Pods { number: 2, place: shop() }]);
}

#[test]
fn another_cluster_with_its_own_namespace() {
    let mut app = cluster();
    let staging =
        Place { context: Some("staging".to_owned()), namespace: Some("default".to_owned()), ..Place::default() };
    assert_eq!(press(&mut app, "c"), [Effect::Contexts]);
    update(&mut app, Msg::Contexts(Ok(fake::contexts())));
    assert_eq!(press(&mut app, "j Enter"), [Effect::Pods { number: 1, place: staging.clone() }]);
    // What comes of the one before is not shown as its own.
    update(&mut app, Msg::Pods { number: 0, result: Ok(Box::new(fake::listed())) });
    assert_eq!(app.pods.rows().len(), 0);
    command(&mut app, "ctx nosuch");
    assert_eq!(app.pods.place, staging);
    assert!(app.toast.is_some());
}

#[test]
fn what_is_shown_is_what_is_asked_whatever_the_configuration_says_later() {
    let mut app = cluster();
    let current = Some("staging".to_owned());
    update(&mut app, Msg::Contexts(Ok(crate::engine::kube::Contexts { current, ..fake::contexts() })));
    assert_eq!((app.pods.context().as_str(), app.pods.place.clone()), ("prod-eu", shop()));
}

#[test]
fn a_context_that_is_named_before_any_is_known() {
    let mut app = start();
    assert_eq!(command(&mut app, "ctx staging"), [Effect::Contexts]);
    let effects = update(&mut app, Msg::Contexts(Ok(fake::contexts())));
    let staging =
        Place { context: Some("staging".to_owned()), namespace: Some("default".to_owned()), ..Place::default() };
    assert_eq!(effects, [Effect::Pods { number: 1, place: staging }]);
}

#[test]
fn from_the_engine_to_the_cluster_and_back() {
    let mut app = start();
    assert_eq!(press(&mut app, "Tab"), [Effect::Contexts]);
    assert_eq!(app.mode(), Mode::Pods);
    assert_eq!(press(&mut app, "Tab"), []);
    assert_eq!(app.mode(), Mode::Picker);
    let mut app = live();
    assert!(command(&mut app, "pods jobs").contains(&Effect::Close), "what is open is left for it");
    assert_eq!((app.mode(), app.pods.place.namespace.as_deref()), (Mode::Pods, Some("jobs")));
    assert_eq!(command(&mut app, "containers"), []);
    assert_eq!(app.mode(), Mode::Picker);
}

#[test]
fn where_no_engine_answers_there_may_be_a_cluster() {
    let mut app = start();
    let effects = update(&mut app, Msg::Containers(Err(fake::unreachable())));
    assert!(effects.contains(&Effect::Contexts));
    update(&mut app, Msg::Contexts(Ok(fake::contexts())));
    let effects = update(&mut app, Msg::Containers(Err(fake::unreachable())));
    assert!(!effects.contains(&Effect::Contexts), "that is known by now");
}

#[test]
fn they_are_listed_again_while_they_are_on_the_screen() {
    let mut app = cluster();
    let asks = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Pods { .. })).count();
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(1)))), 0);
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(2)))), 1);
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(30)))), 0, "never two at once");
    update(&mut app, Msg::Pods { number: 0, result: Ok(Box::new(fake::listed())) });
    press(&mut app, "Space");
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(60)))), 0, "the screen is held still");
    press(&mut app, "Space Tab");
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(90)))), 0, "nobody looks");
    press(&mut app, "Tab Enter");
    assert_eq!(asks(&update(&mut app, Msg::Tick(fake::clock(120)))), 0, "a pod is open");
}

#[test]
fn a_name_that_no_pod_can_have_is_not_sent() {
    let mut app = cluster();
    let mut listed = fake::listed();
    listed.rows.truncate(1);
    listed.rows[0].pod = "../../secrets".to_owned();
    update(&mut app, Msg::Pods { number: 0, result: Ok(Box::new(Listed { pods: 1, ..listed })) });
    assert_eq!(press(&mut app, "Enter"), []);
    assert!(app.work.is_none() && app.toast.is_some());
}

//! The list of pods, and what is chosen over it.

use super::{Mood, drawn, key};
use crate::engine::State;
use crate::exit::{Exit, Failure};
use crate::target::Target;
use crate::tui::app::pods::Source;
use crate::tui::app::{App, Options, update};
use crate::tui::effect::Place;
use crate::tui::fake;
use crate::tui::message::{Msg, Outside};
use crate::tui::screens::dump::styled_dump;

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 45)];

fn forbidden(what: &str) -> Failure {
    let message =
        format!("the cluster refused to list {what}: {what} is forbidden: User \"jane\" cannot list resource");
    Failure::new(Exit::NotPermitted, message).try_this("ask an administrator for the right")
}

fn start(place: Place, size: (u16, u16)) -> App {
    let (mut app, _) = App::new(Options { size, source: Source::Cluster, place, ..Options::default() });
    update(&mut app, Msg::Tick(fake::clock(0)));
    app
}

/// With pods, or why there are none.
fn list(app: &mut App, result: Result<crate::engine::kube::list::Listed, Failure>) {
    let number = app.pods.number();
    update(app, Msg::Pods { number, result: result.map(Box::new) });
}

/// A screen of the pods in a mood.
pub(super) fn fill(app: &mut App, mood: Mood, screen: &str) {
    app.source = Source::Cluster;
    app.pods.place.everywhere = true;
    update(app, Msg::Contexts(Ok(fake::contexts())));
    let mut listed = fake::listed();
    if mood == Mood::Empty {
        listed = crate::engine::kube::list::Listed::default();
    }
    if mood == Mood::Hostile {
        for row in &mut listed.rows {
            for text in [&mut row.namespace, &mut row.pod, &mut row.container, &mut row.image, &mut row.message] {
                *text = fake::HOSTILE.to_owned();
            }
            (row.node, row.state, row.status) =
                (Some(fake::HOSTILE.to_owned()), State::Restarting, fake::HOSTILE.to_owned());
            row.restarts = 1;
            if let Some(last) = &mut row.last {
                last.reason = fake::HOSTILE.to_owned();
            }
        }
    }
    list(app, Ok(listed));
    update(app, key("G"));
    update(app, key("k"));
    if mood == Mood::Broken && screen == "pods" {
        let failure = Failure::new(
            Exit::Unreachable,
            "the cluster at https://10.0.0.1:6443/ does not answer: connection refused",
        );
        list(app, Err(failure.try_this("does `kubectl version` reach it? see --context and KUBECONFIG")));
        update(app, Msg::Tick(fake::clock(90)));
    }
    let number = app.pods.number();
    match (screen, mood) {
        ("contexts", Mood::Empty) => {
            update(app, key("c"));
            update(app, Msg::Contexts(Ok(crate::engine::kube::Contexts::default())));
        }
        ("contexts", Mood::Broken) => {
            update(app, key("c"));
            let failure = Failure::new(Exit::Usage, "no cluster can be chosen: failed to read the file");
            update(app, Msg::Contexts(Err(failure)));
        }
        ("contexts", _) => {
            update(app, key("c"));
            update(app, Msg::Contexts(Ok(fake::contexts())));
        }
        ("namespaces", mood) => {
            update(app, key("n"));
            let result = match mood {
                Mood::Broken => Err(forbidden("namespaces")),
                Mood::Hostile => Ok(vec![fake::HOSTILE.to_owned()]),
                Mood::Empty => Ok(Vec::new()),
                Mood::Typical => Ok(["default", "jobs", "kube-system", "shop"].map(str::to_owned).to_vec()),
            };
            update(app, Msg::Namespaces { number, result });
        }
        _ => {}
    }
}

fn looks(name: &str, size: (u16, u16), app: &App) {
    insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), styled_dump(&drawn(app, size)));
}

#[test]
fn one_namespace_of_a_cluster() {
    for size in SIZES {
        let mut app = start(Place::default(), size);
        looks("pods_before_anything", size, &app);
        update(&mut app, Msg::Contexts(Ok(fake::contexts())));
        let mut listed = fake::listed();
        listed.rows.retain(|row| row.namespace == "shop");
        (listed.cut, listed.more) = (true, Some(1234));
        list(&mut app, Ok(listed));
        update(&mut app, key("j"));
        update(&mut app, key("j"));
        looks("pods_shop", size, &app);
        update(&mut app, key("/"));
        for letter in ["z", "o", "o"] {
            update(&mut app, key(letter));
        }
        update(&mut app, key("Enter"));
        update(&mut app, key("a"));
        looks("pods_filtered", size, &app);
    }
}

#[test]
fn why_no_pod_is_listed() {
    for size in SIZES {
        let mut app = start(Place { selector: Some("app=web".to_owned()), ..Place::default() }, size);
        update(&mut app, Msg::Contexts(Ok(fake::contexts())));
        list(&mut app, Err(forbidden("pods")));
        looks("pods_forbidden", size, &app);
        let mut app = start(Place::default(), size);
        let failure = Failure::new(
            Exit::Usage,
            "no cluster can be chosen: failed to read kubeconfig from \"/home/jane/.kube/config\"",
        );
        update(&mut app, Msg::Contexts(Err(failure.try_this("name one with --context or --kubeconfig"))));
        looks("pods_no_kubeconfig", size, &app);
    }
}

#[test]
fn a_record_that_would_stay_is_asked_about() {
    for size in SIZES {
        let mut app = start(Place::default(), size);
        update(&mut app, Msg::Contexts(Ok(fake::contexts())));
        list(&mut app, Ok(fake::listed()));
        update(&mut app, key("j"));
        update(&mut app, key("Enter"));
        let why = Outside::Adds("65532:0, no capabilities".to_owned());
        let target = Box::new(Target::Pod(Box::new(fake::pod("web-7976cf4947-bznkr"))));
        update(&mut app, Msg::Approached { generation: 1, target, why });
        looks("pods_question", size, &app);
    }
}

#[test]
fn no_engine_but_a_cluster() {
    for size in SIZES {
        let (mut app, _) = App::new(Options { size, ..Options::default() });
        update(&mut app, Msg::Containers(Err(fake::unreachable())));
        update(&mut app, Msg::Contexts(Ok(fake::contexts())));
        looks("picker_no_engine", size, &app);
    }
}

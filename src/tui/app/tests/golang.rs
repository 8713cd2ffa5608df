//! The tab of goroutines.

use super::{answer, command, live, opened, press, requests, type_in, work};
use crate::engine::State;
use crate::target::ContainerPid;
use crate::tui::app::golang::{Golang, Pane, Shown};
use crate::tui::app::{App, update};
use crate::tui::effect::Effect;
use crate::tui::fake::{self, golang};
use crate::tui::message::{Goroutines, Msg, Request};

fn read(app: &mut App, goroutines: Goroutines) {
    let request = Request::Goroutines(view(app).pid);
    answer(app, request, Ok(golang::answer(goroutines)));
}

fn tab(workers: u64) -> App {
    let mut app = live();
    press(&mut app, "8");
    read(&mut app, golang::goroutines(workers));
    app
}

fn view(app: &App) -> &Golang {
    &work(app).golang
}

fn cells(app: &App, row: usize) -> Vec<String> {
    view(app).cells(row).unwrap()
}

fn filter(app: &mut App, text: &str) {
    press(app, "/");
    type_in(app, text);
    press(app, "Enter");
}

/// Whether they are asked for once so many seconds have passed.
fn asked_at(app: &mut App, seconds: u64) -> bool {
    let effects = update(app, Msg::Tick(fake::clock(seconds)));
    requests(&effects).contains(&&Request::Goroutines(None))
}

#[test]
fn they_are_read_while_the_tab_is_shown_and_seldom_where_it_takes_long() {
    let mut app = live();
    assert_eq!(requests(&press(&mut app, "8")), [&Request::Goroutines(None)]);
    let mut slow = golang::goroutines(3);
    slow.dump.took = std::time::Duration::from_millis(500);
    read(&mut app, slow);
    assert!(!asked_at(&mut app, 8), "a reading takes half a second");
    assert!(asked_at(&mut app, 10));
    read(&mut app, golang::goroutines(3));
    assert!(asked_at(&mut app, 12));
    read(&mut app, golang::goroutines(3));
    press(&mut app, "1");
    assert!(!asked_at(&mut app, 60), "nobody looks");
}

#[test]
fn another_process_can_be_named() {
    let mut app = tab(3);
    let effects = command(&mut app, "go 7");
    assert!(view(&app).rows.is_empty(), "what was shown is of another process");
    assert_eq!(requests(&effects), [&Request::Goroutines(Some(ContainerPid(7)))]);
    // An answer about the one before comes late.
    answer(&mut app, Request::Goroutines(None), Ok(golang::answer(golang::goroutines(3))));
    assert!(view(&app).rows.is_empty());
    read(&mut app, golang::goroutines(3));
    assert_eq!(view(&app).rows.len(), 2);
    command(&mut app, "go nonsense");
    assert_eq!(view(&app).pid, Some(ContainerPid(7)));
}

#[test]
fn places_and_how_they_grow() {
    let mut app = tab(3);
    assert_eq!(
        cells(&app, 0),
        ["3", "", "", "chan receive", "22m", "store.(*Store).worker  store.go:80"],
        "the most first, in the program's own code"
    );
    assert_eq!(cells(&app, 1)[5], "main.run  main.go:61");
    for workers in [5, 9, 10] {
        read(&mut app, golang::goroutines(workers));
    }
    assert_eq!(cells(&app, 0)[..3], ["10", "+1", "+7"]);
    assert_eq!(view(&app).rows[0].trend.unwrap().grew, 3);
    read(&mut app, golang::goroutines(8));
    assert_eq!(cells(&app, 0)[..3], ["8", "-2", "+5"]);
    assert_eq!(view(&app).rows[0].trend.unwrap().grew, 0);
    // A filter makes none of them grow or shrink.
    filter(&mut app, "tenant");
    assert_eq!(view(&app).rows.len(), 1);
    assert_eq!(cells(&app, 0)[..3], ["1", "-2", "+5"]);
}

#[test]
fn a_program_that_began_anew_is_compared_with_nothing() {
    let mut app = tab(3);
    read(&mut app, golang::goroutines(9));
    assert_eq!(cells(&app, 0)[..3], ["9", "+6", "+6"]);
    let generation = work(&app).generation;
    update(&mut app, Msg::Opened { generation, result: Ok(opened(State::Running)) });
    read(&mut app, golang::goroutines(4));
    assert_eq!(cells(&app, 0)[..3], ["4", "", ""]);
}

#[test]
fn a_place_outside_the_program_is_named_by_what_began_it() {
    let mut app = live();
    press(&mut app, "8");
    read(&mut app, golang::named("net/http.(*conn).serve", 3));
    assert_eq!(cells(&app, 0)[5], "http.(*conn).serve  store.go:80");
}

#[test]
fn what_was_selected_stays_selected() {
    let mut app = tab(3);
    press(&mut app, "j");
    assert_eq!(view(&app).cursor.at, 1);
    // The first one has more company now than the workers.
    let mut other = golang::goroutines(1);
    let mut again = other.dump.goroutines[0].clone();
    again.id = 99;
    other.dump.goroutines.push(again);
    read(&mut app, other);
    assert_eq!((view(&app).cursor.at, view(&app).rows[0].group.members.len()), (0, 2));
    assert!(view(&app).lines[0].contains("main.run"), "{:?}", view(&app).lines);
}

#[test]
fn from_a_place_to_one_goroutine_and_back() {
    let mut app = tab(3);
    press(&mut app, "Enter");
    assert!(matches!(view(&app).shown, Shown::Of(_)));
    let ids: Vec<String> = (0..3).map(|row| cells(&app, row).remove(0)).collect();
    assert_eq!(ids, ["20", "21", "22"]);
    press(&mut app, "j");
    assert!(view(&app).heading().contains("goroutine 21: chan receive"), "{}", view(&app).heading());
    press(&mut app, "Enter");
    assert_eq!(view(&app).focus, Pane::Stack);
    assert_eq!(
        view(&app).lines,
        [
            "sync.(*Pool).Get  (inlined)",
            "    sync/pool.go:12",
            "example.com/shop/store.(*Store).worker",
            "    /shop/store.go:80",
            "created by main.main",
            "    /shop/main.go:34",
            "started by goroutine 1",
        ]
    );
    press(&mut app, "q");
    assert_eq!(view(&app).focus, Pane::List);
    press(&mut app, "Esc");
    assert_eq!((&view(&app).shown, view(&app).rows.len(), view(&app).cursor.at), (&Shown::Groups, 2, 0));
    press(&mut app, "v");
    assert_eq!(view(&app).rows.len(), 4, "all of them, one by one");
    press(&mut app, "a");
    assert_eq!(view(&app).rows.len(), 5, "and the runtime's");
    filter(&mut app, "22");
    assert_eq!(cells(&app, 0)[0], "22");
}

#[test]
fn what_is_copied() {
    let mut app = tab(3);
    let copied = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        })
    };
    assert!(copied(press(&mut app, "y")).unwrap().contains("store.(*Store).worker"));
    assert_eq!(copied(press(&mut app, "Y")).unwrap().lines().count(), 2);
    press(&mut app, "Tab");
    assert!(copied(press(&mut app, "Y")).unwrap().contains("created by main.main"));
}

#[test]
fn a_screen_held_still_keeps_its_goroutines() {
    let mut app = tab(3);
    press(&mut app, "Space");
    read(&mut app, golang::goroutines(9));
    assert_eq!(view(&app).count, 4);
    press(&mut app, "Space");
    assert_eq!(view(&app).count, 10);
}

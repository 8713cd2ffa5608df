use super::*;
use crate::delve::model;
use crate::tui::fake;

fn page(from: i64, count: i64, next: Option<u64>) -> Page {
    let one = |id| fake::goroutine(id, if id % 2 == 0 { "main.even" } else { "main.odd" }, 7);
    Page { goroutines: (from..from + count).map(one).collect(), next }
}

fn group(name: &str, total: u64, first: i64) -> model::Group {
    model::Group { name: name.into(), total, members: page(first, 3, None).goroutines }
}

#[test]
fn pages_are_read_as_one_goes_down() {
    let mut list = Goroutines::default();
    let asked = list.due(20).unwrap();
    assert_eq!(asked, Question::Goroutines { from: 0, which: Which::User });
    assert_eq!(list.due(20), None, "it is on its way");
    assert!(list.awaits(&asked));
    list.arrive(&page(0, 500, Some(500)));
    assert!(!list.awaits(&asked), "it has come");
    assert_eq!(list.due(20), None, "there is enough to be seen");
    list.cursor.at = 460;
    list.cursor.settle(list.rows.len(), 20);
    assert_eq!(list.due(20), Some(Question::Goroutines { from: 500, which: Which::User }));
    list.arrive(&page(500, 10, None));
    assert_eq!((list.due(20), list.read()), (None, 510));
}

#[test]
fn the_bottom_is_the_end_of_all_of_them() {
    let mut list = Goroutines::default();
    list.due(20);
    list.arrive(&page(0, 500, Some(500)));
    list.go(Action::Bottom, 20);
    let mut from = 500;
    while let Some(Question::Goroutines { from: next, .. }) = list.due(20) {
        assert_eq!(next, from);
        from += 500;
        list.arrive(&page(i64::try_from(next).unwrap(), 500, (from < 100_000).then_some(from)));
    }
    assert_eq!((list.read(), list.selected()), (100_000, Some(99_999)));
}

#[test]
fn one_that_does_not_go_on_is_not_asked_for_without_end() {
    let mut list = Goroutines::default();
    list.due(20);
    list.arrive(&page(0, 1, Some(0)));
    assert_eq!((list.due(20), list.next), (None, None));
}

#[test]
fn a_filter_looks_at_place_state_and_labels_and_reads_on() {
    let mut list = Goroutines::default();
    list.due(10);
    list.arrive(&Page { goroutines: fake::goroutines(), next: Some(3) });
    for (filter, ids) in [
        ("packorders", vec![18]),
        ("store.go:99", vec![22]),
        ("request=cart", vec![22]),
        ("running", vec![1]),
        ("^22$", vec![22]),
        ("started by main.main", vec![1]),
        ("chan receive", vec![18, 22]),
        ("nothing of that", vec![]),
    ] {
        list.set_filter(Pattern::new(filter));
        let shown: Vec<i64> = (0..list.rows.len()).filter_map(|row| list.at(row)).map(|line| line.id).collect();
        assert_eq!(shown, ids, "{filter}");
    }
    // What passes may come later.
    assert!(list.due(10).is_some());
    list.arrive(&Page { goroutines: vec![fake::goroutine(40, "main.nothing of that", 1)], next: None });
    assert_eq!(list.selected(), Some(40));
    list.set_filter(None);
    assert_eq!((list.rows.len(), list.selected()), (4, Some(40)), "what is selected stays so");
}

#[test]
fn groups_add_up_and_unfold() {
    let mut list = Goroutines::default();
    list.list(Which::All, Some(By::Start));
    assert_eq!(list.due(20), Some(Question::Groups { from: 0, which: Which::All, by: By::Start }));
    let groups = vec![group("main.worker", 40, 1), group("main.main", 1, 90)];
    list.arrive_groups(&Groups { groups, more: false, next: Some(5000) });
    list.cursor.at = 1;
    assert_eq!(list.copied(1).as_deref(), Some("1 main.main"));
    // The next ones turn the order round; what is selected stays so.
    assert_eq!(list.due(20), Some(Question::Groups { from: 5000, which: Which::All, by: By::Start }));
    let groups = vec![group("main.main", 80, 200)];
    list.arrive_groups(&Groups { groups, more: false, next: None });
    assert_eq!((list.copied(0).as_deref(), list.cursor.at, list.read()), (Some("81 main.main"), 0, 121));
    assert!(list.toggle());
    assert_eq!(list.rows.len(), 2 + 6);
    list.cursor.at = 4;
    assert_eq!((list.rows.get(4), list.selected()), (Some(&Row::Member(0, 3)), Some(200)));
    assert!(!list.toggle(), "no group is there");
    list.set_filter(Pattern::new("worker"));
    assert_eq!(list.rows.len(), 1);
}

#[test]
fn another_choice_begins_anew_and_old_answers_do_not_count() {
    let mut list = Goroutines::default();
    let old = list.due(20).unwrap();
    list.list(Which::All, None);
    assert!(!list.awaits(&old));
    list.due(20);
    assert!(!list.awaits(&old));
}

#[test]
fn states_are_words() {
    let mut goroutine = fake::goroutine(1, "main.f", 1);
    assert_eq!(state(&goroutine), "chan receive");
    goroutine.wait = Some(Wait { number: 99, words: None });
    assert_eq!(state(&goroutine), "waiting (99)");
    (goroutine.wait, goroutine.status) = (None, model::Status::Syscall);
    assert_eq!(state(&goroutine), "syscall");
    goroutine.unreadable = Some(fake::HOSTILE.into());
    assert!(state(&goroutine).starts_with("unreadable: \\x1b"));
}

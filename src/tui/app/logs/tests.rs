use super::*;
use crate::tui::keymap::Action;

fn line(text: impl Into<Vec<u8>>, stderr: bool) -> Line {
    crate::tui::fake::line(text, stderr)
}

fn numbered(count: usize) -> Logs {
    let mut logs = Logs::new(100_000, 8 << 20);
    logs.push((0..count).map(|at| line(format!("line {at}"), at % 3 == 0)).collect());
    while logs.scan() {}
    logs
}

fn page(logs: &Logs, height: usize) -> Vec<String> {
    logs.page(80, height)
        .filter_map(|id| logs.line(id))
        .map(|line| String::from_utf8_lossy(line.text).into_owned())
        .collect()
}

#[test]
fn the_end_is_followed_until_one_moves_up() {
    let mut logs = numbered(100);
    logs.settle(80, 3);
    assert_eq!(page(&logs, 3), ["line 97", "line 98", "line 99"]);
    logs.go(Action::Up, 80, 3);
    assert!(!logs.follow);
    logs.push(vec![line("new", false)]);
    logs.settle(80, 3);
    assert_eq!(page(&logs, 3), ["line 97", "line 98", "line 99"]);
    logs.go(Action::Bottom, 80, 3);
    assert!(logs.follow);
    assert_eq!(page(&logs, 3), ["line 98", "line 99", "new"]);
    logs.go(Action::Top, 80, 3);
    assert_eq!(page(&logs, 3), ["line 0", "line 1", "line 2"]);
}

#[test]
fn a_page_stays_where_it_is_while_old_lines_are_dropped() {
    let mut logs = Logs::new(10, 1 << 20);
    logs.push((0..10).map(|at| line(format!("{at}"), false)).collect());
    logs.follow = false;
    logs.cursor = 7;
    logs.settle(80, 3);
    let before = page(&logs, 3);
    logs.push((10..13).map(|at| line(format!("{at}"), false)).collect());
    logs.settle(80, 3);
    assert_eq!(page(&logs, 3), before);
    logs.push((13..30).map(|at| line(format!("{at}"), false)).collect());
    logs.settle(80, 3);
    assert_eq!(page(&logs, 3), ["20", "21", "22"], "what is gone is gone");
}

#[test]
fn filter_and_streams_show_what_they_say() {
    let mut logs = numbered(20);
    logs.set_filter(Pattern::filter("1"));
    logs.settle(80, 20);
    assert_eq!(logs.len(), 11);
    logs.next_streams();
    logs.settle(80, 20);
    assert_eq!(page(&logs, 20), ["line 12", "line 15", "line 18"]);
    logs.push(vec![line("line 21", true), line("line 21", false), line("x", true)]);
    assert_eq!(logs.len(), 4);
    logs.set_filter(None);
    assert_eq!(logs.len(), 9);
    logs.next_streams();
    logs.next_streams();
    assert_eq!(logs.len(), 23);
    logs.set_filter(Pattern::filter("!line"));
    assert_eq!(logs.len(), 1);
}

#[test]
fn a_search_begins_at_the_end_and_goes_round() {
    let mut logs = numbered(50);
    logs.set_search(Pattern::new("7"));
    assert_eq!((logs.counter().as_str(), logs.current), ("5/5", Some(47)));
    logs.step(true);
    assert_eq!((logs.counter().as_str(), logs.current), ("1/5", Some(7)));
    logs.step(false);
    assert_eq!(logs.current, Some(47));
    logs.step(false);
    assert_eq!(logs.current, Some(37));
    assert!(!logs.follow);
    logs.set_search(Pattern::new("nothing"));
    assert!(!logs.step(true));
    assert_eq!(logs.counter(), "0/0");
}

#[test]
fn a_flood_is_looked_at_once_and_in_slices() {
    let mut logs = Logs::new(200_000, 64 << 20);
    logs.set_filter(Pattern::filter("7"));
    logs.set_search(Pattern::new("77"));
    let mut pushed = 0u64;
    for _ in 0..200 {
        let before = logs.looked;
        logs.push((0..500).map(|at| line(format!("line {at}"), false)).collect());
        pushed += 500;
        assert!(logs.looked - before <= SLICE as u64);
    }
    while logs.scan() {}
    assert_eq!(logs.looked, 2 * pushed, "each line once for the filter and once for the search");

    let mut logs = numbered(50_000);
    let before = logs.looked;
    assert!(logs.set_filter(Pattern::filter("9")), "one slice is not enough");
    assert_eq!(logs.looked - before, SLICE as u64);
    assert_eq!(logs.id_at(logs.len() - 1), Some(49_999), "the newest lines are there at once");
    while logs.scan() {}
    assert_eq!(logs.looked - before, 50_000);
}

#[test]
fn frozen_it_does_not_grow() {
    let mut logs = numbered(10);
    logs.freeze(true);
    logs.push(vec![line("new", false)]);
    logs.settle(80, 3);
    assert_eq!((logs.len(), logs.held_back()), (10, 1));
    assert_eq!(page(&logs, 3).last().map(String::as_str), Some("line 9"));
    logs.freeze(false);
    logs.settle(80, 3);
    assert_eq!(page(&logs, 3).last().map(String::as_str), Some("new"));
}

#[test]
fn wrapped_lines_take_their_rows() {
    let mut logs = Logs::new(100, 1 << 20);
    logs.push(vec![line("a".repeat(25), false), line("b", false), line("c".repeat(1000), false)]);
    logs.wrap = true;
    assert_eq!([0, 1, 2].map(|at| logs.rows(at, 12, 5)), [3, 1, 5]);
    logs.settle(12, 5);
    assert_eq!(logs.page(12, 5).collect::<Vec<_>>(), [2]);
    logs.go(Action::Up, 12, 5);
    logs.go(Action::Up, 12, 5);
    assert_eq!(logs.page(12, 5).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn what_is_shown_is_saved_as_it_came() {
    let mut logs = numbered(10_000);
    logs.push(vec![line(&b"\x1b[31mred\xff"[..], true)]);
    logs.set_filter(Pattern::filter("!line"));
    while logs.scan() {}
    logs.begin_save("x.log".to_owned());
    let mut out = Vec::new();
    let mut chunks = 0;
    while let Some(chunk) = logs.save_chunk() {
        out.extend(chunk);
        chunks += 1;
    }
    assert_eq!(out, b"\x1b[31mred\xff\n");
    assert!(chunks > 1 && logs.save.is_none());
}

proptest::proptest! {
    #[test]
    fn the_page_is_never_out_of_bounds(
        actions in proptest::collection::vec(0usize..12, 0..40),
        width in 0usize..40,
        height in 0usize..10,
        capacity in 1usize..30,
    ) {
        let mut logs = Logs::new(capacity, 4096);
        for (round, action) in actions.into_iter().enumerate() {
            match action {
                0 => { logs.push((0..round % 7).map(|at| line("word ".repeat(at), at == 1)).collect()); }
                1 => { logs.set_filter(Pattern::filter("word word")); }
                2 => { logs.next_streams(); }
                3 => { logs.set_search(Pattern::new("w")); }
                4 => { logs.step(round % 2 == 0); }
                5 => logs.freeze(round % 2 == 0),
                6 => logs.wrap = !logs.wrap,
                7 => { logs.go(Action::Up, width, height); }
                8 => { logs.go(Action::PageUp, width, height); }
                9 => { logs.go(Action::Bottom, width, height); }
                10 => { logs.go(Action::Top, width, height); }
                _ => { logs.go(Action::Down, width, height); }
            }
            while logs.scan() {}
            logs.settle(width, height);
            let shown = logs.page(width, height).count();
            assert!(shown <= height);
            assert!(height == 0 || shown > 0 || logs.is_empty());
        }
    }
}

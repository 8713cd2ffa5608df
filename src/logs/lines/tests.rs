use std::time::{Duration, UNIX_EPOCH};

use hyper::body::Bytes;

use super::*;
use crate::logs::Line;

fn piece(output: Output, start: bool, bytes: &[u8]) -> Piece {
    Piece { output, start, bytes: Bytes::copy_from_slice(bytes) }
}

fn collect(mut lines: Lines, pieces: impl IntoIterator<Item = Piece>) -> Vec<Line> {
    let mut out = Vec::new();
    let mut each = |line: LineRef<'_>| out.push(line.to_line());
    for piece in pieces {
        lines.feed(&piece, &mut each);
    }
    lines.finish(&mut each);
    out
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.text.lossy().into_owned()).collect()
}

/// The n-th second of 1970 as the engine writes it.
fn at(second: u64) -> String {
    format!("{} ", humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_secs(second)))
}

#[test]
fn lines_do_not_depend_on_where_bytes_are_cut() {
    let bytes = format!("{}one\n{}two\r\n{}\n{}last", at(1), at(2), at(3), at(4));
    for cut in 1..bytes.len() {
        let pieces = bytes.as_bytes().chunks(cut).map(|part| piece(Output::Stdout, false, part));
        let lines = collect(Lines::new(true, true, 100), pieces);
        assert_eq!(texts(&lines), ["one", "two", "", "last"], "{cut}");
        let times: Vec<_> =
            lines.iter().map(|line| line.time.unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs()).collect();
        assert_eq!(times, [1, 2, 3, 4], "{cut}");
    }
}

#[test]
fn two_outputs_do_not_mix() {
    let pieces = [
        piece(Output::Stdout, true, b"ou"),
        piece(Output::Stderr, true, b"err\nno "),
        piece(Output::Stdout, false, b"t\n"),
        piece(Output::Stderr, true, b"end"),
    ];
    let lines = collect(Lines::new(false, false, 100), pieces);
    assert_eq!(texts(&lines), ["err", "out", "no end"]);
    assert_eq!(
        lines.iter().map(|line| line.output).collect::<Vec<_>>(),
        [Output::Stderr, Output::Stdout, Output::Stderr]
    );
}

#[test]
fn a_line_the_engine_split_is_joined_and_keeps_its_first_time() {
    let part = |second, text: &str| piece(Output::Stdout, true, format!("{}{text}", at(second)).as_bytes());
    let pieces = [part(1, &"a".repeat(SPLIT)), part(2, &"b".repeat(SPLIT)), part(3, "c\n"), part(4, "next\n")];
    let lines = collect(Lines::new(true, false, 1 << 20), pieces);
    assert_eq!(texts(&lines), [format!("{}{}c", "a".repeat(SPLIT), "b".repeat(SPLIT)), "next".to_owned()]);
    assert_eq!(lines[0].time, Some(UNIX_EPOCH + Duration::from_secs(1)));
    assert_eq!(lines[1].time, Some(UNIX_EPOCH + Duration::from_secs(4)));
    // The same, raw: where messages start is not told.
    let raw = format!("{}{}{}{}{}c\r\n{}next\r\n", at(1), "a".repeat(SPLIT), at(2), "b".repeat(SPLIT), at(3), at(4));
    for cut in [1, 7, 1000, SPLIT, usize::MAX] {
        let pieces = raw.as_bytes().chunks(cut.min(raw.len())).map(|part| piece(Output::Stdout, false, part));
        assert_eq!(texts(&collect(Lines::new(true, true, 1 << 20), pieces)), texts(&lines), "{cut}");
    }
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    for (length, shown, cut) in [(9, 9, false), (10, 10, false), (11, 10, true), (100_000, 10, true)] {
        for step in [1, 3, 1 << 20] {
            let text = [vec![b'x'; length], b"\nnext\n".to_vec()].concat();
            let pieces = text.chunks(step).map(|part| piece(Output::Stdout, true, part));
            let lines = collect(Lines::new(false, false, 10), pieces);
            assert_eq!(
                (lines[0].text.bytes().len(), lines[0].cut, lines[0].length),
                (shown, cut, length as u64),
                "{length} {step}"
            );
            assert_eq!(lines[1].text.bytes(), b"next");
        }
    }
}

#[test]
fn a_message_without_a_time_is_all_text() {
    let text = "no time here, just words and more words than a time is long\n2026 short\nx\n\n";
    for cut in 1..text.len() {
        let pieces = text.as_bytes().chunks(cut).map(|part| piece(Output::Stdout, false, part));
        let lines = collect(Lines::new(true, true, 1000), pieces);
        assert_eq!(texts(&lines).join("\n") + "\n", text, "{cut}");
        assert!(lines.iter().all(|line| line.time.is_none()));
    }
}

#[test]
fn empty_lines_count() {
    let lines = collect(Lines::new(false, false, 10), [piece(Output::Stdout, true, b"\n\na\n\n")]);
    assert_eq!(texts(&lines), ["", "", "a", ""]);
    assert!(collect(Lines::new(true, false, 10), []).is_empty());
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>, cut in 1..64_usize, tty: bool, times: bool) {
        fuzz(&bytes, cut, tty, times);
    }

    #[test]
    fn nothing_is_lost_without_times(text in "[a-z\n]{0,200}", cut in 1..40_usize) {
        let pieces = text.as_bytes().chunks(cut).map(|part| piece(Output::Stderr, true, part));
        let lines = collect(Lines::new(false, false, 1000), pieces);
        let expected: Vec<_> = text.lines().map(str::to_owned).collect();
        proptest::prop_assert_eq!(texts(&lines), expected);
    }
}

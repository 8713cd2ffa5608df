//! Which modes a program has left switched on in its terminal, told from all that it has written.

use std::collections::BTreeMap;

/// Private modes that are on before anything is written.
const ON_AT_FIRST: [u16; 2] = [/* autowrap */ 7, /* cursor */ 25];

/// The modes that are not as a terminal has them at first, and key protocols that were pushed and not popped.
pub fn left_on(raw: &[u8]) -> Vec<String> {
    let mut modes: BTreeMap<u16, bool> = BTreeMap::new();
    let mut pushed = 0_i32;
    for (private, parameters, last) in sequences(raw) {
        match (private, last) {
            (b'?', b'h' | b'l') => {
                for mode in parameters.split(';').filter_map(|number| number.parse().ok()) {
                    modes.insert(mode, last == b'h');
                }
            }
            (b'>', b'u') => pushed += 1,
            (b'<', b'u') => pushed -= parameters.parse::<i32>().unwrap_or(1),
            _ => {}
        }
    }
    let changed = modes.into_iter().filter(|(mode, on)| *on != ON_AT_FIRST.contains(mode));
    let mut left: Vec<_> = changed.map(|(mode, on)| format!("mode {mode} {}", if on { "on" } else { "off" })).collect();
    if pushed > 0 {
        left.push("a key protocol".to_owned());
    }
    left
}

/// All control sequences `ESC [ private parameters last` with a private mark.
fn sequences(raw: &[u8]) -> impl Iterator<Item = (u8, &str, u8)> {
    raw.windows(2).enumerate().filter(|(_, two)| *two == b"\x1b[").filter_map(|(at, _)| {
        let (&private, rest) = raw.get(at + 2..)?.split_first()?;
        let length = rest.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
        let parameters = std::str::from_utf8(&rest[..length]).ok()?;
        matches!(private, b'?' | b'>' | b'<').then_some((private, parameters, rest[length]))
    })
}

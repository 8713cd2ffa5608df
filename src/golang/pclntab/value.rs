//! One table from program counters to numbers (`runtime.pcvalue`): pairs of by how much the number changes and for how many
//! instructions it then stands.

/// The longest table that is read, in bytes.
pub const LONGEST: usize = 1 << 20;

/// What a table says.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// This.
    Value(i32),
    /// It ends before.
    Nothing,
    /// These bytes end before it does.
    Cut,
}

/// Looks up an instruction, in bytes from the function's first.
pub fn find(mut bytes: &[u8], quantum: u32, wanted: u32) -> Found {
    let (mut value, mut end) = (-1_i32, 0_u32);
    let mut first = true;
    loop {
        let Some((change, rest)) = varint(bytes) else { return Found::Cut };
        if change == 0 && !first {
            return Found::Nothing;
        }
        let Some((length, rest)) = varint(rest) else { return Found::Cut };
        first = false;
        bytes = rest;
        // Zigzag: the sign is the lowest bit.
        let change = (change >> 1).cast_signed() ^ -((change & 1).cast_signed());
        value = value.wrapping_add(change);
        end = match length.checked_mul(quantum).and_then(|length| end.checked_add(length)) {
            Some(end) => end,
            None => return Found::Nothing,
        };
        if wanted < end {
            return Found::Value(value);
        }
    }
}

/// A number in groups of seven bits, lowest first (`runtime.readvarint`). `None` if the bytes end before it does.
fn varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    // Longer than any number: as good as an end.
    (bytes.len() >= 5).then(|| (0, &bytes[5..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        // 7 for 16 bytes, then 5 for 300, then the end.
        let table = [16, 16, 3, 0xac, 2, 0];
        for (wanted, is) in [(0, 7), (15, 7), (16, 5), (315, 5)] {
            assert_eq!(find(&table, 1, wanted), Found::Value(is), "{wanted}");
        }
        assert_eq!((find(&table, 1, 316), find(&table, 4, 316)), (Found::Nothing, Found::Value(5)));
        // A first change of nothing is no end.
        assert_eq!(find(&[0, 4, 0], 1, 3), Found::Value(-1));
        for cut in 0..5 {
            assert_eq!(find(&table[..cut], 1, 315), Found::Cut, "{cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_ends(bytes: Vec<u8>, quantum in 1_u32..5, wanted: u32) {
            let _ = find(&bytes, quantum, wanted);
        }
    }
}

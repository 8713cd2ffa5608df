use super::*;

/// A table of two functions, of which the second leads nowhere.
fn table() -> Vec<u8> {
    let mut table = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
    for word in [2_u64, 0, 0, 72, 0, 0, 0, 96] {
        table.extend(word.to_le_bytes());
    }
    table.extend(b"\0main.main\0runtime.goexit");
    table.resize(96, 0);
    for word in [0_u32, 24, 16, 0xffff, 32, 0, 0, 1] {
        table.extend(word.to_le_bytes());
    }
    table
}

fn names(table: Vec<u8>) -> Option<Vec<String>> {
    let functions = Functions::new(table)?;
    Some(functions.names().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

#[test]
fn names_are_read_through_the_table() {
    assert_eq!(names(table()), Some(vec!["main.main".to_owned()]));
    for bad in [&b""[..], b"\xf1\xff\xff\xff\0\0\x01", b"\xf1\xff\xff\xff\0\0\x03\x08", b"\xfb\xff\xff\xff\0\0\x01\x08"]
    {
        assert_eq!(names(bad.to_vec()), None, "{bad:?}");
    }
    // The header alone, and numbers that lead anywhere.
    assert_eq!(names(table()[..8].to_vec()), Some(Vec::new()));
    let mut wild = table();
    wild[8..72].fill(0xff);
    assert_eq!(names(wild), Some(Vec::new()));
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>, at in 0..200_usize, with: [u8; 8]) {
        fuzz(&bytes);
        let mut table = table();
        for (byte, with) in table.iter_mut().skip(at).zip(with) {
            *byte = with;
        }
        fuzz(&table);
    }
}

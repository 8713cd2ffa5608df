use super::fake::{Fake, TABLE, TEXT, layout, pc, program, table};
use super::*;
use crate::golang::symbols::{Next, Step};

fn three() -> [Fake; 3] {
    [
        Fake { name: "main.main", depth: 0x20, ..Fake::default() },
        Fake { name: "main.(*Box[go.shape.int]).get", depth: 0x48, inlined: Some("main.first"), ..Fake::default() },
        Fake { name: "runtime.goexit", flags: 1, ..Fake::default() },
    ]
}

#[test]
fn functions_by_their_instructions() {
    let (bytes, _) = table(&three());
    let mut image = Image::of_bytes(TABLE, bytes);
    let table = Pclntab::at(&mut image, TABLE).unwrap();
    for (at, name) in
        [(0, "main.main"), (0xff, "main.main"), (0x100, "main.(*Box[go.shape.int]).get"), (0x2ff, "runtime.goexit")]
    {
        let function = table.function(&mut image, layout(), at).unwrap();
        assert_eq!(table.name(&mut image, &function).unwrap(), name.as_bytes(), "{at:x}");
    }
    assert_eq!(
        (table.function(&mut image, layout(), 0x300), table.function(&mut image, layout(), u32::MAX)),
        (None, None)
    );
    let function = table.function(&mut image, layout(), 0x120).unwrap();
    assert_eq!(table.depth(&mut image, &function, 0x120), Some(0x48));
    assert_eq!(table.position(&mut image, &function, 0x120), Some((b"/src/1.go".to_vec(), 10)));
    assert_eq!(table.position(&mut image, &function, 0x1a0), Some((b"/src/1.go".to_vec(), 15)));
}

#[test]
fn calls_that_were_inlined_come_first() {
    let mut symbols = program(&three());
    let told = |frames: Vec<crate::golang::symbols::Frame>| {
        let one =
            |frame: &crate::golang::symbols::Frame| (frame.function.lossy().into_owned(), frame.line, frame.inlined);
        frames.iter().map(one).collect::<Vec<_>>()
    };
    let both = [("main.first".to_owned(), 15, true), ("main.(*Box[...]).get".to_owned(), 10, false)];
    assert_eq!(told(symbols.frames(pc(1, 0x90), false)), both);
    // A call returns behind itself: at the border, it was before it.
    assert_eq!(told(symbols.frames(pc(1, 0x80), false)), both[1..]);
    assert_eq!(told(symbols.frames(pc(1, 0x80), true)), both);
    assert_eq!(told(symbols.frames(TEXT - 1, true)), [("0x3fffff".to_owned(), 0, false)]);
    assert_eq!(symbols.step(pc(1, 0)), Some(Step { depth: Some(0x48), next: Next::Caller }));
    assert_eq!(symbols.step(pc(2, 0)), Some(Step { depth: Some(0), next: Next::Nothing }));
    assert_eq!(symbols.step(TEXT + 0x300), None);
}

#[test]
fn it_is_found_without_the_name_of_its_section() {
    let (table, _) = table(&three());
    let mut bytes = vec![7; 64 << 10];
    // Something that only begins like one.
    bytes[64..72].copy_from_slice(&[0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
    bytes[40_960..40_960 + table.len()].copy_from_slice(&table);
    let found = Pclntab::find(&mut Image::of_bytes(0x1000, bytes.clone())).unwrap();
    assert_eq!(found.address, 0x1000 + 40_960);
    bytes[40_960] = 0;
    assert!(matches!(Pclntab::find(&mut Image::of_bytes(0x1000, bytes)), Err(Error::NoTable)));
}

#[test]
fn what_makes_no_sense_is_none() {
    let (good, _) = table(&three());
    let at = |bytes: Vec<u8>| Pclntab::at(&mut Image::of_bytes(TABLE, bytes), TABLE);
    assert!(at(good.clone()).is_some());
    for (place, value) in [(0, 0), (4, 1), (6, 3), (7, 4), (8, 0), (15, 1), (32, 0xff), (71, 0xff)] {
        let mut bad = good.clone();
        bad[place] = value;
        // A place that goes up still may be there; one that does not make sense is not.
        if place != 32 {
            assert_eq!(at(bad), None, "{place}");
        }
    }
    for length in 0..72 {
        assert_eq!(at(good[..length].to_vec()), None, "{length}");
    }
}

proptest::proptest! {
    #[test]
    fn a_damaged_one_ends(place in 0_usize..2000, value: u8, offset in 0_u32..0x300) {
        let (mut bytes, _) = table(&three());
        let place = place % bytes.len();
        bytes[place] = value;
        let mut image = Image::of_bytes(TABLE, bytes);
        if let Some(table) = Pclntab::at(&mut image, TABLE)
            && let Some(function) = table.function(&mut image, layout(), offset)
        {
            let _ = table.name(&mut image, &function);
            let _ = table.position(&mut image, &function, offset);
            let _ = table.inlined(&mut image, layout(), &function, TABLE, offset);
        }
    }
}

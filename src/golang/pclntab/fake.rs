//! A table as the linker of Go 1.27 writes it, of a program that never was. For tests, here and where stacks are unwound.

use super::super::image::Image;
use super::super::layout::Layout;
use super::super::moduledata::ModuleData;
use super::super::symbols::Symbols;
use super::Pclntab;

/// Where the table is.
pub const TABLE: u64 = 0x50_0000;
/// Where the first instruction is.
pub const TEXT: u64 = 0x40_0000;

/// A function: each is 0x100 bytes long, and at line 10 times its number.
#[derive(Clone, Copy, Default)]
pub struct Fake {
    pub name: &'static str,
    /// Bytes of its frame.
    pub depth: u32,
    pub flags: u8,
    pub kind: u8,
    /// What was inlined into its second half, from an instruction in its first.
    pub inlined: Option<&'static str>,
}

/// The release it is of.
pub fn layout() -> &'static Layout {
    Layout::of(27).unwrap()
}

/// The address of an instruction of a function.
pub fn pc(function: u32, offset: u32) -> u64 {
    TEXT + u64::from(function * 0x100 + offset)
}

/// The bytes, and where in them what functions have begins.
pub fn table(functions: &[Fake]) -> (Vec<u8>, u64) {
    let (mut names, mut files, mut units, mut values) = (vec![0], Vec::new(), Vec::new(), vec![0]);
    let (mut index, mut records, mut trees) = (Vec::new(), Vec::new(), Vec::new());
    let start_of_records = (functions.len() + 1) * 8;
    let text = |to: &mut Vec<u8>, text: &str| {
        let at = u32::try_from(to.len()).unwrap();
        to.extend_from_slice(text.as_bytes());
        to.push(0);
        at
    };
    for (number, function) in (0_u32..).zip(functions) {
        let mut ranges = |of: &[(i32, u32)]| {
            let at = u32::try_from(values.len()).unwrap();
            let mut last = -1;
            for &(value, length) in of {
                let change = value - last;
                varint(&mut values, ((change << 1) ^ (change >> 31)).cast_unsigned());
                varint(&mut values, length);
                last = value;
            }
            values.push(0);
            at
        };
        let line = i32::try_from(10 * number).unwrap();
        let depth = ranges(&[(function.depth.cast_signed(), 0x100)]);
        let (file, lines) = (ranges(&[(0, 0x100)]), ranges(&[(line, 0x80), (line + 5, 0x80)]));
        let inline = function.inlined.map(|_| ranges(&[(-1, 0x80), (0, 0x80)]));
        units.extend_from_slice(&text(&mut files, &format!("/src/{number}.go")).to_le_bytes());
        index.extend_from_slice(&(number * 0x100).to_le_bytes());
        index.extend_from_slice(&u32::try_from(start_of_records + records.len()).unwrap().to_le_bytes());
        let numbers = [number * 0x100, text(&mut names, function.name), 0, 0, depth, file, lines];
        records.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        let (pcdata, funcdata) = if inline.is_some() { (3_u32, 4) } else { (0, 0) };
        records.extend([pcdata, number, 0].into_iter().flat_map(u32::to_le_bytes));
        let record = records.len() - 40;
        records.extend([function.kind, function.flags, 0, funcdata]);
        debug_assert_eq!(records.len() - record, 44);
        if let (Some(table), Some(name)) = (inline, function.inlined) {
            records.extend([0, 0, table, u32::MAX, u32::MAX, u32::MAX].into_iter().flat_map(u32::to_le_bytes));
            records.extend(u32::try_from(trees.len()).unwrap().to_le_bytes());
            trees.extend([0, text(&mut names, name), 0x10, 0].into_iter().flat_map(u32::to_le_bytes));
        }
    }
    index.extend(u32::try_from(functions.len() * 0x100).unwrap().to_le_bytes());
    index.extend([0; 4]);
    index.extend(records);

    let mut bytes = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
    bytes.extend((functions.len() as u64).to_le_bytes());
    bytes.extend([0; 16]);
    let mut at = 72;
    for part in [&names, &units, &files, &values, &index] {
        bytes.extend((at as u64).to_le_bytes());
        at += part.len();
    }
    for part in [names, units, files, values, index] {
        bytes.extend(part);
    }
    let data = TABLE + bytes.len() as u64;
    bytes.extend(trees);
    (bytes, data)
}

/// A program of these functions.
pub fn program(functions: &[Fake]) -> Symbols {
    let (bytes, func_data) = table(functions);
    let mut image = Image::of_bytes(TABLE, bytes);
    let table = Pclntab::at(&mut image, TABLE).unwrap();
    let text_end = TEXT + functions.len() as u64 * 0x100;
    let module = ModuleData { text: TEXT, text_end, bss: (0, 0), noptr_bss: (0, 0), func_data, next: 0 };
    Symbols::new(image, table, layout(), &module, 0)
}

fn varint(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        to.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    to.push(u8::try_from(value).unwrap());
}

//! A program and its memory, both made of the same arbitrary bytes.

use super::figures::Places;
use super::filter::Filter;
use super::locate::{self, Found};
use super::memory::{Memory, Range, Read};
use super::{folded, panic, read};
use crate::golang::image::Image;
use crate::golang::layout::Layout;
use crate::golang::moduledata::ModuleData;
use crate::golang::pclntab::Pclntab;
use crate::golang::symbols::Symbols;
use crate::shim;

/// Where the bytes are.
const BASE: u64 = 0x1_0000;

/// Memory that has these bytes, and nothing else.
struct Made<'b>(&'b [u8]);

impl Memory for Made<'_> {
    fn read(&mut self, ranges: &[Range]) -> Result<Read, shim::Error> {
        Ok(Read::of(ranges.iter().map(|range| {
            let from = usize::try_from(range.at.checked_sub(BASE)?).ok()?;
            self.0.get(from..from.checked_add(range.length as usize)?).map(<[u8]>::to_vec)
        })))
    }
}

/// Reads them as a program of an old Go and of a new one.
pub fn run(bytes: &[u8]) {
    crate::golang::image::fuzz(bytes);
    let _ = locate::start(bytes, b"/app");
    for layout in [19, 27].into_iter().filter_map(Layout::of) {
        let end = BASE + bytes.len() as u64;
        let any = (BASE, end);
        let module = ModuleData::parse(bytes, layout, BASE);
        let module = module.unwrap_or(ModuleData {
            text: BASE,
            text_end: end,
            bss: any,
            noptr_bss: any,
            func_data: BASE,
            next: 0,
        });
        let mut image = Image::of_bytes(BASE, bytes.to_vec());
        let Ok(table) = Pclntab::find(&mut image) else { continue };
        let mut memory = Made(bytes);
        let places = Places::find(&mut memory, layout, &module).unwrap_or_default();
        let symbols = Symbols::new(image, table, layout, &module, 0);
        let mut found = Found { layout, symbols, all: BASE + 72, places };
        let dump = read::read(&mut found, &mut memory, Some(1));
        if let Ok(Some(dump)) = dump {
            let mut out = Vec::new();
            // Memory can always be written.
            let _ = panic::write(&mut out, &dump, &Filter::default(), true, 100);
            let _ = folded::write(&mut out, &dump, &Filter::default(), true);
        }
    }
}

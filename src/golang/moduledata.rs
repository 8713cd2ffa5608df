//! Where the linker put what (`runtime.moduledata`), from the memory of a running program, where addresses are what they are.

use super::layout::Layout;

/// What is read of it. Addresses are those of the running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleData {
    /// The first instruction of all.
    pub text: u64,
    /// Behind the last one.
    pub text_end: u64,
    /// Variables that may point to something, and are zero at first.
    pub bss: (u64, u64),
    /// Variables that never point to anything, and are zero at first.
    pub noptr_bss: (u64, u64),
    /// What functions have beside their code, such as calls that were inlined into them.
    pub func_data: u64,
    /// The next one: of a plugin or a shared library. 0 if there is none.
    pub next: u64,
}

impl ModuleData {
    /// Takes it apart, if it is one: it begins with where the table of functions is.
    #[must_use]
    pub fn parse(bytes: &[u8], layout: &Layout, pclntab: u64) -> Option<Self> {
        let of = &layout.module;
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?));
        let (low, high) = (number(of.min_pc)?, number(of.max_pc)?);
        let (text, text_end) = (number(of.text)?, number(of.text_end)?);
        let range = |from, to| Some((number(from)?, number(to)?)).filter(|(from, to)| from <= to);
        if number(0)? != pclntab || !(text <= low && low < high && text < text_end) {
            return None;
        }
        Some(Self {
            text,
            text_end,
            bss: range(of.bss, of.bss_end)?,
            noptr_bss: range(of.noptr_bss, of.noptr_bss_end)?,
            func_data: number(of.func_data)?,
            next: number(of.next)?,
        })
    }

    /// Where in memory it could be: it begins with that address. In steps of a pointer.
    pub fn candidates(bytes: &[u8], pclntab: u64) -> impl Iterator<Item = usize> {
        let first = pclntab.to_le_bytes();
        memchr::memmem::find_iter(bytes, &first).filter(|at| at % 8 == 0).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layout: &Layout, numbers: &[(usize, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; layout.module.size];
        for (at, number) in numbers {
            bytes[*at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn one_is_known_by_the_table_it_begins_with() {
        let layout = Layout::of(27).unwrap();
        let of = &layout.module;
        let good = [
            (0, 7),
            (of.min_pc, 16),
            (of.max_pc, 32),
            (of.text, 16),
            (of.text_end, 32),
            (of.bss, 64),
            (of.bss_end, 96),
        ];
        let parsed = ModuleData::parse(&written(layout, &good), layout, 7).unwrap();
        assert_eq!((parsed.text, parsed.text_end, parsed.bss, parsed.next), (16, 32, (64, 96), 0));
        assert_eq!(ModuleData::parse(&written(layout, &good), layout, 8), None);
        for bad in [(of.min_pc, 32), (of.max_pc, 8), (of.text, 64), (of.bss_end, 1)] {
            assert_eq!(ModuleData::parse(&written(layout, &[&good[..], &[bad]].concat()), layout, 7), None, "{bad:?}");
        }
        assert_eq!(ModuleData::parse(&written(layout, &good)[1..], layout, 7), None);
        let bytes = [0, 7, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(ModuleData::candidates(&bytes, 7).collect::<Vec<_>>(), [8]);
    }
}

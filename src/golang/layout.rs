//! Where Go's runtime keeps what is read of it. It differs between releases, and no program says it of itself but in its debug
//! information: `table.rs` holds a row for each release, which `scripts/go-layouts` makes from real toolchains. A release that has
//! none is looked up in the program's own debug information, if it has any.
//!
//! All offsets are in bytes, for processors of 64 bits. A 0 where no field can begin stands for a field that a release lacks.

pub mod dwarf;
mod table;

/// Where a release keeps it.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The release: 27 for Go 1.27.
    pub minor: u32,
    /// `runtime.g`: a goroutine.
    pub g: G,
    /// `runtime.m`: a thread.
    pub m: M,
    /// `runtime.moduledata`: where the linker put what.
    pub module: Module,
    /// `runtime._func`: a function.
    pub func: Func,
    /// `runtime.inlinedCall`: a call that was replaced by the function itself.
    pub inline: Inline,
    /// `runtime.p`: what it takes to run Go code, and its `runtime.mcache`.
    pub p: P,
    /// `runtime.gcControllerState`: how far the heap may grow.
    pub gc: Gc,
    /// The kind of functions that the compiler made to call others (`abi.FuncIDWrapper`).
    pub wrapper: u8,
    /// What a waiting goroutine waits for, by number (`runtime.waitReasonStrings`).
    pub wait_reasons: &'static [&'static str],
}

/// Offsets in `runtime.g`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct G {
    pub lo: usize,
    pub hi: usize,
    pub m: usize,
    pub sp: usize,
    pub pc: usize,
    pub lr: usize,
    pub syscall_sp: usize,
    pub syscall_pc: usize,
    pub status: usize,
    pub id: usize,
    pub wait_since: usize,
    pub wait_reason: usize,
    pub locked: usize,
    pub parent: usize,
    pub created_at: usize,
    pub start: usize,
    pub labels: usize,
    pub size: usize,
}

/// Offsets in `runtime.m`.
#[derive(Debug, PartialEq, Eq)]
pub struct M {
    /// The thread's id, as numbered inside.
    pub thread: usize,
}

/// Offsets in `runtime.moduledata`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct Module {
    pub min_pc: usize,
    pub max_pc: usize,
    pub text: usize,
    pub text_end: usize,
    pub data: usize,
    pub bss: usize,
    pub bss_end: usize,
    pub noptr_bss: usize,
    pub noptr_bss_end: usize,
    pub func_data: usize,
    pub next: usize,
    pub size: usize,
}

/// Offsets in `runtime._func`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct Func {
    pub name: usize,
    pub pcsp: usize,
    pub pcfile: usize,
    pub pcln: usize,
    pub npcdata: usize,
    pub cu: usize,
    pub kind: usize,
    pub flag: usize,
    pub nfuncdata: usize,
    pub size: usize,
}

/// Offsets in `runtime.inlinedCall`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct Inline {
    pub name: usize,
    pub kind: usize,
    pub parent_pc: usize,
    pub size: usize,
}

/// Offsets in `runtime.p`, and of `flushGen` in `runtime.mcache`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct P {
    pub id: usize,
    pub mcache: usize,
    pub defers: usize,
    pub defers_room: usize,
    pub flush_gen: usize,
}

/// Offsets in `runtime.gcControllerState`.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it: scripts/layouts/main.go has the runtime's own")]
pub struct Gc {
    pub percent: usize,
    pub limit: usize,
    pub minimum: usize,
    pub goal: usize,
    pub live: usize,
    pub marked: usize,
    pub in_use: usize,
}

impl Layout {
    /// The row of a release: 27 for Go 1.27.
    #[must_use]
    pub fn of(minor: u32) -> Option<&'static Self> {
        table::ALL.iter().find(|row| row.minor == minor)
    }

    /// The releases there are rows for, for a person: `1.19, 1.21 to 1.27`.
    #[must_use]
    pub fn known() -> String {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for row in table::ALL {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == row.minor => *last = row.minor,
                _ => runs.push((row.minor, row.minor)),
            }
        }
        let words = runs.into_iter().map(|(first, last)| match last - first {
            0 => format!("1.{first}"),
            _ => format!("1.{first} to 1.{last}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// What a number of a reason to wait means; `None` if this release has no such number, or it is none.
    #[must_use]
    pub fn wait_reason(&self, number: u8) -> Option<&'static str> {
        self.wait_reasons.get(usize::from(number)).copied().filter(|words| !words.is_empty())
    }
}

/// The minor version of a Go, from what a program says of itself: 27 for `go1.27.3`, `go1.27rc1`, `devel go1.27-5e8c1fa`.
#[must_use]
pub fn minor(version: &str) -> Option<u32> {
    let rest = version.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (text, is) in [
            ("go1.27.3", Some(27)),
            ("go1.26rc1 X:boringcrypto", Some(26)),
            ("devel go1.28-5e8c1fa", Some(28)),
            ("go1.", None),
            ("go2.1", None),
            ("go1.99999999999", None),
        ] {
            assert_eq!(minor(text), is, "{text}");
        }
        assert_eq!((Layout::of(18), Layout::of(4711)), (None, None));
        assert!(Layout::known().starts_with("1.19, 1.21 to 1."), "{}", Layout::known());
    }

    #[test]
    fn rows_are_in_order_and_make_sense() {
        assert!(table::ALL.is_sorted_by_key(|row| row.minor));
        for row in table::ALL {
            let Layout { g, module, func, inline, .. } = row;
            let fields = [g.lo, g.hi, g.m, g.sp, g.pc, g.lr, g.syscall_sp, g.syscall_pc, g.status, g.id, g.wait_since];
            let more = [g.wait_reason, g.locked, g.parent, g.created_at, g.start, g.labels];
            assert!(fields.iter().chain(&more).all(|at| at + 8 <= g.size), "{row:?}");
            assert!(module.next + 8 <= module.size && module.func_data < module.size, "{row:?}");
            assert!(func.nfuncdata < func.size && inline.parent_pc + 4 <= inline.size, "{row:?}");
            assert_eq!(row.wait_reason(0), None);
            assert!(row.wait_reasons.contains(&"chan receive") && row.wait_reasons.contains(&"IO wait"), "{row:?}");
        }
    }
}

//! What program counters mean: functions with files and lines, calls that were inlined, and how deep frames are.

use super::image::{Image, Processor};
use super::layout::Layout;
use super::moduledata::ModuleData;
use super::pclntab::{Function, Pclntab};
use crate::text::Untrusted;

/// Calls inlined into each other that are followed. Go's compiler gives up long before.
const MOST_INLINED: usize = 128;
/// What stands for a file that is not known, as in the runtime's own words.
const UNKNOWN: &str = "?";

/// Flag of a function that nothing called: the end of every stack (`abi.FuncFlagTopFrame`).
const TOP: u8 = 1;
/// Flag of a function that goes to another stack (`abi.FuncFlagSPWrite`).
const LEAVES: u8 = 2;

/// A call on a stack, as a person knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function, with the package's path: `example.com/shop/store.(*Store).Get`.
    pub function: Untrusted,
    /// The file, as the compiler was told.
    pub file: Untrusted,
    /// The line; 0 if it is not known.
    pub line: u32,
    /// Whether the compiler put the function's code into its caller.
    pub inlined: bool,
    /// Whether the compiler made the function, to call another one.
    pub wrapper: bool,
    /// How far in the function it is, in bytes; of an inlined call, 0.
    pub offset: u32,
}

/// What a frame is to who unwinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the frame at that instruction; `None` where nobody knows.
    pub depth: Option<u32>,
    /// What comes below it.
    pub next: Next,
}

/// What comes below a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Its caller, which goes on behind the call.
    Caller,
    /// What was interrupted at that very instruction: nobody called it.
    Interrupted,
    /// Nothing: it is the first.
    Nothing,
    /// Something on another stack.
    Elsewhere,
}

/// A program's functions.
#[derive(Debug)]
pub struct Symbols {
    image: Image,
    table: Pclntab,
    layout: &'static Layout,
    text: u64,
    text_end: u64,
    func_data: u64,
    bias: u64,
}

impl Symbols {
    /// Puts the file and what memory says of it together. `bias`: by how much addresses of the running program are higher than
    /// the linker's.
    #[must_use]
    pub fn new(image: Image, table: Pclntab, layout: &'static Layout, module: &ModuleData, bias: u64) -> Self {
        let ModuleData { text, text_end, func_data, .. } = *module;
        Self { image, table, layout, text, text_end, func_data: func_data.wrapping_sub(bias), bias }
    }

    /// What it runs on.
    #[must_use]
    pub fn processor(&self) -> Processor {
        self.image.processor
    }

    fn function(&mut self, pc: u64) -> Option<(Function, u32)> {
        if !(self.text..self.text_end).contains(&pc) {
            return None;
        }
        let pc = u32::try_from(pc - self.text).ok()?;
        Some((self.table.function(&mut self.image, self.layout, pc)?, pc))
    }

    /// Whether it is an instruction of a function of this program.
    pub fn is_code(&mut self, pc: u64) -> bool {
        self.function(pc).is_some()
    }

    /// The function that an instruction belongs to, as the linker wrote its name.
    pub fn name(&mut self, pc: u64) -> Option<Vec<u8>> {
        let (function, _) = self.function(pc)?;
        self.table.name(&mut self.image, &function)
    }

    /// What a frame at an instruction is to who unwinds. `None` if it is none of this program.
    pub fn step(&mut self, pc: u64) -> Option<Step> {
        let (function, at) = self.function(pc)?;
        let name = self.table.name(&mut self.image, &function).unwrap_or_default();
        let next = match name.as_slice() {
            b"runtime.sigpanic" | b"runtime.asyncPreempt" | b"runtime.debugCallV2" => Next::Interrupted,
            // It goes to another stack, too, but sees to it that both can be followed through it.
            b"runtime.cgocallback" => Next::Caller,
            _ if function.flags & TOP != 0 => Next::Nothing,
            _ if function.flags & LEAVES != 0 => Next::Elsewhere,
            _ => Next::Caller,
        };
        Some(Step { depth: self.table.depth(&mut self.image, &function, at), next })
    }

    /// The calls at an instruction, innermost first: those that were inlined, and the function itself. `exact`: it was
    /// interrupted there; otherwise it is where a call returns to, and the call is before it.
    pub fn frames(&mut self, pc: u64, exact: bool) -> Vec<Frame> {
        let Some((function, pc_at)) = self.function(pc) else {
            let function = Untrusted::new(format!("0x{pc:x}"));
            return vec![Frame { function, file: UNKNOWN.into(), line: 0, inlined: false, wrapper: false, offset: 0 }];
        };
        let data = self.func_data;
        let mut at = if !exact && pc_at > function.entry { pc_at - 1 } else { pc_at };
        let mut frames = Vec::new();
        while frames.len() < MOST_INLINED {
            let Some(call) = self.table.inlined(&mut self.image, self.layout, &function, data, at) else { break };
            let frame = self.frame(&function, Some(call.name), call.kind, at);
            frames.push(Frame { inlined: true, ..frame });
            at = call.parent;
        }
        let name = self.table.name(&mut self.image, &function);
        let frame = self.frame(&function, name, function.kind, at);
        frames.push(Frame { offset: pc_at - function.entry, ..frame });
        frames
    }

    fn frame(&mut self, function: &Function, name: Option<Vec<u8>>, kind: u8, at: u32) -> Frame {
        let position = self.table.position(&mut self.image, function, at);
        let (file, line) = position.unwrap_or_else(|| (UNKNOWN.into(), 0));
        let name = name.map_or_else(|| Untrusted::from(UNKNOWN), |name| Untrusted::new(shortened(name)));
        let wrapper = kind == self.layout.wrapper;
        Frame { function: name, file: Untrusted::new(file), line, inlined: false, wrapper, offset: 0 }
    }

    /// By how much addresses of the running program are higher than the linker's.
    #[must_use]
    pub fn bias(&self) -> u64 {
        self.bias
    }
}

impl Frame {
    /// Whether it is of the runtime's own inside, which Go does not show unasked (`runtime.showfuncinfo`).
    #[must_use]
    pub fn is_internal(&self) -> bool {
        is_internal(self.function.bytes())
    }

    /// Whether Go shows it unasked. `inner`: the call that it is waiting for, if there is one; `first`: nothing further inside
    /// was shown.
    #[must_use]
    pub fn is_shown(&self, inner: Option<&Self>, first: bool) -> bool {
        let made_for = inner.map_or(&b""[..], |inner| inner.function.bytes());
        let elided = self.wrapper && !PANICS.contains(&made_for);
        // Between what panicked and what is done about it.
        let panic = self.function.bytes() == PANIC && !first;
        !elided && (panic || !self.is_internal())
    }
}

/// Begins every panic.
const PANIC: &[u8] = b"runtime.gopanic";
/// Below these, what the compiler made is shown: it may be to blame (`runtime.elideWrapperCalling`).
const PANICS: [&[u8]; 3] = [PANIC, b"runtime.sigpanic", b"runtime.panicwrap"];

fn is_internal(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b"runtime.") else { return !name.contains(&b'.') };
    // They show that a goroutine runs what the program left to the garbage collector.
    if matches!(rest, b"runFinalizers" | b"runCleanups" | b"runfinq") {
        return false;
    }
    let (of, method) = memchr::memrchr(b'.', rest).map_or((&b""[..], rest), |at| (&rest[..at], &rest[at + 1..]));
    let of = of.strip_prefix(b"(*").and_then(|of| of.strip_suffix(b")")).unwrap_or(of);
    let exported = |name: &[u8]| name.first().is_some_and(u8::is_ascii_uppercase);
    !(exported(method) && (of.is_empty() || exported(of)))
}

/// As the runtime prints it: what a generic function was made for is left out (`runtime.funcNameForPrint`).
fn shortened(mut name: Vec<u8>) -> Vec<u8> {
    if let (Some(open), Some(close)) = (memchr::memchr(b'[', &name), memchr::memrchr(b']', &name))
        && open < close
    {
        name.splice(open + 1..close, *b"...");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_the_runtime_prints_them() {
        for (name, is) in [
            ("main.main", "main.main"),
            ("main.Map[go.shape.int,go.shape.string]", "main.Map[...]"),
            ("main.(*List[go.shape.[]uint8]).Push", "main.(*List[...]).Push"),
            ("main.][", "main.]["),
        ] {
            assert_eq!(shortened(name.into()), is.as_bytes(), "{name}");
        }
    }

    #[test]
    fn what_is_of_the_runtimes_inside() {
        for inside in ["runtime.gopark", "runtime.(*mcache).refill", "runtime.goexit", "memequal", "runtime.main"] {
            assert!(is_internal(inside.as_bytes()), "{inside}");
        }
        for shown in ["main.main", "runtime.GC", "runtime.(*Func).Entry", "internal/poll.(*FD).Read", "runtime.runfinq"]
        {
            assert!(!is_internal(shown.as_bytes()), "{shown}");
        }
    }
}

//! From the registers and the stack of a goroutine that does not run to the calls it is in, by the tables that the linker made
//! for just that (`runtime/traceback.go`, `unwinder`): no frame pointers, no debug information.

use std::collections::HashMap;

use super::memory::word;
use crate::golang::image::Processor;
use crate::golang::symbols::{Next, Step, Symbols};

/// The most calls of a stack that are followed. Go itself prints a hundred.
pub const MOST_CALLS: usize = 1000;
/// Calls that are found without asking the map. A power of two.
const NEAR: usize = 4096;
/// Room that a frame of aarch64 has at its end for who is called (`sys.MinFrameSize`), aligned.
const ARM_FRAME: u64 = 16;

/// Where a goroutine would go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registers {
    /// The stack pointer.
    pub sp: u64,
    /// The program counter.
    pub pc: u64,
    /// Where the innermost function returns to, on processors that keep it in a register.
    pub lr: u64,
    /// Whether they were saved at the beginning of a system call.
    pub syscall: bool,
}

/// How a stack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At its first function.
    Whole,
    /// It goes on where it was not read, or has more calls than are followed.
    Cut,
    /// It makes no sense: it changed while it was read, or the tables do not fit.
    Torn,
}

/// A call: where its function goes on, in the running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call {
    /// The program counter.
    pub pc: u64,
    /// Whether it was interrupted there, and did not call anything.
    pub exact: bool,
}

/// All calls met so far, by number, so that each is looked up once.
#[derive(Debug)]
pub struct Calls {
    all: Vec<(Call, Option<Step>)>,
    numbers: HashMap<Call, u32>,
    near: Vec<(Call, u32)>,
}

impl Default for Calls {
    fn default() -> Self {
        let nowhere = Call { pc: u64::MAX, exact: false };
        Self { all: Vec::new(), numbers: HashMap::new(), near: vec![(nowhere, 0); NEAR] }
    }
}

impl Calls {
    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Call> {
        self.all.iter().map(|(call, _)| *call)
    }

    /// Its number.
    pub fn number(&mut self, symbols: &mut Symbols, call: Call) -> u32 {
        // Functions begin at multiples of 32, and calls are about five bytes long.
        let mixed = call.pc ^ (call.pc >> 12) ^ u64::from(call.exact);
        let near = usize::try_from(mixed).unwrap_or_default() % NEAR;
        if let Some((known, number)) = self.near.get(near)
            && *known == call
        {
            return *number;
        }
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(call).or_insert(next);
        if number == next {
            self.all.push((call, symbols.step(call.pc)));
        }
        if let Some(room) = self.near.get_mut(near) {
            *room = (call, number);
        }
        number
    }

    fn step(&self, number: u32) -> Option<Step> {
        self.all.get(number as usize)?.1
    }
}

/// Follows a stack: its bytes are from the stack pointer on. The numbers of its calls go into `out`, innermost first.
pub fn unwind(symbols: &mut Symbols, calls: &mut Calls, stack: &[u8], from: Registers, out: &mut Vec<u32>) -> End {
    out.clear();
    let base = from.sp;
    let by_register = symbols.processor() == Processor::Arm64;
    let load = |at: u64| word(stack, usize::try_from(at.checked_sub(base)?).ok()?);
    let Registers { mut sp, mut pc, mut lr, syscall } = from;
    if !by_register {
        lr = 0;
    }
    if pc == 0 {
        // A call of a function that is nil: its caller.
        let Some(caller) = load(sp) else { return End::Torn };
        (pc, lr) = (caller, 0);
        sp += if by_register { 0 } else { 8 };
    }
    let mut call = Call { pc, exact: false };
    let mut innermost = true;
    while out.len() < MOST_CALLS {
        let number = calls.number(symbols, call);
        let Some(step) = calls.step(number) else { return End::Torn };
        // A function without a table of depths is foreign: nothing is known below it.
        let Some(depth) = step.depth else { return if innermost { End::Torn } else { End::Whole } };
        let next = match step.next {
            // It left before the call; what was saved is from then.
            Next::Elsewhere if innermost && syscall => Next::Caller,
            next => next,
        };
        if next == Next::Nothing {
            // The very first function of every goroutine, which nothing calls and nobody wants to see.
            return End::Whole;
        }
        out.push(number);
        if next == Next::Elsewhere {
            return End::Whole;
        }
        let mut below = sp.saturating_add(depth.into());
        let returns = if by_register {
            if (innermost && sp < below) || lr == 0 { load(sp) } else { Some(lr) }
        } else {
            below = below.saturating_add(8);
            load(below - 8)
        };
        let Some(returns) = returns else {
            return if below.saturating_sub(base) > stack.len() as u64 { End::Cut } else { End::Torn };
        };
        if returns == 0 {
            return End::Whole;
        }
        if returns == call.pc && below == sp {
            return End::Torn;
        }
        call = Call { pc: returns, exact: next == Next::Interrupted };
        (sp, lr, innermost) = (below, 0, false);
        if by_register && next == Next::Interrupted {
            // The signal's handler saved the register on the stack before it made it look like a call.
            let Some(saved) = load(sp) else { return End::Torn };
            sp = sp.saturating_add(ARM_FRAME);
            let number = calls.number(symbols, call);
            match calls.step(number) {
                None => call.pc = saved,
                Some(Step { depth: Some(0), .. }) => lr = saved,
                Some(_) => {}
            }
        }
    }
    End::Cut
}

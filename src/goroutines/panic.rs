//! The text of a Go program that panics (`runtime/traceback.go`), which many tools read: one goroutine after another.

use std::io::{self, Write};

use super::filter::Filter;
use super::{Dump, Goroutine};
use crate::golang::symbols::Frame;

/// What Go says of a stack it cannot follow.
const UNAVAILABLE: &str = "\tgoroutine running on other thread; stack unavailable";
/// What Go says is `panic`.
const PANIC: &str = "runtime.gopanic";
/// What Go says of calls it leaves out.
const ELIDED: &str = "...additional frames elided...";

/// Writes at most so many of those that are wanted. `all`: with the calls of the runtime's own inside.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut dyn Write, dump: &Dump, filter: &Filter, all: bool, limit: usize) -> io::Result<()> {
    let sieve = filter.of(dump);
    for goroutine in dump.goroutines.iter().filter(|one| sieve.keeps(dump, one)).take(limit) {
        one(out, dump, goroutine, all)?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, dump: &Dump, goroutine: &Goroutine, all: bool) -> io::Result<()> {
    write!(out, "goroutine {} [{}", goroutine.id, goroutine.words())?;
    let minutes = goroutine.waited.map_or(0, |waited| waited.as_secs() / 60);
    if minutes > 0 {
        write!(out, ", {minutes} minutes")?;
    }
    writeln!(out, "{}]:", if goroutine.locked { ", locked to thread" } else { "" })?;
    match goroutine.stack {
        None => writeln!(out, "{UNAVAILABLE}")?,
        Some(stack) => {
            for frame in dump.shown(goroutine.stack, all) {
                let name = frame.function.safe();
                writeln!(out, "{}(...)", if name.as_str() == PANIC { "panic" } else { name.as_str() })?;
                position(out, frame)?;
            }
            if dump.stacks.get(stack as usize).is_some_and(|stack| stack.cut) {
                writeln!(out, "{ELIDED}")?;
            }
        }
    }
    if let Some(creator) = dump.creator(goroutine.created_by).filter(|frame| all || !frame.is_internal()) {
        write!(out, "created by {}", creator.function.safe())?;
        match goroutine.parent {
            0 => writeln!(out)?,
            parent => writeln!(out, " in goroutine {parent}")?,
        }
        position(out, &creator)?;
    }
    writeln!(out)
}

fn position(out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
    write!(out, "\t{}:{}", frame.file.safe(), frame.line)?;
    match frame.offset {
        0 => writeln!(out),
        offset => writeln!(out, " +0x{offset:x}"),
    }
}

//! Goroutines of a program that runs on, for tests.

use std::sync::Arc;
use std::time::Duration;

use crate::golang::symbols::Frame;
use crate::goroutines::{Dump, Figures, Goroutine, Stack, State, Tally};
use crate::target::ContainerPid;
use crate::text::Untrusted;
use crate::tui::message::Goroutines;

/// A program's goroutines: the first one, `workers` that wait for work, and one of the runtime's own.
#[must_use]
pub fn goroutines(workers: u64) -> Goroutines {
    named("example.com/shop/store.(*Store).worker", workers)
}

/// The same, with another name of the function that the workers are in.
#[must_use]
pub fn named(function: &str, workers: u64) -> Goroutines {
    let calls = vec![
        vec![frame("runtime.gopark", "runtime/proc.go", 424)],
        vec![frame("main.run", "/shop/main.go", 61)],
        vec![frame("main.main", "/shop/main.go", 30)],
        vec![frame("runtime.chanrecv", "runtime/chan.go", 667)],
        vec![
            Frame { inlined: true, ..frame("sync.(*Pool).Get", "sync/pool.go", 12) },
            frame(function, "/shop/store.go", 80),
        ],
        vec![frame("main.main", "/shop/main.go", 34)],
    ];
    let stack = |calls: &[u32]| Stack { calls: calls.to_vec(), cut: false };
    let stacks = vec![stack(&[0, 3, 1, 2]), stack(&[0, 3, 4]), stack(&[0])];
    let mut goroutines = vec![
        Goroutine { created_by: None, labels: None, stack: Some(0), ..waiting(1) },
        Goroutine { stack: Some(2), system: true, reason: Some("force gc (idle)"), ..waiting(2) },
    ];
    goroutines.extend((0..workers).map(|number| waiting(20 + number)));
    let figures = Figures {
        gomaxprocs: Some(2),
        threads: Some(7),
        uptime: Some(Duration::from_secs(8040)),
        gc_cycles: Some(12),
        heap_in_use: Some(3 << 20),
        heap_goal: Some(4 << 20),
        memory_limit: None,
    };
    let dump = Dump {
        tally: Tally { alive: goroutines.len(), ..Tally::default() },
        goroutines,
        stacks,
        addresses: (0..6).map(|number| 0x48_0000 + number * 16).collect(),
        calls,
        labels: vec![vec![("tenant".into(), "acme".into())]],
        figures,
        took: Duration::from_micros(1300),
    };
    Goroutines { pid: ContainerPid(1), go: "go1.24.11".into(), module: "example.com/shop".into(), dump }
}

/// The same as an answer has it.
#[must_use]
pub fn answer(goroutines: Goroutines) -> crate::tui::message::Answer {
    crate::tui::message::Answer::Goroutines(Arc::new(goroutines))
}

fn waiting(id: u64) -> Goroutine {
    Goroutine {
        id,
        state: State::Waiting,
        reason: Some("chan receive"),
        waited: Some(Duration::from_secs(60 * id)),
        parent: 1,
        created_by: Some(5),
        thread: None,
        locked: false,
        labels: (id == 20).then_some(0),
        stack: Some(1),
        system: false,
    }
}

fn frame(function: &str, file: &str, line: u32) -> Frame {
    let (function, file) = (Untrusted::from(function), Untrusted::from(file));
    Frame { function, file, line, inlined: false, wrapper: false, offset: 0 }
}

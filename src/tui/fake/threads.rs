//! Threads for tests.

use std::time::Duration;

use crate::corefile::Line;
use crate::corefile::read::registers::Register;
use crate::inspect;
use crate::inspect::threads::call::Call;
use crate::target::ContainerPid;
use crate::threads::{Spot, Thread, Threads};

/// Two threads of a C program, the first one of which runs.
#[must_use]
pub fn threads() -> Threads {
    Threads {
        pid: ContainerPid(1),
        all: vec![thread(1, "app", 'R', 0x40_2000), thread(7, "worker-1", 'S', 0x40_28fb)],
        mappings: vec![
            mapping(0x40_0000, 0x40_1000, "r", "/app"),
            mapping(0x40_1000, 0x48_0000, "rx", "/app"),
            mapping(0x4b_0000, 0x4b_8000, "rw", "[heap]"),
            mapping(0x7ffe_0000, 0x7fff_0000, "rw", "[stack]"),
        ],
        stopped: Some(Duration::from_micros(420)),
    }
}

fn thread(tid: i32, name: &str, state: char, pc: u64) -> Thread {
    let (sp, waits) = (0x7ffe_1000, state == 'S');
    let call = waits.then_some(Call { number: Some(202), name: Some("futex"), sp, pc });
    let about = inspect::threads::Thread {
        tid: ContainerPid(tid),
        name: name.into(),
        state,
        cpu: Duration::from_millis(20),
        waits_in: call.map(|_| "futex_wait_queue".into()),
        call,
    };
    let spot = Spot {
        pc,
        sp,
        file: Some("/app".into()),
        file_offset: Some(pc - 0x40_0000),
        function: waits.then(|| "wait_for_work".into()),
        function_offset: waits.then_some(0x66),
    };
    let register = |name: &str, bytes: &[u8]| Register { name: name.to_owned(), bytes: bytes.to_vec() };
    let mut registers = vec![register("rip", &pc.to_le_bytes()), register("rsp", &sp.to_le_bytes())];
    registers.extend((0..30_u8).map(|number| register(&format!("ymm{number}"), &[number; 32])));
    Thread { about, spot: Some(spot), registers }
}

fn mapping(start: u64, end: u64, rights: &str, name: &str) -> Line<Vec<u8>> {
    let has = |right| rights.contains(right);
    let (readable, writable, executable) = (has('r'), has('w'), has('x'));
    Line { start, end, readable, writable, executable, offset: 0, name: name.as_bytes().to_vec() }
}

//! What a Delve that was killed has left in flight in its target: SIGTRAPs, on their way or just arrived. A Go program that
//! gets one dies of it.

use std::fs::File;
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, regset::NT_PRSTATUS};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::Order;
use super::look::Look;
use super::registers::{Trap, before_the_breakpoint, before_the_handler};
use crate::corefile::threads::{Registers, Seized, Thread};

/// How long stopping the threads may take, on a host with much else to do.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried to stop the threads.
const ATTEMPTS: u32 = 3;
/// How long a signal that waits may take to arrive at a thread that is let go for it.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Takes them away, and steps threads back that are behind one of these breakpoints, which are no more. Gives how many threads
/// there were. The process should be stopped.
pub fn settle(order: &Order, delve: i32, memory: &File, breakpoints: &[u64]) -> u64 {
    let seize = crate::corefile::Order { pid: order.pid, start_ticks: order.start_ticks, most: 0, pause: PATIENCE };
    // A thread that ends just then spoils an attempt. The others are still stopped: by the SIGSTOP.
    let Some(mut seized) = (0..ATTEMPTS).find_map(|_| Seized::all(&seize).ok()) else { return 0 };
    let mut settled = 0;
    for thread in &mut seized.threads {
        let mut touched = take_away(thread, delve, breakpoints);
        if !touched && let Some(registers) = before_the_handler(&thread.registers, memory, breakpoints, delve) {
            touched = put_back(thread.id, registers);
        }
        // One that waits reaches its thread as soon as it goes on: let it, and take it away when it comes.
        while waits_for(order, thread.id) && arrives(thread) && take_away(thread, delve, breakpoints) {
            touched = true;
        }
        settled += u64::from(touched);
    }
    settled
}

/// Takes a signal away that a thread is about to get, if it is Delve's. Steps it back if it is behind a breakpoint.
fn take_away(thread: &mut Thread, delve: i32, breakpoints: &[u64]) -> bool {
    let mut touched = false;
    if thread.signal == Some(Signal::SIGTRAP)
        && let Ok(info) = ptrace::getsiginfo(thread.id)
    {
        let trap = Trap { code: info.si_code, sender: crate::sys::signal_sender(&info) };
        if trap.is_of(delve) {
            (thread.signal, touched) = (None, true);
        }
    }
    match before_the_breakpoint(&thread.registers, breakpoints) {
        Some(registers) => put_back(thread.id, registers),
        None => touched,
    }
}

fn put_back(thread: Pid, registers: Registers) -> bool {
    ptrace::setregset::<NT_PRSTATUS>(thread, registers).is_ok()
}

/// Whether a SIGTRAP waits for a thread, or for any thread of its process.
fn waits_for(order: &Order, thread: Pid) -> bool {
    let trap = 1 << (libc::SIGTRAP - 1);
    Look::at_thread(order.pid, thread.as_raw()).is_ok_and(|look| (look.own | look.waiting) & trap != 0)
}

/// Lets a thread go on until a signal is about to reach it. Whether one was.
fn arrives(thread: &mut Thread) -> bool {
    let deadline = Instant::now() + ARRIVAL;
    if ptrace::cont(thread.id, thread.signal.take()).is_err() {
        return false;
    }
    let mut interrupted = false;
    loop {
        match waitpid(thread.id, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Stopped(_, Signal::SIGTRAP)) => {
                thread.signal = Some(Signal::SIGTRAP);
                let registers = ptrace::getregset::<NT_PRSTATUS>(thread.id);
                return registers.map(|registers| thread.registers = registers).is_ok();
            }
            // Another one comes first: one of ours, which has done its work, or one that it gets as ever.
            Ok(WaitStatus::Stopped(_, other)) => {
                let _ = ptrace::cont(thread.id, Some(other).filter(|&other| other != Signal::SIGSTOP));
            }
            // Stopped as it was asked to below, or once more by the SIGSTOP that all have got.
            Ok(WaitStatus::PtraceEvent(..)) if interrupted => return false,
            Ok(WaitStatus::PtraceEvent(..)) => {
                let _ = ptrace::cont(thread.id, None);
            }
            Ok(WaitStatus::StillAlive) if Instant::now() < deadline => std::thread::yield_now(),
            Ok(WaitStatus::StillAlive) if !interrupted => {
                interrupted = true;
                let _ = ptrace::interrupt(thread.id);
            }
            Ok(WaitStatus::StillAlive) => std::thread::yield_now(),
            _ => return false,
        }
    }
}

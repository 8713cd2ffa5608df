//! Stopping all threads of a process without a trace, and letting them go again (ptrace(2), `PTRACE_SEIZE`).

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options, regset::NT_PRSTATUS};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::mapping;
use super::{Error, Order};
use crate::engine::process;
use crate::target::HostPid;

/// How often new threads are looked for. Each time only those are left that were made between two looks.
const ROUNDS: usize = 64;
/// Between two looks whether a thread has stopped.
const BREATH: Duration = Duration::from_micros(20);

/// General registers, as the kernel gives them for this machine.
pub type Registers = nix::libc::user_regs_struct;

/// A thread that is stopped.
pub struct Thread {
    /// Its number, on this host.
    pub id: Pid,
    /// Its registers.
    pub registers: Registers,
    /// A signal that was about to reach it, and does when it goes on.
    pub signal: Option<Signal>,
}

/// All threads of a process, stopped until this is dropped. The leader is the first.
pub struct Seized {
    /// They.
    pub threads: Vec<Thread>,
}

/// One that was asked to stop.
struct Asked {
    id: Pid,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped(Option<Signal>),
    Ended,
}

/// Those that were asked to stop. Dropped, all go on.
#[derive(Default)]
struct Holding(Vec<Asked>);

impl Drop for Holding {
    fn drop(&mut self) {
        for one in &self.0 {
            if let State::Stopped(signal) = one.state {
                let _ = ptrace::detach(one.id, signal);
            }
        }
        // One that has not stopped yet is let go by the kernel when its tracer ends, which is what follows.
    }
}

impl Drop for Seized {
    fn drop(&mut self) {
        for thread in &self.threads {
            let _ = ptrace::detach(thread.id, thread.signal);
        }
    }
}

/// How many threads a process has.
pub fn count(pid: HostPid) -> Result<u64, Error> {
    list(pid).map(|all| all.len() as u64)
}

/// All threads, the leader first.
pub fn list(pid: HostPid) -> Result<Vec<Pid>, Error> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| mapping::failed("task", &error))?;
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let mut all: Vec<_> = folder.flatten().filter_map(number).map(Pid::from_raw).collect();
    // The leader has the process's own number.
    all.sort_by_key(|id| (id.as_raw() != pid.0, id.as_raw()));
    if all.is_empty() { Err(Error::Gone) } else { Ok(all) }
}

/// Whether the number still is the process's that was meant.
pub fn is_the_one(order: &Order) -> Result<(), Error> {
    match process::find(order.pid) {
        Ok(found) if found.start_ticks == order.start_ticks => Ok(()),
        _ => Err(Error::Gone),
    }
}

impl Seized {
    /// Stops them all.
    pub fn all(order: &Order) -> Result<Self, Error> {
        let deadline = Instant::now() + order.pause;
        let mut holding = Holding::default();
        let mut rounds = 0;
        loop {
            let new: Vec<_> =
                list(order.pid)?.into_iter().filter(|id| !holding.0.iter().any(|one| one.id == *id)).collect();
            if new.is_empty() {
                break;
            }
            rounds += 1;
            if rounds > ROUNDS {
                return Err(Error::Breeding);
            }
            let before = holding.0.len();
            for id in new {
                holding.0.extend(seize(id, order.pid)?);
            }
            for one in &mut holding.0[before..] {
                one.state = stopped(one.id, deadline)?;
            }
        }
        // Held, its number cannot go to another process any more.
        is_the_one(order)?;
        let mut threads = Vec::with_capacity(holding.0.len());
        for one in &mut holding.0 {
            if let State::Stopped(signal) = one.state {
                let registers = ptrace::getregset::<NT_PRSTATUS>(one.id);
                let registers = registers.map_err(|errno| held(one.id, errno))?;
                threads.push(Thread { id: one.id, registers, signal });
            }
        }
        // From here on it is for the other to let them go.
        holding.0.clear();
        if threads.is_empty() { Err(Error::Gone) } else { Ok(Self { threads }) }
    }
}

fn held(id: Pid, errno: Errno) -> Error {
    Error::Held { thread: id.as_raw(), errno: errno as i32 }
}

/// Asks a thread to stop. `None` if it has ended.
fn seize(id: Pid, pid: HostPid) -> Result<Option<Asked>, Error> {
    match ptrace::seize(id, Options::empty()).and_then(|()| ptrace::interrupt(id)) {
        Ok(()) => Ok(Some(Asked { id, state: State::Running })),
        Err(Errno::ESRCH) => Ok(None),
        Err(Errno::EPERM) => match tracer(pid) {
            Some(tracer) => Err(Error::Traced { tracer }),
            None => Err(held(id, Errno::EPERM)),
        },
        Err(errno) => Err(held(id, errno)),
    }
}

/// Who traces it (proc_pid_status(5)).
fn tracer(pid: HostPid) -> Option<i32> {
    let text = mapping::read(pid, "status").ok()?;
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"TracerPid:"))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok().filter(|&tracer| tracer != 0)
}

/// Waits until a thread has stopped, but not for ever: one that waits for a disk does not.
fn stopped(id: Pid, deadline: Instant) -> Result<State, Error> {
    loop {
        match waitpid(id, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::PtraceEvent(..)) => return Ok(State::Stopped(None)),
            // Before the stop that was asked for came a signal; it is handed on when the thread goes on.
            Ok(WaitStatus::Stopped(_, signal)) => return Ok(State::Stopped(Some(signal))),
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::ECHILD | Errno::ESRCH) => {
                return Ok(State::Ended);
            }
            Ok(_) | Err(Errno::EINTR) if Instant::now() < deadline => std::thread::sleep(BREATH),
            Ok(_) | Err(Errno::EINTR) => return Err(Error::Slow),
            Err(errno) => return Err(held(id, errno)),
        }
    }
}

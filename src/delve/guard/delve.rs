//! Delve as a process: started or taken over, traced by the guard, and ended.

use std::ffi::CString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fexecve, pipe2, setsid};

use super::place::{DEBUG_NUMBER, NUMBER};
use super::{Error, Order, Place, Running};
use crate::corefile::threads;
use crate::engine::process;
use crate::sys;
use crate::target::HostPid;

/// How much of what it prints is kept, in bytes.
const PRINTED: usize = 16 << 10;
/// How long another guard may take to end, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(20);
const BREATH: Duration = Duration::from_millis(5);
/// `PTRACE_EVENT_EXIT`: a thread is about to end.
const ENDING: i32 = nix::libc::PTRACE_EVENT_EXIT;

/// It.
pub struct Delve {
    pid: Pid,
    /// It has ended before it could be taken over.
    gone: bool,
    output: Option<File>,
    /// The last that it printed.
    pub printed: Vec<u8>,
}

/// What one of its threads did.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// This one is about to end, and held until [`Delve::go_on`].
    Ending(Pid),
    /// Somebody has sent it this signal, which would end it in its own way. It does not get it.
    Asked(Signal),
    /// All have ended, by themselves or by a signal.
    Ended(Result<i32, i32>),
    /// Nothing that matters.
    Other,
    /// Nothing has happened.
    Nothing,
}

impl Delve {
    /// Starts it, not before it is traced.
    pub fn start(order: &Order, program: &OwnedFd, place: &Place) -> Result<Self, Error> {
        let (output, prints) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(|e| Error::launch("a pipe", e))?;
        match sys::fork().map_err(|errno| Error::launch("fork", errno))? {
            ForkResult::Child => {
                let _ = become_delve(order, program, place, &prints);
                sys::exit_now(127);
            }
            ForkResult::Parent { child: pid } => {
                let delve = Self { pid, gone: false, output: Some(output.into()), printed: Vec::new() };
                delve.trace().map_err(|errno| Error::launch("tracing it", errno))?;
                Ok(delve)
            }
        }
    }

    /// Takes over one that runs, by all its threads. It may have ended: then there is nothing to trace.
    pub fn take_over(running: Running) -> Result<Self, Error> {
        wait_for_the_end_of(running.guard);
        let gone = |gone| Self { pid: Pid::from_raw(running.pid.0), gone, output: None, printed: Vec::new() };
        let mut traced = Vec::new();
        loop {
            let Ok(all) = threads::list(running.pid) else { return Ok(gone(true)) };
            let new: Vec<_> = all.into_iter().filter(|thread| !traced.contains(thread)).collect();
            if new.is_empty() {
                break;
            }
            for thread in new {
                match ptrace::seize(thread, Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEEXIT) {
                    // One that was made by a traced one is traced already.
                    Ok(()) | Err(Errno::EPERM | Errno::ESRCH) => traced.push(thread),
                    Err(errno) => return Err(Error::launch("tracing it", errno)),
                }
            }
        }
        // Traced, its number cannot go to another process any more. If it had, that one goes on when this one ends.
        match process::find(running.pid) {
            Ok(found) if found.start_ticks == running.start_ticks => Ok(gone(false)),
            _ => Ok(gone(true)),
        }
    }

    /// Which process it is.
    pub fn running(&self) -> Running {
        let pid = HostPid(self.pid.as_raw());
        let began = |pid| process::find(pid).map_or(0, |found| found.start_ticks);
        let guard = HostPid(Pid::this().as_raw());
        // Its parent has not waited for it: it is there.
        Running { pid, start_ticks: began(pid), guard: (guard, began(guard)) }
    }

    /// The child waits for that, stopped. One that cannot be traced is never let go to touch the target.
    fn trace(&self) -> Result<(), Errno> {
        let traced = || {
            waitpid(self.pid, Some(WaitPidFlag::WUNTRACED))?;
            ptrace::seize(self.pid, Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEEXIT)?;
            kill(self.pid, Signal::SIGCONT)
        };
        traced().inspect_err(|_| {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        })
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Ends it, at once.
    pub fn end(&self) {
        if !self.gone {
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }

    /// Takes in what it has printed.
    pub fn listen(&mut self) {
        let mut room = [0; 4096];
        while let Some(Ok(got @ 1..)) = self.output.as_mut().map(|output| output.read(&mut room)) {
            self.printed.extend_from_slice(&room[..got]);
            let too_much = self.printed.len().saturating_sub(PRINTED);
            self.printed.drain(..too_much);
        }
    }

    /// What has happened to one of its threads. It goes on, unless it is about to end.
    pub fn event(&self) -> Event {
        if self.gone {
            return Event::Ended(Err(0));
        }
        match waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) {
            Ok(WaitStatus::PtraceEvent(thread, _, ENDING)) => return Event::Ending(thread),
            Ok(WaitStatus::PtraceEvent(thread, ..)) => Self::go_on(thread, None),
            Ok(WaitStatus::Stopped(thread, signal @ (Signal::SIGTERM | Signal::SIGINT))) => {
                Self::go_on(thread, None);
                return Event::Asked(signal);
            }
            Ok(WaitStatus::Stopped(thread, signal)) => Self::go_on(thread, Some(signal)),
            Ok(WaitStatus::Exited(pid, status)) if pid == self.pid => return Event::Ended(Ok(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.pid => return Event::Ended(Err(signal as i32)),
            // One that was taken over is no child: it has ended when none of its threads is left to be traced.
            Err(Errno::ECHILD) => return Event::Ended(Err(0)),
            Ok(WaitStatus::StillAlive) | Err(_) => return Event::Nothing,
            Ok(_) => {}
        }
        Event::Other
    }

    /// Lets a thread go on, with the signal that it was about to get.
    pub fn go_on(thread: Pid, signal: Option<Signal>) {
        // It may have been killed meanwhile.
        let _ = ptrace::cont(thread, signal);
    }
}

/// Two guards at work on one process would each let it go while the other one still mends it.
fn wait_for_the_end_of((guard, start_ticks): (HostPid, u64)) {
    let began = Instant::now();
    let is_at_work =
        || !process::has_ended(guard) && process::find(guard).is_ok_and(|found| found.start_ticks == start_ticks);
    while is_at_work() && began.elapsed() < PATIENCE {
        std::thread::sleep(BREATH);
    }
}

/// In the forked child.
fn become_delve(order: &Order, program: &OwnedFd, place: &Place, prints: &OwnedFd) -> nix::Result<()> {
    // Its own group: what a terminal sends is not for it. It would take a hang-up as its end, without letting go.
    setsid()?;
    sys::set_signals(&[Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGPIPE], &[Signal::SIGHUP, Signal::SIGINT])?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    // The guard cannot be traced, and what it forks no more than itself. It must be able to hold this one, with no more rights
    // than its user's.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable).map_err(errno)?;
    // The last to go when memory runs out: what it has left is then to be taken away. Only with CAP_SYS_RESOURCE can that be had. Where
    // it shares the target's memory limit, and cannot have it, it is to go before the target does.
    if std::fs::write("/proc/self/oom_score_adj", "-1000").is_err() && place.fd().is_none() {
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    }

    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    let null = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).map_err(errno)?;
    let (null, program) = (sys::lift(null, 10)?, sys::lift(program.try_clone().map_err(|_| Errno::EMFILE)?, 10)?);
    let debug_file = place.debug_file().map(duplicate).transpose()?;
    let (socket, settings) = (place.socket(), place.settings());
    // Something has its number even where there is none.
    let (place, prints) = (duplicate(place.fd().unwrap_or(&null))?, duplicate(prints)?);
    sys::place(null.as_fd(), 0)?;
    sys::place(prints.as_fd(), 1)?;
    sys::place(prints.as_fd(), 2)?;
    sys::place(place.as_fd(), NUMBER)?;
    let program_at = NUMBER + 1;
    sys::place_for_exec(program.as_fd(), program_at)?;
    if let Some(debug_file) = &debug_file {
        sys::place(debug_file.as_fd(), DEBUG_NUMBER)?;
    }
    let last = if debug_file.is_some() { DEBUG_NUMBER } else { program_at };
    std::mem::forget((null, program, place, prints, debug_file));
    sys::close_from(last + 1)?;

    let arguments = [
        "dlv".to_owned(),
        "attach".to_owned(),
        order.pid.to_string(),
        "--headless".to_owned(),
        format!("--listen=unix:{socket}"),
        "--api-version=2".to_owned(),
    ];
    // No more of ours than it needs. Without an address of a server of debug files it asks none, which may take minutes.
    let environment =
        [format!("HOME={settings}"), format!("XDG_CONFIG_HOME={settings}"), "DEBUGINFOD_URLS=".to_owned()];
    let strings =
        |all: &[String]| -> Vec<CString> { all.iter().filter_map(|one| CString::new(one.as_bytes()).ok()).collect() };
    raise(Signal::SIGSTOP)?;
    fexecve(sys::borrow_number(program_at), &strings(&arguments), &strings(&environment)).map(|_| ())
}

fn duplicate(fd: &OwnedFd) -> nix::Result<OwnedFd> {
    sys::lift(fd.try_clone().map_err(|_| Errno::EMFILE)?, 10)
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

impl std::fmt::Debug for Delve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delve({})", self.pid)
    }
}

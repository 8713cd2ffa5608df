//! The broker: the only part that needs rights.
//!
//! It is forked from `main` before there is a second thread, and does one thing: at the request of the
//! unprivileged half it starts a [worker] in a target's namespaces and passes back the connection to it.
//! It is synchronous, has no engine connection, parses nothing a container wrote except the kernel's own
//! `/proc/PID/{status,uid_map,gid_map}`, and dies with its parent.

mod facts;
pub(super) mod guard;
pub(super) mod message;
mod program;
pub(super) mod snapshot;
mod worker;

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{ForkResult, Pid};
use rustix::process::{PidfdFlags, pidfd_open};

use self::message::{Answer, Ask, Refusal, Step, Stopped, receive, send};
pub use self::program::ELF as SHIM;
use self::program::Program;
use self::worker::Workers;
pub(super) use self::worker::rights;
use crate::entry::plan::{Facts, Plan};
use crate::sys;

/// How long the broker may take to end when nobody needs it any more. It takes about a millisecond.
const GOODBYE: Duration = Duration::from_secs(1);

/// The unprivileged half's handle on the broker. Cheap to clone; the broker ends with the last one.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Child>);

/// The broker as the process it is.
#[derive(Debug)]
struct Child {
    /// Taken out when it shall end.
    link: Mutex<Option<OwnedFd>>,
    pid: Pid,
}

impl Child {
    /// Closes the link and waits for the broker, which waits for its workers: who starts processes leaves none to init,
    /// which in a container may be a program that never looks after them.
    fn end(&self) {
        // Taken while something is being asked for: then the broker ends with this process.
        let Ok(mut link) = self.link.try_lock() else { return };
        if link.take().is_none() {
            return;
        }
        let held = rustix::process::Pid::from_raw(self.pid.as_raw());
        let held = held.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if held.is_some_and(|pidfd| worker::ends_within(&pidfd, GOODBYE)) {
            let _ = waitpid(self.pid, Some(WaitPidFlag::WNOHANG));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why there is no broker.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the helper process could not be started: {0}")]
pub struct NoBroker(Errno);

impl NoBroker {
    /// A command that goes inside was not started as one: a mistake of ours, told like any other failure.
    #[must_use]
    pub fn not_asked_for() -> Self {
        Self(Errno::ENXIO)
    }
}

impl Broker {
    /// Forks the broker. To be called before anything starts a thread.
    ///
    /// # Errors
    /// If the socket or the process cannot be made.
    pub fn start() -> Result<Self, NoBroker> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).map_err(NoBroker)?;
        let parent = rustix::process::getpid();
        match sys::fork().map_err(NoBroker)? {
            ForkResult::Parent { child } => Ok(Self(Arc::new(Child { link: Mutex::new(Some(ours)), pid: child }))),
            ForkResult::Child => {
                drop(ours);
                sys::exit_now(run(theirs, parent).unwrap_or(1));
            }
        }
    }

    /// Ends it and all that it has started, whoever else still holds it. Blocking, for about a millisecond.
    pub fn end(&self) {
        self.0.end();
    }

    /// Asks for one thing and waits for the answer: about a millisecond. Blocking.
    ///
    /// # Errors
    /// If the broker has ended.
    pub(super) fn ask(&self, ask: &Ask) -> Result<(Answer, Option<OwnedFd>), Errno> {
        self.ask_with(ask, None)
    }

    /// The same, with a descriptor for it.
    ///
    /// # Errors
    /// As [`Broker::ask`].
    pub(super) fn ask_with(&self, ask: &Ask, fd: Option<BorrowedFd<'_>>) -> Result<(Answer, Option<OwnedFd>), Errno> {
        // A thread that panicked while holding the lock left no half-sent message: each is one packet.
        let link = self.0.link.lock().unwrap_or_else(PoisonError::into_inner);
        let link = link.as_ref().ok_or(Errno::EPIPE)?;
        send(link.as_fd(), ask, fd)?;
        receive(link.as_fd())
    }
}

/// The broker's life. Returns when its parent has gone.
fn run(link: OwnedFd, parent: rustix::process::Pid) -> nix::Result<i32> {
    let link = settle(link, parent)?;
    let mut workers = Workers::default();
    // Made at the first request: a broker that is never asked costs a fork and no more.
    let mut program = None;
    loop {
        let Ok((ask, fd)) = receive::<Ask>(link.as_fd()) else {
            workers.end_all();
            return Ok(0);
        };
        match ask {
            Ask::Enter { pid, access } => {
                let mut way = Way::default();
                match enter(&mut program, &mut workers, pid, &access, &mut way) {
                    Ok((answer, socket)) => send(link.as_fd(), &answer, Some(socket.as_fd()))?,
                    Err(refusal) => send(link.as_fd(), &way.refused(refusal), None)?,
                }
            }
            Ask::Plan { pid, access } => {
                let plan = facts::gather(pid).and_then(|(_, facts)| plan(&facts, &access));
                let answer = plan.map_or_else(|refusal| Way::default().refused(refusal), Answer::Planned);
                send(link.as_fd(), &answer, None)?;
            }
            Ask::Snapshot(order) => match snapshot::start(&mut workers, order, fd) {
                Ok((worker, told)) => send(link.as_fd(), &Answer::Taking { worker }, Some(told.as_fd()))?,
                Err(refusal) => send(link.as_fd(), &Way::default().refused(refusal), None)?,
            },
            Ask::Guard(order) => match guard::start(order, fd) {
                Ok(guarding) => send(link.as_fd(), &Answer::Guarding, Some(guarding.as_fd()))?,
                Err(refusal) => send(link.as_fd(), &Way::default().refused(refusal), None)?,
            },
            Ask::End { worker } => {
                workers.end(worker);
                send(link.as_fd(), &Answer::Ended, None)?;
            }
        }
    }
}

/// Becomes a process that nobody can look into, that holds nothing of the terminal or of the user's pipes, and
/// that cannot outlive its parent. Gives the link at its new number.
fn settle(link: OwnedFd, parent: rustix::process::Pid) -> nix::Result<OwnedFd> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).map_err(errno)?;
    if rustix::process::getppid() != Some(parent) {
        return Err(Errno::ESRCH);
    }
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(errno)?;
    // Its own session: ^C and a closed terminal are for the user's half, which then ends this one.
    rustix::process::setsid().map_err(errno)?;
    sys::ignore_children()?;
    let link = sys::lift(link, 10)?;
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    let null = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).map_err(errno)?;
    let null = sys::lift(null, 10)?;
    for standard in 0..3 {
        sys::place(null.as_fd(), standard)?;
    }
    sys::place_for_exec(link.as_fd(), 3)?;
    std::mem::forget((link, null));
    sys::close_from(4)?;
    Ok(sys::own(3))
}

/// How far the way in was gone.
#[derive(Default)]
struct Way {
    plan: Option<Plan>,
    done: Vec<Step>,
}

impl Way {
    fn refused(self, refusal: Refusal) -> Answer {
        Answer::Refused { refusal, plan: self.plan, done: self.done }
    }
}

fn enter(
    program: &mut Option<Program>,
    workers: &mut Workers,
    pid: i32,
    access: &super::Access,
    way: &mut Way,
) -> Result<(Answer, OwnedFd), Refusal> {
    if program.is_none() {
        *program = Some(Program::new().map_err(|error| stopped(Step::Program, error))?);
    }
    let Some(program) = program else { return Err(stopped(Step::Program, Errno::EIO)) };
    let (target, facts) = facts::gather(pid)?;
    way.done.push(Step::Pidfd);
    let plan = way.plan.insert(plan(&facts, access)?);
    let (worker, socket) = workers.start(program, &target, plan, &mut way.done)?;
    let (plan, done) = (plan.clone(), std::mem::take(&mut way.done));
    Ok((Answer::Entered { worker, inside: target.inside, plan, done }, socket))
}

fn plan(facts: &Facts, access: &super::Access) -> Result<Plan, Refusal> {
    Plan::new(facts, access).map_err(Refusal::NoPlan)
}

fn stopped(step: Step, errno: Errno) -> Refusal {
    Refusal::Stopped(Stopped { step, errno: errno as i32 })
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

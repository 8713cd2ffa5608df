//! Workers: the forked children that enter a target and become the shim there.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::ForkResult;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::facts::Held;
use super::message::{Refusal, Step, Stopped};
use super::program::Program;
use super::{errno, stopped};
use crate::entry::plan::{Plan, View};
use crate::sys;

pub mod rights;

/// The number at which the program waits to be executed, closed by it.
pub const PROGRAM: i32 = 3;
/// The number at which a failed step is told, closed by exec.
const REPORT: i32 = 4;
/// Numbers from here on are free for what the way in needs.
const FREE: i32 = 10;
/// How long a worker may take to become the shim, in milliseconds. It takes less than one.
const PATIENCE: i64 = 5000;
/// How long workers may take to end at the end.
const LAST_WAIT: Duration = Duration::from_millis(200);
/// Steps a worker has at most, and more.
const STEPS: usize = 32;
/// Workers at once. A screen uses one; `list` uses a few for a moment.
const MAX: usize = 256;

/// The workers that run.
#[derive(Default)]
pub struct Workers {
    running: Vec<(u32, OwnedFd)>,
    last: u32,
}

impl Workers {
    /// Starts one, and gives its number and the connection to it.
    ///
    /// The steps that it has done go into `done`, also if one of them fails.
    pub fn start(
        &mut self,
        program: &Program,
        target: &Held,
        plan: &Plan,
        done: &mut Vec<Step>,
    ) -> Result<(u32, OwnedFd), Refusal> {
        self.running.retain(|(_, pidfd)| !ended(pidfd));
        if self.running.len() >= MAX {
            return Err(stopped(Step::Fork, Errno::EAGAIN));
        }
        let flags = SockFlag::SOCK_CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)
            .map_err(|error| stopped(Step::Socket, error))?;
        // A socket and not a pipe: the filter allows sending, and no writing. One packet a step.
        let (report, tell) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)
            .map_err(|error| stopped(Step::Socket, error))?;
        let broker = rustix::process::getpid();
        match sys::fork().map_err(|error| stopped(Step::Fork, error))? {
            ForkResult::Child => {
                drop((ours, report));
                let failed = become_shim(program, target, plan, &theirs, &tell, broker);
                tell_of(tell.as_fd(), Err(failed));
                sys::exit_now(1);
            }
            ForkResult::Parent { child } => {
                drop((theirs, tell));
                let worker = Pid::from_raw(child.as_raw()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
                done.push(Step::Fork);
                outcome(&report, done)?;
                // It was alive a moment ago, having told of its exec; if it has ended since, the connection says so.
                Ok((self.hold(worker), ours))
            }
        }
    }

    /// Takes a worker in that was started elsewhere, and gives its number.
    pub fn add(&mut self, child: nix::unistd::Pid) -> u32 {
        let worker = Pid::from_raw(child.as_raw()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        self.hold(worker)
    }

    fn hold(&mut self, worker: Option<OwnedFd>) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.running.extend(worker.map(|pidfd| (self.last, pidfd)));
        self.last
    }

    /// Ends a worker that does not answer.
    pub fn end(&mut self, number: u32) {
        for (_, pidfd) in self.running.iter().filter(|(other, _)| *other == number) {
            // It may have ended by itself, which is what was wanted.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        self.running.retain(|(other, _)| *other != number);
    }

    /// Ends all of them and waits for it, so that none is left to be adopted. One that the kernel cannot end, on a
    /// stuck file system, is not waited for.
    pub fn end_all(&mut self) {
        for (_, pidfd) in &self.running {
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        let deadline = Instant::now() + LAST_WAIT;
        for (_, pidfd) in self.running.drain(..) {
            ends_within(&pidfd, deadline.saturating_duration_since(Instant::now()));
        }
    }
}

fn ended(pidfd: &OwnedFd) -> bool {
    ends_within(pidfd, Duration::ZERO)
}

/// Whether a process has ended, or does so soon.
pub fn ends_within(pidfd: &OwnedFd, patience: Duration) -> bool {
    let patience =
        rustix::event::Timespec::try_from(patience).unwrap_or(rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 });
    !matches!(poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&patience)), Ok(0))
}

/// What a worker tells: a step that it has done, or the one that failed.
type Report = Result<Step, Stopped>;

/// Waits for the reports. Closed without a failure means that the shim runs.
fn outcome(report: &OwnedFd, done: &mut Vec<Step>) -> Result<(), Refusal> {
    let patience = rustix::event::Timespec { tv_sec: PATIENCE / 1000, tv_nsec: 0 };
    loop {
        if matches!(poll(&mut [PollFd::new(report, PollFlags::IN)], Some(&patience)), Ok(0)) {
            return Err(stopped(Step::Exec, Errno::ETIMEDOUT));
        }
        let mut bytes = [0; 64];
        let len = rustix::io::read(report, &mut bytes).map_err(|error| stopped(Step::Exec, errno(error)))?;
        if len == 0 {
            // Without its last word it was killed on the way, which the connection tells.
            done.extend((done.last() == Some(&Step::Filter)).then_some(Step::Exec));
            return Ok(());
        }
        let told: Option<Report> = bytes.get(..len).and_then(|bytes| postcard::from_bytes(bytes).ok());
        match told.filter(|_| done.len() < STEPS) {
            Some(Ok(step)) => done.push(step),
            // The target ended under our hands.
            Some(Err(Stopped { step: Step::Join, errno })) if errno == libc::ESRCH => return Err(Refusal::Gone),
            Some(Err(failed)) => return Err(Refusal::Stopped(failed)),
            None => return Err(stopped(Step::Exec, Errno::EPROTO)),
        }
    }
}

/// The way in, step by step. Returns only if one fails.
fn become_shim(
    program: &Program,
    target: &Held,
    plan: &Plan,
    socket: &OwnedFd,
    tell: &OwnedFd,
    broker: Pid,
) -> Stopped {
    let Err(failed) = try_become_shim(program, target, plan, socket, tell, broker);
    failed
}

fn try_become_shim(
    program: &Program,
    target: &Held,
    plan: &Plan,
    socket: &OwnedFd,
    tell: &OwnedFd,
    broker: Pid,
) -> Result<std::convert::Infallible, Stopped> {
    let at = |step| move |errno: Errno| Stopped { step, errno: errno as i32 };

    // Out of the numbers that are given out below.
    let lift = |fd: BorrowedFd<'_>| -> Result<OwnedFd, Errno> {
        sys::lift(fd.try_clone_to_owned().map_err(|_| Errno::EMFILE)?, FREE)
    };
    let socket = lift(socket.as_fd()).map_err(at(Step::Descriptors))?;
    let pidfd = lift(target.pidfd.as_fd()).map_err(at(Step::Descriptors))?;
    let file = lift(program.file.as_fd()).map_err(at(Step::Descriptors))?;
    let tell = lift(tell.as_fd()).map_err(at(Step::Descriptors))?;
    let did = |step| tell_of(tell.as_fd(), Ok(step));
    let root = target.root.as_ref().map(|root| lift(root.as_fd())).transpose().map_err(at(Step::Descriptors))?;

    // The first to go when memory runs out, and no core file of what was read. Neither may fail the way in.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(at(Step::Lower))?;
    if !plan.write {
        setrlimit(Resource::RLIMIT_FSIZE, 0, 0).map_err(at(Step::Lower))?;
    }
    rights::lower(plan).map_err(at(Step::Lower))?;
    did(Step::Lower);

    // Joins every namespace in one step, while still powerful enough to do so and while still outside the
    // target's pid namespace: no process in the container can see this one, now or later.
    let kinds = plan.join.iter().fold(0, |flags, namespace| flags | namespace.flag());
    if kinds != 0 {
        sys::join(pidfd.as_fd(), kinds).map_err(at(Step::Join))?;
        did(Step::Join);
    }
    if plan.chroot {
        let root = root.as_ref().ok_or(Stopped { step: Step::Root, errno: libc::EACCES })?;
        rustix::process::fchdir(root).map_err(errno).map_err(at(Step::Root))?;
        nix::unistd::chroot(".").map_err(at(Step::Root))?;
        did(Step::Root);
    }
    nix::unistd::chdir("/").map_err(at(Step::Root))?;
    if plan.view == View::Locked {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).map_err(at(Step::View))?;
        match sys::lock_view(c"/") {
            Ok(()) => did(Step::View),
            // Linux before 5.12: the shim's own restraint and its filter remain. That it was not done is seen.
            Err(Errno::ENOSYS) => {}
            Err(error) => return Err(at(Step::View)(error)),
        }
    }
    rights::take_ids(plan).map_err(at(Step::User))?;
    did(Step::User);
    rights::drop_rest(plan).map_err(at(Step::Drop))?;
    did(Step::Drop);

    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(errno).map_err(at(Step::Tie))?;
    if rustix::process::getppid() != Some(broker) {
        return Err(Stopped { step: Step::Tie, errno: libc::ESRCH });
    }

    // /dev/null of the host: the broker's own descriptor 0.
    let null = sys::borrow_number(0);
    sys::place(null, 2).map_err(at(Step::Descriptors))?;
    sys::place(pidfd.as_fd(), 1).map_err(at(Step::Descriptors))?;
    sys::place(socket.as_fd(), 0).map_err(at(Step::Descriptors))?;
    sys::place_for_exec(file.as_fd(), PROGRAM).map_err(at(Step::Descriptors))?;
    sys::place_for_exec(tell.as_fd(), REPORT).map_err(at(Step::Descriptors))?;
    // From here on the report goes to its new place, and the old owners must not close anything.
    std::mem::forget((socket, pidfd, file, root));
    sys::close_from(REPORT + 1).map_err(at(Step::Descriptors))?;
    std::mem::forget(tell);

    let filter = if plan.write { &program.writer } else { &program.reader };
    let letters = if plan.write { c"ptw" } else { c"pt" };
    // Nothing from here on may allocate: the filter allows what the shim needs and no more.
    let failed = match seccompiler::apply_filter(filter) {
        Ok(()) => {
            tell_of(sys::borrow_number(REPORT), Ok(Step::Filter));
            at(Step::Exec)(sys::execute(PROGRAM, c"scratchdbg-shim", letters))
        }
        Err(_) => Stopped { step: Step::Filter, errno: libc::EINVAL },
    };
    tell_of(sys::borrow_number(REPORT), Err(failed));
    sys::exit_now(1)
}

/// Tells the broker of a step. If that fails, the broker sees the end without a word of it. Allocates nothing.
fn tell_of(tell: BorrowedFd<'_>, report: Report) {
    let mut bytes = [0; 64];
    if let Ok(bytes) = postcard::to_slice(&report, &mut bytes) {
        let _ = rustix::net::send(tell, bytes, rustix::net::SendFlags::NOSIGNAL);
    }
}

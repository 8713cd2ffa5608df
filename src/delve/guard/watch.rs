//! Watching both until Delve has ended.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use super::delve::{Delve, Event};
use super::look::Look;
use super::nowhere::NotAlone;
use super::text::Difference;
use super::{Error, Link, Means, Order, Report, Told, Why, halt, traps};
use crate::engine::process;

/// Between two looks at the target, while nothing else happens.
const BEAT: Duration = Duration::from_millis(20);
/// Between two attempts to connect.
const SHORT_BEAT: Duration = Duration::from_millis(2);

/// Both of them.
#[derive(Debug)]
pub struct Watch<'a> {
    order: &'a Order,
    means: &'a Means,
    /// The target, whatever its number will be.
    target: OwnedFd,
    delve: Delve,
    children: SignalFd,
    /// Since when the target stands still.
    held: Option<Instant>,
    /// Whether Delve is to end.
    ending: bool,
    /// Kept open, so that Delve does not see it end.
    connection: Option<OwnedFd>,
    /// What Delve had left in the target when it was about to end.
    left: Vec<u64>,
    /// Whether Delve held the target at its end, which was sent a SIGSTOP then.
    stopped: bool,
}

impl<'a> Watch<'a> {
    /// Starts Delve.
    pub fn start(order: &'a Order, program: Option<&OwnedFd>, means: &'a Means) -> Result<Self, Error> {
        let failed = |step: &'static str| move |errno| Error::launch(step, errno);
        // What a terminal sends, and what would end a program, is not for the guard: it has a target to look after.
        let ignored = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGPIPE];
        crate::sys::set_signals(&[Signal::SIGCHLD], &ignored).map_err(failed("its signals"))?;
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None).map_err(failed("its signals"))?;
        let children =
            SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(failed("signalfd"))?;

        let number = rustix::process::Pid::from_raw(order.pid.0).ok_or(Error::Gone)?;
        let target = pidfd_open(number, PidfdFlags::empty()).map_err(|_| Error::Gone)?;
        // Held by the descriptor, it is now looked at whether it is the one that was meant.
        match process::find(order.pid) {
            Ok(found) if found.start_ticks == order.start_ticks => {}
            _ => return Err(Error::Gone),
        }
        let delve = match (order.delve, program) {
            (Some(delve), _) => Delve::take_over(delve)?,
            (None, Some(program)) => {
                let look = Look::at(order.pid).map_err(|error| Error::proc("status", &error))?;
                match look.state {
                    _ if look.tracer != 0 => return Err(Error::Traced { tracer: look.tracer }),
                    'T' => return Err(Error::Stopped),
                    'Z' | 'X' => return Err(Error::Gone),
                    _ => Delve::start(order, program, &means.place)?,
                }
            }
            (None, None) => return Err(Error::launch("its program", nix::errno::Errno::EBADF)),
        };
        let (held, ending, connection, left, stopped) = (None, false, None, Vec::new(), false);
        Ok(Self { order, means, target, delve, children, held, ending, connection, left, stopped })
    }

    /// Watches until Delve has ended, and sees to it that the target is as before.
    pub fn until_it_has_ended(mut self, link: &impl Link) {
        link.tell(&Told::Started(self.delve.running()), None);
        let mut open = Some(link);
        if self.order.delve.is_some() {
            self.end(Why::GuardEnded, link);
        }
        let how = loop {
            let waits_to_connect = self.connection.is_none() && !self.ending;
            if self.wait(open, if waits_to_connect { SHORT_BEAT } else { BEAT }) {
                // A word, or the end of whoever could say one.
                open = None;
                self.end(Why::Asked, link);
            }
            self.delve.listen();
            if waits_to_connect {
                match self.means.place.connect(self.delve.pid()) {
                    Ok(Some(connection)) => {
                        let connection = self.connection.insert(connection.into());
                        link.tell(&Told::Connected, Some(connection));
                    }
                    Ok(None) => {}
                    Err(NotAlone) => self.end(Why::NotAlone, link),
                }
            }
            if let Some(how) = self.events(link) {
                break how;
            }
            if let Some(why) = self.look() {
                self.end(why, link);
            }
        };
        self.delve.listen();
        let report = self.repair(how);
        link.tell(&Told::Ended(report), None);
    }

    /// Waits for something to happen. Says whether there is a word on the link, or its end.
    fn wait(&self, link: Option<&impl Link>, beat: Duration) -> bool {
        let mut fds = vec![PollFd::new(&self.children, PollFlags::IN)];
        fds.extend(link.map(|link| PollFd::new(link.fd(), PollFlags::IN)));
        let beat = Timespec { tv_sec: 0, tv_nsec: beat.subsec_nanos().into() };
        // Interrupted, it is looked at everything once more.
        let _ = poll(&mut fds, Some(&beat));
        while let Ok(Some(_)) = self.children.read_signal() {}
        let spoke = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        spoke && link.is_some_and(Link::wants_the_end)
    }

    /// What has happened to Delve. How it has ended, if it has.
    fn events(&mut self, link: &impl Link) -> Option<Result<i32, i32>> {
        loop {
            match self.delve.event() {
                Event::Nothing => return None,
                Event::Other => {}
                Event::Ended(how) => return Some(how),
                Event::Asked(signal) => self.end(Why::DelveSignal(signal as i32), link),
                Event::Ending(thread) => {
                    self.before_the_end_of(thread);
                    Delve::go_on(thread, None);
                }
            }
        }
    }

    /// A thread of Delve's is about to end. If it is the one that holds the target, then its breakpoints are taken out
    /// before the target's threads go on, and none goes on before all are where they should be.
    fn before_the_end_of(&mut self, thread: Pid) {
        if Look::at(self.order.pid).is_ok_and(|look| look.tracer == thread.as_raw()) {
            // One SIGSTOP for all would be taken by a thread that runs, and be with Delve while another one goes on: so
            // first all stop, each by its own, and then there is one that nobody has taken when they go on.
            halt::all(self.order.pid);
            self.stopped |= pidfd_send_signal(&self.target, rustix::process::Signal::STOP).is_ok();
            self.left.extend(self.heal().healed);
        }
    }

    fn heal(&self) -> Difference {
        self.means.text.heal().unwrap_or_default()
    }

    /// Ends Delve, once. The target is looked after when that happens.
    fn end(&mut self, why: Why, link: &impl Link) {
        if !self.ending {
            self.ending = true;
            link.tell(&Told::Ending(why), None);
            self.delve.end();
        }
    }

    /// Looks at the target: whether there is a reason to end.
    fn look(&mut self) -> Option<Why> {
        let Ok(look) = Look::at(self.order.pid) else { return Some(Why::TargetEnded) };
        if look.has_ended() {
            return Some(Why::TargetEnded);
        }
        if !look.is_held() {
            self.held = None;
            return None;
        }
        let since = *self.held.get_or_insert_with(Instant::now);
        // Whoever stops a container waits for it, and then kills it: it must see the signal.
        let signal = look.is_to_end().map(Why::Signal);
        signal.or_else(|| self.order.pause.filter(|&most| since.elapsed() >= most).map(Why::Pause))
    }

    /// Delve is no more: what it has left is taken away, and the target goes on.
    fn repair(&mut self, how: Result<i32, i32>) -> Report {
        // Once more: it may have written between the moment it was killed and its end.
        let difference = self.heal();
        self.left.extend(difference.healed);
        let mut report = Report {
            signal: how.err(),
            status: how.ok(),
            healed: self.left.len() as u64,
            differs: difference.other,
            printed: std::mem::take(&mut self.delve.printed),
            ..Report::default()
        };
        if self.stopped || !self.left.is_empty() {
            let settled = traps::settle(self.order, self.delve.pid(), self.means.text.memory(), &self.left);
            report.stepped_back = settled;
        }
        // Killed while it attached, it has left the target stopped.
        let is_stopped = || Look::at(self.order.pid).is_ok_and(|look| look.state == 'T' && look.tracer == 0);
        if self.stopped || (how != Ok(0) && is_stopped()) {
            let _ = pidfd_send_signal(&self.target, rustix::process::Signal::CONT);
        }
        report.runs = Look::at(self.order.pid).is_ok_and(|look| !look.has_ended() && look.tracer == 0);
        report
    }
}

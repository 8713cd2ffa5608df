//! Carries what is said, and bytes, between whoever has made the sidecar and who does the work.
//!
//! One thread, and nothing that blocks: no side can hold the other up, and the end of either is seen at once.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, waitpid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::de::DeserializeOwned;

use crate::entry::beside::wire::{self, Frame, Refusal, Said, Say};
use crate::entry::broker::message::receive;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;
/// Bytes that may wait for whoever has made the sidecar, until no more are read for them.
const WAITING: usize = 4 * PIECE;
/// Bytes that may wait for Delve. Its clients ask little: who sends so much that is not read has the session ended.
const MOST: usize = 1 << 20;

/// How long the last ones may take to end, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(1);

/// Who does the work.
pub trait Worker {
    /// How long nothing may be heard of whoever is on the other side. `None` if what it does takes no longer than it takes.
    const SILENCE: Option<Duration>;
    /// What it tells.
    type Told: DeserializeOwned;
    /// Something was told: how it is passed on, and whether it is the last word.
    fn told(&mut self, told: Self::Told) -> (Said, bool);
    /// The work is to end.
    fn end(&mut self, link: &OwnedFd);
    /// It is no more, without a last word: the link to who takes over, or what is told instead.
    fn lost(&mut self) -> Result<OwnedFd, Said>;
}

/// Who carries.
pub struct Carrier {
    signals: SignalFd,
    /// What came and is no whole frame yet.
    received: Vec<u8>,
    /// Whether there is input still, and when there last was some.
    input: bool,
    heard: Instant,
    /// What waits to be told. `None` when nobody is there any more.
    output: Option<Vec<u8>>,
    /// What waits for Delve.
    down: Vec<u8>,
    /// What waits for the bytes before it: the last word.
    last: Option<Said>,
}

/// What is ready.
struct Ready {
    signals: bool,
    input: bool,
    output: bool,
    link: bool,
    data: PollFlags,
}

/// Waits until all whom it has started, and all who have lost their parent, have ended, and been reaped: whoever is left would be
/// adopted by the target's first process, which may never do that. One that the kernel cannot end is not waited for.
fn outlive() {
    let began = Instant::now();
    // All vanish by themselves; see `sys::ignore_children`.
    while waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) != Err(Errno::ECHILD)
        && began.elapsed() < PATIENCE
    {
        std::thread::sleep(BREATH);
    }
}

impl Carrier {
    /// `received` is what has come already.
    pub fn new(signals: SignalFd, received: Vec<u8>) -> Self {
        Self {
            signals,
            received,
            input: true,
            heard: Instant::now(),
            output: Some(Vec::new()),
            down: Vec::new(),
            last: None,
        }
    }

    /// Says that nothing is done.
    pub fn refuse(mut self, refusal: Refusal) {
        self.say(&Said::Refused(refusal));
        while self.output.as_ref().is_some_and(|output| !output.is_empty()) {
            self.write();
        }
    }

    /// Carries until the work is done, and all of it was told or nobody is there to be told.
    pub fn carry<W: Worker>(mut self, worker: &mut W, link: OwnedFd, mut data: Option<OwnedFd>) {
        for fd in [rustix::stdio::stdin(), rustix::stdio::stdout()] {
            // One that blocks is waited for, too: it only holds up the other side.
            let _ = rustix::io::ioctl_fionbio(fd, true);
        }
        let (mut link, mut asked) = (Some(link), false);
        while !self.is_done(link.as_ref(), data.as_ref()) {
            let ready = self.wait(link.as_ref(), data.as_ref(), W::SILENCE);
            let mut end = ready.signals && self.was_signalled();
            if ready.input {
                end |= self.read();
            }
            if self.input && W::SILENCE.is_some_and(|most| self.heard.elapsed() >= most) {
                end |= self.is_left_alone();
            }
            if ready.link
                && let Some(now) = link.take()
            {
                link = self.listen(worker, now, &mut data);
            }
            if !ready.data.is_empty() {
                self.move_bytes(&mut data, ready.data);
            }
            if self.last.is_some()
                && data.is_none()
                && let Some(last) = self.last.take()
            {
                self.say(&last);
            }
            if ready.output {
                self.write();
            }
            end |= self.output.is_none();
            if end
                && !asked
                && let Some(link) = &link
            {
                asked = true;
                worker.end(link);
            }
        }
        outlive();
    }

    fn is_done(&self, link: Option<&OwnedFd>, data: Option<&OwnedFd>) -> bool {
        let is_told = |output: &Vec<u8>| output.is_empty() && data.is_none() && self.last.is_none();
        link.is_none() && self.output.as_ref().is_none_or(is_told)
    }

    fn wait(&self, link: Option<&OwnedFd>, data: Option<&OwnedFd>, silence: Option<Duration>) -> Ready {
        let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        let waiting = self.output.as_ref().map_or(0, Vec::len);
        let mut wanted: Vec<(BorrowedFd<'_>, PollFlags)> = vec![(self.signals.as_fd(), PollFlags::IN)];
        let mut add = |fd, flags| {
            wanted.push((fd, flags));
            wanted.len() - 1
        };
        let input = self.input.then(|| add(stdin, PollFlags::IN));
        let output = (waiting > 0).then(|| add(stdout, PollFlags::OUT));
        let link = link.filter(|_| waiting < WAITING).map(|link| add(link.as_fd(), PollFlags::IN));
        let flags = [(PollFlags::IN, waiting < WAITING), (PollFlags::OUT, !self.down.is_empty())];
        let flags = flags.into_iter().filter(|(_, is)| *is).map(|(flag, _)| flag).collect::<PollFlags>();
        let data = data.filter(|_| !flags.is_empty()).map(|data| add(data.as_fd(), flags));
        let mut fds: Vec<_> = wanted.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        // Interrupted, nothing is ready, and it is waited for once more.
        let left = silence.filter(|_| self.input).map(|most| most.saturating_sub(self.heard.elapsed()));
        // More than there is to wait never is too long for the kernel's numbers.
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let _ = poll(&mut fds, left.as_ref());
        let of = |at: Option<usize>| at.and_then(|at| fds.get(at)).map_or(PollFlags::empty(), PollFd::revents);
        let is = |at| !of(at).is_empty();
        Ready { signals: is(Some(0)), input: is(input), output: is(output), link: is(link), data: of(data) }
    }

    fn was_signalled(&mut self) -> bool {
        matches!(self.signals.read_signal(), Ok(Some(_)))
    }

    /// Reads what came. Whether the session is to end.
    fn read(&mut self) -> bool {
        let mut room = vec![0; PIECE];
        match rustix::io::read(rustix::stdio::stdin(), &mut room) {
            Ok(got @ 1..) => {
                self.heard = Instant::now();
                self.received.extend_from_slice(&room[..got]);
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Ok(0) | Err(_) => return self.is_left_alone(),
        }
        loop {
            match wire::first::<Say>(&self.received) {
                Ok(Some((frame, length))) => {
                    self.received.drain(..length);
                    match frame {
                        Frame::Bytes(bytes) if self.down.len() <= MOST => self.down.extend(bytes),
                        Frame::Message(Say::Here) => {}
                        _ => return true,
                    }
                }
                Ok(None) => return false,
                Err(_) => return self.is_left_alone(),
            }
        }
    }

    /// Nobody asks any more, and nobody listens either: who has gone closes both at once, or is not heard of any more.
    fn is_left_alone(&mut self) -> bool {
        self.input = false;
        self.output = None;
        true
    }

    /// Hears a word. Gives the link to whoever has another one to say.
    fn listen<W: Worker>(&mut self, worker: &mut W, link: OwnedFd, data: &mut Option<OwnedFd>) -> Option<OwnedFd> {
        match receive::<W::Told>(link.as_fd()) {
            Ok((told, fd)) => {
                if let Some(fd) = fd {
                    let _ = rustix::io::ioctl_fionbio(&fd, true);
                    *data = Some(fd);
                }
                let (said, is_last) = worker.told(told);
                if is_last {
                    self.last = Some(said);
                    return None;
                }
                self.say(&said);
                Some(link)
            }
            Err(Errno::EINTR | Errno::EAGAIN) => Some(link),
            Err(_) => match worker.lost() {
                Ok(other) => Some(other),
                Err(said) => {
                    *data = None;
                    self.last = Some(said);
                    None
                }
            },
        }
    }

    /// Moves bytes between Delve, or whoever takes a core, and us.
    fn move_bytes(&mut self, data: &mut Option<OwnedFd>, ready: PollFlags) {
        let Some(fd) = data else { return };
        if ready.contains(PollFlags::OUT) && !self.down.is_empty() {
            match rustix::io::write(&*fd, &self.down) {
                Ok(sent) => drop(self.down.drain(..sent)),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                // It has ended, which its guard tells.
                Err(_) => self.down.clear(),
            }
        }
        if ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            let mut room = vec![0; PIECE];
            match rustix::io::read(&*fd, &mut room) {
                Ok(got @ 1..) => {
                    if let Some(output) = &mut self.output {
                        // Far smaller than a frame may be.
                        let _ = wire::bytes(&room[..got], output);
                    }
                }
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Ok(0) | Err(_) => *data = None,
            }
        }
    }

    fn say(&mut self, said: &Said) {
        if let Some(output) = &mut self.output {
            // All that is said is far smaller than a frame may be.
            let _ = wire::message(said, output);
        }
    }

    fn write(&mut self) {
        let Some(output) = &mut self.output else { return };
        match rustix::io::write(rustix::stdio::stdout(), output) {
            Ok(sent) => drop(output.drain(..sent)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            // Nobody is there any more.
            Err(_) => self.output = None,
        }
    }
}

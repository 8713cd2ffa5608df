//! The guard: it starts Delve on a live process, watches both, and sees to it that the process goes on as before, however
//! Delve ends.
//!
//! A debugger writes breakpoints into the program it looks at. If it is killed, they stay, and the next thread that comes
//! to one dies of it with its process. The guard therefore traces Delve as Delve traces its target, for one moment only:
//! the kernel holds a thread that is about to end (ptrace(2), `PTRACE_EVENT_EXIT`), by SIGKILL too, *before* it lets
//! the threads go that this one traces. In that moment the program's text is put back (`text`), and a SIGSTOP is
//! sent, so that no thread runs until what Delve has left in flight is taken away: threads behind a breakpoint that they have
//! just hit (`registers`), and signals that Delve had sent to stop them (`traps`).
//!
//! So SIGKILL is the one way in which the guard ends Delve, unless a client has asked Delve to detach. Delve's own ways are
//! worse: when its connection closes or it gets a SIGTERM while the target steps, a SIGTRAP of its own may reach the target,
//! which dies of it (seen with 1.27.1). Therefore the guard holds the connection open, too, and takes Delve's signals away.
//!
//! It is a process of its own with three rights. It outlives the broker that has forked it, because a target must not be
//! left alone with Delve. If it is killed itself, another one takes over ([`Order::delve`]); if everybody is killed, the
//! connection closes, and Delve detaches as it does.

mod delve;
mod error;
mod halt;
mod look;
mod nowhere;
mod place;
mod registers;
mod text;
mod traps;
mod watch;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::error::Error;
pub use self::look::fuzz;
use self::place::Place;
use self::text::Text;
use crate::golang::BuildId;
use crate::target::HostPid;
use crate::text::Untrusted;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The process, on this host.
    pub pid: HostPid,
    /// When it began, in clock ticks after boot: which of all the processes that had its number.
    pub start_ticks: u64,
    /// How long it may stand still at a time. `None`: for ever.
    pub pause: Option<Duration>,
    /// A Delve whose guard was killed: it is not started, but ended.
    pub delve: Option<Running>,
    /// The program's build id, if a debug file of it comes along.
    pub debug_file: Option<BuildId>,
}

/// A Delve that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process, on this host.
    pub pid: HostPid,
    /// When it began, in clock ticks after boot: nobody else who gets its number is ended for it.
    pub start_ticks: u64,
    /// The guard's, and when that began. Where only who told of it was killed, it is at work still.
    pub guard: (HostPid, u64),
}

/// What the guard tells, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// Delve runs.
    Started(Running),
    /// It takes requests; the connection comes along. It answers as soon as it has attached.
    Connected,
    /// The guard ends the session by itself.
    Ending(Why),
    /// Delve has ended, and this is how the target is.
    Ended(Report),
    /// It was not begun.
    Failed(Error),
}

/// How the guard speaks with whoever wants to debug.
pub trait Link {
    /// What can be read of when there is a word, or the other side has gone.
    fn fd(&self) -> &OwnedFd;
    /// Reads a word: whether it is that the session shall end, or the other side has gone. May block if there is none.
    fn wants_the_end(&self) -> bool;
    /// Tells something. Nobody may be there any more.
    fn tell(&self, told: &Told, fd: Option<&OwnedFd>);
}

/// Why the guard ended the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The target stood still for as long as it may.
    Pause(Duration),
    /// The target was sent this signal while it stood still, as `docker stop` does.
    Signal(i32),
    /// The target has ended.
    TargetEnded,
    /// Whoever debugged it has gone, or said so.
    Asked,
    /// Delve was sent this signal.
    DelveSignal(i32),
    /// Its guard was killed.
    GuardEnded,
    /// Somebody else was about to speak with Delve.
    NotAlone,
}

impl Why {
    /// For a person, behind the target's name. Nothing if it was asked for.
    #[must_use]
    pub fn words(self) -> Option<String> {
        let signal =
            |number| nix::sys::signal::Signal::try_from(number).map_or("a signal", nix::sys::signal::Signal::as_str);
        match self {
            Self::Pause(most) => {
                Some(format!("stood still for {}, as long as it may: let go", humantime::format_duration(most)))
            }
            Self::Signal(number) => {
                let signal = signal(number);
                Some(format!("was sent {signal} while it stood still: let go, so that it gets it"))
            }
            Self::TargetEnded => Some("has ended".to_owned()),
            Self::DelveSignal(number) => Some(format!("let go: dlv was sent {}", signal(number))),
            Self::GuardEnded => Some("let go: the guard was killed, and another one has taken over".to_owned()),
            Self::NotAlone => Some("let go: somebody else in its pod was about to speak with dlv".to_owned()),
            Self::Asked => None,
        }
    }
}

/// How the target is after the session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The signal that Delve was ended by, if it was.
    pub signal: Option<i32>,
    /// Its exit status, if it ended by itself.
    pub status: Option<i32>,
    /// Breakpoints that Delve had left in the program, and that were taken out.
    pub healed: u64,
    /// Threads that had hit one of them and were stepped back, or were spared a signal of Delve's.
    pub stepped_back: u64,
    /// Other bytes in which the program differs from its file. Not of our making: left alone.
    pub differs: u64,
    /// Whether the target is there and runs.
    pub runs: bool,
    /// The last that Delve printed.
    pub printed: Vec<u8>,
}

impl Report {
    /// The last line that Delve printed.
    #[must_use]
    pub fn last_words(&self) -> Untrusted {
        let last = self.printed.split(|&byte| byte == b'\n').rfind(|line| !line.trim_ascii().is_empty());
        last.map_or_else(|| Untrusted::from("it said nothing"), Untrusted::from)
    }
}

/// What takes more rights to get than to use.
#[derive(Debug)]
pub struct Means {
    place: Place,
    text: Text,
}

impl Means {
    /// Gets it: takes `CAP_SYS_ADMIN` for a file system, and whatever it takes to open the process's memory.
    ///
    /// # Errors
    /// If the kernel does not let us. Nothing has been done then.
    pub fn gather(order: &Order, debug_file: Option<OwnedFd>) -> Result<Self, Error> {
        Self::with(order, debug_file, Place::new)
    }

    /// The same with a file system that is there already: in a container of our own nobody may make one.
    ///
    /// # Errors
    /// As [`Means::gather`].
    pub fn gather_in(scratch: &Path, order: &Order, debug_file: Option<OwnedFd>) -> Result<Self, Error> {
        Self::with(order, debug_file, |debug_file| Place::within(scratch, debug_file))
    }

    /// The same where nothing can be written. A debug file has no place there.
    ///
    /// # Errors
    /// As [`Means::gather`].
    pub fn gather_nowhere(order: &Order) -> Result<Self, Error> {
        Self::with(order, None, |_| Place::nowhere())
    }

    fn with(
        order: &Order,
        debug_file: Option<OwnedFd>,
        place: impl FnOnce(Option<(BuildId, OwnedFd)>) -> Result<Place, Error>,
    ) -> Result<Self, Error> {
        // What cannot be put back must not be touched.
        Ok(Self { place: place(order.debug_file.zip(debug_file))?, text: Text::of(order.pid)? })
    }
}

/// Starts Delve, whose program is `program`, or takes over one that has no guard. Watches until it has ended. For a process of its own, forked for it.
///
/// # Errors
/// If it could not be begun. The target goes on in any case.
pub fn run(order: &Order, program: Option<&OwnedFd>, means: &Means, link: &impl Link) -> Result<(), Error> {
    watch::Watch::start(order, program, means)?.until_it_has_ended(link);
    Ok(())
}

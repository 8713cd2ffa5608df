//! A session beside its process: a guard over Delve, and another one if that is killed.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use super::carry::{Carrier, Worker};
use super::{noticed, refused};
use crate::delve::guard::{Error, Means, Order, Told};
use crate::entry::beside::wire::{self, Refusal, Said};
use crate::entry::beside::{DEBUG_FILE, DELVE, SCRATCH};
use crate::entry::broker::guard::{self, Say};
use crate::entry::broker::message::{self, send};
use crate::entry::broker::rights;
use crate::target::HostPid;

/// Guards that take over from each other, at most: who kills them does it again.
const MOST: u32 = 16;

/// Begins it.
pub fn run(order: wire::Live, keep: u64, carrier: Carrier) {
    let wire::Live { pid, start_ticks, pause, delve, debug_file, scratch } = order;
    // Here it has the number that it has inside.
    let order = Order { pid: HostPid(pid.0), start_ticks, pause, delve, debug_file };
    let program = match File::open(DELVE) {
        _ if delve.is_some() => None,
        Ok(program) => Some(program.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return carrier.refuse(Refusal::NoDelve),
        Err(error) => return carrier.refuse(Refusal::Means(error.raw_os_error().unwrap_or(libc::EIO))),
    };
    let start = Start { order, keep, scratch };
    match start.guard(program) {
        Ok(link) => carrier.carry(&mut Guarding { start, guards: 1 }, link, None),
        Err(refusal) => carrier.refuse(refused(&refusal)),
    }
}

/// How a guard is started.
struct Start {
    order: Order,
    keep: u64,
    scratch: bool,
}

impl Start {
    fn guard(&self, program: Option<OwnedFd>) -> Result<OwnedFd, message::Refusal> {
        let Self { order, keep, scratch } = self;
        guard::fork(*order, program, |_, starts| {
            // It may have to outlive whoever has started it.
            std::mem::forget(noticed::be_noticed());
            let debug_file = match order.debug_file {
                Some(_) if starts => Some(File::open(DEBUG_FILE).map_err(|_| Error::DebugFile)?.into()),
                _ => None,
            };
            let means = if *scratch {
                Means::gather_in(Path::new(SCRATCH), order, debug_file)?
            } else {
                Means::gather_nowhere(order)?
            };
            let rights = rights::had(*keep).and_then(rights::reduce_and_on);
            rights.map_err(|errno| Error::Rights { errno: errno as i32 })?;
            Ok(means)
        })
    }
}

/// The guard.
struct Guarding {
    start: Start,
    guards: u32,
}

impl Worker for Guarding {
    const SILENCE: Option<Duration> = Some(wire::SILENCE);
    type Told = Told;

    fn told(&mut self, told: Told) -> (Said, bool) {
        if let Told::Started(delve) = told {
            self.start.order.delve = Some(delve);
        }
        let is_last = matches!(told, Told::Ended(_) | Told::Failed(_));
        (Said::Guard(told), is_last)
    }

    fn end(&mut self, link: &OwnedFd) {
        // It may have ended by itself.
        let _ = send(link.as_fd(), &Say::End, None);
    }

    fn lost(&mut self) -> Result<OwnedFd, Said> {
        self.guards += 1;
        if self.start.order.delve.is_none() || self.guards > MOST {
            return Err(Said::GivenUp);
        }
        self.start.guard(None).map_err(|_| Said::GivenUp)
    }
}

//! The local door: this host's own kernel lets us in, through the broker.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::broker::message::{Answer, Ask, Refusal};
use super::plan::{NoPlan, Plan};
use super::tracer::{Tracer, Way};
use super::{Access, Broker, Door, Entered, Error, steps};
use crate::activity::Journal;
use crate::shim::{Leash, Shim};
use crate::target::{ContainerPid, HostPid};

/// Enters through the broker.
pub(super) async fn enter(
    broker: Result<&Broker, Error>,
    name: &str,
    pid: HostPid,
    access: &Access,
    journal: &Journal,
) -> Result<Entered, Error> {
    let broker = broker?;
    let target = || name.to_owned();
    let (answer, socket) = ask(broker, name, Ask::Enter { pid: pid.0, access: *access }).await?;
    let (worker, inside, plan, done, socket) = match (answer, socket) {
        (Answer::Entered { worker, inside, plan, done }, Some(socket)) => (worker, inside, plan, done, socket),
        (Answer::Refused { refusal, plan, done }, _) => {
            let failed = if let Refusal::Stopped(stopped) = &refusal { Some(*stopped) } else { None };
            // They ended with the worker, if there was one.
            steps::record(journal, name, pid, plan.as_ref(), &done, failed).undone();
            return Err(refused(name, refusal));
        }
        (_, _) => {
            return Err(Error::BrokerEnded { target: target(), errno: nix::errno::Errno::EPROTO });
        }
    };
    let made = steps::record(journal, name, pid, Some(&plan), &done, None);
    let tracer = Tracer(Way::Local(broker.clone()));
    let (broker, told) = (broker.clone(), journal.clone());
    // A worker that does not answer is not asked to end: it is killed.
    let leash = Leash::new(move || {
        let killing = told.begin(Some(Door::Local), "kill the helper, which does not answer", None);
        killing.end(&broker.ask(&Ask::End { worker }));
    });
    let shim = Shim::start(UnixStream::from(socket), leash).await;
    let shim = shim.map_err(|cause| {
        made.undone();
        Error::Shim { target: target(), cause }
    })?;
    let ended = shim.ended();
    tokio::spawn(async move {
        ended.await;
        made.undone();
    });
    Ok(Entered { shim, plan, init: ContainerPid(inside), door: Door::Local, tracer, notice: None })
}

/// How it would be entered.
pub(super) async fn plan(
    broker: Result<&Broker, Error>,
    name: &str,
    pid: HostPid,
    access: &Access,
) -> Result<Plan, Error> {
    match ask(broker?, name, Ask::Plan { pid: pid.0, access: *access }).await?.0 {
        Answer::Planned(plan) => Ok(plan),
        Answer::Refused { refusal, .. } => Err(refused(name, refusal)),
        _ => Err(Error::BrokerEnded { target: name.to_owned(), errno: nix::errno::Errno::EPROTO }),
    }
}

async fn ask(broker: &Broker, name: &str, ask: Ask) -> Result<(Answer, Option<OwnedFd>), Error> {
    let asked = broker.clone();
    let answer = tokio::task::spawn_blocking(move || asked.ask(&ask)).await;
    let answer = answer.unwrap_or(Err(nix::errno::Errno::EIO));
    answer.map_err(|errno| Error::BrokerEnded { target: name.to_owned(), errno })
}

pub(super) fn refused(name: &str, refusal: Refusal) -> Error {
    let target = name.to_owned();
    match refusal {
        Refusal::Gone => Error::Gone { target },
        Refusal::NoPlan(NoPlan::Missing(missing)) => Error::Missing { target, missing },
        Refusal::NoPlan(NoPlan::Unmapped(uid)) => Error::Unmapped { target, uid },
        Refusal::Stopped(stopped) => {
            Error::Stopped { target, step: stopped.step, errno: nix::errno::Errno::from_raw(stopped.errno) }
        }
    }
}

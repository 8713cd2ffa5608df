//! `forward`

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, pending};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};

use super::signals::Signals;
use super::{Context, output};
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::forward::{Ended, Error, Event, Forward, MOST, Network};
use crate::target::Target;
use crate::text::Untrusted;

/// How long an engine may take to notice that a container has ended, whose helper is gone.
const NOTICE: Duration = Duration::from_secs(2);
/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(100);
/// How long what is under way may take to come when the target has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// All places for connections.
#[expect(clippy::cast_possible_truncation, reason = "some hundred")]
const ALL: u32 = MOST as u32;
/// How long after each other a cluster is asked what became of the pod.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Different failures that are told of, until a connection has gone well.
const DIFFERENT: usize = 100;
/// Events that wait to be told.
const WAITING: usize = 64;
/// Ports that an error lists.
const LISTED: usize = 8;

/// Where one listens, and where that leads.
#[derive(Debug, Clone, Serialize)]
struct Told {
    local: SocketAddr,
    target: Untrusted,
    port: u16,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}:{}", self.local, self.target.safe(), self.port)
    }
}

/// Runs the command, until a signal or the end of the target.
///
/// # Errors
/// If a local port is taken, the target cannot be reached, or has ended.
pub async fn run(context: &Context, args: &cli::Forward) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    tokio::select! {
        done = forward(context, args) => done,
        () = signals.next() => Ok(()),
    }
}

async fn forward(context: &Context, args: &cli::Forward) -> Result<(), Failure> {
    // First of all: a port that is taken is no reason to go inside.
    let mut forwards = Vec::new();
    for wanted in &args.ports {
        forwards.push(Forward::bind(args.address, *wanted).await?);
    }
    let (target, reach) = context.reach(&args.target).await?;
    let network = Arc::new(Network::new(reach, target.name()));
    if let Some(notice) = network.notice() {
        context.tell(notice);
    }
    if forwards.is_empty() {
        return Err(which(&network).await);
    }
    if !args.address.is_loopback() {
        context.tell(&format!("warning: whoever reaches {} over the network is let in", args.address));
    }
    let all: Vec<_> = forwards.iter().map(|one| told(one, &network)).collect();
    print(context, &all)?;

    let places = Arc::new(Semaphore::new(MOST));
    let (mut serving, mut events) = (Vec::new(), Vec::new());
    for (forward, told) in forwards.into_iter().zip(all) {
        let (tell, happens) = mpsc::channel(WAITING);
        serving.push(forward.serve(Arc::clone(&network), Arc::clone(&places), tell));
        events.push(listen(context, &network, told, happens));
    }
    tokio::select! {
        _ = join_all(serving) => Ok(()),
        failure = futures_util::future::select_all(events.into_iter().map(Box::pin)) => Err(failure.0),
        failure = async {
            let failure = end(context, &network, &target).await;
            // Its last words are under way.
            let _ = tokio::time::timeout(LAST_WORDS, places.acquire_many(ALL)).await;
            failure
        } => Err(failure),
    }
}

fn told(forward: &Forward, network: &Network) -> Told {
    Told { local: forward.local(), target: Untrusted::from(network.target()), port: forward.port() }
}

fn print(context: &Context, all: &[Told]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for one in all {
        if context.global.json {
            output::line(&mut out, one)?;
        } else {
            writeln!(out, "{one}").map_err(|error| output::failure(&error))?;
        }
    }
    out.flush().map_err(|error| output::failure(&error))
}

/// No port was named.
async fn which(network: &Network) -> Failure {
    let all = network.listening().await;
    let mut words: Vec<_> = all.iter().take(LISTED).map(|one| one.words.clone()).collect();
    if all.len() > LISTED {
        words.push(format!("and {} more", all.len() - LISTED));
    }
    let hint =
        if words.is_empty() { "nothing listens there".to_owned() } else { format!("there is: {}", words.join(", ")) };
    Failure::new(Exit::Usage, format!("no port of {} is named: write [LOCAL:]PORT", network.target())).try_this(hint)
}

/// Tells what happens on one, until it cannot go on.
async fn listen(context: &Context, network: &Network, told: Told, mut happens: mpsc::Receiver<Event>) -> Failure {
    let (mut said, mut asked): (_, Option<Instant>) = (HashSet::new(), None);
    while let Some(event) = happens.recv().await {
        match event {
            Event::Opened { peer } => detail(context, &format!("{told}: {peer} is connected")),
            Event::Closed { peer, ended: Ended::Whole { sent, received } } => {
                // Something was listened to: if that ends, it is news again.
                said.clear();
                detail(context, &format!("{told}: {peer} has ended, {sent} bytes sent and {received} received"));
            }
            Event::Closed { peer, ended: Ended::Broken(how) } => {
                detail(context, &format!("{told}: {peer} was broken off: {how}"));
            }
            Event::Failed(error) if error.is_final() => return error.into(),
            Event::Failed(error) => {
                let words = error.to_string();
                if matches!(error, Error::Pod(_) | Error::Lost { .. })
                    && asked.is_none_or(|at| at.elapsed() > ASK_AGAIN)
                {
                    let end = network.end().await;
                    asked = Some(Instant::now());
                    if let Some(why) = end {
                        return over(network, Some(&why));
                    }
                }
                // Once, not for each of a thousand connections.
                if said.len() < DIFFERENT && said.insert(words) {
                    let failure = Failure::from(error).to_string();
                    failure.lines().for_each(|line| context.tell(line));
                }
            }
        }
    }
    pending().await
}

fn detail(context: &Context, line: &str) {
    if context.global.verbose > 0 {
        context.tell(line);
    }
}

fn over(network: &Network, why: Option<&str>) -> Failure {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    Failure::new(Exit::NoTarget, format!("{} has ended, and with it what was forwarded{why}", network.target()))
}

/// Waits for the end of the target.
async fn end(context: &Context, network: &Network, target: &Target) -> Failure {
    let cause = match network.gone().await {
        Ok(why) => return over(network, why.as_deref()),
        Err(cause) => cause,
    };
    // Who is beside a target ends with it, and may be the first of whom that is known.
    let noticed = async {
        loop {
            if context.still_the_same(target).await.is_err_and(|error| error.exit == Exit::NoTarget) {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    match tokio::time::timeout(NOTICE, noticed).await {
        Ok(()) => over(network, None),
        Err(_) => Failure::new(Exit::No, format!("{} cannot be reached any more: {cause}", network.target())),
    }
}

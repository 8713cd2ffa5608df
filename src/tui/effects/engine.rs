//! What the engine tells: containers, changes, logs.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout_at};

use super::Shared;
use crate::engine::event::Happened;
use crate::engine::logs::LogOptions;
use crate::exit::Failure;
use crate::logs::lines::Lines;
use crate::logs::{LONGEST_SHOWN, Line};
use crate::tui::app::logs::MAX_LINES;
use crate::tui::effect::Since;
use crate::tui::message::{Log, Msg};

/// Events come in bursts: one list for all of them.
const BURST: Duration = Duration::from_millis(100);
/// Lines of the newest part of a log.
const TAIL: u64 = 1000;
/// Lines and bytes that are sent at once.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 128 << 10;
/// How long lines wait for others.
const GATHER: Duration = Duration::from_millis(20);

/// Lists the containers, and again whenever something happens to them. Ends when the engine does not answer.
pub(super) async fn watch(shared: Arc<Shared>, out: mpsc::Sender<Msg>) {
    let failure = match watched(&shared, &out).await {
        Ok(()) => return,
        Err(failure) => failure,
    };
    let _ = out.send(Msg::Containers(Err(failure))).await;
}

async fn watched(shared: &Shared, out: &mpsc::Sender<Msg>) -> Result<(), Failure> {
    let docker = shared.engine()?;
    // Listened to before the list is made, so that nothing is missed in between.
    let mut events = Box::pin(docker.events());
    loop {
        let list = docker.list().await?;
        if out.send(Msg::Containers(Ok(list))).await.is_err() {
            return Ok(());
        }
        // Something that changes the list.
        loop {
            match events.next().await {
                Some(Ok(event)) if matches!(event.what, Happened::Other(_) | Happened::Signalled(_)) => {}
                Some(Ok(_)) => break,
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            }
        }
        let end = Instant::now() + BURST;
        while let Ok(event) = timeout_at(end, events.next()).await {
            match event {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            }
        }
    }
}

/// Asks what became of the open container.
pub(super) async fn inspect(shared: Arc<Shared>, out: mpsc::Sender<Msg>, generation: u64) {
    let Some(session) = shared.session(generation) else { return };
    let Ok(Some(owner)) = shared.owner(&session.target).await else { return };
    if let Ok(target) = owner.again(&session.target).await {
        let target = Box::new(target);
        let _ = out.send(Msg::Inspected { generation, target }).await;
    }
}

/// Streams the log of the open container.
pub(super) async fn logs(shared: Arc<Shared>, out: mpsc::Sender<Msg>, stream: u64, since: Since) {
    let result = stream_logs(&shared, &out, stream, since).await;
    let _ = out.send(Msg::Log { stream, what: Log::Ended(result) }).await;
}

fn options(since: Since, now: SystemTime) -> LogOptions {
    let all = LogOptions { follow: true, timestamps: true, ..LogOptions::default() };
    match since {
        Since::Tail => LogOptions { tail: Some(TAIL), ..all },
        Since::Ago(time) => LogOptions { since: now.checked_sub(time), ..all },
        Since::After(time) => LogOptions { since: Some(time), ..all },
        // More could not be held.
        Since::All => LogOptions { tail: Some(MAX_LINES as u64), ..all },
    }
}

async fn stream_logs(shared: &Shared, out: &mpsc::Sender<Msg>, stream: u64, since: Since) -> Result<(), Failure> {
    let Some(session) = shared.current() else { return Ok(()) };
    let Some(container) = session.target.container() else { return Ok(()) };
    let Some(owner) = shared.owner(&session.target).await? else { return Ok(()) };
    let mut log = owner.logs(&session.target, &options(since, SystemTime::now()), false).await?;
    let mut lines = Lines::new(true, container.tty, LONGEST_SHOWN);
    let mut batch: Vec<Line> = Vec::new();
    let mut bytes = 0;
    let mut due: Option<Instant> = None;
    loop {
        let next = match due {
            None => log.next().await,
            // The time is up: what is there is sent, then it goes on.
            Some(due) => {
                if let Ok(next) = timeout_at(due, log.next()).await {
                    next
                } else {
                    send(out, stream, &mut batch, &mut bytes).await?;
                    log.next().await
                }
            }
        };
        let Some(piece) = next else { break };
        let mut gather = |line: crate::logs::LineRef<'_>| {
            bytes += line.text.len();
            batch.push(line.to_line());
        };
        let failed = match piece {
            Ok(piece) => {
                lines.feed(&piece, &mut gather);
                None
            }
            Err(error) => {
                lines.finish(&mut gather);
                Some(error)
            }
        };
        if let Some(error) = failed {
            send(out, stream, &mut batch, &mut bytes).await?;
            return Err(error);
        }
        while batch.len() >= BATCH || bytes >= BATCH_BYTES {
            send(out, stream, &mut batch, &mut bytes).await?;
        }
        due = if batch.is_empty() {
            None
        } else {
            Some(due.filter(|due| *due > Instant::now()).unwrap_or_else(|| Instant::now() + GATHER))
        };
    }
    lines.finish(&mut |line| batch.push(line.to_line()));
    while !batch.is_empty() {
        send(out, stream, &mut batch, &mut bytes).await?;
    }
    Ok(())
}

/// Sends at most one batch. The queue is bounded: a flood waits here, and then in the engine.
async fn send(out: &mpsc::Sender<Msg>, stream: u64, batch: &mut Vec<Line>, bytes: &mut usize) -> Result<(), Failure> {
    let rest = batch.split_off(batch.len().min(BATCH));
    let lines = std::mem::replace(batch, rest);
    *bytes = batch.iter().map(|line| line.text.bytes().len()).sum();
    // Nobody listens any more: the loop has ended, and this task with it.
    let _ = out.send(Msg::Log { stream, what: Log::Lines(lines) }).await;
    Ok(())
}

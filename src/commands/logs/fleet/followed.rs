//! Logs that go on: lines as they come. Pods that come are followed too, and those that go end without a word.

mod known;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::SelectAll;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::sync::{Semaphore, mpsc};

use self::known::{Known, What};
use super::{MOST, Reading};
use crate::commands::fleet::Member;
use crate::commands::logs::shown::Shown;
use crate::commands::logs::sink::Sink;
use crate::commands::logs::{LONGEST, LOOK_AROUND, somebody_reads, tell_of_cut};
use crate::commands::output;
use crate::engine::kube::{Cluster, Error, Pod, Selected};
use crate::engine::logs::{LogOptions, Piece};
use crate::exit::{Exit, Failure};
use crate::logs::LineRef;
use crate::logs::lines::Lines;
use crate::target::Target;

/// How often it is looked which pods there are.
const AGAIN: Duration = Duration::from_secs(3);

/// What comes from a pod: some of its log, or the end of it.
type Event = (Key, Result<Option<Piece>, Failure>);
/// A pod, by namespace and name.
type Key = (String, String);

/// A pod that is followed, or was.
struct Followed<'w> {
    known: Known,
    lines: Lines,
    shown: Shown<'w>,
    called: String,
}

/// Follows them until nobody reads any more, or a signal comes.
///
/// # Errors
/// If none of them can be followed, or nothing be written.
pub async fn run(reading: &Reading<'_>, cluster: &Cluster, all: Vec<Selected>, sink: &mut Sink) -> Result<(), Failure> {
    let mut follow = Follow {
        reading,
        followed: BTreeMap::new(),
        logs: SelectAll::new(),
        opening: Arc::new(Semaphore::new(reading.args.fleet.at_once)),
        cut: 0,
        failed: None,
    };
    follow.meet(all, true);
    let mut lists = lists(cluster.clone(), reading);
    let mut trouble = None;
    let mut look_around = tokio::time::interval(LOOK_AROUND);
    loop {
        // What is there is written before it is waited for more.
        if let Some(Some(event)) = follow.logs.next().now_or_never() {
            follow.take(event, sink)?;
            continue;
        }
        sink.flush().map_err(|error| output::failure(&error))?;
        if let Some(failure) = follow.is_in_vain() {
            return Err(failure);
        }
        tokio::select! {
            Some(event) = follow.logs.next() => follow.take(event, sink)?,
            Some(list) = lists.recv() => match list {
                Ok(all) => {
                    trouble = None;
                    follow.meet(all, false);
                }
                // Those that are known are followed all the same.
                Err(error) => if trouble.replace(error.clone()) != Some(error.clone()) {
                    reading.context.tell(&format!("new pods are not seen: {error}"));
                },
            },
            _ = look_around.tick() => somebody_reads()?,
        }
    }
}

/// Which pods there are, again and again.
fn lists(cluster: Cluster, reading: &Reading<'_>) -> mpsc::Receiver<Result<Vec<Selected>, Error>> {
    let (to, lists) = mpsc::channel(1);
    let selection = reading.selection.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(AGAIN).await;
            if to.send(cluster.selected(&selection, MOST).await).await.is_err() {
                return;
            }
        }
    });
    lists
}

/// All that is followed.
struct Follow<'r> {
    reading: &'r Reading<'r>,
    followed: BTreeMap<Key, Followed<'r>>,
    logs: SelectAll<Pin<Box<dyn Stream<Item = Event> + 'r>>>,
    /// So many logs are asked for at once.
    opening: Arc<Semaphore>,
    cut: u64,
    /// Why the last one that failed did.
    failed: Option<Failure>,
}

impl<'r> Follow<'r> {
    /// Takes in which pods there are now: `first` when nothing was followed before.
    fn meet(&mut self, all: Vec<Selected>, first: bool) {
        let mut before = std::mem::take(&mut self.followed);
        for selected in all {
            let member = Member::of(&selected, self.reading.selection.everywhere);
            let key = (selected.namespace.clone(), selected.pod.clone());
            let was = before.remove(&key);
            match selected.container {
                Ok(pod) => {
                    let one = self.next(&key, &member, pod, was, first);
                    self.followed.insert(key, one);
                }
                Err(error) => {
                    let failure = Failure::from(error);
                    let mut one = was.unwrap_or_else(|| self.unread(&member, false));
                    if one.known.fails() {
                        self.tell(&member.called, &failure);
                    }
                    self.followed.insert(key, one);
                }
            }
        }
        // What is gone may still have something to say: its log ends by itself.
        self.followed.extend(before.into_iter().filter(|(_, one)| one.known.is_open()));
    }

    fn unread(&self, member: &Member, tty: bool) -> Followed<'r> {
        Followed {
            known: Known::default(),
            lines: Lines::new(true, tty, LONGEST),
            shown: Shown::new(&self.reading.wanted, self.reading.args.timestamps, Some(self.reading.speaker(member))),
            called: member.called.clone(),
        }
    }

    fn next(&mut self, key: &Key, member: &Member, pod: Pod, was: Option<Followed<'r>>, first: bool) -> Followed<'r> {
        let mut one = was.unwrap_or_else(|| self.unread(member, pod.container.tty));
        let of_all = &self.reading.options;
        let options = match one.known.meets(&pod, first) {
            What::Nothing => return one,
            What::AsAsked => of_all.clone(),
            // All that it says is new.
            What::Whole => LogOptions { tail: None, ..of_all.clone() },
            What::Since(time) => LogOptions { tail: None, since: Some(time), ..of_all.clone() },
        };
        one.lines = Lines::new(true, pod.container.tty, LONGEST);
        self.logs.push(open(self.reading, Arc::clone(&self.opening), key.clone(), pod, options));
        one
    }

    fn take(&mut self, (key, event): Event, sink: &mut Sink) -> Result<(), Failure> {
        let Some(one) = self.followed.get_mut(&key) else { return Ok(()) };
        let Followed { known, lines, shown, .. } = one;
        let cut = &mut self.cut;
        let mut each = |line: LineRef<'_>| {
            if known.is_new(line.time) {
                shown.line(sink, line, cut);
            }
        };
        match event {
            Ok(Some(piece)) => lines.feed(&piece, &mut each),
            Ok(None) => {
                lines.finish(&mut each);
                known.ends();
            }
            Err(failure) => {
                lines.finish(&mut each);
                // A log that broke off is taken up again; one that there is not yet, too.
                if failure.exit != Exit::Unreachable && known.fails() {
                    let called = one.called.clone();
                    self.tell(&called, &failure);
                } else {
                    known.ends();
                }
            }
        }
        sink.check().map_err(|error| output::failure(&error))
    }

    fn tell(&mut self, called: &str, failure: &Failure) {
        eprintln!("{}", failure.clone().on(called));
        self.failed = Some(failure.clone());
    }

    /// Why nothing can come of it: all that there is has failed.
    fn is_in_vain(&self) -> Option<Failure> {
        let all = !self.followed.is_empty() && self.followed.values().all(|one| one.known.has_failed());
        let failure = self.failed.as_ref().filter(|_| all)?;
        tell_of_cut(self.reading.context, self.cut);
        Some(Failure::new(failure.exit, "no log can be followed"))
    }
}

/// A log as it comes, with its end.
fn open<'r>(
    reading: &'r Reading<'r>,
    opening: Arc<Semaphore>,
    key: Key,
    pod: Pod,
    options: LogOptions,
) -> Pin<Box<dyn Stream<Item = Event> + 'r>> {
    let opened = async move {
        let _turn = opening.acquire().await;
        reading.owner.logs(&Target::Pod(Box::new(pod)), &options, false).await
    };
    let pieces = stream::once(opened).flat_map(|opened| match opened {
        Ok(log) => log.map(|piece| piece.map(Some)).chain(stream::iter([Ok(None)])).boxed(),
        Err(failure) => stream::iter([Err(failure)]).boxed(),
    });
    pieces.map(move |event| (key.clone(), event)).boxed_local()
}

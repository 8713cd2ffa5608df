//! Logs that are read to their end: one by their times. Of each no more is held than has come at once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt as _, stream};

use super::Reading;
use crate::commands::fleet::{Answer, Fleet, Member};
use crate::commands::logs::shown::Shown;
use crate::commands::logs::sink::Sink;
use crate::commands::logs::{LONGEST, tell_of_cut};
use crate::commands::output;
use crate::engine::kube::Selected;
use crate::engine::logs::Piece;
use crate::exit::{Exit, Failure};
use crate::logs::Line;
use crate::logs::lines::Lines;
use crate::target::Target;

/// How long a log that is not at its end may say nothing: all others wait for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log, and what of it has come.
struct Source<L> {
    log: L,
    lines: Lines,
    /// Lines that have come, with their times: a line without one belongs to the one before it.
    ready: VecDeque<(SystemTime, Line)>,
    last: SystemTime,
    ended: bool,
}

/// Reads them all.
///
/// # Errors
/// If some cannot be had.
pub async fn run(reading: &Reading<'_>, all: Vec<Selected>, sink: &mut Sink) -> Result<(), Failure> {
    let Reading { context, args, owner, selection, options, wanted, .. } = reading;
    let opening = all.into_iter().map(|selected| async {
        let member = Member::of(&selected, selection.everywhere);
        let opened = match selected.container {
            Ok(pod) => {
                let tty = pod.container.tty;
                let log = owner.logs(&Target::Pod(Box::new(pod)), options, args.previous).await;
                log.map(|log| Source::new(log, tty))
            }
            Err(error) => Err(error.into()),
        };
        (member, opened)
    });
    let opened: Vec<_> = stream::iter(opening).buffered(args.fleet.at_once).collect().await;
    let (mut sources, mut answers, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (member, opened) in opened {
        match opened {
            Ok(source) => {
                sources.push(source);
                shown.push((answers.len(), Shown::new(wanted, args.timestamps, Some(reading.speaker(&member)))));
                answers.push(Answer { member, found: Ok(()) });
            }
            Err(failure) => answers.push(Answer { member, found: Err(failure) }),
        }
    }
    let mut cut = 0;
    let each = |number: usize, line: &Line| {
        if let Some((_, shown)) = shown.get_mut(number) {
            shown.line(sink, line.borrowed(), &mut cut);
        }
        sink.check().map_err(|error| output::failure(&error))
    };
    let failed = in_order(&mut sources, each).await?;
    for (number, failure) in failed {
        let answer = shown.get(number).and_then(|(at, _)| answers.get_mut(*at));
        if let Some(answer) = answer {
            answer.found = Err(failure);
        }
    }
    sink.flush().map_err(|error| output::failure(&error))?;
    tell_of_cut(context, cut);
    Fleet { selection: selection.clone(), namespace: None, answers, over: Vec::new() }.conclude(context)
}

/// Gives each line with the number of its log: the earliest of those that come next first. Those that break off are told at the
/// end.
async fn in_order<L>(
    sources: &mut [Source<L>],
    mut each: impl FnMut(usize, &Line) -> Result<(), Failure>,
) -> Result<Vec<(usize, Failure)>, Failure>
where
    L: Stream<Item = Result<Piece, Failure>> + Unpin,
{
    let mut failed = Vec::new();
    let mut next = BinaryHeap::new();
    let filled = futures_util::future::join_all(sources.iter_mut().map(Source::fill)).await;
    failed.extend(filled.into_iter().enumerate().filter_map(|(number, filled)| Some((number, filled.err()?))));
    next.extend(
        sources.iter().enumerate().filter_map(|(number, source)| Some(Reverse((source.ready.front()?.0, number)))),
    );
    while let Some(Reverse((_, number))) = next.pop() {
        let Some(source) = sources.get_mut(number) else { continue };
        if let Some((_, line)) = source.ready.pop_front() {
            each(number, &line)?;
        }
        if source.ready.is_empty()
            && let Err(failure) = source.fill().await
        {
            failed.push((number, failure));
        }
        if let Some((time, _)) = source.ready.front() {
            next.push(Reverse((*time, number)));
        }
    }
    Ok(failed)
}

impl<L> Source<L>
where
    L: Stream<Item = Result<Piece, Failure>> + Unpin,
{
    fn new(log: L, tty: bool) -> Self {
        let lines = Lines::new(true, tty, LONGEST);
        Self { log, lines, ready: VecDeque::new(), last: SystemTime::UNIX_EPOCH, ended: false }
    }

    /// Waits for a line, or the end.
    async fn fill(&mut self) -> Result<(), Failure> {
        while self.ready.is_empty() && !self.ended {
            let next = tokio::time::timeout(PATIENCE, self.log.next()).await.unwrap_or_else(|_| {
                let what = format!("its log broke off: nothing came for {} s", PATIENCE.as_secs());
                Some(Err(Failure::new(Exit::Unreachable, what)))
            });
            let Self { lines, ready, last, .. } = self;
            let mut each = |line: crate::logs::LineRef<'_>| {
                *last = line.time.unwrap_or(*last);
                ready.push_back((*last, line.to_line()));
            };
            match next {
                Some(Ok(piece)) => lines.feed(&piece, &mut each),
                other => {
                    lines.finish(&mut each);
                    self.ended = true;
                    if let Some(Err(failure)) = other {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::logs::Output;

    fn pieces(text: &'static str) -> impl Stream<Item = Result<Piece, Failure>> + Unpin {
        let pieces = text.split_inclusive('\n').map(|line| {
            if line.starts_with('!') {
                return Err(Failure::new(Exit::Unreachable, "lost"));
            }
            Ok(Piece { output: Output::Stdout, start: true, bytes: line.as_bytes().into() })
        });
        stream::iter(pieces.collect::<Vec<_>>())
    }

    async fn merged(logs: &[&'static str]) -> (Vec<String>, Vec<usize>) {
        let mut sources: Vec<_> = logs.iter().map(|text| Source::new(pieces(text), false)).collect();
        let mut said = Vec::new();
        let failed = in_order(&mut sources, |number, line| {
            said.push(format!("{number}:{}", line.text.lossy()));
            Ok(())
        })
        .await
        .unwrap();
        (said, failed.into_iter().map(|(number, _)| number).collect())
    }

    #[tokio::test]
    async fn lines_come_by_their_times_and_a_trace_stays_together() {
        let (said, failed) = merged(&[
            "2026-11-23T08:00:01Z one\n2026-11-23T08:00:05.5Z five\n2026-11-23T08:00:05.5Z  of five\n",
            "2026-11-23T08:00:02Z two\n2026-11-23T08:00:05.4Z four\n2026-11-23T08:00:09Z nine",
            "",
            "2026-11-23T08:00:02.000000001Z later\nof later\n!",
        ])
        .await;
        assert_eq!(said, ["0:one", "1:two", "3:later", "3:of later", "1:four", "0:five", "0: of five", "1:nine"]);
        assert_eq!(failed, [3]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_does_not_hold_up_the_rest_for_ever() {
        let silent = Source::new(stream::pending().boxed(), false);
        let other = Source::new(pieces("2026-11-23T08:00:01Z one\n").boxed(), false);
        let mut said = 0;
        let failed = in_order(&mut [silent, other], |_, _| {
            said += 1;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!((said, failed.len(), failed[0].0), (1, 1, 0));
    }
}

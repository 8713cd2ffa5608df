//! The log of a container of a pod.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::SystemTime;

use hyper::body::Bytes;
use memchr::memchr;

use super::ask::{Question, encoded, refusal};
#[cfg(feature = "kube")]
use super::cluster::Stream;
#[cfg(not(feature = "kube"))]
use super::without::Stream;
use super::{Cluster, Error, Pod};
use crate::engine::logs::{LogOptions, Output, Piece};

/// Bytes of a refusal that are read.
const REFUSAL: usize = 64 << 10;

/// A log as it comes. What a container writes to its two outputs is one stream here: a cluster does not tell them apart.
pub struct Log {
    body: Stream,
    name: String,
    /// Whether pieces begin where lines do.
    lines: bool,
    at_start: bool,
    pieces: VecDeque<Piece>,
}

impl Cluster {
    /// The log of a container, or of the run before this one. `until` is not known to clusters.
    ///
    /// # Errors
    /// If there is none, or it may not be read.
    pub async fn logs(&self, pod: &Pod, options: &LogOptions, previous: bool) -> Result<Log, Error> {
        let what = format!("give the log of {}", pod.container.name);
        let question = Question::get(path(pod, options, previous), &what);
        let (status, mut body) = self.stream(&question).await?;
        if !(200..300).contains(&status) {
            let mut text = Vec::new();
            while let Some(Ok(piece)) = body.next().await {
                text.extend_from_slice(&piece);
                if text.len() > REFUSAL {
                    break;
                }
            }
            return Err(self.refused(&what, refusal(status, &text)));
        }
        let name = pod.container.name.clone();
        Ok(Log { body, name, lines: options.timestamps, at_start: true, pieces: VecDeque::new() })
    }
}

fn path(pod: &Pod, options: &LogOptions, previous: bool) -> String {
    let Pod { namespace, pod, name, .. } = pod;
    let LogOptions { follow, since, tail, timestamps, .. } = options;
    let mut path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?container={}", encoded(name));
    for (flag, is_set) in [("follow", *follow), ("timestamps", *timestamps), ("previous", previous)] {
        if is_set {
            // Writing to a `String` cannot fail.
            let _ = write!(path, "&{flag}=true");
        }
    }
    if let Some(tail) = tail {
        let _ = write!(path, "&tailLines={tail}");
    }
    if let Some(since) = since.filter(|since| *since > SystemTime::UNIX_EPOCH) {
        let _ = write!(path, "&sinceTime={}", encoded(&humantime::format_rfc3339_seconds(since).to_string()));
    }
    path
}

impl Log {
    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Piece, Error>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Some(Ok(piece));
            }
            match self.body.next().await? {
                Ok(bytes) => self.cut(bytes),
                Err(why) => return Some(Err(Error::Lost { name: self.name.clone(), why })),
            }
        }
    }

    /// With times, each line has one at its front: there a piece begins, as with the messages of an engine.
    fn cut(&mut self, bytes: Bytes) {
        pieces(bytes, self.lines, &mut self.at_start, &mut self.pieces);
    }
}

fn pieces(mut bytes: Bytes, lines: bool, at_start: &mut bool, into: &mut VecDeque<Piece>) {
    while !bytes.is_empty() {
        let end = if lines { memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1) } else { bytes.len() };
        let piece = bytes.split_to(end);
        let start = std::mem::replace(at_start, piece.last() == Some(&b'\n'));
        into.push_back(Piece { output: Output::Stdout, start, bytes: piece });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::lines::Lines;

    /// Lines with their times, however the bytes are cut.
    #[test]
    fn lines_have_their_times() {
        let text = b"2026-11-23T08:27:40.5Z one\n2026-11-23T08:27:41Z two\n2026-11-23T08:27:42Z half";
        for size in 1..text.len() {
            let (mut at_start, mut all) = (true, VecDeque::new());
            for part in text.chunks(size) {
                pieces(Bytes::copy_from_slice(part), true, &mut at_start, &mut all);
            }
            let mut lines = Lines::new(true, false, 1000);
            let mut seen = Vec::new();
            let mut each = |line: crate::logs::LineRef<'_>| {
                seen.push((line.time.is_some(), String::from_utf8_lossy(line.text).into_owned()));
            };
            for piece in &all {
                lines.feed(piece, &mut each);
            }
            lines.finish(&mut each);
            let expected = ["one", "two", "half"].map(|text| (true, text.to_owned()));
            assert_eq!(seen, expected, "{size}");
        }
    }
}

//! A session of Delve in a sidecar, as whoever has begun it has it.

use std::io;
use std::os::unix::net::UnixStream as StdStream;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use tokio::time::MissedTickBehavior;

use super::{Reader, Stream, say};
use crate::delve::guard::Told;
use crate::entry::beside::wire::{self, Frame, Refusal, Said, Say};

/// Words that may wait to be heard.
const WORDS: usize = 64;
/// Bytes for Delve that are sent at once.
const PIECE: usize = 64 << 10;

/// What is heard.
#[derive(Debug)]
pub enum Heard {
    /// A word, and the connection to Delve with [`Told::Connected`].
    Told(Told, Option<StdStream>),
    /// It was not begun.
    Refused(Refusal),
}

/// A session. Dropped, its sidecar's input ends, and Delve with it.
#[derive(Debug)]
pub struct Session {
    heard: mpsc::Receiver<Heard>,
    end: watch::Sender<bool>,
    _at_work: JoinSet<()>,
}

impl Session {
    /// Takes a connection over.
    pub fn new(stream: Stream) -> Self {
        let (tell, heard) = mpsc::channel(WORDS);
        let (end, asked) = watch::channel(false);
        let (asks, asked_of) = mpsc::channel(1);
        let mut at_work = JoinSet::new();
        at_work.spawn(listen(stream.reader, tell, asks));
        at_work.spawn(speak(stream.writer, asked, asked_of));
        Self { heard, end, _at_work: at_work }
    }

    /// What is heard next. `None` at the end of the connection. Nothing is lost if it is no longer waited for.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Asks for the end.
    pub fn end(&self) {
        self.end.send_replace(true);
    }
}

/// Hears words, and hands bytes of Delve's to its client.
async fn listen(mut reader: Reader, tell: mpsc::Sender<Heard>, asks: mpsc::Sender<OwnedReadHalf>) {
    let mut delve: Option<OwnedWriteHalf> = None;
    while let Some(frame) = reader.next().await {
        let heard = match frame {
            Frame::Bytes(bytes) => {
                // Of a client that has gone, the rest is not kept.
                if let Some(half) = &mut delve
                    && half.write_all(&bytes).await.is_err()
                {
                    delve = None;
                }
                continue;
            }
            Frame::Message(Said::Guard(told)) => {
                let client = match told {
                    Told::Connected => match connection() {
                        Ok((client, ours)) => {
                            let (up, down) = ours.into_split();
                            // Once a session: whoever sends it again is not believed.
                            if delve.replace(down).is_some() || asks.try_send(up).is_err() {
                                return;
                            }
                            Some(client)
                        }
                        Err(_) => return,
                    },
                    // Its client sees the end of it.
                    Told::Ended(_) => {
                        delve = None;
                        None
                    }
                    _ => None,
                };
                Heard::Told(told, client)
            }
            Frame::Message(Said::Refused(refusal)) => Heard::Refused(refusal),
            Frame::Message(Said::GivenUp | Said::Core(_)) => return,
        };
        if tell.send(heard).await.is_err() {
            return;
        }
    }
}

/// The two ends of what takes the place of Delve's own connection.
fn connection() -> io::Result<(StdStream, UnixStream)> {
    let (client, ours) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((client, UnixStream::from_std(ours)?))
}

/// Says that somebody is there, and that the session is to end, and hands bytes of its client to Delve. The sidecar never leaves its input unread.
async fn speak(mut writer: OwnedWriteHalf, mut end: watch::Receiver<bool>, mut asks: mpsc::Receiver<OwnedReadHalf>) {
    let (mut client, mut room) = (None, vec![0; PIECE]);
    let mut beat = tokio::time::interval(wire::BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let bytes = async {
            match &mut client {
                Some(half) => OwnedReadHalf::read(half, &mut room).await,
                None => std::future::pending().await,
            }
        };
        let done = tokio::select! {
            Some(half) = asks.recv() => {
                client = Some(half);
                Ok(())
            }
            changed = end.changed() => match changed {
                Ok(()) => say(&mut writer, &Say::End).await,
                Err(_) => return,
            },
            _ = beat.tick() => say(&mut writer, &Say::Here).await,
            got = bytes => if let Ok(length @ 1..) = got {
                let mut out = Vec::new();
                // Far smaller than a frame may be.
                let _ = wire::bytes(&room[..length], &mut out);
                writer.write_all(&out).await
            } else {
                // It asks nothing any more. What it was answered last may still be on its way.
                client = None;
                Ok(())
            },
        };
        if done.is_err() {
            return;
        }
    }
}

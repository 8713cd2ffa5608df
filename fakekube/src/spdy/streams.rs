//! Exec and attach as they were before there were WebSockets: SPDY, with a stream for each channel.

use std::collections::HashMap;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Bytes;

use super::{Decoder, Encoder, Frame as Spoken};
use crate::channel::{self, Frame, Gone, RESIZE, Receiver, STATUS, STDERR, STDIN, STDOUT, Sender};

/// How many frames wait for somebody slow.
const WAITING: usize = 64;
/// How much is read at once, in bytes.
const CHUNK: usize = 32 << 10;

/// What goes to the client.
pub struct Outlet {
    tell: mpsc::Sender<Vec<u8>>,
    /// The stream of each channel.
    numbers: HashMap<u8, u32>,
}

impl Outlet {
    /// Sends what belongs to a channel.
    ///
    /// # Errors
    /// If the client has gone.
    pub async fn send(&self, channel: u8, bytes: &[u8]) -> Result<(), Gone> {
        // What the client opened no stream for, it does not want.
        let Some(&stream) = self.numbers.get(&channel) else { return Ok(()) };
        self.tell.send(Encoder::data(stream, bytes, false)).await.map_err(|_| Gone)
    }

    /// Ends every stream, and with them the connection.
    pub async fn close(self) {
        for &stream in self.numbers.values() {
            let _ = self.tell.send(Encoder::data(stream, &[], true)).await;
        }
    }
}

fn channel_of(headers: &[(String, String)]) -> Option<u8> {
    let (_, kind) = headers.iter().find(|(name, _)| name == "streamtype")?;
    match kind.as_str() {
        "error" => Some(STATUS),
        "stdin" => Some(STDIN),
        "stdout" => Some(STDOUT),
        "stderr" => Some(STDERR),
        "resize" => Some(RESIZE),
        _ => None,
    }
}

/// Waits until the client has opened so many streams. `None` if it goes before that.
pub async fn open(upgraded: OnUpgrade, wanted: usize) -> Option<(Sender, Receiver)> {
    let (mut input, mut output) = tokio::io::split(TokioIo::new(upgraded.await.ok()?));
    let (tell, mut told) = mpsc::channel::<Vec<u8>>(WAITING);
    tokio::spawn(async move {
        while let Some(bytes) = told.recv().await {
            if output.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = output.shutdown().await;
    });
    let (mut decoder, mut encoder) = (Decoder::default(), Encoder::default());
    let (mut numbers, mut early) = (HashMap::new(), Vec::new());
    let mut bytes = vec![0; CHUNK];
    while numbers.len() < wanted {
        match decoder.frame().ok()? {
            Some(Spoken::Open { stream, headers, .. }) => {
                numbers.insert(channel_of(&headers)?, stream);
                tell.send(encoder.accept(stream)).await.ok()?;
            }
            Some(other) => early.push(other),
            None => {
                let length = input.read(&mut bytes).await.ok().filter(|&length| length > 0)?;
                decoder.push(&bytes[..length]);
            }
        }
    }
    let channels: HashMap<u32, u8> = numbers.iter().map(|(&channel, &stream)| (stream, channel)).collect();
    let (frames, inbox) = mpsc::channel(WAITING);
    let pings = tell.downgrade();
    tokio::spawn(async move {
        for spoken in early {
            pass(spoken, &channels, &frames, &pings).await;
        }
        loop {
            match decoder.frame() {
                Ok(Some(spoken)) => pass(spoken, &channels, &frames, &pings).await,
                Ok(None) => match input.read(&mut bytes).await {
                    Ok(length @ 1..) => decoder.push(&bytes[..length]),
                    _ => return,
                },
                Err(_) => return,
            }
        }
    });
    Some((Sender::new(channel::Outlet::Streams(Outlet { tell, numbers })), Receiver::Streams(inbox)))
}

/// Passes on what the client says.
async fn pass(
    spoken: Spoken,
    channels: &HashMap<u32, u8>,
    frames: &mpsc::Sender<Frame>,
    pings: &mpsc::WeakSender<Vec<u8>>,
) {
    match spoken {
        Spoken::Data { stream, bytes, last } => {
            let Some(&channel) = channels.get(&stream) else { return };
            if !bytes.is_empty() {
                let _ = frames.send(Frame::Data(channel, Bytes::from(bytes))).await;
            }
            if last {
                let _ = frames.send(Frame::End(channel)).await;
            }
        }
        Spoken::Ping(number) => {
            if let Some(tell) = pings.upgrade() {
                let _ = tell.send(Encoder::pong(number)).await;
            }
        }
        Spoken::Open { .. } | Spoken::Reset(_) | Spoken::Other => {}
    }
}

//! Port-forward as kubectl has it: SPDY inside a WebSocket, two streams for each connection.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{CHUNK, connect, refused};
use crate::channel::Pending;
use crate::cluster::Cluster;
use crate::spdy::{Decoder, Encoder, Frame};

/// How many frames wait for somebody slow.
const WAITING: usize = 64;

/// The two streams of a connection.
#[derive(Default)]
struct Pair {
    error: Option<u32>,
    data: Option<u32>,
    port: u16,
}

/// Carries connections until the client goes.
pub async fn carry(cluster: Arc<Cluster>, pause: String, pending: Pending) {
    let Some(socket) = pending.socket().await else { return };
    let (mut sink, mut stream) = socket.split();
    let (tell, mut told) = mpsc::channel::<Vec<u8>>(WAITING);
    let down = async {
        while let Some(bytes) = told.recv().await {
            if sink.send(Message::Binary(Bytes::from(bytes))).await.is_err() {
                return;
            }
        }
    };
    let up = async {
        let mut session = Session { cluster, pause, tell, encoder: Encoder::default(), pairs: HashMap::new() };
        let (mut decoder, mut inputs) = (Decoder::default(), HashMap::new());
        while let Some(Ok(message)) = stream.next().await {
            if message.is_close() {
                return;
            }
            decoder.push(&message.into_data());
            loop {
                match decoder.frame() {
                    Ok(Some(frame)) => session.take(frame, &mut inputs).await,
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    };
    tokio::select! {
        () = down => {}
        () = up => {}
    }
}

struct Session {
    cluster: Arc<Cluster>,
    pause: String,
    tell: Sender<Vec<u8>>,
    encoder: Encoder,
    /// By what the client calls the connection.
    pairs: HashMap<String, Pair>,
}

impl Session {
    /// Takes a frame. What goes into connections goes through these.
    async fn take(&mut self, frame: Frame, inputs: &mut HashMap<u32, Sender<Vec<u8>>>) {
        match frame {
            Frame::Open { stream, headers, .. } => {
                let _ = self.tell.send(self.encoder.accept(stream)).await;
                if let Some(pair) = self.open(stream, &headers)
                    && let (Some(error), Some(data)) = (pair.error, pair.data)
                {
                    let (input, inbox) = mpsc::channel(WAITING);
                    inputs.insert(data, input);
                    let (cluster, pause) = (Arc::clone(&self.cluster), self.pause.clone());
                    let tell = self.tell.clone();
                    tokio::spawn(async move { one(&cluster, &pause, pair.port, (data, error), inbox, tell).await });
                }
            }
            Frame::Data { stream, bytes, last } => {
                if let Some(input) = inputs.get(&stream).filter(|_| !bytes.is_empty()) {
                    let _ = input.send(bytes).await;
                }
                if last {
                    inputs.remove(&stream);
                }
            }
            Frame::Reset(stream) => drop(inputs.remove(&stream)),
            Frame::Ping(number) => drop(self.tell.send(Encoder::pong(number)).await),
            Frame::Other => {}
        }
    }

    /// Notes a stream; the pair as soon as it is whole.
    fn open(&mut self, stream: u32, headers: &[(String, String)]) -> Option<Pair> {
        let get = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let request = get("requestid")?.to_owned();
        let pair = self.pairs.entry(request.clone()).or_default();
        pair.port = get("port")?.parse().ok()?;
        match get("streamtype")? {
            "error" => pair.error = Some(stream),
            "data" => pair.data = Some(stream),
            _ => return None,
        }
        if pair.error.is_some() && pair.data.is_some() { self.pairs.remove(&request) } else { None }
    }
}

/// Carries one connection.
async fn one(
    cluster: &Cluster,
    pause: &str,
    port: u16,
    (data, error): (u32, u32),
    mut inbox: Receiver<Vec<u8>>,
    tell: Sender<Vec<u8>>,
) {
    let stream = match connect(cluster, pause, port).await {
        Ok(stream) => stream,
        Err(problem) => {
            let words = refused(pause, port, &problem);
            let _ = tell.send(Encoder::data(error, words.as_bytes(), true)).await;
            let _ = tell.send(Encoder::data(data, &[], true)).await;
            return;
        }
    };
    let (mut output, mut input) = stream.into_split();
    let up = async move {
        while let Some(bytes) = inbox.recv().await {
            if input.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = input.shutdown().await;
    };
    let down = async {
        let mut bytes = vec![0; CHUNK];
        while let Ok(length @ 1..) = output.read(&mut bytes).await {
            if tell.send(Encoder::data(data, &bytes[..length], false)).await.is_err() {
                return;
            }
        }
        let _ = tell.send(Encoder::data(data, &[], true)).await;
        let _ = tell.send(Encoder::data(error, &[], true)).await;
    };
    tokio::join!(up, down);
}

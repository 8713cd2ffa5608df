//! WebSockets as Kubernetes uses them: every frame begins with the number of its channel.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use hyper::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::answer::{self, Answer, Refusal};
use crate::spdy::streams;

/// The newest protocol of exec and attach: it can say that a channel ends.
pub const V5: &str = "v5.channel.k8s.io";
/// The one before it, and that of port-forward.
pub const V4: &str = "v4.channel.k8s.io";
/// SPDY inside a WebSocket: port-forward by kubectl.
pub const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

/// What a process reads.
pub const STDIN: u8 = 0;
/// What it prints.
pub const STDOUT: u8 = 1;
/// What it complains.
pub const STDERR: u8 = 2;
/// How it ended.
pub const STATUS: u8 = 3;
/// How large its terminal is.
pub const RESIZE: u8 = 4;
/// The end of a channel, whose number follows.
const CLOSE: u8 = 255;

/// As SPDY is asked for.
const SPDY: &str = "SPDY/3.1";
/// Where the protocol of its streams is agreed on.
const STREAMS: HeaderName = HeaderName::from_static("x-stream-protocol-version");

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

fn asks_for<B>(request: &Request<B>, what: &str) -> bool {
    let upgrade = request.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|word| word.eq_ignore_ascii_case(what))
}

/// Whether this asks for a WebSocket.
pub fn is_asked<B>(request: &Request<B>) -> bool {
    asks_for(request, "websocket")
}

/// Whether this asks for SPDY, as kubectl does where it gets no WebSocket.
pub fn is_spdy_asked<B>(request: &Request<B>) -> bool {
    asks_for(request, SPDY)
}

/// Agrees to SPDY, with the streams as the kubelet has them.
pub fn agree_to_spdy<B>(request: &mut Request<B>) -> (Answer, OnUpgrade) {
    let mut answer = answer::text(StatusCode::SWITCHING_PROTOCOLS, "");
    answer.headers_mut().remove(hyper::header::CONTENT_TYPE);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static(SPDY));
    answer.headers_mut().insert(STREAMS, HeaderValue::from_static(V4));
    (answer, hyper::upgrade::on(request))
}

/// An agreement on a protocol: what to answer, and what the connection will be.
pub struct Agreement {
    /// What to answer.
    pub answer: Answer,
    /// What was agreed on.
    pub protocol: &'static str,
    upgraded: OnUpgrade,
}

/// Agrees on the first protocol that the client wants and that is known here.
///
/// # Errors
/// If there is none.
pub fn agree<B>(request: &mut Request<B>, known: &[&'static str]) -> Result<Agreement, Refusal> {
    let wanted = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut wanted = wanted.flat_map(|list| list.split(',')).map(str::trim);
    let Some(protocol) = wanted.find_map(|name| known.iter().find(|known| **known == name).copied()) else {
        return Err(Refusal::Text(StatusCode::FORBIDDEN, String::new()));
    };
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else {
        return Err(Refusal::bad_request("missing Sec-WebSocket-Key"));
    };
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let mut answer = answer::text(StatusCode::SWITCHING_PROTOCOLS, "");
    let mut set = |name: HeaderName, value: HeaderValue| answer.headers_mut().insert(name, value);
    set(CONNECTION, HeaderValue::from_static("Upgrade"));
    set(UPGRADE, HeaderValue::from_static("websocket"));
    set(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(accept) = accept {
        set(SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer.headers_mut().remove(hyper::header::CONTENT_TYPE);
    Ok(Agreement { answer, protocol, upgraded: hyper::upgrade::on(request) })
}

impl Agreement {
    /// The answer, and the connection as soon as the client has it.
    #[must_use]
    pub fn part(self) -> (Answer, Pending) {
        (self.answer, Pending { protocol: self.protocol, upgraded: self.upgraded })
    }
}

/// A connection that is about to be one.
pub struct Pending {
    protocol: &'static str,
    upgraded: OnUpgrade,
}

impl Pending {
    /// The connection; `None` if the client has gone.
    pub async fn open(self) -> Option<(Sender, Receiver)> {
        let socket = self.socket().await?;
        let (sink, stream) = socket.split();
        Some((Sender::new(Outlet::Socket(sink)), Receiver::Socket(stream)))
    }

    /// The connection without channels.
    pub async fn socket(self) -> Option<Socket> {
        let upgraded = TokioIo::new(self.upgraded.await.ok()?);
        Some(Socket::from_raw_socket(upgraded, Role::Server, None).await)
    }

    /// What was agreed on.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }
}

/// The client has gone, or is meant to think that we have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// What goes to the client.
pub struct Sender {
    outlet: Outlet,
    left: Option<u64>,
}

/// How it gets there.
pub enum Outlet {
    /// A WebSocket.
    Socket(SplitSink<Socket, Message>),
    /// Streams of SPDY.
    Streams(streams::Outlet),
}

impl Sender {
    /// Through this.
    pub fn new(outlet: Outlet) -> Self {
        Self { outlet, left: None }
    }

    /// Breaks the connection after so many bytes.
    pub fn break_after(&mut self, bytes: Option<u64>) {
        self.left = bytes;
    }

    /// Sends what belongs to a channel.
    ///
    /// # Errors
    /// If the client has gone, or the connection is to break here.
    pub async fn send(&mut self, channel: u8, mut data: &[u8]) -> Result<(), Gone> {
        let mut breaks = false;
        if let Some(left) = &mut self.left {
            breaks = data.len() as u64 >= *left;
            data = &data[..data.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
            *left -= data.len() as u64;
        }
        match &mut self.outlet {
            Outlet::Socket(sink) => {
                let mut frame = Vec::with_capacity(data.len() + 1);
                frame.push(channel);
                frame.extend_from_slice(data);
                sink.send(Message::Binary(Bytes::from(frame))).await.map_err(|_| Gone)?;
            }
            Outlet::Streams(outlet) => outlet.send(channel, data).await?,
        }
        if breaks { Err(Gone) } else { Ok(()) }
    }

    /// Says how it ended, and ends the connection.
    pub async fn end(mut self, status: &Value) {
        if self.send(STATUS, status.to_string().as_bytes()).await.is_ok() {
            self.close().await;
        }
    }

    /// Ends the connection in good order.
    pub async fn close(self) {
        match self.outlet {
            Outlet::Socket(mut sink) => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                let _ = sink.send(Message::Close(Some(frame))).await;
                let _ = sink.close().await;
            }
            Outlet::Streams(outlet) => outlet.close().await,
        }
    }
}

/// What comes from the client.
pub enum Receiver {
    /// From a WebSocket.
    Socket(SplitStream<Socket>),
    /// From streams of SPDY.
    Streams(mpsc::Receiver<Frame>),
}

/// A frame of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes for a channel.
    Data(u8, Bytes),
    /// A channel ends.
    End(u8),
}

impl Receiver {
    /// The next frame; `None` once the client has gone.
    pub async fn next(&mut self) -> Option<Frame> {
        let stream = match self {
            Self::Socket(stream) => stream,
            Self::Streams(inbox) => return inbox.recv().await,
        };
        loop {
            let mut bytes = match stream.next().await?.ok()? {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => Bytes::from(text),
                Message::Close(_) => return None,
                _ => continue,
            };
            if bytes.is_empty() {
                continue;
            }
            let data = bytes.split_off(1);
            match (bytes[0], data.first()) {
                (CLOSE, Some(&channel)) => return Some(Frame::End(channel)),
                (channel, _) => return Some(Frame::Data(channel, data)),
            }
        }
    }
}

/// All went well.
#[must_use]
pub fn success() -> Value {
    json!({ "metadata": {}, "status": "Success" })
}

/// A command ended with this code.
#[must_use]
pub fn ended(code: i64) -> Value {
    if code == 0 {
        return success();
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: error executing command, exit code {code}"),
        "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
    })
}

/// A command could not even be started.
#[must_use]
pub fn not_started(words: &str) -> Value {
    json!({
        "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
        "message": format!("Internal error occurred: {words}"),
        "details": { "causes": [{ "message": words }] },
    })
}

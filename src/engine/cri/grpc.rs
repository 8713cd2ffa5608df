//! One question over gRPC (grpc/grpc, `doc/PROTOCOL-HTTP2.md`): HTTP/2 by hyper, messages by prost. A connection of its own for
//! each: they are few.

use std::io;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::header::{HeaderMap, HeaderValue};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::UnixStream;

use super::Error;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest answer, in bytes: twice what containerd sends at most.
const LARGEST: usize = 32 << 20;
/// The longest explanation that is shown, in characters.
const LONGEST: usize = 500;
/// What stands before a message: whether it is packed, and its length.
const PREFIX: usize = 5;

/// Asks for one message. `method` is written `/runtime.v1.RuntimeService/Version`.
///
/// # Errors
/// If nothing answers at the socket, or not as it should, or it refuses.
pub async fn ask<Q: Message, A: Message + Default>(
    socket: &Path,
    method: &'static str,
    question: &Q,
) -> Result<A, Error> {
    ask_within(PATIENCE, socket, method, question).await
}

/// As [`ask`], with another deadline.
///
/// # Errors
/// As [`ask`].
pub async fn ask_within<Q: Message, A: Message + Default>(
    patience: Duration,
    socket: &Path,
    method: &'static str,
    question: &Q,
) -> Result<A, Error> {
    match tokio::time::timeout(patience, exchange(socket, method, question)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Slow { socket: socket.to_owned(), method, seconds: patience.as_secs() }),
    }
}

async fn exchange<Q: Message, A: Message + Default>(
    socket: &Path,
    method: &'static str,
    question: &Q,
) -> Result<A, Error> {
    let garbled = |why: String| Error::Garbled { socket: socket.to_owned(), method, why };
    let unanswered = |error: hyper::Error| garbled(explain(&error));
    let stream = UnixStream::connect(socket).await.map_err(|error| unreachable(socket, &error))?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(unanswered)?;
    // Ends with the sender, at the end of this function at the latest.
    let driver = tokio::spawn(connection);
    let request = Request::post(format!("http://localhost{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(framed(question)))
        .map_err(|error| garbled(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(unanswered)?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(garbled(format!("HTTP status {}", head.status.as_u16())));
    }
    let body = Limited::new(body, LARGEST).collect().await.map_err(|error| garbled(error.to_string()))?;
    driver.abort();
    // A refusal without a message has it in the head.
    let status = body.trailers().and_then(status).or_else(|| status(&head.headers));
    match status {
        Some((0, _)) => {}
        Some((status, message)) => return Err(Error::Refused { socket: socket.to_owned(), method, status, message }),
        None => return Err(garbled("it ended without a status".to_owned())),
    }
    let bytes = body.to_bytes();
    let message = unframed(&bytes).ok_or_else(|| garbled("it is no message".to_owned()))?;
    A::decode(message).map_err(|error| garbled(error.to_string()))
}

fn unreachable(socket: &Path, error: &io::Error) -> Error {
    let (why, denied) = match error.kind() {
        io::ErrorKind::NotFound => ("there is no such socket".to_owned(), false),
        io::ErrorKind::ConnectionRefused => ("nothing listens there; it is not running".to_owned(), false),
        io::ErrorKind::PermissionDenied => ("permission denied".to_owned(), true),
        _ => (error.to_string(), false),
    };
    Error::Unreachable { socket: socket.to_owned(), why, denied }
}

/// A message as it is sent: not packed, with its length.
fn framed(message: &impl Message) -> Bytes {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0][..], &length, &body].concat().into()
}

/// The one message of an answer. `None` if it is packed, which was not asked for, or not one.
fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    let (prefix, body) = bytes.split_first_chunk::<PREFIX>()?;
    let [packed, length @ ..] = *prefix;
    (packed == 0 && u32::from_be_bytes(length) as usize == body.len()).then_some(body)
}

fn status(headers: &HeaderMap<HeaderValue>) -> Option<(u32, String)> {
    let status = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let message = headers.get("grpc-message").map(|value| unescaped(value.as_bytes())).unwrap_or_default();
    Some((status, message.chars().take(LONGEST).collect()))
}

/// Percent-encoding, as of the protocol's `Status-Message`.
fn unescaped(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The innermost reason, which is the one that says something.
fn explain(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let message = super::super::messages::VersionRequest { version: "v1".to_owned() };
        let bytes = framed(&message);
        assert_eq!(&bytes[..], b"\0\0\0\0\x04\x0a\x02v1");
        assert_eq!(unframed(&bytes), Some(&b"\x0a\x02v1"[..]));
        for bad in [&b""[..], b"\0\0\0\0", b"\x01\0\0\0\0", b"\0\0\0\0\x02a", b"\0\xff\xff\xff\xff", b"\0\0\0\0\0a"] {
            assert_eq!(unframed(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn messages_of_refusals() {
        for (text, plain) in [("a%20b%0A", "a b\n"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("%c3%a9", "é"), ("", "")] {
            assert_eq!(unescaped(text.as_bytes()), plain);
        }
    }

    #[tokio::test]
    async fn who_speaks_something_else_is_no_runtime() {
        use tokio::io::AsyncWriteExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let none: Result<super::super::messages::VersionResponse, _> =
            ask(&path, "/x", &super::super::messages::VersionRequest::default()).await;
        assert!(matches!(none, Err(Error::Unreachable { denied: false, .. })), "{none:?}");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let odd: Result<super::super::messages::VersionResponse, _> =
            ask(&path, "/x", &super::super::messages::VersionRequest::default()).await;
        assert!(matches!(odd, Err(Error::Garbled { .. })), "{odd:?}");
        server.await.unwrap();
    }
}

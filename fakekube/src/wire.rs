//! A client that sees the frames themselves, for tests of what no other client shows.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, rustls};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long a frame may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub struct Wire {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    /// What the server agreed to.
    pub protocol: String,
}

/// What the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A frame: channel and bytes.
    Frame(u8, Vec<u8>),
    /// A good-bye with this code.
    Closed(u16),
    /// The connection just ended.
    Broken,
}

/// A refusal: status, type of the body and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub u16, pub String, pub String);

fn connector(authority: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
    roots.add(certificate).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    let config: rustls::ClientConfig = builder.with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl Wire {
    /// Asks for a WebSocket at a path, with these protocols.
    ///
    /// # Errors
    /// If the server refuses.
    pub(crate) async fn open(
        port: u16,
        authority: &str,
        token: &str,
        path: &str,
        protocols: &str,
    ) -> Result<Self, Refused> {
        let mut request = format!("wss://127.0.0.1:{port}{path}").into_client_request().expect("a path");
        let header = |text: &str| HeaderValue::from_str(text).expect("a header");
        request.headers_mut().insert(AUTHORIZATION, header(&format!("Bearer {token}")));
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, header(protocols));
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("the server");
        let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
        let stream = connector(authority).connect(name, stream).await.expect("TLS");
        match client_async(request, stream).await {
            Ok((socket, answer)) => {
                let protocol = answer.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
                Ok(Self { socket, protocol: protocol.unwrap_or_default().to_owned() })
            }
            Err(Error::Http(answer)) => {
                let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
                let (kind, code) = (kind.unwrap_or_default().to_owned(), answer.status().as_u16());
                let body = answer.body().clone().unwrap_or_default();
                Err(Refused(code, kind, String::from_utf8_lossy(&body).into_owned()))
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Sends a frame as it is.
    pub(crate) async fn send(&mut self, frame: &[u8]) {
        self.socket.send(Message::Binary(Bytes::copy_from_slice(frame))).await.expect("the server reads");
    }

    /// What the server sends next.
    pub(crate) async fn next(&mut self) -> Sent {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time") {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => {
                    return Sent::Frame(bytes[0], bytes[1..].to_vec());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Sent::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Sent::Broken,
            }
        }
    }
}

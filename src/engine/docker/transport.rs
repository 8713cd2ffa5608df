//! One connection, one request: how every question reaches the engine.
//!
//! It is hyper underneath, as in bollard, which also goes through here. Requests carry no API version: the
//! server then answers as its own newest one, so nothing has to be negotiated, and neither a server
//! that is older than the client nor one that has dropped the client's version refuses.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::BollardRequest;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::connect::Endpoint;
use super::{ssh, tls};
use crate::engine::error::{Error, Why};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the engine may think before it answers. `docker inspect` has been seen to wait for a busy container.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer that is not a stream, in bytes.
const LARGEST: usize = 64 << 20;
/// The largest explanation of a refusal, in bytes.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Podman puts this into its answers, Docker does not.
const PODMAN: &str = "libpod-api-version";

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Pipe for T {}

/// Makes connections to one engine.
#[derive(Debug, Clone)]
pub struct Transport {
    /// Where the engine is.
    pub endpoint: Endpoint,
    /// Whether an answer has said that it is Podman.
    podman: Arc<AtomicBool>,
    /// Makes its connections safe, if it is reached by TLS.
    tls: Option<tls::Connector>,
}

/// A body that is being received, and the connection it comes over.
///
/// The connection is driven by whoever reads the body, in the same task: a task of its own would cost
/// a switch for every chunk, and the engine sends a chunk for every line of a log.
pub struct Streaming {
    driver: Option<Driver>,
    body: Incoming,
}

impl Transport {
    /// To this engine. Nothing is connected yet.
    ///
    /// # Errors
    /// If the files for TLS cannot be used.
    pub fn new(endpoint: Endpoint) -> Result<Self, Error> {
        let tls = match &endpoint {
            Endpoint::Tls(host, _, tls) => Some(tls::Connector::new(host, tls)),
            Endpoint::Unix(_) | Endpoint::Tcp(..) | Endpoint::Ssh(_) => None,
        };
        let tls = tls.transpose().map_err(|cause| Error::Tls { endpoint: endpoint.to_string(), cause })?;
        Ok(Self { endpoint, podman: Arc::default(), tls })
    }

    /// Whether it is Podman, as far as the answers so far tell.
    pub fn is_podman(&self) -> bool {
        self.podman.load(Ordering::Relaxed)
    }

    async fn connect(&self) -> Result<Box<dyn Pipe>, Error> {
        let connecting = async {
            Ok(Ok(match &self.endpoint {
                Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?) as Box<dyn Pipe>,
                Endpoint::Tcp(host, port) | Endpoint::Tls(host, port, _) => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    stream.set_nodelay(true)?;
                    match &self.tls {
                        Some(tls) => return Ok(tls.connect(stream).await.map(|stream| Box::new(stream) as _)),
                        None => Box::new(stream),
                    }
                }
                Endpoint::Ssh(ssh) => Box::new(ssh.connect()?),
            }))
        };
        let why = match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(made)) => return made.map_err(|cause| self.insecure(cause)),
            Ok(Err(error)) => self.why(&error),
            Err(_) => Why::TooSlow(CONNECT.as_secs()),
        };
        Err(Error::Unreachable { endpoint: self.endpoint.to_string(), why })
    }

    fn insecure(&self, cause: tls::Error) -> Error {
        Error::Tls { endpoint: self.endpoint.to_string(), cause }
    }

    /// What it means that the engine refused.
    pub fn refused(&self, what: &str, status: u16, message: String) -> Error {
        // What Go's server, and so Docker's, says on a port for TLS, and nginx.
        if matches!(self.endpoint, Endpoint::Tcp(..)) && status == 400 && message.contains("HTTPS ") {
            return self.insecure(tls::Error::Wanted);
        }
        Error::Refused { what: what.to_owned(), status, message }
    }

    /// What it means that the connection ended before there was an answer.
    fn unanswered(&self, error: &hyper::Error) -> Error {
        let (endpoint, why) = (self.endpoint.to_string(), explain(error));
        let no_http = error.is_parse() || error.is_parse_too_large();
        match &self.endpoint {
            // What ssh says before anything came through is why it did not get there.
            Endpoint::Ssh(_) if why.starts_with(ssh::PREFIX) => Error::Unreachable { endpoint, why: Why::Other(why) },
            // Who wants TLS and is not Docker answers in its own language.
            Endpoint::Tcp(..) if no_http => self.insecure(tls::Error::Wanted),
            _ if no_http => Error::Garbled { endpoint, what: "an HTTP request".to_owned(), why },
            _ => match &self.tls {
                Some(tls) => {
                    let inner = std::error::Error::source(error).and_then(|inner| inner.downcast_ref::<io::Error>());
                    self.insecure(inner.map_or_else(|| tls.hung_up(), |inner| tls.explain(inner)))
                }
                None => Error::Lost { endpoint, why },
            },
        }
    }

    fn why(&self, error: &io::Error) -> Why {
        match (error.kind(), &self.endpoint) {
            (io::ErrorKind::NotFound, Endpoint::Unix(_)) => Why::NoSocket,
            (io::ErrorKind::ConnectionRefused, _) => Why::NotRunning,
            (io::ErrorKind::PermissionDenied, _) => Why::Denied,
            _ => Why::Other(error.to_string()),
        }
    }

    async fn send<B>(&self, request: Request<B>) -> Result<(Response<Incoming>, Option<Driver>), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let io = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = http1::handshake::<_, B>(io).await.map_err(|error| self.unanswered(&error))?;
        let mut driver: Option<Driver> = Some(Box::pin(connection.with_upgrades()));
        let response = sender.send_request(request);
        tokio::pin!(response);
        let answer = std::future::poll_fn(|cx| {
            if let Some(running) = &mut driver
                && running.as_mut().poll(cx).is_ready()
            {
                driver = None;
            }
            response.as_mut().poll(cx)
        })
        .await;
        match answer {
            Ok(response) => {
                if response.headers().contains_key(PODMAN) {
                    self.podman.store(true, Ordering::Relaxed);
                }
                Ok((response, driver))
            }
            Err(error) => Err(self.unanswered(&error)),
        }
    }

    /// Opens a stream. `what` says in words what is asked, for errors.
    ///
    /// # Errors
    /// If the engine cannot be reached, or refuses.
    pub async fn stream(&self, path: &str, what: &str, patience: Option<Duration>) -> Result<Streaming, Error> {
        let request = Request::get(path)
            .header("host", self.endpoint.authority())
            .body(Empty::<Bytes>::new())
            .map_err(|error| Error::Garbled {
                endpoint: self.endpoint.to_string(),
                what: what.to_owned(),
                why: error.to_string(),
            })?;
        let sending = self.send(request);
        let (response, driver) = match patience {
            Some(patience) => match tokio::time::timeout(patience, sending).await {
                Ok(answer) => answer?,
                Err(_) => return Err(self.slow(what, patience)),
            },
            None => sending.await?,
        };
        let status = response.status();
        let streaming = Streaming { driver, body: response.into_body() };
        if status.is_success() {
            return Ok(streaming);
        }
        let reading = Limited::new(streaming, LARGEST_REFUSAL).collect();
        let body = tokio::time::timeout(ANSWER, reading).await.ok().and_then(Result::ok);
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Err(self.refused(what, status.as_u16(), refusal(&body)))
    }

    /// Asks for one document.
    ///
    /// # Errors
    /// If the engine cannot be reached, refuses, or answers with something else.
    pub async fn json<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Error> {
        let garbled = |why: String| Error::Garbled { endpoint: self.endpoint.to_string(), what: what.to_owned(), why };
        let asking = async {
            let body = self.stream(path, what, None).await?;
            let body = Limited::new(body, LARGEST).collect().await.map_err(|error| {
                match error.downcast::<hyper::Error>() {
                    Ok(error) => Error::Lost { endpoint: self.endpoint.to_string(), why: explain(&error) },
                    Err(error) => garbled(error.to_string()),
                }
            })?;
            serde_json::from_slice(&body.to_bytes()).map_err(|error| garbled(error.to_string()))
        };
        tokio::time::timeout(ANSWER, asking).await.unwrap_or_else(|_| Err(self.slow(what, ANSWER)))
    }

    fn slow(&self, what: &str, patience: Duration) -> Error {
        Error::Slow { endpoint: self.endpoint.to_string(), what: what.to_owned(), seconds: patience.as_secs() }
    }
}

/// The innermost reason, which is the one that says something.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

/// The engine's own words: Docker sends `{"message": …}`, Podman also `{"cause": …}`, a proxy anything.
fn refusal(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    let text = serde_json::from_slice(body)
        .map_or_else(|_| String::from_utf8_lossy(body).into_owned(), |Message { message }| message);
    let text = text.trim();
    if text.is_empty() { "it gave no reason".to_owned() } else { text.chars().take(500).collect() }
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if let ready @ Poll::Ready(_) = Pin::new(&mut this.body).poll_frame(cx) {
            return ready;
        }
        if let Some(driver) = &mut this.driver
            && let Poll::Ready(end) = driver.as_mut().poll(cx)
        {
            this.driver = None;
            if let Err(error) = end {
                return Poll::Ready(Some(Err(error)));
            }
        }
        Pin::new(&mut this.body).poll_frame(cx)
    }
}

impl Transport {
    /// Carries a request of bollard.
    pub async fn carry(self, request: BollardRequest) -> Result<Response<Incoming>, bollard::errors::Error> {
        let (mut parts, body) = request.into_parts();
        parts.uri = unversioned(&parts.uri)?;
        parts
            .headers
            .insert("host", HeaderValue::try_from(self.endpoint.authority()).map_err(hyper::http::Error::from)?);
        let (response, driver) = self.send(Request::from_parts(parts, body)).await.map_err(io::Error::other)?;
        if let Some(driver) = driver {
            tokio::spawn(driver);
        }
        Ok(response)
    }
}

/// Path and query alone, without `/v1.53`: bollard means to send its own version, which the server may not know.
fn unversioned(uri: &Uri) -> Result<Uri, hyper::http::Error> {
    let path = uri.path_and_query().map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let rest = path.strip_prefix("/v").and_then(|rest| rest.split_once('/')).and_then(|(version, rest)| {
        let number = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        number.then(|| format!("/{rest}"))
    });
    Uri::builder().path_and_query(rest.as_deref().unwrap_or(path)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_taken_out_of_paths() {
        for (uri, path) in [
            ("http://x/v1.53/containers/json?all=true", "/containers/json?all=true"),
            ("http://x/containers/json", "/containers/json"),
            ("http://x/volumes", "/volumes"),
            ("http://x/volumes/a", "/volumes/a"),
            ("http://x", "/"),
        ] {
            assert_eq!(unversioned(&uri.parse().unwrap()).unwrap().to_string(), path);
        }
    }

    #[test]
    fn refusals_are_in_the_engines_words() {
        for (body, text) in [
            (&br#"{"message":"no such thing"}"#[..], "no such thing"),
            (br#"{"cause":"a","message":"b","response":500}"#, "b"),
            (b"<html>502</html>", "<html>502</html>"),
            (b" \n", "it gave no reason"),
            (b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(refusal(body), text);
        }
        assert_eq!(refusal(&vec![b'x'; 10_000]).len(), 500);
    }
}

//! The engine's socket behind TLS on the loopback address, as dockerd itself offers it with `--tlsverify`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::io::{self, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::certificates::{Authority, Pair};

/// A port, and what came through it. Ends with the test's process.
pub struct TlsPort {
    /// Its number.
    pub port: u16,
    connections: Arc<Mutex<Vec<Connection>>>,
}

/// A connection that has ended, or whose client has said all.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The first line of its first request.
    pub request: String,
    /// Whether the client said good-bye (`close_notify`), while the engine could still answer.
    pub said_goodbye: bool,
    /// Whether it resumed an earlier one.
    pub resumed: bool,
}

impl TlsPort {
    /// A port that shows this certificate, and with an authority takes only clients that it vouches for.
    pub fn new(engine: &Pair, clients: Option<&Authority>) -> Self {
        Self::of(config(engine, clients, false))
    }

    /// The same, with TLS 1.2 and no newer.
    pub fn old(engine: &Pair, clients: Option<&Authority>) -> Self {
        Self::of(config(engine, clients, true))
    }

    fn of(config: ServerConfig) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, seen) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&connections));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(carry(acceptor.clone(), stream, Arc::clone(&seen)));
                }
            });
        });
        Self { port, connections }
    }

    /// Its address by number.
    pub fn address(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// What came through so far.
    pub fn connections(&self) -> Vec<Connection> {
        self.connections.lock().unwrap().clone()
    }
}

fn config(engine: &Pair, clients: Option<&Authority>, old: bool) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let versions = if old { &[&TLS12][..] } else { &[&TLS13, &TLS12] };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let certificate = CertificateDer::from_pem_slice(engine.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(engine.key.as_bytes()).unwrap();
    builder.with_single_cert(vec![certificate], key).unwrap()
}

async fn carry(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<Mutex<Vec<Connection>>>) {
    let Ok(mut here) = acceptor.accept(stream).await else { return };
    let resumed = here.get_ref().1.handshake_kind() == Some(tokio_rustls::rustls::HandshakeKind::Resumed);
    let mut there = UnixStream::connect("/var/run/docker.sock").await.expect("the engine's socket");
    let mut first = vec![0; 64 << 10];
    let Ok(length) = here.read(&mut first).await else { return };
    let request = String::from_utf8_lossy(&first[..length]).lines().next().unwrap_or_default().to_owned();
    if there.write_all(&first[..length]).await.is_err() {
        return;
    }
    let ((mut questions, mut client), (mut answers, mut engine)) = (io::split(here), there.split());
    let answered = AtomicBool::new(false);
    let up = async {
        // Without a close_notify this is an error: nobody on the way may end a stream unnoticed.
        let ended_well = io::copy(&mut questions, &mut engine).await.is_ok();
        let said_goodbye = ended_well && !answered.load(Ordering::Relaxed);
        seen.lock().unwrap().push(Connection { request, said_goodbye, resumed });
        let _ = engine.shutdown().await;
    };
    let down = async {
        let _ = io::copy(&mut answers, &mut client).await;
        answered.store(true, Ordering::Relaxed);
        let _ = client.shutdown().await;
    };
    tokio::join!(up, down);
}
